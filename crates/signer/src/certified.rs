//! Signing without a key of one's own: a key that exists for one signature, certified for the holder of an identity token
//! by a certificate authority, and logged and timestamped, so that the certificate need not be valid for longer
//! than minutes (Sigstore, `docs/client-spec`).

mod service;

use std::path::Path;

use chrono::{DateTime, Utc};
use content::at::{self, shown};
use content::{Digest, limits};
use keyless::signing::{
    IdentityToken, Invalid, LogEntry, Material, Services, SigningConfig, Timestamp, certificate,
    certificate_request, log_request, timestamp_request,
};
use keyless::{Artifact, Bundle, Subject, TrustRoot, Trusted, verify_keyless};
use remote::Authorities;
use signature::PrivateKey;
use signature::envelope::{Envelope, IN_TOTO, pae};
use zeroize::Zeroizing;

use crate::Error;
use crate::key::blocking;
use service::{Kind, Service};

/// Reads the time of day. It is read again for each signature, after the services have answered.
pub type Clock = fn() -> DateTime<Utc>;

/// The files that say who signs, with which services, and what they are verified with.
#[derive(Clone, Copy, Debug)]
pub struct Instance<'a> {
    /// The identity token.
    pub token: &'a Path,
    /// The `signing_config.json`: the addresses of the services.
    pub config: &'a Path,
    /// The `trusted_root.json`: their keys and certificates.
    pub root: &'a Path,
}

/// Signs with certified keys, each of which exists for one signature.
pub struct CertifiedSigner {
    token: IdentityToken,
    authority: Service,
    logs: Vec<Service>,
    timestamps: Vec<Service>,
    root: TrustRoot,
    clock: Clock,
}

/// A statement in a bundle, verified as a reader will do.
pub(crate) struct Sealed {
    pub(crate) bundle: Vec<u8>,
    pub(crate) signer: keyless::Signer,
}

impl CertifiedSigner {
    /// Reads the files. `authorities` are trusted in addition to the system's, for HTTPS.
    ///
    /// # Errors
    /// A file cannot be read or parsed, the token has expired, or the config has no services for now or an address that is
    /// neither HTTPS nor on this machine.
    pub async fn open(
        instance: Instance<'_>,
        authorities: Option<&Authorities>,
        clock: Clock,
    ) -> Result<Self, Error> {
        let token = Zeroizing::new(read(instance.token, limits::TOKEN).await?);
        let token = IdentityToken::parse(&token).map_err(identity)?;
        token.check_time(clock()).map_err(identity)?;
        let config = |error: Invalid| {
            let path = shown(instance.config);
            Error::SigningConfig(format!("reading {path}: {error}"))
        };
        let bytes = read(instance.config, limits::DOCUMENT).await?;
        let services = SigningConfig::parse(&bytes).and_then(|parsed| parsed.services(clock()));
        let services = services.map_err(config)?;
        let root = read(instance.root, limits::DOCUMENT).await?;
        let root = TrustRoot::parse(&root).map_err(|refusal| {
            Error::TrustedRoot(format!("reading {}: {refusal}", shown(instance.root)))
        })?;
        Self::of(token, &services, authorities, root, clock)
    }

    fn of(
        token: IdentityToken,
        services: &Services,
        authorities: Option<&Authorities>,
        root: TrustRoot,
        clock: Clock,
    ) -> Result<Self, Error> {
        let client = service::client(authorities)?;
        let all = |kind, urls: &[String]| {
            let services = urls.iter().map(|url| Service::new(kind, url, &client));
            services.collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            token,
            authority: Service::new(Kind::Authority, &services.authority, &client)?,
            logs: all(Kind::Log, &services.logs)?,
            timestamps: all(Kind::Timestamps, &services.timestamps)?,
            root,
            clock,
        })
    }

    /// Signs a statement about an image, and verifies what was signed. It is logged last, and only if the certificate names
    /// the holder of the token: a log keeps every entry forever.
    ///
    /// # Errors
    /// A service refuses, cannot be reached or answers wrongly, or the result does not verify with the trusted root.
    pub(crate) async fn seal(&self, statement: Vec<u8>, image: &Digest) -> Result<Sealed, Error> {
        let key = PrivateKey::generate()?;
        let certificate = self.certify(&key).await?;
        let signer = self.token.check_certificate(&certificate);
        let signer = signer.map_err(Error::Unverified)?;
        let signed = pae(IN_TOTO, &statement);
        let signature = key.sign(&signed)?;
        let timestamps = self.timestamp(&signature).await?;
        let material = Material {
            entries: self.log(&signed, &signature, &certificate).await?,
            timestamps,
            certificate,
        };
        let envelope = Envelope::new(IN_TOTO, statement, "", signature);
        let bundle = material.bundle(&envelope);
        let bundle = bundle.map_err(|error| Error::Statement(error.to_string()))?;
        self.verify(&bundle, image, &signer)
            .map_err(Error::Unverified)?;
        Ok(Sealed { bundle, signer })
    }

    async fn certify(&self, key: &PrivateKey) -> Result<Vec<u8>, Error> {
        let (service, token) = (&self.authority, Some(self.token.secret()));
        let request = certificate_request(&self.token, key).map_err(identity)?;
        let answer = service.ask(request, token).await?;
        certificate(&answer, key.public()).map_err(|error| service.answered(&error, token))
    }

    async fn log(
        &self,
        signed: &[u8],
        signature: &[u8],
        certificate: &[u8],
    ) -> Result<Vec<LogEntry>, Error> {
        let mut entries = Vec::new();
        for log in &self.logs {
            let answer = log.ask(log_request(signed, signature, certificate), None);
            let entry = LogEntry::parse(&answer.await?);
            entries.push(entry.map_err(|error| log.answered(&error, None))?);
        }
        Ok(entries)
    }

    async fn timestamp(&self, signature: &[u8]) -> Result<Vec<Timestamp>, Error> {
        let mut timestamps = Vec::new();
        for authority in &self.timestamps {
            let answer = authority.ask(timestamp_request(signature), None).await?;
            let timestamp = Timestamp::parse(answer);
            timestamps.push(timestamp.map_err(|error| authority.answered(&error, None))?);
        }
        Ok(timestamps)
    }

    /// Verifies the bundle with the trusted root, as one by this signer.
    fn verify(
        &self,
        bundle: &[u8],
        image: &Digest,
        signer: &keyless::Signer,
    ) -> Result<(), keyless::Refusal> {
        let bundle = Bundle::parse(bundle)?;
        let trusted = Trusted {
            issuer: Some(signer.issuer.clone()),
            subject: Subject::Exact(signer.subject.clone()),
        };
        let (artifact, now) = (Artifact::from(image), (self.clock)());
        verify_keyless(&bundle, &artifact, &trusted, &self.root, now)?;
        Ok(())
    }
}

fn identity(error: Invalid) -> Error {
    Error::IdentityToken(error.to_string())
}

/// Reads a file on a blocking thread: it may be a pipe that has no data yet.
async fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    let owned = path.to_owned();
    blocking(path, move || Ok(at::read(&owned, limit)?)).await
}
