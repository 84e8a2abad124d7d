//! What a build needs, and a package has that `[root]` does not name, by the messages of the program that looked for it.

/// Something that a build lacks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Lacking {
    /// A library that is linked.
    Library,
    /// The description of a library for pkg-config.
    Description,
    /// A file that C code includes.
    Header,
    /// The program cmake.
    Cmake,
    /// The program protoc.
    Protoc,
    /// The library of clang, for bindgen.
    Clang,
}

/// What programs say: ld(1), lld and mold, the crates pkg-config, cmake, prost-build and clang-sys, and gcc.
const SAID: [(&str, Lacking); 9] = [
    (": cannot find -l", Lacking::Library),
    ("unable to find library -l", Lacking::Library),
    ("library not found: ", Lacking::Library),
    ("The system library `", Lacking::Description),
    ("is `cmake` not installed?", Lacking::Cmake),
    ("Could not find `protoc`", Lacking::Protoc),
    ("Unable to find libclang", Lacking::Clang),
    (
        "couldn't find any valid shared libraries matching: ['libclang",
        Lacking::Clang,
    ),
    ("fatal error: ", Lacking::Header),
];

impl Lacking {
    /// What a line says is lacking.
    pub(super) fn of(line: &str) -> Option<Self> {
        let (_, lacking) = SAID.iter().find(|(said, _)| line.contains(said))?;
        let is_other = *lacking == Self::Header && !line.contains(": No such file or directory");
        Some(*lacking).filter(|_| !is_other)
    }

    /// What to write in `Image.toml`.
    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::Library | Self::Description => {
                "add the package of the library to packages in [root] of Image.toml; for -lssl it is libssl-dev, and most names are like it"
            }
            Self::Header => {
                "if a package has the file, add it to packages in [root] of Image.toml: the name ends in -dev"
            }
            Self::Cmake => "add \"cmake\" to packages in [root] of Image.toml",
            Self::Protoc => {
                "add \"protobuf-compiler\" and \"libprotobuf-dev\" to packages in [root] of Image.toml"
            }
            Self::Clang => "add \"libclang-dev\" to packages in [root] of Image.toml",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_say_what_is_lacking() {
        for (line, expected) in [
            (
                "  = note: /usr/bin/x86_64-linux-gnu-ld.bfd: cannot find -lseccomp: No such file or directory",
                Some(Lacking::Library),
            ),
            (
                "ld.lld: error: unable to find library -lseccomp",
                Some(Lacking::Library),
            ),
            (
                "mold: fatal: library not found: seccomp",
                Some(Lacking::Library),
            ),
            (
                "  The system library `libseccomp` required by crate `x` was not found.",
                Some(Lacking::Description),
            ),
            (
                "wrapper.h:1:10: fatal error: seccomp.h: No such file or directory",
                Some(Lacking::Header),
            ),
            ("  is `cmake` not installed?", Some(Lacking::Cmake)),
            (
                "  Error: Custom { kind: NotFound, error: \"Could not find `protoc`. If `protoc` is installed, try setting the `PROTOC`\" }",
                Some(Lacking::Protoc),
            ),
            (
                "  Unable to find libclang: \"couldn't find any valid shared libraries\"",
                Some(Lacking::Clang),
            ),
            ("fatal error: too many errors emitted", None),
            ("error[E0425]: cannot find value `l` in this scope", None),
        ] {
            assert_eq!(Lacking::of(line), expected, "{line}");
        }
        for (_, lacking) in SAID {
            assert!(lacking.hint().contains("[root]"));
        }
    }
}
