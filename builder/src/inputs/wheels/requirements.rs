//! Files of requirements in the format of pip, in which each project has one version and the digests of its files
//! (pip, "Requirements File Format" and "Secure installs").

mod line;

use std::collections::{BTreeMap, BTreeSet};

use console::hint::Hinted;
use content::Digest;
use pep440_rs::Version;

use super::dependency::Dependency;
use super::target::Target;
use crate::lock::wheels::ProjectName;
use crate::untrusted::shown;
use line::Line;

/// Faults that are named. The rest are counted.
const NAMED: usize = 20;
/// Maximum number of requirements in a file.
const COUNT: usize = 10_000;

const HINT: &str = "write the file with `uv pip compile --generate-hashes` or `pip-compile --generate-hashes`; docs/image-toml.md \
                    says which lines it may have";

/// A file of requirements.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Requirements {
    /// The path of the file, as `Image.toml` names it.
    pub(super) file: String,
    all: Vec<Requirement>,
}

/// A project at one version, and the digests that its files may have.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Requirement {
    pub(super) name: ProjectName,
    pub(super) extras: BTreeSet<ProjectName>,
    pub(super) version: Version,
    pub(super) digests: BTreeSet<Digest>,
    condition: Option<Dependency>,
}

impl Requirements {
    /// Parses a file.
    ///
    /// # Errors
    /// Lines that name no version or digest, or that are options for pip; all are named.
    pub fn parse(file: &str, text: &str) -> Result<Self, Hinted> {
        let mut all = Vec::new();
        let mut faults = Vec::new();
        for (number, line) in line::joined(text) {
            match Line::parse(&line) {
                Ok(Line::Requirement(requirement)) if all.len() < COUNT => all.push(requirement),
                Ok(Line::Requirement(_)) => {
                    faults.push(format!("line {number}: more than {COUNT} requirements"));
                    break;
                }
                Ok(Line::Nothing) => {}
                Err(fault) => faults.push(format!("line {number}: {fault}")),
            }
        }
        let file = file.to_owned();
        match faults.is_empty() {
            true => Ok(Self { file, all }),
            false => Err(told(&format!("parsing {}", shown(&file)), &faults).hinting(HINT)),
        }
    }

    /// The requirements that apply to a Python, by name. Lines about one project are joined.
    ///
    /// # Errors
    /// There are two versions of a project.
    pub(super) fn of(&self, target: &Target) -> Result<BTreeMap<ProjectName, Requirement>, Hinted> {
        let none = BTreeSet::new();
        let mut found: BTreeMap<_, Requirement> = BTreeMap::new();
        let applies = |one: &&Requirement| {
            let condition = one.condition.as_ref();
            condition.is_none_or(|condition| condition.applies(target, &none))
        };
        for one in self.all.iter().filter(applies) {
            let Some(other) = found.get_mut(&one.name) else {
                found.insert(one.name.clone(), one.clone());
                continue;
            };
            if other.version != one.version {
                return Err(Hinted::new(format_args!(
                    "reading {}: it names {} {} and {}, and both are for Python {}",
                    shown(&self.file),
                    one.name,
                    other.version,
                    one.version,
                    target.short()
                ))
                .hinting(
                    "remove one of these lines, or give them markers that exclude each other",
                ));
            }
            other.extras.extend(one.extras.iter().cloned());
            other.digests.extend(one.digests.iter().copied());
        }
        Ok(found)
    }
}

/// All faults in one error.
pub(super) fn told(doing: &str, faults: &[String]) -> Hinted {
    if let [fault] = faults {
        return Hinted::new(format_args!("{doing}: {fault}"));
    }
    let named = faults.iter().take(NAMED).enumerate();
    let named: Vec<_> = named
        .map(|(index, fault)| format!("({}) {fault}", index + 1))
        .collect();
    let more = match faults.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let (count, named) = (faults.len(), named.join("; "));
    Hinted::new(format_args!("{doing}: {count} faults: {named}{more}"))
}

#[cfg(test)]
mod tests {
    use super::super::target::tests::target;
    use super::*;

    const HEX: &str = "0000000000000000000000000000000000000000000000000000000000000000";

    fn digest(text: &str) -> String {
        format!("--hash=sha256:{}", Digest::of(text.as_bytes()).hex())
    }

