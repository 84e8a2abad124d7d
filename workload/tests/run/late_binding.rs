//! Signatures from other sources than the token.

use serde_json::{Value, json};

use super::*;
use crate::fake::SIGNERS;
use crate::signers::{REPOSITORY, Signer};

/// The signers of the terms, each with a key of its own.
fn signers() -> (Vec<Signer>, Value) {
    let keys: Vec<_> = SIGNERS.iter().map(|_| Signer::p256()).collect();
    let named = SIGNERS.iter().zip(&keys);
    let named = named.map(|(name, key)| json!({"name": name, "keys": [key.pem()]}));
    let named: Vec<_> = named.collect();
    (keys, named.into())
}

fn array(keys: &[Signer]) -> String {
    let signed: Vec<_> = keys
        .iter()
        .map(|key| key.carried(image(), REPOSITORY))
        .collect();
    Value::from(signed).to_string()
}

#[test]
fn signatures_may_come_with_the_start() {
    let (keys, named) = signers();
    for origin in ["argument", "environment"] {
        let services = Services::new();
        both_send(&services);
        let late_binding = json!({"from": [origin], "repository": REPOSITORY});
        let given = |arguments: &[String], variable: Option<String>| {
            let mut state = services.state.lock().unwrap();
            state.binding = Some((named.clone(), late_binding.clone()));
            (state.given.arguments, state.given.variable) = (arguments.to_vec(), variable);
        };
        given(&[], None);
        let missing = format!(
            "checking signatures on {}: not signed by builder, one, two",
            image()
        );
        assert_eq!(refused(services.run().result), missing);
        // What the other way brings is not read.
        match origin {
            "argument" => given(&[], Some(array(&keys))),
            _ => given(&[array(&keys)], None),
        }
        assert_eq!(refused(services.run().result), missing);
        given(&[array(&keys[..1])], Some(array(&keys[..1])));
        let missing = format!("checking signatures on {}: not signed by one, two", image());
        assert_eq!(refused(services.run().result), missing);
        assert_eq!(services.calls_to("POST /v1/"), 0, "no service is called");

        given(&[array(&keys[..1]), array(&keys[1..])], Some(array(&keys)));
        let outcome = services.run();
        outcome.result.unwrap();
        assert!(
            outcome.log.contains("late binding: signed by all 3"),
            "{}",
            outcome.log
        );
        assert_eq!(outcome.printed, "alice 2\n");
        assert_eq!(services.calls_to("GET launcher"), 0);
    }
}

#[test]
fn some_of_the_signers_may_be_enough() {
    let (keys, named) = signers();
    let services = Services::new();
    both_send(&services);
    let late_binding = json!({"from": ["environment"], "repository": REPOSITORY, "threshold": 2});
    let mut state = services.state.lock().unwrap();
    state.binding = Some((named, late_binding));
    state.given.variable = Some(array(&keys[1..]));
    drop(state);
    let outcome = services.run();
    outcome.result.unwrap();
    let expected = "late binding: signed by 2 of 3: one, two";
    assert!(outcome.log.contains(expected), "{}", outcome.log);
}
