//! The file `METADATA` of a wheel (PyPA specifications, "Core metadata").

use std::collections::BTreeSet;

use pep440_rs::{Version, VersionSpecifiers};

use super::dependency::Dependency;
use super::target::Target;
use crate::lock::wheels::ProjectName;
use crate::untrusted::shown;

/// What a wheel says of its project.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Metadata {
    pub(super) name: ProjectName,
    pub(super) version: Version,
    /// The versions of Python, as they are written.
    python: Option<String>,
    dependencies: Vec<Dependency>,
}

impl Metadata {
    /// Parses the file.
    ///
    /// # Errors
    /// What is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut fields = Fields::default();
        // The description follows an empty line.
        let head = text.lines().take_while(|line| !line.trim().is_empty());
        // A field goes on in lines that begin with a space; none of ours does.
        for line in head.filter(|line| !line.starts_with([' ', '\t'])) {
            if let Some((field, value)) = line.split_once(':') {
                fields.take(field, value.trim())?;
            }
        }
        let name = fields.name.ok_or("no Name")?;
        let version = fields.version.ok_or("no Version")?;
        Ok(Self {
            name: ProjectName::written(&name).map_err(|error| error.to_string())?,
            version: version
                .parse()
                .map_err(|_| format!("Version: \"{}\" is not a version", shown(&version)))?,
            python: fields.python,
            dependencies: fields.dependencies,
        })
    }

    /// The projects that this one needs, with these extras.
    pub(super) fn needs<'a>(
        &'a self,
        target: &'a Target,
        extras: &'a BTreeSet<ProjectName>,
    ) -> impl Iterator<Item = &'a Dependency> {
        let all = self.dependencies.iter();
        all.filter(|dependency| dependency.applies(target, extras))
    }

    /// The versions of Python that it needs, if that of `target` is not one. What cannot be read is passed over, as pip does.
    pub(super) fn other_python(&self, target: &Target) -> Option<&str> {
        let wanted = self.python.as_deref()?;
        let specifiers: VersionSpecifiers = wanted.parse().ok()?;
        let version: Version = target.full.parse().ok()?;
        (!specifiers.contains(&version)).then_some(wanted)
    }
}

#[derive(Default)]
struct Fields {
    name: Option<String>,
    version: Option<String>,
    python: Option<String>,
    dependencies: Vec<Dependency>,
}

impl Fields {
    fn take(&mut self, field: &str, value: &str) -> Result<(), String> {
        let place = match field.to_ascii_lowercase().as_str() {
            "name" => &mut self.name,
            "version" => &mut self.version,
            "requires-python" => &mut self.python,
            "requires-dist" => {
                let dependency = Dependency::parse(value);
                let dependency = dependency.map_err(|fault| format!("Requires-Dist: {fault}"))?;
                self.dependencies.push(dependency);
                return Ok(());
            }
            _ => return Ok(()),
        };
        match place.replace(value.to_owned()) {
            None => Ok(()),
            Some(_) => Err(format!("{field} is there twice")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::target::tests::target;
    use super::*;

    const TEXT: &str = "Metadata-Version: 2.1\nName: Flask_Async\nVersion: 3.1.0\nLicense: a\n  b: c\nRequires-Python: >=3.12\n\
                        Requires-Dist: Werkzeug >=3.1\nRequires-Dist: asgiref>=3.2 ; extra == 'async'\n\n Name: other\nName: other\n";

    #[test]
    fn names_and_needs_are_read() {
        let metadata = Metadata::parse(TEXT).unwrap();
        assert_eq!(metadata.name.as_str(), "flask-async");
        let needs = |extras: &[&str]| {
            let extras = extras.iter().map(|extra| extra.parse().unwrap()).collect();
            let target = target(13, 36);
            let needs = metadata.needs(&target, &extras);
            needs.map(|one| one.name.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(needs(&[]), ["werkzeug"]);
        assert_eq!(needs(&["async"]), ["werkzeug", "asgiref"]);
        assert_eq!(metadata.other_python(&target(11, 36)), Some(">=3.12"));
        assert_eq!(metadata.other_python(&target(13, 36)), None);
    }

    #[test]
    fn a_name_and_a_version_are_there_once() {
        for (text, fault) in [
            ("Version: 1\n", "no Name"),
            ("Name: a\n", "no Version"),
            ("Name: a\nVersion: x\n", "Version: \"x\" is not a version"),
            ("Name: a\nName: b\nVersion: 1\n", "Name is there twice"),
            (
                "Name: a\nVersion: 1\nRequires-Dist: b; c\n",
                "Requires-Dist: marker: ",
            ),
        ] {
            let found = Metadata::parse(text).unwrap_err();
            assert!(found.starts_with(fault), "{text}: {found}");
        }
    }
}
