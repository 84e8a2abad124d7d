//! One honest document of each kind, and the function that reads it.

use attest::{Provenance, Sbom, Statement, Vsa};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use confidential::jwks::{Discovery, KeySet};
use confidential::{Claims, Token};
use content::Digest;
use oci::{Config, Index, Layout, Manifest, media};
use serde_json::{Value, json};
use signature::bundle::{self, Bundle};
use signature::envelope::Envelope;
use signature::simple_signing::Payload;

pub struct Document {
    pub name: &'static str,
    pub honest: Value,
    /// Members that are maps with names of the user's choice.
    pub free: &'static [&'static str],
    /// Parts of pointers to what the reader passes over.
    pub passed_over: &'static [&'static str],
    /// Members that may be absent, as JSON pointers.
    pub optional: &'static [&'static str],
    /// What is read in a document that is accepted: the same document without what is not read. `Value::Null` if the
    /// reader cannot write it.
    pub read: fn(&[u8]) -> Option<Value>,
}

/// What was read, as JSON.
fn written<T: serde::Serialize, E>(read: Result<T, E>) -> Option<Value> {
    read.ok().map(|read| serde_json::to_value(read).unwrap())
}

/// Something was read that is not written again.
fn unwritten<T, E>(read: Result<T, E>) -> Option<Value> {
    read.ok().map(|_| Value::Null)
}

pub fn all() -> Vec<Document> {
    vec![
        manifest(),
        index(),
        config(),
        layout(),
        payload(),
        bare_envelope(),
        in_bundle(),
        provenance(),
        verdict(),
        sbom(),
        claims(),
        token_header(),
        key_set(),
        discovery(),
    ]
}

fn descriptor() -> Value {
    json!({
        "mediaType": "application/x", "digest": Digest::of(b"x").to_string(), "size": 1,
        "annotations": {"a": "b"}, "artifactType": "a/b", "urls": ["https://x.example"],
        "data": STANDARD.encode("x"),
        "platform": {"architecture": "amd64", "os": "linux", "os.version": "1",
            "os.features": ["f"], "variant": "v"},
    })
}

fn manifest() -> Document {
    Document {
        name: "manifest",
        honest: json!({
            "schemaVersion": 2, "mediaType": media::MANIFEST, "artifactType": "a/b",
            "config": descriptor(), "layers": [descriptor()], "subject": descriptor(),
            "annotations": {"a": "b"},
        }),
        free: &["annotations"],
        passed_over: &[],
        optional: &[
            "/mediaType",
            "/artifactType",
            "/layers",
            "/subject",
            "/annotations",
            "/config/annotations",
            "/config/artifactType",
            "/config/urls",
            "/config/data",
            "/config/platform",
            "/config/platform/os.version",
            "/config/platform/os.features",
            "/config/platform/variant",
        ],
        read: |bytes| written(Manifest::parse(bytes)),
    }
}

fn index() -> Document {
    Document {
        name: "index",
        honest: json!({
            "schemaVersion": 2, "mediaType": media::INDEX, "artifactType": "a/b",
            "manifests": [descriptor()], "subject": descriptor(), "annotations": {"a": "b"},
        }),
        free: &["annotations"],
        passed_over: &[],
        optional: &[
            "/mediaType",
            "/artifactType",
            "/manifests",
            "/subject",
            "/annotations",
        ],
        read: |bytes| written(Index::parse(bytes)),
    }
}

fn config() -> Document {
    Document {
        name: "configuration",
        honest: json!({
            "created": "2026-01-02T03:04:05Z", "author": "a", "architecture": "amd64",
            "os": "linux", "os.version": "1", "os.features": ["f"], "variant": "v",
            "config": {
                "User": "u", "ExposedPorts": {"80/tcp": {}}, "Env": ["A=b"], "Entrypoint": ["e"],
                "Cmd": ["c"], "Volumes": {"/v": {}}, "WorkingDir": "/", "Labels": {"a": "b"},
                "StopSignal": "SIGTERM", "ArgsEscaped": false,
            },
            "rootfs": {"type": "layers", "diff_ids": [Digest::of(b"x").to_string()]},
            "history": [{"created": "2026-01-02T03:04:05Z", "created_by": "b", "author": "a",
                "comment": "c", "empty_layer": true}],
        }),
        free: &["ExposedPorts", "Volumes", "Labels"],
        passed_over: &[],
        optional: &[
            "/created",
            "/author",
            "/os.version",
            "/os.features",
            "/variant",
            "/config",
            "/config/User",
            "/config/ExposedPorts",
            "/config/Env",
            "/config/Entrypoint",
            "/config/Cmd",
            "/config/Volumes",
            "/config/Volumes/~1v",
            "/config/WorkingDir",
            "/config/Labels",
            "/config/StopSignal",
            "/config/ArgsEscaped",
            "/rootfs/diff_ids",
            "/history",
            "/history/0/created",
            "/history/0/empty_layer",
        ],
        read: |bytes| written(Config::parse(bytes)),
    }
}

