//! The commands that publish an image, and show what is published: the part of the program that reads their arguments and
//! prints.

use builder::at;
use builder::error::Error;
use builder::publish::tree::{self, Named};
use builder::publish::whole::{self, Done, Step, Unfinished, Whole};
use builder::publish::{self, push};
use chrono::{DateTime, Utc};
use console::arguments::Registry;
use console::hint::Hinted;
use console::progress::Progress;
use console::{print, text};
use content::limits;
use oci::ImageRef;
use remote::Transport;
use serde_json::json;
use signature::{Annotations, PublicKey};
use signer::{Certified, CertifiedSigner, Clock, Instance, Offline, Published, Signer};

use super::keys;
use crate::cli::publish::{
    Annotated, Attach, AttachSbom, Attest, Key, Payload, Publish, Push, Sign, Tree,
};
use crate::unprinted;

/// Pushes a layout.
pub async fn push(arguments: &Push, progress: &Progress) -> Result<(), Error> {
    let transport = transport(&arguments.registry).await?;
    let (layout, reference) = (&arguments.layout, &arguments.reference);
    let image = push::push(layout, reference, &transport, progress).await?;
    print::line(&image.to_string()).map_err(unprinted)
}

/// Pushes, signs and attests an image. `now` is the time in predicates that have no other place for one.
pub async fn publish(
    arguments: &Publish,
    now: DateTime<Utc>,
    progress: &Progress,
) -> Result<(), Error> {
    let transport = transport(&arguments.registry).await?;
    let annotations = annotations(&arguments.annotations)?;
    // All that can be wrong without the registry is found before anything is published.
    let predicates = whole::predicates(&arguments.layout, now)?;
    let access = keys::access(&arguments.access, arguments.algorithm);
    let signer = Signer::open(&arguments.key.parse()?, access).await?;
    let published = whole::publish(
        Whole {
            layout: &arguments.layout,
            reference: &arguments.reference,
            transport: &transport,
            signer: &signer,
            annotations: &annotations,
            predicates: &predicates,
            progress,
        },
        &report_step,
    );
    let image = published.await.map_err(unfinished)?;
    if let Some(note) = signer.note() {
        print::note(&format!("note: {note}"));
    }
    print::note(&format!("key {}", signer.public().key_id().hex()));
    print::line(&image.to_string()).map_err(unprinted)
}

fn report_step(step: &Step, done: Done) {
    match done {
        Done::Before => print::note(&format!("{step}: published before")),
        Done::Now(published) => {
            print::note(&format!("{step}: published"));
            if let Some(note) = published.note() {
                print::note(&format!("note: {note}"));
            }
        }
    }
}

/// Says what is left to do. The arguments are not repeated: a key may have a PIN in it.
fn unfinished(unfinished: Unfinished) -> Error {
    let left = unfinished.left.iter().map(ToString::to_string);
    let left = left.collect::<Vec<_>>().join(", ");
    print::note(&format!(
        "not published: {left}; the same `builder publish` command goes on with it"
    ));
    unfinished.source
}

/// Signs an image. `clock` reads the time of day.
pub async fn sign(arguments: &Sign, clock: Clock) -> Result<(), Error> {
    let transport = transport(&arguments.registry).await?;
    let (image, annotations) = (&arguments.image, annotations(&arguments.annotations)?);
    if let Some(instance) = arguments.keyless.instance() {
        let signer = certified_signer(instance, &transport, clock).await?;
        let signed = publish::sign_certified(image, &transport, &signer, &annotations).await?;
        return report_certified(image, "signed", &signed);
    }
    let signer = signer(&arguments.key).await?;
    let published = publish::sign(image, &transport, &signer, &annotations).await?;
    if let Some(note) = signer.note() {
        print::note(&format!("note: {note}"));
    }
    report_signature(image, signer.public(), "signed", published)
}

/// Signs a statement about an image. `clock` reads the time of day, which is in predicates that have no other place for
/// a time.
pub async fn attest(arguments: &Attest, clock: Clock) -> Result<(), Error> {
    let transport = transport(&arguments.registry).await?;
    let (image, kind) = (&arguments.image, &arguments.kind);
    // The file is read before any request.
    let predicate = publish::read_predicate(kind, &arguments.predicate, clock())?;
    if let Some(instance) = arguments.keyless.instance() {
        let signer = certified_signer(instance, &transport, clock).await?;
        let attested = publish::attest_certified(image, &transport, &signer, kind, predicate);
        return report_certified(image, "attested", &attested.await?);
    }
    let signer = signer(&arguments.key).await?;
    let published = publish::attest(image, &transport, &signer, kind, predicate).await?;
    report_signature(image, signer.public(), "attested", published)
}

async fn certified_signer(
    instance: Instance<'_>,
    transport: &Transport,
    clock: Clock,
) -> Result<CertifiedSigner, Error> {
    let authorities = match transport {
        Transport::Https { extra_ca } => extra_ca.as_ref(),
        Transport::PlainHttp => None,
    };
    Ok(CertifiedSigner::open(instance, authorities, clock).await?)
}

