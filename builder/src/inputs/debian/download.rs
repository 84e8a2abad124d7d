//! Downloads from a package archive, by the proxy that the environment names.

use std::time::Duration;

use console::progress::Meter;
use content::ReadError;
use reqwest::header::ACCEPT;
use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Client, ClientBuilder, Response};
use tokio::runtime::Handle;
use tokio::time::sleep;

use crate::elsewhere::is_loopback;
use crate::interrupt::{Interrupt, Interrupted};

/// Interval between checks for an interrupt.
const TICK: Duration = Duration::from_millis(50);
/// Time limit for a large file.
const LARGE: Duration = Duration::from_secs(3600);
/// Time limit for the next bytes of a large file.
const SILENCE: Duration = Duration::from_secs(60);
/// Any media type, as clients ask that do not care.
const ANY: &str = "*/*";
/// Maximum number of redirects, as browsers follow them.
const REDIRECTS: usize = 10;
const USER_AGENT: &str = concat!("countersign/", env!("CARGO_PKG_VERSION"));

/// Why a file was not downloaded.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The archive answered with this HTTP status.
    #[error("status {0}")]
    Status(u16),
    /// There was no complete answer, or it was too large.
    #[error("{0}")]
    Answer(String),
}

impl Fault {
    /// Whether the archive answered that it does not have the file.
    pub(in crate::inputs) fn is_absence(&self) -> bool {
        matches!(self, Self::Status(404 | 410))
    }
}

/// The HTTP client of one archive.
#[derive(Clone, Debug)]
pub(in crate::inputs) struct Downloads {
    http: Client,
    runtime: Handle,
    /// Counts the bytes that come.
    meter: Meter,
    counted: Counted,
}

/// What is counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Counted {
    /// One file. Its answer says how large it is.
    One,
    /// Several files.
    Several,
}

impl Downloads {
    /// A client of the archive at `url`, on this runtime.
    ///
    /// # Errors
    /// The address is HTTPS, and the system has no certificate authorities.
    pub(in crate::inputs) fn of(url: &str, runtime: &Handle) -> Result<Self, String> {
        let http = match (client().build(), url.starts_with("https:")) {
            // HTTP needs no authorities.
            (Err(_), false) => client().tls_certs_only([]).build(),
            (built, _) => built,
        };
        Ok(Self {
            http: http.map_err(|error| remote::chain(&error))?,
            runtime: runtime.clone(),
            meter: Meter::default(),
            counted: Counted::Several,
        })
    }

    /// A client for files of hundreds of megabytes at `url`, which the user has named. It uses HTTPS, except on loopback, and
    /// follows no redirect from elsewhere to this machine.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub(in crate::inputs) fn of_index(url: &str, runtime: &Handle) -> Result<Self, String> {
        let large = || client().read_timeout(SILENCE).timeout(LARGE);
        let is_local =
            reqwest::Url::parse(url).is_ok_and(|url| url.host_str().is_some_and(is_loopback));
        let policy = match is_local {
            true => Policy::limited(REDIRECTS),
            false => Policy::custom(redirected),
        };
        let http = match url.starts_with("https:") {
            true => large().https_only(true).redirect(policy).build(),
            // HTTP is for loopback, and needs no authorities.
            false => large().tls_certs_only([]).redirect(Policy::none()).build(),
        };
        Ok(Self {
            http: http.map_err(|error| remote::chain(&error))?,
            runtime: runtime.clone(),
            meter: Meter::default(),
            counted: Counted::Several,
        })
    }

    /// A client for files of hundreds of megabytes that a source names. It uses HTTPS, and follows no redirect to this machine.
    ///
    /// # Errors
    /// The system has no certificate authorities.
    pub(in crate::inputs) fn of_archives(runtime: &Handle) -> Result<Self, String> {
        let large = client().read_timeout(SILENCE).timeout(LARGE);
        let http = large.https_only(true).redirect(Policy::custom(redirected));
        Ok(Self {
            http: http.build().map_err(|error| remote::chain(&error))?,
            runtime: runtime.clone(),
            meter: Meter::default(),
            counted: Counted::Several,
        })
    }

    /// Counts the bytes that come from now on.
    pub(in crate::inputs) fn count(&mut self, meter: &Meter) {
        self.meter = meter.clone();
    }

    /// Counts the bytes of the next file, which is the only one that is counted.
    pub(in crate::inputs) fn count_one(&mut self, meter: &Meter) {
        self.count(meter);
        self.counted = Counted::One;
    }

    /// Downloads at most `limit` bytes. The error of a download is its reason. This must not be called on a thread that
    /// runs asynchronous tasks.
    ///
    /// # Errors
    /// The work was interrupted.
    pub(in crate::inputs) fn get(
        &self,
        url: &str,
        limit: u64,
        interrupt: &Interrupt,
    ) -> Result<Result<Vec<u8>, Fault>, Interrupted> {
        self.get_as(url, ANY, limit, interrupt)
    }

    /// As [`Self::get`], in one of the media types that `accept` lists.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub(in crate::inputs) fn get_as(
        &self,
        url: &str,
        accept: &str,
        limit: u64,
        interrupt: &Interrupt,
    ) -> Result<Result<Vec<u8>, Fault>, Interrupted> {
        self.runtime.block_on(async {
            tokio::select! {
                got = self.get_whole(url, accept, limit) => Ok(got),
                interrupted = raised(interrupt) => Err(interrupted),
            }
        })
    }

    async fn get_whole(&self, url: &str, accept: &str, limit: u64) -> Result<Vec<u8>, Fault> {
        let request = self.http.get(url).header(ACCEPT, accept);
        let response = request.send().await.map_err(broken)?;
        if !response.status().is_success() {
            return Err(Fault::Status(response.status().as_u16()));
        }
        if let (Counted::One, Some(length)) = (self.counted, response.content_length()) {
            self.meter.of([length]);
        }
        let mut body = Vec::new();
        let read = self.read(response, &mut body, limit).await;
        if read.is_err() {
            self.meter.take_back(body.len() as u64);
        }
        read.map(|()| body)
    }

    async fn read(
        &self,
        mut response: Response,
        body: &mut Vec<u8>,
        limit: u64,
    ) -> Result<(), Fault> {
        while let Some(piece) = response.chunk().await.map_err(broken)? {
            body.extend_from_slice(&piece);
            self.meter.add(piece.len() as u64);
            if body.len() as u64 > limit {
                return Err(Fault::Answer(ReadError::Limit { limit }.to_string()));
            }
        }
        Ok(())
    }
}

