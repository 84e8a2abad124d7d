//! `[root]`: the build root.

use serde::Deserialize;

/// The component of an archive with free software.
const COMPONENT: &str = "main";
/// Debian's name of x86-64.
pub(crate) const ARCHITECTURE: &str = "amd64";
/// Maximum length of a name that becomes part of a URL, in bytes; more than any archive has.
const NAME: usize = 128;

/// The build root, made of Debian packages.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "RawRoot")]
pub struct RootSpec {
    /// The releases, for example `trixie`. A package is taken from the first that has it. The list is empty only if no
    /// package is needed.
    pub suites: Vec<String>,
    /// The component, for example `main`. The archive keeps packages of `main` for years, but deletes superseded security
    /// updates.
    pub component: String,
    /// The architecture, for example `amd64`.
    pub architecture: String,
    /// What is needed for a kind of program.
    pub toolchain: Option<Toolchain>,
    /// The packages that are needed besides; the lock also names their dependencies.
    pub packages: Vec<PackageSpec>,
}

/// Packages that builds of a kind need, whatever their names in a suite are.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Toolchain {
    /// The compilers of C and C++, and the tools that their build systems call.
    C,
    /// These, rustc and cargo.
    Rust,
}

/// A package that is needed: `name`, or `name/suite`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PackageSpec {
    /// The name, or a relation as packages have it, such as `a | b` (Debian Policy, section 7.1).
    pub name: String,
    /// The only suite that it may be taken from.
    pub suite: Option<String>,
}

/// The part of an archive that one package index describes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Section<'a> {
    /// The release.
    pub suite: &'a str,
    /// The component.
    pub component: &'a str,
    /// The architecture.
    pub architecture: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRoot {
    suite: Option<String>,
    suites: Option<Vec<String>>,
    component: Option<String>,
    architecture: Option<String>,
    toolchain: Option<Toolchain>,
    #[serde(default)]
    packages: Vec<String>,
}

impl Default for RootSpec {
    /// An empty root.
    fn default() -> Self {
        Self {
            suites: Vec::new(),
            component: COMPONENT.to_owned(),
            architecture: ARCHITECTURE.to_owned(),
            toolchain: None,
            packages: Vec::new(),
        }
    }
}

impl RootSpec {
    /// The parts of the archive that packages may be taken from, in the order of preference.
    pub fn sections(&self) -> impl Iterator<Item = Section<'_>> + Clone {
        self.suites.iter().map(|suite| Section {
            suite,
            component: &self.component,
            architecture: &self.architecture,
        })
    }

    fn check_names(&self) -> Result<(), String> {
        let names = self.suites.iter().chain([&self.architecture]);
        let names = names.map(String::as_str).chain(self.component.split('/'));
        match names.into_iter().find(|name| !is_name(name)) {
            None => Ok(()),
            Some(wrong) => Err(format!(
                "root: expected the name of a suite, component or architecture, found {wrong:?}"
            )),
        }
    }

    fn check_suites(&self) -> Result<(), String> {
        let needs = self.toolchain.is_some() || !self.packages.is_empty();
        if needs && self.suites.is_empty() {
            return Err(
                "root: packages are needed, but no suite is named: write suite = \"trixie\", for example"
                    .to_owned(),
            );
        }
        for PackageSpec { name, suite } in &self.packages {
            if let Some(suite) = suite.as_ref().filter(|suite| !self.suites.contains(suite)) {
                return Err(format!(
                    "root: package {name:?} is to be taken from {suite:?}, which is not among the suites"
                ));
            }
        }
        Ok(())
    }
}

impl From<String> for PackageSpec {
    fn from(text: String) -> Self {
        let (name, suite) = match text.split_once('/') {
            Some((name, suite)) => (name.to_owned(), Some(suite.to_owned())),
            None => (text, None),
        };
        Self { name, suite }
    }
}

impl TryFrom<RawRoot> for RootSpec {
    type Error = String;

    fn try_from(raw: RawRoot) -> Result<Self, String> {
        let root = Self {
            suites: suites(raw.suite, raw.suites)?,
            component: raw.component.unwrap_or_else(|| COMPONENT.to_owned()),
            architecture: raw.architecture.unwrap_or_else(|| ARCHITECTURE.to_owned()),
            toolchain: raw.toolchain,
            packages: raw.packages.into_iter().map(PackageSpec::from).collect(),
        };
        root.check_names()?;
        root.check_suites()?;
        Ok(root)
    }
}

fn suites(one: Option<String>, several: Option<Vec<String>>) -> Result<Vec<String>, String> {
    let suites = match (one, several) {
        (Some(_), Some(_)) => return Err("root: expected suite or suites, found both".to_owned()),
        (Some(one), None) => vec![one],
        (None, several) => several.unwrap_or_default(),
    };
    for (index, suite) in suites.iter().enumerate() {
        if suites[..index].contains(suite) {
            return Err(format!("root: suite {suite:?} is named twice"));
        }
    }
    Ok(suites)
}

/// Whether a name means the same in a URL and as a file name.
fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._+~".contains(&byte);
    (1..=NAME).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(text: &str) -> Result<RootSpec, String> {
        let root = content::toml::parse::<RootSpec>(text);
        root.map_err(|error| error.message().to_owned())
    }

    #[test]
    fn component_and_architecture_have_defaults() {
        let long = "suite = 'trixie'\ncomponent = 'main'\narchitecture = 'amd64'\npackages = []";
        assert_eq!(root("suite = 'trixie'"), root(long));
        assert_eq!(root("suites = ['trixie']"), root(long));
        assert_eq!(root("").unwrap(), RootSpec::default());
    }

    #[test]
    fn suites_are_ordered_and_packages_are_pinned_to_them() {
        let read = root(
            "suites = ['trixie', 'trixie-backports']\ntoolchain = 'rust'\n\
             packages = ['cmake', 'rustc/trixie-backports']",
        )
        .unwrap();
        let suites: Vec<_> = read.sections().map(|section| section.suite).collect();
        assert_eq!(suites, ["trixie", "trixie-backports"]);
        assert_eq!(read.toolchain, Some(Toolchain::Rust));
        assert_eq!(read.packages[0].suite, None);
        assert_eq!(read.packages[1].name, "rustc");
        assert_eq!(read.packages[1].suite.as_deref(), Some("trixie-backports"));
    }

    #[test]
    fn contradictions_are_refused() {
        for (text, reason) in [
            ("suite = 'a'\nsuites = ['b']", "expected suite or suites"),
            ("suites = ['a', 'a']", "is named twice"),
            ("toolchain = 'rust'", "no suite is named"),
            ("packages = ['a']", "no suite is named"),
            ("suite = 'a'\npackages = ['b/c']", "not among the suites"),
            ("suite = '../x'", "expected the name of a suite"),
            ("suite = 'a/b'", "expected the name of a suite"),
            ("suite = ''", "expected the name of a suite"),
            ("suite = 'a'\ncomponent = 'x/..'", "expected the name"),
            ("suite = 'a'\ntoolchain = 'ada'", "unknown variant `ada`"),
            ("suite = 'a'\nmirror = 'b'", "unknown field `mirror`"),
        ] {
            let refused = root(text).unwrap_err();
            assert!(refused.contains(reason), "{text}: {refused}");
        }
    }
}
