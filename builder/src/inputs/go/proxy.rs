//! Module proxies (Go Modules Reference, "GOPROXY protocol"), as the user has configured them. This program contains no
//! address of a proxy.

use std::io;
use std::path::{Path, PathBuf};

use console::hint::Hinted;
use console::location::without_login;
use console::progress::Meter;

use crate::host::{self, HostError};
use crate::inputs::Supply;
use crate::inputs::debian::{Downloads, Fault};
use crate::inputs::error::DependencyError;
use crate::lock::modules::{ARCHIVE, ModuleName, ModuleVersion, Part};

/// Maximum size of a `go.mod`, in bytes (golang.org/x/mod/zip, `MaxGoMod`).
const MANIFEST: u64 = 16 << 20;
/// Number of attempts at a download.
const TRIES: u32 = 3;

/// The place that stands for the repository of each module.
const DIRECT: &str = "direct";
const NONE: &str = "set GOPROXY to the address of a module proxy, as for go; `,direct` after it lets go fetch what the proxy \
                    does not have";

/// The proxies in the order in which they are asked.
pub(super) struct Proxies<'a> {
    steps: Vec<Step>,
    supply: Supply<'a>,
}

struct Step {
    place: Place,
    /// Whether the next step is also taken after other errors than that the place does not have a module.
    next: Next,
}

enum Place {
    Web(String, Downloads),
    Folder(PathBuf),
    /// The repository of the module, by the user's go.
    Direct,
    Off,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Next {
    AfterAbsence,
    AfterAnyError,
}

/// Why a place gave no file.
enum Miss {
    Absent(String),
    Failed(DependencyError),
}

impl<'a> Proxies<'a> {
    /// The proxies that the user has named, or else those of the user's go.
    ///
    /// # Errors
    /// There are none, one has an invalid address, or go fails.
    pub(super) fn find(supply: &Supply<'a>) -> Result<Self, DependencyError> {
        supply.check_network("modules")?;
        let own;
        let places: Vec<_> = match supply.modules {
            Some(list) => split(list).collect(),
            None => {
                own = host::go_proxies()?.unwrap_or_default();
                of_go(&own).collect()
            }
        };
        let steps = places.into_iter().map(|(place, next)| {
            let place = Place::parse(place, supply)?;
            Ok(Step { place, next })
        });
        let steps = steps.collect::<Result<Vec<_>, DependencyError>>()?;
        match steps.is_empty() {
            true => Err(Hinted::new(
                "finding a module proxy: GOPROXY is not set, and go is not installed or names no proxy",
            )
            .hinting(NONE)
            .into()),
            false => Ok(Self {
                steps,
                supply: *supply,
            }),
        }
    }

    /// The same proxies. The bytes that they send are counted.
    #[must_use]
    pub(super) fn counting(mut self, meter: &Meter) -> Self {
        for step in &mut self.steps {
            if let Place::Web(_, downloads) = &mut step.place {
                downloads.count(meter);
            }
        }
        self
    }

    /// The bytes of a file of a module; the inner error says that no proxy has it, and why.
    ///
    /// # Errors
    /// A proxy cannot be reached, or the work was interrupted.
    pub(super) fn get(
        &self,
        name: &ModuleName,
        version: &ModuleVersion,
    ) -> Result<Result<Vec<u8>, String>, DependencyError> {
        let mut said = Vec::new();
        for step in &self.steps {
            match (step.place.get(name, version, &self.supply), step.next) {
                (Ok(bytes), _) => return Ok(Ok(bytes)),
                (Err(Miss::Absent(why)), _) => said.push(why),
                (Err(Miss::Failed(DependencyError::Interrupted(interrupted))), _) => {
                    return Err(interrupted.into());
                }
                (Err(Miss::Failed(error)), Next::AfterAnyError) => said.push(error.to_string()),
                (Err(Miss::Failed(error)), Next::AfterAbsence) => return Err(error),
            }
        }
        Ok(Err(said.join("; ")))
    }
}

impl Proxies<'_> {
    /// The bytes of the file at a path that the first proxy has, as checksum databases are passed on; the error is the reason why none
    /// has it.
    pub(super) fn ask(&self, path: &str, limit: u64) -> Result<Vec<u8>, String> {
        let mut said = Vec::new();
        for step in &self.steps {
            let got = match &step.place {
                Place::Web(url, downloads) => {
                    web(&format!("{url}/{path}"), downloads, limit, &self.supply)
                }
                Place::Folder(folder) => read(&folder.join(path), limit),
                Place::Direct | Place::Off => continue,
            };
            match got {
                Ok(bytes) => return Ok(bytes),
                Err(Miss::Absent(why)) => said.push(why),
                Err(Miss::Failed(error)) => said.push(error.to_string()),
            }
        }
        Err(said.join("; "))
    }
}

