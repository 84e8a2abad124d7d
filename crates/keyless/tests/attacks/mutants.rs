//! Ambiguous JSON, and mutants of a good bundle. `just soak` tries more of them.

use super::*;
use testkit::mutate::{Random, Seed};

#[test]
fn refuses_ambiguous_and_large_json() {
    let world = World::new();
    let good = world.bundle().to_string();
    let trusted = world::trusted();
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

/// A mutant is refused, or says what the bundle said.
#[test]
fn no_mutant_means_something_else() {
    let world = World::new();
    let (root, good) = (world.root(), world.bundle());
    let expected = judge(&root, &good).unwrap();
    let trusted = world::trusted();
    let (seed, mut random) = (Seed::new(good.to_string()), Random::new(1));
    let mut accepted = 0;
    for _ in 0..2000 {
        let mutant = seed.mutant(&seed, &mut random);
        let text = String::from_utf8_lossy(&mutant);
        if let Ok(found) = judge_as(&root, &text, &trusted, now()) {
            assert_eq!(found, expected, "{text}");
            accepted += 1;
        }
    }
    // Few changes mean nothing: white space, other base64, a member that may be absent.
    assert!((20..500).contains(&accepted), "{accepted}");
}
