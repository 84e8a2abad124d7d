//! Why the entries of a program are invalid.

use content::json::JsonError;
use google::InvalidName;

use super::user::InvalidUser;

/// The largest number of secrets.
pub(super) const SECRETS: usize = 64;

/// Why a description of a program is invalid.
#[derive(Debug, thiserror::Error)]
pub enum InvalidProgram {
    /// It is not JSON of the expected form.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// The command is empty, or its arguments contain NUL.
    #[error("command: expected the absolute path of a program, and arguments without NUL")]
    Command,
    /// A path is not absolute.
    #[error("expected an absolute path in the image, found {0:?}")]
    Path(String),
    /// The user is root, or not a pair of numbers.
    #[error(transparent)]
    User(#[from] InvalidUser),
    /// The name of a resource is invalid.
    #[error(transparent)]
    Resource(#[from] InvalidName),
    /// The name of a secret is invalid.
    #[error("secret {0:?}: expected a name of letters, digits, and `-`, `_` or `.` inside")]
    Name(String),
    /// A name of a secret, or of the variable that it is in, is used twice.
    #[error("{0:?} occurs twice")]
    Twice(String),
    /// Not exactly one source.
    #[error("secret {0}: expected one of `ciphertext`, `secret` and `object`")]
    Sources(String),
    /// A secret in the image that is not encrypted.
    #[error("secret {0}: a ciphertext in the image is always one of Cloud KMS")]
    Uncovered(String),
    /// No generation, or a name that no generation can follow.
    #[error(
        "secret {0}: expected the generation of the object, a positive number, and a name without `#`"
    )]
    Object(String),
    /// Not the name of an environment variable, or a reserved one.
    #[error(
        "secret {0}: expected a variable of letters, digits and `_` that does not begin with COUNTERSIGN_"
    )]
    Variable(String),
    /// Too many secrets.
    #[error("expected at most {SECRETS} secrets, found {0}")]
    TooMany(usize),
}
