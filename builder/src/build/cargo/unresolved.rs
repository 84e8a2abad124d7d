//! Whether cargo could not find its way between the manifests of a workspace, before any compiler
//! ran. What is staged of a workspace is our doing. Text of a stranger can only make a refusal look like
//! this, which is no verdict, and never the other way round.

/// What cargo says of a workspace whose manifests do not fit together, or are not there.
const UNRESOLVED: [&str; 4] = [
    "failed to find a workspace root",
    "failed to load manifest for workspace member",
    "believes it's in a workspace when it's not",
    "error inheriting `",
];

/// Whether cargo says that a workspace cannot be found or read.
pub(super) fn is_unresolved(line: &str) -> bool {
    UNRESOLVED.iter().any(|words| line.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_is_told_from_the_source() {
        for line in [
            "  failed to find a workspace root",
            "  error inheriting `edition` from workspace root manifest's `workspace.package.edition`",
            "error: failed to load manifest for workspace member `/build/src/b`",
            "error: current package believes it's in a workspace when it's not:",
        ] {
            assert!(is_unresolved(line), "{line}");
        }
        assert!(!is_unresolved("error: could not compile `workspace`"));
    }
}
