//! An image by its digest: manifest, configuration and layer.

use std::io::Cursor;

use content::Digest;
use oci::Image;
use verifier::contents::Contents;

use crate::case::{FILES, stored};
use crate::subject::Subject;

pub fn subjects() -> Vec<Subject> {
    let stored = stored(&FILES);
    let digest = Digest::of(&stored.manifest);
    let parts = vec![stored.manifest, stored.config, stored.layer];
    vec![Subject::sealed("image", parts, move |parts| {
        let [manifest, config, layer] = parts else {
            panic!("an image has three parts here");
        };
        let image = Image::parse(manifest.clone(), config.clone()).ok()?;
        if image.image_digest() != digest {
            return None;
        }
        let layer = layer.clone();
        let contents = Contents::read(image, &move |_| Ok(Box::new(Cursor::new(layer.clone()))));
        Some(format!("{:?}", contents.ok()?.flatten()))
    })]
}
