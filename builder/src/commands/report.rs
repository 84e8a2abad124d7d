//! What `build` and `digest` print.

use std::path::Path;
use std::time::Duration;

use builder::build::Built;
use builder::image::assemble::Identities;
use builder::image::{BuiltImage, several};
use serde_json::{Value, json};

use crate::cli::How;

/// The only image: the one that was chosen, or that has no name.
pub fn only<'a>(built: &'a Built, how: &How) -> Option<&'a BuiltImage> {
    let mut images = built.images.iter();
    images.find(|image| how.image.is_some() || image.name.is_none())
}

/// The digest of the only image, or a line with name and digest of each.
pub fn digest(built: &Built, how: &How) -> String {
    match only(built, how) {
        Some(only) => only.identities.image_digest.to_string(),
        None => table(built, |identities| identities.image_digest.to_string()),
    }
}

/// Both digests of the only image, or a line with name and digests of each.
pub fn digests(built: &Built, how: &How) -> String {
    match only(built, how) {
        Some(only) => {
            let (digest, id) = (only.identities.image_digest, only.identities.image_id);
            format!("image_digest {digest}\nimage_id {id}")
        }
        None => table(built, |identities| {
            format!("{} {}", identities.image_digest, identities.image_id)
        }),
    }
}

fn table(built: &Built, digests: impl Fn(&Identities) -> String) -> String {
    let named = built.images.iter().filter_map(|image| {
        let name = image.name.as_ref()?.as_str();
        Some((name, digests(&image.identities)))
    });
    let named: Vec<_> = named.collect();
    let width = named.iter().map(|(name, _)| name.len()).max();
    let width = width.unwrap_or_default();
    let lines = named
        .iter()
        .map(|(name, digests)| format!("{name:<width$}  {digests}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Everything as JSON. `output` is where the layouts are, if any were written.
pub fn json(built: &Built, how: &How, output: Option<&Path>, elapsed: Duration) -> String {
    let mut report = json!({
        "source": {"commit": built.commit, "tree": built.tree},
        "lock": built.lock,
        "seconds": elapsed.as_secs(),
    });
    let of = |image: &BuiltImage| {
        let name = image.name.as_ref();
        let layout = output.map(|output| several::layout(output, how.image.as_ref(), name));
        let mut one = json!({
            "image_digest": image.identities.image_digest,
            "image_id": image.identities.image_id,
            "layout": layout,
        });
        if let Some(name) = name {
            one["name"] = Value::from(name.as_str());
        }
        one
    };
    match only(built, how).map(of) {
        Some(Value::Object(mut only)) => {
            if let Value::Object(report) = &mut report {
                report.append(&mut only);
            }
        }
        _ => report["images"] = built.images.iter().map(of).collect(),
    }
    report.to_string()
}
