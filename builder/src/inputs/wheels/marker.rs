//! Environment markers, as `python_version < "3.12"` (PyPA specifications, "Dependency specifiers"): parsed, and evaluated for the
//! Python of an image.

mod expression;
mod parse;

use std::str::FromStr as _;

use pep440_rs::{Version, VersionSpecifier};

use super::target::Target;
use crate::lock::wheels::ProjectName;
use expression::{Expression, Operand, Operator, Variable};
use parse::Tokens;

/// A condition on the Python and on the extras that are wanted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Marker(Expression);

/// What a marker is evaluated for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Environment<'a> {
    pub(super) target: &'a Target,
    /// The extra that is wanted, or nothing.
    pub(super) extra: &'a str,
}

impl Marker {
    /// Parses a marker.
    ///
    /// # Errors
    /// What is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut tokens = Tokens::of(text)?;
        let expression = tokens.any(0)?;
        tokens.end()?;
        Ok(Self(expression))
    }

    /// Whether it holds.
    pub(super) fn holds(&self, environment: &Environment<'_>) -> bool {
        self.0.holds(environment)
    }
}

impl Expression {
    fn holds(&self, environment: &Environment<'_>) -> bool {
        match self {
            Self::All(all) => all.iter().all(|one| one.holds(environment)),
            Self::Any(any) => any.iter().any(|one| one.holds(environment)),
            Self::Compare(left, operator, right) => {
                let variables = [left, right].map(Operand::variable);
                let (left, right) = (left.text(environment), right.text(environment));
                compare(&left, *operator, &right, variables)
            }
        }
    }
}

impl Operand {
    fn variable(&self) -> Option<Variable> {
        match self {
            Self::Variable(variable) => Some(*variable),
            Self::Text(_) => None,
        }
    }

    fn text(&self, environment: &Environment<'_>) -> String {
        match self {
            Self::Variable(variable) => variable.value(environment),
            Self::Text(text) => text.clone(),
        }
    }
}

impl Variable {
    fn value(self, environment: &Environment<'_>) -> String {
        let target = environment.target;
        match self {
            Self::PythonVersion => target.short(),
            Self::PythonFullVersion | Self::ImplementationVersion => target.full.clone(),
            Self::ImplementationName => "cpython".to_owned(),
            Self::PlatformPythonImplementation => "CPython".to_owned(),
            Self::OsName => "posix".to_owned(),
            Self::SysPlatform => "linux".to_owned(),
            Self::PlatformSystem => "Linux".to_owned(),
            Self::PlatformMachine => target.machine.to_owned(),
            Self::Extra => environment.extra.to_owned(),
        }
    }

    fn is_version(self) -> bool {
        matches!(
            self,
            Self::PythonVersion | Self::PythonFullVersion | Self::ImplementationVersion
        )
    }
}

/// Versions are compared as versions, extras as names, and all else as text.
fn compare(left: &str, operator: Operator, right: &str, variables: [Option<Variable>; 2]) -> bool {
    let mut variables = variables.into_iter().flatten();
    let symbol = match operator {
        Operator::In => return right.contains(left),
        Operator::NotIn => return !right.contains(left),
        Operator::Version(symbol) => symbol,
    };
    if variables.clone().any(Variable::is_version)
        && let Some(holds) = versions(left, symbol, right)
    {
        return holds;
    }
    if variables.any(|variable| variable == Variable::Extra) {
        let name = |text: &str| ProjectName::written(text).ok();
        return texts(&name(left), symbol, &name(right));
    }
    texts(&left, symbol, &right)
}

/// `None` if one is not a version.
fn versions(left: &str, symbol: &str, right: &str) -> Option<bool> {
    let specifier = VersionSpecifier::from_str(&format!("{symbol}{right}")).ok()?;
    let version = Version::from_str(left).ok()?;
    Some(specifier.contains(&version))
}

fn texts<T: Ord>(left: &T, symbol: &str, right: &T) -> bool {
    match symbol {
        "==" | "===" => left == right,
        "!=" => left != right,
        "<" => left < right,
        "<=" => left <= right,
        ">" => left > right,
        ">=" => left >= right,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::target::tests::target;
    use super::*;

    fn holds(text: &str, minor: u32, extra: &str) -> bool {
        let marker = Marker::parse(text).unwrap();
        let target = target(minor, 36);
        marker.holds(&Environment {
            target: &target,
            extra,
        })
    }

    #[test]
    fn a_marker_is_about_the_python_of_the_image() {
        for (text, on_11, on_13) in [
            ("python_version < \"3.12\"", true, false),
            (
                "python_version >= '3.9' and python_version<'3.13'",
                true,
                false,
            ),
            ("python_full_version >= '3.11.2'", true, true),
            ("python_version ~= '3.12'", false, true),
            ("python_version == '3.1*'", false, false),
            ("python_version == '3.*'", true, true),
            ("'3.12' <= python_version", false, true),
            ("python_version in '2.7 3.13'", false, true),
            ("python_version not in '3.11'", false, true),
            ("sys_platform == 'win32'", false, false),
            (
                "sys_platform != 'win32' and (python_version < '3.12' or os_name == 'nt')",
                true,
                false,
            ),
            (
                "platform_machine == 'x86_64' or platform_machine == 'aarch64'",
                true,
                true,
            ),
            (
                "platform_python_implementation != 'PyPy' and implementation_name == 'cpython'",
                true,
                true,
            ),
            ("platform_system == \"Linux\"", true, true),
        ] {
            assert_eq!(
                (holds(text, 11, ""), holds(text, 13, "")),
                (on_11, on_13),
                "{text}"
            );
        }
    }

    #[test]
    fn extras_are_compared_as_names() {
        assert!(holds("extra == 'Async_io'", 11, "async-io"));
        assert!(!holds("extra == 'async'", 11, ""));
        assert!(holds("python_version > '3' and extra == 'a'", 11, "a"));
    }

    #[test]
    fn other_text_is_no_marker() {
        let deep = "(".repeat(1000);
        for (text, fault) in [
            ("", "expected a variable or a quoted text, found the end"),
            ("python_version", "expected an operator, found the end"),
            ("python_version <> '3'", "expected"),
            (
                "pithon_version < '3'",
                "unknown variable \"pithon_version\"",
            ),
            (
                "platform_release > '5'",
                "unknown variable \"platform_release\"",
            ),
            ("python_version < '3", "expected the end of a quoted text"),
            ("python_version < '3' or", "expected a variable"),
            ("python_version < '3' x", "expected the end, found \"x\""),
            ("(python_version < '3'", "expected \")\""),
            ("python_version < 3", "unknown variable \"3\""),
            (&deep, "too many parentheses"),
        ] {
            let found = Marker::parse(text).unwrap_err();
            assert!(found.contains(fault), "{text}: {found}");
        }
    }
}
