//! Whether the machine and not the source is to blame for a build that failed. Cargo ends with one status
//! for both, so what compilers and linkers write has to tell. Text of a stranger can only make a refusal
//! look like scarcity, which is no verdict, and never the other way round.

/// What the system and the programs say when memory, disk, processes or files ran out.
const SCARCE: [&str; 9] = [
    "(os error 11)",
    "(os error 12)",
    "(os error 24)",
    "(os error 28)",
    "No space left on device",
    "Cannot allocate memory",
    "memory allocation of ",
    "terminated with signal ",
    "Killed signal terminated program",
];

/// Whether a compiler, or who called it, says that something ran out, or that a signal ended it.
pub(super) fn is_scarcity(line: &str) -> bool {
    is_signal(line) || SCARCE.iter().any(|words| line.contains(words))
}

/// `signal: 9, SIGKILL: kill`, as cargo and rustc say it.
fn is_signal(line: &str) -> bool {
    let numbered = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    line.split("signal: ").skip(1).any(numbered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_told_from_the_source() {
        for line in [
            "  process didn't exit successfully: `rustc` (signal: 9, SIGKILL: kill)",
            "  = note: collect2: fatal error: ld terminated with signal 9 [Killed]",
            "error: linking with `cc` failed: signal: 6 (SIGABRT) (core dumped)",
            "error: failed to write x.rmeta: No space left on device (os error 28)",
            "memory allocation of 4096 bytes failed",
        ] {
            assert!(is_scarcity(line), "{line}");
        }
        for line in [
            "error[E0425]: cannot find value `nonsense` in this scope",
            "3 | fn stop(signal: i32) { nonsense }",
            "error: could not compile `probe` (bin \"probe\") due to 1 previous error",
            "  process didn't exit successfully: `build-script-build` (exit status: 101)",
        ] {
            assert!(!is_scarcity(line), "{line}");
        }
    }
}
