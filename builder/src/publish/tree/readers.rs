//! Which reader counts which signers.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Item, Kind, Layout, Place, Signer};

/// How many signers a reader counts, and why not the others.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    pub(super) reader: &'static str,
    pub(super) counted: usize,
    pub(super) signers: usize,
    /// One reason for each signer that is not counted.
    pub(super) reasons: Vec<String>,
}

/// A signature on the image by one signer.
type Signature<'a> = (&'a Item, &'a Signer);
type Counted = Result<(), Reason>;

/// Why a reader does not count a signature.
enum Reason {
    /// It is where the reader looks, and is not read.
    Unread(String),
    /// It is where the reader does not look.
    Elsewhere(String),
}

/// The algorithms that `cosign verify --key` reads.
const COSIGN: [&str; 3] = ["ecdsa-der-sha256", "rsa-pkcs1-sha256", "ed25519"];

/// What each reader counts. Signers are told apart by key, or by the names in their certificates; all unknown keys are one signer.
pub(super) fn summaries(items: &[Item]) -> Vec<Summary> {
    let mut signers: BTreeMap<String, Vec<Signature<'_>>> = BTreeMap::new();
    let signatures = items.iter().filter(|item| item.kind == Kind::Signature);
    for item in signatures {
        for signer in &item.signers {
            signers
                .entry(identity(signer))
                .or_default()
                .push((item, signer));
        }
    }
    let is_own = |item: &Item| !matches!(item.place, Place::Elsewhere { .. });
    let bundles = items
        .iter()
        .any(|item| is_own(item) && item.layout == Layout::Bundle);
    let cosign_now = |signature: &Signature<'_>| match bundles {
        true => cosign_bundle(signature),
        false => cosign_tag(signature),
    };
    vec![
        summary("Confidential Space", &signers, confidential_space),
        summary("cosign before 2.6", &signers, cosign_tag),
        summary("cosign 2.6 and 3", &signers, cosign_now),
    ]
}

fn summary(
    reader: &'static str,
    signers: &BTreeMap<String, Vec<Signature<'_>>>,
    counts: impl Fn(&Signature<'_>) -> Counted,
) -> Summary {
    let uncounted = signers.values().filter_map(|signatures| {
        // `None` if the reader counts one of them.
        let reasons: Option<Vec<Reason>> = signatures.iter().map(|s| counts(s).err()).collect();
        // A reason at the place where the reader looks says more than that there are other places.
        let first = reasons?.into_iter().min_by_key(|reason| match reason {
            Reason::Unread(_) => 0,
            Reason::Elsewhere(_) => 1,
        });
        first.map(|reason| match reason {
            Reason::Unread(text) | Reason::Elsewhere(text) => text,
        })
    });
    let reasons: Vec<String> = uncounted.collect();
    Summary {
        reader,
        counted: signers.len() - reasons.len(),
        signers: signers.len(),
        reasons,
    }
}

fn identity(signer: &Signer) -> String {
    match signer {
        Signer::Key { key_id, .. } | Signer::Hinted { key_id } => key_id.clone(),
        Signer::Certificate { subject, issuer } => format!("certificate {subject:?} {issuer:?}"),
        Signer::Unknown => "unknown".to_owned(),
    }
}

/// Confidential Space reads every repository that the operator names.
fn confidential_space((item, signer): &Signature<'_>) -> Counted {
    if !item.place.within().is_signature_tag() {
        return Err(elsewhere(item, signer));
    }
    Err(Reason::Unread(match signer {
        Signer::Key {
            is_read_in_confidential_space: true,
            ..
        } if item.names_key => return Ok(()),
        Signer::Key {
            is_read_in_confidential_space: true,
            ..
        } => format!("the payload of {signer} does not name the key and its algorithm"),
        Signer::Key { key_type, .. } if !is_read(key_type) => {
            format!("{signer}'s key is {key_type}, which it does not read")
        }
        Signer::Key { algorithm, .. } => {
            format!("{signer} signs with {algorithm} or an exponent that it does not read")
        }
        Signer::Hinted { .. } | Signer::Unknown => {
            format!("the payload of {signer} does not name a key that it reads")
        }
        Signer::Certificate { .. } => format!("it reads keys, and not the certificate of {signer}"),
    }))
}

/// Whether Confidential Space reads keys of this type, with some algorithm.
fn is_read(key_type: &str) -> bool {
    let is_rsa = key_type.starts_with("rsa-") && !key_type.starts_with("rsa-pss-");
    key_type == "ecdsa-p256" || is_rsa
}

/// cosign before 2.6, which looks under the tag.
fn cosign_tag((item, signer): &Signature<'_>) -> Counted {
    match item.place.is_signature_tag() {
        true => cosign_algorithm(signer),
        false => Err(elsewhere(item, signer)),
    }
}

/// cosign 2.6 and 3, which look for bundles only if there is one, whatever its content. cosign 2.6 reads one only if it is
/// given a trusted root, even with a key.
fn cosign_bundle((item, signer): &Signature<'_>) -> Counted {
    match (&item.place, item.layout) {
        (Place::Tag(_) | Place::Referrer(_), Layout::Bundle) => cosign_algorithm(signer),
        _ => Err(elsewhere(item, signer)),
    }
}

fn cosign_algorithm(signer: &Signer) -> Counted {
    Err(Reason::Unread(match signer {
        Signer::Key { algorithm, .. } if COSIGN.contains(&algorithm.as_str()) => return Ok(()),
        Signer::Key { algorithm, .. } => {
            format!("{signer} signs with {algorithm}, which `cosign verify --key` does not read")
        }
        Signer::Hinted { .. } => format!("{signer} is not known here: name it with --key"),
        Signer::Unknown => "a key is not known here: name it with --key".to_owned(),
        // Whether a reader counts it is decided by its trusted root.
        Signer::Certificate { .. } => {
            format!("whether it counts {signer} depends on its trusted root")
        }
    }))
}

fn elsewhere(item: &Item, signer: &Signer) -> Reason {
    let found = match (&item.place, item.layout) {
        (Place::Elsewhere { .. }, _) => "in another repository",
        (Place::Tag(_), _) => "under a tag",
        (Place::Referrer(_), Layout::Bundle) => "in a bundle",
        (Place::Referrer(_), _) => "in a referrer of the legacy layout",
    };
    Reason::Elsewhere(format!(
        "{signer} signed {found} only, where it does not look"
    ))
}
