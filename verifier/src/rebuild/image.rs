//! Which image of the source is built, if it describes several.

use std::collections::BTreeSet;
use std::path::Path;

use attest::{ImageList, ImageName};
use console::hint::Hinted;
use content::limits;
use serde::Deserialize;

use super::error::RebuildError;

/// Maximum number of names in an error message.
const SHOWN: usize = 16;
/// The description of the images in the source.
const DESCRIPTION: &str = "Image.toml";
const CHOOSE: &str = "name one of them: as `image` in [source] of the policy, or, for `verifier rebuild`, with --image";

/// What a description says of its images: `[[image]]`, each with a name, or `[image]`. The builder checks the rest.
#[derive(Deserialize)]
struct Described {
    image: toml::Value,
}

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

/// Checks, before anything is built, that the source describes one image. What cannot be read here is left to the builder, which says why.
///
/// # Errors
/// It describes several, by their names.
pub(super) fn check_described(directory: &Path) -> Result<(), RebuildError> {
    let Some(toml::Value::Array(images)) = described(&directory.join(DESCRIPTION)) else {
        return Ok(());
    };
    let names = images
        .iter()
        .filter_map(|image| image.get("name")?.as_str());
    let names = names.filter(|name| name.parse::<ImageName>().is_ok());
    Err(several(&names.collect()))
}

fn described(path: &Path) -> Option<toml::Value> {
    // A link may lead out of the source.
    let file = path.symlink_metadata().ok()?.is_file();
    let file = file.then(|| std::fs::File::open(path).ok())??;
    let bytes = content::read_limited(file, limits::DOCUMENT).ok()?;
    let described: Described = content::toml::parse(bytes).ok()?;
    Some(described.image)
}

/// Checks that one image was built, and not all that the source describes.
///
/// # Errors
/// There are the layouts of several, or their list cannot be read.
pub(super) fn check_single(layout: &Path) -> Result<(), RebuildError> {
    let Some(list) = ImageList::read(layout)? else {
        return Ok(());
    };
    Err(several(
        &list
            .images
            .iter()
            .map(|image| image.name.as_str())
            .collect(),
    ))
}

fn several(names: &BTreeSet<&str>) -> RebuildError {
    let names = shown(names.iter().copied());
    RebuildError::source(
        format_args!("reading source: {DESCRIPTION} describes images with names: {names}"),
        CHOOSE,
    )
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
    use attest::ListedImage;
    use content::Digest;

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
    fn the_images_of_a_description_are_named_before_they_are_built() {
        let folder = tempfile::tempdir().unwrap();
        check_described(folder.path()).unwrap();
        let check = |text: &str| {
            std::fs::write(folder.path().join(DESCRIPTION), text).unwrap();
            check_described(folder.path())
        };
        for left_to_the_builder in [
            "[image]\nuser = \"app\"\n",
            "image = 1",
            "[build]",
            "{",
            "\u{0}",
        ] {
            check(left_to_the_builder).unwrap();
        }
        let error = check("[[image]]\nname = \"worker\"\n[[image]]\nname = \"server\"\n[build]\n");
        let error = error.unwrap_err();
        let expected = "reading source: Image.toml describes images with names: server, worker";
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.hint(), Some(CHOOSE));
        std::fs::remove_file(folder.path().join(DESCRIPTION)).unwrap();
        std::os::unix::fs::symlink("/dev/zero", folder.path().join(DESCRIPTION)).unwrap();
        check_described(folder.path()).unwrap();
    }

    #[test]
    fn the_layouts_of_several_images_are_named() {
        let layout = tempfile::tempdir().unwrap();
        check_single(layout.path()).unwrap();
        let list = layout.path().join(ImageList::FILE);
        std::fs::write(&list, "{}").unwrap();
        let damaged = check_single(layout.path()).unwrap_err().to_string();
        assert!(damaged.contains("parsing images.json: "), "{damaged}");
        let images = ["server", "worker"].map(|image| ListedImage {
            name: name(image),
            image_digest: Digest::of(b"manifest"),
            image_id: Digest::of(b"configuration"),
        });
        let images = images.to_vec();
        std::fs::write(&list, ImageList { images }.to_bytes().unwrap()).unwrap();
        let error = check_single(layout.path()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "reading source: Image.toml describes images with names: server, worker"
        );
        assert_eq!(error.hint(), Some(CHOOSE));
    }
}
