//! The programs that build, from their arguments.

use std::num::NonZeroU32;
use std::path::PathBuf;

use console::hint::Hinted;
use verifier::Error;
use verifier::rebuild::{BuildLimits, SourceLimits, Tools};

/// The programs and limits that the arguments name.
pub fn tools(tools: &super::Tools) -> Result<Tools, Error> {
    let builder = match &tools.builder {
        Some(builder) => builder.clone(),
        None => beside_this_program("builder")?,
    };
    Ok(Tools {
        builder,
        store: tools.store.clone(),
        capsule: tools.capsule.clone(),
        archive: tools.archive.clone(),
        archive_keys: tools.archive_keys.clone(),
        jobs: tools.jobs,
        time_limit: tools.time_limit,
        limits: BuildLimits {
            memory: tools.limits.limit_memory,
            files: tools.limits.limit_files,
            processes: tools.limits.limit_processes,
            output: tools.limits.limit_output,
        },
        source_limits: SourceLimits {
            repository: bytes(tools.limits.limit_repository),
            files: bytes(tools.limits.limit_source),
            ..SourceLimits::default()
        },
    })
}

fn bytes(mebibytes: NonZeroU32) -> u64 {
    u64::from(mebibytes.get()) << 20
}

fn beside_this_program(name: &str) -> Result<PathBuf, Error> {
    let own = std::env::current_exe().map_err(Hinted::starting)?;
    Ok(own.with_file_name(name))
}
