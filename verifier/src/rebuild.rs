//! Builds the image again from source. The only room that starts processes: git and the builder.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};

use attest::{Provenance, Sbom};
use content::json;
use oci::Layout;
use scratch::Scratch;
use serde::Deserialize;

use crate::commit::Commit;
use crate::contents::Contents;
use crate::evidence::{Occasion, Rebuild, Rebuilt, RegistryCheck};

mod directory;
mod error;
mod git;
pub mod index;
mod limits;
mod measure;
mod process;
pub mod record;

use directory::Directory;
pub use error::RebuildError;
pub use index::Attached;
pub use limits::{BuildLimits, SourceLimits};
pub use process::Progress;
use record::{Record, read_file};

/// How this machine builds.
#[derive(Clone, Debug, Default)]
pub struct Workshop {
    /// The builder program.
    pub builder: PathBuf,
    /// Where it keeps inputs by digest; its own default without.
    pub store: Option<PathBuf>,
    /// The package archive to fetch inputs from; its own default without.
    pub archive: Option<String>,
    /// Fingerprints of keys that may sign package indices, besides those that it trusts itself.
    pub archive_keys: Vec<String>,
    /// How many compilers it runs at once; its own default without.
    pub jobs: Option<NonZeroUsize>,
    /// Minutes after which it gives up a compiler; its own default without.
    pub time_limit: Option<NonZeroU32>,
    /// What compilers and build scripts may use.
    pub limits: BuildLimits,
    /// What a source may take.
    pub source_limits: SourceLimits,
}

/// What to build.
#[derive(Clone, Debug)]
pub struct Order {
    /// A directory or URL that git can clone.
    pub source: String,
    /// What provenance calls that source.
    pub source_uri: String,
    /// Which commit of it.
    pub commit: Choice,
    /// The directory of the source that is built.
    pub directory: String,
}

/// A commit, and who chose it.
#[derive(Clone, Debug)]
pub enum Choice {
    /// The caller, who must know: a source without it is a mistake.
    Given(Commit),
    /// Provenance: a source without it is evidence.
    Claimed(Commit),
    /// Nobody: what the source's `HEAD` is.
    Head,
}

impl Choice {
    /// What the caller said, or else what provenance says.
    ///
    /// # Errors
    /// Those of `claimed`, which is asked only if it is needed.
    pub fn of<E>(
        given: Option<&Commit>,
        claimed: impl FnOnce() -> Result<Option<Commit>, E>,
    ) -> Result<Self, E> {
        match given {
            Some(commit) => Ok(Self::Given(commit.clone())),
            None => Ok(claimed()?.map_or(Self::Head, Self::Claimed)),
        }
    }
}

/// Clones, checks out, builds into `layout`, and reads the result.
///
/// # Errors
/// Anything that keeps us from building. What the source itself is to blame for is no error but
/// [`Rebuild::NoCommit`] and [`Rebuild::Refused`].
pub async fn rebuild(
    workshop: &Workshop,
    order: &Order,
    attached: &Attached<'_>,
    layout: &Path,
    progress: Progress<'_>,
) -> Result<Rebuild, RebuildError> {
    let scratch = Scratch::new().map_err(|source| RebuildError::Write {
        path: std::env::temp_dir(),
        source,
    })?;
    let clone = scratch.path().join("source");
    let limits = &workshop.source_limits;
    git::fetch(&order.source, &clone, limits, progress).await?;
    let commit = match &order.commit {
        Choice::Given(commit) | Choice::Claimed(commit) => commit.clone(),
        Choice::Head => git::head(&clone).await?,
    };
    if !git::has_commit(&clone, &commit).await? {
        return no_commit(order, &clone, commit).await;
    }
    measure::measure(&clone, &commit, limits).await?;
    git::check_out(&clone, &commit, progress).await?;
    let directory = match directory::find(&clone, &order.directory, &commit)? {
        Directory::Plain(directory) => directory,
        Directory::Linked(link) => {
            return Ok(Rebuild::Linked {
                commit: commit.to_string(),
                link,
            });
        }
    };
    let evidence = scratch.path().join("evidence");
    let evidence = index::fetch(attached, &directory, evidence, progress).await?;
    let input = Input {
        directory: &directory,
        source_uri: &order.source_uri,
        evidence: evidence.as_deref(),
    };
    match build(workshop, &input, layout, progress).await? {
        Ending::Built => {
            let rebuilt = read_built(layout, &commit)?;
            directory::compare(&order.directory, rebuilt.directory())?;
            Ok(Rebuild::Done(Box::new(rebuilt)))
        }
        Ending::Refused(reason) => Ok(Rebuild::Refused {
            commit: commit.to_string(),
            reason,
        }),
    }
}

/// What a source is blamed for that does not have the commit. A part of one cannot tell.
async fn no_commit(order: &Order, clone: &Path, commit: Commit) -> Result<Rebuild, RebuildError> {
    let source = order.source.clone();
    if git::is_shallow(clone).await? {
        return Err(RebuildError::Shallow {
            source_name: source,
            commit,
        });
    }
    match order.commit {
        Choice::Claimed(_) => Ok(Rebuild::NoCommit {
            source,
            commit: commit.to_string(),
        }),
        Choice::Given(_) | Choice::Head => Err(RebuildError::NoCommit {
            source_name: source,
            commit,
        }),
    }
}

