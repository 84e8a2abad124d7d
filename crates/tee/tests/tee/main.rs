//! The library against fake services: what it accepts, and what it refuses.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod access;
mod binding;
mod carried;
#[path = "../fake/http.rs"]
mod http;
#[path = "../fake/keys.rs"]
mod keys;
mod quorum;
mod registry;
#[path = "../fake/signers.rs"]
mod signers;
mod signing;
mod tokens;
mod world;

use tee::{Bound, Error, Patience, Quorum, Repository, Source};

use signers::{REPOSITORY, Signer, party};
use world::World;

/// Binds without waiting.
fn bind(world: &World, quorum: &Quorum, sources: &[Source]) -> Result<Bound, Error> {
    let (tee, identity) = (world.tee(), world.identity());
    quorum.bind(&tee, &identity, sources, &Patience::NONE)
}

/// Two parties, one key each, in the repository of the tests.
fn two() -> ([Signer; 2], Quorum) {
    let signers = [Signer::p256(), Signer::ed25519()];
    let parties = vec![party("acme", &[&signers[0]]), party("bank", &[&signers[1]])];
    let quorum = Quorum::all(parties).unwrap();
    let repository = Repository::parse(REPOSITORY).unwrap();
    (signers, quorum.in_repository(repository))
}

/// The message of a refusal; anything else fails the test.
#[track_caller]
fn refused<T>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Refused(refusal)) => refusal.to_string(),
        Err(other) => panic!("not refused: {other}"),
        Ok(_) => panic!("not refused"),
    }
}

/// The message of an error that is no refusal.
#[track_caller]
fn failed<T>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Refused(refusal)) => panic!("refused: {refusal}"),
        Err(other) => other.to_string(),
        Ok(_) => panic!("not failed"),
    }
}
