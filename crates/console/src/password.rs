//! Asking for a password on the terminal.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write as _};

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use zeroize::Zeroizing;

/// The longest password, in bytes.
const LENGTH: usize = 1024;
/// Ctrl-C.
const INTERRUPT: u8 = 3;

/// The password of an encrypted key, in the variable of the environment that cosign reads, or typed on the terminal of
/// the process, which does not show it. `variable` reads a variable.
///
/// # Errors
/// The variable is not UTF-8; there is no terminal, it is closed, or the user interrupts.
pub fn of_key(
    variable: impl FnOnce(&'static str) -> Option<OsString>,
) -> io::Result<Zeroizing<String>> {
    given_or_asked(variable("COSIGN_PASSWORD"), "password for private key")
}

/// The PIN of a token of PKCS #11, as [`of_key`].
///
/// # Errors
/// As [`of_key`].
pub fn of_token(
    variable: impl FnOnce(&'static str) -> Option<OsString>,
) -> io::Result<Zeroizing<String>> {
    given_or_asked(variable("COSIGN_PKCS11_PIN"), "PIN")
}

fn given_or_asked(given: Option<OsString>, what: &str) -> io::Result<Zeroizing<String>> {
    match given.map(OsString::into_string) {
        Some(Ok(password)) => Ok(Zeroizing::new(password)),
        Some(Err(_)) => Err(io::Error::other("the password is not UTF-8")),
        None => ask(what),
    }
}

fn ask(what: &str) -> io::Result<Zeroizing<String>> {
    let mut terminal = File::options().read(true).write(true).open("/dev/tty")?;
    write!(terminal, "Enter {what}: ")?;
    let silence = Silence::of(&terminal)?;
    let typed = line(&terminal);
    drop(silence);
    writeln!(terminal)?;
    String::from_utf8(typed?.to_vec())
        .map(Zeroizing::new)
        .map_err(|_| io::Error::other("the password is not UTF-8"))
}

/// Reads a line without its line feed. The buffer never moves, which would leave a copy behind.
fn line(mut from: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(LENGTH));
    let mut byte = [0];
    loop {
        match (from.read(&mut byte)?, byte[0]) {
            (0, _) => return Err(io::ErrorKind::UnexpectedEof.into()),
            (_, b'\n') => return Ok(line),
            (_, INTERRUPT) => return Err(io::Error::other("interrupted")),
            (_, byte) if line.len() < LENGTH => line.push(byte),
            _ => return Err(io::Error::other("the password is too long")),
        }
    }
}

/// A terminal that shows nothing of what is typed, until this is dropped.
struct Silence<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Silence<'a> {
    fn of(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        // Ctrl-C ends the line in place of the process, which would leave the terminal silent.
        silent
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ISIG);
        silent.special_codes[SpecialCodeIndex::VEOL] = INTERRUPT;
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        // If this fails, the terminal is gone.
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_password() {
        assert_eq!(*line(&b"a b\nmore"[..]).unwrap(), b"a b");
        assert_eq!(*line(&b"\n"[..]).unwrap(), b"");
        let longest = [vec![b'a'; LENGTH], vec![b'\n']].concat();
        assert_eq!(line(&longest[..]).unwrap().len(), LENGTH);
        for (typed, reason) in [
            (&b"a"[..], "end of file"),
            (b"a\x03", "interrupted"),
            (&[b'a'; LENGTH + 1], "too long"),
        ] {
            let error = line(typed).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn a_variable_is_a_password_even_if_empty() {
        for given in ["", "pw"] {
            let of = |expected| {
                move |name| {
                    assert_eq!(name, expected);
                    Some(given.into())
                }
            };
            assert_eq!(*of_key(of("COSIGN_PASSWORD")).unwrap(), given);
            assert_eq!(*of_token(of("COSIGN_PKCS11_PIN")).unwrap(), given);
        }
    }
}
