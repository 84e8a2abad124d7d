//! A case that passes: an image, signatures and statements in both layouts, a rebuild and a policy,
//! all in memory and made with the crates that the programs use. Tests take it and break one thing.

// Each test program uses its own part of this.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::io::Cursor;

use attest::predicate::COSIGN_SIGN;
use attest::provenance::{BuildDefinition, Builder, Provenance, ResourceDescriptor, RunDetails};
use attest::{Sbom, Statement, Subject};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use content::Digest;
use oci::layer::{Content, Entry, Executable, Kind};
use oci::{Descriptor, Image, ImageRef, Manifest, media};
use serde_json::{Value, json};
use signature::PrivateKey;
use signature::bundle::Bundle;
use signature::envelope::{self, Envelope};
use verifier::appraise::appraise;
use verifier::contents::Contents;
use verifier::evidence::{Evidence, Rebuild, Rebuilt, RegistryCheck, Timing};
use verifier::examine::examine;
use verifier::finding::{Finding, Outcome, Rule};
use verifier::policy::Policy;
use verifier::published::{Carrier, Form, Piece, Published, Source};
use verifier::report;
use verifier::signers::Signers;
use verifier::verdict::Verdict;

pub const PROVENANCE: Rule = Rule::Statement(Provenance::PREDICATE);
pub const SBOM: Rule = Rule::Statement(Sbom::PREDICATE);
/// The time for which cases are appraised.
pub const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;
pub const REPOSITORY: &str = "127.0.0.1:5000/builder/workload";
pub const SOURCE: &str = "git+https://source.example/countersign";
pub const BUILDER_ID: &str = "https://builder.example/countersign";
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

pub struct Keys {
    pub builder: PrivateKey,
    pub collaborator: PrivateKey,
    pub unknown: PrivateKey,
}

/// Test keys, the same in every run.
pub fn keys() -> Keys {
    let key = |pem| PrivateKey::from_pem(pem).unwrap();
    Keys {
        builder: key(include_str!("keys/builder.pem")),
        collaborator: key(include_str!("keys/collaborator.pem")),
        unknown: key(include_str!("keys/unknown.pem")),
    }
}

pub struct Stored {
    pub manifest: Vec<u8>,
    pub config: Vec<u8>,
    pub layer: Vec<u8>,
}

pub fn stored(files: &[(&str, &[u8])]) -> Stored {
    let entry = |(path, bytes): &(&str, &[u8])| Entry {
        path: path.parse().unwrap(),
        kind: Kind::File {
            content: Content::Bytes(bytes.to_vec()),
            executable: Executable::Yes,
        },
    };
    let mut layer = Vec::new();
    let written = oci::layer::write(files.iter().map(entry), &mut layer).unwrap();
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": ["/workload"]},
        "rootfs": {"type": "layers", "diff_ids": [written.diff_id]},
    });
    let config = config.to_string().into_bytes();
    let manifest = Manifest::new(
        Descriptor::of(media::CONFIG, &config),
        vec![Descriptor::of(media::LAYER_GZIP, &layer)],
    );
    Stored {
        manifest: manifest.to_bytes().unwrap(),
        config,
        layer,
    }
}

impl Stored {
    pub fn contents(&self) -> Contents {
        let image = Image::parse(self.manifest.clone(), self.config.clone()).unwrap();
        let layer = self.layer.clone();
        Contents::read(image, &move |_| Ok(Box::new(Cursor::new(layer.clone())))).unwrap()
    }
}

pub const FILES: [(&str, &[u8]); 2] = [
    ("workload", b"the program"),
    ("etc/countersign/terms.json", b"{}"),
];

pub fn honest_sbom() -> Sbom {
    let mut sbom = Sbom::new();
    for (path, bytes) in FILES {
        sbom.add_file(&format!("/{path}"), Digest::of(bytes));
    }
    sbom.add_crate("p256", "0.14.0", Digest::of(b"p256"));
    sbom.add_crate("sha2", "0.11.0", Digest::of(b"sha2"));
    sbom
}

pub fn dependency(uri: &str, digest: &[(&str, &str)]) -> ResourceDescriptor {
    let digest = digest
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    ResourceDescriptor {
        uri: Some(uri.to_owned()),
        digest: digest.collect(),
        name: None,
    }
}

