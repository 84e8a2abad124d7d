//! A crate archive: one folder, named after crate and version, with a manifest that names both (The Cargo Book,
//! `cargo package`). Any other archive is refused, even if it has the expected digest.

use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use console::hint::Hinted;
use content::{LimitedReader, limits};
use flate2::read::GzDecoder;
use oci::layer::Executable;

use crate::inputs::error::DependencyError;
use crate::inputs::members::{Member, Members};
use crate::lock::crates::Named;

/// Maximum unpacked size of one crate, in bytes.
const UNPACKED: u64 = 1 << 30;
const MANIFEST: &str = "Cargo.toml";

/// A file of a crate.
pub(super) struct File<'a> {
    /// Its path below the vendored source.
    pub(super) path: PathBuf,
    /// Whether its owner may execute it: build scripts start scripts of their crates.
    pub(super) executable: Executable,
    /// Its content.
    pub(super) content: &'a mut dyn Read,
}

/// Receives a file.
pub(super) type Take<'a> = &'a mut dyn FnMut(File<'_>) -> Result<(), DependencyError>;

/// Checks that these bytes are the archive of this crate.
///
/// # Errors
/// They are another archive, or not an archive.
pub(super) fn check(named: &Named, bytes: &[u8]) -> Result<(), DependencyError> {
    each_file(named, bytes, &mut |_| Ok(()))
}

/// Calls `take` with each file of the archive. Its path is `NAME-VERSION/…`.
///
/// # Errors
/// The bytes are not the archive of this crate, or an error of `take`.
pub(super) fn each_file(
    named: &Named,
    bytes: &[u8],
    take: Take<'_>,
) -> Result<(), DependencyError> {
    let failed = |error: io::Error| wrong(named, error.to_string());
    let manifest = Path::new(&folder(named)).join(MANIFEST);
    let unpacked = LimitedReader::new(GzDecoder::new(bytes), UNPACKED);
    let mut archive = tar::Archive::new(unpacked);
    let mut is_named = false;
    for member in Members::of(&mut archive).map_err(failed)? {
        let mut member = member.map_err(failed)?;
        let Some(path) = place(named, &member)? else {
            continue;
        };
        let executable = executable(named, &member)?;
        let mut text: &[u8];
        let read;
        let content: &mut dyn Read = match path == manifest {
            true => {
                read = content::read_limited(&mut member.entry, limits::DOCUMENT)
                    .map_err(|error| wrong(named, error.to_string()))?;
                check_manifest(named, &read)?;
                is_named = true;
                text = &read;
                &mut text
            }
            false => &mut member.entry,
        };
        take(File {
            path,
            executable,
            content,
        })?;
    }
    match is_named {
        true => Ok(()),
        false => Err(wrong(
            named,
            format!("it does not contain {}", manifest.display()),
        )),
    }
}

/// The `rust-version` in the manifest of a crate, whose archive was checked; `None` if it names none.
pub(super) fn rust_version(named: &Named, bytes: &[u8]) -> Option<String> {
    let manifest = Path::new(&folder(named)).join(MANIFEST);
    let unpacked = LimitedReader::new(GzDecoder::new(bytes), UNPACKED);
    let mut archive = tar::Archive::new(unpacked);
    for member in Members::of(&mut archive).ok()? {
        let mut member = member.ok()?;
        if member.path == manifest {
            let text = content::read_limited(&mut member.entry, limits::DOCUMENT).ok()?;
            let table: toml::Table = content::toml::parse(&text).ok()?;
            return Some(
                table
                    .get("package")?
                    .get("rust-version")?
                    .as_str()?
                    .to_owned(),
            );
        }
    }
    None
}

/// Checks name and version in a manifest. Old manifests call the table `project`.
fn check_manifest(named: &Named, text: &[u8]) -> Result<(), DependencyError> {
    let table: toml::Table = content::toml::parse(text)
        .map_err(|error| wrong(named, format!("parsing {MANIFEST}: {}", error.message())))?;
    let package = table.get("package").or_else(|| table.get("project"));
    let own = [
        ("name", named.name.as_str()),
        ("version", named.version.as_str()),
    ];
    for (field, expected) in own {
        let found = package.and_then(|package| package.get(field)?.as_str());
        if found != Some(expected) {
            let found = found.unwrap_or("nothing");
            let reason = format!("expected {field} {expected:?} in {MANIFEST}, found {found:?}");
            return Err(wrong(named, reason));
        }
    }
    Ok(())
}

/// The path of an entry, if it is a file.
fn place(
    named: &Named,
    member: &Member<'_, impl Read>,
) -> Result<Option<PathBuf>, DependencyError> {
    let (path, top) = (&member.path, folder(named));
    if !is_below(path, &top) {
        let reason = format!("{} is not below {top}", path.display());
        return Err(wrong(named, reason));
    }
    match member.entry.header().entry_type() {
        // Without `.` and `//`, as on disk.
        tar::EntryType::Regular => Ok(Some(path.components().collect())),
        tar::EntryType::Directory => Ok(None),
        kind => Err(wrong(named, format!("{} is a {kind:?}", path.display()))),
    }
}

fn executable(
    named: &Named,
    member: &Member<'_, impl Read>,
) -> Result<Executable, DependencyError> {
    let mode = member.entry.header().mode();
    match mode.map_err(|error| wrong(named, error.to_string()))? & 0o100 {
        0 => Ok(Executable::No),
        _ => Ok(Executable::Yes),
    }
}

fn is_below(path: &Path, top: &str) -> bool {
    let mut components = path.components();
    let first = components.next();
    first == Some(Component::Normal(top.as_ref()))
        && components.all(|component| matches!(component, Component::Normal(_)))
}

/// The folder of a crate, in its archive and below the vendored source.
pub(super) fn folder(named: &Named) -> String {
    format!("{}-{}", named.name, named.version)
}

pub(super) fn wrong(named: &Named, reason: String) -> DependencyError {
    Hinted::new(format_args!("unpacking crate {named}: {reason}")).into()
}

/// A crate archive with these files.
#[cfg(test)]
pub(super) fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let level = flate2::Compression::fast();
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), level));
    for (path, text) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(text.len() as u64);
        let is_program = path.ends_with("/configure");
        header.set_mode(if is_program { 0o755 } else { 0o664 });
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        builder.append(&header, text.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

#[cfg(test)]
mod tests {
    use content::Digest;

    use super::*;

    fn checked(bytes: &[u8]) -> Result<(), String> {
        let named = Named {
            name: "c".parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            sha256: Digest::of(bytes),
        };
        check(&named, bytes).map_err(|error| error.to_string())
    }

    #[test]
    fn finds_the_version_of_rust() {
        let named = Named {
            name: "c".parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            sha256: Digest::of(b""),
        };
        let of = |text: &str| {
            let files = [
                ("c-1.0.0/a", "x"),
                ("c-1.0.0/Cargo.toml", text),
                ("c-1.0.0/d/Cargo.toml", ""),
            ];
            rust_version(&named, &archive(&files))
        };
        assert_eq!(
            of("[package]\nrust-version = '1.87'").as_deref(),
            Some("1.87")
        );
        assert_eq!(of("[package]\nname = 'c'"), None);
    }

    #[test]
    fn an_archive_is_the_crate_that_its_manifest_names() {
        for table in ["package", "project"] {
            let text = format!("[{table}]\nname = 'c'\nversion = '1.0.0'\n");
            checked(&archive(&[("c-1.0.0/Cargo.toml", &text)])).unwrap();
        }
        for (text, reason) in [
            (
                "[package]\nname = 'd'\nversion = '1.0.0'\n",
                "expected name \"c\" in Cargo.toml, found \"d\"",
            ),
            (
                "[package]\nname = 'c'\nversion = '1.0.1'\n",
                "expected version \"1.0.0\" in Cargo.toml, found \"1.0.1\"",
            ),
            (
                "[package]\nname = 'c'\n",
                "expected version \"1.0.0\" in Cargo.toml, found \"nothing\"",
            ),
            ("nonsense", "parsing Cargo.toml: "),
        ] {
            let error = checked(&archive(&[("c-1.0.0/Cargo.toml", text)])).unwrap_err();
            assert!(error.contains(reason), "{error}");
            assert!(error.starts_with("unpacking crate c 1.0.0: "), "{error}");
        }
        let error = checked(&archive(&[("c-1.0.0/lib.rs", "")])).unwrap_err();
        assert!(
            error.ends_with("it does not contain c-1.0.0/Cargo.toml"),
            "{error}"
        );
        let package = checked(b"!<arch>\ndebian-binary").unwrap_err();
        assert!(
            package.starts_with("unpacking crate c 1.0.0: "),
            "{package}"
        );
    }
}
