//! From a reference to a verdict ([`verify`]), and from a pass to a binding ([`bind`]) when the other parties have countersigned too.

use std::path::PathBuf;

use attest::{ImageName, Provenance, Statement};
use chrono::{DateTime, Utc};
use console::hint::Hinted;
use console::progress::Progress;
use oci::{ImageRef, Reference, Target};
use remote::Registry;
use scratch::Scratch;

use crate::advisories;
use crate::appraise::appraise;
use crate::binding::Binding;
use crate::collect;
use crate::commit::Commit;
use crate::error::Error;
use crate::evidence::{Attested, Evidence, Rebuild};
use crate::examine::examine;
use crate::grant::apply::{Change, Keys};
use crate::grant::plan::Plan;
use crate::place::Place;
use crate::policy::{Demand, Policy};
use crate::rebuild::{self, Attached, Choice, Order, Tools, only_image};
use crate::rules;
use crate::signers::Signers;
use crate::verdict::{Countersigned, Verdict};
use grant::Grant;

/// The origin of the rebuild.
#[derive(Clone, Debug)]
pub enum Origin {
    /// Build this source now.
    Source {
        /// Directory or URL.
        source: String,
        /// The commit to build instead of the one that provenance names. A commit that the policy pins takes
        /// precedence.
        commit: Option<Commit>,
        /// The programs and their settings.
        tools: Box<Tools>,
    },
    /// The layout of an earlier `verifier rebuild`.
    Layout(PathBuf),
    /// No source was given.
    Absent,
}

/// An image to appraise.
pub struct Request<'a> {
    /// The reference that the user gave.
    pub reference: &'a Reference,
    /// Where it is.
    pub place: Place<'a>,
    /// Other repositories that may have signatures and statements about it.
    pub evidence: &'a [Registry],
    /// The policy to appraise it by.
    pub policy: &'a Policy,
    /// The origin of the rebuild.
    pub origin: &'a Origin,
    /// The time for which to appraise it.
    pub now: DateTime<Utc>,
}

/// A verdict and its evidence.
#[derive(Debug)]
pub struct Appraised {
    /// Pass or fail.
    pub verdict: Verdict,
    /// The evidence that was appraised.
    pub evidence: Evidence,
}

/// Fetches the image with its signatures and statements, verifies them, rebuilds the image and appraises it.
///
/// # Errors
/// The image cannot be fetched or rebuilt, so that there is no verdict.
pub async fn verify(request: &Request<'_>, progress: &Progress) -> Result<Appraised, Error> {
    require_source(request)?;
    require_pinned(request)?;
    let prepared = prepare(request.origin)?;
    let image = resolve(request, progress).await?;
    let published = collect::collect(request.place, &image).await?;
    let published = collect::add_elsewhere(published, request.evidence).await?;
    let attached = Attached {
        place: request.place,
        files: published.index_files.clone(),
    };
    let attested = examine(published, &request.policy.principals, request.now);
    let rebuild = match prepared {
        Prepared::Done(rebuild) => rebuild,
        Prepared::Source(source) => {
            rebuild(request, &source, &attested, &attached, progress).await?
        }
    };
    let evidence = Evidence::new(attested, rebuild);
    let evidence = advisories::scanned(evidence, request.policy, request.now)?;
    let verdict = Verdict::of(appraise(&evidence, request.policy, request.now));
    Ok(Appraised { verdict, evidence })
}

/// Fetches the image's manifest, signatures and statements, verifies them, and checks only that the principals that the policy
/// requires have signed. Config and layers are not fetched, and nothing is rebuilt.
///
/// # Errors
/// The image cannot be fetched.
pub async fn signers(request: &Request<'_>, progress: &Progress) -> Result<Signers, Error> {
    let image = resolve(request, progress).await?;
    let published = collect::collect_attached(request.place, &image).await?;
    let published = collect::add_elsewhere(published, request.evidence).await?;
    let attested = examine(published, &request.policy.principals, request.now);
    Ok(Signers::of(attested, request.policy, request.now))
}

/// Resolves the reference once. After that only the digest is used: a tag may move.
async fn resolve(request: &Request<'_>, progress: &Progress) -> Result<ImageRef, Error> {
    let image = collect::resolve(request.place, request.reference).await?;
    if let Target::Tag(tag) = &request.reference.target {
        progress.note(&format!("tag {tag} resolves to {image}"));
    }
    Ok(image)
}

