//! Documents of an image that say two things, or too much.

use content::{Digest, limits};
use oci::{Descriptor, Image, Index, Manifest, media};
use serde_json::{Value, json};

use crate::{Case, case, said};

pub const CASES: &[Case] = &[
    ("manifest_as_it_should_be", || manifest(|_| {})),
    // 10
    ("many_layers_fail", || {
        manifest(|manifest| {
            let layer = manifest["layers"][0].clone();
            manifest["layers"] = vec![layer; limits::LAYERS + 1].into();
        })
    }),
    ("large_manifest_fail", || {
        let good = String::from_utf8(case::stored(&case::FILES).manifest).unwrap();
        let large = format!("{good}{}", " ".repeat(4 << 20));
        said(Manifest::parse(large.as_bytes()))
    }),
    // 14
    ("manifest_that_is_also_an_index_fail", || {
        manifest(|manifest| manifest["manifests"] = json!([]))
    }),
    ("index_that_is_also_a_manifest_fail", || {
        let mut index = serde_json::to_value(Index::new(vec![])).unwrap();
        index["layers"] = json!([]);
        said(Index::parse(index.to_string().as_bytes()))
    }),
    ("index_for_a_manifest_fail", || {
        said(Manifest::parse(&Index::new(vec![]).to_bytes().unwrap()))
    }),
    ("manifest_that_says_it_is_an_index_fail", || {
        manifest(|manifest| manifest["mediaType"] = media::INDEX.into())
    }),
    ("configuration_of_another_image_fail", || {
        let one = case::stored(&case::FILES);
        let other = case::stored(&[("workload", b"other".as_slice())]);
        said(Image::parse(one.manifest, other.config))
    }),
    // 15
    ("digest_in_capitals_fail", || {
        let digest = format!("sha256:{}", Digest::of(b"x").hex().to_uppercase());
        manifest(|manifest| manifest["layers"][0]["digest"] = digest.into())
    }),
    ("digest_of_another_length_fail", || {
        manifest(|manifest| manifest["layers"][0]["digest"] = "sha256:00".into())
    }),
    // 18
    ("layers_in_another_case_fail", || {
        manifest(|manifest| {
            let evil = Descriptor::of(media::LAYER_GZIP, b"evil");
            manifest["Layers"] = json!([evil]);
        })
    }),
    ("layers_with_a_long_s_fail", || {
        manifest(|manifest| {
            let evil = Descriptor::of(media::LAYER_GZIP, b"evil");
            manifest["layer\u{17f}"] = json!([evil]);
        })
    }),
    ("array_for_a_descriptor_fail", || {
        manifest(|manifest| {
            let config = manifest["config"].as_object().unwrap().values();
            manifest["config"] = config.cloned().collect();
        })
    }),
];

fn manifest(change: impl FnOnce(&mut Value)) -> String {
    let stored = case::stored(&case::FILES);
    let mut manifest = serde_json::from_slice(&stored.manifest).unwrap();
    change(&mut manifest);
    said(Manifest::parse(manifest.to_string().as_bytes()))
}
