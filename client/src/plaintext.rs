//! The data, read from a file or from standard input.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use content::at::At;
use zeroize::Zeroizing;

use crate::error::Error;

/// The most bytes that Cloud KMS encrypts with a key that is not in an HSM (Cloud KMS, `cryptoKeys.encrypt`).
pub const LIMIT: usize = 64 << 10;

/// The data, which is overwritten in memory when it is dropped.
pub type Plaintext = Zeroizing<Vec<u8>>;

/// Reads a file, or standard input if the path is `-`.
///
/// # Errors
/// It cannot be read, or is longer than [`LIMIT`].
pub fn read(path: &Path) -> Result<Plaintext, Error> {
    let opened = match path.to_str() {
        Some("-") => limited(io::stdin().lock()),
        _ => File::open(path).and_then(limited),
    };
    let data = opened.map_err(At::reading(path))?;
    match data.len() {
        ..=LIMIT => Ok(data),
        _ => Err(Error::Long { limit: LIMIT }),
    }
}

/// Reads one byte more than the limit at most, into memory that does not move.
fn limited(reader: impl Read) -> io::Result<Plaintext> {
    let mut data = Zeroizing::new(Vec::with_capacity(LIMIT + 1));
    reader.take(LIMIT as u64 + 1).read_to_end(&mut data)?;
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_the_limit() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for length in [0, 1, LIMIT] {
            std::fs::write(file.path(), vec![b'a'; length]).unwrap();
            assert_eq!(read(file.path()).unwrap().len(), length);
        }
        std::fs::write(file.path(), vec![b'a'; LIMIT + 1]).unwrap();
        let error = read(file.path()).unwrap_err();
        assert!(matches!(error, Error::Long { limit: LIMIT }), "{error}");
        assert!(error.hint().unwrap().contains("docs/messages.md"));
        let missing = read(Path::new("/nonexistent")).unwrap_err();
        assert!(
            missing.to_string().starts_with("reading /nonexistent: "),
            "{missing}"
        );
    }
}
