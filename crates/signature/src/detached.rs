//! A signature in a file of its own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use content::{json, limits};
use serde::Deserialize;

/// The member of a Sigstore bundle that holds a signature over a file (`sigstore_bundle.proto`, `message_signature`).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    message_signature: Message,
}

#[derive(Deserialize)]
struct Message {
    signature: String,
}

/// The signature in a file that holds its bytes, as openssl writes them, their base64, as cosign 2 does, or a bundle,
/// as `cosign sign-blob` 3 does. Base64 may be in lines, as `base64` writes it and Go reads it. What else the bundle says
/// has no effect: the signature is to be verified with a key. No signature looks like base64 or JSON by accident: each
/// has 64 random bytes or more.
pub fn detached(file: Vec<u8>) -> Vec<u8> {
    let decode = |text: &[u8]| {
        let lines = text.trim_ascii().split(|byte| b"\r\n".contains(byte));
        STANDARD.decode(lines.collect::<Vec<_>>().concat()).ok()
    };
    let bundled = || {
        let bundle: Bundle = json::parse(&file, limits::BUNDLE).ok()?;
        decode(bundle.message_signature.signature.as_bytes())
    };
    match decode(&file).or_else(bundled) {
        Some(signature) => signature,
        None => file,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_signers_write() {
        let raw = [0x30, 0x45, 2, 0xff];
        let base64 = STANDARD.encode(raw);
        let bundle = format!(
            r#"{{"mediaType":"m","verificationMaterial":{{"publicKey":{{"hint":"x"}}}},
                "messageSignature":{{"messageDigest":{{}},"signature":"{base64}"}}}}"#
        );
        for file in [
            raw.to_vec(),
            base64.clone().into_bytes(),
            format!("{base64}\n").into_bytes(),
            format!("{}\r\n{}\n", &base64[..4], &base64[4..]).into_bytes(),
            bundle.into_bytes(),
        ] {
            assert_eq!(detached(file), raw);
        }
        assert_eq!(detached(b"{}".to_vec()), b"{}");
    }
}
