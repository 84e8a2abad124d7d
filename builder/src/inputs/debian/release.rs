//! The release file of an archive (Debian repository format, `Release`). A key signs the release files of many suites,
//! for years, so suite and time are also checked.

use content::Digest;

use super::error::ChainError;
use crate::lock::time::Time;

/// The signed text.
#[derive(Debug)]
pub struct Release(String);

/// A file that a release file names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Listed {
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// Size in bytes.
    pub size: u64,
}

impl Release {
    /// A release file with this text. The caller has verified its signature.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Checks that this is the release file of `suite`, by name or code name, and was valid at `time`.
    ///
    /// Debian's `main` has no end of validity, so an old release file of the suite passes. The lock names the versions
    /// of its packages, and can be reviewed.
    ///
    /// # Errors
    /// It is the release file of another suite, or it had expired.
    pub fn check(&self, suite: &str, time: Time) -> Result<(), ChainError> {
        let names = ["Codename", "Suite"].map(|field| self.field(field));
        if !names.contains(&Some(suite)) {
            let found = names[0].or(names[1]).unwrap_or("none");
            return Err(ChainError::broken(format_args!(
                "checking InRelease: expected suite {suite}, found {found}"
            )));
        }
        let Some(until) = self.field("Valid-Until") else {
            return Ok(());
        };
        match Time::from_release(until) {
            Some(end) if time <= end => Ok(()),
            _ => Err(ChainError::broken(format_args!(
                "checking InRelease: it expired at {until}, before it was locked at {time}"
            ))),
        }
    }

    /// The entry of a file.
    ///
    /// # Errors
    /// The release file has no such entry.
    pub fn file(&self, file: &str) -> Result<Listed, ChainError> {
        self.find(file).ok_or_else(|| {
            ChainError::broken(format_args!("reading InRelease: it does not name {file}"))
        })
    }

    fn find(&self, file: &str) -> Option<Listed> {
        let lines = self.0.lines().skip_while(|line| *line != "SHA256:").skip(1);
        let lines = lines.take_while(|line| line.starts_with(' '));
        lines
            .map(|line| line.split_whitespace().collect::<Vec<_>>())
            .find_map(|words| match words[..] {
                [sha256, size, name] if name == file => Some((sha256, size)),
                _ => None,
            })
            .and_then(|(sha256, size)| {
                let sha256 = Digest::from_hex(sha256).ok()?;
                let size = size.parse().ok()?;
                Some(Listed { sha256, size })
            })
    }

    /// Whether files can be fetched by their digest (Debian repository format, `Acquire-By-Hash`). Otherwise an update of
    /// the archive between two requests looks like tampering.
    pub fn is_by_hash(&self) -> bool {
        self.field("Acquire-By-Hash") == Some("yes")
    }

    fn field(&self, name: &str) -> Option<&str> {
        let mut lines = self.0.lines();
        lines.find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suite_and_validity_are_checked() {
        let end = "Valid-Until: Mon, 30 Nov 2026 11:22:37 UTC\n";
        let release = Release::new(format!(
            "Origin: O\nSuite: oldstable\nCodename: bookworm\n{end}"
        ));
        let at = |seconds| Time::from_unix(seconds).unwrap();
        let (before, after) = (at(1_796_037_757), at(1_796_037_758));
        for suite in ["bookworm", "oldstable"] {
            release.check(suite, before).unwrap();
        }
        for suite in ["bullseye", "bookworm-security", ""] {
            let refused = release.check(suite, before).unwrap_err();
            assert_eq!(
                refused.to_string(),
                format!("checking InRelease: expected suite {suite}, found bookworm")
            );
        }
        let late = release.check("bookworm", after).unwrap_err();
        assert_eq!(
            late.to_string(),
            "checking InRelease: it expired at Mon, 30 Nov 2026 11:22:37 UTC, before it was locked at \
             2026-11-30T11:22:38Z"
        );
        let unreadable = Release::new("Suite: s\nValid-Until: tomorrow\n".to_owned());
        let refused = unreadable.check("s", before).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "checking InRelease: it expired at tomorrow, before it was locked at 2026-11-30T11:22:37Z"
        );
        Release::new("Suite: s\n".to_owned())
            .check("s", after)
            .unwrap();
    }

    #[test]
    fn finds_a_file_in_the_right_section() {
        let (wrong, right) = (Digest::of(b"wrong").hex(), Digest::of(b"right"));
        let release = Release::new(format!(
            "Suite: s\nMD5Sum:\n {wrong} 7 main/Packages.xz\nSHA256:\n {wrong} 7 contrib/main/Packages.xz\n {} 7 main/Packages.xz\nX: y\n",
            right.hex()
        ));
        let listed = release.file("main/Packages.xz").unwrap();
        assert_eq!((listed.sha256, listed.size), (right, 7));
        let Err(other) = release.file("main/Other.xz") else {
            panic!("it is not named");
        };
        assert_eq!(
            other.to_string(),
            "reading InRelease: it does not name main/Other.xz"
        );
    }

    #[test]
    fn says_whether_files_are_found_by_digest() {
        for (text, expected) in [("yes", true), ("no", false), ("", false)] {
            let release = Release::new(format!("Suite: s\nAcquire-By-Hash: {text}\n"));
            assert_eq!(release.is_by_hash(), expected, "{text}");
        }
    }
}
