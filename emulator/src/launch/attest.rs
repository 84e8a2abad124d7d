use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use confidential::event_log::Register;
use confidential::launch_policy::MachineImage;
use content::{json, limits};
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::account::Caller;
use super::discover::Signature;

/// The hardware model of a machine, with the names of the claim `hwmodel` (Confidential Space, token claims).
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub enum Hardware {
    /// Intel TDX.
    #[value(name = "GCP_INTEL_TDX")]
    IntelTdx,
    /// AMD SEV.
    #[value(name = "GCP_AMD_SEV")]
    AmdSev,
    /// AMD SEV-ES.
    #[value(name = "GCP_AMD_SEV_ES")]
    AmdSevEs,
    /// A shielded VM, without confidential computing.
    #[value(name = "GCP_SHIELDED_VM")]
    ShieldedVm,
}

impl Hardware {
    /// The register that events are measured into.
    pub fn register(self) -> Register {
        match self {
            Self::IntelTdx => Register::Rtmr,
            Self::AmdSev | Self::AmdSevEs | Self::ShieldedVm => Register::Pcr,
        }
    }

    /// The value of the claim `hwmodel`.
    pub fn claim(self) -> &'static str {
        match self {
            Self::IntelTdx => "GCP_INTEL_TDX",
            Self::AmdSev => "GCP_AMD_SEV",
            Self::AmdSevEs => "GCP_AMD_SEV_ES",
            Self::ShieldedVm => "GCP_SHIELDED_VM",
        }
    }
}

/// The machine that the image is launched on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Machine {
    /// The project of the operator.
    pub project: String,
    /// The number of the project.
    pub project_number: String,
    /// The zone, `us-central1-a`.
    pub zone: String,
    /// The name of the machine, which is also its host name.
    pub name: String,
    /// The ID of the machine, a number.
    pub id: String,
    /// The hardware model.
    pub hardware: Hardware,
    /// The family of the machine image.
    pub image: MachineImage,
    /// The service accounts that the machine runs as.
    pub service_accounts: Vec<String>,
}

impl Machine {
    /// The region that the zone is in.
    fn region(&self) -> &str {
        self.zone
            .rsplit_once('-')
            .map_or(&self.zone, |(region, _)| region)
    }
}

/// The kind of a token (google/go-tpm-tools, `verifier/models`).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum TokenKind {
    /// Signed by a key that the issuer publishes.
    #[default]
    Oidc,
    /// Signed by a key with certificates.
    Pki,
    /// For AWS, with tags of the principal.
    Aws,
}

/// A request for a token.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TokenRequest {
    /// The audience; if empty, the default of the service.
    pub audience: String,
    /// The nonces that the token must contain.
    pub nonces: Vec<String>,
    /// The kind of the token.
    pub kind: TokenKind,
    /// The options for principal tags of AWS, unchanged from the request.
    pub principal_tags: Option<Value>,
}

/// An issued token with partial errors.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Issued {
    /// The token.
    pub token: String,
    /// One message for each invalid signature.
    pub partial_errors: Vec<String>,
}

/// Why no token was issued.
#[derive(Debug, thiserror::Error)]
pub enum AttestError {
    /// The service cannot be reached, or its answer is incomplete.
    #[error("{}", remote::chain(.0))]
    Transport(#[from] reqwest::Error),
    /// The service refuses (google.rpc.Status).
    #[error("googleapi: Error {status}: {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The name of the status, `INVALID_ARGUMENT`.
        name: String,
        /// The message of the service.
        message: String,
    },
    /// The answer is malformed, or larger than any token.
    #[error("reading answer of the attestation service: {0}")]
    Answer(String),
}

impl AttestError {
    /// Whether the client caused the error; the launcher answers 400 then, and 500 otherwise.
    pub fn is_of_the_client(&self) -> bool {
        const NAMES: &[&str] = &[
            "INVALID_ARGUMENT",
            "FAILED_PRECONDITION",
            "PERMISSION_DENIED",
            "UNAUTHENTICATED",
            "NOT_FOUND",
            "ABORTED",
            "OUT_OF_RANGE",
            "CANCELLED",
        ];
        matches!(self, Self::Refused { name, .. } if NAMES.contains(&name.as_str()))
    }
}

/// A client of the attestation service.
pub struct Service {
    http: reqwest::Client,
    endpoint: String,
    machine: Machine,
    event_log: Vec<u8>,
    caller: Caller,
}

impl Service {
    /// A client of the service at `endpoint`, for a machine with the measured events `event_log`.
    pub fn new(endpoint: &str, machine: Machine, event_log: Vec<u8>, caller: Caller) -> Self {
        Self {
            http: reqwest::Client::new(),
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            machine,
            event_log,
            caller,
        }
    }

