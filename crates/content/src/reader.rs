//! Reading with limits, and checks of size and digest.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use crate::{Digest, Hasher};

/// Content does not match its descriptor.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CheckError {
    /// The content is longer or shorter than expected.
    #[error("checking content: expected {expected} bytes, found {}{actual}", if *.longer { "at least " } else { "" })]
    Size {
        /// The expected size in bytes.
        expected: u64,
        /// Bytes read.
        actual: u64,
        /// Whether reading stopped because the content is longer than expected.
        longer: bool,
    },
    /// The size is as expected, the digest is not.
    #[error("checking content: expected {expected}, found {actual}")]
    Digest {
        /// The expected digest.
        expected: Digest,
        /// The digest of the content.
        actual: Digest,
    },
}

/// Content cannot be read, or does not match its descriptor.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The source failed.
    #[error("reading content: {0}")]
    Io(#[source] io::Error),
    /// The content does not match its descriptor.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// The content is larger than the limit for its kind.
    #[error("reading content: larger than the limit of {limit} bytes")]
    Limit {
        /// The limit in bytes.
        limit: u64,
    },
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        match error.get_ref().and_then(|e| e.downcast_ref::<CheckError>()) {
            Some(check) => Self::Check(check.clone()),
            None => Self::Io(error),
        }
    }
}

/// A reader that checks size and digest of `inner`. It fails, at the end at the latest, if they differ
/// from the expected ones. Bytes read before the end are not yet checked.
pub struct CheckedReader<R> {
    inner: R,
    hasher: Option<Hasher>,
    expected: Digest,
    size: u64,
    seen: u64,
}

impl<R: Read> CheckedReader<R> {
    /// Checks `inner` against the digest `expected` and the size `size` in bytes.
    pub fn new(inner: R, expected: Digest, size: u64) -> Self {
        Self {
            inner,
            hasher: Some(Hasher::new()),
            expected,
            size,
            seen: 0,
        }
    }

    fn check_end(&mut self) -> Result<(), CheckError> {
        let Some(hasher) = self.hasher.take() else {
            return Ok(());
        };
        if self.seen != self.size {
            return Err(CheckError::Size {
                expected: self.size,
                actual: self.seen,
                longer: false,
            });
        }
        let actual = hasher.finish();
        if actual != self.expected {
            return Err(CheckError::Digest {
                expected: self.expected,
                actual,
            });
        }
        Ok(())
    }
}

impl<R: Read> Read for CheckedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = self.inner.read(buffer)?;
        if count == 0 {
            return self.check_end().map(|()| 0).map_err(io::Error::other);
        }
        self.seen += count as u64;
        if self.seen > self.size {
            let error = CheckError::Size {
                expected: self.size,
                actual: self.seen,
                longer: true,
            };
            return Err(io::Error::other(error));
        }
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buffer[..count]);
        }
        Ok(count)
    }
}

/// Reads all of `reader` into memory and checks it.
///
/// # Errors
/// `size` is above `limit` (nothing is read then), `reader` fails, or the content has another size or
/// digest.
pub fn read_checked(
    reader: impl Read,
    expected: Digest,
    size: u64,
    limit: u64,
) -> Result<Vec<u8>, ReadError> {
    if size > limit {
        return Err(ReadError::Limit { limit });
    }
    let mut bytes = Vec::new();
    CheckedReader::new(reader, expected, size).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A reader that fails, instead of ending, if `inner` has more bytes than a limit.
pub struct LimitedReader<R> {
    inner: R,
    limit: u64,
    left: u64,
}

impl<R: Read> LimitedReader<R> {
    /// Limits `inner` to `limit` bytes.
    pub fn new(inner: R, limit: u64) -> Self {
        Self {
            inner,
            limit,
            left: limit,
        }
    }

    /// How many more bytes it may read.
    pub fn left(&self) -> u64 {
        self.left
    }
}

impl<R: Read> Read for LimitedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        match self.left.checked_sub(count as u64) {
            Some(left) => self.left = left,
            None => return Err(io::Error::other(ReadError::Limit { limit: self.limit })),
        }
        Ok(count)
    }
}

/// Reads all of `reader` into memory, at most `limit` bytes.
///
/// # Errors
/// `reader` fails or has more than `limit` bytes.
pub fn read_limited(reader: impl Read, limit: u64) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    reader
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(ReadError::Limit { limit });
    }
    Ok(bytes)
}

/// Opens a regular file in an untrusted folder. Opening a pipe would block until another process
/// writes to it.
///
/// # Errors
/// The file does not exist, is not a regular file, or cannot be opened.
pub fn open_regular(path: &Path) -> io::Result<File> {
    match fs::metadata(path)?.is_file() {
        true => File::open(path),
        false => Err(io::Error::other("not a regular file")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], expected: &[u8], size: u64) -> Result<Vec<u8>, ReadError> {
        read_checked(bytes, Digest::of(expected), size, 100)
    }

    #[test]
    fn exceeding_the_limit_is_an_error() {
        let read = |limit| {
            let mut bytes = Vec::new();
            let mut reader = LimitedReader::new(&b"abc"[..], limit);
            reader.read_to_end(&mut bytes).map(|_| bytes)
        };
        assert_eq!(read(3).unwrap(), b"abc");
        let mut reader = LimitedReader::new(&b"abc"[..], 5);
        reader.read_to_end(&mut Vec::new()).unwrap();
        assert_eq!(reader.left(), 2);
        let error = read(2).unwrap_err().to_string();
        assert!(
            error.contains("larger than the limit of 2 bytes"),
            "{error}"
        );
    }

    #[test]
    fn accepts_the_expected_content() {
        assert_eq!(read(b"abc", b"abc", 3).unwrap(), b"abc");
        assert_eq!(read(b"", b"", 0).unwrap(), b"");
    }

    #[test]
    fn refuses_another_digest_or_size() {
        assert!(matches!(
            read(b"abd", b"abc", 3),
            Err(ReadError::Check(CheckError::Digest { .. }))
        ));
        assert!(matches!(
            read(b"ab", b"abc", 3),
            Err(ReadError::Check(CheckError::Size {
                expected: 3,
                actual: 2,
                longer: false
            }))
        ));
        assert!(matches!(
            read(b"abcd", b"abc", 3),
            Err(ReadError::Check(CheckError::Size { longer: true, .. }))
        ));
    }

    #[test]
    fn refuses_more_than_the_limit_before_reading() {
        struct Untouchable;
        impl Read for Untouchable {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                panic!("read before the limit was checked")
            }
        }
        let error = read_checked(Untouchable, Digest::of(b""), 101, 100).unwrap_err();
        assert!(matches!(error, ReadError::Limit { limit: 100 }));
        assert!(matches!(
            read_limited(&b"abc"[..], 2),
            Err(ReadError::Limit { limit: 2 })
        ));
        assert_eq!(read_limited(&b"abc"[..], 3).unwrap(), b"abc");
    }
}
