//! The commands that appraise an image, and what others need of them.

use std::time::SystemTime;

use console::progress::Progress;
use console::{Status, password, print};
use grant::Grant;
use serde_json::Value;
use signer::{Access, Shelf, Signer};
use verifier::authorize::{self, Appraised, Origin, Request};
use verifier::countersign::{self, Countersigner};
use verifier::error::Error;
use verifier::policy::Policy;
use verifier::report;
use verifier::verdict::{Countersigned, Verdict};

use super::printing::{print_json, print_line};
use crate::cli;
use crate::cli::files::{apart, read_policy};
use crate::cli::found::{Found, connect};
use crate::cli::tools::tools;

/// The verifier's URI if neither policy nor command line names one.
const VERIFIER_ID: &str = "https://countersign.dev/verifier";

pub async fn verify(arguments: &cli::VerifyAlone, progress: &Progress) -> Result<Status, Error> {
    let only = arguments.signatures_only;
    let arguments = &arguments.verify;
    let policy = apart(&arguments.policy, read_policy).await?;
    let found = Found::open(&arguments.image, &policy, None, &arguments.registry).await?;
    if only {
        return signers(arguments, &found, &policy, progress).await;
    }
    let appraised = appraise(arguments, &found, &policy, progress).await?;
    print::note(report::table(&appraised.verdict).trim_end());
    match (&appraised.verdict, arguments.json) {
        (_, true) => print_json(&report::json(&appraised.verdict, &appraised.evidence))?,
        (Verdict::Pass(approval), false) => print_line(&approval.image().to_string())?,
        (Verdict::Fail(_), false) => {}
    }
    Ok(answer(&appraised.verdict))
}

/// Checks signers alone. Standard output does not name the image, as it would after a pass.
async fn signers(
    arguments: &cli::Verify,
    found: &Found,
    policy: &Policy,
    progress: &Progress,
) -> Result<Status, Error> {
    let request = request(found, policy, &Origin::Absent);
    let signers = authorize::signers(&request, progress).await?;
    print::note(report::signers_table(&signers).trim_end());
    if arguments.json {
        print_json(&report::signers_json(&signers))?;
    }
    Ok(match signers.are_complete() {
        true => Status::Yes,
        false => Status::No,
    })
}

async fn appraise(
    arguments: &cli::Verify,
    found: &Found,
    policy: &Policy,
    progress: &Progress,
) -> Result<Appraised, Error> {
    let origin = match (&arguments.source, &arguments.rebuilt) {
        (Some(source), _) => Origin::Source {
            source: source.clone(),
            commit: arguments.tools.commit.clone(),
            tools: Box::new(tools(&arguments.tools)?),
        },
        (None, Some(layout)) => Origin::Layout(layout.clone()),
        (None, None) => Origin::Absent,
    };
    let request = request(found, policy, &origin);
    authorize::verify(&request, progress).await
}

fn request<'a>(found: &'a Found, policy: &'a Policy, origin: &'a Origin) -> Request<'a> {
    Request {
        reference: &found.reference,
        place: found.place(),
        evidence: found.evidence(),
        policy,
        origin,
        now: SystemTime::now().into(),
    }
}

/// Opens the key before the rebuild, so that a wrong path is reported early. It is used only after a pass.
pub async fn sign(arguments: &cli::Countersign, progress: &Progress) -> Result<Status, Error> {
    let verify = &arguments.verify;
    let output = arguments.output.as_deref();
    output.map(countersign::require_new).transpose()?;
    let policy = apart(&verify.policy, read_policy).await?;
    let access = Access {
        kms_endpoint: arguments.kms.kms_endpoint.as_ref(),
        pkcs11_module: arguments.pkcs11_module.as_deref(),
        algorithm: arguments.algorithm,
        password: || password::of_key(std::env::var_os),
        pin: || password::of_token(std::env::var_os),
    };
    let signer = Signer::open(&arguments.key.parse()?, access).await?;
    let found = Found::open(&verify.image, &policy, None, &verify.registry).await?;
    let registry = connect(&found.reference.repository, &verify.registry).await?;
    let other = match &arguments.to {
        Some(repository) => Some(connect(repository, &verify.registry).await?),
        None => None,
    };
    let shelf = Shelf {
        image: &registry,
        evidence: other.as_ref().unwrap_or(&registry),
    };
    let appraised = appraise(verify, &found, &policy, progress).await?;
    print::note(report::table(&appraised.verdict).trim_end());
    let mut summary = report::json(&appraised.verdict, &appraised.evidence);
    if let Verdict::Pass(approval) = &appraised.verdict {
        let id = arguments.verifier_id.as_deref().or(policy.verifier_id());
        let party = Countersigner {
            signer: &signer,
            verifier_id: id.unwrap_or(VERIFIER_ID),
        };
        let done = countersign::countersign(shelf, approval, &party, output).await?;
        print::note("verdict signed, image countersigned");
        let notes = signer.note().map(ToOwned::to_owned);
        for note in notes.into_iter().chain(done.notes(approval.image())) {
            print::note(&format!("note: {note}"));
        }
        summary["countersignature"] = done.to_json();
    }
    match (&appraised.verdict, verify.json) {
        (_, true) => print_json(&summary)?,
        (Verdict::Pass(approval), false) => print_line(&approval.image().to_string())?,
        (Verdict::Fail(_), false) => {}
    }
    Ok(answer(&appraised.verdict))
}

/// The verdict for a binding, its report, and permission to bind. The table is printed.
pub async fn judge(
    arguments: &cli::Verify,
    policy: &Policy,
    grant: &Grant,
    progress: &Progress,
) -> Result<(Verdict, Value, Option<Countersigned>), Error> {
    let found = Found::open(&arguments.image, policy, Some(grant), &arguments.registry).await?;
    let appraised = appraise(arguments, &found, policy, progress).await?;
    let Appraised { verdict, evidence } = appraised;
    let bindable = match verdict.clone() {
        Verdict::Pass(approval) => approval.to_bind(),
        Verdict::Fail(refusal) => Err(refusal),
    };
    let (verdict, countersigned) = match bindable {
        Ok(countersigned) => (verdict, Some(countersigned)),
        Err(refusal) => (Verdict::Fail(refusal), None),
    };
    print::note(report::table(&verdict).trim_end());
    let summary = report::json(&verdict, &evidence);
    Ok((verdict, summary, countersigned))
}

pub fn answer(verdict: &Verdict) -> Status {
    match verdict {
        Verdict::Pass(_) => Status::Yes,
        Verdict::Fail(_) => Status::No,
    }
}
