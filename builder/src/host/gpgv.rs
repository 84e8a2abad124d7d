//! gpgv.

use std::path::Path;
use std::process::Command;

use super::error::HostError;
use super::run::{answer_until, complaint};

/// The output of gpgv for a signed message.
#[derive(Debug)]
pub struct Checked {
    /// Its status lines (GnuPG, `doc/DETAILS`).
    pub status: String,
    /// Its standard error.
    pub said: String,
}

/// Runs gpgv to verify the signatures on `signed` with the keys in `keyring`, and to write the signed text to `text`. `home`
/// is a folder without keys. The exit status of gpgv is ignored: it is 0 only if all signatures are good, and a signature by
/// a key that is not in the keyring is not good.
///
/// # Errors
/// gpgv is missing, or a signal ended it.
pub fn gpgv(keyring: &Path, signed: &Path, text: &Path, home: &Path) -> Result<Checked, HostError> {
    let mut command = Command::new("gpgv");
    command.arg("--homedir").arg(home);
    command.arg("--keyring").arg(keyring);
    command.args(["--status-fd", "1", "--output"]).arg(text);
    command.arg(signed).env("LC_ALL", "C");
    let (program, action) = ("gpgv", "on InRelease");
    let (answer, output) = answer_until(None, program, action, &mut command, &|_| {})?;
    let said = complaint(&output);
    match output.status.code() {
        Some(_) => Ok(Checked {
            status: String::from_utf8_lossy(&answer).into_owned(),
            said,
        }),
        None => Err(HostError::Failed {
            program,
            action,
            said: format!("{}: {said}", output.status),
        }),
    }
}
