//! Tests that man pages and shell completions are current.

use std::collections::BTreeMap;
use std::path::Path;

use clap::Command;
use clap_complete::{Generator, Shell};
use clap_mangen::Man;

use crate::{golden, is_writing};

const SHELLS: [Shell; 3] = [Shell::Bash, Shell::Fish, Shell::Zsh];

/// File names and contents.
type Files = BTreeMap<String, Vec<u8>>;

/// Compares the man pages and shell completions in `docs` with those of `command`: `man/` has a
/// page for the program and one for each subcommand, `completions/` a script for each shell. Writes
/// them instead where [`golden`] writes.
///
/// # Panics
/// A file differs, cannot be read or written, or is the page of a subcommand that does not exist.
#[track_caller]
pub fn manual(docs: &Path, command: &Command) {
    let pages = pages(command);
    compare(&docs.join("man"), &pages);
    compare(&docs.join("completions"), &completions(command));
    drop_stale(&docs.join("man"), command.get_name(), &pages);
}

#[track_caller]
fn compare(folder: &Path, files: &Files) {
    for (name, content) in files {
        golden(&folder.join(name), content);
    }
}

fn pages(command: &Command) -> Files {
    let version = command.get_version().unwrap_or_default();
    let source = format!("{} {version}", command.get_name());
    let mut command = command.clone().disable_help_subcommand(true);
    command.build();
    let mut pages = Files::new();
    add_pages(&mut pages, &command, &source);
    pages
}

fn add_pages(pages: &mut Files, command: &Command, source: &str) {
    // An empty date is written as nothing, and the source is then taken for the date.
    let man = Man::new(command.clone()).date(" ").source(source);
    let mut page = Vec::new();
    let rendered = man.render(&mut page);
    assert!(rendered.is_ok(), "rendering {source}: {rendered:?}");
    pages.insert(man.get_filename(), page);
    for subcommand in command.get_subcommands().filter(|c| !c.is_hide_set()) {
        add_pages(pages, subcommand, source);
    }
}

fn completions(command: &Command) -> Files {
    let script = |shell: Shell| {
        let name = command.get_name();
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut without_hidden(command), name, &mut script);
        (shell.file_name(name), script)
    };
    SHELLS.into_iter().map(script).collect()
}

/// `command` without its hidden subcommands, which the scripts would offer.
fn without_hidden(command: &Command) -> Command {
    // Without the feature `string`, clap takes only names that live as long as the program.
    let leak = |text: &str| -> &'static str { text.to_owned().leak() };
    let subcommands = command.get_subcommands().filter(|c| !c.is_hide_set());
    let shown = Command::new(leak(command.get_name()))
        .about(command.get_about().cloned().unwrap_or_default())
        .args(command.get_arguments().cloned())
        .subcommands(subcommands.cloned());
    match command.get_version() {
        Some(version) => shown.version(leak(version)),
        None => shown,
    }
}

/// Removes the pages of subcommands that do not exist where [`golden`] writes, and fails for them
/// elsewhere.
#[track_caller]
fn drop_stale(folder: &Path, program: &str, pages: &Files) {
    let prefix = format!("{program}-");
    for name in names(folder) {
        if !name.starts_with(&prefix) || pages.contains_key(&name) {
            continue;
        }
        let path = folder.join(name);
        let shown = path.display();
        assert!(
            is_writing(),
            "{shown} is the page of no subcommand (`just golden` removes it)"
        );
        let removed = std::fs::remove_file(&path);
        assert!(removed.is_ok(), "removing {shown}: {removed:?}");
    }
}

#[track_caller]
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match entries {
        Ok(entries) => entries
            .iter()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect(),
        Err(error) => panic!("reading {}: {error}", folder.display()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    fn program() -> Command {
        let hidden = Command::new("inner").about("for itself").hide(true);
        let shown = Command::new("outer").about("for the user");
        Command::new("program")
            .version("1.2.3")
            .subcommands([hidden, shown])
    }

    fn text(files: &Files) -> String {
        let all: Vec<u8> = files.values().flatten().copied().collect();
        String::from_utf8_lossy(&all).into_owned()
    }

    #[test]
    fn every_shown_command_has_a_page() {
        let pages = pages(&program());
        let names: Vec<_> = pages.keys().collect();
        assert_eq!(names, ["program-outer.1", "program.1"]);
        assert!(text(&pages).contains("for the user"));
        assert!(!text(&pages).contains("inner"));
    }

    #[test]
    fn completions_offer_no_hidden_command() {
        let scripts = completions(&program());
        let names: Vec<_> = scripts.keys().collect();
        assert_eq!(names, ["_program", "program.bash", "program.fish"]);
        for script in scripts.values() {
            let script = String::from_utf8_lossy(script);
            assert!(script.contains("outer") && script.contains("version"));
            assert!(!script.contains("inner"));
        }
    }

    /// The files of `program` as they should be.
    fn docs() -> TempDir {
        let docs = TempDir::new().unwrap();
        let folders = [
            ("man", pages(&program())),
            ("completions", completions(&program())),
        ];
        for (folder, files) in folders {
            let folder = docs.path().join(folder);
            fs::create_dir(&folder).unwrap();
            for (name, content) in files {
                fs::write(folder.join(name), content).unwrap();
            }
        }
        docs
    }

    #[test]
    fn current_files_pass() {
        manual(docs().path(), &program());
    }

    #[test]
    #[should_panic(expected = "program-outer.1 differs")]
    fn a_page_that_is_missing_fails() {
        let docs = docs();
        fs::remove_file(docs.path().join("man/program-outer.1")).unwrap();
        manual(docs.path(), &program());
    }

    #[test]
    #[should_panic(expected = "program.fish differs")]
    fn a_script_of_other_options_fails() {
        let docs = docs();
        fs::write(docs.path().join("completions/program.fish"), "complete").unwrap();
        manual(docs.path(), &program());
    }

    #[test]
    #[should_panic(expected = "program-gone.1 is the page of no subcommand")]
    fn the_page_of_a_removed_subcommand_fails() {
        let docs = docs();
        fs::write(docs.path().join("man/program-gone.1"), "").unwrap();
        manual(docs.path(), &program());
    }
}
