//! Builds the image again from source, with git and the builder.

use std::ffi::OsStr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};

use attest::{ImageName, Provenance, Sbom};
use console::at::At;
use console::hint::Hinted;
use console::location::without_login;
use console::progress::{Progress, Relay, Step};
use content::json;
use oci::Layout;
use scratch::Scratch;
use serde::Deserialize;

use crate::commit::Commit;
use crate::contents::Contents;
use crate::evidence::{Rebuild, Rebuilt, RegistryCheck, Timing};

mod directory;
mod error;
mod git;
mod image;
pub mod index;
mod limits;
mod measure;
mod process;
pub mod record;

use directory::Directory;
use error::BUILDER;
pub use error::RebuildError;
pub use image::only as only_image;
pub use index::Attached;
pub use limits::{BuildLimits, SourceLimits};
use process::Line;
use record::{Record, read_file};

/// The programs that build, and their settings.
#[derive(Clone, Debug, Default)]
pub struct Tools {
    /// The builder program.
    pub builder: PathBuf,
    /// Its store of inputs; `None` for its default.
    pub store: Option<PathBuf>,
    /// The capsule that has all inputs, as the builder names it; `None` to fetch them.
    pub capsule: Option<String>,
    /// The package archive that it fetches from; `None` for its default.
    pub archive: Option<String>,
    /// Fingerprints of keys that may sign package indexes, in addition to those that the builder trusts.
    pub archive_keys: Vec<String>,
    /// The number of compilers that it runs in parallel; `None` for its default.
    pub jobs: Option<NonZeroUsize>,
    /// The time limit for compiling, in minutes; `None` for its default.
    pub time_limit: Option<NonZeroU32>,
    /// Limits on compilers and build scripts.
    pub limits: BuildLimits,
    /// Limits on the source.
    pub source_limits: SourceLimits,
}

impl Tools {
    /// Checks that the builder and git are installed.
    ///
    /// # Errors
    /// One of them is not.
    pub fn check(&self) -> Result<(), RebuildError> {
        console::process::find(self.builder.as_os_str())?;
        Ok(console::process::find(OsStr::new("git"))?)
    }
}

/// The source and the commit to build.
#[derive(Clone, Debug)]
pub struct Order {
    /// A directory or URL that git can clone.
    pub source: String,
    /// The URI of the source in provenance.
    pub source_uri: String,
    /// The commit to build.
    pub commit: Choice,
    /// The directory of the source that is built.
    pub directory: String,
    /// The name of the image that is built, if the source describes several.
    pub image: Option<ImageName>,
}

/// How the commit is chosen.
#[derive(Clone, Debug)]
pub enum Choice {
    /// By the user. It is an error if the source does not have it.
    Given(Commit),
    /// By provenance. It is a finding if the source does not have it.
    Claimed(Commit),
    /// The source's `HEAD`.
    Head,
}

