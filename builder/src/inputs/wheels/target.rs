//! The Python that wheels are for: its version, the C library and the processor.

use console::hint::Hinted;

use crate::lock::packages::Package;
use crate::spec::{PythonSpec, pair};

/// Minor versions of Python 3 are less than this: tags are made for each.
const MINORS: u32 = 1000;

/// A Python on Linux with the GNU C library.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::inputs) struct Target {
    /// The minor version of Python 3.
    pub(super) minor: u32,
    /// The whole version, as `3.13.5`.
    pub(super) full: String,
    /// The version of the C library.
    pub(super) glibc: (u32, u32),
    /// The processor, as Linux names it.
    pub(super) machine: &'static str,
}

impl Target {
    /// The Python that `Image.toml` names, or else that of the packages that the image contains.
    ///
    /// # Errors
    /// There is none, or there are several.
    pub(in crate::inputs) fn of(
        named: Option<&PythonSpec>,
        runtime: &[Package],
        architecture: &str,
    ) -> Result<Self, Hinted> {
        let machine = machine(architecture)?;
        if let Some(PythonSpec { version, glibc }) = named {
            let (major, minor, rest) = version;
            let rest = if rest.is_empty() { ".0" } else { rest };
            return Ok(Self {
                minor: *minor,
                full: format!("{major}.{minor}{rest}"),
                glibc: *glibc,
                machine,
            });
        }
        let (minor, full) = python(runtime)?;
        let glibc = runtime.iter().find(|package| package.name == "libc6");
        let glibc = glibc.and_then(|package| pair(upstream(&package.version)));
        let (major, revision, _) =
            glibc.ok_or_else(|| none("[runtime] has no package libc6, which Python needs"))?;
        Ok(Self {
            minor,
            full,
            glibc: (major, revision),
            machine,
        })
    }

    /// Major and minor version, as `3.13`.
    pub(super) fn short(&self) -> String {
        format!("3.{}", self.minor)
    }
}

/// The processor by Linux's name, given Debian's.
fn machine(architecture: &str) -> Result<&'static str, Hinted> {
    match architecture {
        "amd64" => Ok("x86_64"),
        "arm64" => Ok("aarch64"),
        other => {
            let other = crate::untrusted::shown(other);
            Err(none(&format!(
                "no wheels are known for the architecture {other}"
            )))
        }
    }
}

/// The minor version of the only Python among packages, and its whole version.
fn python(runtime: &[Package]) -> Result<(u32, String), Hinted> {
    let found = runtime.iter().filter_map(|package| {
        let minor = package.name.strip_prefix("python3.")?;
        let minor = minor.strip_suffix("-minimal").unwrap_or(minor);
        let minor = minor.parse::<u32>().ok().filter(|minor| *minor < MINORS)?;
        Some((minor, upstream(&package.version).to_owned()))
    });
    let mut found: Vec<_> = found.collect();
    found.sort();
    found.dedup_by_key(|(minor, _)| *minor);
    match &found[..] {
        [one] => Ok(one.clone()),
        [] => Err(none("no package of [runtime] is a Python")),
        [one, other, ..] => Err(none(&format!(
            "[runtime] has Python 3.{} and 3.{}, and wheels are for one",
            one.0, other.0
        ))),
    }
}

fn none(reason: &str) -> Hinted {
    Hinted::new(format_args!("choosing wheels: {reason}")).hinting(
        "write packages = [\"python3\"] in [runtime]; for a Python of a base image, write python = \"3.12\" and glibc = \"2.36\" in \
         [[wheels]]",
    )
}

/// The upstream part of Debian's version (Debian Policy, section 5.6.12).
fn upstream(version: &str) -> &str {
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    let version = version.rsplit_once('-').map_or(version, |(rest, _)| rest);
    version.split(['+', '~']).next().unwrap_or(version)
}

#[cfg(test)]
pub(super) mod tests {
    use content::Digest;

    use super::*;

    fn packages(list: &[(&str, &str)]) -> Vec<Package> {
        let package = |(name, version): &(&str, &str)| Package {
            name: (*name).to_owned(),
            suite: None,
            source: None,
            version: (*version).to_owned(),
            path: "pool/x.deb".parse().unwrap(),
            sha256: Digest::of(b"x"),
            size: 1,
        };
        list.iter().map(package).collect()
    }

    /// Python of trixie or bookworm.
    pub(in crate::inputs::wheels) fn target(minor: u32, glibc: u32) -> Target {
        Target {
            minor,
            full: format!("3.{minor}.2"),
            glibc: (2, glibc),
            machine: "x86_64",
        }
    }

    #[test]
    fn the_python_is_that_of_the_packages() {
        let runtime = packages(&[
            ("libc6", "2.36-9+deb12u10"),
            ("python3", "3.11.2-1+b1"),
            ("python3-minimal", "3.11.2-1+b1"),
            ("python3.11", "3.11.2-6+deb12u6"),
            ("python3.11-minimal", "3.11.2-6+deb12u6"),
        ]);
        assert_eq!(Target::of(None, &runtime, "amd64").unwrap(), target(11, 36));
        let named = PythonSpec {
            version: (3, 12, String::new()),
            glibc: (2, 41),
        };
        let found = Target::of(Some(&named), &[], "arm64").unwrap();
        assert_eq!((found.full.as_str(), found.machine), ("3.12.0", "aarch64"));
    }

    #[test]
    fn wheels_need_one_python() {
        let refused = |list: &[(&str, &str)], architecture: &str| {
            let refused = Target::of(None, &packages(list), architecture);
            refused.unwrap_err().to_string()
        };
        let none = refused(&[("libc6", "2.36-9")], "amd64");
        assert_eq!(none, "choosing wheels: no package of [runtime] is a Python");
        let huge = [("libc6", "2.36-9"), ("python3.4000000000", "3.11.2-6")];
        assert_eq!(refused(&huge, "amd64"), none);
        let two = refused(
            &[("python3.11", "3.11.2-6"), ("python3.13", "3.13.5-2")],
            "amd64",
        );
        assert!(two.contains("Python 3.11 and 3.13"), "{two}");
        let static_only = refused(&[("python3.13", "3.13.5-2")], "amd64");
        assert!(static_only.contains("no package libc6"), "{static_only}");
        let other = refused(&[], "riscv64");
        assert!(other.contains("the architecture riscv64"), "{other}");
    }
}