/// What is done with a binding.
#[derive(Clone, Copy, Debug)]
pub enum Act<'a> {
    /// It is only made.
    Make,
    /// It is compared with the policy of the key.
    Plan(&'a Keys),
    /// It is added to the policy of the key.
    Apply(&'a Keys),
}

/// A binding, and what was done with it.
#[derive(Debug)]
pub struct Bound {
    /// The binding for the digest.
    pub binding: Binding,
    /// What was done.
    pub done: Done,
}

/// What was done with a binding.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Done {
    /// It was only made.
    Made,
    /// What it would change in the policy of the key.
    Planned(Plan),
    /// What it changed in the policy of the key.
    Applied(Change),
}

/// Makes the binding, and plans or applies it.
///
/// # Errors
/// The request to the key service fails. Then the key's policy was not changed, unless the answer was lost.
pub async fn bind(
    countersigned: &Countersigned,
    grant: &Grant,
    act: Act<'_>,
) -> Result<Bound, Error> {
    let binding = Binding::new(countersigned, grant);
    let (key, edit) = (binding.key(), binding.to_edit());
    let done = match act {
        Act::Make => Done::Made,
        Act::Plan(keys) => Done::Planned(keys.plan(key, &[edit]).await?),
        Act::Apply(keys) => {
            let applied = keys.apply(key, &edit).await;
            Done::Applied(applied.map_err(|error| error.during("binding"))?)
        }
    };
    Ok(Bound { binding, done })
}

/// Refuses a policy that requires a rebuild if there is no source, before the image is fetched.
fn require_source(request: &Request<'_>) -> Result<(), Error> {
    match (request.policy.rebuild, request.origin) {
        (Demand::Required, Origin::Absent) => Err(Hinted::new(
            "choosing a source: the policy requires a rebuild, and no source was given",
        )
        .hinting("give --source DIR|URL, or --rebuilt LAYOUT of an earlier rebuild")
        .into()),
        _ => Ok(()),
    }
}

/// Refuses a commit other than the one that the policy pins: its rebuild could not pass.
fn require_pinned(request: &Request<'_>) -> Result<(), Error> {
    match (&request.policy.commit, request.origin) {
        (
            Some(pinned),
            Origin::Source {
                commit: Some(given),
                ..
            },
        ) if pinned != given => Err(Hinted::new(format_args!(
            "choosing a commit: the policy pins {pinned}, and --commit is {given}"
        ))
        .hinting("omit --commit, or use a policy that pins that commit")
        .into()),
        _ => Ok(()),
    }
}

/// What is known of the rebuild before the image is fetched.
enum Prepared<'a> {
    /// All of it.
    Done(Rebuild),
    /// The source is to be built.
    Source(Source<'a>),
}

/// A source, and the programs that build it.
struct Source<'a> {
    source: &'a str,
    commit: Option<&'a Commit>,
    tools: &'a Tools,
}

/// Reads an earlier rebuild, or checks that the programs are installed that build: an error is found before the image is fetched.
fn prepare(origin: &Origin) -> Result<Prepared<'_>, Error> {
    Ok(match origin {
        Origin::Absent => Prepared::Done(Rebuild::Absent),
        Origin::Layout(layout) => {
            let rebuilt = rebuild::read_earlier(layout)?;
            Prepared::Done(Rebuild::Done(Box::new(rebuilt)))
        }
        Origin::Source {
            source,
            commit,
            tools,
        } => {
            tools.check()?;
            Prepared::Source(Source {
                source,
                commit: commit.as_ref(),
                tools,
            })
        }
    })
}

async fn rebuild(
    request: &Request<'_>,
    source: &Source<'_>,
    attested: &Attested,
    attached: &Attached<'_>,
    progress: &Progress,
) -> Result<Rebuild, Error> {
    let named = || named_commit(attested, request.policy);
    let chosen = request.policy.commit.as_ref().or(source.commit);
    let order = Order {
        source: source.source.to_owned(),
        source_uri: request.policy.source_uri.clone(),
        commit: Choice::of(chosen, named)?,
        directory: request.policy.directory.clone(),
        image: match &request.policy.image {
            Some(pinned) => Some(pinned.clone()),
            // The rules refuse it. Its rebuild says which image it is.
            None => named_image(attested, request.policy)?,
        },
    };
    let scratch = Scratch::new().map_err(Hinted::temporary)?;
    let layout = scratch.path().join("layout");
    Ok(rebuild::rebuild(source.tools, &order, attached, &layout, progress).await?)
}

