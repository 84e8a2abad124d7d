use serde_json::Value;
use testkit::mutate::{Random, Seed};

/// An input that is accepted, in one or more parts, of which one is changed at a time.
pub struct Subject {
    pub name: &'static str,
    pub parts: Vec<Seed>,
    /// The trusted root with which the parts are judged, if it is none of them.
    pub root: Option<Vec<u8>>,
    pub judge: Judge,
}

type Judge = Box<dyn Fn(&[Vec<u8>]) -> Judged + Send + Sync>;

/// What became of a mutant.
#[derive(Debug, Eq, PartialEq)]
pub enum Judged {
    Refused,
    Same,
    Another { expected: String, found: String },
}

impl Judged {
    pub fn compare(expected: &str, found: &str) -> Self {
        match expected == found {
            true => Self::Same,
            false => Self::Another {
                expected: expected.to_owned(),
                found: found.to_owned(),
            },
        }
    }
}

impl Subject {
    /// An input that is authenticated: a mutant that is accepted must mean what the input means. `read` returns the
    /// meaning of what it accepts.
    pub fn sealed(
        name: &'static str,
        parts: Vec<Vec<u8>>,
        read: impl Fn(&[Vec<u8>]) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let meaning = read(&parts).unwrap_or_else(|| panic!("{name} is refused"));
        let judge = move |parts: &[Vec<u8>]| match read(parts) {
            Some(found) => Judged::compare(&meaning, &found),
            None => Judged::Refused,
        };
        Self::new(name, parts, judge)
    }

    pub fn new(
        name: &'static str,
        parts: Vec<Vec<u8>>,
        judge: impl Fn(&[Vec<u8>]) -> Judged + Send + Sync + 'static,
    ) -> Self {
        assert_eq!(judge(&parts), Judged::Same, "{name}");
        Self {
            name,
            parts: parts.into_iter().map(Seed::new).collect(),
            root: None,
            judge: Box::new(judge),
        }
    }

    pub fn with_root(self, root: &Value) -> Self {
        let root = Some(root.to_string().into_bytes());
        Self { root, ..self }
    }

    /// The parts, one of them changed, and its position.
    pub fn mutant(&self, random: &mut Random) -> (usize, Vec<Vec<u8>>) {
        let at = random.below(self.parts.len());
        let other = &self.parts[random.below(self.parts.len())];
        let parts = self.parts.iter().enumerate();
        let parts = parts.map(|(index, part)| match index == at {
            true => part.mutant(other, random),
            false => part.bytes().to_vec(),
        });
        (at, parts.collect())
    }
}
