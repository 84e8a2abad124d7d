//! Which packages of the build root are linked into programs. Linkers list what they read: in the sandbox a script is in their
//! place, which calls them with one more option. The option does not change what they make.

mod found;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use console::hint::Hinted;

use super::error::CompileError;
use crate::at::At;
use crate::inputs::Inputs;
use crate::inputs::archive::Mounted;
use crate::inputs::debian;
use crate::order::Order;
use crate::sandbox::{Bind, Plan, Traces};
use found::Kind;

/// Where the linkers are in the sandbox, and where they write.
const LINKERS: &str = "/build/linkers";
const TRACES: &str = "/build/traces";

/// Makes the linkers of the plan's build root and of archives list what they read. A root without a shell cannot run the script; then they
/// do not. `scratch` is a folder for temporary files.
///
/// # Errors
/// The root cannot be read, or the script cannot be written.
pub(super) fn trace(
    plan: &mut Plan,
    archives: &[Mounted],
    scratch: &Path,
    libraries: Option<PathBuf>,
) -> Result<(), At> {
    let found = found::find(&plan.root, archives)?;
    if found.is_empty() || !has_shell(&plan.root) {
        return Ok(());
    }
    let scripts = scratch.join("linkers");
    fs::create_dir_all(&scripts).map_err(At::writing(&scripts))?;
    for (index, linker) in found.into_iter().enumerate() {
        let script = scripts.join(index.to_string());
        write(&script, &text(&linker.kind, LINKERS, TRACES)).map_err(At::writing(&script))?;
        for (source, name) in linker.moved {
            plan.binds.push(Bind {
                source,
                target: Path::new(LINKERS).join(name),
            });
        }
        plan.binds.push(Bind {
            source: script,
            target: linker.place,
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

/// The script in the place of a linker. Its name is unique while another process may have the same number later. A linker writes one
/// dependency file, the last that is named (ld(1)): if the build names one, on the command line or in a file of options (`@FILE`, in which
/// a backslash quotes the next character), that is copied. Only the shell is sure to be in the root.
const SCRIPT: &str = r#"#!/bin/sh
UNLESS
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
[ -n "$own" ] || exec CALL --dependency-file="$trace.d" "$@"
CALL "$@" || exit
[ -f "$own" ] || exit 0
while IFS= read -r line || [ -n "$line" ]; do printf '%s\n' "$line"; done <"$own" >"$trace.d"
"#;

fn write(script: &Path, text: &str) -> io::Result<()> {
    fs::write(script, text)?;
    fs::set_permissions(script, fs::Permissions::from_mode(0o755))
}

/// The script for a linker, with the folders of linkers and of what they write.
fn text(linker: &Kind, linkers: &str, traces: &str) -> String {
    let (unless, call) = match linker {
        Kind::Gnu(name) => (String::new(), format!("{linkers}/{name}")),
        // With `-run` it starts another program. Otherwise a process of its own outlives the link (mold(1), `--no-fork`), which the sandbox
        // takes for one that was left behind.
        Kind::Mold => {
            let call = format!("{linkers}/mold");
            let unless = format!("case $1 in -run|--run) exec {call} \"$@\" ;; esac");
            (unless, format!("{call} --no-fork"))
        }
        // For other systems than Linux, which its name tells.
        Kind::Lld(release) => {
            let folder = format!("{linkers}/{release}");
            let unless = format!(
                "name=${{0##*/}}\ncase $name in ld.lld*) ;; *) exec {folder}/${{name%-[0-9]*}} \"$@\" ;; esac"
            );
            (unless, format!("{folder}/ld.lld"))
        }
        Kind::Rust(path) => {
            let path = path.display().to_string().replace('\'', "'\\''");
            (String::new(), format!("'{path}' -flavor gnu"))
        }
    };
    let text = SCRIPT.replace("UNLESS", &unless).replace("CALL", &call);
    text.replace("TRACES", traces)
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
            ("script", text(&Kind::Gnu("ld".to_owned()), linkers, traces)),
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
    fn a_linker_with_several_uses_is_called_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let traces = folder.path().join("traces");
        let llvm = folder.path().join("llvm-19");
        let bin = folder.path().join("bin");
        for folder in [&traces, &llvm, &bin] {
            fs::create_dir(folder).unwrap();
        }
        let words = "#!/bin/sh\nprintf '%s ' \"${0##*/}\" \"$@\"\n";
        let programs = ["mold", "llvm-19/ld.lld", "llvm-19/wasm-ld", "rust's lld"];
        for program in programs {
            write(&folder.path().join(program), words).unwrap();
        }
        let [linkers, written] = [folder.path(), &traces].map(|path| path.to_str().unwrap());
        let rust = folder.path().join("rust's lld");
        for (kind, name, words, expected) in [
            (
                Kind::Mold,
                "ld.mold",
                "-o a",
                "mold --no-fork --dependency-file=T -o a ",
            ),
            (Kind::Mold, "mold", "-run make", "mold -run make "),
            (
                Kind::Lld("llvm-19".to_owned()),
                "ld.lld-19",
                "-o a",
                "ld.lld --dependency-file=T -o a ",
            ),
            (
                Kind::Lld("llvm-19".to_owned()),
                "wasm-ld-19",
                "-o a",
                "wasm-ld -o a ",
            ),
            (
                Kind::Rust(rust),
                "ld.lld",
                "-o a",
                "rust's lld -flavor gnu --dependency-file=T -o a ",
            ),
        ] {
            let script = bin.join(name);
            write(&script, &text(&kind, linkers, written)).unwrap();
            let output = Command::new(script)
                .args(words.split(' '))
                .output()
                .unwrap();
            let said = String::from_utf8(output.stdout).unwrap();
            let said: Vec<_> = said
                .split(' ')
                .map(|word| match word.strip_prefix("--dependency-file=") {
                    Some(_) => "--dependency-file=T",
                    None => word,
                })
                .collect();
            assert_eq!(said.join(" "), expected, "{name}");
        }
    }

    #[test]
    fn a_root_may_have_no_shell() {
        let root = tempfile::tempdir().unwrap();
        assert!(!has_shell(root.path()));
        let folder = root.path().join("usr/bin");
        fs::create_dir_all(&folder).unwrap();
        symlink("/usr/bin/dash", folder.join("sh")).unwrap();
        assert!(has_shell(root.path()));
    }
}
