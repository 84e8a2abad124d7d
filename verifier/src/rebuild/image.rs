//! Which image of the source is built, if it describes several.

use std::collections::BTreeSet;
use std::path::Path;

use attest::ImageName;
use console::at::At;
use console::hint::Hinted;

use super::error::RebuildError;

/// Maximum number of names in an error message.
const SHOWN: usize = 16;
/// The file that the builder writes beside the layouts of several images.
const LIST: &str = "images.json";
const CHOOSE: &str = "name one of them: as `image` in [source] of the policy, or with --image";

/// The image that provenance names, if any does. If there are several, none is preferred.
///
/// # Errors
/// Provenance names several.
pub fn only(named: &BTreeSet<ImageName>) -> Result<Option<ImageName>, Hinted> {
    match named.len() {
        0 | 1 => Ok(named.first().cloned()),
        _ => {
            let names = shown(named.iter().map(ImageName::as_str));
            let several = format_args!("choosing an image: provenance names {names}");
            Err(Hinted::new(several).hinting(CHOOSE))
        }
    }
}

/// Checks that one image was built, and not all that the source describes.
///
/// # Errors
/// There are the layouts of several.
pub(super) fn check_single(layout: &Path) -> Result<(), RebuildError> {
    if !layout.join(LIST).is_file() {
        return Ok(());
    }
    let entries = std::fs::read_dir(layout).map_err(At::reading(layout))?;
    let folders = entries.flatten().filter(|entry| entry.path().is_dir());
    let names = folders.filter_map(|entry| entry.file_name().into_string().ok());
    let names: BTreeSet<_> = names.collect();
    let names = shown(names.iter().map(String::as_str));
    Err(RebuildError::source(
        format_args!("reading source: Image.toml describes several images: {names}"),
        CHOOSE,
    ))
}

/// Compares the image that was to be built with the one that was built.
///
/// # Errors
/// They differ.
pub(super) fn compare(
    ordered: Option<&ImageName>,
    built: Option<&str>,
) -> Result<(), RebuildError> {
    let ordered = ordered.map(ImageName::as_str);
    match ordered == built {
        true => Ok(()),
        false => {
            let shown =
                |name: Option<&str>| name.map_or("none".to_owned(), |name| format!("{name:?}"));
            Err(RebuildError::other("image", shown(ordered), shown(built)))
        }
    }
}

fn shown<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<_> = names.take(SHOWN + 1).collect();
    if names.len() > SHOWN {
        names[SHOWN] = "and more";
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ImageName {
        text.parse().unwrap()
    }

    #[test]
    fn several_names_are_an_error() {
        assert_eq!(only(&BTreeSet::new()).unwrap(), None);
        let server = name("server");
        let one = only(&[server.clone()].into()).unwrap();
        assert_eq!(one, Some(server.clone()));
        let error = only(&[server, name("worker")].into()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "choosing an image: provenance names server, worker"
        );
        let many = (0..20).map(|number| name(&format!("a{number}")));
        let error = only(&many.collect()).unwrap_err().to_string();
        assert!(error.ends_with(", and more"), "{error}");
    }

    #[test]
    fn another_image_than_was_requested_is_refused() {
        let server = name("server");
        compare(None, None).unwrap();
        compare(Some(&server), Some("server")).unwrap();
        for (ordered, built, found) in [
            (
                Some(&server),
                Some("worker"),
                "\"server\", found \"worker\"",
            ),
            (Some(&server), None, "\"server\", found none"),
            (None, Some("worker"), "none, found \"worker\""),
        ] {
            let error = compare(ordered, built).unwrap_err().to_string();
            let expected = format!("reading rebuilt layout: expected image {found}");
            assert_eq!(error, expected);
        }
    }

    #[test]
    fn the_layouts_of_several_images_are_named() {
        let layout = tempfile::tempdir().unwrap();
        check_single(layout.path()).unwrap();
        std::fs::write(layout.path().join(LIST), "[]").unwrap();
        for image in ["worker", "server"] {
            std::fs::create_dir(layout.path().join(image)).unwrap();
        }
        let error = check_single(layout.path()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "reading source: Image.toml describes several images: server, worker"
        );
        assert_eq!(error.hint(), Some(CHOOSE));
    }
}
