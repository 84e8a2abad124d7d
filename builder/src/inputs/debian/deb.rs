//! The contents of a `.deb` (deb(5)).

use std::io::Read;
use std::path::Path;

use super::stanza::fields;
use crate::inputs::members::Members;
use crate::lock::packages::Package;

/// Maximum size of an unpacked control archive, in bytes.
const CONTROL: u64 = 16 << 20;

/// Checks that the control file of a `.deb` has the name and version in the lock, which provenance repeats.
///
/// # Errors
/// A description of the difference.
pub fn check(package: &Package, deb: &[u8]) -> Result<(), String> {
    let text = control(deb, "control").ok_or("it contains no control file")?;
    let fields = fields(&text);
    for (field, expected) in [("Package", &package.name), ("Version", &package.version)] {
        let found = fields.get(field).map_or("nothing", String::as_str);
        if found != expected {
            return Err(format!("expected {field} {expected}, found {found}"));
        }
    }
    Ok(())
}

/// A file of the control archive, such as `control` (deb-control(5)).
pub(super) fn control(deb: &[u8], name: &str) -> Option<String> {
    let packed = member(deb, "control.tar.xz")?;
    let reader = liblzma::read::XzDecoder::new_multi_decoder(packed).take(CONTROL);
    let mut archive = tar::Archive::new(reader);
    let mut members = Members::of(&mut archive).ok()?.map_while(Result::ok);
    let mut control = members.find(|member| {
        let path = member.path.strip_prefix(".").unwrap_or(&member.path);
        path == Path::new(name)
    })?;
    let mut text = String::new();
    control.entry.read_to_string(&mut text).ok()?;
    Some(text)
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
