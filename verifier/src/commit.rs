//! Names of git commits.

use std::collections::BTreeSet;
use std::fmt;

use console::hint::Hinted;

/// Maximum number of commits in an error message: users who may push can add any number.
const SHOWN: usize = 4;

/// The full name of a git commit. It cannot be an option or a revision of git.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Commit(String);

/// Text that is not a full commit name.
#[derive(Debug, thiserror::Error)]
#[error("parsing commit: expected 40 or 64 lower-case hexadecimal digits, found `{0}`")]
pub struct InvalidCommit(String);

impl Commit {
    /// The hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The commit that provenance names, if any does. If there are several, none is preferred.
    ///
    /// # Errors
    /// Provenance names several.
    pub fn only(named: &BTreeSet<Self>) -> Result<Option<Self>, Hinted> {
        if named.len() < 2 {
            return Ok(named.first().cloned());
        }
        let mut claims: Vec<&str> = named.iter().take(SHOWN).map(Self::as_str).collect();
        if named.len() > SHOWN {
            claims.push("and more");
        }
        let claims = claims.join(", ");
        let several = format_args!("choosing a commit: provenance names {claims}");
        Err(Hinted::new(several).hinting("choose one with --commit"))
    }
}

impl std::str::FromStr for Commit {
    type Err = InvalidCommit;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        match digits && matches!(text.len(), 40 | 64) {
            true => Ok(Self(text.to_owned())),
            false => Err(InvalidCommit(text.escape_debug().to_string())),
        }
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_full_commit_names_reach_git() {
        for bad in [
            "",
            "HEAD",
            "--upload-pack=x",
            &"g".repeat(40),
            &"a".repeat(41),
            &"A".repeat(40),
        ] {
            let InvalidCommit(found) = bad.parse::<Commit>().unwrap_err();
            assert_eq!(found, bad);
        }
        assert!(
            "0123456789abcdef0123456789abcdef01234567"
                .parse::<Commit>()
                .is_ok()
        );
    }

    #[test]
    fn several_commits_are_an_error() {
        let commit = |digit: &str| digit.repeat(40).parse::<Commit>().unwrap();
        let mut named = BTreeSet::new();
        assert!(matches!(Commit::only(&named), Ok(None)));
        named.insert(commit("a"));
        assert!(matches!(Commit::only(&named), Ok(Some(only)) if only == commit("a")));
        named.insert(commit("b"));
        let error = Commit::only(&named).unwrap_err().to_string();
        assert!(
            error.ends_with(&format!("{}, {}", commit("a"), commit("b"))),
            "{error}"
        );
    }
}
