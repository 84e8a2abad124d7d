use std::collections::BTreeMap;

use confidential::event_log::{self, Register, Variable};
use confidential::jwks::{Discovery, KeySet};
use confidential::launch_policy::{LaunchPolicy, MachineImage, Request};
use confidential::{Claims, Token};

use crate::check::{accepted, with_text};

/// A token, and the claims in it as if its signature were valid.
pub fn token(bytes: &[u8]) -> bool {
    with_text(bytes, |text| {
        accepted(Token::parse(text), |token| {
            token.key_id();
            token.certificates();
            let _ = token.verify(|_, _| Ok(()));
        })
    })
}

/// Claims are read as they were written.
pub fn claims(bytes: &[u8]) -> bool {
    accepted(Claims::parse(bytes), |claims| {
        let _ = claims.image_digest();
        let written = serde_json::to_vec(&claims).expect("claims can be written");
        assert_eq!(Claims::parse(&written).ok(), Some(claims));
    })
}

/// A set of keys.
pub fn jwks(bytes: &[u8]) -> bool {
    KeySet::parse(bytes).is_ok()
}

/// A discovery document names the issuer that was asked for.
pub fn discovery(bytes: &[u8]) -> bool {
    let issuer = "https://issuer.example";
    accepted(Discovery::parse(bytes, issuer), |discovery| {
        assert_eq!(discovery.issuer, issuer);
    })
}

/// Events have one encoding only.
pub fn event_log(bytes: &[u8]) -> bool {
    [Register::Pcr, Register::Rtmr]
        .map(|register| {
            accepted(event_log::decode(bytes, register), |events| {
                assert_eq!(event_log::encode(&events, register), bytes);
                event_log::register(&events);
                let _ = event_log::replay(&events);
            })
        })
        .contains(&true)
}

/// An environment variable is read as it was printed.
pub fn variable(bytes: &[u8]) -> bool {
    with_text(bytes, |text| {
        accepted(text.parse::<Variable>(), |variable| {
            assert_eq!(variable.to_string(), text);
        })
    })
}

/// The labels of a launch policy, one `NAME=VALUE` per line.
pub fn labels(bytes: &[u8]) -> bool {
    with_text(bytes, |text| {
        let labels = text.lines().filter_map(|line| line.split_once('='));
        let labels: BTreeMap<_, _> = labels
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        accepted(LaunchPolicy::from_labels(&labels), |policy| {
            let _ = policy.check(&Request::on(MachineImage::Production));
        })
    })
}
