//! Attestation tokens for relying parties.

use std::sync::Mutex;
use std::time::Duration;

use tee::{Digest, Patience, Quorum, Source, TokenKind, TokenRequest};

use crate::world::{NOW, World, image};
use crate::{Signer, failed, party, refused};

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
fn an_identity_is_what_the_token_states() {
    let world = World::new();
    world.state.lock().unwrap().passed = Duration::from_secs(1);
    let identity = world.identity();
    assert_eq!(identity.image_digest(), image());
    assert_eq!(identity.issued_at(), NOW + 1);
    assert!(identity.signers().is_empty());
}

#[test]
fn signatures_of_another_image_do_not_count() {
    let (world, signer) = (World::new(), Signer::p256());
    world.state.lock().unwrap().signed = vec![signer.id()];
    let quorum = Quorum::all(vec![party("acme", &[&signer])]).unwrap();
    let (tee, identity) = (world.tee(), world.identity());
    let bind = || quorum.bind(&tee, &identity, &[Source::Token], &Patience::NONE);
    assert!(bind().is_ok());
    world.state.lock().unwrap().image = |_| Digest::of(b"another");
    assert!(refused(bind()).ends_with("not signed by acme"));
}

#[test]
fn an_identity_is_asked_for_again_while_the_wait_lasts() {
    let world = World::new();
    let tee = world.tee();
    world.state.lock().unwrap().outages = 4;
    let error = failed(Patience::NONE.identity(&tee));
    assert!(error.contains("the service answered 503"), "{error}");

    world.state.lock().unwrap().outages = 9;
    let told = Mutex::new(Vec::new());
    let patience = Patience {
        wait: Duration::from_secs(30),
        tell: &|why| told.lock().unwrap().push(why.to_owned()),
    };
    assert_eq!(patience.identity(&tee).unwrap().image_digest(), image());
    let told = told.into_inner().unwrap();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("the service answered 503"), "{told:?}");
}
