//! A registry whose every answer is scripted.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::collections::HashMap;
use std::sync::Arc;

use content::Digest;
use remote::{Registry, Transport};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The path at which clients ask a registry for a challenge.
pub const API: &str = "/v2/";
pub const INDEX: &str = "Content-Type: application/vnd.oci.image.index.v1+json\r\n";

/// Answers by path and query; the answer to anything else is 404.
#[derive(Default)]
pub struct Script(pub HashMap<String, Vec<u8>>);

impl Script {
    pub fn on(mut self, path: &str, status: &str, headers: &str, body: &[u8]) -> Self {
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n");
        let answer = [head.as_bytes(), body].concat();
        let path = match path {
            API => API.to_owned(),
            path => format!("/v2/a/b/{path}"),
        };
        self.0.insert(path, answer);
        self
    }

    pub fn manifest(self, bytes: &[u8]) -> Self {
        self.on(
            &format!("manifests/{}", Digest::of(bytes)),
            "200 OK",
            "",
            bytes,
        )
    }

    pub async fn serve(self) -> Registry {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = Arc::new(self);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, script.clone()));
            }
        });
        let repository = format!("127.0.0.1:{port}/a/b").parse().unwrap();
        Registry::connect(&repository, &Transport::PlainHttp).unwrap()
    }
}

async fn answer(stream: TcpStream, script: Arc<Script>) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut request = String::new();
        let mut line = String::new();
        while stream.read_line(&mut line).await.is_ok_and(|n| n > 0) && line != "\r\n" {
            request.push_str(&line);
            line.clear();
        }
        let Some(path) = request.split(' ').nth(1) else {
            return;
        };
        let missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec();
        let bytes = script.0.get(path).unwrap_or(&missing);
        if stream.write_all(bytes).await.is_err() {
            return;
        }
    }
}
