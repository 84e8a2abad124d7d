//! A Debian archive: where it is, by the host's own configuration, and what it has, by its signed
//! index. No address of an archive is written here.

mod apt;
mod release;

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, SystemTime};

use content::Digest;
use scratch::Scratch;

use crate::host::{self, HostError};
use crate::interrupt::{Interrupt, Interrupted};
use crate::lock::packages::{Index, IndexError, Package};
use crate::spec::RootSpec;
use crate::store::{Store, StoreError};
use release::Release;

/// Bytes of an `InRelease` at the most.
const RELEASE: u64 = 16 << 20;
/// Bytes of a package index at the most, unpacked.
const INDEX: u64 = 512 << 20;
/// Keys that sign Debian's archive, where the host has them.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// How often a download is tried.
const TRIES: u32 = 3;
/// How long an interrupt may go unheard.
const TICK: Duration = Duration::from_millis(50);

/// An archive that cannot be found, reached or believed.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The host's configuration names none.
    #[error("finding package archive: the host's apt sources name none with suite {suite}")]
    Unknown {
        /// The suite that is wanted.
        suite: String,
    },
    /// An address that is none.
    #[error("finding package archive: expected http://… or https://…, found {url:?}")]
    Address {
        /// What was given.
        url: String,
    },
    /// Nothing came.
    #[error("fetching {path} from package archive: {reason}")]
    Fetch {
        /// Which file, below the archive's root.
        path: String,
        /// Why not.
        reason: String,
    },
    /// A program of the host.
    #[error("verifying package archive: {0}")]
    Host(#[from] HostError),
    /// The signed index does not name what is needed.
    #[error("reading {release}: it names no {file}")]
    Release {
        /// Path of the release file.
        release: String,
        /// What it should name.
        file: String,
    },
    /// The signed index is another suite's.
    #[error("checking package archive: expected its index of {expected}, found that of {found}")]
    Suite {
        /// The suite that is wanted.
        expected: String,
        /// What the index says it is of.
        found: String,
    },
    /// The signed index is one of the past.
    #[error("checking package archive: its index was valid until {until}")]
    Expired {
        /// What it says.
        until: String,
    },
    /// The index is another one than was signed.
    #[error("checking {file}: expected {expected}, found {found}")]
    Changed {
        /// Which file.
        file: String,
        /// What the release file names.
        expected: Digest,
        /// What came.
        found: Digest,
    },
    /// The index cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A package is another one, or cannot be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of the host.
    #[error("reading {}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Somebody wanted it to end.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// Where packages come from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Archive {
    url: String,
    keyring: PathBuf,
}

impl Archive {
    /// The archive at `url`, or, without one, the first of the host's apt sources that has the
    /// suite and component.
    ///
    /// # Errors
    /// There is none.
    pub fn find(url: Option<&str>, spec: &RootSpec) -> Result<Self, ArchiveError> {
        if let Some(url) = url {
            if !apt::is_web(url) {
                return Err(ArchiveError::Address {
                    url: url.to_owned(),
                });
            }
            return Ok(Self {
                url: url.trim_end_matches('/').to_owned(),
                keyring: KEYRING.into(),
            });
        }
        let sources = apt::sources(Path::new("/etc/apt"))?;
        let suits = |source: &apt::Source| {
            source.suites.contains(&spec.suite) && source.components.contains(&spec.component)
        };
        let source = sources.into_iter().find(suits);
        let source = source.ok_or_else(|| ArchiveError::Unknown {
            suite: spec.suite.clone(),
        })?;
        let url = source.url.trim_end_matches('/').to_owned();
        Ok(Self {
            url,
            keyring: source.keyring.unwrap_or_else(|| KEYRING.into()),
        })
    }

