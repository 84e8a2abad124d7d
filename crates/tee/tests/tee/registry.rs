//! Signatures that are fetched from a registry.

use std::time::Duration;

use serde_json::{Value, json};
use tee::{Bound, Carrier, Digest, Error, Quorum, Repository, Source};

use crate::http::Response;
use crate::signers::SIGN;
use crate::world::{NOW, World, image};
use crate::{Signer, bind, failed, refused, two};

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// A registry with a repository, on this machine.
struct Registry {
    world: World,
    signers: [Signer; 2],
    quorum: Quorum,
}

impl Registry {
    fn new() -> Self {
        let (world, (signers, quorum)) = (World::new(), two());
        let repository = format!("127.0.0.1:{}/acme/server", world.port);
        let quorum = quorum.in_repository(Repository::parse(&repository).unwrap());
        Self {
            world,
            signers,
            quorum,
        }
    }

    fn repository(&self) -> String {
        self.quorum.repository().unwrap().to_string()
    }

    fn bind(&self) -> Result<Bound, Error> {
        bind(&self.world, &self.quorum, &[Source::Registry])
    }

    fn put(&self, path: &str, body: &[u8]) {
        let path = format!("/v2/acme/server/{path}");
        self.world.answer(&path, (200, body.to_vec()));
    }

    /// Stores a blob or a manifest; returns its descriptor.
    fn store(&self, kind: &str, media_type: &str, body: &[u8]) -> Value {
        let digest = Digest::of(body);
        self.put(&format!("{kind}/{digest}"), body);
        json!({"mediaType": media_type, "digest": digest, "size": body.len()})
    }

    /// Writes the tag with legacy signatures.
    fn legacy(&self, signatures: &[(Vec<u8>, Vec<u8>)]) {
        let layer = |(payload, signature): &(Vec<u8>, Vec<u8>)| {
            let mut layer = self.store(
                "blobs",
                "application/vnd.dev.cosign.simplesigning.v1+json",
                payload,
            );
            layer["annotations"] =
                json!({"dev.cosignproject.cosign/signature": tee::base64(signature)});
            layer
        };
        let layers: Vec<_> = signatures.iter().map(layer).collect();
        self.tag(".sig", &json!({"schemaVersion": 2, "layers": layers}));
    }

    fn tag(&self, suffix: &str, manifest: &Value) {
        let path = format!("manifests/sha256-{}{suffix}", image().hex());
        self.put(&path, manifest.to_string().as_bytes());
    }

    /// Stores bundles; returns the list of the manifests.
    fn bundles(&self, bundles: &[Value]) -> Value {
        let store = |bundle: &Value| {
            let layer = self.store("blobs", BUNDLE, bundle.to_string().as_bytes());
            let manifest = json!({"schemaVersion": 2, "artifactType": BUNDLE, "layers": [layer], "subject": {"digest": image(), "size": 1}});
            self.store(
                "manifests",
                "application/vnd.oci.image.manifest.v1+json",
                manifest.to_string().as_bytes(),
            )
        };
        json!({"schemaVersion": 2, "manifests": bundles.iter().map(store).collect::<Vec<_>>()})
    }

    fn list(&self, list: &Value) {
        self.put(
            &format!("referrers/{}", image()),
            list.to_string().as_bytes(),
        );
    }
}

#[test]
fn both_layouts_count() {
    let registry = Registry::new();
    let (repository, [acme, bank]) = (registry.repository(), &registry.signers);
    assert!(refused(registry.bind()).ends_with("not signed by acme, bank"));
    registry.legacy(&[acme.payload(image(), &repository)]);
    assert!(refused(registry.bind()).ends_with("not signed by bank"));
    let list = registry.bundles(&[
        acme.bundle("https://slsa.dev/provenance/v1", image(), Some(&repository)),
        bank.bundle(SIGN, image(), Some(&repository)),
    ]);
    registry.list(&list);
    assert_eq!(registry.bind().unwrap().signers(), ["acme", "bank"]);
    assert_eq!(registry.world.calls_to("launcher {}"), 0);
}

#[test]
fn the_list_of_referrers_may_be_under_a_tag() {
    let registry = Registry::new();
    let repository = registry.repository();
    let bundles: Vec<_> = registry
        .signers
        .iter()
        .map(|one| one.bundle(SIGN, image(), Some(&repository)))
        .collect();
    let list = registry.bundles(&bundles);
    registry.tag("", &list);
    assert_eq!(registry.bind().unwrap().signers(), ["acme", "bank"]);
}

