//! Brings the inputs of a capsule into the store.

use std::collections::BTreeSet;

use console::hint::Hinted;
use content::{Digest, read_checked};

use super::opened::Capsule;
use super::parts::{self, Part};
use super::piece::Piece;
use crate::error::Error;
use crate::inputs::Supply;
use crate::inputs::debian::deb;
use crate::inputs::store::StoreError;
use crate::lock::Lock;
use crate::spec::Spec;

/// The hint if an input is missing in a capsule of this lock.
const INCOMPLETE: &str = "the capsule is not complete: make it again, with `builder capsule`";
/// The hint if an input is missing in another capsule.
const OTHER: &str =
    "the capsule was made for another Image.lock: make one for this lock, with `builder capsule`";
/// The hint if an input differs.
const DAMAGED: &str = "the capsule is damaged, or was changed: make it again, with `builder capsule`, or get another copy";

/// What is loaded, and from where.
struct Loading<'a> {
    capsule: &'a Capsule,
    /// The digest of the lock.
    lock: Digest,
    supply: &'a Supply<'a>,
}

/// Brings the files of the signed package indexes into the store. Nothing is done without a capsule.
///
/// # Errors
/// The capsule lacks one, or has other bytes.
pub(in crate::inputs) fn load_indexes(
    spec: &Spec,
    lock: &Lock,
    digest: &Digest,
    supply: &Supply<'_>,
) -> Result<(), Error> {
    load_parts(&parts::indexes(spec, lock), digest, supply)
}

/// Brings all other inputs into the store, except the files of git repositories. Nothing is done without a capsule.
///
/// # Errors
/// The capsule lacks one, or has other bytes.
pub(in crate::inputs) fn load(
    spec: &Spec,
    lock: &Lock,
    digest: &Digest,
    supply: &Supply<'_>,
) -> Result<(), Error> {
    load_parts(&parts::others(spec, lock), digest, supply)?;
    tell_unused(spec, lock, supply);
    Ok(())
}

fn load_parts(parts: &[Part<'_>], lock: &Digest, supply: &Supply<'_>) -> Result<(), Error> {
    let Some(capsule) = supply.capsule else {
        return Ok(());
    };
    let loading = Loading {
        capsule,
        lock: *lock,
        supply,
    };
    let (mut missing, mut named) = (Vec::new(), BTreeSet::new());
    for part in parts {
        match supply.store.size(&part.key())? {
            Some(size) if size == part.size => supply.store.touch(&part.key()),
            // Several images may contain it.
            _ if named.insert(supply.store.path(&part.key())) => missing.push(part),
            _ => {}
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    supply.during("read inputs from the capsule", |step| {
        step.of(missing.len(), missing.iter().map(|part| part.size));
        for part in missing {
            supply.interrupt.check()?;
            loading.one(part)?;
            step.add(1, part.size);
        }
        Ok(())
    })
}

impl Loading<'_> {
    fn one(&self, part: &Part<'_>) -> Result<(), Error> {
        let key = part.key();
        let piece = self.capsule.find(&key.digest)?;
        let piece = piece.ok_or_else(|| self.absent(part))?;
        if part.package.is_some() {
            return self.package(part, piece);
        }
        let kept = self.supply.store.keep(&key, piece, part.size);
        kept.map_err(|error| match error {
            error @ StoreError::Came { .. } => self.damaged(error).into(),
            error => error.into(),
        })
    }

    /// A package is kept with those that were fetched, so it is checked as these.
    fn package(&self, part: &Part<'_>, piece: Piece) -> Result<(), Error> {
        let key = part.key();
        let bytes = read_checked(piece, key.digest, part.size, part.size);
        let bytes = bytes.map_err(|source| {
            self.damaged(StoreError::Came {
                what: key.to_string(),
                source,
            })
        })?;
        let checked = part.package.map(|package| deb::check(package, &bytes));
        if let Some(Err(reason)) = checked {
            let name = self.capsule.name();
            let wrong = format_args!("reading capsule {name}: checking {key}: {reason}");
            return Err(Hinted::new(wrong).hinting(DAMAGED).into());
        }
        Ok(self.supply.store.keep(&key, &bytes[..], part.size)?)
    }

    fn absent(&self, part: &Part<'_>) -> Hinted {
        let (name, key) = (self.capsule.name(), part.key());
        let absent = format_args!("reading capsule {name}: it has no {key} ({})", key.digest);
        Hinted::new(absent).hinting(match self.capsule.is_for(&self.lock) {
            true => INCOMPLETE,
            false => OTHER,
        })
    }

    fn damaged(&self, error: StoreError) -> Hinted {
        let doing = format_args!("reading capsule {}", self.capsule.name());
        Hinted::doing(doing, error).hinting(DAMAGED)
    }
}

/// Notes how many layers the lock does not name. They are not read.
fn tell_unused(spec: &Spec, lock: &Lock, supply: &Supply<'_>) {
    let Some(capsule) = supply.capsule else {
        return;
    };
    let parts = [parts::indexes(spec, lock), parts::others(spec, lock)].concat();
    let is_used = |digest: &&Digest| parts.iter().any(|part| part.key().digest == **digest);
    let unused = capsule.alone().filter(|digest| !is_used(digest)).count();
    if unused > 0 {
        supply.note(&format!(
            "note: the capsule has {unused} inputs that Image.lock does not name; they are not used"
        ));
    }
}
