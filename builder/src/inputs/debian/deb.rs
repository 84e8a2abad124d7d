//! The contents of a `.deb` (deb(5)).

use std::io::{self, Read};
use std::path::Path;

use content::LimitedReader;

use super::stanza::fields;
use crate::inputs::members::Members;
use crate::lock::packages::Package;

/// The member with the control files.
const ARCHIVE: &str = "control.tar.xz";
/// Maximum size of an unpacked control archive, in bytes.
const CONTROL: u64 = 16 << 20;

/// Checks that the control file of a `.deb` has the name and version in the lock, which provenance repeats.
///
/// # Errors
/// A description of the difference.
pub fn check(package: &Package, deb: &[u8]) -> Result<(), String> {
    let text = control(deb, "control")?.ok_or("it contains no control file")?;
    let fields = fields(&text);
    for (field, expected) in [("Package", &package.name), ("Version", &package.version)] {
        let found = fields.get(field).map_or("nothing", String::as_str);
        if found != expected {
            return Err(format!("expected {field} {expected}, found {found}"));
        }
    }
    Ok(())
}

/// A file of the control archive, such as `control` (deb-control(5)); `None` if the archive does not have it.
///
/// # Errors
/// Why the archive cannot be read.
pub(super) fn control(deb: &[u8], name: &str) -> Result<Option<String>, String> {
    let packed = member(deb, ARCHIVE).ok_or_else(|| format!("it contains no {ARCHIVE}"))?;
    let reader = liblzma::read::XzDecoder::new_multi_decoder(packed);
    let mut archive = tar::Archive::new(LimitedReader::new(reader, CONTROL));
    let found = file(&mut archive, name);
    found.map_err(|error| format!("reading {ARCHIVE}: {error}"))
}

fn file(archive: &mut tar::Archive<impl Read>, name: &str) -> io::Result<Option<String>> {
    for member in Members::of(archive)? {
        let mut member = member?;
        let path = member.path.strip_prefix(".").unwrap_or(&member.path);
        if path == Path::new(name) {
            let mut text = String::new();
            member.entry.read_to_string(&mut text)?;
            return Ok(Some(text));
        }
    }
    Ok(None)
}

/// A member of the `ar` archive that a `.deb` is (deb(5)).
pub(crate) fn member<'a>(deb: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut rest = deb.strip_prefix(b"!<arch>\n")?;
    while rest.len() >= 60 {
        let (head, body) = rest.split_at(60);
        let size: usize = str::from_utf8(&head[48..58]).ok()?.trim().parse().ok()?;
        let found = str::from_utf8(&head[..16])
            .ok()?
            .trim()
            .trim_end_matches('/');
        let content = body.get(..size)?;
        if found == name {
            return Some(content);
        }
        // Members begin at even offsets.
        rest = body.get(size + size % 2..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deb(control: &[u8]) -> Vec<u8> {
        let head = format!("{ARCHIVE:<16}{:<32}{:<10}`\n", "0", control.len());
        [b"!<arch>\n", head.as_bytes(), control].concat()
    }

    #[test]
    fn an_archive_that_cannot_be_read_is_not_one_without_the_file() {
        let mut archive = tar::Builder::new(liblzma::write::XzEncoder::new(Vec::new(), 0));
        let mut header = tar::Header::new_gnu();
        header.set_size(6);
        header.set_cksum();
        archive
            .append_data(&mut header, "./md5sums", &b"a sum\n"[..])
            .unwrap();
        let control = archive.into_inner().unwrap().finish().unwrap();
        let whole = deb(&control);
        assert_eq!(
            super::control(&whole, "md5sums").unwrap().unwrap(),
            "a sum\n"
        );
        assert_eq!(super::control(&whole, "control").unwrap(), None);
        for damaged in [deb(&control[..control.len() / 2]), deb(b"xz"), Vec::new()] {
            let error = super::control(&damaged, "md5sums").unwrap_err();
            assert!(error.contains(ARCHIVE), "{error}");
        }
    }
}
