//! Environment markers of requirements (PyPA specifications, "Dependency specifiers"), for CPython on 64-bit Linux.

use std::cmp::Ordering;

use crate::spec::PythonVersion;
use crate::untrusted::shown;

/// The most nested parentheses.
const DEPTH: usize = 32;

/// Whether a marker holds for this version of Python.
///
/// # Errors
/// It is not a marker, or names a variable that differs from machine to machine.
pub(super) fn applies(marker: &str, python: &PythonVersion) -> Result<bool, String> {
    let words = words(marker)?;
    let mut parser = Parser {
        words: &words,
        python: python.as_str(),
    };
    let applies = parser.any(0)?;
    match parser.words {
        [] => Ok(applies),
        [word, ..] => Err(format!("unexpected {word:?}")),
    }
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Word {
    /// A name, a word such as `and`, or an operator.
    Plain(String),
    /// A text between quotation marks.
    Text(String),
}

fn words(marker: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut rest = marker.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = match first {
            '\'' | '"' => {
                let (text, after) = rest[1..].split_once(first).ok_or("a quotation mark has no end")?;
                (Word::Text(text.to_owned()), after)
            }
            '(' | ')' => (Word::Plain(first.to_string()), &rest[1..]),
            _ => {
                let is_operator = |c: char| "<>=!~".contains(c);
                let kind = is_operator(first);
                let ends = |c: char| c.is_whitespace() || "()'\"".contains(c) || is_operator(c) != kind;
                let (word, after) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
                (Word::Plain(word.to_owned()), after)
            }
        };
        words.push(word);
        rest = after.trim_start();
    }
    Ok(words)
}

struct Parser<'a> {
    words: &'a [Word],
    python: &'a str,
}

impl Parser<'_> {
    fn take(&mut self, plain: &str) -> bool {
        match self.words {
            [Word::Plain(word), rest @ ..] if word == plain => {
                self.words = rest;
                true
            }
            _ => false,
        }
    }

    fn any(&mut self, depth: usize) -> Result<bool, String> {
        let mut holds = self.all(depth)?;
        while self.take("or") {
            holds |= self.all(depth)?;
        }
        Ok(holds)
    }

    fn all(&mut self, depth: usize) -> Result<bool, String> {
        let mut holds = self.one(depth)?;
        while self.take("and") {
            holds &= self.one(depth)?;
        }
        Ok(holds)
    }

    fn one(&mut self, depth: usize) -> Result<bool, String> {
        if self.take("(") {
            if depth == DEPTH {
                return Err("too many parentheses".to_owned());
            }
            let holds = self.any(depth + 1)?;
            return match self.take(")") {
                true => Ok(holds),
                false => Err("a parenthesis has no end".to_owned()),
            };
        }
        let (left, is_version) = self.value()?;
        let operator = self.operator()?;
        let (right, is_other_version) = self.value()?;
        compare(&left, &operator, &right, is_version || is_other_version)
    }

    fn operator(&mut self) -> Result<String, String> {
        if self.take("not") {
            return match self.take("in") {
                true => Ok("not in".to_owned()),
                false => Err("expected `in` after `not`".to_owned()),
            };
        }
        match self.words {
            [Word::Plain(word), rest @ ..] => {
                self.words = rest;
                Ok(word.clone())
            }
            _ => Err("expected an operator".to_owned()),
        }
    }

    /// A value, and whether it is that of a variable that is a version.
    fn value(&mut self) -> Result<(String, bool), String> {
        let (first, rest) = self.words.split_first().ok_or("it ends too early")?;
        self.words = rest;
        let name = match first {
            Word::Text(text) => return Ok((text.clone(), false)),
            Word::Plain(name) => name.as_str(),
        };
        let value = match name {
            "os_name" => "posix",
            "sys_platform" => "linux",
            "platform_system" => "Linux",
            "platform_machine" => "x86_64",
            "platform_python_implementation" => "CPython",
            "implementation_name" => "cpython",
            "extra" => "",
            "python_version" => return Ok((self.python.to_owned(), true)),
            "python_full_version" | "implementation_version" => {
                return Ok((format!("{}.0", self.python), true));
            }
            other => return Err(format!("unsupported variable {:?}", shown(other))),
        };
        Ok((value.to_owned(), false))
    }
}

fn compare(left: &str, operator: &str, right: &str, are_versions: bool) -> Result<bool, String> {
    match operator {
        "in" => return Ok(right.contains(left)),
        "not in" => return Ok(!right.contains(left)),
        "===" => return Ok(left == right),
        _ => {}
    }
    if let (true, Some(prefix)) = (are_versions, right.strip_suffix(".*")) {
        let is_below = release(left)?.starts_with(&release(prefix)?);
        return match operator {
            "==" => Ok(is_below),
            "!=" => Ok(!is_below),
            other => Err(format!("unsupported operator {:?} with .*", shown(other))),
        };
    }
    let order = match are_versions {
        true => order(&release(left)?, &release(right)?),
        false => left.cmp(right),
    };
    match operator {
        "==" => Ok(order.is_eq()),
        "!=" => Ok(order.is_ne()),
        "<" => Ok(order.is_lt()),
        "<=" => Ok(order.is_le()),
        ">" => Ok(order.is_gt()),
        ">=" => Ok(order.is_ge()),
        "~=" if are_versions => {
            let mut upper = release(right)?;
            upper.pop();
            Ok(order.is_ge() && release(left)?.starts_with(&upper))
        }
        other => Err(format!("unsupported operator {:?}", shown(other))),
    }
}

/// The numbers of a version.
fn release(version: &str) -> Result<Vec<u32>, String> {
    let numbers = version.trim().split('.').map(str::parse);
    numbers
        .collect::<Result<_, _>>()
        .map_err(|_| format!("expected a version of numbers, found {:?}", shown(version)))
}

/// Versions are equal if they only differ in zeros at the end.
fn order(left: &[u32], right: &[u32]) -> Ordering {
    let length = left.len().max(right.len());
    let padded = |version: &[u32]| {
        let mut padded = version.to_vec();
        padded.resize(length, 0);
        padded
    };
    padded(left).cmp(&padded(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_those_of_linux() {
        let python: PythonVersion = "3.13".to_owned().try_into().unwrap();
        for (marker, expected) in [
            ("python_version >= '3.9'", true),
            ("python_version<\"3.11\"", false),
            ("'3.9' <= python_version", true),
            ("python_full_version < '3.13.1'", true),
            ("python_version == '3.13.*'", true),
            ("python_version ~= '3.8'", true),
            ("sys_platform == 'win32'", false),
            ("sys_platform != 'win32' and platform_system == 'Linux'", true),
            ("(os_name == 'nt' or platform_machine in 'x86_64 aarch64') and python_version > '3'", true),
            ("os_name == 'nt' and os_name == 'nt' or os_name == 'posix'", true),
            ("platform_machine not in 'arm64'", true),
            ("extra == 'async'", false),
            ("implementation_name == 'cpython' and platform_python_implementation != 'PyPy'", true),
        ] {
            assert_eq!(applies(marker, &python), Ok(expected), "{marker}");
        }
        for wrong in ["", "python_version", "python_version >=", "platform_release == '6'", "(os_name == 'nt'", "os_name == 'nt' os_name", "os_name not 'nt'", "python_version > 'x'", "os_name ~= 'nt'"] {
            assert!(applies(wrong, &python).is_err(), "{wrong}");
        }
    }
}