    /// Requests a challenge, answers it with the measured events, and returns the token.
    ///
    /// # Errors
    /// The service does not answer, or refuses.
    pub async fn token(
        &self,
        request: &TokenRequest,
        signatures: &[Signature],
    ) -> Result<Issued, AttestError> {
        let (project, region) = (&self.machine.project, self.machine.region());
        let location = format!("projects/{project}/locations/{region}");
        let challenge: Challenge = self
            .post(&format!("{location}/challenges"), &json!({}))
            .await?;
        let evidence = self.evidence(&challenge.name, request, signatures);
        let path = format!("{}:verifyConfidentialSpace", challenge.name);
        let answer: Answer = self.post(&path, &evidence).await?;
        Ok(Issued {
            token: answer.attestation_token,
            partial_errors: answer
                .partial_errors
                .into_iter()
                .map(|e| e.message)
                .collect(),
        })
    }

    fn evidence(&self, challenge: &str, request: &TokenRequest, signatures: &[Signature]) -> Value {
        let signature = |s: &Signature| {
            json!({
                "payload": STANDARD.encode(&s.payload),
                "signature": STANDARD.encode(&s.signature),
            })
        };
        let signatures: Vec<_> = signatures.iter().map(signature).collect();
        let measured = match self.machine.hardware.register() {
            Register::Rtmr => "tdCcel",
            Register::Pcr => "tpmAttestation",
        };
        json!({
            "challenge": challenge,
            measured: {"canonicalEventLog": STANDARD.encode(&self.event_log)},
            "signedEntities": [{"containerImageSignatures": signatures}],
            "gcpCredentials": {"serviceAccountIdTokens": []},
            "options": options(request),
            "instance": self.instance(),
        })
    }

    /// The values that real machines prove by hardware and metadata server.
    fn instance(&self) -> Value {
        let machine = &self.machine;
        json!({
            "projectId": machine.project,
            "projectNumber": machine.project_number,
            "zone": machine.zone,
            "instanceName": machine.name,
            "instanceId": machine.id,
            "hwmodel": machine.hardware.claim(),
            "imageFamily": match machine.image {
                MachineImage::Production => "production",
                MachineImage::Debug => "debug",
            },
            "serviceAccounts": machine.service_accounts,
        })
    }

    async fn post<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<T, AttestError> {
        let url = format!("{}/v1/{path}", self.endpoint);
        let mut request = self.http.post(url).json(body);
        if let Some(token) = self.caller.bearer() {
            request = request.bearer_auth(token);
        }
        let response = request.send().await?;
        let status = response.status();
        let bytes = read(response).await?;
        if status != StatusCode::OK {
            return Err(refusal(status, &bytes));
        }
        json::parse(&bytes, limits::HTTP_BODY)
            .map_err(|error| AttestError::Answer(error.to_string()))
    }
}

fn options(request: &TokenRequest) -> Value {
    let (signature, profile) = match request.kind {
        TokenKind::Oidc => ("SIGNATURE_TYPE_OIDC", "TOKEN_PROFILE_DEFAULT_EAT"),
        TokenKind::Pki => ("SIGNATURE_TYPE_PKI", "TOKEN_PROFILE_DEFAULT_EAT"),
        TokenKind::Aws => ("SIGNATURE_TYPE_OIDC", "TOKEN_PROFILE_AWS"),
    };
    let mut options = json!({
        "audience": request.audience,
        "nonce": request.nonces,
        "signatureType": signature,
        "tokenProfile": profile,
    });
    if let Some(tags) = &request.principal_tags {
        options["awsPrincipalTagsOptions"] = tags.clone();
    }
    options
}

async fn read(mut response: Response) -> Result<Vec<u8>, AttestError> {
    let limit = limits::HTTP_BODY;
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await? {
        if (bytes.len() + piece.len()) as u64 > limit {
            return Err(AttestError::Answer(format!("more than {limit} bytes")));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

fn refusal(status: StatusCode, bytes: &[u8]) -> AttestError {
    let body: Option<Refused> = json::parse(bytes, limits::HTTP_BODY).ok();
    let body = body.unwrap_or_default().error;
    AttestError::Refused {
        status: status.as_u16(),
        name: body.status,
        message: body.message,
    }
}

#[derive(Deserialize)]
struct Challenge {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    attestation_token: String,
    #[serde(default)]
    partial_errors: Vec<PartialError>,
}

#[derive(Deserialize)]
struct PartialError {
    #[serde(default)]
    message: String,
}

#[derive(Default, Deserialize)]
struct Refused {
    error: Status,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    message: String,
    status: String,
}
