//! The crates and Go modules of programs in an image.

use std::io::{self, Read};

use content::{Digest, Hasher, ReadError};
use sbom::{BuildInfo, Crate, PROGRAM};

/// The first bytes of a program in ELF.
const ELF: [u8; 4] = *b"\x7fELF";

/// What a program says of the crates or Go modules that are linked into it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Program {
    /// Its list of crates.
    Crates(Vec<Crate>),
    /// What a program of Go says of itself.
    Go(BuildInfo),
    /// Its list is invalid. The value is the error message.
    Invalid(String),
    /// It is larger than 256 MiB, so that its list was not read.
    Large,
}

impl Program {
    /// About how many bytes it takes in memory.
    pub(super) fn size(&self) -> u64 {
        let size: usize = match self {
            Self::Crates(crates) => crates.iter().map(size_of_crate).sum(),
            Self::Go(info) => size_of_info(info),
            Self::Invalid(reason) => reason.len(),
            Self::Large => 0,
        };
        size as u64
    }
}

fn size_of_crate(one: &Crate) -> usize {
    size_of::<Crate>() + one.name.len() + one.version.len()
}

fn size_of_info(info: &BuildInfo) -> usize {
    let modules = info.main.iter().chain(&info.dependencies);
    let named = modules.flat_map(|module| [module, module.actual()]);
    let sizes =
        named.map(|one| size_of_val(one) + one.path.len() + one.version.len() + one.sum.len());
    info.go.len() + info.path.len() + sizes.sum::<usize>()
}

/// Reads a file of `size` bytes. Returns its digest, and what it says if it is a program in ELF that has a list of crates, or
/// may have one.
pub(super) fn read(
    content: &mut dyn Read,
    size: u64,
) -> Result<(Digest, Option<Program>), ReadError> {
    let mut start = Vec::new();
    content.take(ELF.len() as u64).read_to_end(&mut start)?;
    if start != ELF {
        return Ok((hashed(&start, content)?, None));
    }
    if size > PROGRAM {
        return Ok((hashed(&start, content)?, Some(Program::Large)));
    }
    let mut bytes = start;
    content.read_to_end(&mut bytes)?;
    Ok((Digest::of(&bytes), listed(&bytes)))
}

fn hashed(start: &[u8], rest: &mut dyn Read) -> Result<Digest, ReadError> {
    let mut hasher = Hasher::new();
    io::copy(&mut start.chain(rest), &mut hasher)?;
    Ok(hasher.finish())
}

fn listed(program: &[u8]) -> Option<Program> {
    match sbom::linked(program) {
        Ok(Some(crates)) => match sbom::build_info(program) {
            Ok(None) => Some(Program::Crates(crates)),
            // If one is read, the other is hidden.
            _ => Some(Program::Invalid(
                "it has a list of crates and one of Go modules".to_owned(),
            )),
        },
        Ok(None) => match sbom::build_info(program) {
            Ok(info) => info.map(Program::Go),
            Err(error) => Some(Program::Invalid(error.to_string())),
        },
        Err(error) => Some(Program::Invalid(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Content of zeros after the first bytes of a program.
    fn large(size: u64) -> impl Read {
        ELF.chain(io::repeat(0).take(size - ELF.len() as u64))
    }

    #[test]
    fn a_large_program_is_hashed_and_not_kept() {
        let size = PROGRAM + 1;
        let (digest, program) = read(&mut large(size), size).unwrap();
        assert_eq!(program, Some(Program::Large));
        let mut hasher = Hasher::new();
        io::copy(&mut large(size), &mut hasher).unwrap();
        assert_eq!(digest, hasher.finish());
    }

    #[test]
    fn other_files_say_nothing() {
        for bytes in [&b""[..], b"\x7fEL", b"text", b"\x7fELF and no program"] {
            let (digest, program) = read(&mut &bytes[..], bytes.len() as u64).unwrap();
            assert_eq!((digest, program), (Digest::of(bytes), None));
        }
    }
}
