//! A Debian archive: its address, from the host's apt configuration, and its packages, from its signed index. This
//! program contains no address of an archive.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use content::Digest;

use super::evidence::Evidence;
use super::index::Index;
use super::release::Release;
use super::signers::Signers;
use super::{ArchiveError, ChainError, apt, chain, deb, evidence};
use crate::at;
use crate::inputs::store::Store;
use crate::interrupt::{Interrupt, Interrupted};
use crate::lock::index;
use crate::lock::packages::Package;
use crate::lock::signature::Signature;
use crate::lock::time::Time;
use crate::spec::RootSpec;

/// The keyring of Debian's archive on a Debian host.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// Number of attempts at a download.
const TRIES: u32 = 3;
/// Interval between checks for an interrupt.
const TICK: Duration = Duration::from_millis(50);

/// Which archive to use, and which keys to trust.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The address; by default that of the host's apt.
    pub url: Option<&'a str>,
    /// The keyring; by default that of the host's apt.
    pub keyring: Option<&'a Path>,
    /// The keys that are trusted.
    pub signers: &'a Signers,
    /// A folder with the files of the locked index: `evidence` of a layout.
    pub evidence: Option<&'a Path>,
}

/// A package archive.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Archive {
    url: String,
    keyring: PathBuf,
}

/// The index that an archive has now.
pub(crate) struct Resolved {
    pub(crate) evidence: Evidence,
    /// The signatures of trusted keys.
    pub(crate) signatures: Vec<Signature>,
    pub(crate) index: Index,
}

impl Archive {
    /// The archive that the options name, or else the first of the host's apt sources with the suite and component.
    ///
    /// # Errors
    /// The address is invalid, or apt has no such source.
    pub fn find(options: &Options<'_>, root: &RootSpec) -> Result<Self, ArchiveError> {
        let mut archive = match options.url {
            Some(url) => Self::at(url)?,
            None => Self::of_apt(root)?,
        };
        if let Some(keyring) = options.keyring {
            archive.keyring = keyring.to_owned();
        }
        Ok(archive)
    }

    fn at(url: &str) -> Result<Self, ArchiveError> {
        match apt::is_web(url) {
            true => Ok(Self::new(url, None)),
            false => Err(ArchiveError::Address {
                url: url.to_owned(),
            }),
        }
    }

    fn of_apt(root: &RootSpec) -> Result<Self, ArchiveError> {
        let sources = apt::sources(Path::new("/etc/apt"))?;
        let suits = |source: &apt::Source| {
            source.suites.contains(&root.suite) && source.components.contains(&root.component)
        };
        let source = sources.into_iter().find(suits);
        let source = source.ok_or_else(|| ArchiveError::Unknown {
            suite: root.suite.clone(),
        })?;
        Ok(Self::new(&source.url, source.keyring))
    }

    fn new(url: &str, keyring: Option<PathBuf>) -> Self {
        Self {
            url: url.trim_end_matches('/').to_owned(),
            keyring: keyring.unwrap_or_else(|| KEYRING.into()),
        }
    }

    /// The package index that the archive has now, verified from its signature down. It must be valid at `now`.
    ///
    /// # Errors
    /// It cannot be fetched, or there is a break in the chain.
    pub(crate) fn resolve(
        &self,
        root: &RootSpec,
        signers: &Signers,
        now: Time,
        interrupt: &Interrupt,
    ) -> Result<Resolved, ArchiveError> {
        let keyring = self.keyring()?;
        let signed = self.release(root, interrupt)?;
        let (release, signatures) = chain::open(&signed, &keyring, signers)?;
        release.check(&root.suite, now)?;
        let packed = self.list(root, &release, interrupt)?;
        let index = Index::parse(&chain::list(&release, root, &packed)?);
        Ok(Resolved {
            index: index.map_err(ChainError::from)?,
            signatures,
            evidence: Evidence {
                release: signed,
                packages: packed,
                keyring,
            },
        })
    }

    /// The release file that the archive has now.
    pub(crate) fn release(
        &self,
        root: &RootSpec,
        interrupt: &Interrupt,
    ) -> Result<Vec<u8>, ArchiveError> {
        let path = format!("dists/{}/{}", root.suite, evidence::RELEASE);
        self.fetch(&path, index::RELEASE, interrupt)
    }

    /// The package list that a release file names.
    fn list(
        &self,
        root: &RootSpec,
        release: &Release,
        interrupt: &Interrupt,
    ) -> Result<Vec<u8>, ArchiveError> {
        let listed = release.file(&chain::list_name(root))?;
        let path = match release.is_by_hash() {
            true => by_hash(root, &listed.sha256),
            false => by_name(root),
        };
        self.fetch(&path, listed.size.min(index::PACKAGES), interrupt)
    }

    /// The package list with this digest, which an archive keeps for its last few indices, or else the list that it
    /// has now.
    pub(crate) fn list_with(
        &self,
        root: &RootSpec,
        sha256: &Digest,
        interrupt: &Interrupt,
    ) -> Result<Vec<u8>, ArchiveError> {
        match self.fetch(&by_hash(root, sha256), index::PACKAGES, interrupt) {
            Err(ArchiveError::Fetch { .. }) => {
                self.fetch(&by_name(root), index::PACKAGES, interrupt)
            }
            fetched => fetched,
        }
    }

    /// The keys with which this machine verifies the archive.
    pub(crate) fn keyring(&self) -> Result<Vec<u8>, ArchiveError> {
        Ok(at::read(&self.keyring, index::KEYRING)?)
    }

    /// Fetches one package into the store.
    ///
    /// # Errors
    /// It cannot be fetched, is another package than was locked, or describes itself as another package.
    pub fn fetch_package(
        &self,
        package: &Package,
        store: &Store,
        interrupt: &Interrupt,
    ) -> Result<(), ArchiveError> {
        let bytes = self.fetch(package.path.as_str(), package.size, interrupt)?;
        if Digest::of(&bytes) == package.sha256 {
            deb::check(package, &bytes).map_err(|reason| ArchiveError::Package {
                package: package.name.clone(),
                reason,
            })?;
        }
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

fn by_name(root: &RootSpec) -> String {
    format!("dists/{}/{}", root.suite, chain::list_name(root))
}

/// Debian repository format, `Acquire-By-Hash`.
fn by_hash(root: &RootSpec, sha256: &Digest) -> String {
    let name = by_name(root);
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{folder}/by-hash/SHA256/{}", sha256.hex())
}

/// After an interrupt, the thread of the download continues until the process ends.
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
        assert!(matches!(ended, Err(Interrupted)), "{ended:?}");
    }
}
