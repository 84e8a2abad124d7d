//! The commands that compare and change what Google Cloud has.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use console::Status;
use console::at;
use console::hint::Hinted;
use content::limits;
use gcp::{Access, Rest, Token};
use google::outputs::{KeyGrant, gcloud};
use grant::Grant;
use grant::inspect::Inspection;
use serde_json::{Value, json};
use verifier::error::Error;
use verifier::grant::apply::{Change, Fate, Keys};
use verifier::grant::audit::{Audit, undescribed};
use verifier::grant::rotate::{Rotated, Rotation, Window};
use verifier::revoke::{Measured, Probe, is_gone, revoke as take_away};
use verifier::verdict::Countersigned;

use super::files::{apart, blocking, read_grant};
use super::{Kms, Revoke, Verify};

/// The public URL of Cloud KMS.
const KMS: &str = "https://cloudkms.googleapis.com";

/// Arguments of `rotate`.
#[derive(Args, Debug)]
pub struct Rotate {
    /// The arguments of `verify`, which runs first.
    #[command(flatten)]
    pub verify: Verify,
    /// The file that describes the grant: key, role and pool
    #[arg(long, value_name = "FILE")]
    pub grant: PathBuf,
    /// How long other images keep the role, such as 24h; without this option, they lose it as soon as the new image has it
    #[arg(long, value_name = "DURATION")]
    pub keep: Option<Window>,
    /// Change the IAM policy of the key; without this option, the changes are printed
    #[arg(long)]
    pub apply: bool,
    /// How to reach Cloud KMS.
    #[command(flatten)]
    pub kms: Kms,
}

/// Arguments of `audit`.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit status: 0 as granted, 1 not as granted, 2 error, or a policy or role that could not be read, so that there is no answer."
)]
pub struct AuditKey {
    /// The file that describes the grant, with a table [provider]
    #[arg(long, value_name = "FILE")]
    pub grant: PathBuf,
    /// A folder of verdicts: reports of `--json` as *.json, and folders that `countersign` has written. Without it, the images
    /// that are bound are listed and not compared
    #[arg(long, value_name = "DIR")]
    pub verdicts: Option<PathBuf>,
    /// Report as JSON on standard output
    #[arg(long)]
    pub json: bool,
    /// How to reach Google Cloud.
    #[command(flatten)]
    pub access: Access,
}

/// What a command has to say.
pub struct Said {
    /// For people, on standard error.
    pub notes: Vec<String>,
    /// Data, on standard output.
    pub data: Option<String>,
    /// The same as both for programs.
    pub json: Value,
    /// The answer.
    pub status: Status,
}

/// Compares the live state with a grant.
pub async fn audit(arguments: &AuditKey, now: DateTime<Utc>) -> Result<Said, Error> {
    let grant = apart(&arguments.grant, read_grant).await?;
    let verdicts = match arguments.verdicts.clone() {
        Some(folder) => Some(blocking(move || Ok(verdicts::read(&folder)?)).await?),
        None => None,
    };
    let inspection = Inspection {
        grant: &grant,
        verdicts: verdicts.as_ref(),
        now,
    };
    inspection.granted().map_err(undescribed)?;
    let access = &arguments.access;
    let cloud = access.connect(gcp::credentials().await?).await?;
    let live = cloud.live(&grant).await?;
    let audit = Audit::of(&live, &inspection, access.scope())?;
    Ok(Said {
        notes: Vec::new(),
        data: Some(audit.to_string()),
        json: audit.to_json(),
        status: audit.status(),
    })
}

/// Rotates a grant to an image that was approved and countersigned.
pub async fn rotate(
    arguments: &Rotate,
    grant: &Grant,
    keys: &Keys,
    countersigned: &Countersigned,
    now: DateTime<Utc>,
) -> Result<Said, Error> {
    let rotation = Rotation::new(countersigned, grant, arguments.keep, now);
    let plan = rotation.plan(keys).await?;
    let mut said = Said {
        notes: Vec::new(),
        data: Some(plan.to_string()),
        json: json!({"applied": arguments.apply, "plan": plan.to_json()}),
        status: Status::Yes,
    };
    if arguments.apply {
        let rotated = rotation.apply(keys).await?;
        said.notes = rotated_notes(&rotated, rotation.fate(), grant);
        said.json["changed"] = json!({
            "new_image": rotated.added == Change::Written,
            "other_images": rotated.retired == Change::Written,
        });
    } else if !plan.is_empty() {
        said.notes
            .push("nothing was changed: --apply changes it".to_owned());
    }
    Ok(said)
}

/// Where the other ways to a key are seen.
const OTHERS: &str = "this command looks at the policy of the key, under the role of the grant, by digest; `verifier audit` shows who else may \
                      decrypt";

