//! The program: arguments, environment, clock and printing. Everything else is in the library.

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use console::hint::Hinted;
use console::progress::Progress;
use console::signals::Signals;
use console::{Status, arguments, password, print};
use google::outputs::{Printed, Unprintable};
use grant::Grant;
use serde_json::Value;
use signer::{Access, KmsEndpoint, Shelf, Signer};
use verifier::authorize::{self, Act, Appraised, Bound, Done, Origin, Request};
use verifier::check::{Facts, Judgement};
use verifier::countersign::{self, Countersigner};
use verifier::error::Error;
use verifier::grant::apply::{Change, Keys};
use verifier::policy::Policy;
use verifier::verdict::{Countersigned, Verdict};
use verifier::{receipt, report, trusted_root};

mod cli;

use cli::files::{apart, read_grant, read_policy};
use cli::found::{Found, connect};
use cli::grants::Said;
use cli::tools::tools;
use cli::{Cli, Command};

/// The verifier's URI if neither policy nor command line names one.
const VERIFIER_ID: &str = "https://countersign.dev/verifier";
/// Time limit for interrupted work to clean up; longer than that of the builder, for which it may wait.
const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    start().unwrap_or_else(|error| explain(&error)).into()
}

fn explain(error: &Error) -> Status {
    let message = error.to_string();
    match error.quotes_a_file() {
        true => print::error_lines("verifier", &message, error.hint()),
        false => print::error("verifier", &message, error.hint()),
    }
    Status::Unknown
}

fn start() -> Result<Status, Error> {
    console::proxy::exempt_loopback(std::env::vars_os(), std::env::args_os())
        .map_err(Hinted::starting)?;
    let cli: Cli = arguments::parse(std::env::args_os());
    if let Command::Check(arguments) = &cli.command {
        return check(&arguments.what);
    }
    let runtime = console::runtime::start().map_err(Hinted::starting)?;
    let answer = runtime.block_on(run(cli));
    // Work that did not end in time ends with the process.
    runtime.shutdown_background();
    answer
}

/// Runs the command in a separate task, so that signals are handled while it waits for a pipe or a terminal.
/// Aborting the task removes its temporary files and ends its processes.
async fn run(cli: Cli) -> Result<Status, Error> {
    // Several providers may be linked, so one must be chosen. This fails only if one was chosen before.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut signals = Signals::listen().map_err(Hinted::starting)?;
    let progress = Progress::start(cli.command.progress(), std::env::var_os)?;
    let mut work = tokio::spawn(dispatch(cli.command, progress.clone()));
    tokio::select! {
        answer = &mut work => {
            progress.end();
            return answer.unwrap_or_else(|error| Err(Hinted::doing("running the command", error).into()));
        }
        _ = signals.next() => {}
    }
    work.abort();
    let cleaned_up = tokio::time::timeout(PATIENCE, work).await;
    drop(cleaned_up);
    progress.end();
    Err(Error::Interrupted)
}

/// Judges one file. This needs neither a runtime nor the network.
fn check(arguments: &cli::check::What) -> Result<Status, Error> {
    let mut facts = arguments.json().then(Facts::new);
    let judgement = arguments.judge(SystemTime::now().into(), facts.as_mut())?;
    match (judgement.is_accepted(), facts) {
        (_, Some(facts)) => print_json(&judgement.to_json(facts))?,
        (true, None) => print_line(&judgement.line())?,
        (false, None) => print::note(&judgement.line()),
    }
    Ok(match judgement.is_accepted() {
        true => Status::Yes,
        false => Status::No,
    })
}

async fn dispatch(command: Command, progress: Progress) -> Result<Status, Error> {
    match command {
        Command::Verify(arguments) => verify(&arguments, &progress).await,
        Command::Countersign(arguments) => sign(&arguments, &progress).await,
        Command::Authorize(arguments) => authorize(&arguments, &progress).await,
        Command::Provider(arguments) => provider(&arguments).await,
        Command::Rotate(arguments) => rotate(&arguments, &progress).await,
        Command::Revoke(arguments) => say(&cli::grants::revoke(&arguments).await?, arguments.json),
        Command::Audit(arguments) => {
            let audited = cli::grants::audit(&arguments, SystemTime::now().into()).await?;
            say(&audited, arguments.json)
        }
        Command::Rebuild(arguments) => rebuild(&arguments, &progress).await,
        Command::Check(arguments) => check(&arguments.what),
        Command::TrustedRoot(arguments) => update_root(&arguments).await,
    }
}

