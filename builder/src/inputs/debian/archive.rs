//! A Debian archive: its address, from the host's apt configuration, and its packages, from its signed index. This
//! program contains no address of an archive.

use std::path::{Path, PathBuf};

use console::hint::Hinted;
use console::location::without_login;
use console::progress::Meter;
use content::Digest;

use super::download::Downloads;
use super::error::ANOTHER;
use super::evidence::Evidence;
use super::index::Index;
use super::options::Options;
use super::release::Release;
use super::{ArchiveError, ChainError, apt, chain, deb, evidence};
use crate::at;
use crate::inputs::Supply;
use crate::inputs::store::{Key, Kind};
use crate::interrupt::Interrupt;
use crate::lock::index;
use crate::lock::packages::Package;
use crate::lock::signature::Signature;
use crate::lock::time::Time;
use crate::spec::Section;

/// The keyring of Debian's archive on a Debian host.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// Number of attempts at a download.
const TRIES: u32 = 3;

/// The archives that may have a part of Debian's, in the order in which they are asked.
#[derive(Clone, Debug)]
pub struct Archives(Vec<Archive>);

/// A package archive.
#[derive(Clone, Debug)]
struct Archive {
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

impl Archives {
    /// The archive that the options name, or else those of the host's apt sources with the suite and component; if there is
    /// none, all with the component, since an archive has several suites.
    ///
    /// # Errors
    /// The address is invalid, apt has no such source, or the HTTP client cannot be built.
    pub fn find(options: &Options<'_>, section: Section<'_>) -> Result<Self, ArchiveError> {
        let addresses = match options.url {
            Some(url) if apt::is_web(url) => vec![(url.to_owned(), None)],
            Some(url) => {
                let url = without_login(url);
                let address = Hinted::new(format_args!(
                    "finding package archive: expected http://… or https://…, found {url:?}"
                ));
                let hint = "pass the URL of the folder that contains dists/ and pool/";
                return Err(address.hinting(hint).into());
            }
            None => of_apt(section)?,
        };
        let archives = addresses.into_iter().map(|(url, keyring)| {
            let keyring = options.keyring.map(Path::to_owned).or(keyring);
            Archive::at(&url, keyring, options)
        });
        Ok(Self(archives.collect::<Result<_, _>>()?))
    }

    /// The same archives. The bytes that they send are counted.
    #[must_use]
    pub(in crate::inputs) fn counting(mut self, meter: &Meter) -> Self {
        let archives = self.0.iter_mut();
        archives.for_each(|archive| archive.downloads.count(meter));
        self
    }

    /// The answer of the first archive that has what is asked for.
    fn first<T>(
        &self,
        ask: impl Fn(&Archive) -> Result<T, ArchiveError>,
    ) -> Result<T, ArchiveError> {
        let mut absent = None;
        for archive in &self.0 {
            match ask(archive) {
                Err(error) if error.is_absence() => absent = absent.or(Some(error)),
                answer => return answer,
            }
        }
        Err(absent.unwrap_or_else(|| unknown("the suite").into()))
    }

    /// The package index that is served now, verified by its signature. It must be valid at `now`.
    ///
    /// # Errors
    /// It cannot be fetched or verified.
    pub(crate) fn resolve(
        &self,
        section: Section<'_>,
        supply: &Supply<'_>,
        now: Time,
    ) -> Result<Resolved, ArchiveError> {
        self.first(|archive| archive.resolve(section, supply, now))
    }

    /// The release file that is served now.
    pub(crate) fn release(
        &self,
        section: Section<'_>,
        interrupt: &Interrupt,
    ) -> Result<Vec<u8>, ArchiveError> {
        self.first(|archive| archive.release(section, interrupt))
    }

    /// The package list with this digest, which an archive keeps for its last few indexes, or else the list that is
    /// served now.
    pub(crate) fn list_with(
        &self,
        section: Section<'_>,
        sha256: &Digest,
        interrupt: &Interrupt,
    ) -> Result<Vec<u8>, ArchiveError> {
        let fetch =
            |path: &str| self.first(|archive| archive.fetch(path, index::PACKAGES, interrupt));
        match fetch(&by_hash(section, sha256)) {
            Err(error) if error.is_absence() => fetch(&by_name(section)),
            fetched => fetched,
        }
    }

    /// The keys with which this machine verifies the archive.
    pub(crate) fn keyring(&self) -> Result<Vec<u8>, ArchiveError> {
        self.first(Archive::keyring)
    }

