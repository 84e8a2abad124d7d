//! What is known of a project by its ID alone.

use content::Digest;

/// The number of a project that nobody has given one: the same wherever it is asked for.
pub fn project_number(id: &str) -> u64 {
    number(&format!("project {id}"))
}

/// A number that stands for a text. It has twelve digits, as Google's numbers have.
pub fn number(text: &str) -> u64 {
    let digest = Digest::of(text.as_bytes());
    let (first, _) = digest.as_bytes().split_at(8);
    let number = first
        .iter()
        .fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    100_000_000_000 + number % 900_000_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_keeps_its_number() {
        assert_eq!(project_number("operator"), project_number("operator"));
        assert_ne!(project_number("operator"), project_number("operator2"));
        assert_eq!(project_number("operator").to_string().len(), 12);
    }
}