fn client() -> ClientBuilder {
    Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(Duration::from_secs(20))
        .timeout(Duration::from_secs(300))
}

fn redirected(attempt: Attempt<'_>) -> Action {
    if attempt.previous().len() > REDIRECTS {
        return attempt.error("too many redirects");
    }
    match attempt.url().host_str().is_some_and(is_loopback) {
        true => attempt.error("redirected to this machine"),
        false => attempt.follow(),
    }
}

async fn raised(interrupt: &Interrupt) -> Interrupted {
    loop {
        if let Err(interrupted) = interrupt.check() {
            return interrupted;
        }
        sleep(TICK).await;
    }
}

fn broken(error: reqwest::Error) -> Fault {
    Fault::Answer(remote::chain(&error.without_url()))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use tokio::runtime::Runtime;

    use super::*;

    fn listen() -> (TcpListener, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/file", listener.local_addr().unwrap());
        (listener, url)
    }

    #[test]
    fn an_interrupt_is_noticed_though_the_archive_is_silent() {
        let (listener, url) = listen();
        let (interrupt, runtime) = (Interrupt::default(), Runtime::new().unwrap());
        let downloads = Downloads::of(&url, runtime.handle()).unwrap();
        let ended = thread::scope(|scope| {
            let work = scope.spawn(|| downloads.get(&url, 1, &interrupt));
            let _silent = listener.accept().unwrap();
            interrupt.raise();
            work.join().unwrap()
        });
        assert!(matches!(ended, Err(Interrupted)), "{ended:?}");
    }

    /// Downloads from a server that sends `answer`, with a limit of three bytes.
    fn got(answer: &str) -> Result<Vec<u8>, Fault> {
        let (listener, url) = listen();
        let runtime = Runtime::new().unwrap();
        let downloads = Downloads::of(&url, runtime.handle()).unwrap();
        thread::scope(|scope| {
            scope.spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let _ = stream.read(&mut [0; 1024]).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            });
            downloads.get(&url, 3, &Interrupt::default()).unwrap()
        })
    }

    #[test]
    fn a_download_is_whole_and_within_its_limit() {
        let ok = |length: usize, body: &str| {
            got(&format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}"
            ))
        };
        assert_eq!(ok(3, "abc").unwrap(), b"abc");
        let large = ok(4, "abcd").unwrap_err().to_string();
        assert!(large.ends_with("the limit of 3 bytes"), "{large}");
        let short = ok(3, "ab").unwrap_err().to_string();
        assert!(short.contains("error decoding response body: "), "{short}");
        let absent = got("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(absent.unwrap_err(), Fault::Status(404));
    }
}