fn annotations(arguments: &Annotated) -> Result<Annotations, Error> {
    let annotations = Annotations::new(arguments.annotations.iter().cloned());
    Ok(annotations.map_err(Hinted::from_error)?)
}

/// Prints bytes to sign, and the key and the algorithm to sign them with.
/// `now` is the time in predicates that have no other place for one.
pub fn payload(arguments: &Payload, now: DateTime<Utc>) -> Result<(), Error> {
    let (image, public) = (&arguments.image, &arguments.key);
    let key = signer::public_key(&public.key, public.algorithm)?;
    let bytes = match (&arguments.kind, &arguments.predicate) {
        (Some(kind), Some(predicate)) => {
            publish::payload::of_statement(image, kind, predicate, now)?
        }
        _ => {
            let annotations = annotations(&arguments.annotations)?;
            publish::payload::of_signature(image, arguments.layout.into(), &key, &annotations)?
        }
    };
    if let Some(algorithm) = key.algorithms().next() {
        print::note(&format!(
            "sign these bytes with key {}, by {algorithm}",
            key.key_id().hex()
        ));
    }
    print::bytes(&bytes).map_err(unprinted)
}

/// Publishes a signature that was made elsewhere.
pub async fn attach(arguments: &Attach) -> Result<(), Error> {
    let transport = transport(&arguments.registry).await?;
    let (image, public) = (&arguments.image, &arguments.key);
    let key = signer::public_key(&public.key, public.algorithm)?;
    let offline = match (
        &arguments.payload,
        &arguments.signature,
        &arguments.envelope,
    ) {
        (Some(payload), Some(signature), _) => {
            let payload = at::read(payload, limits::STATEMENT)?;
            let signature = at::read(signature, limits::PAYLOAD)?;
            Offline::signature(image, &key, payload, signature)?
        }
        (.., Some(envelope)) => {
            Offline::envelope(image, &key, &at::read(envelope, limits::BUNDLE)?)?
        }
        _ => return Err(Hinted::new("reading arguments: nothing to attach").into()),
    };
    let note = offline.note();
    let published = publish::attach(image, arguments.to.as_ref(), &transport, offline).await?;
    if let Some(note) = note {
        print::note(&format!("note: {note}"));
    }
    report_signature(image, &key, "attached a signature", published)
}

/// Publishes a bill of materials.
pub async fn attach_sbom(arguments: &AttachSbom) -> Result<(), Error> {
    let transport = transport(&arguments.registry).await?;
    let (image, file) = (&arguments.image, &arguments.sbom);
    let attached = publish::attach_sbom(image, &transport, file).await?;
    print::note("this document is not signed: sign it by the name below, as an image");
    print::line(&attached.to_string()).map_err(unprinted)
}

/// Shows what is attached to an image.
pub async fn tree(arguments: &Tree) -> Result<(), Error> {
    let transport = transport(&arguments.registry).await?;
    let named = arguments.keys.iter().map(|named| {
        let key = signer::public_key(&named.path, None)?;
        Ok(Named {
            name: named.name.clone(),
            key,
        })
    });
    let named = named.collect::<Result<_, Error>>()?;
    let evidence = &arguments.evidence;
    let fetched = tree::collect(&arguments.reference, evidence, &transport).await?;
    let tree = tree::read(fetched, named);
    let printed = match arguments.json {
        true => print::json(&json!(tree).to_string()),
        false => print::line(text::lines(&tree::table(&tree)).trim_end()),
    };
    printed.map_err(unprinted)
}

async fn signer(key: &Key) -> Result<Signer, Error> {
    let Some(name) = &key.key else {
        return Err(Hinted::new("reading arguments: no key and no identity token").into());
    };
    let access = keys::access(&key.access, key.algorithm);
    Ok(Signer::open(&name.parse()?, access).await?)
}

fn report_certified(image: &ImageRef, done: &str, certified: &Certified) -> Result<(), Error> {
    report(
        image,
        &format!("{done} as {}", certified.signer),
        certified.published,
    )
}

fn report_signature(
    image: &ImageRef,
    key: &PublicKey,
    done: &str,
    published: Published,
) -> Result<(), Error> {
    report(
        image,
        &format!("{done} by key {}", key.key_id().hex()),
        published,
    )
}

/// Prints what was done, and the image.
fn report(image: &ImageRef, done: &str, published: Published) -> Result<(), Error> {
    print::note(done);
    if let Some(note) = published.note() {
        print::note(&format!("note: {note}"));
    }
    print::line(&image.to_string()).map_err(unprinted)
}

/// How a registry is reached.
pub async fn transport(arguments: &Registry) -> Result<Transport, Error> {
    match arguments.plain_http {
        true => Ok(Transport::PlainHttp),
        false => Transport::https(arguments.ca.as_deref())
            .await
            .map_err(|error| {
                let hint = error.hint();
                Hinted::from_error(error).hinting(hint).into()
            }),
    }
}
