//! Cargo's report of a build, one JSON document in each line (The Cargo Book, "External tools").

use std::path::{Path, PathBuf};

use content::printable;
use serde::Deserialize;

/// Makes cargo write this report, and show the messages of compilers as usual.
pub(super) const OPTION: &str = "--message-format=json-render-diagnostics";
/// Maximum size of a document, in bytes; a document lists all features and files of a crate.
const LINE: u64 = 1 << 20;
/// The longest text shown of a package's name, in characters.
const SHOWN: usize = 200;

/// A report that is not that of one link of the program.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A line is invalid.
    #[error("line {line}: {source}")]
    Line {
        /// The number of the line, from 1.
        line: usize,
        /// What is wrong.
        source: content::json::JsonError,
    },
    /// The program was not linked, or more than once.
    #[error("expected one link of {}, found {found}", program.display())]
    Links {
        /// The program, as seen in the sandbox.
        program: PathBuf,
        /// Number of links.
        found: usize,
    },
    /// The program existed before cargo compiled it.
    #[error("{} existed before it was linked", program.display())]
    Fresh {
        /// The program, as seen in the sandbox.
        program: PathBuf,
    },
    /// A build script sets a variable that the compiler or linker reads.
    #[error("the build script of {package} sets {variable:?} for the compiler and linker")]
    Variable {
        /// The package, as cargo names it.
        package: String,
        /// The variable's name.
        variable: String,
    },
    /// The report continues after its end, or has none.
    #[error("expected the end of the build as its last line")]
    End,
}

/// A document. Of its fields, those that are needed.
#[derive(Debug, Deserialize)]
struct Message {
    reason: String,
    package_id: Option<String>,
    /// The variables that a build script sets for the compiler of its package.
    env: Option<Vec<(String, String)>>,
    executable: Option<PathBuf>,
    fresh: Option<bool>,
    success: Option<bool>,
}

impl Message {
    fn is_end(&self) -> bool {
        self.reason == "build-finished"
    }

    fn is_link_of(&self, program: &Path) -> bool {
        self.reason == "compiler-artifact" && self.executable.as_deref() == Some(program)
    }

    fn check_variables(&self) -> Result<(), ReportError> {
        let mut names = self.env.iter().flatten().map(|(name, _)| name);
        match names.find(|name| selects_tools(name)) {
            None => Ok(()),
            Some(variable) => Err(ReportError::Variable {
                package: printable(self.package_id.as_deref().unwrap_or_default(), SHOWN),
                variable: variable.clone(),
            }),
        }
    }
}

/// Whether a variable selects the programs, libraries or plugins that the compiler and linker use (GCC
/// manual, "Environment Variables Affecting GCC"; ld(1) and ld.so(8), "ENVIRONMENT").
fn selects_tools(variable: &str) -> bool {
    const NAMES: [&str; 5] = [
        "COMPILER_PATH",
        "GLIBC_TUNABLES",
        "LDEMULATION",
        "LIBRARY_PATH",
        "PATH",
    ];
    const PREFIXES: [&str; 3] = ["COLLECT_", "GCC_", "LD_"];
    NAMES.contains(&variable) || PREFIXES.iter().any(|prefix| variable.starts_with(prefix))
}

/// Checks that cargo has linked `program`, once, in this build, and that no build script has selected another
/// linker by a variable.
pub(super) fn check(report: &[u8], program: &Path) -> Result<(), ReportError> {
    let messages = parse(report)?;
    let (last, before) = messages.split_last().ok_or(ReportError::End)?;
    let ends = last.is_end() && last.success == Some(true);
    if !ends || before.iter().any(Message::is_end) {
        return Err(ReportError::End);
    }
    before.iter().try_for_each(Message::check_variables)?;
    let links = before.iter().filter(|one| one.is_link_of(program));
    let links: Vec<_> = links.collect();
    let program = program.to_owned();
    match links[..] {
        [link] if link.fresh == Some(false) => Ok(()),
        [_] => Err(ReportError::Fresh { program }),
        _ => Err(ReportError::Links {
            program,
            found: links.len(),
        }),
    }
}

fn parse(report: &[u8]) -> Result<Vec<Message>, ReportError> {
    let lines = report.split_inclusive(|byte| *byte == b'\n');
    let parsed = lines.enumerate().map(|(number, line)| {
        content::json::parse(line, LINE).map_err(|source| ReportError::Line {
            line: number + 1,
            source,
        })
    });
    parsed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: &str = "/t/release/probe";
    const LIBRARY: &str = r#"{"reason":"compiler-artifact","package_id":"x","target":{"kind":["lib"]},"fresh":false,"executable":null}"#;
    const LINK: &str =
        r#"{"reason":"compiler-artifact","fresh":false,"executable":"/t/release/probe"}"#;
    const SCRIPT: &str = r#"{"reason":"build-script-executed","package_id":"path+file:///build/src#probe@1.0.0","env":[["A","b"]]}"#;
    const END: &str = r#"{"reason":"build-finished","success":true}"#;

    fn check(lines: &[&str]) -> Result<(), String> {
        let report: String = lines.iter().map(|line| format!("{line}\n")).collect();
        super::check(report.as_bytes(), Path::new(PROGRAM)).map_err(|error| error.to_string())
    }

    #[test]
    fn one_link_is_the_program() {
        assert_eq!(check(&[LIBRARY, SCRIPT, LINK, END]), Ok(()));
    }

    #[test]
    fn another_writer_is_noticed() {
        let fresh = &LINK.replace("false", "true");
        let failed = &END.replace("true", "false");
        for (lines, said) in [
            (
                &[LIBRARY, END][..],
                "expected one link of /t/release/probe, found 0",
            ),
            (
                &[LINK, LINK, END],
                "expected one link of /t/release/probe, found 2",
            ),
            (
                &[fresh, END],
                "/t/release/probe existed before it was linked",
            ),
            (&[LINK], "expected the end of the build as its last line"),
            (&[], "expected the end of the build as its last line"),
            (
                &[LINK, failed],
                "expected the end of the build as its last line",
            ),
            (
                &[LINK, END, END],
                "expected the end of the build as its last line",
            ),
            (
                &[END, LINK, END],
                "expected the end of the build as its last line",
            ),
        ] {
            assert_eq!(check(lines), Err(said.to_owned()), "{lines:?}");
        }
        let elsewhere = &SCRIPT.replace(r#""A""#, r#""COMPILER_PATH""#);
        let said = check(&[elsewhere, LINK, END]).unwrap_err();
        assert_eq!(
            said,
            "the build script of path+file:///build/src#probe@1.0.0 sets \"COMPILER_PATH\" for the compiler and linker"
        );
        let said = check(&[LINK, "hello", END]).unwrap_err();
        assert!(said.starts_with("line 2: "), "{said}");
    }
}
