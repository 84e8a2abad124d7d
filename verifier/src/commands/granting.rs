//! The commands that make a grant, print it or change it.

use std::time::SystemTime;

use console::hint::Hinted;
use console::progress::Progress;
use console::{Status, print};
use google::outputs::{Printed, Unprintable};
use grant::Grant;
use serde_json::Value;
use signer::KmsEndpoint;
use verifier::authorize::{self, Act, Bound, Done};
use verifier::error::Error;
use verifier::grant::apply::{Change, Keys};
use verifier::report;

use super::judging::{answer, judge};
use super::printing::{print_json, print_line, say};
use crate::cli;
use crate::cli::files::{apart, read_grant, read_policy};

/// Opens the key service before the rebuild, so that missing credentials are reported early. It is used only after a pass.
pub async fn authorize(arguments: &cli::Authorize, progress: &Progress) -> Result<Status, Error> {
    let verify = &arguments.verify;
    let policy = apart(&verify.policy, read_policy).await?;
    let grant = apart(&arguments.grant, read_grant).await?;
    let output = arguments.format;
    grant
        .check_output(output)
        .map_err(|error| unprintable(output.name, error))?;
    let keys = match arguments.apply || arguments.plan {
        true => Some(reach(&grant, arguments.kms.kms_endpoint.as_ref()).await?),
        false => None,
    };
    let act = match &keys {
        Some(keys) if arguments.apply => Act::Apply(keys),
        Some(keys) => Act::Plan(keys),
        None => Act::Make,
    };
    let (verdict, mut summary, countersigned) = judge(verify, &policy, &grant, progress).await?;
    let Some(countersigned) = countersigned else {
        return refuse(verify, &summary);
    };
    let bound = authorize::bind(&countersigned, &grant, act).await?;
    print::note(&done(&bound));
    summary["binding"] = report::binding(&bound);
    match (verify.json, &bound.done) {
        (true, _) => print_json(&summary)?,
        (false, Done::Planned(plan)) => print_line(&console::text::lines(&plan.to_string()))?,
        (false, _) => print_grant(&(arguments.format.print)(&bound.binding.granted()))?,
    }
    Ok(answer(&verdict))
}

pub async fn rotate(arguments: &cli::grants::Rotate, progress: &Progress) -> Result<Status, Error> {
    let verify = &arguments.verify;
    let policy = apart(&verify.policy, read_policy).await?;
    let grant = apart(&arguments.grant, read_grant).await?;
    let keys = reach(&grant, arguments.kms.kms_endpoint.as_ref()).await?;
    let (_, mut summary, countersigned) = judge(verify, &policy, &grant, progress).await?;
    let Some(countersigned) = countersigned else {
        return refuse(verify, &summary);
    };
    let mut said = cli::grants::rotate(
        arguments,
        &grant,
        &keys,
        &countersigned,
        SystemTime::now().into(),
    )
    .await?;
    summary["rotation"] = std::mem::take(&mut said.json);
    said.json = summary;
    say(&said, verify.json)
}

/// Prints what the owner of the pool creates once. Nothing is read but the grant.
pub async fn provider(arguments: &cli::Provider) -> Result<Status, Error> {
    let grant = apart(&arguments.grant, read_grant).await?;
    let provider = grant.provider().ok_or_else(|| {
        Hinted::new("printing the provider: the grant has no [provider]").hinting(grant::EXAMPLE)
    })?;
    let printed = (arguments.format.print)(&provider.to_create(), &grant.settings());
    print_grant(&printed)?;
    Ok(Status::Yes)
}

fn refuse(arguments: &cli::Verify, summary: &Value) -> Result<Status, Error> {
    if arguments.json {
        print_json(summary)?;
    }
    Ok(Status::No)
}

/// Connects to the key service, and checks that the policy of the grant's key can be read.
async fn reach(grant: &Grant, endpoint: Option<&KmsEndpoint>) -> Result<Keys, Error> {
    let keys = Keys::connect(endpoint).await?;
    keys.check(grant.key()).await?;
    Ok(keys)
}

fn done(bound: &Bound) -> String {
    let key = bound.binding.key();
    match bound.done {
        Done::Applied(Change::Written) => format!("binding added to {key}"),
        Done::Applied(Change::AlreadySo) => format!("{key} already has the binding"),
        Done::Planned(_) => "nothing was changed: --apply changes it".to_owned(),
        Done::Made => "the binding is printed and not applied".to_owned(),
    }
}

fn unprintable(format: &str, error: Unprintable) -> Hinted {
    Hinted::new(format_args!("printing the grant for {format}: {error}")).hinting(error.hint())
}

/// Prints a grant or a provider, and to standard error what its format cannot say.
fn print_grant(printed: &Result<Printed, Unprintable>) -> Result<(), Error> {
    let printed = printed.as_ref();
    let printed = printed.map_err(|error| unprintable("this format", *error))?;
    for note in &printed.notes {
        print::note(&format!("note: {note}"));
    }
    print_line(&printed.text)
}
