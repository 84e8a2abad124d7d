//! The arguments of `check`.

mod token;

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{ArgGroup, Args, Subcommand};
use console::arguments::Deferred;
use console::hint::Hinted;
use keyless::{Pattern, Subject, Trusted};
use signature::Algorithm;
use verifier::Error;
use verifier::check::{self, Facts, Judgement, Signer};

pub use token::Token;

/// Arguments of `check`.
#[derive(Args, Debug)]
pub struct Check {
    /// What to check.
    #[command(subcommand)]
    pub what: What,
}

/// What to check.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Check a signature over a file
    Signature(Deferred<Signature>),
    /// Check a DSSE envelope
    Envelope(Deferred<Envelope>),
    /// Check a Sigstore bundle
    Bundle(Deferred<Bundle>),
    /// Check a document of an image, or a layout with all that it names
    Image(Deferred<Image>),
    /// Check a layer of an image
    Layer(Deferred<Layer>),
    /// Check an in-toto statement without its signature
    Statement(Deferred<Statement>),
    /// Check an attestation token of Confidential Space
    Token(Deferred<Token>),
    /// Check the attribute condition of an identity provider, and evaluate it for claims
    Condition(Deferred<Condition>),
    /// Check a software bill of materials: CycloneDX as JSON (1.2 to 1.7) or XML (1.0 to 1.7), SPDX 2.2 or 2.3 as JSON or tag-value
    Sbom(Deferred<Sbom>),
}

impl What {
    /// Checks the file, and adds what was read from it to `facts`. The time `now` decides about a token. In bundles it only
    /// rules out times to come: a certificate must be valid when the signature was made.
    pub fn judge(&self, now: DateTime<Utc>, facts: Option<&mut Facts>) -> Result<Judgement, Error> {
        match self {
            Self::Signature(arguments) => check::signature(&check::Signature {
                file: &arguments.file,
                signature: &arguments.signature,
                keys: &arguments.keys.keys,
                algorithm: arguments.keys.algorithm,
            }),
            Self::Envelope(arguments) => check::envelope(&check::Envelope {
                file: &arguments.file,
                keys: &arguments.keys.keys,
                algorithm: arguments.keys.algorithm,
                payload_type: arguments.payload_type.as_deref(),
            }),
            Self::Bundle(arguments) => arguments.judge(now),
            Self::Image(arguments) => check::image(&arguments.path),
            Self::Layer(arguments) => check::layer(&arguments.file, facts),
            Self::Statement(arguments) => check::statement(&arguments.file, facts),
            Self::Token(arguments) => arguments.judge(now, facts),
            Self::Condition(arguments) => check::condition(
                &check::Condition {
                    file: &arguments.file,
                    claims: arguments.claims.as_ref(),
                    mapping: &arguments.mapping,
                },
                facts,
            ),
            Self::Sbom(arguments) => {
                let request = check::Sbom {
                    file: &arguments.file,
                    image: arguments.image.as_deref(),
                    lock: arguments.lock.as_deref(),
                    advisories: arguments.advisories(now),
                };
                check::sbom(&request, facts)
            }
        }
    }

    /// Whether the report is JSON.
    pub fn json(&self) -> bool {
        match self {
            Self::Signature(arguments) => arguments.json,
            Self::Envelope(arguments) => arguments.json,
            Self::Bundle(arguments) => arguments.json,
            Self::Image(arguments) => arguments.json,
            Self::Layer(arguments) => arguments.json,
            Self::Statement(arguments) => arguments.json,
            Self::Token(arguments) => arguments.json(),
            Self::Condition(arguments) => arguments.json,
            Self::Sbom(arguments) => arguments.json,
        }
    }
}

/// The keys.
#[derive(Args, Debug)]
pub struct Keys {
    /// A public key in PEM; repeatable, and one that signed is enough
    #[arg(long = "key", value_name = "PEM", required = true)]
    pub keys: Vec<PathBuf>,
    /// The only algorithm of the keys: ecdsa-der-HASH, ecdsa-p1363-HASH, rsa-pkcs1-HASH, rsa-pss-HASH or rsa-pss-HASH-saltBYTES,
    /// with sha256, sha384 or sha512 for HASH; or ed25519 or ed25519ph [default: those of each key's type]
    #[arg(long)]
    pub algorithm: Option<Algorithm>,
}

