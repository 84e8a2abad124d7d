//! A client of the token socket of Confidential Space, for an attacker who has access to it.

use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::Error;

/// How long to wait until the socket of a launch accepts connections.
const PATIENCE: Duration = Duration::from_secs(20);

/// Connects as soon as the socket accepts connections, while `is_running`. The file may exist earlier: it is
/// made before the launcher listens.
///
/// # Errors
/// No connection was accepted in time.
pub fn connect(socket: &Path, mut is_running: impl FnMut() -> bool) -> Result<UnixStream, Error> {
    let begin = Instant::now();
    loop {
        match UnixStream::connect(socket) {
            Err(_) if is_running() && begin.elapsed() < PATIENCE => {
                sleep(Duration::from_millis(20));
            }
            connected => return connected.map_err(Error::io(socket)),
        }
    }
}

/// Asks for a token for `audience`.
///
/// # Errors
/// The socket fails, or answers with no token.
pub fn token(mut stream: UnixStream, audience: &str) -> Result<String, Error> {
    let body = json!({"audience": audience, "token_type": "OIDC", "nonces": []}).to_string();
    let request = format!(
        "POST /v1/token HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let sent = stream.write_all(request.as_bytes());
    sent.map_err(Error::io("token socket"))?;
    let answer = content::read_limited(&stream, content::limits::TOKEN);
    let answer = answer.map_err(|error| Error::answer("token", error))?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    match answer.split_once("\r\n\r\n") {
        Some((head, token)) if head.contains(" 200 ") => Ok(token.trim().to_owned()),
        _ => Err(Error::answer("token", answer)),
    }
}

#[cfg(test)]
mod tests {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, listen, socket};

    use super::*;

    #[test]
    fn waits_until_the_socket_listens() {
        let folder = scratch::Scratch::new().unwrap();
        let path = folder.path().join("socket");
        let listener = socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
        bind(&listener, &SocketAddrUnix::new(&path).unwrap()).unwrap();
        assert!(path.exists());
        let refused = connect(&path, || false).unwrap_err();
        assert!(
            refused.to_string().contains("Connection refused"),
            "{refused}"
        );
        let mut looks = 0;
        let connected = connect(&path, || {
            looks += 1;
            if looks == 3 {
                listen(&listener, 1).unwrap();
            }
            true
        });
        assert!(connected.is_ok());
    }
}
