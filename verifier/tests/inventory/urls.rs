//! Package URLs that a reader of names would not see.

use std::collections::BTreeMap;

use content::Digest;
use serde_json::{Value, json};

use crate::world::{CRATES, Case};

#[test]
fn a_package_url_beside_the_first_is_found() {
    let mut bill = attest::Sbom::new();
    for (name, version) in CRATES {
        bill.add_crate(name, version, Digest::of(name.as_bytes()));
    }
    let spdx = bill.to_spdx(&attest::sbom::Spdx {
        image: Digest::of(b"manifest"),
        sha1: &BTreeMap::new(),
        created: "2026-11-28T19:09:00Z",
        application: None,
    });
    let mut spdx: Value = serde_json::from_slice(&spdx.unwrap()).unwrap();
    let packages = spdx["packages"].as_array_mut().unwrap();
    let ring = packages.iter_mut().find(|one| one["name"] == "ring");
    let references = ring.unwrap()["externalRefs"].as_array_mut().unwrap();
    let mut other = references[0].clone();
    other["referenceLocator"] = "pkg:cargo/openssl@0.10.0".into();
    references.push(other);
    let (faults, _) = Case::honest().compared(spdx.to_string().as_bytes());
    let expected = "component ring 0.17.14 has several package URLs".to_owned();
    assert!(faults.contains(&expected), "{faults:?}");
}

/// People read the name of the subject, and programs its package URL.
#[test]
fn the_package_url_of_the_subject_names_it() {
    let mut case = Case::honest();
    let subject = case.components[3].clone();
    case.remove(3);
    let document = |subject: &Value| {
        json!({
            "bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"component": subject},
            "components": case.components,
        })
        .to_string()
    };
    let found = |subject: &Value| case.compared(document(subject).as_bytes()).0;
    assert_eq!(found(&subject), Vec::<String>::new());
    let mut renamed = subject;
    renamed["name"] = "harmless".into();
    let expected = "component harmless 0.17.14 has the package URL of ring 0.17.14";
    assert_eq!(found(&renamed), [expected]);
}
