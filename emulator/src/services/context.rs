use super::accounts::Caller;

/// The caller and the time of a call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Context {
    /// The caller.
    pub caller: Caller,
    /// The time of the call, in Unix seconds.
    pub now: u64,
}
