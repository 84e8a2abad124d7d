//! Which packages of the build root are linked into programs. GNU ld and gold list what they read: in the sandbox a script is in their
//! place, which calls them with one more option. The option does not change what they make.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use console::hint::Hinted;

use super::error::CompileError;
use crate::at::At;
use crate::inputs::Inputs;
use crate::inputs::debian;
use crate::order::Order;
use crate::sandbox::{Bind, Plan, Traces};

/// Where the linkers are in the sandbox, and where they write.
const LINKERS: &str = "/build/linkers";
const TRACES: &str = "/build/traces";
/// Where linkers are in a build root.
const PROGRAMS: &str = "usr/bin";
/// The ends of their names.
const NAMES: [&str; 2] = ["-ld.bfd", "-ld.gold"];

/// Makes the linkers of the plan's build root list what they read. A root without a shell cannot run the script; then they do not.
/// `scratch` is a folder for temporary files.
///
/// # Errors
/// The root cannot be read, or the script cannot be written.
pub(super) fn trace(plan: &mut Plan, scratch: &Path, libraries: Option<PathBuf>) -> Result<(), At> {
    let found = find(&plan.root)?;
    if found.is_empty() || !has_shell(&plan.root) {
        return Ok(());
    }
    let scripts = scratch.join("linkers");
    fs::create_dir_all(&scripts).map_err(At::writing(&scripts))?;
    for name in found {
        let script = scripts.join(&name);
        write(&script, &name).map_err(At::writing(&script))?;
        let program = Path::new(PROGRAMS).join(&name);
        plan.binds.push(Bind {
            source: plan.root.join(&program),
            target: Path::new(LINKERS).join(&name),
        });
        plan.binds.push(Bind {
            source: script,
            target: Path::new("/").join(program),
        });
    }
    plan.writable.push(TRACES.into());
    plan.traces = Some(Traces {
        folder: TRACES.into(),
        libraries,
    });
    Ok(())
}

fn has_shell(root: &Path) -> bool {
    let places = ["bin/sh", "usr/bin/sh"].map(|path| root.join(path));
    places.iter().any(|path| fs::symlink_metadata(path).is_ok())
}

/// The names of the linkers in a build root.
fn find(root: &Path) -> Result<Vec<String>, At> {
    let folder = root.join(PROGRAMS);
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(At::reading(&folder))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(At::reading(&folder))?;
        let is_file = entry.file_type().map_err(At::reading(&folder))?.is_file();
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_file && NAMES.iter().any(|end| name.ends_with(end)) {
            found.push(name);
        }
    }
    found.sort();
    Ok(found)
}

/// The script in the place of a linker. Its name is unique while another process may have the same number later. A linker writes one
/// dependency file, the last that is named (ld(1)): if the build names one, on the command line or in a file of options (`@FILE`, in which
/// a backslash quotes the next character), that is copied. Only the shell is sure to be in the root.
const SCRIPT: &str = r#"#!/bin/sh
trace=TRACES/$$
while [ -e "$trace.cwd" ]; do trace=$trace+; done
printf '%s\n' "$PWD" >"$trace.cwd"
own= next=
look() {
  [ -n "$next" ] && own=$1 next= && return
  case $1 in
    --dependency-file=*|-dependency-file=*) own=${1#*=} ;;
    --dependency-file|-dependency-file) next=file ;;
  esac
}
for word; do
  case $word in
    @*) [ -f "${word#@}" ] && while IFS= read line || [ -n "$line" ]; do look "$line"; done <"${word#@}" ;;
    *) look "$word" ;;
  esac
done
[ -n "$own" ] || exec LINKERS/NAME --dependency-file="$trace.d" "$@"
LINKERS/NAME "$@" || exit
[ -f "$own" ] || exit 0
while IFS= read -r line || [ -n "$line" ]; do printf '%s\n' "$line"; done <"$own" >"$trace.d"
"#;

fn write(script: &Path, linker: &str) -> io::Result<()> {
    fs::write(script, text(linker, LINKERS, TRACES))?;
    fs::set_permissions(script, fs::Permissions::from_mode(0o755))
}

fn text(linker: &str, linkers: &str, traces: &str) -> String {
    let text = SCRIPT.replace("TRACES", traces);
    text.replace("LINKERS", linkers).replace("NAME", linker)
}