impl Choice {
    /// The user's choice, or else what provenance claims.
    ///
    /// # Errors
    /// Those of `claimed`, which is called only if it is needed.
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

/// Clones the source, checks the commit out, builds it into `layout`, and reads the result.
///
/// # Errors
/// The source cannot be fetched or built. Faults of the source itself are not errors, but other variants of
/// [`Rebuild`].
pub async fn rebuild(
    tools: &Tools,
    order: &Order,
    attached: &Attached<'_>,
    layout: &Path,
    progress: &Progress,
) -> Result<Rebuild, RebuildError> {
    let scratch = Scratch::new()
        .map_err(Hinted::temporary)
        .map_err(RebuildError::Program)?;
    let clone = scratch.path().join("source");
    let limits = &tools.source_limits;
    let step = progress.step(format_args!("clone {}", without_login(&order.source)));
    let fetched = git::fetch(&order.source, &clone, limits, &said_in(&step)).await;
    step.end(fetched)?;
    let commit = match &order.commit {
        Choice::Given(commit) | Choice::Claimed(commit) => commit.clone(),
        Choice::Head => git::head(&clone).await?,
    };
    if !git::has_commit(&clone, &commit).await? {
        return no_commit(order, &clone, commit).await;
    }
    measure::measure(&clone, &commit, limits).await?;
    let step = progress.step(format_args!("check out {commit}"));
    let checked_out = git::check_out(&clone, &commit, &said_in(&step)).await;
    step.end(checked_out)?;
    let directory = match directory::find(&clone, &order.directory, &commit)? {
        Directory::Plain(directory) => directory,
        Directory::Linked(link) => {
            return Ok(Rebuild::Linked {
                commit: commit.to_string(),
                link,
            });
        }
    };
    if order.image.is_none() {
        image::check_described(&directory)?;
    }
    let evidence = match &tools.capsule {
        // It has the package index.
        Some(_) => None,
        None => {
            let evidence = scratch.path().join("evidence");
            index::fetch(attached, &directory, evidence, progress).await?
        }
    };
    let input = Input {
        directory: &directory,
        image: order.image.as_ref(),
        source_uri: &order.source_uri,
        evidence: evidence.as_deref(),
    };
    match build(tools, &input, layout, progress).await? {
        Ending::Built => {
            image::check_single(layout)?;
            let rebuilt = read_built(layout, &commit)?;
            directory::compare(&order.directory, rebuilt.directory())?;
            image::compare(order.image.as_ref(), rebuilt.image())?;
            Ok(Rebuild::Done(Box::new(rebuilt)))
        }
        Ending::Refused(reason) => Ok(Rebuild::Refused {
            commit: commit.to_string(),
            reason,
        }),
    }
}

/// Shows what git says as a part of this step.
fn said_in(step: &Step) -> impl Fn(&str) -> Line + Sync {
    |line: &str| {
        step.line(line);
        Line::Text
    }
}

/// The commit is missing. A shallow clone does not show whether the source has it.
async fn no_commit(order: &Order, clone: &Path, commit: Commit) -> Result<Rebuild, RebuildError> {
    let source = without_login(&order.source);
    if git::is_shallow(clone).await? {
        return Err(RebuildError::source(
            format_args!(
                "reading {source}: it is a shallow clone, and commit {commit} is not in it"
            ),
            "run `git fetch --unshallow` in the source, or name the repository that it was cloned from",
        ));
    }
    match order.commit {
        Choice::Claimed(_) => Ok(Rebuild::NoCommit {
            source,
            commit: commit.to_string(),
        }),
        Choice::Given(_) | Choice::Head => Err(RebuildError::source(
            format_args!("reading {source}: no branch or tag contains commit {commit}"),
            "check --commit, or `commit` in the policy, and that --source is up to date",
        )),
    }
}

fn read_built(layout: &Path, commit: &Commit) -> Result<Rebuilt, RebuildError> {
    let rebuilt = read(layout, Timing::Now)?;
    match rebuilt.commit == commit.as_str() {
        true => Ok(rebuilt),
        false => Err(RebuildError::other("commit", commit, rebuilt.commit)),
    }
}

/// Reads the layout of an earlier `verifier rebuild`. The rules compare its source: provenance must name the
/// same commit and tree.
///
/// # Errors
/// The layout is damaged, is not of a rebuild, or is not what its record says.
pub fn read_earlier(layout: &Path) -> Result<Rebuilt, RebuildError> {
    let record = Record::read(layout)?;
    let timing = Timing::Earlier {
        layout: layout.to_owned(),
        source: record.source.clone(),
    };
    let rebuilt = read(layout, timing)?;
    let digest = rebuilt.contents.image.image_digest().to_string();
    record_says("image", record.image_digest.to_string(), digest)?;
    record_says("commit", record.commit, rebuilt.commit.clone())?;
    Ok(rebuilt)
}

/// If `rebuild.json` does not agree with the files beside it.
const CHANGED: &str = "the layout was changed after `verifier rebuild` wrote it: rebuild again";

fn record_says(what: &'static str, expected: String, found: String) -> Result<(), RebuildError> {
    match expected == found {
        true => Ok(()),
        false => {
            let other = format_args!(
                "expected {what} {expected}, the {what} in rebuild.json, found {found}"
            );
            Err(RebuildError::Layout(Hinted::new(other).hinting(CHANGED)))
        }
    }
}

fn read(layout: &Path, timing: Timing) -> Result<Rebuilt, RebuildError> {
    let opened = Layout::open(layout).map_err(RebuildError::damaged)?;
    let image = opened.image().map_err(RebuildError::damaged)?;
    let contents = Contents::read(image, &|descriptor| {
        let file = opened.open_blob(&descriptor.digest);
        Ok(Box::new(file.map_err(std::io::Error::other)?))
    });
    let contents = contents.map_err(|error| match error {
        crate::contents::ContentsError::Damage(damage) => RebuildError::damaged(damage),
        crate::contents::ContentsError::Io(source) => At::reading(layout)(source).into(),
    })?;
    let provenance = read_file(&layout.join(Provenance::PREDICATE.file))?;
    let provenance = Provenance::parse(&provenance).map_err(RebuildError::damaged)?;
    let sbom = read_file(&layout.join(Sbom::PREDICATE.file))?;
    let sbom = Sbom::parse(&sbom).map_err(RebuildError::damaged)?;
    let commit = crate::rules::provenance::commit_of(&provenance);
    let commit = commit.ok_or_else(|| {
        RebuildError::damaged("expected one commit in provenance, found none or several")
    })?;
    Ok(Rebuilt {
        timing,
        commit: commit.to_owned(),
        contents,
        provenance,
        sbom,
        registry: read_checks(&layout.join("checks.json"))?.registry,
    })
}

/// The checks of inputs that the builder reports.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Checks {
    registry: RegistryCheck,
}

