use std::fmt;
use std::str::FromStr;

/// The ID of a project: 6 to 30 lower-case letters, digits and hyphens, beginning with a letter and not
/// ending with a hyphen (Google, "Creating and managing projects"). Safe as the name of a folder.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ProjectId(String);

/// A text that is not a valid [`ProjectId`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "invalid project ID: expected 6 to 30 lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen"
)]
pub struct ProjectIdError;

impl ProjectId {
    /// The ID as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ProjectId {
    type Err = ProjectIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let is_right = (6..=30).contains(&text.len())
            && text.bytes().all(is_known)
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && !text.ends_with('-');
        is_right
            .then(|| Self(text.to_owned()))
            .ok_or(ProjectIdError)
    }
}

impl fmt::Display for ProjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_ids_in_the_form_of_google() {
        for id in ["builder", "collaborator-1", "p12345", &"a".repeat(30)] {
            assert!(id.parse::<ProjectId>().is_ok(), "{id}");
        }
        for bad in [
            "",
            "short",
            "../../esc",
            "/absolute",
            "1letter",
            "hyphen-",
            "Upper1",
            "under_score",
            "a\nb\nc\nd",
            &"a".repeat(31),
        ] {
            assert_eq!(bad.parse::<ProjectId>(), Err(ProjectIdError), "{bad}");
        }
    }
}
