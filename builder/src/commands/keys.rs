//! The commands about keys: the part of the program that reads their arguments and prints.

use builder::error::Error;
use builder::publish::{self, Made};
use console::{password, print};
use serde_json::json;
use signature::{Algorithm, PublicKey, simple_signing};
use signer::Access;

use crate::cli::key::{self, Identify, Keygen};
use crate::unprinted;

/// How a key is opened: a password and a PIN are read from the environment, or the user is asked.
pub fn access(arguments: &key::Access, algorithm: Option<Algorithm>) -> Access<'_> {
    Access {
        kms_endpoint: arguments.kms_endpoint.as_ref(),
        pkcs11_module: arguments.pkcs11_module.as_deref(),
        algorithm,
        password: || password::of_key(std::env::var_os),
        pin: || password::of_token(std::env::var_os),
    }
}

/// Makes a key pair.
pub fn keygen(arguments: &Keygen) -> Result<(), Error> {
    let Made {
        private,
        public,
        key_id,
    } = publish::keygen(&arguments.prefix, arguments.algorithm)?;
    let (private, public, key_id) = (private.display(), public.display(), key_id.hex());
    print::line(&format!("{private}\n{public}\n{key_id}")).map_err(unprinted)
}

/// Prints the key ID of a key.
pub async fn identify(arguments: &Identify) -> Result<(), Error> {
    let access = access(&arguments.access, arguments.algorithm);
    let key = signer::public_half(&arguments.key.parse()?, access).await?;
    print::note(&description(&key));
    match arguments.json {
        true => print::json(&report(&key)),
        false => print::line(&key.key_id().hex()),
    }
    .map_err(unprinted)
}

/// The type of a key, and who reads its signatures.
fn description(key: &PublicKey) -> String {
    let read = match simple_signing::signature_algorithm(key) {
        Some(name) => format!("Confidential Space reads its signatures, as {name}"),
        None => "Confidential Space does not read its signatures: it reads ECDSA on P-256 and RSA with the exponent 65537 \
                 (PKCS #1 v1.5 or PSS), with SHA-256"
            .to_owned(),
    };
    format!("{}; {read}", key.key_type())
}

fn report(key: &PublicKey) -> String {
    let algorithm = key.algorithms().next();
    let report = json!({
        "key_id": key.key_id().hex(),
        "type": key.key_type().to_string(),
        "algorithm": algorithm.map(|algorithm| algorithm.to_string()),
        "confidential_space": simple_signing::signature_algorithm(key),
        "pem": key.to_pem(),
    });
    report.to_string()
}
