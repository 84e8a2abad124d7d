//! Builds the image again from source. The only room that starts processes: git and the builder.

use std::path::{Path, PathBuf};

use content::limits;
use oci::Layout;
use scratch::Scratch;

use crate::commit::Commit;
use crate::contents::Contents;
use crate::evidence::{Occasion, Rebuild, Rebuilt};

mod error;
mod git;
mod process;
pub mod record;

pub use error::RebuildError;
use record::Record;

/// Takes each line that git and the builder have for people.
pub type Progress<'a> = &'a (dyn Fn(&str) + Sync);

/// How this machine builds.
#[derive(Clone, Debug)]
pub struct Workshop {
    /// The builder program.
    pub builder: PathBuf,
    /// Where it keeps inputs by digest; its own default without.
    pub store: Option<PathBuf>,
    /// The package archive to fetch inputs from; its own default without.
    pub archive: Option<String>,
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
    layout: &Path,
    progress: Progress<'_>,
) -> Result<Rebuild, RebuildError> {
    let scratch = Scratch::new().map_err(|source| RebuildError::Write {
        path: std::env::temp_dir(),
        source,
    })?;
    let clone = scratch.path().join("source");
    git::fetch(&order.source, &clone, progress).await?;
    let commit = match &order.commit {
        Choice::Given(commit) | Choice::Claimed(commit) => commit.clone(),
        Choice::Head => git::head(&clone).await?,
    };
    if !git::has_commit(&clone, &commit).await? {
        return no_commit(order, commit);
    }
    git::check_out(&clone, &commit, progress).await?;
    let directory = clone.join(&order.directory);
    match build(workshop, &directory, &order.source_uri, layout, progress).await? {
        Ending::Built => Ok(Rebuild::Done(Box::new(read_built(layout, &commit)?))),
        Ending::Refused(reason) => Ok(Rebuild::Refused {
            commit: commit.to_string(),
            reason,
        }),
    }
}

fn no_commit(order: &Order, commit: Commit) -> Result<Rebuild, RebuildError> {
    let source = order.source.clone();
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
        let file = std::fs::File::open(opened.blob_path(&descriptor.digest))?;
        Ok(Box::new(file))
    });
    let contents = contents.map_err(|error| match error {
        crate::contents::ContentsError::Damage(damage) => RebuildError::Damaged {
            what: damage.what,
            expected: damage.expected,
            found: damage.found,
        },
        crate::contents::ContentsError::Io(source) => RebuildError::Read {
            path: layout.to_owned(),
            source,
        },
    })?;
    let provenance = attest::Provenance::parse(&read_file(&layout.join("provenance.json"))?)?;
    let sbom = attest::Sbom::parse(&read_file(&layout.join("sbom.cdx.json"))?)?;
    let commit = crate::rules::provenance::commit_of(&provenance);
    let commit = commit.ok_or(RebuildError::NoSource)?.to_owned();
    Ok(Rebuilt {
        occasion,
        commit,
        contents,
        provenance,
        sbom,
    })
}

fn read_file(path: &Path) -> Result<Vec<u8>, RebuildError> {
    let read = std::fs::File::open(path).and_then(|file| {
        content::read_limited(file, limits::STATEMENT).map_err(std::io::Error::other)
    });
    read.map_err(|source| RebuildError::Read {
        path: path.to_owned(),
        source,
    })
}

enum Ending {
    Built,
    Refused(String),
}

