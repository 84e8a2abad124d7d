//! Which parties are a quorum.

use tee::{Digest, InvalidQuorum, Party, Quorum};

use crate::{Signer, party};

fn error(parties: Vec<Party>) -> InvalidQuorum {
    Quorum::all(parties).unwrap_err()
}

#[test]
fn a_key_belongs_to_one_party() {
    let (one, two) = (Signer::p256(), Signer::p256());
    let (id, key) = (one.public().id(), one.id());
    let shared = |a: &str, b: &str| InvalidQuorum::SharedKey {
        id: key.clone(),
        parties: (a.to_owned(), b.to_owned()),
    };
    let acme = party("acme", &[&two, &one]);
    assert_eq!(
        error(vec![acme.clone(), party("bank", &[&one])]),
        shared("acme", "bank")
    );
    assert_eq!(
        error(vec![acme, Party::by_id("bank", id)]),
        shared("acme", "bank")
    );
    assert_eq!(
        error(vec![party("acme", &[&one, &one])]),
        shared("acme", "acme")
    );
    assert_eq!(
        shared("acme", "bank").to_string(),
        format!("key {key} occurs twice: it is a key of acme and of bank")
    );
}

#[test]
fn a_quorum_can_be_reached() {
    let id = |name: &str| Party::by_id(name, Digest::of(name.as_bytes()));
    assert_eq!(error(Vec::new()), InvalidQuorum::Empty);
    assert_eq!(
        error(vec![id("acme"), Party::by_id("acme", Digest::of(b"x"))]),
        InvalidQuorum::Name("acme".to_owned())
    );
    assert_eq!(
        error(vec![Party::by_keys("acme", Vec::new())]),
        InvalidQuorum::NoKey("acme".to_owned())
    );
    let many = (0..65).map(|number| id(&number.to_string())).collect();
    assert_eq!(error(many), InvalidQuorum::Keys(65));
    let quorum = Quorum::all(vec![id("acme"), id("bank")]).unwrap();
    assert_eq!(quorum.threshold(), 2);
    for (found, is_right) in [(0, false), (1, true), (2, true), (3, false)] {
        let threshold = quorum.clone().at_least(found);
        let expected = InvalidQuorum::Threshold { found, parties: 2 };
        assert_eq!(threshold.err(), (!is_right).then_some(expected), "{found}");
    }
}
