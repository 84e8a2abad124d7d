use super::accounts::Caller;

/// Who calls, and when.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Context {
    /// Who.
    pub caller: Caller,
    /// When, in Unix seconds.
    pub now: u64,
}
