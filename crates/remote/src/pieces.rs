//! Files that are uploaded in pieces.

use std::error::Error as _;
use std::io;

use bytes::Bytes;
use content::{CheckError, Digest, Hasher};
use futures_util::stream::{self, Stream};
use oci::Descriptor;
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use crate::Error;

/// The size of one piece, in bytes.
const PIECE: usize = 256 << 10;

/// A file that is uploaded in pieces and checked against its descriptor on the way.
pub(crate) struct Pieces {
    file: File,
    expected: Digest,
    size: u64,
    seen: u64,
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

    pub(crate) fn into_stream(self) -> impl Stream<Item = Result<Bytes, io::Error>> + Send {
        stream::try_unfold(self, |mut pieces| async move {
            let piece = pieces.next().await?;
            Ok(piece.map(|piece| (piece, pieces)))
        })
    }

    /// The next piece. The last piece is not returned before the digest of the whole file has been
    /// checked, so that a registry never receives a complete file with the wrong content.
    async fn next(&mut self) -> Result<Option<Bytes>, io::Error> {
        let left = self.size - self.seen;
        if left == 0 {
            self.check_end().await?;
            return Ok(None);
        }
        let mut piece = vec![0; PIECE.min(usize::try_from(left).unwrap_or(PIECE))];
        self.fill(&mut piece).await?;
        if self.seen == self.size {
            self.check_end().await?;
        }
        Ok(Some(piece.into()))
    }

    async fn fill(&mut self, piece: &mut [u8]) -> Result<(), io::Error> {
        let mut filled = 0;
        while filled < piece.len() {
            let count = self.file.read(&mut piece[filled..]).await?;
            if count == 0 {
                return Err(self.too_short(self.seen + filled as u64));
            }
            filled += count;
        }
        self.seen += filled as u64;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(piece);
        }
        Ok(())
    }

    async fn check_end(&mut self) -> Result<(), io::Error> {
        let Some(hasher) = self.hasher.take() else {
            return Ok(());
        };
        if self.file.read(&mut [0]).await? != 0 {
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