/// The places of a list, each with what follows it: `|` for any error, `,` for absence.
fn split(list: &str) -> impl Iterator<Item = (&str, Next)> {
    let pieces = list.split_inclusive([',', '|']).map(|piece| {
        let next = match piece.ends_with('|') {
            true => Next::AfterAnyError,
            false => Next::AfterAbsence,
        };
        (piece.trim_end_matches([',', '|']).trim(), next)
    });
    pieces.filter(|(place, _)| !place.is_empty())
}

/// The places of the list of the user's go, without `direct`, with which its default ends: it would make go reach any host that
/// go.sum names.
fn of_go(list: &str) -> impl Iterator<Item = (&str, Next)> {
    split(list).filter(|(place, _)| *place != DIRECT)
}

impl Place {
    fn parse(text: &str, supply: &Supply<'_>) -> Result<Self, DependencyError> {
        match text {
            DIRECT => return Ok(Self::Direct),
            "off" => return Ok(Self::Off),
            _ => {}
        }
        if let Some(path) = text
            .strip_prefix("file://")
            .filter(|path| path.starts_with('/'))
        {
            return Ok(Self::Folder(path.into()));
        }
        if ["http://", "https://"]
            .iter()
            .any(|scheme| text.starts_with(scheme))
        {
            let url = text.trim_end_matches('/').to_owned();
            let downloads = Downloads::of(&url, supply.archive.runtime);
            let downloads = downloads.map_err(|error| {
                Hinted::new(format_args!("connecting to a module proxy: {error}"))
                    .hinting("HTTPS needs certificate authorities: install ca-certificates, or name them with SSL_CERT_FILE")
            })?;
            return Ok(Self::Web(url, downloads));
        }
        let found = without_login(text);
        Err(Hinted::new(format_args!(
            "reading GOPROXY: expected https://…, file:///…, direct or off, found {found:?}"
        ))
        .hinting(NONE)
        .into())
    }

    fn get(
        &self,
        name: &ModuleName,
        version: &ModuleVersion,
        supply: &Supply<'_>,
    ) -> Result<Vec<u8>, Miss> {
        let (limit, part) = match version.part() {
            Part::Archive => (ARCHIVE, version.part()),
            Part::Manifest => (MANIFEST, version.part()),
        };
        let path = path(name, version);
        match self {
            Self::Web(url, downloads) => web(&format!("{url}/{path}"), downloads, limit, supply),
            Self::Folder(folder) => read(&folder.join(path), limit),
            Self::Direct => direct(name, version, part, limit, supply),
            Self::Off => Err(Miss::Absent("GOPROXY ends with off".to_owned())),
        }
    }
}

fn web(url: &str, downloads: &Downloads, limit: u64, supply: &Supply<'_>) -> Result<Vec<u8>, Miss> {
    let mut tries = 1;
    loop {
        let got = downloads.get(url, limit, supply.interrupt);
        match got.map_err(|interrupted| Miss::Failed(interrupted.into()))? {
            Ok(bytes) => return Ok(bytes),
            // A proxy answers so for modules that it must not or cannot fetch.
            Err(fault @ Fault::Status(403 | 404 | 410)) => {
                return Err(Miss::Absent(fault.to_string()));
            }
            Err(_) if tries < TRIES => tries += 1,
            Err(fault) => {
                let url = without_login(url);
                let fault = Hinted::new(format_args!("fetching {url}: {fault}"));
                return Err(Miss::Failed(
                    fault
                        .hinting("check that the proxy in GOPROXY can be reached")
                        .into(),
                ));
            }
        }
    }
}

fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Miss> {
    match crate::at::read(path, limit) {
        Ok(bytes) => Ok(bytes),
        Err(at) if at.source.kind() == io::ErrorKind::NotFound => {
            Err(Miss::Absent(format!("{} does not exist", path.display())))
        }
        Err(at) => Err(Miss::Failed(at.into())),
    }
}

