//! A Debian archive: its address, from the host's apt configuration, and its packages, from its signed index. This
//! program contains no address of an archive.

use std::path::{Path, PathBuf};

use console::hint::Hinted;
use console::location::without_login;
use content::Digest;
use tokio::runtime::Handle;

use super::download::Downloads;
use super::error::ANOTHER;
use super::evidence::Evidence;
use super::index::Index;
use super::release::Release;
use super::signers::Signers;
use super::{ArchiveError, ChainError, apt, chain, deb, evidence};
use crate::at;
use crate::inputs::store::Store;
use crate::interrupt::Interrupt;
use crate::lock::index;
use crate::lock::packages::Package;
use crate::lock::signature::Signature;
use crate::lock::time::Time;
use crate::spec::RootSpec;

/// The keyring of Debian's archive on a Debian host.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// Number of attempts at a download.
const TRIES: u32 = 3;

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
    /// Runs the downloads.
    pub runtime: &'a Handle,
}

/// A package archive.
#[derive(Clone, Debug)]
pub struct Archive {
    url: String,
    keyring: PathBuf,
    downloads: Downloads,
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
    /// The address is invalid, apt has no such source, or the HTTP client cannot be built.
    pub fn find(options: &Options<'_>, root: &RootSpec) -> Result<Self, ArchiveError> {
        let (url, keyring) = match options.url {
            Some(url) if apt::is_web(url) => (url.to_owned(), None),
            Some(url) => {
                let url = without_login(url);
                let address = Hinted::new(format_args!(
                    "finding package archive: expected http://… or https://…, found {url:?}"
                ));
                let hint = "pass the URL of the folder that contains dists/ and pool/";
                return Err(address.hinting(hint).into());
            }
            None => of_apt(root)?,
        };
        let keyring = options.keyring.map(Path::to_owned).or(keyring);
        let downloads = Downloads::of(&url, options.runtime);
        Ok(Self {
            url: url.trim_end_matches('/').to_owned(),
            keyring: keyring.unwrap_or_else(|| KEYRING.into()),
            downloads: downloads.map_err(|error| {
                Hinted::new(format_args!("connecting to package archive: {error}")).hinting(
                    "HTTPS needs certificate authorities: install ca-certificates, or name them with \
                     SSL_CERT_FILE",
                )
            })?,
        })
    }

    /// The package index that the archive serves now, verified by its signature. It must be valid at `now`.
    ///
    /// # Errors
    /// It cannot be fetched or verified.
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
            index: index.map_err(ChainError::Broken)?,
            signatures,
            evidence: Evidence {
                release: signed,
                packages: packed,
                keyring,
            },
        })
    }

    /// The release file that the archive serves now.
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

    /// The package list with this digest, which an archive keeps for its last few indexes, or else the list that it
    /// serves now.
    pub(crate) fn list_with(
        &self,
        root: &RootSpec,
        sha256: &Digest,
        interrupt: &Interrupt,
    ) -> Result<Vec<u8>, ArchiveError> {
        match self.fetch(&by_hash(root, sha256), index::PACKAGES, interrupt) {
            Err(ArchiveError::Fetch { fault, .. }) if fault.is_absence() => {
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
    /// It cannot be fetched, differs from the locked package, or its control file describes another package.
    pub fn fetch_package(
        &self,
        package: &Package,
        store: &Store,
        interrupt: &Interrupt,
    ) -> Result<(), ArchiveError> {
        let bytes = self.fetch(package.path.as_str(), package.size, interrupt)?;
        if Digest::of(&bytes) == package.sha256 {
            deb::check(package, &bytes).map_err(|reason| {
                let name = &package.name;
                Hinted::new(format_args!("checking package {name}: {reason}")).hinting(ANOTHER)
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
        let mut tries = 1;
        loop {
            match self.downloads.get(&url, limit, interrupt)? {
                Ok(bytes) => return Ok(bytes),
                Err(fault) if tries < TRIES && !fault.is_absence() => tries += 1,
                Err(fault) => {
                    let path = path.to_owned();
                    return Err(ArchiveError::Fetch { path, fault });
                }
            }
        }
    }
}

/// Address and keyring of the first of the host's apt sources with the suite and component.
fn of_apt(root: &RootSpec) -> Result<(String, Option<PathBuf>), ArchiveError> {
    let sources = apt::sources(Path::new("/etc/apt"))?;
    let suits = |source: &apt::Source| {
        source.suites.contains(&root.suite) && source.components.contains(&root.component)
    };
    let source = sources.into_iter().find(suits);
    let source = source.ok_or_else(|| {
        Hinted::new(format_args!(
            "finding package archive: no apt source of the host has suite {}",
            root.suite
        ))
        .hinting(ANOTHER)
    })?;
    Ok((source.url, source.keyring))
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