/// The commit that provenance names, if its signer may attest.
fn named_commit(attested: &Attested, policy: &Policy) -> Result<Option<Commit>, Error> {
    let named = provenance(attested, policy)
        .filter_map(|one| rules::provenance::commit_of(&one)?.parse().ok());
    Ok(Commit::only(&named.collect())?)
}

/// The name of the image that provenance names, if its signer may attest.
fn named_image(attested: &Attested, policy: &Policy) -> Result<Option<ImageName>, Error> {
    let named = provenance(attested, policy);
    let named = named.filter_map(|one| rules::provenance::image_of(&one));
    Ok(only_image(&named.collect())?)
}

/// The provenance of signers who may attest.
fn provenance<'a>(
    attested: &'a Attested,
    policy: &'a Policy,
) -> impl Iterator<Item = Provenance> + 'a {
    let statements = attested.statements.iter();
    let counted = statements.filter(|statement| policy.attesters.contains(statement.by()));
    counted.filter_map(|statement| {
        let statement = Statement::<Provenance>::parse(&statement.value().payload).ok()?;
        Some(statement.predicate)
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::policy::tests::{REPOSITORY, parse, text};
    use crate::published::{Carrier, Form, Piece};
    use content::Digest;
    use serde_json::json;
    use signature::PrivateKey;
    use signature::envelope::{Envelope, IN_TOTO, pae};

    fn attested(claims: &[(&PrivateKey, &str)], policy: &Policy) -> Attested {
        let digest = Digest::of(b"image");
        let pieces = claims.iter().map(|(key, commit)| statement(key, commit));
        let published = crate::published::Published {
            image: format!("{REPOSITORY}@{digest}").parse().unwrap(),
            source: crate::published::Source::Repository,
            contents: None,
            pieces: pieces.collect(),
            boms: Vec::new(),
            index_files: Vec::new(),
            damage: Vec::new(),
            passed_over: Vec::new(),
        };
        examine(published, policy.principals(), DateTime::UNIX_EPOCH)
    }

    /// A statement that an image was built from `commit`.
    pub(crate) fn provenance_of(commit: &str) -> Vec<u8> {
        let source = json!({"uri": "git+x", "digest": {"gitCommit": commit}});
        let payload = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": REPOSITORY, "digest": {"sha256": Digest::of(b"image").hex()}}],
            "predicateType": Provenance::PREDICATE.uri,
            "predicate": {
                "buildDefinition": {
                    "buildType": "https://build.example",
                    "externalParameters": {},
                    "resolvedDependencies": [source],
                },
                "runDetails": {"builder": {"id": "https://builder.example/???~~~"}},
            },
        });
        payload.to_string().into_bytes()
    }

    fn statement(key: &PrivateKey, commit: &str) -> Piece {
        let payload = provenance_of(commit);
        let signature = key.sign(&pae(IN_TOTO, &payload)).unwrap();
        let envelope = Envelope::new(IN_TOTO, payload, "", signature);
        let bytes = envelope.to_bytes().unwrap();
        Piece {
            carrier: Carrier::Tag("sha256-07.att".to_owned()),
            form: Form::Envelope,
            certified: None,
            claimed_type: None,
            digest: Digest::of(&bytes),
            bytes,
        }
    }

    #[test]
    fn the_order_of_statements_chooses_no_commit() {
        let keys = [
            PrivateKey::generate().unwrap(),
            PrivateKey::generate().unwrap(),
        ];
        let [builder, other] = &keys;
        let policy = parse(&text(&[("builder", builder), ("other", other)])).unwrap();
        let (first, second) = ("a".repeat(40), "b".repeat(40));
        let named =
            |claims: &[(&PrivateKey, &str)]| named_commit(&attested(claims, &policy), &policy);
        for (one, two) in [(&first, &second), (&second, &first)] {
            let outcome = named(&[(builder, one), (builder, two)]);
            let error = outcome.unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("choosing a commit: provenance names {first}, {second}")
            );
            assert_eq!(error.hint(), Some("choose one with --commit"));
            // A signer who may not attest names no commit.
            let only = named(&[(other, one), (builder, two), (builder, two)]);
            assert_eq!(only.unwrap().unwrap().as_str(), two);
        }
    }
}
