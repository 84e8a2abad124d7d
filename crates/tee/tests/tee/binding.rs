//! Late binding by the claims of the token, thresholds, waiting and expiry.

use std::sync::Mutex;
use std::time::Duration;

use tee::{Carrier, Digest, Error, Party, Patience, Quorum, Source};

use crate::signers::REPOSITORY;
use crate::world::{ATTRIBUTE, NOW, World, flavored, image};
use crate::{Signer, bind, failed, party, refused, two};

#[test]
fn the_token_names_who_has_signed() {
    let (world, signers) = (World::new(), [Signer::p256(), Signer::p256()]);
    let parties = vec![
        Party::by_id("acme", signers[0].public().id()),
        party("bank", &[&signers[1]]),
    ];
    let quorum = Quorum::all(parties).unwrap();
    let unsigned = refused(bind(&world, &quorum, &[Source::Token]));
    let expected = format!(
        "checking signatures on {}: not signed by acme, bank; the launcher found no signature at all",
        image()
    );
    assert!(unsigned.starts_with(&expected), "{unsigned}");
    assert!(unsigned.contains("tee-signed-image-repos"), "{unsigned}");

    world.state.lock().unwrap().signed = vec![signers[0].id(), "00".to_owned()];
    let expected = format!("checking signatures on {}: not signed by bank", image());
    assert_eq!(refused(bind(&world, &quorum, &[Source::Token])), expected);

    world.state.lock().unwrap().signed.push(signers[1].id());
    let bound = bind(&world, &quorum, &[Source::Token]).unwrap();
    assert_eq!(bound.signers(), ["acme", "bank"]);
    assert_eq!(bound.image_digest(), image());
}

#[test]
fn a_party_counts_once_whatever_it_signs_with() {
    let world = World::new();
    let keys = [Signer::p256(), Signer::p256(), Signer::p256()];
    let parties = vec![
        party("acme", &[&keys[0], &keys[1]]),
        party("bank", &[&keys[2]]),
        Party::by_id("clinic", Digest::of(b"clinic")),
    ];
    let quorum = Quorum::all(parties).unwrap().at_least(2).unwrap();
    world.state.lock().unwrap().signed = vec![keys[0].id(), keys[1].id(), keys[0].id()];
    let expected = format!(
        "checking signatures on {}: signed by 1 of the 2 that are required, not by bank, clinic",
        image()
    );
    assert_eq!(refused(bind(&world, &quorum, &[Source::Token])), expected);
    world.state.lock().unwrap().signed = vec![keys[1].id(), keys[2].id()];
    let bound = bind(&world, &quorum, &[Source::Token]).unwrap();
    assert_eq!(
        (bound.signers(), bound.parties()),
        (&["acme".to_owned(), "bank".to_owned()][..], 3)
    );
}

#[test]
fn a_late_signature_is_waited_for() {
    let (world, signer) = (World::new(), Signer::p256());
    let quorum = Quorum::all(vec![party("acme", &[&signer])]).unwrap();
    let (id, mut rounds) = (signer.id(), 0);
    world.while_asleep(move |state| {
        rounds += 1;
        state.signed = if rounds == 3 {
            vec![id.clone()]
        } else {
            Vec::new()
        };
    });
    let told = Mutex::new(Vec::new());
    let tell = |missing: &str| told.lock().unwrap().push(missing.to_owned());
    let patience = |seconds| Patience {
        wait: Duration::from_secs(seconds),
        tell: &tell,
    };
    let (tee, identity) = (world.tee(), world.identity());
    let bound = quorum.bind(&tee, &identity, &[Source::Token], &patience(60));
    assert_eq!(bound.unwrap().signers(), ["acme"]);
    assert_eq!(world.state.lock().unwrap().passed, Duration::from_secs(45));
    assert_eq!(told.lock().unwrap().len(), 1, "who is missing is said once");

    world.state.lock().unwrap().signed.clear();
    let late = quorum.bind(&tee, &identity, &[Source::Token], &patience(31));
    assert!(refused(late).contains("not signed by acme"));
    assert_eq!(world.state.lock().unwrap().passed, Duration::from_secs(76));
}

#[test]
fn a_program_that_is_told_to_stop_waits_no_longer() {
    let (world, (_, quorum)) = (World::new(), two());
    let (tee, identity) = (world.tee(), world.identity());
    let patience = Patience {
        wait: Duration::from_secs(60),
        tell: &|_| {},
    };
    world.state.lock().unwrap().is_stopped = true;
    for source in [Source::Token, Source::Metadata] {
        let stopped = quorum.bind(&tee, &identity, &[source], &patience);
        assert!(matches!(stopped, Err(Error::Stopped(_))));
    }
    world.state.lock().unwrap().outages = u32::MAX;
    assert!(matches!(patience.identity(&tee), Err(Error::Stopped(_))));
    // One pause each.
    assert_eq!(world.state.lock().unwrap().passed, Duration::from_secs(45));
}

#[test]
fn what_was_verified_counts_when_it_is_gone() {
    let (world, (signers, quorum)) = (World::new(), two());
    // The launcher's cache is emptied when its registry fails, while the other signature comes.
    world.state.lock().unwrap().signed = vec![signers[0].id()];
    let late = format!("[{}]", signers[1].carried(image(), REPOSITORY));
    world.while_asleep(move |state| {
        state.signed.clear();
        let value = flavored(200, late.as_bytes());
        state.answers.insert(ATTRIBUTE.to_owned(), value);
    });
    let patience = Patience {
        wait: Duration::from_secs(20),
        tell: &|_| {},
    };
    let sources = [Source::Token, Source::Metadata];
    let bound = quorum.bind(&world.tee(), &world.identity(), &sources, &patience);
    assert_eq!(bound.unwrap().signers(), ["acme", "bank"]);
}