pub fn honest_provenance() -> Provenance {
    let hex = |bytes: &[u8]| Digest::of(bytes).hex();
    Provenance {
        build_definition: BuildDefinition {
            build_type: attest::provenance::BUILD_TYPE.to_owned(),
            external_parameters: BTreeMap::from([
                ("source".to_owned(), Value::from(SOURCE)),
                ("directory".to_owned(), Value::from("workload")),
            ]),
            internal_parameters: BTreeMap::new(),
            resolved_dependencies: vec![
                dependency(SOURCE, &[("gitCommit", COMMIT), ("sha256", &hex(b"tree"))]),
                dependency("Image.lock", &[("sha256", &hex(b"lock"))]),
                dependency("pkg:cargo/p256@0.14.0", &[("sha256", &hex(b"p256"))]),
            ],
        },
        run_details: RunDetails {
            builder: Builder {
                id: BUILDER_ID.to_owned(),
            },
            metadata: BTreeMap::new(),
        },
    }
}

/// Everything that is appraised. Tests change it before [`Case::verdict`].
pub struct Case {
    pub keys: Keys,
    pub image: ImageRef,
    pub published: Published,
    pub rebuild: Rebuild,
    pub policy: String,
}

pub fn tag(suffix: &str) -> Carrier {
    Carrier::Tag(format!("sha256-aa{suffix}"))
}

pub fn referrer(bytes: &[u8]) -> Carrier {
    Carrier::Referrer(Digest::of(bytes))
}

pub fn piece(carrier: Carrier, form: Form, claimed_type: Option<&str>, bytes: Vec<u8>) -> Piece {
    Piece {
        carrier,
        form,
        certified: None,
        claimed_type: claimed_type.map(str::to_owned),
        digest: Digest::of(&bytes),
        bytes,
    }
}

/// A signature in the legacy layout.
pub fn legacy_signature(key: &PrivateKey, repository: &str, digest: &Digest) -> Piece {
    let payload = signature::simple_signing::payload(
        repository,
        digest,
        key.public(),
        &signature::Annotations::default(),
    )
    .unwrap();
    let signature = STANDARD.encode(key.sign(&payload).unwrap());
    piece(
        tag(".sig"),
        Form::SimpleSigning { signature },
        None,
        payload,
    )
}

pub fn sealed(key: &PrivateKey, payload: Vec<u8>) -> Envelope {
    let signature = key
        .sign(&envelope::pae(envelope::IN_TOTO, &payload))
        .unwrap();
    Envelope::new(envelope::IN_TOTO, payload, "", signature)
}

pub fn statement(repository: &str, digest: &Digest, kind: &str, predicate: Value) -> Vec<u8> {
    let subject = Subject::image(repository, digest);
    Statement::new(subject, kind, predicate).to_bytes().unwrap()
}

/// A statement in a bundle, attached as its own type.
pub fn bundle(key: &PrivateKey, kind: &str, payload: Vec<u8>) -> Piece {
    let bytes = Bundle::new(sealed(key, payload))
        .to_bytes(key.public())
        .unwrap();
    piece(referrer(&bytes), Form::Bundle, Some(kind), bytes)
}

/// A statement under the legacy tag, attached as its own type.
pub fn legacy_statement(key: &PrivateKey, kind: &str, payload: Vec<u8>) -> Piece {
    let bytes = sealed(key, payload).to_bytes().unwrap();
    piece(tag(".att"), Form::Envelope, Some(kind), bytes)
}

pub fn policy_text(keys: &Keys) -> String {
    let principal = |name: &str, key: &PrivateKey| {
        format!(
            "[[principal]]\nname = \"{name}\"\npem = \"\"\"\n{}\"\"\"\n",
            key.public().to_pem()
        )
    };
    format!(
        "repository = \"{REPOSITORY}\"\n\
         [builder]\nid = \"{BUILDER_ID}\"\nbuild_type = \"{}\"\n\
         [source]\nuri = \"{SOURCE}\"\n\
         [signatures]\nrequire = [\"builder\"]\nthreshold = 1\n\
         [attestations]\nrequire = [\"provenance\", \"sbom\"]\nby = [\"builder\"]\n\
         [rebuild]\nrequire = true\n{}{}",
        attest::provenance::BUILD_TYPE,
        principal("builder", &keys.builder),
        principal("collaborator", &keys.collaborator),
    )
}

impl Case {
    /// A case that passes, with signatures and statements in both layouts.
    pub fn passing() -> Self {
        let mut case = Self::bare();
        let key = &case.keys.builder;
        let digest = case.image.digest;
        let signature = statement(REPOSITORY, &digest, COSIGN_SIGN, json!({}));
        let mut pieces = vec![
            legacy_signature(key, REPOSITORY, &digest),
            bundle(key, COSIGN_SIGN, signature),
        ];
        for (kind, value) in honest_predicates() {
            let payload = statement(REPOSITORY, &digest, kind, value);
            pieces.push(legacy_statement(key, kind, payload.clone()));
            pieces.push(bundle(key, kind, payload));
        }
        case.published.pieces = pieces;
        case
    }

