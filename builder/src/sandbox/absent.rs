//! Why a program was not found: the system says no more than that something does not exist.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use isolate::process::Process;

/// Maximum length of the path of an interpreter, in bytes.
const PATH: usize = 4096;

/// What does not exist; `None` if everything does. Paths are resolved as the program would see them.
pub(super) fn explain(process: &Process) -> Option<String> {
    if !process.directory.is_dir() {
        let directory = process.directory.display();
        return Some(format!("the working directory {directory} does not exist"));
    }
    let program = found(process)?;
    let Ok(file) = File::open(&program) else {
        return Some("it does not exist in the build root".to_owned());
    };
    let interpreter = interpreter(&file).ok().flatten()?;
    (!interpreter.exists()).then(|| {
        let interpreter = interpreter.display();
        format!("its interpreter {interpreter} does not exist in the build root")
    })
}

/// The path of the program. A name without a slash is looked for in `PATH`.
fn found(process: &Process) -> Option<PathBuf> {
    let name = Path::new(process.name());
    if name.components().count() != 1 || name.is_absolute() {
        return Some(name.to_owned());
    }
    let folders = process.environment.get("PATH").map_or("", String::as_str);
    let mut paths = folders
        .split(':')
        .map(|folder| Path::new(folder).join(name));
    let first = paths.next();
    let found = first
        .iter()
        .cloned()
        .chain(paths)
        .find(|path| path.exists());
    found.or(first)
}

/// The program that runs a script or loads a program (execve(2)).
fn interpreter(file: &File) -> io::Result<Option<PathBuf>> {
    let mut head = [0; 2];
    let read = file.read_at(&mut head, 0)?;
    match &head[..read] {
        b"#!" => script(file).map(Some),
        _ => Ok(elf::interpreter(file).map(PathBuf::from)),
    }
}

fn script(file: &File) -> io::Result<PathBuf> {
    let mut line = vec![0; PATH];
    let read = file.read_at(&mut line, 2)?;
    let text = String::from_utf8_lossy(&line[..read]).into_owned();
    let words = text.lines().next().unwrap_or_default().split_whitespace();
    Ok(words.take(1).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use super::*;

    fn process(program: &str, directory: &str) -> Process {
        Process {
            command: vec![program.to_owned()],
            environment: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
            directory: directory.into(),
        }
    }

    #[test]
    fn says_what_does_not_exist() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        fs::write(at("script"), "#!/no/such/shell -e\n").unwrap();
        let own = fs::read(std::env::current_exe().unwrap()).unwrap();
        fs::write(at("program"), &own).unwrap();
        let interpreter = interpreter(&File::open(at("program")).unwrap());
        let interpreter = interpreter.unwrap().unwrap();
        assert!(interpreter.is_absolute(), "{interpreter:?}");
        let path = interpreter.display().to_string();
        let place = own
            .windows(path.len())
            .position(|bytes| bytes == path.as_bytes());
        let mut other = own;
        other[place.unwrap() + 1] = b'_';
        fs::write(at("other"), other).unwrap();
        for (program, directory, expected) in [
            (
                at("script"),
                "/",
                Some("its interpreter /no/such/shell does not exist in the build root".to_owned()),
            ),
            (at("program"), "/", None),
            (
                at("other"),
                "/",
                Some(format!(
                    "its interpreter /_{} does not exist in the build root",
                    &path[2..]
                )),
            ),
            (
                at("none"),
                "/",
                Some("it does not exist in the build root".to_owned()),
            ),
            (
                "no-such-command".to_owned(),
                "/",
                Some("it does not exist in the build root".to_owned()),
            ),
            ("sh".to_owned(), "/", None),
            (
                "sh".to_owned(),
                "/no/where",
                Some("the working directory /no/where does not exist".to_owned()),
            ),
        ] {
            assert_eq!(
                explain(&process(&program, directory)),
                expected,
                "{program}"
            );
        }
    }
}
