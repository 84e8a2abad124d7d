//! Detects that a build failed because the machine ran out of a resource, and not because of the source. The compiler's exit
//! status is the same for both, so the messages of compilers and linkers decide. Messages that an attacker chooses can
//! turn a refusal of the source into this error, but never an error into a refusal.

/// The resource that ran out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scarcity {
    /// Memory.
    Memory,
    /// Space for files.
    Files,
    /// Processes and threads.
    Processes,
    /// Open files of one process.
    Descriptors,
    /// Unknown: a signal ended a program. The system does so if memory runs out.
    Signal,
}

/// Messages of the system and of programs.
const MESSAGES: [(&str, Scarcity); 14] = [
    ("(os error 11)", Scarcity::Processes),
    ("(os error 12)", Scarcity::Memory),
    ("(os error 24)", Scarcity::Descriptors),
    ("(os error 28)", Scarcity::Files),
    ("No space left on device", Scarcity::Files),
    ("Cannot allocate memory", Scarcity::Memory),
    ("memory allocation of ", Scarcity::Memory),
    ("terminated with signal ", Scarcity::Signal),
    ("Killed signal terminated program", Scarcity::Signal),
    // In the words of Go.
    ("no space left on device", Scarcity::Files),
    ("cannot allocate memory", Scarcity::Memory),
    ("too many open files", Scarcity::Descriptors),
    ("resource temporarily unavailable", Scarcity::Processes),
    ("signal: killed", Scarcity::Signal),
];

impl Scarcity {
    /// The resource that ran out, according to a line of a compiler or of the program that called it.
    pub(super) fn of(line: &str) -> Option<Self> {
        let mut messages = MESSAGES.iter();
        let found = messages.find(|(words, _)| line.contains(words));
        let found = found.map(|(_, scarcity)| *scarcity);
        found.or_else(|| is_signal(line).then_some(Self::Signal))
    }

    /// A hint for the user.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Memory => "memory ran out: try --jobs 1",
            Self::Files => "the space for files ran out: raise the limit with --limit-files",
            Self::Processes => {
                "processes or threads ran out: raise the limit with --limit-processes, or try --jobs 1"
            }
            Self::Descriptors => "open files ran out: raise the limit with `ulimit -n`",
            Self::Signal => "a signal ended a process: if memory ran out, try --jobs 1",
        }
    }
}

/// Whether cargo or rustc says `signal: 9, SIGKILL: kill`.
fn is_signal(line: &str) -> bool {
    let numbered = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    line.split("signal: ").skip(1).any(numbered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinguishes_the_machine_from_the_source() {
        for (line, scarcity) in [
            (
                "  process didn't exit successfully: `rustc` (signal: 9, SIGKILL: kill)",
                Scarcity::Signal,
            ),
            (
                "  = note: collect2: fatal error: ld terminated with signal 9 [Killed]",
                Scarcity::Signal,
            ),
            (
                "error: linking with `cc` failed: signal: 6 (SIGABRT) (core dumped)",
                Scarcity::Signal,
            ),
            (
                "error: failed to write x.rmeta: No space left on device (os error 28)",
                Scarcity::Files,
            ),
            (
                "error: could not spawn: Resource temporarily unavailable (os error 11)",
                Scarcity::Processes,
            ),
            (
                "error: could not open x.rlib: Too many open files (os error 24)",
                Scarcity::Descriptors,
            ),
            ("memory allocation of 4096 bytes failed", Scarcity::Memory),
        ] {
            assert_eq!(Scarcity::of(line), Some(scarcity), "{line}");
        }
        for line in [
            "error[E0425]: cannot find value `nonsense` in this scope",
            "3 | fn stop(signal: i32) { nonsense }",
            "error: could not compile `probe` (bin \"probe\") due to 1 previous error",
            "  process didn't exit successfully: `build-script-build` (exit status: 101)",
        ] {
            assert_eq!(Scarcity::of(line), None, "{line}");
        }
    }

    #[test]
    fn a_hint_names_what_ran_out() {
        assert!(Scarcity::Files.hint().contains("--limit-files"));
        assert!(Scarcity::Processes.hint().contains("--limit-processes"));
        assert!(Scarcity::Descriptors.hint().contains("ulimit"));
        assert!(Scarcity::Memory.hint().contains("--jobs 1"));
    }
}
