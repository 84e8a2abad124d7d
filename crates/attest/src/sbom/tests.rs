use ::sbom::Kind;

use super::*;
use serde_json::json;

fn sbom() -> Sbom {
    let mut sbom = Sbom::new();
    sbom.add_file("/workload", Digest::of(b"binary"));
    sbom.add_crate("ring", "0.17.14", Digest::of(b"ring"));
    let libc = DebianPackage {
        name: "libc6-dev",
        version: "2:2.36-9+deb12u14~x",
        architecture: "amd64",
        distribution: Some("debian-12"),
        source: Some("glibc"),
    };
    sbom.add_package(&libc, Digest::of(b"libc"));
    sbom.add_link("/workload", &package_purl(&libc));
    sbom.add_own_crate("app", "0.1.0", "app", Digest::of(b"source"));
    sbom.add_dependency(APP, "pkg:cargo/ring@0.17.14");
    sbom
}

const APP: &str = "pkg:cargo/app@0.1.0?download_url=file:%2F%2Fapp";

#[test]
fn comes_back_as_it_was() {
    let bytes = sbom().to_bytes().unwrap();
    assert_eq!(bytes, sbom().to_bytes().unwrap());
    let parsed = Sbom::parse(&bytes).unwrap();
    assert_eq!(parsed, sbom());
    let linked: Vec<_> = parsed.linked_into("/workload").collect();
    assert_eq!(linked, [parsed.packages().next().unwrap().purl.as_str()]);
    assert_eq!(
        parsed
            .crates()
            .map(|item| item.purl.as_str())
            .collect::<Vec<_>>(),
        [APP, "pkg:cargo/ring@0.17.14"]
    );
}

#[test]
fn own_crates_differ_from_crates_of_a_registry() {
    let mut sbom = Sbom::new();
    sbom.add_crate("content", "0.1.0", Digest::of(b"other"));
    sbom.add_own_crate("content", "0.1.0", "crates/content", Digest::of(b"source"));
    sbom.add_own_crate("top", "0.1.0", "", Digest::of(b"source"));
    let parsed = Sbom::parse(&sbom.to_bytes().unwrap()).unwrap();
    assert_eq!(parsed, sbom);
    let own = "pkg:cargo/content@0.1.0?download_url=file:%2F%2Fcrates%2Fcontent";
    assert!(parsed.crates().any(|item| item.purl == own));
    assert_eq!(parsed.crates().count(), 3);
}

