//! What could not be read.

/// Why something could not be read. That is never the same as that there is nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unread {
    /// What happened.
    pub fault: String,
    /// What the user can do.
    pub hint: &'static str,
}