fn read_checks(path: &Path) -> Result<Checks, RebuildError> {
    let parsed = json::parse(&read_file(path)?, content::limits::DOCUMENT);
    let invalid = |error| std::io::Error::new(std::io::ErrorKind::InvalidData, error);
    Ok(parsed.map_err(invalid).map_err(At::reading(path))?)
}

enum Ending {
    Built,
    Refused(String),
}

/// The inputs of a build.
struct Input<'a> {
    directory: &'a Path,
    image: Option<&'a ImageName>,
    source_uri: &'a str,
    evidence: Option<&'a Path>,
}

async fn build(
    tools: &Tools,
    input: &Input<'_>,
    layout: &Path,
    progress: &Progress,
) -> Result<Ending, RebuildError> {
    let mut builder = process::program(&tools.builder)?;
    builder.arg("build").arg(input.directory);
    builder.arg("-o").arg(layout);
    builder.args(["--source-uri", input.source_uri]);
    if let Some(image) = input.image {
        builder.args(["--image", image.as_str()]);
    }
    if let Some(evidence) = input.evidence {
        builder.arg("--evidence").arg(evidence);
    }
    if let Some(store) = &tools.store {
        builder.arg("--store").arg(store);
    }
    if let Some(capsule) = &tools.capsule {
        builder.args(["--capsule", capsule]);
    }
    if let Some(archive) = &tools.archive {
        builder.arg("--archive").arg(archive);
    }
    for key in &tools.archive_keys {
        builder.args(["--archive-key", key]);
    }
    if let Some(jobs) = tools.jobs {
        builder.arg("--jobs").arg(jobs.to_string());
    }
    if let Some(minutes) = tools.time_limit {
        builder.arg("--time-limit").arg(minutes.to_string());
    }
    builder.args(tools.limits.options());
    builder.env(console::progress::VARIABLE, console::progress::RAW);
    let relay = Relay::new(progress);
    let listener = |line: &str| match relay.show(line) {
        true => Line::Event,
        false => Line::Text,
    };
    let (status, last_line) = process::run(builder, &listener).await?;
    // Usage errors have another status.
    match status.code() {
        Some(0) if layout.is_dir() => Ok(Ending::Built),
        Some(0) => {
            let program = tools.builder.display();
            let nothing = format_args!("running {program}: it exited with 0, but wrote no layout");
            Err(RebuildError::Program(Hinted::new(nothing).hinting(BUILDER)))
        }
        // The builder gives the reason of a refusal. A program that gives none is not the builder.
        Some(1) if !last_line.is_empty() => Ok(Ending::Refused(last_line)),
        Some(1) => {
            let program = tools.builder.display();
            let silent = format_args!("running {program}: it exited with 1, but gave no reason");
            Err(RebuildError::Program(Hinted::new(silent).hinting(BUILDER)))
        }
        _ => Err(RebuildError::failed(
            "running builder build",
            status,
            &last_line,
        )),
    }
}

#[cfg(test)]
mod tests;
