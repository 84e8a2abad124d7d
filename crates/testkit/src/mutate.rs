//! Mutants of an input: copies with one to three changes. The changes are those that make parsers disagree: other
//! bytes; in JSON also siblings that differ in case, names given twice, arrays for objects, null, and other spellings
//! of the same value; in text also other base64, and the same changes inside what the base64 contains.

mod bytes;
mod json;
mod spelling;
mod text;
mod tree;

pub use tree::Tree;

/// Pseudorandom numbers (Marsaglia's xorshift), the same for one seed on each machine.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The numbers of a seed.
    pub fn new(seed: u64) -> Self {
        // Steele, Lea, Flood: SplitMix. It makes neighbouring seeds differ, and none of them zero.
        let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self((mixed ^ (mixed >> 31)) | 1)
    }

    /// A number from 0 up to and without `bound`; 0 if `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let bound = bound.max(1) as u64;
        usize::try_from((self.0 >> 11) % bound).unwrap_or_default()
    }

    /// One of `choices`, which is not empty.
    pub fn choose<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}

/// An input that a parser accepts.
#[derive(Clone, Debug)]
pub struct Seed {
    bytes: Vec<u8>,
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    Json(Tree),
    Text(String),
    Binary,
}

impl Seed {
    /// An input, whose form is found by parsing it.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        let form = match (Tree::parse(&bytes), std::str::from_utf8(&bytes)) {
            (Some(tree), _) => Form::Json(tree),
            (None, Ok(text)) => Form::Text(text.to_owned()),
            (None, Err(_)) => Form::Binary,
        };
        Self { bytes, form }
    }

    /// The input itself.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A changed copy. Parts of `other` may be in it.
    pub fn mutant(&self, other: &Self, random: &mut Random) -> Vec<u8> {
        match (&self.form, random.below(4)) {
            (Form::Json(tree), 1..) => json::mutant(tree, random),
            (Form::Text(text), 1..) => text::mutant(text, random).into_bytes(),
            _ => bytes::mutant(&self.bytes, &other.bytes, random),
        }
    }
}

/// The number of changes of one mutant: mostly one, since a second one may be refused in place of the first.
fn changes(random: &mut Random) -> usize {
    *random.choose(&[1, 1, 1, 1, 2, 3])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn mutants(seed: &str, count: usize) -> Vec<String> {
        let (seed, mut random) = (Seed::new(seed), Random::new(1));
        let mutants = (0..count).map(|_| seed.mutant(&seed, &mut random));
        mutants
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .collect()
    }

    #[test]
    fn a_seed_has_the_same_mutants_each_time() {
        let text = r#"{"a":[1,"eyJhIjoxfQ=="],"b":null}"#;
        assert_eq!(mutants(text, 100), mutants(text, 100));
        let distinct: BTreeSet<_> = mutants(text, 1000).into_iter().collect();
        assert!(distinct.len() > 400, "{}", distinct.len());
    }

    /// Each change that is listed above is among the mutants of a document.
    #[test]
    fn documents_are_changed_in_each_way() {
        let document = r#"{"name":{"key":"eyJhIjp7ImIiOjF9fQ==","number":7}}"#;
        let mutants: BTreeSet<_> = mutants(document, 30_000).into_iter().collect();
        let key = r#""key":"eyJhIjp7ImIiOjF9fQ==""#;
        for expected in [
            r#"{"name":null}"#.to_owned(),
            r#"{"name":[{"key":"eyJhIjp7ImIiOjF9fQ==","number":7}]}"#.to_owned(),
            r#"{"name":["eyJhIjp7ImIiOjF9fQ==",7]}"#.to_owned(),
            r#"{"name":[]}"#.to_owned(),
            // Twice, and in another case: beside the name, and in its place.
            document.replace(key, &format!("{key},{key}")),
            document.replace(key, &format!("{key},{}", key.replace("key", "KEY"))),
            document.replace(key, &format!("{},{key}", key.replace("key", "KEY"))),
            document.replace("name", "NAME"),
            document.replace('k', "\u{212a}"),
            // Other spellings of the same value.
            document.replace(r#""name""#, r#""\u006eame""#),
            document.replace(":7", ":7.0"),
            document.replace(":7", ":\"7\""),
            format!("{document}\n"),
            format!("\u{feff}{document}"),
            // Other base64.
            document.replace("==", ""),
            document.replace("9fQ==", "9fR=="),
            document.replace("IiOj", "IiOj\\n"),
            // The same changes inside the base64: null, and another case.
            document.replace("eyJhIjp7ImIiOjF9fQ==", "eyJhIjpudWxsfQ=="),
            document.replace("eyJhIjp7ImIiOjF9fQ==", "eyJBIjp7ImIiOjF9fQ=="),
        ] {
            assert!(mutants.contains(&expected), "{expected}");
        }
    }

    #[test]
    fn parts_of_a_token_are_changed_inside() {
        let mutants = mutants("eyJhIjoxfQ.eyJhIjp7fX0.AAAA", 5000);
        assert!(mutants.contains(&"eyJhIjoxfQ.eyJhIjpudWxsfQ.AAAA".to_owned()));
        assert!(mutants.contains(&"eyJhIjoxfQ.eyJhIjp7fX0.AAAA.".to_owned()));
    }
}