    /// The package index, verified from the archive's signature down, as it is at `now`.
    ///
    /// # Errors
    /// It cannot be fetched, is not signed by a key of the keyring, is another suite's, no longer valid,
    /// or another one than signed.
    pub fn index(
        &self,
        spec: &RootSpec,
        now: SystemTime,
        interrupt: &Interrupt,
    ) -> Result<Index, ArchiveError> {
        let release = format!("dists/{}/InRelease", spec.suite);
        let signed = self.fetch(&release, RELEASE, interrupt)?;
        let signed = Release::new(self.verified(&signed)?);
        signed.check(&spec.suite, now)?;
        let file = format!(
            "{}/binary-{}/Packages.xz",
            spec.component, spec.architecture
        );
        let expected = signed.digest(&file).ok_or_else(|| ArchiveError::Release {
            release,
            file: file.clone(),
        })?;
        let packed = self.fetch(&format!("dists/{}/{file}", spec.suite), INDEX, interrupt)?;
        let found = Digest::of(&packed);
        if found != expected {
            return Err(ArchiveError::Changed {
                file,
                expected,
                found,
            });
        }
        let reader = liblzma::read::XzDecoder::new_multi_decoder(&packed[..]);
        let reason = |error: content::ReadError| ArchiveError::Fetch {
            path: file.clone(),
            reason: error.to_string(),
        };
        let bytes = content::read_limited(reader, INDEX).map_err(reason)?;
        Ok(Index::parse(&String::from_utf8_lossy(&bytes))?)
    }

    fn verified(&self, signed: &[u8]) -> Result<String, ArchiveError> {
        let home = Scratch::new();
        let home =
            home.and_then(|home| fs::write(home.path().join("InRelease"), signed).map(|()| home));
        let failed = |source| ArchiveError::File {
            path: std::env::temp_dir(),
            source,
        };
        let home = home.map_err(failed)?;
        let text = host::gpgv(&self.keyring, &home.path().join("InRelease"), home.path())?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Fetches one package into the store.
    ///
    /// # Errors
    /// It cannot be fetched, or is another one than locked.
    pub fn fetch_package(
        &self,
        package: &Package,
        store: &Store,
        interrupt: &Interrupt,
    ) -> Result<(), ArchiveError> {
        let bytes = self.fetch(package.path.as_str(), package.size, interrupt)?;
        Ok(store.keep(&package.key(), &bytes[..], package.size)?)
    }

    fn fetch(
        &self,
        path: &str,
        limit: u64,
        interrupt: &Interrupt,
    ) -> Result<Vec<u8>, ArchiveError> {
        let url = format!("{}/{path}", self.url);
        let mut reason = String::new();
        for _ in 0..TRIES {
            match get_until(interrupt, &url, limit)? {
                Ok(bytes) => return Ok(bytes),
                Err(error) => reason = error,
            }
        }
        Err(ArchiveError::Fetch {
            path: path.to_owned(),
            reason,
        })
    }
}

/// A download that is interrupted goes on where nobody waits for it, until the process ends.
fn get_until(
    interrupt: &Interrupt,
    url: &str,
    limit: u64,
) -> Result<Result<Vec<u8>, String>, Interrupted> {
    let (give, take) = mpsc::channel();
    let url = url.to_owned();
    std::thread::spawn(move || give.send(get(&url, limit)));
    loop {
        interrupt.check()?;
        match take.recv_timeout(TICK) {
            Ok(got) => return Ok(got),
            Err(RecvTimeoutError::Timeout) => {}
            Err(gone @ RecvTimeoutError::Disconnected) => return Ok(Err(gone.to_string())),
        }
    }
}

fn get(url: &str, limit: u64) -> Result<Vec<u8>, String> {
    let config = ureq::Agent::config_builder()
        .timeout_connect(Some(Duration::from_secs(20)))
        .timeout_global(Some(Duration::from_secs(300)))
        .build();
    let response = ureq::Agent::new_with_config(config).get(url).call();
    let mut response = response.map_err(|error| error.to_string())?;
    let reader: &mut dyn Read = &mut response.body_mut().as_reader();
    content::read_limited(reader, limit).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupt_is_heard_though_the_archive_is_silent() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/file", listener.local_addr().unwrap());
        let interrupt = Interrupt::default();
        let ended = std::thread::scope(|scope| {
            let work = scope.spawn(|| get_until(&interrupt, &url, 1));
            let _silent = listener.accept().unwrap();
            interrupt.raise();
            work.join().unwrap()
        });
        assert!(ended.is_err(), "{ended:?}");
    }
}
