//! The protocol of Docker's credential helpers: the server's name on stdin, JSON on stdout.

use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};

use content::{json, limits};
use serde::Deserialize;

use crate::login::{CredentialFault, Login};

/// The user name that marks a helper's secret as a refresh token.
const REFRESH_TOKEN: &str = "<token>";
/// A helper's output when it has no credentials for a server (docker-credential-helpers,
/// `credentials/error.go`).
const NOT_FOUND: &[u8] = b"credentials not found in native keychain";

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Answer {
    username: String,
    secret: String,
}

/// A helper's exit status (`None` if a signal ended it) and standard output.
struct Output {
    status: Option<i32>,
    stdout: Vec<u8>,
}

/// The credentials that `helper` has for `server`; [`Login::Anonymous`] if it reports none.
///
/// # Errors
/// The helper cannot be run, fails for another reason, or its answer cannot be parsed.
pub(crate) fn ask(helper: &str, server: &str) -> Result<Login, CredentialFault> {
    let name = helper.to_owned();
    if !is_name(helper) {
        return Err(CredentialFault::HelperName { name });
    }
    let output = run(helper, server).map_err(|source| CredentialFault::Helper {
        name: name.clone(),
        source,
    })?;
    let status = output.status;
    match status {
        Some(0) => {
            let answer = json::parse(&output.stdout, limits::TOKEN).map(login);
            answer.map_err(|_| CredentialFault::HelperAnswer { name, status })
        }
        _ if output.stdout.trim_ascii() == NOT_FOUND => Ok(Login::Anonymous),
        _ => Err(CredentialFault::HelperAnswer { name, status }),
    }
}

fn login(answer: Answer) -> Login {
    match answer.username.as_str() {
        "" => Login::Anonymous,
        REFRESH_TOKEN => Login::Refresh(answer.secret),
        _ => Login::Basic(answer.username, answer.secret),
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
