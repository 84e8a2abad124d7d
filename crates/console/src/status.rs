use std::process::ExitCode;

/// The exit status of a program.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Status {
    /// 0: success, or a verdict of pass.
    Yes,
    /// 1: a verdict of fail, or refused input.
    No,
    /// 2: an error. There is no verdict.
    Unknown,
    /// 128 and the number of the signal that ended the work.
    Signal(u8),
}

impl Status {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Yes => 0,
            Self::No => 1,
            Self::Unknown => 2,
            Self::Signal(number) => number.saturating_add(128),
        }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        status.code().into()
    }
}
