use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;

use content::{limits, read_limited};

/// The user and group that a process runs as.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct User {
    /// The user ID.
    pub uid: u32,
    /// The group ID.
    pub gid: u32,
}

/// Why the user or group of an image cannot be found.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UserError(String);

const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";

impl User {
    /// Resolves `user`, `uid`, `user:group` or a combination (OCI image specification, config.md) with the
    /// names in `/etc` below `root`. An empty text means root; a user without a group has the group in
    /// `/etc/passwd`, or that of root.
    ///
    /// # Errors
    /// A name is unknown, or a file cannot be read.
    pub fn find(text: &str, root: &Path) -> Result<Self, UserError> {
        let (user, group) = match text.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (text, None),
        };
        let user = if user.is_empty() { "0" } else { user };
        let entry = entry(root, PASSWD, user)?;
        let number = |at: usize| entry.as_ref().and_then(|e| e.get(at)?.parse().ok());
        let uid = user.parse().ok().or_else(|| number(2));
        let gid = match group {
            Some(group) => Self::group(group, root)?,
            None => number(3).unwrap_or(0),
        };
        let unknown = || unknown(user, PASSWD);
        Ok(Self {
            uid: uid.ok_or_else(unknown)?,
            gid,
        })
    }

    fn group(name: &str, root: &Path) -> Result<u32, UserError> {
        if let Ok(gid) = name.parse() {
            return Ok(gid);
        }
        let entry = entry(root, GROUP, name)?;
        let gid = entry.and_then(|e| e.get(2)?.parse().ok());
        gid.ok_or_else(|| unknown(name, GROUP))
    }
}

fn unknown(name: &str, file: &str) -> UserError {
    let name: String = name.chars().take(80).collect();
    UserError(format!("finding {name:?} in {file}: no such entry"))
}

/// The fields of the line with a name or number; `None` if the line or the file does not exist.
fn entry(root: &Path, file: &str, key: &str) -> Result<Option<Vec<String>>, UserError> {
    let path = root.join(file.trim_start_matches('/'));
    let failed = |error: &dyn fmt::Display| UserError(format!("reading {file}: {error}"));
    let opened = match File::open(path) {
        Ok(opened) => opened,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(failed(&e)),
    };
    let bytes = read_limited(opened, limits::DOCUMENT).map_err(|e| failed(&e))?;
    let text = String::from_utf8_lossy(&bytes);
    let lines = text
        .lines()
        .map(|line| line.split(':').map(str::to_owned).collect::<Vec<_>>());
    let is_it = |parts: &Vec<String>| {
        [0, 2]
            .iter()
            .any(|at| parts.get(*at).is_some_and(|p| p == key))
    };
    Ok(lines.into_iter().find(is_it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_and_names() {
        let root = tempfile::tempdir().unwrap();
        let find = |text: &str| User::find(text, root.path());
        assert_eq!(find("").unwrap(), User { uid: 0, gid: 0 });
        assert_eq!(
            find("65532:65532").unwrap(),
            User {
                uid: 65532,
                gid: 65532
            }
        );
        assert_eq!(find("7").unwrap(), User { uid: 7, gid: 0 });
        assert_eq!(
            find("nobody").unwrap_err().to_string(),
            "finding \"nobody\" in /etc/passwd: no such entry"
        );
        std::fs::create_dir(root.path().join("etc")).unwrap();
        std::fs::write(
            root.path().join("etc/passwd"),
            "root:x:0:0::/:\nw:x:12:34::/:\n",
        )
        .unwrap();
        std::fs::write(root.path().join("etc/group"), "g:x:56:\n").unwrap();
        assert_eq!(find("w").unwrap(), User { uid: 12, gid: 34 });
        assert_eq!(find("12").unwrap(), User { uid: 12, gid: 34 });
        assert_eq!(find("w:g").unwrap(), User { uid: 12, gid: 56 });
        assert_eq!(
            find("w:h").unwrap_err().to_string(),
            "finding \"h\" in /etc/group: no such entry"
        );
    }
}
