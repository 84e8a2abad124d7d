//! `[evidence]`: other repositories than the image's that may have signatures and statements about it, such as those of parties who
//! may not write to the image's.

use oci::Repository;
use serde::Deserialize;

use super::InvalidPolicy;

/// The largest number of repositories: each is asked at each verification.
const MOST: usize = 16;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    repositories: Vec<String>,
}

impl Entry {
    /// The repositories, each once, and not the image's own.
    pub(super) fn resolve(&self, own: &Repository) -> Result<Vec<Repository>, InvalidPolicy> {
        let wrong = |fault: String| InvalidPolicy(format!("evidence.repositories: {fault}"));
        if self.repositories.is_empty() || self.repositories.len() > MOST {
            let found = self.repositories.len();
            return Err(wrong(format!(
                "expected 1 to {MOST} repositories, found {found}"
            )));
        }
        let mut known: Vec<Repository> = Vec::new();
        for name in &self.repositories {
            let repository: Repository = name
                .parse()
                .map_err(|error| wrong(format!("`{}`: {error}", name.escape_debug())))?;
            if repository == *own {
                return Err(wrong(format!(
                    "`{name}` is the image's own, which is always read"
                )));
            }
            if known.contains(&repository) {
                return Err(wrong(format!("it names `{name}` twice")));
            }
            known.push(repository);
        }
        Ok(known)
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::tests::{REPOSITORY, parse, text};
    use signature::PrivateKey;

    #[test]
    fn repositories_are_other_ones_and_each_is_named_once() {
        let key = PrivateKey::generate().unwrap();
        let policy = text(&[("builder", &key)]);
        let read = |names: &[&str]| {
            let parsed = parse(&format!("{policy}\n[evidence]\nrepositories = {names:?}\n"));
            parsed.map(|policy| policy.evidence().len())
        };
        assert_eq!(parse(&policy).unwrap().evidence(), []);
        assert_eq!(read(&["one.example/a", "one.example/b"]).unwrap(), 2);
        for (names, fault) in [
            (&[][..], "expected 1 to 16 repositories, found 0"),
            (&["one.example/a"; 17], "found 17"),
            (&["one.example/a"; 2], "twice"),
            (&[REPOSITORY], "the image's own"),
            (&["one.example/a:v1"], "`one.example/a:v1`"),
        ] {
            let error = read(names).unwrap_err().to_string();
            assert!(
                error.contains("evidence.repositories: ") && error.contains(fault),
                "{error}"
            );
        }
    }
}
