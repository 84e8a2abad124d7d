//! Entries of `Image.toml` that have the same effect as configuration of cargo in the source.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::{Table, Value};

use crate::error::Error;
use crate::inputs::git::survey;
use crate::inputs::git::{Answer, Effect};
use crate::spec::CargoSpec;
use crate::untrusted::shown;

/// The entries of `[build]`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Configured {
    conditions: BTreeSet<String>,
    processor: Option<String>,
    environment: BTreeMap<String, String>,
}

/// An entry that is left to the user, and what to do.
pub(super) type Left = (&'static str, String);

/// Reads the configuration that applies in `directory`: the entries, and what is left to the user.
pub(super) fn read(directory: &Path) -> Result<(Configured, Vec<Left>), Error> {
    let effects = survey::configured(directory)?;
    let mut configured = Configured::default();
    for (_, effect) in &effects {
        effect.answers.iter().for_each(|one| configured.add(one));
    }
    let spec = configured.spec();
    let left = effects.iter().filter(|(_, effect)| {
        let is_answered = |spec| effect.is_answered(spec);
        !spec.as_ref().is_some_and(is_answered)
    });
    let left = left.map(|(path, effect)| open(path, effect)).collect();
    Ok((configured, left))
}

fn open(path: &str, effect: &Effect) -> Left {
    let what = format!(
        "decide about {effect}, which {} sets and the builder does not obey: host-config = \"ignore\" builds without it",
        shown(path)
    );
    ("build.host-config", what)
}

impl Configured {
    /// Adds the entry, unless `Image.toml` cannot have it. Nearer configuration counts, and is added first.
    fn add(&mut self, answer: &Answer) {
        let mut with = self.clone();
        match answer.clone() {
            Answer::Condition(condition) => {
                with.conditions.insert(condition);
            }
            Answer::Processor(processor) => {
                with.processor.get_or_insert(processor);
            }
            Answer::Variable(name, value) => {
                with.environment.entry(name).or_insert(value);
            }
            Answer::Linkage(_) | Answer::Lint(_) | Answer::Other(_) => {}
        }
        if with.spec().is_some() {
            *self = with;
        }
    }

    fn spec(&self) -> Option<CargoSpec> {
        let table = [
            self.entries(),
            self.variables().replace("[build.env]", "[env]"),
        ]
        .concat();
        content::toml::parse(format!("package = \"any\"\n{table}")).ok()
    }

    /// The lines of `[build]`.
    pub(super) fn entries(&self) -> String {
        let processor = self.processor.as_ref();
        let processor =
            processor.map(|name| format!("target-cpu = {}\n", Value::from(name.as_str())));
        let conditions: Vec<_> = self.conditions.iter().map(String::as_str).collect();
        let conditions = match conditions.is_empty() {
            true => String::new(),
            false => format!("cfg = {}\n", Value::from(conditions)),
        };
        processor.unwrap_or_default() + &conditions
    }

    /// The table `[build.env]`, after an empty line.
    pub(super) fn variables(&self) -> String {
        match self.environment.is_empty() {
            true => String::new(),
            false => {
                let variables = self.environment.iter();
                let table: Table = variables
                    .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
                    .collect();
                format!("\n[build.env]\n{table}")
            }
        }
    }
}