    /// Image, rebuild and policy, without any signature.
    pub fn bare() -> Self {
        let keys = keys();
        let contents = stored(&FILES).contents();
        let digest = contents.image().image_digest();
        let image: ImageRef = format!("{REPOSITORY}@{digest}").parse().unwrap();
        let rebuild = Rebuild::Done(Box::new(Rebuilt {
            timing: Timing::Now,
            commit: COMMIT.to_owned(),
            contents: contents.clone(),
            provenance: honest_provenance(),
            sbom: honest_sbom(),
            registry: RegistryCheck::Made,
        }));
        Self {
            policy: policy_text(&keys),
            keys,
            published: Published {
                index_files: Vec::new(),
                boms: Vec::new(),
                image: image.clone(),
                source: Source::Repository,
                contents: Some(contents),
                pieces: Vec::new(),
                damage: Vec::new(),
                passed_over: Vec::new(),
            },
            image,
            rebuild,
        }
    }

    /// The passing case with the two statements replaced, each in both layouts.
    pub fn with_statements(provenance: Value, sbom: Value) -> Self {
        let mut case = Self::passing();
        case.published.pieces.truncate(2);
        let kinds = [
            (Provenance::PREDICATE.uri, provenance),
            (Sbom::PREDICATE.uri, sbom),
        ];
        for (kind, value) in kinds {
            let payload = statement(REPOSITORY, &case.image.digest, kind, value);
            let key = &case.keys.builder;
            case.published
                .pieces
                .push(legacy_statement(key, kind, payload.clone()));
            case.published.pieces.push(bundle(key, kind, payload));
        }
        case
    }

    pub fn with_provenance(change: impl FnOnce(&mut Provenance)) -> Self {
        let mut provenance = honest_provenance();
        change(&mut provenance);
        Self::with_statements(to_value(&provenance), to_value(&honest_sbom()))
    }

    pub fn with_sbom(sbom: &Sbom) -> Self {
        Self::with_statements(to_value(&honest_provenance()), to_value(sbom))
    }

    pub fn policy(&self) -> Policy {
        Policy::parse(self.policy.as_bytes(), &|_| {
            Err(std::io::ErrorKind::NotFound.into())
        })
        .unwrap()
    }

    pub fn verdict(&self) -> Verdict {
        let policy = self.policy();
        let attested = examine(self.published.clone(), policy.principals(), NOW);
        let evidence = Evidence::new(attested, self.rebuild.clone());
        Verdict::of(appraise(&evidence, &policy, NOW))
    }

    /// Who signed, of the same evidence.
    pub fn signers(&self) -> Signers {
        let policy = self.policy();
        let published = Published {
            contents: None,
            ..self.published.clone()
        };
        Signers::of(examine(published, policy.principals(), NOW), &policy, NOW)
    }

    /// Asserts that exactly these rules fail, one of them with `reason` in its text.
    #[track_caller]
    pub fn refused_by(&self, rules: &[Rule], reason: &str) {
        let verdict = self.verdict();
        let refused = self.signers();
        let refused = refused.findings().iter();
        let refused = refused.filter(|finding| finding.outcome() == Outcome::Fail);
        for finding in refused {
            assert!(
                rules.contains(&finding.rule()),
                "signers alone: {finding:?}"
            );
        }
        let failures: Vec<&Finding> = failures(&verdict);
        let mut failed: Vec<Rule> = failures.iter().map(|finding| finding.rule()).collect();
        failed.dedup();
        assert_eq!(failed, rules, "{failures:#?}");
        let named = failures
            .iter()
            .any(|finding| report::detail(finding).contains(reason));
        assert!(named, "{reason:?} not in {failures:#?}");
        for finding in failures {
            let detail = report::detail(finding);
            assert!(
                detail.contains("expected ") && detail.contains("found "),
                "{detail}"
            );
        }
    }
}

pub fn honest_predicates() -> [(&'static str, Value); 2] {
    [
        (Provenance::PREDICATE.uri, to_value(&honest_provenance())),
        (Sbom::PREDICATE.uri, to_value(&honest_sbom())),
    ]
}

pub fn to_value(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

pub fn failures(verdict: &Verdict) -> Vec<&Finding> {
    let findings = verdict.findings().iter();
    findings
        .filter(|finding| finding.outcome() == Outcome::Fail)
        .collect()
}
