//! The rules for make that linkers write (`--dependency-file` of ld(1), ld.lld(1) and mold(1)): the output and a colon, then each file
//! that was read, in a line of its own or, by mold, in the same line. After an empty line, each file has a rule without inputs.
//! GNU ld, gold and mold do not escape names, lld does.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// Maximum number of links, and maximum size of all their rules, in bytes.
const LINKS: usize = 100_000;
const RULES: u64 = 512 << 20;

/// A link that succeeded.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Link {
    /// What it made.
    pub(super) output: PathBuf,
    /// What it read.
    pub(super) inputs: Vec<PathBuf>,
}

/// The links in a folder of traces. A link that failed has no rule.
///
/// # Errors
/// There are too many, or a file cannot be read.
pub(super) fn read(folder: &Path) -> Result<Vec<Link>, String> {
    let failed = |error: io::Error| format!("{}: {error}", folder.display());
    let mut links = Vec::new();
    let mut left = RULES;
    for entry in fs::read_dir(folder).map_err(failed)? {
        let directory = entry.map_err(failed)?.path();
        let rule = directory.with_extension("d");
        if directory.extension().is_none_or(|found| found != "cwd")
            || !rule.try_exists().map_err(failed)?
        {
            continue;
        }
        let directory = text(&directory, &mut left).map_err(failed)?;
        let rule = text(&rule, &mut left).map_err(failed)?;
        links.extend(parse(&rule, Path::new(directory.trim_end_matches('\n'))));
        if left == 0 || links.len() > LINKS {
            return Err("linkers ran too often".to_owned());
        }
    }
    Ok(links)
}

fn text(path: &Path, left: &mut u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    // A build may write to the folder, too.
    let file = content::open_regular(path)?;
    file.take(*left).read_to_end(&mut bytes)?;
    *left -= bytes.len() as u64;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The link of a rule whose paths are relative to `directory`.
fn parse(rule: &str, directory: &Path) -> Option<Link> {
    let (rule, others) = rule.split_once("\n\n").unwrap_or((rule, ""));
    let mut lines = rule
        .lines()
        .map(|line| line.strip_suffix(" \\").unwrap_or(line));
    let first = lines.next()?;
    let (output, inputs) = match first.strip_suffix(':') {
        Some(output) => in_lines(output, lines),
        None => in_one_line(first, others)?,
    };
    Some(Link {
        output: directory.join(output),
        inputs: inputs.iter().map(|input| directory.join(input)).collect(),
    })
}

/// Output and inputs, which begin with two spaces, or with one if names are escaped.
fn in_lines<'a>(output: &str, lines: impl Iterator<Item = &'a str>) -> (String, Vec<String>) {
    let mut is_escaped = false;
    let inputs = lines.map(
        |line| match (line.strip_prefix("  "), line.strip_prefix(' ')) {
            (None, Some(escaped)) => {
                is_escaped = true;
                unescaped(escaped)
            }
            (plain, _) => plain.unwrap_or(line).to_owned(),
        },
    );
    let inputs = inputs.collect();
    match is_escaped {
        true => (unescaped(output), inputs),
        false => (output.to_owned(), inputs),
    }
}

/// Output and inputs of one line. The rules after it tell where a name with spaces ends.
fn in_one_line(line: &str, others: &str) -> Option<(String, Vec<String>)> {
    let names = others
        .split("\n\n")
        .map(|other| other.trim_end_matches('\n'));
    let inputs: Option<Vec<_>> = names.map(|name| name.strip_suffix(':')).collect();
    let inputs = inputs?;
    let written: String = inputs.iter().flat_map(|input| [" ", input]).collect();
    let output = line.strip_suffix(&written)?.strip_suffix(':')?;
    let inputs = inputs.into_iter().map(str::to_owned).collect();
    Some((output.to_owned(), inputs))
}

/// A name as lld was given it: lld writes a backslash before spaces and `#`, and `$$` for `$`.
fn unescaped(name: &str) -> String {
    let name = name.replace("\\ ", " ").replace("\\#", "#");
    name.replace("$$", "$")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_names_output_and_inputs() {
        let gnu =
            "g 1: \\\n  /usr/lib/crt1.o \\\n  s p#$d/a.o\n\n/usr/lib/crt1.o:\n\ns p#$d/a.o:\n";
        let lld = "g\\ 1: \\\n /usr/lib/crt1.o \\\n s\\ p\\#$$d/a.o\n\n/usr/lib/crt1.o:\n\ns\\ p\\#$$d/a.o:\n";
        let mold = "g 1: /usr/lib/crt1.o s p#$d/a.o\n\n/usr/lib/crt1.o:\n\ns p#$d/a.o:\n";
        let expected = Link {
            output: "/build/src/g 1".into(),
            inputs: ["/usr/lib/crt1.o", "/build/src/s p#$d/a.o"]
                .map(PathBuf::from)
                .to_vec(),
        };
        for rule in [gnu, lld, mold] {
            let parsed = parse(rule, Path::new("/build/src"));
            assert_eq!(parsed.as_ref(), Some(&expected), "{rule}");
        }
        for other in ["", "no rule", "\n\n", "a: b\n", "a: b\n\nc:\n", "a: b\n\nb"] {
            assert_eq!(parse(other, Path::new("/")), None, "{other:?}");
        }
    }

    #[test]
    fn a_link_that_failed_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("7.cwd", "/build/src\n");
        write("8.cwd", "/build/src\n");
        write("8.d", "a: \\\n  b.o\n");
        write("9.d", "c: \\\n  d.o\n");
        let links = read(folder.path()).unwrap();
        let [link] = &links[..] else {
            panic!("{links:?}");
        };
        assert_eq!(link.output, Path::new("/build/src/a"));
    }
}
