//! The additional authenticated data of an encrypted secret.

use content::Digest;
use content::json::JsonError;
use serde_json::json;

use super::program::Wanted;
use super::source::Source;

/// The data that Cloud KMS must find beside the ciphertext of a secret. It is JSON, sorted by name and without white space:
/// `{"image_digest":"sha256:…","party":"bank","secret":"model-key"}`. It binds the ciphertext to its owner, its name and the
/// image. A ciphertext that the terms fix, in the image or as a generation of an object, is part of the image, so that its data cannot
/// contain the digest: they are `{"party":"bank","secret":"model-key"}`.
///
/// # Errors
/// The data cannot be written as JSON.
pub fn of(wanted: &Wanted, image: &Digest) -> Result<Vec<u8>, JsonError> {
    let mut data = json!({"party": wanted.collaborator, "secret": wanted.name});
    match wanted.source {
        // A generation is known only once the object is there, before the terms that name it.
        Source::Image(_) | Source::Object(_) => {}
        Source::Version(_) => data["image_digest"] = json!(image),
    }
    content::json::canonical(&data)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::job::exec::Program;

    fn data(source: (&str, Value)) -> String {
        let mut secret = json!({"name": "model-key", "collaborator": "bank"});
        secret[source.0] = source.1;
        let program = json!({"command": ["/app"], "secrets": [secret]});
        let program = Program::parse(&program).unwrap();
        let data = of(&program.secrets[0], &Digest::of(b"image")).unwrap();
        String::from_utf8(data).unwrap()
    }

    #[test]
    fn names_the_image_unless_the_image_fixes_it() {
        let inside = data(("ciphertext", json!("/a")));
        assert_eq!(inside, r#"{"party":"bank","secret":"model-key"}"#);
        let image = Digest::of(b"image");
        let outside = data(("secret", json!("projects/p/secrets/s/versions/1")));
        let expected =
            format!(r#"{{"image_digest":"{image}","party":"bank","secret":"model-key"}}"#);
        assert_eq!(outside, expected);
        let object = json!({"bucket": "bucket", "name": "o", "generation": 1});
        assert_eq!(data(("object", object)), inside);
    }
}
