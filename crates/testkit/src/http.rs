//! A service on loopback, for tests of clients over HTTP. It answers one request on each connection.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

/// A status and a body.
pub type Answer = (u16, String);

/// A service that gives these answers to one request after the other: its URL, and the first line of each request when all were answered.
///
/// # Panics
/// A connection fails.
pub fn answers(answers: Vec<(u16, &'static str)>) -> (String, JoinHandle<Vec<String>>) {
    let (listener, url) = listen();
    let served = thread::spawn(move || {
        let answers = answers.into_iter();
        let answer =
            |(status, body): (u16, &str)| exchange(&listener, &mut |_| (status, body.to_owned()));
        answers.map(answer).collect()
    });
    (url, served)
}

/// A service that answers each request by its first line, as long as the test runs; its URL.
///
/// # Panics
/// A connection fails.
pub fn service(mut answer: impl FnMut(&str) -> Answer + Send + 'static) -> String {
    let (listener, url) = listen();
    thread::spawn(move || {
        loop {
            exchange(&listener, &mut answer);
        }
    });
    url
}

fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

/// Answers one request; gives its first line.
fn exchange(listener: &TcpListener, answer: &mut dyn FnMut(&str) -> Answer) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let first = read(&stream);
    let (status, body) = answer(&first);
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all((head + &body).as_bytes()).unwrap();
    first
}

/// Reads a whole request; gives its first line.
fn read(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
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
    first.trim_end().to_owned()
}