#[test]
fn signatures_of_one_party_count_once() {
    let registry = Registry::new();
    let repository = registry.repository();
    let acme = &registry.signers[0];
    let (one, two) = (
        acme.payload(image(), &repository),
        acme.payload(image(), &repository),
    );
    registry.legacy(&[one, two]);
    registry.list(&registry.bundles(&[acme.bundle(SIGN, image(), Some(&repository))]));
    assert!(refused(registry.bind()).ends_with("not signed by bank"));
}

#[test]
fn signatures_for_others_do_not_count() {
    let registry = Registry::new();
    let [acme, bank] = &registry.signers;
    let other = Digest::of(b"another");
    registry.legacy(&[
        acme.payload(image(), "registry.example/acme/server"),
        bank.payload(other, &registry.repository()),
    ]);
    let refusal = refused(registry.bind());
    for reason in [
        "not counted: registry: acme has signed for repository \"registry.example/acme/server\"",
        "not counted: registry: bank has signed another image",
    ] {
        assert!(refusal.contains(reason), "{refusal}");
    }
}

#[test]
fn what_is_damaged_hides_nothing_else() {
    let registry = Registry::new();
    let repository = registry.repository();
    let bundles: Vec<_> = registry
        .signers
        .iter()
        .map(|one| one.bundle(SIGN, image(), Some(&repository)))
        .collect();
    let mut list = registry.bundles(&bundles);
    registry.list(&list);
    registry.tag(".sig", &json!([]));
    assert!(registry.bind().is_ok());

    // A list that has one garbage bundle, one manifest that is gone, and one bundle that is too large.
    let garbage = registry.bundles(&[json!({"x": 1})])["manifests"][0].clone();
    let large = registry.bundles(&[json!("x".repeat(140_000))])["manifests"][0].clone();
    let gone = json!({"digest": Digest::of(b"gone"), "size": 1});
    list["manifests"]
        .as_array_mut()
        .unwrap()
        .splice(0..1, [garbage, large, gone]);
    registry.list(&list);
    let refusal = refused(registry.bind());
    assert!(
        refusal.contains("not signed by acme; not counted: registry: parsing "),
        "{refusal}"
    );
    assert!(refusal.contains("unknown field `x`"), "{refusal}");
}

#[test]
fn changed_bytes_are_an_error() {
    let registry = Registry::new();
    let repository = registry.repository();
    let (payload, signature) = registry.signers[0].payload(image(), &repository);
    registry.legacy(&[(payload.clone(), signature)]);
    registry.put(&format!("blobs/{}", Digest::of(&payload)), b"{}");
    let error = failed(registry.bind());
    assert!(
        error.starts_with("reading signatures from the registry: expected sha256:"),
        "{error}"
    );
}

#[test]
fn an_error_is_not_absence() {
    for status in [401, 403, 418, 500] {
        let registry = Registry::new();
        let path = format!("/v2/acme/server/manifests/sha256-{}.sig", image().hex());
        registry.world.answer(&path, (status, b"no".to_vec()));
        let error = failed(registry.bind());
        let expected =
            format!("reading signatures from the registry: the service answered {status} no");
        assert_eq!(error, expected);
    }
}

#[test]
fn a_token_without_a_password_is_asked_for_and_not_passed_on() {
    let registry = Registry::new();
    let (world, port) = (&registry.world, registry.world.port);
    let (payload, signature) = registry.signers[0].payload(image(), &registry.repository());
    registry.legacy(&[(payload.clone(), signature)]);
    let path = format!("/v2/acme/server/manifests/sha256-{}.sig", image().hex());
    let manifest = world.state.lock().unwrap().answers[&path].clone();
    let realm = format!(
        "Bearer realm=\"http://127.0.0.1:{port}/token\",service=\"here\",scope=\"repository:x:push\""
    );
    let closed = Response {
        headers: vec![("WWW-Authenticate", realm)],
        ..Response::from((401, Vec::new()))
    };
    world.answer(&path, closed);
    world.answer_json(
        "/token?service=here&scope=repository:acme/server:pull",
        &json!({"token": "guest"}),
    );
    // The blob is on another host, as registries have it.
    let elsewhere = format!("http://localhost:{port}/elsewhere?signature=x");
    let redirect = Response {
        headers: vec![("Location", elsewhere)],
        ..Response::from((307, Vec::new()))
    };
    world.answer(
        &format!("/v2/acme/server/blobs/{}", Digest::of(&payload)),
        redirect,
    );
    let blob = Digest::of(&payload);
    world.answer("/elsewhere?signature=x", (200, payload));
    let error = failed(registry.bind());
    assert!(error.contains("the service answered 401"), "{error}");
    assert_eq!(world.calls_to(&format!("{path} [guest]")), 1);

    world.answer(&format!("{path} [guest]"), manifest);
    assert!(refused(registry.bind()).ends_with("not signed by bank"));
    let blob = format!("/v2/acme/server/blobs/{blob} [guest]");
    assert_eq!(world.calls_to(&blob), 1);
    assert_eq!(world.calls_to("GET /elsewhere?signature=x []"), 1);
    assert_eq!(world.calls_to("/elsewhere"), 1, "and never with the token");
}

