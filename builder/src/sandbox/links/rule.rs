//! The rules for make that linkers write (ld(1), `--dependency-file`): the output and a colon, then each file that was read in a
//! line of its own. Names are not escaped.

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
    // An empty line ends the rule: the others are for files that no longer exist.
    let rule = rule.split("\n\n").next()?;
    let mut lines = rule
        .lines()
        .map(|line| line.strip_suffix(" \\").unwrap_or(line));
    let output = lines.next()?.strip_suffix(':')?;
    let inputs = lines.map(|line| directory.join(line.strip_prefix("  ").unwrap_or(line)));
    Some(Link {
        output: directory.join(output),
        inputs: inputs.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_names_output_and_inputs() {
        let rule =
            "g 1: \\\n  /usr/lib/crt1.o \\\n  s p#$d/a.o\n\n/usr/lib/crt1.o:\n\ns p#$d/a.o:\n";
        let expected = Link {
            output: "/build/src/g 1".into(),
            inputs: ["/usr/lib/crt1.o", "/build/src/s p#$d/a.o"]
                .map(PathBuf::from)
                .to_vec(),
        };
        assert_eq!(parse(rule, Path::new("/build/src")), Some(expected));
        for other in ["", "no rule", "\n\n"] {
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
