use std::fmt::Display;

/// A signature does not verify. The caller's cryptography reports no further cause.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

/// Input that cannot be parsed, or that fails a check.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{doing}: {fault}")]
pub struct Error {
    /// What was being done, as a participle and its object: `parsing token`.
    pub doing: &'static str,
    /// What is wrong with the input.
    pub fault: String,
}

impl Error {
    pub(crate) fn new(doing: &'static str, fault: impl Display) -> Self {
        let fault = fault.to_string();
        Self { doing, fault }
    }

    /// Turns the cause of a failure to an error.
    pub(crate) fn of<F: Display>(doing: &'static str) -> impl Fn(F) -> Self {
        move |fault| Self::new(doing, fault)
    }

    /// Input of `size` bytes, where `limit` are allowed.
    pub(crate) fn size(doing: &'static str, size: u64, limit: u64) -> Self {
        Self::new(doing, format!("{size} bytes are over the limit of {limit}"))
    }
}