#[test]
fn a_redirect_leads_nowhere_unsafe() {
    let registry = Registry::new();
    let path = format!("/v2/acme/server/manifests/sha256-{}.sig", image().hex());
    for address in ["http://storage.example/x", "/x", ""] {
        let redirect = Response {
            headers: vec![("Location", address.to_owned())],
            ..Response::from((302, Vec::new()))
        };
        registry.world.answer(&path, redirect);
        let error = failed(registry.bind());
        assert_eq!(
            error,
            "reading signatures from the registry: the answer has no valid location"
        );
    }
}

#[test]
fn a_slow_registry_delays_no_more_than_its_time() {
    let registry = Registry::new();
    let repository = registry.repository();
    let [acme, bank] = &registry.signers;
    let signatures = (0..20).map(|_| acme.payload(image(), &repository));
    let signatures: Vec<_> = signatures.collect();
    registry.legacy(&signatures);
    registry.world.state.lock().unwrap().slowness = Duration::from_secs(25);
    let error = failed(registry.bind());
    assert!(error.ends_with("no answer before the deadline"), "{error}");
    assert_eq!(registry.world.calls_to(" /v2/"), 3);

    // What was read in time counts, and nothing is read once it is enough.
    let enough = registry.quorum.clone().at_least(1).unwrap();
    let sources = [Source::Registry, Source::Metadata];
    let bound = bind(&registry.world, &enough, &sources).unwrap();
    assert_eq!(bound.signers(), ["acme"]);
    assert_eq!(registry.world.calls_to(" /v2/"), 5);
    assert_eq!(registry.world.calls_to("countersign-signatures"), 0);

    let late = enough.until(NOW + 130);
    let carried = format!("[{}]", bank.carried(image(), &repository));
    let given = Source::Given {
        by: Carrier::Arguments,
        arrays: vec![carried],
    };
    assert!(bind(&registry.world, &late, &[given, Source::Registry]).is_ok());
    let refusal = refused(bind(&registry.world, &late, &[Source::Registry]));
    assert!(refusal.contains("they have expired"), "{refusal}");
}

#[test]
fn what_is_no_signature_hides_none() {
    let registry = Registry::new();
    let repository = registry.repository();
    let [acme, bank] = &registry.signers;
    registry.legacy(&[acme.payload(image(), &repository)]);
    let path = format!("/v2/acme/server/manifests/sha256-{}.sig", image().hex());
    let manifest = registry.world.state.lock().unwrap().answers[&path].clone();
    let mut manifest: Value = serde_json::from_slice(&manifest.body).unwrap();
    let other = json!({"digest": Digest::of(b"other"), "size": 1});
    let layers = manifest["layers"].as_array_mut().unwrap();
    layers.splice(0..0, vec![other; 100]);
    registry.tag(".sig", &manifest);

    let bundle = bank.bundle(SIGN, image(), Some(&repository));
    let mut list = registry.bundles(&[bundle]);
    let predicate = |name: &str| json!({"dev.sigstore.bundle.predicateType": name});
    list["manifests"][0]["annotations"] = predicate(SIGN);
    let annotations = predicate("https://slsa.dev/provenance/v1");
    let other = json!({"digest": Digest::of(b"other"), "size": 1, "annotations": annotations});
    let referrers = list["manifests"].as_array_mut().unwrap();
    referrers.splice(0..0, vec![other; 64]);
    registry.list(&list);
    assert_eq!(registry.bind().unwrap().signers(), ["acme", "bank"]);
}