fn read_built(layout: &Path, commit: &Commit) -> Result<Rebuilt, RebuildError> {
    let rebuilt = read(layout, Occasion::Now)?;
    match rebuilt.commit == commit.as_str() {
        true => Ok(rebuilt),
        false => Err(RebuildError::Commit {
            expected: commit.clone(),
            found: rebuilt.commit,
        }),
    }
}

/// Reads what an earlier `verifier rebuild` left. Which source that was is compared where it counts:
/// provenance must name the same commit and tree.
///
/// # Errors
/// The layout is damaged, or is of no rebuild, or of another than it says.
pub fn read_earlier(layout: &Path) -> Result<Rebuilt, RebuildError> {
    let record = Record::read(layout)?;
    let occasion = Occasion::Earlier {
        layout: layout.to_owned(),
        source: record.source.clone(),
    };
    let rebuilt = read(layout, occasion)?;
    let digest = rebuilt.contents.image.image_digest().to_string();
    record_says("image", record.image_digest.to_string(), digest)?;
    record_says("commit", record.commit, rebuilt.commit.clone())?;
    Ok(rebuilt)
}

fn record_says(what: &'static str, expected: String, found: String) -> Result<(), RebuildError> {
    match expected == found {
        true => Ok(()),
        false => Err(RebuildError::Record {
            what,
            expected,
            found,
        }),
    }
}

fn read(layout: &Path, occasion: Occasion) -> Result<Rebuilt, RebuildError> {
    let opened = Layout::open(layout)?;
    let image = opened.image()?;
    let contents = Contents::read(image, &|descriptor| {
        let file = opened.open_blob(&descriptor.digest);
        Ok(Box::new(file.map_err(std::io::Error::other)?))
    });
    let contents = contents.map_err(|error| match error {
        crate::contents::ContentsError::Damage(damage) => RebuildError::Damaged(damage),
        crate::contents::ContentsError::Io(source) => RebuildError::Read {
            path: layout.to_owned(),
            source,
        },
    })?;
    let provenance = Provenance::parse(&read_file(&layout.join(Provenance::PREDICATE.file))?)?;
    let sbom = Sbom::parse(&read_file(&layout.join(Sbom::PREDICATE.file))?)?;
    let commit = crate::rules::provenance::commit_of(&provenance);
    let commit = commit.ok_or(RebuildError::NoSource)?.to_owned();
    Ok(Rebuilt {
        occasion,
        commit,
        contents,
        provenance,
        sbom,
        registry: read_checks(&layout.join("checks.json"))?.registry,
    })
}

/// What the builder says about the checks that it made of its inputs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Checks {
    registry: RegistryCheck,
}

fn read_checks(path: &Path) -> Result<Checks, RebuildError> {
    let parsed = json::parse(&read_file(path)?, content::limits::DOCUMENT);
    parsed.map_err(|error| RebuildError::Read {
        path: path.to_owned(),
        source: std::io::Error::new(std::io::ErrorKind::InvalidData, error),
    })
}

enum Ending {
    Built,
    Refused(String),
}

/// What the builder is given.
struct Input<'a> {
    directory: &'a Path,
    source_uri: &'a str,
    evidence: Option<&'a Path>,
}

async fn build(
    workshop: &Workshop,
    input: &Input<'_>,
    layout: &Path,
    progress: Progress<'_>,
) -> Result<Ending, RebuildError> {
    let mut builder = process::program(&workshop.builder)?;
    builder.arg("build").arg(input.directory);
    builder.arg("-o").arg(layout);
    builder.args(["--source-uri", input.source_uri]);
    if let Some(evidence) = input.evidence {
        builder.arg("--evidence").arg(evidence);
    }
    if let Some(store) = &workshop.store {
        builder.arg("--store").arg(store);
    }
    if let Some(archive) = &workshop.archive {
        builder.arg("--archive").arg(archive);
    }
    for key in &workshop.archive_keys {
        builder.args(["--archive-key", key]);
    }
    if let Some(jobs) = workshop.jobs {
        builder.arg("--jobs").arg(jobs.to_string());
    }
    if let Some(minutes) = workshop.time_limit {
        builder.arg("--time-limit").arg(minutes.to_string());
    }
    builder.args(workshop.limits.options());
    let (status, last_words) = process::run(builder, progress).await?;
    // What goes wrong before it starts has another status, or has gone wrong for git already.
    match status.code() {
        Some(0) if layout.is_dir() => Ok(Ending::Built),
        Some(0) => Err(RebuildError::Nothing {
            program: workshop.builder.clone(),
        }),
        Some(1) => Ok(Ending::Refused(last_words)),
        _ => Err(RebuildError::Status {
            doing: "running builder build".to_owned(),
            status,
            last_words,
        }),
    }
}

#[cfg(test)]
mod tests;
