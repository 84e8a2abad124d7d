//! Values that follow from the ID of a project.

use content::Digest;

/// The number of a project whose number is not configured; it depends on the ID only.
pub fn project_number(id: &str) -> u64 {
    number(&format!("project {id}"))
}

/// A number derived from a text, with twelve digits like Google's project numbers.
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