fn rotated_notes(rotated: &Rotated, fate: Fate, grant: &Grant) -> Vec<String> {
    let role = grant.role();
    let added = match rotated.added {
        Change::Written => "the new image has the role",
        Change::AlreadySo => "the new image already had the role",
    };
    let retired = match (rotated.retired, fate) {
        (Change::AlreadySo, _) => "no other image was changed".to_owned(),
        (Change::Written, Fate::Now) => {
            format!(
                "in the policy of the key, no other image of the pool has {role} by digest any more"
            )
        }
        (Change::Written, Fate::Until(end)) => {
            let end = end.to_rfc3339_opts(SecondsFormat::Secs, true);
            format!(
                "in the policy of the key, other images of the pool have {role} by digest until {end} at the latest"
            )
        }
    };
    vec![added.to_owned(), retired, OTHERS.to_owned()]
}

/// Removes the binding of an image, and measures when the key refuses.
pub async fn revoke(arguments: &Revoke) -> Result<Said, Error> {
    let grant = apart(&arguments.grant, read_grant).await?;
    let (key, digest) = (grant.key(), &arguments.image.digest);
    let member = grant.member(digest);
    let mut said = Said {
        notes: Vec::new(),
        data: None,
        json: json!({
            "key": key.to_string(),
            "role": grant.role(),
            "member": member,
            "applied": arguments.apply,
            "was_bound": null,
        }),
        status: Status::Yes,
    };
    if !arguments.apply {
        said.data = Some(gcloud::remove(&KeyGrant {
            key,
            role: grant.role(),
            member: &member,
        }));
        return Ok(said);
    }
    let keys = Keys::connect(arguments.kms.kms_endpoint.as_ref()).await?;
    let service = match &arguments.probe {
        Some(path) => Some(probed(path, arguments).await?),
        None => None,
    };
    let probe = service.as_ref().map(|service| Probe { service, key });
    let was_permitted = match &probe {
        Some(probe) => probe.is_permitted().await?,
        None => false,
    };
    let change = take_away(&keys, &grant, digest).await?;
    let begin = Instant::now();
    let role = grant.role();
    said.json["was_bound"] = json!(change == Change::Written);
    said.notes.push(match change {
        Change::Written => {
            format!("binding of {digest} to {role} removed from the policy of {key}")
        }
        Change::AlreadySo => format!("the policy of {key} has no binding of {digest} to {role}"),
    });
    let is_gone = is_gone(&keys, &grant, digest).await?;
    said.json["policy_is_without_it"] = json!(is_gone);
    if !is_gone {
        said.notes
            .push("another program has added the binding again".to_owned());
        said.status = Status::No;
        return Ok(said);
    }
    let measured = match (&probe, was_permitted) {
        (Some(probe), true) => Some(probe.until_refused(begin).await?),
        (Some(_), false) => Some(Measured::NeverPermitted),
        (None, _) => None,
    };
    tell(&mut said, measured, &grant);
    Ok(said)
}

/// Cloud KMS, asked with the access token in a file.
async fn probed(path: &Path, arguments: &Revoke) -> Result<Rest, Error> {
    let path = path.to_owned();
    let token = blocking(move || {
        let bytes = at::read(&path, limits::TOKEN)?;
        let token = Token::new(&String::from_utf8_lossy(&bytes));
        let shown = at::shown(&path);
        Ok(token
            .ok_or_else(|| Hinted::new(format_args!("reading {shown}: not one access token")))?)
    });
    let endpoint = arguments.kms.kms_endpoint.as_ref();
    Ok(Rest::with_token(endpoint, KMS, token.await?)?)
}

/// Says what was measured, or what Google states.
fn tell(said: &mut Said, measured: Option<Measured>, grant: &Grant) {
    let seconds = |time: Duration| (time.as_secs_f64() * 10.0).round() / 10.0;
    let note = match measured {
        Some(Measured::RefusedAfter(time)) => {
            said.json["refused_after_seconds"] = json!(seconds(time));
            format!("measured: the key refuses the workload of the token since {} s after the removal", seconds(time))
        }
        Some(Measured::StillPermitted(time)) => {
            said.status = Status::Unknown;
            format!("measured: the key did not refuse the workload of the token within {} s", seconds(time))
        }
        Some(Measured::NeverPermitted) => {
            "not measured: the key refused the workload of the token before the removal".to_owned()
        }
        None => "not measured, for lack of --probe: the policy of the key is without the binding, and Google states that each use is refused after two \
                 minutes, sometimes seven or more"
            .to_owned(),
    };
    said.notes.push(note);
    let pool = grant.pool();
    let named = grant
        .provider()
        .map(|it| it.to_create().project.to_string());
    let project = named.unwrap_or_else(|| pool.project().to_string());
    let pool = pool.id();
    said.notes.extend([
        OTHERS.to_owned(),
        "access tokens stay valid for up to an hour, and each use of the key is compared with its policy; what was decrypted stays known"
            .to_owned(),
        format!(
            "to stop all images of the pool at once, disable the pool (a disabled provider leaves issued tokens valid): gcloud iam \
             workload-identity-pools update {pool} --project={project} --location=global --disabled"
        ),
    ]);
}
