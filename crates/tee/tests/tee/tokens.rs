//! Attestation tokens for relying parties.

use tee::{Digest, TokenKind, TokenRequest};

use crate::refused;
use crate::world::{World, image};

#[test]
fn a_token_has_the_kind_and_the_nonces_that_were_asked_for() {
    let world = World::new();
    let nonces = ["0123456789".to_owned()];
    for (kind, name) in [(TokenKind::Oidc, "OIDC"), (TokenKind::Pki, "PKI")] {
        let request = TokenRequest::new("https://peer.example", &nonces, kind).unwrap();
        let token = world.tee().token(&request).unwrap();
        assert_eq!(token.text().unwrap().split('.').count(), 3);
        let body = format!(
            r#"{{"audience":"https://peer.example","nonces":["0123456789"],"token_type":"{name}"}}"#
        );
        assert_eq!(world.calls_to(&body), 1);
    }
}

#[test]
fn the_keys_of_the_issuer_are_fetched_once() {
    let world = World::new();
    let tee = world.tee();
    let one = tee.identity().unwrap();
    assert_eq!(one.image_digest(), image());
    tee.identity().unwrap();
    assert_eq!(world.calls_to("GET /jwks"), 1);
}

#[test]
fn an_identity_has_an_image() {
    let world = World::new();
    world.state.lock().unwrap().passed = std::time::Duration::from_secs(1);
    assert_eq!(world.identity().issued_at(), crate::world::NOW + 1);
    world.state.lock().unwrap().image = |_| Digest::of(b"another");
    assert_eq!(world.identity().image_digest(), Digest::of(b"another"));
    world.answer("/nothing", (200, Vec::new()));
    let mut swapped = World::new();
    swapped.state.lock().unwrap().image = |audience| Digest::of(audience.as_bytes());
    let identity = swapped.tee().identity().unwrap();
    let quorum = tee::Quorum::all(vec![tee::Party::by_id("acme", Digest::of(b"x"))]).unwrap();
    swapped = World::new();
    let bound = quorum.bind(
        &swapped.tee(),
        &identity,
        &[tee::Source::Token],
        &tee::Patience::NONE,
    );
    assert!(refused(bound).contains("not signed by acme"));
}
