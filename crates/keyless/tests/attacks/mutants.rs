//! Ambiguous JSON, and random changes of a good bundle.

use super::*;

#[test]
fn refuses_ambiguous_and_large_json() {
    let world = World::new();
    let good = world.bundle().to_string();
    let trusted = Trusted {
        issuer: Some(ISSUER.to_owned()),
        subject: Subject::Exact(SUBJECT.to_owned()),
    };
    let judge = |text: &str| judge_as(&world.root(), text, &trusted, now()).map(drop);
    assert_eq!(judge(&good), Ok(()));
    let twice = good.replacen(
        r#""messageSignature":"#,
        r#""messageSignature":{"signature":""},"messageSignature":"#,
        1,
    );
    let trailing = format!("{good}{{}}");
    let deep = good.replacen(
        '{',
        &format!(r#"{{"x":{}{},"#, "[".repeat(65), "]".repeat(65)),
        1,
    );
    for text in [&twice, &trailing, &deep, "", "null", "[]"] {
        assert_eq!(judge(text), Err(Reason::Json), "{text:.40}");
    }
    let large = format!("{good}{}", " ".repeat(1 << 20));
    assert_eq!(judge(&large), Err(Reason::Size));
}

/// Marsaglia's xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound.max(1) as u64).unwrap()
    }
}

/// The places of all values in a document.
fn places(value: &Value, place: &str, found: &mut Vec<String>) {
    found.push(place.to_owned());
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                places(value, &format!("{place}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                places(value, &format!("{place}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// One change: a value is replaced, or a character of a text.
fn mutate(bundle: &mut Value, random: &mut Random) {
    let mut all = Vec::new();
    places(bundle, "", &mut all);
    let other = bundle
        .pointer(&all[random.below(all.len())])
        .cloned()
        .unwrap();
    let value = bundle.pointer_mut(&all[random.below(all.len())]).unwrap();
    match (random.below(6), &mut *value) {
        (0, value) => *value = Value::Null,
        (1, value) => *value = other,
        (2, value) => *value = json!([value.clone()]),
        (3, Value::Array(items)) => items.extend(items.clone()),
        (_, Value::String(text)) if !text.is_empty() => {
            let at = random.below(text.len());
            let new = char::from(b"AZaz09+/=-_ \n\"{"[random.below(15)]);
            *text = text
                .char_indices()
                .map(|(i, old)| if i == at { new } else { old })
                .collect();
        }
        (_, value) => *value = json!({}),
    }
}

/// A mutant is refused, or says what the bundle said.
#[test]
fn no_mutant_means_something_else() {
    let world = World::new();
    let (root, good) = (world.root(), world.bundle());
    let expected = judge(&root, &good).unwrap();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut accepted = 0;
    for _ in 0..2000 {
        let mut mutant = good.clone();
        mutate(&mut mutant, &mut random);
        if let Ok(found) = judge(&root, &mutant) {
            assert_eq!(found, expected, "{mutant}");
            accepted += 1;
        }
    }
    // Few changes mean nothing: other base64, a member that may be absent.
    assert!(accepted < 400, "{accepted}");
}
