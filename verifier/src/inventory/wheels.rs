//! The Python packages in an image: each has a folder `NAME-VERSION.dist-info` beside its modules (PyPA specifications, "Recording
//! installed projects").

use std::collections::BTreeSet;

use sbom::Component;

/// The file in such a folder that every package has.
const METADATA: &str = "METADATA";
const FOLDER: &str = ".dist-info";

/// Python packages by name and version.
pub(super) struct Wheels(BTreeSet<(String, String)>);

/// The packages that are unpacked among these paths.
pub(super) fn unpacked<'a>(paths: impl Iterator<Item = &'a String>) -> Wheels {
    let packages = paths.filter_map(|path| {
        let (folder, file) = path.rsplit_once('/')?;
        let name = folder.rsplit('/').next()?.strip_suffix(FOLDER)?;
        let (name, version) = name.rsplit_once('-')?;
        (file == METADATA).then(|| (normal(name), version.to_owned()))
    });
    Wheels(packages.collect())
}

impl Wheels {
    /// Whether a component is one of them.
    pub(super) fn has(&self, component: &Component) -> bool {
        let named = component.named_wheel();
        named.is_some_and(|(name, version)| self.0.contains(&(normal(&name), version)))
    }
}

/// The name as packages are compared (PEP 503).
fn normal(name: &str) -> String {
    let mut normal = String::new();
    for c in name.chars() {
        let c = match c {
            '_' | '.' => '-',
            c => c.to_ascii_lowercase(),
        };
        if c != '-' || !normal.ends_with('-') {
            normal.push(c);
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_found_by_its_folder() {
        let paths = [
            "app/lib/typing_extensions-4.12.2.dist-info/METADATA",
            "app/lib/flask-3.1.0.dist-info/RECORD",
            "app/lib/jinja2/METADATA",
        ];
        let paths: Vec<String> = paths.map(str::to_owned).to_vec();
        let wheels = unpacked(paths.iter());
        let component = |purl: &str| Component {
            purls: [purl.to_owned()].into(),
            ..Component::default()
        };
        assert!(wheels.has(&component("pkg:pypi/typing-extensions@4.12.2")));
        for purl in [
            "pkg:pypi/typing-extensions@4.12.3",
            "pkg:pypi/flask@3.1.0",
            "pkg:pypi/jinja2@1",
        ] {
            assert!(!wheels.has(&component(purl)), "{purl}");
        }
        assert_eq!(normal("A__b.-c"), "a-b-c");
    }
}