    fn parse(text: &str) -> Result<Requirements, String> {
        Requirements::parse("requirements.txt", text).map_err(|error| error.to_string())
    }

    #[test]
    fn what_other_programs_write_is_read() {
        let (one, two, three) = (digest("1"), digest("2"), digest("3"));
        let text = format!(
            "#\n# This file is autogenerated by pip-compile with Python 3.13\n#\n\
             --only-binary :all:\n\
             Flask[async]==3.1.0 \\\n    {one} \\\n    {two}\n    # via -r requirements.in\n\
             colorama==0.4.6 ; sys_platform == 'win32' \\\n    {one}\n\
             importlib-metadata==8.5.0 ; python_version < \"3.12\" {three}  # via flask\n\n\
             typing_extensions === 4.12.2 \\\n  {one} # a comment\n\
             numpy==1.26.4 ; python_version < '3.12' {one}\r\n\
             numpy==2.1.0 ; python_version >= '3.12' {two}\r\n\
             --require-hashes\n"
        );
        let read = parse(&text).unwrap();
        let of = |minor: u32| {
            let found = read.of(&target(minor, 36)).unwrap();
            let named = found
                .values()
                .map(|one| format!("{} {}", one.name, one.version));
            named.collect::<Vec<_>>()
        };
        assert_eq!(
            of(11),
            [
                "flask 3.1.0",
                "importlib-metadata 8.5.0",
                "numpy 1.26.4",
                "typing-extensions 4.12.2"
            ]
        );
        assert_eq!(
            of(13),
            ["flask 3.1.0", "numpy 2.1.0", "typing-extensions 4.12.2"]
        );
        let found = read.of(&target(13, 36)).unwrap();
        let flask = &found[&"flask".parse().unwrap()];
        assert_eq!(flask.digests, [Digest::of(b"1"), Digest::of(b"2")].into());
        assert_eq!(flask.extras.len(), 1);
    }

    #[test]
    fn all_faults_are_in_one_error() {
        let text = format!(
            "a\nb==1\nc>=1 --hash=sha256:{HEX}\nd==1.* --hash=sha256:{HEX}\n-r other.txt\n\
             --index-url https://user:secret@host.example/simple\n-e .\n./folder\nhttps://host.example/x.whl\n\
             e @ https://host.example/e.whl --hash=sha256:{HEX}\nf==1 --hash=md5:00\ng==1 --hash=sha256:0\n\
             h==1 --global-option=x --hash=sha256:{HEX}\n"
        );
        let said = parse(&text).unwrap_err();
        assert!(!said.contains("secret"), "{said}");
        for fault in [
            "parsing requirements.txt: 13 faults: (1) line 1: a: expected a version, as a==1.0",
            "(2) line 2: b 1: expected its digest, as --hash=sha256:…",
            "line 3: c: expected one version, as c==1.0, found \">=1\"",
            "line 4: d: expected one version, as d==1.0, found \"==1.*\"",
            "line 5: -r: write the requirements of that file here",
            "line 6: --index-url: name the index with --wheel-index or PIP_INDEX_URL",
            "line 7: -e: the project itself is not a wheel",
            "line 8: expected NAME==VERSION and digests, found a path or address",
            "line 9: expected NAME==VERSION and digests, found a path or address",
            "line 10: e: expected one version, as e==1.0, found an address",
            "line 11: f 1: expected a digest by SHA-256, found md5",
            "line 12: g 1: expected 64 hex digits after sha256:",
            "line 13: --global-option: nothing of a wheel is configured",
        ] {
            assert!(said.contains(fault), "{fault}\n{said}");
        }
        let many = parse(&"a\n".repeat(25)).unwrap_err();
        assert!(many.ends_with("; and 5 more"), "{many}");
    }

    #[test]
    fn a_project_has_one_version() {
        let (one, two) = (digest("1"), digest("2"));
        let twice = parse(&format!("a==1 {one}\nA==1.0 {two}\n")).unwrap();
        let found = twice.of(&target(13, 36)).unwrap();
        assert_eq!(found.values().next().unwrap().digests.len(), 2);
        let other = parse(&format!("a==1 {one}\na==2 {two}\n")).unwrap();
        let said = other.of(&target(13, 36)).unwrap_err().to_string();
        assert!(said.contains("it names a 1 and 2"), "{said}");
    }
}
