//! The protocol of Docker's credential helpers: the server's name on stdin, JSON on stdout.

use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};

use content::limits;
use serde::de::MapAccess;

use crate::folded::{self, Fields, Read as Member};
use crate::login::{CredentialFault, Credentials, basic, given};

/// The user name that marks a helper's secret as a refresh token.
const REFRESH_TOKEN: &str = "<token>";
/// A helper's output when it has no credentials for a server (docker-credential-helpers,
/// `credentials/error.go`).
const NOT_FOUND: &[u8] = b"credentials not found in native keychain";

#[derive(Default)]
struct Answer {
    username: String,
    secret: String,
}

impl Fields for Answer {
    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        members: &mut A,
    ) -> Result<Member, A::Error> {
        match name {
            "username" => folded::text(&mut self.username, members),
            "secret" => folded::text(&mut self.secret, members),
            _ => Ok(Member::No),
        }
    }
}

/// A helper's exit status (`None` if a signal ended it) and standard output.
struct Output {
    status: Option<i32>,
    stdout: Vec<u8>,
}

/// The credentials that `helper` has for `server`, which are empty if it reports none.
///
/// # Errors
/// The helper cannot be run, fails for another reason, or its answer cannot be parsed.
pub(crate) fn ask(helper: &str, server: &str) -> Result<Credentials, CredentialFault> {
    if !is_name(helper) {
        return Err(CredentialFault(format!(
            "invalid credential helper {helper:?}: expected letters, digits, -, _ and ."
        )));
    }
    let output = run(helper, server)
        .map_err(|error| CredentialFault(format!("running docker-credential-{helper}: {error}")))?;
    let unanswered = |ending: String| {
        CredentialFault(format!(
            "docker-credential-{helper} returned no credentials: {ending}"
        ))
    };
    match output.status {
        Some(0) => {
            let answer = folded::parse(&output.stdout).map(credentials);
            answer.map_err(|_| unanswered("its output is not a JSON object".to_owned()))
        }
        _ if output.stdout.trim_ascii() == NOT_FOUND => Ok(Credentials::default()),
        Some(status) => Err(unanswered(format!("exit status {status}"))),
        None => Err(unanswered("ended by a signal".to_owned())),
    }
}

fn credentials(Answer { username, secret }: Answer) -> Credentials {
    match username.as_str() {
        REFRESH_TOKEN => Credentials {
            identity_token: given(&secret),
            ..Credentials::default()
        },
        _ => Credentials {
            basic: basic(username, secret),
            ..Credentials::default()
        },
    }
}

/// Whether a text can be part of a file name: no path separator, no space.
fn is_name(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

fn run(helper: &str, server: &str) -> io::Result<Output> {
    let mut child = Command::new(format!("docker-credential-{helper}"))
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let stdout = converse(&mut child, server);
    let status = child.wait()?.code();
    let stdout = stdout?;
    Ok(Output { status, stdout })
}

fn converse(child: &mut Child, server: &str) -> io::Result<Vec<u8>> {
    if let Some(mut stdin) = child.stdin.take() {
        match stdin.write_all(server.as_bytes()) {
            // A helper that serves one registry may exit without reading the name.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
            _ => {}
        }
    }
    let mut answer = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(limits::TOKEN).read_to_end(&mut answer)?;
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Credentials {
        credentials(folded::parse(text.as_bytes()).ok().unwrap())
    }

    #[test]
    fn an_answer_is_a_password_or_a_token() {
        let known = read(r#"{"ServerURL":"x","Username":"u","Secret":"p"}"#);
        assert_eq!(known.basic, Some(("u".to_owned(), "p".to_owned())));
        let known = read(r#"{"username":"<token>","secret":"t"}"#);
        assert_eq!(known.identity_token.as_deref(), Some("t"));
        for none in [
            "{}",
            r#"{"Username":"<token>"}"#,
            r#"{"Username":"","Secret":"p"}"#,
        ] {
            assert_eq!(read(none), Credentials::default(), "{none}");
        }
    }
}