#[test]
fn a_source_that_fails_decides_nothing() {
    let (world, (signers, quorum)) = (World::new(), two());
    world.answer(ATTRIBUTE, flavored(500, b""));
    let given = |signers: &[Signer]| Source::Given {
        by: Carrier::Arguments,
        arrays: signers
            .iter()
            .map(|one| format!("[{}]", one.carried(image(), REPOSITORY)))
            .collect(),
    };
    let sources = [Source::Metadata, given(&signers)];
    assert!(bind(&world, &quorum, &sources).is_ok());
    let sources = [Source::Metadata, given(&signers[..1])];
    let error = failed(bind(&world, &quorum, &sources));
    assert!(
        error.starts_with(
            "reading metadata countersign-signatures of the instance: the service answered 500"
        ),
        "{error}"
    );
}

#[test]
fn a_source_that_failed_and_recovered_is_no_error() {
    let (world, (_, quorum)) = (World::new(), two());
    world.answer(ATTRIBUTE, flavored(500, b""));
    world.while_asleep(|state| drop(state.answers.remove(ATTRIBUTE)));
    let told = Mutex::new(String::new());
    let patience = Patience {
        wait: Duration::from_secs(10),
        tell: &|missing| *told.lock().unwrap() += missing,
    };
    let (tee, identity) = (world.tee(), world.identity());
    let bound = quorum.bind(&tee, &identity, &[Source::Metadata], &patience);
    assert!(refused(bound).ends_with("not signed by acme, bank"));
    let told = told.into_inner().unwrap();
    assert!(
        told.contains("; reading metadata countersign-signatures of the instance: "),
        "{told}"
    );
}

#[test]
fn a_quorum_expires_by_the_time_of_the_token() {
    let (world, signer) = (World::new(), Signer::p256());
    world.state.lock().unwrap().signed = vec![signer.id()];
    let quorum = Quorum::all(vec![party("acme", &[&signer])]).unwrap();
    assert!(bind(&world, &quorum.clone().until(NOW + 1), &[Source::Token]).is_ok());
    let expected = format!(
        "checking the terms of {}: they have expired at {NOW}, and the token was issued at {NOW} (Unix seconds)",
        image()
    );
    assert_eq!(
        refused(bind(&world, &quorum.clone().until(NOW), &[Source::Token])),
        expected
    );

    world.state.lock().unwrap().signed.clear();
    let id = signer.id();
    world.while_asleep(move |state| state.signed = vec![id.clone()]);
    let patience = Patience {
        wait: Duration::from_secs(60),
        tell: &|_| {},
    };
    let until = quorum.until(NOW + 10);
    let late = until.bind(&world.tee(), &world.identity(), &[Source::Token], &patience);
    assert!(refused(late).contains("they have expired"));
}

#[test]
fn metadata_that_change_end_the_pause() {
    let (world, (signers, quorum)) = (World::new(), two());
    let array = |signers: &[Signer]| {
        let signed: Vec<_> = signers
            .iter()
            .map(|one| one.carried(image(), REPOSITORY))
            .collect();
        serde_json::Value::from(signed).to_string().into_bytes()
    };
    let (first, both) = (array(&signers[..1]), array(&signers));
    let etag = flavored(200, &first).headers[1].1.clone();
    let change = format!("{ATTRIBUTE}?wait_for_change=true&timeout_sec=15&last_etag={etag}");
    world.answer(ATTRIBUTE, flavored(200, &first));
    let patience = Patience {
        wait: Duration::from_secs(60),
        tell: &|_| {},
    };
    let (tee, identity) = (world.tee(), world.identity());
    // The server answers without a change: the rest of the pause is slept.
    world.answer(&change, flavored(200, &first));
    world.while_asleep(move |state| {
        let value = flavored(200, &both);
        state.answers.insert(ATTRIBUTE.to_owned(), value.clone());
        state.answers.insert(change.clone(), value);
    });
    let bound = quorum.bind(&tee, &identity, &[Source::Metadata], &patience);
    assert_eq!(bound.unwrap().signers(), ["acme", "bank"]);
    assert_eq!(world.state.lock().unwrap().passed, Duration::from_secs(15));
    assert_eq!(world.calls_to("wait_for_change"), 1);

    // The server answers with a change: the pause is short.
    world.answer(ATTRIBUTE, flavored(200, &first));
    let begun = world.state.lock().unwrap().passed;
    let bound = quorum.clone().at_least(1).unwrap();
    assert!(
        bound
            .bind(&tee, &identity, &[Source::Metadata], &patience)
            .is_ok()
    );
    let told = Mutex::new(0);
    let patience = Patience {
        wait: Duration::from_secs(60),
        tell: &|_| {
            *told.lock().unwrap() += 1;
            world.answer(ATTRIBUTE, flavored(200, &array(&signers)));
        },
    };
    assert!(
        quorum
            .bind(&tee, &identity, &[Source::Metadata], &patience)
            .is_ok()
    );
    assert_eq!(*told.lock().unwrap(), 1);
    let passed = world.state.lock().unwrap().passed;
    assert_eq!(passed - begun, Duration::from_secs(2));
}

#[test]
fn a_rest_of_a_second_is_slept() {
    let (world, (_, quorum)) = (World::new(), two());
    world.answer(ATTRIBUTE, flavored(200, b"[]"));
    let patience = Patience {
        wait: Duration::from_millis(15_500),
        tell: &|_| {},
    };
    let (tee, identity) = (world.tee(), world.identity());
    refused(quorum.bind(&tee, &identity, &[Source::Metadata], &patience));
    assert_eq!(world.calls_to("timeout_sec=15&"), 1);
    assert_eq!(world.calls_to("timeout_sec=0&"), 0);
}