fn layout() -> Document {
    Document {
        name: "layout",
        honest: json!({"imageLayoutVersion": "1.0.0"}),
        free: &[],
        passed_over: &[],
        optional: &[],
        read: |bytes| {
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(dir.path().join("oci-layout"), bytes).unwrap();
            unwritten(Layout::open(dir.path()))
        },
    }
}

fn payload() -> Document {
    Document {
        name: "simple-signing payload",
        honest: json!({
            "critical": {
                "identity": {"docker-reference": "r.example/a"},
                "image": {"docker-manifest-digest": Digest::of(b"x").to_string()},
                "type": "cosign container image signature",
            },
            "optional": {"a": "b"},
        }),
        free: &["optional"],
        passed_over: &[],
        optional: &["/optional"],
        read: |bytes| written(Payload::parse_signed(bytes)),
    }
}

fn envelope() -> Value {
    json!({"payload": "e30=", "payloadType": "t", "signatures": [{"keyid": "k", "sig": "AA=="}]})
}

fn bare_envelope() -> Document {
    Document {
        name: "envelope",
        honest: envelope(),
        free: &[],
        passed_over: &[],
        optional: &["/signatures/0/keyid"],
        read: |bytes| unwritten(Envelope::parse(bytes)),
    }
}

fn in_bundle() -> Document {
    Document {
        name: "bundle",
        honest: json!({
            "mediaType": bundle::MEDIA_TYPE,
            "verificationMaterial": {
                "publicKey": {"hint": "h"},
                "tlogEntries": [{"logIndex": "1", "inclusionProof": {"rootHash": "a"}}],
                "timestampVerificationData": {"rfc3161Timestamps": [{"signedTimestamp": "a"}]},
            },
            "dsseEnvelope": envelope(),
        }),
        free: &[],
        passed_over: &["/tlogEntries/", "/rfc3161Timestamps/"],
        optional: &[
            "/verificationMaterial/publicKey/hint",
            "/verificationMaterial/tlogEntries",
            "/verificationMaterial/timestampVerificationData",
            "/verificationMaterial/timestampVerificationData/rfc3161Timestamps",
            "/dsseEnvelope/signatures/0/keyid",
        ],
        read: |bytes| unwritten(Bundle::parse(bytes)),
    }
}

fn statement(predicate_type: &str, predicate: Value) -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1", "predicateType": predicate_type,
        "subject": [{"name": "n", "digest": {"sha256": "00"}}], "predicate": predicate,
    })
}

fn provenance() -> Document {
    let predicate = json!({
        "buildDefinition": {
            "buildType": "t", "externalParameters": {"a": 1}, "internalParameters": {"a": 1},
            "resolvedDependencies": [{"uri": "u", "digest": {"sha256": "00"}, "name": "n"}],
        },
        "runDetails": {"builder": {"id": "b"}, "metadata": {"invocationId": "i"}},
    });
    Document {
        name: "provenance",
        honest: statement("https://slsa.dev/provenance/v1", predicate),
        free: &[
            "digest",
            "externalParameters",
            "internalParameters",
            "metadata",
        ],
        passed_over: &[],
        optional: &[
            "/subject/0/name",
            "/predicate/buildDefinition/internalParameters",
            "/predicate/buildDefinition/resolvedDependencies",
            "/predicate/buildDefinition/resolvedDependencies/0/uri",
            "/predicate/buildDefinition/resolvedDependencies/0/digest",
            "/predicate/runDetails/metadata",
        ],
        read: |bytes| written(Statement::<Provenance>::parse(bytes)),
    }
}

