//! The token socket of Confidential Space, as seen by somebody who has got at it.

use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::json;

use crate::Error;

/// Asks for a token for `audience`.
///
/// # Errors
/// The socket fails, or answers with no token.
pub fn token(socket: &Path, audience: &str) -> Result<String, Error> {
    let body = json!({"audience": audience, "token_type": "OIDC", "nonces": []}).to_string();
    let request = format!(
        "POST /v1/token HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = UnixStream::connect(socket).map_err(Error::io(socket))?;
    stream
        .write_all(request.as_bytes())
        .map_err(Error::io(socket))?;
    let answer = content::read_limited(&stream, content::limits::TOKEN);
    let answer = answer.map_err(|e| Error::Answer {
        what: "token".into(),
        found: e.to_string(),
    })?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    match answer.split_once("\r\n\r\n") {
        Some((head, token)) if head.contains(" 200 ") => Ok(token.trim().to_owned()),
        _ => Err(Error::Answer {
            what: "token".into(),
            found: answer,
        }),
    }
}
