//! `[evidence]` of a release policy or a grant: other repositories than the image's that may have signatures and statements about it, such as
//! those of parties who may not write to the image's.

use serde::Deserialize;

use crate::Repository;

/// The largest number of repositories: each is asked at each verification.
const MOST: usize = 16;

/// Repositories, each named once.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Entry")]
pub struct Evidence(Vec<Repository>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    repositories: Vec<String>,
}

/// A list of repositories that cannot be used, and why.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("evidence.repositories: {0}")]
pub struct InvalidEvidence(String);

impl Evidence {
    /// The repositories.
    pub fn repositories(&self) -> &[Repository] {
        &self.0
    }

    /// Checks that the repository of the image is not among them.
    ///
    /// # Errors
    /// It is: it is always read.
    pub fn beside(self, own: &Repository) -> Result<Self, InvalidEvidence> {
        match self.0.contains(own) {
            true => Err(InvalidEvidence(format!(
                "`{own}` is the image's own, which is always read"
            ))),
            false => Ok(self),
        }
    }
}

impl TryFrom<Entry> for Evidence {
    type Error = InvalidEvidence;

    fn try_from(entry: Entry) -> Result<Self, Self::Error> {
        let names = entry.repositories;
        if names.is_empty() || names.len() > MOST {
            let found = names.len();
            return Err(InvalidEvidence(format!(
                "expected 1 to {MOST} repositories, found {found}"
            )));
        }
        let mut known: Vec<Repository> = Vec::new();
        for name in &names {
            let repository: Repository = name
                .parse()
                .map_err(|error| InvalidEvidence(format!("`{}`: {error}", name.escape_debug())))?;
            if known.contains(&repository) {
                return Err(InvalidEvidence(format!("it names `{name}` twice")));
            }
            known.push(repository);
        }
        Ok(Self(known))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn repositories_are_named_once_and_are_not_the_images_own() {
        let read = |names: &[&str]| {
            let parsed = serde_json::from_value::<Evidence>(json!({"repositories": names}));
            parsed.map_err(|error| error.to_string())
        };
        let found = read(&["one.example/a", "one.example/b"]).unwrap();
        assert_eq!(found.repositories().len(), 2);
        let own = |name: &str| found.clone().beside(&name.parse().unwrap());
        assert_eq!(own("one.example/c"), Ok(found.clone()));
        let error = own("one.example/b").unwrap_err().to_string();
        assert!(error.contains("the image's own"), "{error}");
        for (names, fault) in [
            (&[][..], "expected 1 to 16 repositories, found 0"),
            (&["one.example/a"; 17], "found 17"),
            (&["one.example/a"; 2], "twice"),
            (&["one.example/a:v1"], "`one.example/a:v1`"),
        ] {
            let error = read(names).unwrap_err();
            let start = "evidence.repositories: ";
            assert!(error.starts_with(start) && error.contains(fault), "{error}");
        }
        for other in [
            json!({}),
            json!({"repository": []}),
            json!({"repositories": "one.example/a"}),
        ] {
            assert!(serde_json::from_value::<Evidence>(other).is_err());
        }
    }
}