async fn build(
    workshop: &Workshop,
    directory: &Path,
    source_uri: &str,
    layout: &Path,
    progress: Progress<'_>,
) -> Result<Ending, RebuildError> {
    let mut builder = process::program(&workshop.builder)?;
    builder.arg("build").arg(directory).arg("-o").arg(layout);
    builder.args(["--source-uri", source_uri]);
    if let Some(store) = &workshop.store {
        builder.arg("--store").arg(store);
    }
    if let Some(archive) = &workshop.archive {
        builder.arg("--archive").arg(archive);
    }
    let (status, last_words) = process::run(builder, progress).await?;
    // What goes wrong before it starts has another status, or has gone wrong for git already.
    match status.code() {
        Some(0) => Ok(Ending::Built),
        Some(1) => Ok(Ending::Refused(last_words)),
        _ => Err(RebuildError::Status {
            doing: "running builder build".to_owned(),
            status,
            last_words,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    }

    fn source_with_a_commit() -> (tempfile::TempDir, String) {
        let directory = tempfile::tempdir().unwrap();
        let git = |args: &[&str]| {
            let mut git = std::process::Command::new("git");
            git.arg("-C").arg(directory.path()).args(args);
            let identity = ["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"];
            let mails = ["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"];
            git.envs(identity.map(|name| (name, "a")))
                .envs(mails.map(|name| (name, "a@b")));
            let output = git.output().unwrap();
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        git(&["init", "--quiet"]);
        git(&["commit", "--quiet", "--allow-empty", "-m", "empty"]);
        let commit = git(&["rev-parse", "HEAD"]);
        (directory, commit)
    }

    fn order(source: &Path, commit: Choice) -> Order {
        Order {
            source: source.display().to_string(),
            source_uri: "git+x".to_owned(),
            commit,
            directory: "workload".to_owned(),
        }
    }

    fn workshop(builder: &str) -> Workshop {
        Workshop {
            builder: builder.into(),
            store: None,
            archive: None,
        }
    }

    #[test]
    fn a_commit_that_the_source_does_not_hold_is_evidence_unless_we_asked_for_it() {
        let (source, _) = source_with_a_commit();
        let commit: Commit = "0".repeat(40).parse().unwrap();
        let outcome = |choice| {
            let (order, workshop) = (order(source.path(), choice), workshop("false"));
            runtime().block_on(rebuild(&workshop, &order, Path::new("/x"), &|_| {}))
        };
        let claimed = outcome(Choice::Claimed(commit.clone()));
        assert!(
            matches!(claimed, Ok(Rebuild::NoCommit { .. })),
            "{claimed:?}"
        );
        let mistyped = outcome(Choice::Given(commit));
        assert!(
            matches!(mistyped, Err(RebuildError::NoCommit { .. })),
            "{mistyped:?}"
        );
    }

    #[test]
    fn a_commit_that_no_branch_leads_to_is_not_of_the_source() {
        let (source, orphan) = source_with_a_commit();
        let mut git = std::process::Command::new("git");
        git.arg("-C")
            .arg(source.path())
            .args(["-c", "user.name=a", "-c", "user.email=a@b"]);
        git.args([
            "commit",
            "--quiet",
            "--amend",
            "--allow-empty",
            "-m",
            "other",
        ]);
        assert!(git.status().unwrap().success());
        let order = order(source.path(), Choice::Claimed(orphan.parse().unwrap()));
        let workshop = workshop("false");
        let outcome = runtime().block_on(rebuild(&workshop, &order, Path::new("/x"), &|_| {}));
        assert!(
            matches!(outcome, Ok(Rebuild::NoCommit { .. })),
            "{outcome:?}"
        );
    }

    #[test]
    fn a_builder_that_says_no_is_evidence_and_a_missing_one_is_none() {
        let (source, head) = source_with_a_commit();
        let order = order(source.path(), Choice::Head);
        let refused = runtime().block_on(rebuild(
            &workshop("false"),
            &order,
            Path::new("/x"),
            &|_| {},
        ));
        let Ok(Rebuild::Refused { commit, .. }) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(commit, head);
        let missing = workshop("/nowhere/builder");
        let missing = runtime().block_on(rebuild(&missing, &order, Path::new("/x"), &|_| {}));
        assert!(
            matches!(missing, Err(RebuildError::Start { .. })),
            "{missing:?}"
        );
    }

    #[test]
    fn a_layout_without_a_record_is_of_no_rebuild() {
        let layout = tempfile::tempdir().unwrap();
        let outcome = read_earlier(layout.path());
        assert!(
            matches!(outcome, Err(RebuildError::NoRecord { .. })),
            "{outcome:?}"
        );
        let record = Record {
            image: "registry.example/a/b".to_owned(),
            source: "/source".to_owned(),
            commit: "0".repeat(40),
            image_digest: content::Digest::of(b"image"),
        };
        record.write(layout.path()).unwrap();
        assert_eq!(Record::read(layout.path()).unwrap(), record);
        let outcome = read_earlier(layout.path());
        assert!(
            matches!(outcome, Err(RebuildError::Layout(_))),
            "{outcome:?}"
        );
    }

    #[test]
    fn a_source_that_cannot_be_cloned_is_an_error_and_no_verdict() {
        let order = order(Path::new("/nowhere/source"), Choice::Head);
        let outcome = runtime().block_on(rebuild(
            &workshop("false"),
            &order,
            Path::new("/x"),
            &|_| {},
        ));
        assert!(
            matches!(outcome, Err(RebuildError::Clone { .. })),
            "{outcome:?}"
        );
    }
}
