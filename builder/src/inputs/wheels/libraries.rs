//! The Debian packages with the shared libraries that wheels for every Linux may take from the system (PEP 513 and PEP 600).

/// Libraries and their packages.
const PACKAGES: [(&str, &str); 17] = [
    ("libGL.so.1", "libgl1"),
    ("libICE.so.6", "libice6"),
    ("libSM.so.6", "libsm6"),
    ("libX11.so.6", "libx11-6"),
    ("libXext.so.6", "libxext6"),
    ("libXrender.so.1", "libxrender1"),
    ("libatomic.so.1", "libatomic1"),
    ("libcrypt.so.1", "libcrypt1"),
    ("libexpat.so.1", "libexpat1"),
    ("libgcc_s.so.1", "libgcc-s1"),
    ("libglib-2.0.so.0", "libglib2.0-0"),
    ("libgobject-2.0.so.0", "libglib2.0-0"),
    ("libgomp.so.1", "libgomp1"),
    ("libgthread-2.0.so.0", "libglib2.0-0"),
    ("libstdc++.so.6", "libstdc++6"),
    ("libuuid.so.1", "libuuid1"),
    ("libz.so.1", "zlib1g"),
];

/// The package that has a library, if wheels may need it from the system.
pub(super) fn package(library: &str) -> Option<&'static str> {
    let found = PACKAGES.iter().find(|(name, _)| *name == library);
    found.map(|(_, package)| *package)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_of_the_system_have_packages() {
        assert_eq!(package("libstdc++.so.6"), Some("libstdc++6"));
        assert_eq!(package("libc.so.6"), None);
    }
}
