//! A server whose answers depend on earlier requests.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::sync::{Arc, Mutex};

use remote::{Registry, Transport};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;

#[derive(Clone, Debug)]
pub enum Answer {
    Whole(Vec<u8>),
    /// Sends these bytes and closes the connection.
    BreaksOff(Vec<u8>),
    /// Resets the connection without an answer.
    Reset,
    /// Sends these bytes once as many requests wait as the barrier counts.
    Together(Arc<Barrier>, Vec<u8>),
}

impl Answer {
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Whole(bytes) | Self::BreaksOff(bytes) | Self::Together(_, bytes) => bytes,
            Self::Reset => b"",
        }
    }
}

pub fn reply(status: &str, headers: &str, body: &[u8]) -> Answer {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n");
    Answer::Whole([head.as_bytes(), body].concat())
}

/// A challenge whose realm is `/token` on the same server.
pub fn challenge(request: &Request, more: &str) -> String {
    let host = request.header("host").unwrap();
    format!("WWW-Authenticate: Bearer realm=\"http://{host}/token\",service=\"s\"{more}\r\n")
}

#[derive(Clone, Default)]
pub struct Request {
    pub method: String,
    pub path: String,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The requests before it.
    before: Vec<Request>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        all.find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn earlier(&self, method: &str) -> bool {
        self.before.iter().any(|request| request.method == method)
    }

    pub fn earlier_body(&self, method: &str, path: &str) -> Option<Vec<u8>> {
        let mut before = self.before.iter().rev();
        let found = before.find(|request| request.method == method && request.path == path);
        found.map(|request| request.body.clone())
    }
}

/// Answers a request, given the number of requests of its method so far: the request itself is
/// counted, requests for the API's root are not.
type Director = dyn Fn(&Request, usize) -> Answer + Send + Sync;

pub struct Play {
    pub port: u16,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Play {
    pub async fn serve(
        director: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (director, noted): (Arc<Director>, _) = (Arc::new(director), seen.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(speak(stream, director.clone(), noted.clone()));
            }
        });
        Self { port, seen }
    }

    pub fn connect(&self, transport: &Transport) -> Registry {
        let repository = format!("127.0.0.1:{}/a/b", self.port).parse().unwrap();
        Registry::connect(&repository, transport).unwrap()
    }

    pub fn requests(&self, method: &str, path: &str) -> Vec<Request> {
        let seen = self.seen.lock().unwrap();
        let found = seen
            .iter()
            .filter(|r| r.method == method && r.path.starts_with(path));
        found.cloned().collect()
    }

    pub fn count(&self, method: &str, path: &str) -> usize {
        let found = self.requests(method, path);
        match path {
            "/v2/" => found.iter().filter(|request| request.path == path).count(),
            _ => found.len(),
        }
    }
}

async fn speak(stream: TcpStream, director: Arc<Director>, seen: Arc<Mutex<Vec<Request>>>) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream).await {
        let answer = {
            let mut seen = seen.lock().unwrap();
            let request = Request {
                before: seen.clone(),
                ..request
            };
            let same = |r: &&Request| r.method == request.method && r.path != "/v2/";
            let number = seen.iter().filter(same).count() + 1;
            let answer = director(&request, number);
            seen.push(Request {
                before: Vec::new(),
                ..request
            });
            answer
        };
        if let Answer::Together(requests, _) = &answer {
            requests.wait().await;
        }
        match answer {
            Answer::Whole(bytes) | Answer::Together(_, bytes)
                if stream.write_all(&bytes).await.is_ok() => {}
            Answer::Whole(_) | Answer::Together(..) => return,
            Answer::BreaksOff(bytes) => {
                let _ = stream.write_all(&bytes).await;
                return;
            }
            Answer::Reset => {
                let _ = stream.get_ref().set_zero_linger();
                return;
            }
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let first = line(stream).await?;
    let mut words = first.split(' ');
    let mut request = Request {
        method: words.next()?.to_owned(),
        path: words.next()?.to_owned(),
        ..Request::default()
    };
    loop {
        let line = line(stream).await?;
        let Some((name, value)) = line.split_once(": ") else {
            break;
        };
        request
            .headers
            .push((name.to_lowercase(), value.to_owned()));
    }
    let length = request.header("content-length").unwrap_or("0");
    request.body = vec![0; length.parse().ok()?];
    stream.read_exact(&mut request.body).await.ok()?;
    Some(request)
}

/// Reads a request; `None`, which ends the connection, if it is not HTTP.
async fn line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    if stream.fill_buf().await.ok()?.first() == Some(&22) {
        return None;
    }
    let mut bytes = Vec::new();
    stream.read_until(b'\n', &mut bytes).await.ok()?;
    let text = String::from_utf8(bytes).ok()?;
    Some(text.trim_end().to_owned())
}