fn direct(
    name: &ModuleName,
    version: &ModuleVersion,
    part: Part,
    limit: u64,
    supply: &Supply<'_>,
) -> Result<Vec<u8>, Miss> {
    let failed = |error: DependencyError| Miss::Failed(error);
    let scratch = supply
        .store
        .scratch()
        .map_err(|error| failed(error.into()))?;
    let (place, cache) = (scratch.path().join("place"), scratch.path().join("cache"));
    std::fs::create_dir(&place)
        .map_err(|error| failed(crate::at::At::writing(&place)(error).into()))?;
    let module = format!("{name}@{}", version.number());
    match host::go_download(&module, &place, &cache, supply.interrupt) {
        Ok(files) => match part {
            Part::Archive => read(&files.archive, limit),
            Part::Manifest => read(&files.manifest, limit),
        },
        Err(error @ (HostError::Failed { .. } | HostError::Absent(_))) => {
            supply
                .interrupt
                .check()
                .map_err(|interrupted| failed(interrupted.into()))?;
            Err(Miss::Absent(error.to_string()))
        }
        Err(error) => Err(failed(error.into())),
    }
}

/// A module's name and version in a path of a checksum database.
pub(super) fn module_path(name: &ModuleName, version: &ModuleVersion) -> String {
    format!("{}@{}", escaped(name.as_str()), escaped(version.number()))
}

/// The path of a file below the address of a proxy. Capitals are written as `!` and the small letter.
pub(super) fn path(name: &ModuleName, version: &ModuleVersion) -> String {
    let ending = match version.part() {
        Part::Archive => "zip",
        Part::Manifest => "mod",
    };
    let (name, version) = (escaped(name.as_str()), escaped(version.number()));
    format!("{name}/@v/{version}.{ending}")
}

fn escaped(text: &str) -> String {
    let letters = text.chars().flat_map(|c| {
        let mark = c.is_ascii_uppercase().then_some('!');
        mark.into_iter().chain([c.to_ascii_lowercase()])
    });
    letters.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::store::Store;

    #[test]
    fn paths_are_escaped() {
        let path =
            |name: &str, version: &str| path(&name.parse().unwrap(), &version.parse().unwrap());
        assert_eq!(
            path("github.com/Azure/x", "v1.0.0-RC1"),
            "github.com/!azure/x/@v/v1.0.0-!r!c1.zip"
        );
        assert_eq!(path("a/v2", "v2.0.0/go.mod"), "a/v2/@v/v2.0.0.mod");
    }

    #[test]
    fn a_list_has_two_kinds_of_separators() {
        let places: Vec<_> = split("https://a,file:///b|direct").collect();
        let expected = [
            ("https://a", Next::AfterAbsence),
            ("file:///b", Next::AfterAnyError),
            ("direct", Next::AfterAbsence),
        ];
        assert_eq!(places, expected);
        assert_eq!(split(" ,").count(), 0);
        let own: Vec<_> = of_go("https://a,direct").collect();
        assert_eq!(own, expected[..1]);
        assert_eq!(of_go("direct").count(), 0);
    }

    #[test]
    fn the_first_place_that_has_a_module_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        let file = folder.path().join("second/a/@v/v1.0.0.mod");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "module a\n").unwrap();
        let at = |name: &str| format!("file://{}", folder.path().join(name).display());
        let list = [at("first"), at("second")].join(",");
        let supply = Supply {
            modules: Some(&list),
            ..Supply::of(&store)
        };
        let proxies = Proxies::find(&supply).unwrap();
        let get = |version: &str| {
            let version = version.parse().unwrap();
            proxies.get(&"a".parse().unwrap(), &version).unwrap()
        };
        assert_eq!(get("v1.0.0/go.mod").unwrap(), b"module a\n");
        let missing = get("v1.0.0").unwrap_err();
        assert_eq!(missing.matches("does not exist").count(), 2, "{missing}");
    }

    #[test]
    fn places_are_addresses() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        for (list, fault) in [
            (
                "ftp://user:secret@a",
                "reading GOPROXY: expected https://…, file:///…, direct or off, found \"ftp://a\"",
            ),
            ("", "finding a module proxy: GOPROXY is not set"),
            ("file://a", "reading GOPROXY: "),
        ] {
            let supply = Supply {
                modules: Some(list),
                ..Supply::of(&store)
            };
            let found = Proxies::find(&supply).err().unwrap().to_string();
            assert!(found.starts_with(fault), "{list}: {found}");
        }
    }
}