    /// Fetches one package into the store.
    ///
    /// # Errors
    /// It cannot be fetched, differs from the locked package, or its control file describes another package.
    pub fn fetch_package(
        &self,
        package: &Package,
        supply: &Supply<'_>,
    ) -> Result<(), ArchiveError> {
        let path = package.path.as_str();
        let bytes = self.first(|archive| archive.fetch(path, package.size, supply.interrupt))?;
        if Digest::of(&bytes) == package.sha256 {
            deb::check(package, &bytes).map_err(|reason| {
                let name = &package.name;
                Hinted::new(format_args!("checking package {name}: {reason}")).hinting(ANOTHER)
            })?;
        }
        Ok(supply
            .store
            .keep(&package.key(), &bytes[..], package.size)?)
    }
}

impl Archive {
    fn at(
        url: &str,
        keyring: Option<PathBuf>,
        options: &Options<'_>,
    ) -> Result<Self, ArchiveError> {
        let downloads = Downloads::of(url, options.runtime);
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

    fn resolve(
        &self,
        section: Section<'_>,
        supply: &Supply<'_>,
        now: Time,
    ) -> Result<Resolved, ArchiveError> {
        let keyring = self.keyring()?;
        let signed = self.release(section, supply.interrupt)?;
        let (release, signatures) = chain::open(&signed, &keyring, supply.archive.signers)?;
        release.check(section.suite, now)?;
        let packed = self.list(section, &release, supply)?;
        let index = Index::parse(&chain::list(&release, section, &packed)?);
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

    fn release(
        &self,
        section: Section<'_>,
        interrupt: &Interrupt,
    ) -> Result<Vec<u8>, ArchiveError> {
        let path = format!("dists/{}/{}", section.suite, evidence::RELEASE);
        self.fetch(&path, index::RELEASE, interrupt)
    }

    /// The package list that a release file names; from the store, if that has it.
    fn list(
        &self,
        section: Section<'_>,
        release: &Release,
        supply: &Supply<'_>,
    ) -> Result<Vec<u8>, ArchiveError> {
        let listed = release.file(&chain::list_name(section))?;
        let key = Key {
            kind: Kind::Index,
            name: evidence::PACKAGES,
            version: section.suite,
            digest: listed.sha256,
        };
        if supply.store.size(&key)? == Some(listed.size) {
            return Ok(supply.store.read(&key, listed.size)?);
        }
        let path = match release.is_by_hash() {
            true => by_hash(section, &listed.sha256),
            false => by_name(section),
        };
        self.fetch(&path, listed.size.min(index::PACKAGES), supply.interrupt)
    }

    fn keyring(&self) -> Result<Vec<u8>, ArchiveError> {
        Ok(at::read(&self.keyring, index::KEYRING)?)
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

/// Addresses and keyrings of the host's apt sources with the suite and component, or else with the component.
fn of_apt(section: Section<'_>) -> Result<Vec<(String, Option<PathBuf>)>, ArchiveError> {
    let sources = apt::sources(Path::new("/etc/apt"))?;
    let matching = |suits: &dyn Fn(&apt::Source) -> bool| {
        let mut found: Vec<(String, Option<PathBuf>)> = Vec::new();
        for source in sources.iter().filter(|source| suits(source)) {
            if !found.iter().any(|(url, _)| *url == source.url) {
                found.push((source.url.clone(), source.keyring.clone()));
            }
        }
        found
    };
    let has_component =
        |source: &apt::Source| source.components.iter().any(|one| one == section.component);
    let has_suite = |source: &apt::Source| source.suites.iter().any(|one| one == section.suite);
    let exact = matching(&|source| has_suite(source) && has_component(source));
    let found = match exact.is_empty() {
        true => matching(&has_component),
        false => exact,
    };
    match found.is_empty() {
        true => Err(unknown(section.component).into()),
        false => Ok(found),
    }
}

fn unknown(component: &str) -> Hinted {
    Hinted::new(format_args!(
        "finding package archive: no apt source of the host has {component}"
    ))
    .hinting(ANOTHER)
}

fn by_name(section: Section<'_>) -> String {
    format!("dists/{}/{}", section.suite, chain::list_name(section))
}

/// Debian repository format, `Acquire-By-Hash`.
fn by_hash(section: Section<'_>, sha256: &Digest) -> String {
    let name = by_name(section);
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{folder}/by-hash/SHA256/{}", sha256.hex())
}