fn verdict() -> Document {
    let predicate = json!({
        "verifier": {"id": "v"}, "timeVerified": "t", "resourceUri": "r",
        "policy": {"uri": "u", "digest": {"sha256": "00"}}, "verificationResult": "PASSED",
        "verifiedLevels": ["l"], "slsaVersion": "1.0",
    });
    Document {
        name: "verification summary",
        honest: statement("https://slsa.dev/verification_summary/v1", predicate),
        free: &["digest"],
        passed_over: &[],
        optional: &["/predicate/policy/uri", "/predicate/verifiedLevels"],
        read: |bytes| written(Statement::<Vsa>::parse(bytes)),
    }
}

fn sbom() -> Document {
    let mut sbom = Sbom::new();
    sbom.add_file("/workload", Digest::of(b"x"));
    sbom.add_crate("ring", "1.0.0", Digest::of(b"ring"));
    let sbom = serde_json::from_slice(&sbom.to_bytes().unwrap()).unwrap();
    Document {
        name: "bill of materials",
        honest: statement("https://cyclonedx.org/bom", sbom),
        free: &["digest"],
        passed_over: &[],
        optional: &[],
        read: |bytes| unwritten(Statement::<Sbom>::parse(bytes)),
    }
}

fn claims() -> Document {
    Document {
        name: "claims",
        honest: json!({
            "aud": "a", "iss": "i", "sub": "s", "iat": 1, "nbf": 1, "exp": 2, "eat_profile": "p",
            "eat_nonce": ["n"], "secboot": true, "oemid": 11129, "hwmodel": "h", "swname": "GCE",
            "swversion": ["1"], "dbgstat": "d", "google_service_accounts": ["a"],
            "submods": {
                "confidential_space": {"support_attributes": ["LATEST"],
                    "monitoring_enabled": {"memory": true}},
                "container": {
                    "image_reference": "r", "image_digest": "d", "image_id": "i",
                    "restart_policy": "Never", "args": ["a"], "env": {"A": "b"},
                    "cmd_override": ["c"], "env_override": {"A": "b"},
                    "image_signatures": [{"key_id": "k", "signature": "s",
                        "signature_algorithm": "a"}],
                },
                "gce": {"zone": "z", "project_id": "p", "project_number": "1",
                    "instance_name": "n", "instance_id": "2"},
            },
        }),
        free: &["env", "env_override", "monitoring_enabled"],
        passed_over: &[],
        optional: &[
            "/sub",
            "/nbf",
            "/eat_nonce",
            "/secboot",
            "/oemid",
            "/hwmodel",
            "/swname",
            "/swversion",
            "/dbgstat",
            "/google_service_accounts",
            "/submods",
            "/submods/container",
            "/submods/container/args",
            "/submods/container/env",
            "/submods/container/cmd_override",
            "/submods/container/image_signatures",
            "/submods/gce",
        ],
        read: |bytes| written(Claims::parse(bytes)),
    }
}

pub fn token_header() -> Document {
    Document {
        name: "token header",
        honest: json!({"alg": "RS256", "kid": "k", "typ": "JWT", "x5c": ["c"]}),
        free: &[],
        passed_over: &[],
        optional: &["/kid", "/x5c"],
        read: |bytes| {
            let token = format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(bytes));
            unwritten(Token::parse(&token))
        },
    }
}

fn key_set() -> Document {
    Document {
        name: "key set",
        honest: json!({"keys": [{"kty": "RSA", "kid": "k", "use": "sig", "key_ops": ["verify"],
            "alg": "RS256", "n": "sZoo", "e": "AQAB"}]}),
        free: &[],
        passed_over: &[],
        optional: &["/keys", "/keys/0/use", "/keys/0/key_ops", "/keys/0/alg"],
        read: |bytes| unwritten(KeySet::parse(bytes)),
    }
}

fn discovery() -> Document {
    Document {
        name: "discovery document",
        honest: json!({"issuer": "https://i.example", "jwks_uri": "https://i.example/keys"}),
        free: &[],
        passed_over: &[],
        optional: &[],
        read: |bytes| unwritten(Discovery::parse(bytes, "https://i.example")),
    }
}
