//! Files that are uploaded in pieces.

use std::error::Error as _;
use std::fs::File;
use std::io::{self, Read as _};

use bytes::Bytes;
use content::{CheckError, Digest, Hasher};
use futures_util::stream::{self, Stream};
use oci::Descriptor;
use tokio::sync::mpsc;
use tokio::task;

use crate::Error;

/// The size of one piece, in bytes.
const PIECE: usize = 256 << 10;
/// Pieces that are read ahead.
const WAITING: usize = 2;

/// A file that is uploaded in pieces and checked against its descriptor on the way.
pub(crate) struct Pieces {
    file: File,
    expected: Digest,
    size: u64,
    seen: u64,
    /// None after the end, and after an error.
    hasher: Option<Hasher>,
}

impl Pieces {
    pub(crate) fn new(file: File, descriptor: &Descriptor) -> Self {
        Self {
            file,
            expected: descriptor.digest,
            size: descriptor.size,
            seen: 0,
            hasher: Some(Hasher::new()),
        }
    }

    /// The pieces, which another thread reads and hashes while earlier ones are sent. It ends with the stream.
    pub(crate) fn into_stream(self) -> impl Stream<Item = io::Result<Bytes>> + Send {
        let (reader, mut pieces) = mpsc::channel(WAITING);
        task::spawn_blocking(move || {
            for piece in self {
                if reader.blocking_send(piece).is_err() {
                    break;
                }
            }
        });
        stream::poll_fn(move |context| pieces.poll_recv(context))
    }

    /// The next piece. The last piece is not returned before the digest of the whole file has been
    /// checked, so that a registry never receives a complete file with the wrong content.
    fn read(&mut self, mut hasher: Hasher) -> io::Result<Option<Bytes>> {
        let left = self.size - self.seen;
        let mut piece = vec![0; PIECE.min(usize::try_from(left).unwrap_or(PIECE))];
        self.fill(&mut piece)?;
        hasher.update(&piece);
        if self.seen == self.size {
            self.check_end(hasher)?;
        } else {
            self.hasher = Some(hasher);
        }
        Ok((!piece.is_empty()).then(|| piece.into()))
    }

    fn fill(&mut self, piece: &mut [u8]) -> io::Result<()> {
        let mut filled = 0;
        while filled < piece.len() {
            match self.file.read(&mut piece[filled..]) {
                Ok(0) => return Err(self.too_short(self.seen + filled as u64)),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.seen += filled as u64;
        Ok(())
    }

    fn check_end(&mut self, hasher: Hasher) -> io::Result<()> {
        if self.file.read(&mut [0])? != 0 {
            return Err(self.too_long());
        }
        let (expected, actual) = (self.expected, hasher.finish());
        match expected == actual {
            true => Ok(()),
            false => Err(wrong(CheckError::Digest { expected, actual })),
        }
    }

    fn too_short(&self, actual: u64) -> io::Error {
        wrong(CheckError::Size {
            expected: self.size,
            actual,
            longer: false,
        })
    }

    /// The actual size is not known: reading stops one byte after the expected size.
    fn too_long(&self) -> io::Error {
        wrong(CheckError::Size {
            expected: self.size,
            actual: self.size + 1,
            longer: true,
        })
    }
}

impl Iterator for Pieces {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        let hasher = self.hasher.take()?;
        self.read(hasher).transpose()
    }
}

fn wrong(check: CheckError) -> io::Error {
    io::Error::other(check)
}

/// The failed check that caused `error`, if there is one. A failed check aborts the request, whose
/// error then has the check among its causes.
pub(crate) fn failed_check(error: &Error) -> Option<&CheckError> {
    let causes = std::iter::successors(error.source(), |cause| (**cause).source());
    let mut checks = causes.filter_map(|cause| match cause.downcast_ref::<io::Error>() {
        Some(error) => error.get_ref()?.downcast_ref(),
        None => cause.downcast_ref(),
    });
    checks.next()
}
