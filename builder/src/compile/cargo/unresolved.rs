//! Detects that cargo failed because of the manifests of crates or of their workspace, before any compiler ran. A file that
//! cargo needs may not have been staged, so this does not refuse the source. Messages that an attacker chooses can turn a
//! refusal into this error, but never an error into a refusal.

/// Cargo's messages if manifests are missing or contradict each other.
const UNRESOLVED: [&str; 6] = [
    "failed to load manifest for dependency",
    "failed to load source for dependency",
    "failed to find a workspace root",
    "failed to load manifest for workspace member",
    "believes it's in a workspace when it's not",
    "error inheriting `",
];

/// Whether cargo says that a manifest cannot be found or read.
pub(super) fn is_unresolved(line: &str) -> bool {
    UNRESOLVED.iter().any(|words| line.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinguishes_manifests_from_the_source() {
        for line in [
            "  failed to find a workspace root",
            "  error inheriting `edition` from workspace root manifest's `workspace.package.edition`",
            "error: failed to load manifest for workspace member `/build/src/b`",
            "error: failed to load manifest for dependency `b`",
            "  failed to load source for dependency `b`",
            "error: current package believes it's in a workspace when it's not:",
        ] {
            assert!(is_unresolved(line), "{line}");
        }
        assert!(!is_unresolved("error: could not compile `workspace`"));
    }
}
