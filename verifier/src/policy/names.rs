//! The names of principals in a policy.

use std::collections::BTreeSet;

use trust::{Identity, Principals};

use super::InvalidPolicy;

/// The principals that a list names.
pub(super) fn keys(
    field: &'static str,
    names: &[String],
    known: &Principals,
) -> Result<BTreeSet<Identity>, InvalidPolicy> {
    let mut found = Vec::new();
    for name in names {
        let principal = known.named(name).ok_or_else(|| {
            InvalidPolicy(format!(
                "`{field}` names `{name}`, but no [[principal]] has this name"
            ))
        })?;
        found.push((name.as_str(), principal.identity()));
    }
    once(field, found)
}

/// Refuses a list that names something twice: it was probably meant to name something else.
pub(super) fn once<'a, T: Ord>(
    field: &'static str,
    named: impl IntoIterator<Item = (&'a str, T)>,
) -> Result<BTreeSet<T>, InvalidPolicy> {
    let mut set = BTreeSet::new();
    for (name, value) in named {
        if !set.insert(value) {
            return Err(InvalidPolicy(format!("`{field}` names `{name}` twice")));
        }
    }
    Ok(set)
}
