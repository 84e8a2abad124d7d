//! A minimal HTTP/1.1 server: one request per connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::thread;

/// An HTTP request.
pub struct Request {
    pub method: String,
    pub path: String,
    pub host: String,
    pub bearer: String,
    pub body: Vec<u8>,
}

/// An HTTP response.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// Status and body.
impl From<(u16, Vec<u8>)> for Response {
    fn from((status, body): (u16, Vec<u8>)) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body,
        }
    }
}

type Handler = Arc<dyn Fn(&Request) -> Response + Send + Sync>;

/// Serves on a free port of 127.0.0.1; returns the port.
pub fn serve_tcp(handler: Handler) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, handler) = (stream.unwrap(), handler.clone());
            thread::spawn(move || answer(stream, &handler, Framing::Length));
        }
    });
    port
}

/// Serves on a Unix socket with chunked encoding, as the launcher does.
pub fn serve_unix(path: &Path, handler: Handler) {
    let listener = UnixListener::bind(path).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            answer(stream.unwrap(), &handler, Framing::Chunks);
        }
    });
}

#[derive(Clone, Copy)]
enum Framing {
    Length,
    Chunks,
}

fn answer<S: Read + Write>(stream: S, handler: &Handler, framing: Framing) {
    let mut stream = BufReader::new(stream);
    let request = read(&mut stream);
    let Response {
        status,
        headers,
        body,
    } = handler(&request);
    let stream = stream.get_mut();
    let mut head =
        format!("HTTP/1.1 {status} Status\r\nContent-Type: text/html\r\nConnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    let mut bytes = head.into_bytes();
    match framing {
        Framing::Length => {
            bytes.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes());
            bytes.extend(body);
        }
        Framing::Chunks => {
            bytes.extend(b"Transfer-Encoding: chunked\r\n\r\n");
            for chunk in body.chunks(100) {
                bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
                bytes.extend(chunk);
                bytes.extend(b"\r\n");
            }
            bytes.extend(b"0\r\n\r\n");
        }
    }
    // The client may have closed the connection.
    let _ = stream.write_all(&bytes);
}

fn read(stream: &mut impl BufRead) -> Request {
    let mut line = || {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    };
    let first = line();
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let (mut length, mut host, mut bearer) = (0, String::new(), String::new());
    loop {
        let header = line();
        let Some((name, value)) = header.split_once(": ") else {
            break;
        };
        match name.to_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "host" => host = value.to_owned(),
            "authorization" => bearer = value.strip_prefix("Bearer ").unwrap().to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    Request {
        method,
        path,
        host,
        bearer,
        body,
    }
}
