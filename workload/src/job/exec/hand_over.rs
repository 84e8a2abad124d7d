//! Hands the secrets to the program: all of them, after all of them were fetched.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Command;

use tee::Secret;

use super::descriptor::Descriptor;
use super::error::ExecError;
use super::files::Folder;
use super::guard::Place;
use super::program::{Give, Program, Wanted};

/// What the program can reach of its secrets.
pub(super) struct Handed {
    /// Closed once the program has started.
    pub(super) descriptors: Vec<Descriptor>,
    /// Removed once the program has ended.
    pub(super) folder: Option<Folder>,
}

/// Fetches all secrets of the program; fails if one of them cannot be fetched.
///
/// # Errors
/// The error of `fetch`.
pub fn fetch_all<E>(
    program: &Program,
    fetch: &mut dyn FnMut(&Wanted) -> Result<Secret, E>,
) -> Result<Vec<Secret>, E> {
    program.secrets.iter().map(fetch).collect()
}

/// Gives each secret of `program` to `command` in the way that the terms name.
pub(super) fn hand_over(
    program: &Program,
    secrets: &[Secret],
    place: &Place,
    command: &mut Command,
) -> Result<Handed, ExecError> {
    let mut handed = Handed {
        descriptors: Vec::new(),
        folder: None,
    };
    for (wanted, secret) in program.secrets.iter().zip(secrets) {
        match &wanted.give {
            Give::File => {
                let folder = match handed.folder.take() {
                    Some(folder) => folder,
                    None => Folder::make(&place.memory, program.user)?,
                };
                folder.write(&wanted.name, secret.bytes())?;
                handed.folder = Some(folder);
            }
            Give::Descriptor => {
                let descriptor = open(wanted, secret.bytes(), program)?;
                command.env(wanted.variable().unwrap_or_default(), descriptor.number());
                handed.descriptors.push(descriptor);
            }
            Give::Environment(variable) => {
                command.env(variable, text(wanted, secret.bytes())?);
            }
        }
    }
    Ok(handed)
}

fn open(wanted: &Wanted, secret: &[u8], program: &Program) -> Result<Descriptor, ExecError> {
    Descriptor::of(secret, program.user).map_err(|source| ExecError::Secret {
        name: wanted.name.clone(),
        source,
    })
}

fn text<'a>(wanted: &Wanted, secret: &'a [u8]) -> Result<&'a OsStr, ExecError> {
    match secret.contains(&0) {
        true => Err(ExecError::Nul {
            name: wanted.name.clone(),
        }),
        false => Ok(OsStr::from_bytes(secret)),
    }
}
