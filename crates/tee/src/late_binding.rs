//! Late binding: the image processes data only if every party has signed it. The attestation service
//! has verified the signatures over the measured digest; the terms name the required signers.

use crate::platform::Refusal;
use crate::platform::identity::Identity;
use crate::terms::Signer;

/// Checks that all `signers` have signed the image.
///
/// # Errors
/// The refusal names the parties that have not signed.
pub fn check(identity: &Identity, signers: &[Signer]) -> Result<(), Refusal> {
    let has_signed = |signer: &&Signer| identity.signers.contains(&signer.key.hex());
    let missing = signers.iter().filter(|signer| !has_signed(signer));
    let missing: Vec<_> = missing.map(|signer| signer.name.as_str()).collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(Refusal::new(
            format!("checking signatures on {}", identity.image_digest),
            format_args!("not signed by {}", missing.join(", ")),
        )),
    }
}

#[cfg(test)]
mod tests {
    use content::Digest;

    use super::*;

    fn signer(name: &str) -> Signer {
        Signer {
            name: name.into(),
            key: Digest::of(name.as_bytes()),
        }
    }

    fn identity(signers: &[&str]) -> Identity {
        Identity {
            image_digest: Digest::of(b"image"),
            signers: signers.iter().map(|name| signer(name).key.hex()).collect(),
            tokens: Vec::new(),
        }
    }

    #[test]
    fn requires_every_signer_by_name() {
        let signers = ["builder", "one", "two"].map(signer);
        assert!(check(&identity(&["two", "builder", "other", "one"]), &signers).is_ok());
        let refused = check(&identity(&["builder", "other"]), &signers).unwrap_err();
        let image = Digest::of(b"image");
        let expected = format!("checking signatures on {image}: not signed by one, two");
        assert_eq!(refused.to_string(), expected);
        let unsigned = check(&identity(&[]), &signers).unwrap_err();
        let expected = format!("checking signatures on {image}: not signed by builder, one, two");
        assert_eq!(unsigned.to_string(), expected);
    }
}