#[test]
fn has_neither_serial_number_nor_time() {
    let text = String::from_utf8(sbom().to_bytes().unwrap()).unwrap();
    assert!(
        !text.contains("serialNumber") && !text.contains("timestamp"),
        "{text}"
    );
    assert!(text.contains(r#""specVersion":"1.5""#), "{text}");
}

/// With members that say nothing about the image, each as the specification has it.
fn with(members: Value) -> Result<Sbom, Error> {
    let mut document: Value = json::parse(&sbom().to_bytes().unwrap(), 10_000).unwrap();
    let all = document.as_object_mut().unwrap();
    all.extend(members.as_object().unwrap().clone());
    Sbom::parse(document.to_string().as_bytes())
}

#[test]
fn reads_what_the_schema_allows() {
    for members in [
        serde_json::json!({"serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79"}),
        serde_json::json!({"metadata": {"timestamp": "2026-01-02T03:04:05.678Z"}}),
        serde_json::json!({"metadata": {"licenses": [{"license": {"id": "Apache-2.0"}}]}}),
        serde_json::json!({"metadata": {"licenses": [{"expression": "MIT OR Apache-2.0"}]}}),
        serde_json::json!({"services": [{"name": "none"}]}),
        serde_json::json!({"specVersion": "1.6", "declarations": {}}),
        serde_json::json!({"specVersion": "1.7", "citations": []}),
        serde_json::json!({"dependencies": [
            {"ref": "a", "dependsOn": ["b"]},
            {"ref": APP, "dependsOn": ["pkg:cargo/ring@0.17.14"]},
            {"ref": "/workload", "dependsOn": [sbom().packages().next().unwrap().purl]},
        ]}),
    ] {
        assert_eq!(with(members.clone()).unwrap(), sbom(), "{members}");
    }
}

#[test]
fn refuses_what_the_schema_refuses() {
    for members in [
        serde_json::json!({"serialNumber": "3e671687-395b-41f5-a30f-a58921a69b79"}),
        serde_json::json!({"serialNumber": "urn:uuid:3e671687-395b-41f5-a30f"}),
        serde_json::json!({"metadata": {"timestamp": "yesterday"}}),
        serde_json::json!({"metadata": {"timestamp": "2026-01-02"}}),
        serde_json::json!({"metadata": {"timestamp": "20260102T030405Z"}}),
        serde_json::json!({"metadata": {"licenses": [{"license": {"id": "Apache 2"}}]}}),
        serde_json::json!({"metadata": {"licenses": [{"license": {}}]}}),
        serde_json::json!({"metadata": {"licenses": [{"license": {"id": "MIT", "name": "MIT"}}]}}),
        serde_json::json!({"metadata": {"licenses": [{"expression": "MIT"}, {"expression": "ISC"}]}}),
        serde_json::json!({"services": [{}]}),
        serde_json::json!({"services": [{"name": "a", "data": [{"flow": "sideways", "classification": "x"}]}]}),
        serde_json::json!({"services": {}}),
        serde_json::json!({"bomFormat": "cyclonedx"}),
        serde_json::json!({"specVersion": "1.8"}),
        serde_json::json!({"specVersion": 1.5}),
        serde_json::json!({"version": 0}),
        serde_json::json!({"Components": []}),
        serde_json::json!({"other": 1}),
        serde_json::json!({"metadata": []}),
    ] {
        let error = with(members.clone()).unwrap_err();
        assert!(matches!(error, Error::Sbom(_)), "{members}: {error}");
    }
}

#[test]
fn refuses_components_that_readers_would_not_see() {
    let good: Value = json::parse(&sbom().to_bytes().unwrap(), 10_000).unwrap();
    let refused = |reason: &str, change: &dyn Fn(&mut Value)| {
        let mut changed = good.clone();
        change(&mut changed["components"]);
        assert_ne!(changed, good);
        let error = Sbom::parse(changed.to_string().as_bytes()).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}: {reason}");
    };
    // The components: 0 is the file, 1 an own crate, 2 a crate, 3 the package.
    refused("pkg:cargo/", &|all| all[2]["name"] = "other".into());
    refused("pkg:cargo/", &|all| all[2]["version"] = "0.17.15".into());
    refused("pkg:npm/a@1", &|all| all[3]["purl"] = "pkg:npm/a@1".into());
    let kind = "a file, or a library with a purl";
    refused(kind, &|all| all[2]["type"] = "application".into());
    refused(kind, &|all| all[0]["type"] = "library".into());
    refused("SHA-256", &|all| all[0]["hashes"] = Value::Array(vec![]));
    refused("SHA-256", &|all| {
        all[0]["hashes"][0]["alg"] = "SHA-512".into()
    });
    let unreferenced = |component: &Value| {
        let mut component = component.clone();
        component.as_object_mut().unwrap().remove("bom-ref");
        component
    };
    refused("no components inside", &|all| {
        let inner = unreferenced(&all[0]);
        all[1]["components"] = Value::Array(vec![inner]);
    });
    refused("non-unique", &|all| {
        let twice = all[0].clone();
        all.as_array_mut().unwrap().push(twice);
    });
    refused("every component once", &|all| {
        let mut twice = unreferenced(&all[0]);
        twice["description"] = "another".into();
        all.as_array_mut().unwrap().push(twice);
    });
}

fn spdx(sbom: &Sbom, created: &str) -> Vec<u8> {
    let sha1 = BTreeMap::from([("/workload".to_owned(), "0".repeat(40))]);
    let about = Spdx {
        image: Digest::of(b"manifest"),
        sha1: &sha1,
        created,
        application: Some(APP),
    };
    sbom.to_spdx(&about).unwrap()
}

#[test]
fn spdx_has_the_same_components() {
    let created = "2026-11-28T19:09:00Z";
    let bytes = spdx(&sbom(), created);
    assert_eq!(bytes, spdx(&sbom(), created));
    let document = ::sbom::parse(&bytes).unwrap();
    let listed = |kind: Option<Kind>| {
        let all = document
            .components
            .iter()
            .filter(move |one| kind.as_ref().is_none_or(|kind| one.kind == *kind));
        all.map(|one| {
            (
                one.purl().map(str::to_owned),
                one.name.clone(),
                one.digest("SHA-256").map(str::to_owned),
            )
        })
    };
    let files: Vec<_> = listed(Some(Kind::File)).collect();
    let binary = Some(Digest::of(b"binary").hex());
    assert_eq!(files, [(None, "./workload".to_owned(), binary)]);
    let packages: Vec<_> = listed(None).filter(|(purl, ..)| purl.is_some()).collect();
    let expected = sbom().packages.into_values();
    let expected: Vec<_> = expected
        .map(|item| {
            (
                Some(item.purl),
                item.name,
                item.digest.map(|digest| digest.hex()),
            )
        })
        .collect();
    assert_eq!(packages, expected);
}

#[test]
fn only_the_standard_library_of_go_may_have_no_digest() {
    let mut bill = sbom();
    bill.add_standard_library("1.24.4", None);
    assert_eq!(Sbom::parse(&bill.to_bytes().unwrap()).unwrap(), bill);
    let spdx = ::sbom::parse(&spdx(&bill, "2026-11-28T19:09:00Z")).unwrap();
    let purl = "pkg:golang/stdlib@1.24.4";
    let mut listed = spdx.components.iter();
    let listed = listed.find(|one| one.purl() == Some(purl)).unwrap();
    assert_eq!(listed.digest("SHA-256"), None);
    let text = String::from_utf8(bill.to_bytes().unwrap()).unwrap();
    let other = text.replace("stdlib", "stdlib2");
    let refused = Sbom::parse(other.as_bytes()).unwrap_err().to_string();
    assert!(refused.contains("one SHA-256"), "{refused}");
}

#[test]
fn spdx_relates_image_application_and_crates() {
    let bytes = spdx(&sbom(), "2026-11-28T19:09:00Z");
    let document = ::sbom::parse(&bytes).unwrap();
    let named = |reference: &str| {
        let mut all = document.components.iter();
        let found = all.find(|one| one.reference.as_deref() == Some(reference));
        found.map_or("document".to_owned(), |one| one.name.clone())
    };
    let relations = document.relations.iter().map(|relation| {
        let kind = format!("{:?}", relation.kind);
        [named(&relation.from), kind, named(&relation.to)].join(" ")
    });
    let expected = [
        "document Describes image",
        "document Describes app",
        "image Contains ./workload",
        "image Contains app",
        "./workload Other(\"STATIC_LINK\") libc6-dev",
        "app DependsOn ring",
    ];
    assert_eq!(relations.collect::<Vec<_>>(), expected);
}

#[test]
fn spdx_has_the_files_of_packages() {
    let mut sbom = sbom();
    sbom.links.clear();
    let tzdata = DebianPackage {
        name: "tzdata",
        version: "2026a-1",
        architecture: "all",
        distribution: None,
        source: None,
    };
    sbom.add_package(&tzdata, Digest::of(b"tzdata"));
    let purl = "pkg:deb/debian/tzdata@2026a-1?arch=all";
    sbom.add_contained(purl, ["/workload".to_owned()].into_iter());
    let cyclonedx = sbom.to_bytes().unwrap();
    assert_eq!(Sbom::parse(&cyclonedx).unwrap(), sbom);
    let inside = ::sbom::parse(&cyclonedx).unwrap();
    let file = inside.components.iter().find(|one| one.name == "/workload");
    let around = &inside.components[file.unwrap().parent.unwrap()];
    assert_eq!(around.purl(), Some(purl));
    let sha1 = [("/workload".to_owned(), "0".repeat(40))].into();
    let about = Spdx {
        image: Digest::of(b"manifest"),
        sha1: &sha1,
        created: "2026-11-28T19:09:00Z",
        application: Some(APP),
    };
    let bytes = sbom.to_spdx(&about).unwrap();
    assert!(::sbom::parse(&bytes).is_ok());
    let document: Value = serde_json::from_slice(&bytes).unwrap();
    let relations = document["relationships"].as_array().unwrap();
    let package = format!("SPDXRef-Package-{}", Digest::of(purl.as_bytes()).hex());
    let about_it: Vec<_> = relations
        .iter()
        .filter(|one| {
            [&one["spdxElementId"], &one["relatedSpdxElement"]].contains(&&json!(package))
        })
        .map(|one| one["relationshipType"].as_str().unwrap())
        .collect();
    assert_eq!(about_it, ["CONTAINS", "CONTAINS"]);
}

#[test]
fn each_spdx_document_has_a_namespace_of_its_own() {
    let namespace = |bytes: &[u8]| {
        let document: Value = json::parse(bytes, 100_000).unwrap();
        document["documentNamespace"].as_str().unwrap().to_owned()
    };
    let first = namespace(&spdx(&sbom(), "2026-11-28T19:09:00Z"));
    let second = namespace(&spdx(&sbom(), "2026-11-28T19:09:01Z"));
    assert_ne!(first, second);
    for one in [first, second] {
        let parts: Vec<usize> = one
            .strip_prefix("urn:uuid:")
            .unwrap()
            .split('-')
            .map(str::len)
            .collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!((&one[23..24], &one[28..29]), ("8", "8"));
    }
    let none = BTreeMap::new();
    let about = Spdx {
        image: Digest::of(b""),
        sha1: &none,
        created: "2026-11-28T19:09:00Z",
        application: None,
    };
    assert!(sbom().to_spdx(&about).is_err());
}

#[test]
fn the_files_of_a_base_are_inside_it() {
    let mut sbom = sbom();
    let digest = Digest::of(b"base");
    let files = [("/bin/sh".to_owned(), Digest::of(b"sh"))];
    sbom.set_base("registry.example/some/base", digest, files.into_iter());
    let bytes = sbom.to_bytes().unwrap();
    let parsed = Sbom::parse(&bytes).unwrap();
    assert_eq!(parsed, sbom);
    assert_eq!(parsed.base().unwrap().version, digest.to_string());
    assert_eq!(parsed.files().count(), 2);
    let document = ::sbom::parse(&bytes).unwrap();
    let sh = document.components.iter().find(|one| one.name == "/bin/sh");
    let base = &document.components[sh.unwrap().parent.unwrap()];
    assert_eq!(base.name, "registry.example/some/base");
    let text = String::from_utf8(bytes).unwrap();
    for (from, to) in [
        (
            format!("\"content\":\"{}\"", digest.hex()),
            format!("\"content\":\"{}\"", Digest::of(b"other").hex()),
        ),
        ("\"container\"".to_owned(), "\"library\"".to_owned()),
    ] {
        let other = text.replacen(&from, &to, 1);
        assert!(Sbom::parse(other.as_bytes()).is_err(), "{to}");
    }
    let none = ["/bin/sh", "/workload"].map(|path| (path.to_owned(), "0".repeat(40)));
    let about = Spdx {
        image: Digest::of(b"manifest"),
        sha1: &none.into(),
        created: "2026-11-28T19:09:00Z",
        application: Some(APP),
    };
    assert!(::sbom::parse(&sbom.to_spdx(&about).unwrap()).is_ok());
}

#[test]
fn a_file_of_two_packages_is_listed_once() {
    let mut sbom = sbom();
    sbom.links.clear();
    for name in ["first", "second"] {
        sbom.add_wheel(name, "1", Digest::of(name.as_bytes()));
        let purl = wheel_purl(name, "1");
        sbom.add_contained(&purl, ["/workload".to_owned()].into_iter());
    }
    let read = Sbom::parse(&sbom.to_bytes().unwrap()).unwrap();
    assert_eq!(read.delivered().collect::<Vec<_>>(), ["/workload"]);
    assert!(read.contained[&wheel_purl("first", "1")].contains("/workload"));
}
