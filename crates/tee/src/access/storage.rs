//! Reads a generation of an object (Cloud Storage JSON API v1, `objects.get`).

use google::storage::Object;

use super::{Access, accepted};
use crate::crc32c::crc32c;
use crate::encode::from_base64;
use crate::error::{Error, Fault};
use crate::http::{Answer, Request};
use crate::secret::Secret;

impl Access<'_> {
    /// The content of an object of at most `limit` bytes.
    ///
    /// # Errors
    /// [`Error::Refused`] if the bucket's owner denies access; any other error if the answer is missing, larger, corrupted, or of
    /// another generation.
    pub fn object(&self, object: &Object, limit: u64) -> Result<Secret, Error> {
        let doing = format!("reading {object}");
        let service = self.services.storage.as_str();
        let (bucket, name, generation) = (object.bucket(), object.segment(), object.generation());
        let url =
            format!("{service}/storage/v1/b/{bucket}/o/{name}?alt=media&generation={generation}");
        let answer = self.call(&doing, Request::get(url).limit(limit))?;
        check(accepted(answer, &doing)?, generation, &doing)
    }
}

fn check(answer: Answer, generation: u64, doing: &str) -> Result<Secret, Error> {
    let found = answer
        .header("x-goog-generation")
        .unwrap_or("no generation");
    if found != generation.to_string() {
        let expected = format!("generation {generation}");
        let found = crate::encode::printable(found, 40);
        return Err(Error::answer(doing, Fault::Other { expected, found }));
    }
    // An object that is stored compressed may arrive decompressed; its checksum then differs, too.
    let crc32c = crc32c(answer.body().bytes()).to_be_bytes();
    match checksum(&answer).as_deref() == Some(&crc32c[..]) {
        true => Ok(answer.into_body()),
        false => Err(Error::incomplete(doing, "x-goog-hash")),
    }
}

/// The CRC32C in `x-goog-hash: crc32c=…,md5=…`, which may be one header or several.
fn checksum(answer: &Answer) -> Option<Vec<u8>> {
    let hashes = answer.headers("x-goog-hash");
    let mut hashes = hashes.flat_map(|value| value.split(','));
    from_base64(hashes.find_map(|hash| hash.trim().strip_prefix("crc32c="))?)
}
