//! A service for tests.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;

use signer::Endpoint;

/// A service that answers one request after the other, and what the first line of each was.
pub fn serve(answers: Vec<(u16, &'static str)>) -> (Endpoint, JoinHandle<Vec<String>>) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let answers = answers.into_iter();
        answers
            .map(|(status, body)| answer(&listener, status, body))
            .collect()
    });
    (endpoint.parse().unwrap(), served)
}

fn answer(listener: &TcpListener, status: u16, body: &str) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end().to_ascii_lowercase().split_once(": ") {
            Some(("content-length", text)) => length = text.parse().unwrap(),
            Some(_) => {}
            None => break,
        }
    }
    std::io::copy(&mut reader.take(length), &mut std::io::sink()).unwrap();
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all((head + body).as_bytes()).unwrap();
    first.trim_end().to_owned()
}