/// The names of the packages that have these files of the sandbox. Files of the archives of `Image.toml` are reported: the bill of
/// materials lists packages only.
///
/// # Errors
/// A package cannot be read from the store, or the work was interrupted.
pub(super) fn packages(
    files: &BTreeSet<PathBuf>,
    order: &Order<'_>,
    inputs: &Inputs,
) -> Result<BTreeMap<PathBuf, String>, CompileError> {
    let owners = debian::owners(files, &inputs.lock.packages, &order.supply);
    let owners =
        owners.map_err(|error| Hinted::doing("finding the packages that are linked", error))?;
    let unowned: Vec<_> = files
        .iter()
        .filter(|file| !owners.contains_key(*file))
        .collect();
    if let Some(first) = unowned.first() {
        let (count, first) = (unowned.len(), first.display());
        order.supply.note(&format!(
            "note: the bill of materials does not list files that are linked and belong to no package: {count}, such as {first}"
        ));
    }
    Ok(owners)
}

/// The owners of these files.
pub(super) fn owned(
    files: &BTreeSet<PathBuf>,
    owners: &BTreeMap<PathBuf, String>,
) -> BTreeSet<String> {
    let owned = files.iter().filter_map(|file| owners.get(file));
    owned.cloned().collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use super::*;

    /// Links as `ld` does: of several dependency files it writes the last.
    const LINKER: &str = r#"#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in
    --dependency-file=*) file=${1#*=} ;;
    --dependency-file) shift; file=$1 ;;
    fail) exit 7 ;;
  esac
  shift
done
[ -z "$file" ] || printf 'app: \\\n  a b.o \\\n  c.o' >"$file"
"#;

    #[test]
    fn what_is_read_is_listed_also_if_the_build_lists_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let traces = at("traces");
        fs::create_dir(&traces).unwrap();
        let [linkers, traces] = [folder.path(), &traces].map(|path| path.to_str().unwrap());
        for (name, text) in [
            ("ld", LINKER.to_owned()),
            ("script", text("ld", linkers, traces)),
            ("options", "-x\n--dependency-file=of\\ file.d".to_owned()),
        ] {
            fs::write(at(name), text).unwrap();
            fs::set_permissions(at(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        let link = |words: &[&str]| {
            let mut command = Command::new(at("script"));
            let code = command.args(words).current_dir(folder.path()).status();
            let code = code.unwrap().code();
            let mut written = Vec::new();
            for entry in fs::read_dir(at("traces")).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|end| end == "d") {
                    written.push(fs::read_to_string(&path).unwrap());
                }
                fs::remove_file(path).unwrap();
            }
            (code, written.concat())
        };
        let listed = "app: \\\n  a b.o \\\n  c.o";
        assert_eq!(link(&["a b.o"]), (Some(0), listed.to_owned()));
        for (words, own) in [
            (&["--dependency-file=o n.d", "x"][..], "o n.d"),
            (&["--dependency-file", "other.d", "FILE.o"], "other.d"),
            (
                &["--dependency-file=first.d", "--dependency-file=last.d"],
                "last.d",
            ),
            (&["@options"], "of file.d"),
        ] {
            let read = format!("{listed}\n");
            if words == ["@options"] {
                fs::write(at(own), listed).unwrap();
            }
            assert_eq!(link(words), (Some(0), read), "{words:?}");
            assert_eq!(fs::read_to_string(at(own)).unwrap(), listed);
        }
        assert_eq!(link(&["fail"]), (Some(7), String::new()));
        let failed = link(&["--dependency-file=x.d", "fail"]);
        assert_eq!(failed, (Some(7), String::new()));
    }

    #[test]
    fn linkers_are_found_by_their_names() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(find(root.path()).unwrap(), [""; 0]);
        let folder = root.path().join(PROGRAMS);
        fs::create_dir_all(&folder).unwrap();
        for name in ["x86_64-linux-gnu-ld.gold", "x86_64-linux-gnu-ld.bfd", "ldd"] {
            fs::write(folder.join(name), "").unwrap();
        }
        symlink("x86_64-linux-gnu-ld.bfd", folder.join("other-ld.bfd")).unwrap();
        let expected = ["x86_64-linux-gnu-ld.bfd", "x86_64-linux-gnu-ld.gold"];
        assert_eq!(find(root.path()).unwrap(), expected);
        assert!(!has_shell(root.path()));
        symlink("/usr/bin/dash", folder.join("sh")).unwrap();
        assert!(has_shell(root.path()));
    }
}
