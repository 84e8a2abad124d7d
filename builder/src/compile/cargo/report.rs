//! Cargo's report of a build, one JSON document in each line (The Cargo Book, "External tools").

use std::fmt::Display;
use std::path::{Path, PathBuf};

use content::printable;
use serde::Deserialize;

use crate::compile::error::CompileError;
use crate::spec::cargo::selects_tools;

/// Makes cargo write this report, and show the messages of compilers as usual.
pub(super) const OPTION: &str = "--message-format=json-render-diagnostics";
/// Maximum size of a document, in bytes; a document lists all features and files of a crate.
const LINE: u64 = 1 << 20;
/// The longest text shown of a package's name, in characters.
const SHOWN: usize = 200;
const READING: &str = "reading cargo's messages";

/// A report that is not that of one link of each program.
fn unlike(fault: impl Display) -> CompileError {
    CompileError::hinted(
        format_args!("{READING}: {fault}"),
        "check whether a build script or macro writes to cargo's files",
    )
}

fn no_end() -> CompileError {
    unlike("expected the last message to be `build-finished`")
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

    fn check_variables(&self) -> Result<(), CompileError> {
        let mut names = self.env.iter().flatten().map(|(name, _)| name);
        match names.find(|name| selects_tools(name)) {
            None => Ok(()),
            Some(variable) => {
                let package = printable(self.package_id.as_deref().unwrap_or_default(), SHOWN);
                Err(CompileError::refused(
                    format_args!(
                        "{READING}: the build script of {package} sets {variable:?} for the compiler and \
                         linker"
                    ),
                    "remove cargo:rustc-env for this variable: the image must be linked by the locked linker",
                ))
            }
        }
    }
}

/// Checks that cargo has linked each of `programs`, once, in this build, and that no build script has selected another
/// linker by a variable.
pub(super) fn check(report: &[u8], programs: &[PathBuf]) -> Result<(), CompileError> {
    let messages = parse(report)?;
    let (last, before) = messages.split_last().ok_or_else(no_end)?;
    let ends = last.is_end() && last.success == Some(true);
    if !ends || before.iter().any(Message::is_end) {
        return Err(no_end());
    }
    before.iter().try_for_each(Message::check_variables)?;
    let mut programs = programs.iter();
    programs.try_for_each(|program| check_link(before, program))
}

fn check_link(messages: &[Message], program: &Path) -> Result<(), CompileError> {
    let links = messages.iter().filter(|one| one.is_link_of(program));
    let links: Vec<_> = links.collect();
    let program = program.display();
    match links[..] {
        [link] if link.fresh == Some(false) => Ok(()),
        [_] => Err(unlike(format_args!(
            "{program} existed before it was linked"
        ))),
        _ => Err(unlike(format_args!(
            "expected {program} to be linked once, found {} links",
            links.len()
        ))),
    }
}

fn parse(report: &[u8]) -> Result<Vec<Message>, CompileError> {
    let lines = report.split_inclusive(|byte| *byte == b'\n');
    let parsed = lines.enumerate().map(|(number, line)| {
        content::json::parse(line, LINE)
            .map_err(|error| unlike(format_args!("line {}: {error}", number + 1)))
    });
    parsed.collect()
}

#[cfg(test)]
mod tests {
    const PROGRAM: &str = "/t/release/probe";
    const LIBRARY: &str = r#"{"reason":"compiler-artifact","package_id":"x","target":{"kind":["lib"]},"fresh":false,"executable":null}"#;
    const LINK: &str =
        r#"{"reason":"compiler-artifact","fresh":false,"executable":"/t/release/probe"}"#;
    const SCRIPT: &str = r#"{"reason":"build-script-executed","package_id":"path+file:///build/src#probe@1.0.0","env":[["A","b"]]}"#;
    const END: &str = r#"{"reason":"build-finished","success":true}"#;

    fn check(lines: &[&str]) -> Result<(), String> {
        let report: String = lines.iter().map(|line| format!("{line}\n")).collect();
        super::check(report.as_bytes(), &[PROGRAM.into()]).map_err(|error| {
            let said = error.to_string();
            let fault = said.strip_prefix("reading cargo's messages: ");
            fault.unwrap_or(&said).to_owned()
        })
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
                "expected /t/release/probe to be linked once, found 0 links",
            ),
            (
                &[LINK, LINK, END],
                "expected /t/release/probe to be linked once, found 2 links",
            ),
            (
                &[fresh, END],
                "/t/release/probe existed before it was linked",
            ),
            (&[LINK], "expected the last message to be `build-finished`"),
            (&[], "expected the last message to be `build-finished`"),
            (
                &[LINK, failed],
                "expected the last message to be `build-finished`",
            ),
            (
                &[LINK, END, END],
                "expected the last message to be `build-finished`",
            ),
            (
                &[END, LINK, END],
                "expected the last message to be `build-finished`",
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