/// Arguments of `check signature`.
#[derive(Args, Debug)]
pub struct Signature {
    /// The file that was signed
    pub file: PathBuf,
    /// The signature: its bytes, their base64, or the bundle that cosign sign-blob wrote
    #[arg(long, value_name = "FILE")]
    pub signature: PathBuf,
    /// The keys.
    #[command(flatten)]
    pub keys: Keys,
    /// Report as JSON on standard output
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `check envelope`.
#[derive(Args, Debug)]
pub struct Envelope {
    /// The envelope
    pub file: PathBuf,
    /// The keys.
    #[command(flatten)]
    pub keys: Keys,
    /// The only type that the payload may have [default: any]
    #[arg(long, value_name = "TYPE")]
    pub payload_type: Option<String>,
    /// Report as JSON on standard output
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `check image`.
#[derive(Args, Debug)]
pub struct Image {
    /// A manifest, index, configuration, descriptor or `oci-layout` file, or the directory of a layout
    pub path: PathBuf,
    /// Report as JSON on standard output
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `check layer`.
#[derive(Args, Debug)]
pub struct Layer {
    /// The layer: a tar archive, plain or in gzip or zstd
    pub file: PathBuf,
    /// Report as JSON on standard output, with the diff ID and all entries
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `check statement`.
#[derive(Args, Debug)]
pub struct Statement {
    /// The statement, without the envelope around it
    pub file: PathBuf,
    /// Report as JSON on standard output, with subjects and predicate type
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `check condition`.
#[derive(Args, Debug)]
pub struct Condition {
    /// The condition, or the provider in JSON, with attributeCondition and attributeMapping
    pub file: PathBuf,
    /// The claims of a token in JSON; the condition must be true for them [default: the condition is only compiled]
    #[arg(long, value_name = "FILE")]
    pub claims: Option<PathBuf>,
    /// An attribute and the expression that is mapped to it, such as google.subject=assertion.sub; repeatable
    #[arg(long, value_name = "ATTRIBUTE=EXPRESSION", value_parser = mapping)]
    pub mapping: Vec<(String, String)>,
    /// Report as JSON on standard output, with the attributes that the claims are mapped to
    #[arg(long)]
    pub json: bool,
}

fn mapping(text: &str) -> Result<(String, String), String> {
    let (target, expression) = text
        .split_once('=')
        .ok_or("expected ATTRIBUTE=EXPRESSION")?;
    Ok((target.to_owned(), expression.to_owned()))
}

/// Arguments of `check bundle`: those of the client in sigstore-conformance, and more.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("signer")
    .required(true)
    .args(["certificate_identity", "certificate_identity_regexp", "key"]))]
#[command(group = ArgGroup::new("identity")
    .args(["certificate_identity", "certificate_identity_regexp"])
    .requires("issuer"))]
#[command(group = ArgGroup::new("issuer")
    .args(["certificate_oidc_issuer", "certificate_without_issuer"])
    .conflicts_with("key"))]
pub struct Bundle {
    /// The bundle
    #[arg(long, value_name = "FILE")]
    pub bundle: PathBuf,
    /// The subject that the certificate must name, exactly
    #[arg(long, value_name = "SUBJECT")]
    pub certificate_identity: Option<String>,
    /// A regular expression that the whole subject must match; it begins with ^ and ends with $
    #[arg(long, value_name = "PATTERN")]
    pub certificate_identity_regexp: Option<Pattern>,
    /// The issuer that the certificate must name, exactly
    #[arg(long, value_name = "URL")]
    pub certificate_oidc_issuer: Option<String>,
    /// The certificate must name no issuer, as those of GitHub for private repositories
    #[arg(long)]
    pub certificate_without_issuer: bool,
    /// The public key that must have signed, in PEM
    #[arg(long, value_name = "PEM")]
    pub key: Option<PathBuf>,
    /// The trusted root [default: that of Sigstore's public instance, as of this version]
    #[arg(long, value_name = "FILE")]
    pub trusted_root: Option<PathBuf>,
    /// Without --trusted-root, trust Sigstore's instance for tests
    #[arg(long)]
    pub staging: bool,
    /// The signed file, or its digest, if there is no file of that name
    #[arg(value_name = "FILE|DIGEST")]
    pub artifact: PathBuf,
    /// Report as JSON on standard output
    #[arg(long)]
    pub json: bool,
}

impl Bundle {
    fn judge(&self, now: DateTime<Utc>) -> Result<Judgement, Error> {
        let signer = self.signer();
        let root = match (&self.trusted_root, self.staging) {
            (Some(path), _) => check::Root::File(path.clone()),
            (None, true) => check::Root::Embedded(keyless::STAGING),
            (None, false) => check::Root::Embedded(keyless::PRODUCTION),
        };
        check::bundle(&check::Bundle {
            file: &self.bundle,
            artifact: &self.artifact,
            signer: signer.ok_or_else(|| Hinted::new("no signer is given"))?,
            root,
            now,
        })
    }

    /// Who must have signed. The parser of arguments requires exactly one.
    fn signer(&self) -> Option<Signer> {
        if let Some(key) = &self.key {
            return Some(Signer::Key(key.clone()));
        }
        let exact = self.certificate_identity.clone().map(Subject::Exact);
        let pattern = self.certificate_identity_regexp.clone();
        Some(Signer::Certificate(Trusted {
            issuer: self.certificate_oidc_issuer.clone(),
            subject: exact.or(pattern.map(Subject::Pattern))?,
        }))
    }
}

/// Arguments of `check sbom`.
#[derive(Args, Debug)]
pub struct Sbom {
    /// The bill of materials
    pub file: PathBuf,
    /// Compare it with the image in this layout, or archive of a layout: each file belongs to a component with its digest, and
    /// each component has a file, or is a crate that a program of the image lists
    #[arg(long, value_name = "PATH")]
    pub image: Option<PathBuf>,
    /// Compare its crates, and those that programs of the image list, with this Cargo.lock
    #[arg(long, value_name = "FILE", requires = "image")]
    pub lock: Option<PathBuf>,
    /// Compare its packages with the advisories in this directory, in the format of OSV; all but informational ones are refused
    #[arg(long, value_name = "DIR")]
    pub advisories: Option<PathBuf>,
    /// The release of packages of Debian whose URL names none, such as 12
    #[arg(long, value_name = "RELEASE", requires = "advisories")]
    pub debian: Option<String>,
    /// A document in OpenVEX or CycloneDX that answers advisories; repeatable
    #[arg(long, value_name = "FILE", requires = "advisories")]
    pub vex: Vec<PathBuf>,
    /// Report as JSON on standard output
    #[arg(long)]
    pub json: bool,
}

impl Sbom {
    fn advisories(&self, now: DateTime<Utc>) -> Option<check::Advisories<'_>> {
        Some(check::Advisories {
            database: self.advisories.as_deref()?,
            debian: self.debian.as_deref(),
            answers: &self.vex,
            now,
        })
    }
}