async fn verify(arguments: &cli::VerifyAlone, progress: &Progress) -> Result<Status, Error> {
    let only = arguments.signatures_only;
    let arguments = &arguments.verify;
    let policy = apart(&arguments.policy, read_policy).await?;
    let found = Found::open(&arguments.image, &policy, &arguments.registry).await?;
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
async fn sign(arguments: &cli::Countersign, progress: &Progress) -> Result<Status, Error> {
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
    let found = Found::open(&verify.image, &policy, &verify.registry).await?;
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

/// Opens the key service before the rebuild, so that missing credentials are reported early. It is used only after a pass.
async fn authorize(arguments: &cli::Authorize, progress: &Progress) -> Result<Status, Error> {
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
    let (verdict, mut summary, countersigned) = judge(verify, &policy, progress).await?;
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

async fn rotate(arguments: &cli::grants::Rotate, progress: &Progress) -> Result<Status, Error> {
    let verify = &arguments.verify;
    let policy = apart(&verify.policy, read_policy).await?;
    let grant = apart(&arguments.grant, read_grant).await?;
    let keys = reach(&grant, arguments.kms.kms_endpoint.as_ref()).await?;
    let (_, mut summary, countersigned) = judge(verify, &policy, progress).await?;
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

/// The verdict for a binding, its report, and permission to bind. The table is printed.
async fn judge(
    arguments: &cli::Verify,
    policy: &Policy,
    progress: &Progress,
) -> Result<(Verdict, Value, Option<Countersigned>), Error> {
    let found = Found::open(&arguments.image, policy, &arguments.registry).await?;
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

fn refuse(arguments: &cli::Verify, summary: &Value) -> Result<Status, Error> {
    if arguments.json {
        print_json(summary)?;
    }
    Ok(Status::No)
}

/// Prints what a command has to say.
fn say(said: &Said, as_json: bool) -> Result<Status, Error> {
    for note in &said.notes {
        print::note(note);
    }
    match (&said.data, as_json) {
        (_, true) => print_json(&said.json)?,
        (Some(data), false) => print_line(&console::text::lines(data))?,
        (None, false) => {}
    }
    Ok(said.status)
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

/// Prints what the owner of the pool creates once. Nothing is read but the grant.
async fn provider(arguments: &cli::Provider) -> Result<Status, Error> {
    let grant = apart(&arguments.grant, read_grant).await?;
    let provider = grant.provider().ok_or_else(|| {
        Hinted::new("printing the provider: the grant has no [provider]").hinting(grant::EXAMPLE)
    })?;
    let printed = (arguments.format.print)(&provider.to_create(), &grant.settings());
    print_grant(&printed)?;
    Ok(Status::Yes)
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

async fn rebuild(arguments: &cli::Rebuild, progress: &Progress) -> Result<Status, Error> {
    let found = Found::open_alone(&arguments.image, &arguments.registry).await?;
    let request = receipt::Request {
        reference: &found.reference,
        place: found.place(),
        source: &arguments.source,
        commit: arguments.tools.commit.as_ref(),
        directory: &arguments.directory,
        image: arguments.name.as_ref(),
        tools: &tools(&arguments.tools)?,
        layout: &arguments.output,
        now: SystemTime::now().into(),
    };
    let receipt = receipt::receipt(&request, progress).await?;
    print::note(receipt.table().trim_end());
    match (receipt.rebuilt(), arguments.json) {
        (_, true) => print_json(&receipt.to_json())?,
        (Some(digest), false) => print_line(&digest.to_string())?,
        (None, false) => {}
    }
    match receipt.is_same() {
        true => Ok(Status::Yes),
        false => Ok(Status::No),
    }
}

async fn update_root(arguments: &cli::trusted_root::TrustedRoot) -> Result<Status, Error> {
    let mirror = trusted_root::mirror(&arguments.mirror, arguments.ca.as_deref()).await?;
    let request = trusted_root::Request {
        root: &arguments.root,
        checksum: arguments.root_checksum,
        store: &arguments.store,
        output: &arguments.output,
        signing_config: arguments.signing_config.as_deref(),
        now: SystemTime::now().into(),
    };
    let updated = trusted_root::update(mirror, &request).await?;
    let status = match &updated {
        Ok(_) => Status::Yes,
        Err(_) => Status::No,
    };
    match (updated, arguments.json) {
        (updated, true) => print_json(&trusted_root::to_json(&updated))?,
        (Ok(report), false) => {
            print::note(&report.line());
            print_line(&report.digest.to_string())?;
        }
        (Err(reason), false) => print::note(&Judgement::Refused(reason).line()),
    }
    Ok(status)
}

fn answer(verdict: &Verdict) -> Status {
    match verdict {
        Verdict::Pass(_) => Status::Yes,
        Verdict::Fail(_) => Status::No,
    }
}

fn print_json(value: &Value) -> Result<(), Error> {
    Ok(print::json(&format!("{value:#}")).map_err(Hinted::printing)?)
}

fn print_line(line: &str) -> Result<(), Error> {
    Ok(print::line(line).map_err(Hinted::printing)?)
}
