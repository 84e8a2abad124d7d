//! Reads zstd (RFC 8878).

use std::io::{self, BufReader, Read};
use std::ops::RangeInclusive;

use ruzstd::decoding::errors::{FrameDecoderError, FrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::fault::{self, Fault};

/// The first bytes of a frame (section 3.1.1), in little-endian order.
const FRAME: u32 = 0xfd2f_b528;
/// The first bytes of a frame to be skipped (section 3.1.2).
const SKIPPABLE: RangeInclusive<u32> = 0x184d_2a50..=0x184d_2a5f;
/// Maximum size of a frame's window, in bytes: what the program `zstd` decompresses without options.
const WINDOW: u64 = 1 << 27;

/// The bit of the frame header descriptor that must be zero (section 3.1.1.1.1.4).
const RESERVED: u8 = 1 << 3;
/// The bits of the frame header descriptor that announce a content size (sections 3.1.1.1.1.1 and 3.1.1.1.1.2).
const SIZED: u8 = 0b1110_0000;

const FOREIGN: Fault = fault::of("bytes after a frame of zstd are not a frame");
const MALFORMED: Fault = fault::of("frame of zstd is malformed");
const SIZE: Fault = fault::of("frame of zstd declares another size than its content has");
const CHECKSUM: Fault = fault::of("frame of zstd has another checksum than its content");

/// Whether a blob that starts with these 4 bytes is read as zstd by containerd and Docker.
pub(super) fn is_magic(first: [u8; 4]) -> bool {
    let magic = u32::from_le_bytes(first);
    magic == FRAME || SKIPPABLE.contains(&magic)
}

/// The content of all frames.
pub(super) struct Frames<R> {
    source: Source<BufReader<R>>,
    decoder: FrameDecoder,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    Between,
    /// Within a frame, with the rest of the content size that it declares.
    Within(Option<u64>),
    /// After an error the decoder's content means nothing.
    Failed,
}

impl<R: Read> Frames<R> {
    pub(super) fn new(blob: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW);
        Self {
            source: Source {
                inner: BufReader::new(blob),
                failure: None,
                is_at_end: false,
            },
            decoder,
            state: State::Between,
        }
    }

    fn next(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let rest = match self.state {
                State::Between => match self.begin()? {
                    Some(rest) => rest,
                    None => return Ok(0),
                },
                State::Within(rest) => rest,
                State::Failed => return Err(faulty(MALFORMED)),
            };
            let count = self.content(buffer)?;
            let rest = rest.map(|rest| rest.checked_sub(count as u64).ok_or(faulty(SIZE)));
            let rest = rest.transpose()?;
            self.state = State::Within(rest);
            if count > 0 {
                return Ok(count);
            }
            self.finish(rest)?;
        }
    }

    /// Begins the next frame that has content, and returns the content size that it declares. `None` at the end of the blob.
    fn begin(&mut self) -> io::Result<Option<Option<u64>>> {
        while let Some(magic) = self.source.magic()? {
            if magic == FRAME {
                return self.header().map(Some);
            }
            if !SKIPPABLE.contains(&magic) {
                return Err(faulty(FOREIGN));
            }
            self.source.skip()?;
        }
        Ok(None)
    }

    /// Reads the header after the magic. No window is allocated before its size is checked.
    fn header(&mut self) -> io::Result<Option<u64>> {
        let [descriptor] = self.source.array()?;
        if descriptor & RESERVED != 0 {
            return Err(faulty(MALFORMED));
        }
        let [a, b, c, d] = FRAME.to_le_bytes();
        let read = [a, b, c, d, descriptor];
        let begun = self.decoder.reset((&read[..]).chain(&mut self.source));
        begun.map_err(|error| self.source.failed(&error))?;
        Ok((descriptor & SIZED != 0).then(|| self.decoder.content_size()))
    }

    /// Reads content of the present frame. Nothing is left if the count is 0.
    fn content(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.decoder.read(buffer)?;
            if count > 0 || self.decoder.is_finished() {
                return Ok(count);
            }
            let one = BlockDecodingStrategy::UptoBlocks(1);
            let decoded = self.decoder.decode_blocks(&mut self.source, one);
            decoded.map_err(|error| self.source.failed(&error))?;
        }
    }

    /// Checks the size and the checksum of a frame whose content was read. The decoder compares neither.
    fn finish(&mut self, rest: Option<u64>) -> io::Result<()> {
        if rest.is_some_and(|rest| rest > 0) {
            return Err(faulty(SIZE));
        }
        let expected = self.decoder.get_checksum_from_data();
        if expected.is_some() && expected != self.decoder.get_calculated_checksum() {
            return Err(faulty(CHECKSUM));
        }
        self.state = State::Between;
        Ok(())
    }
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let read = self.next(buffer);
        if read.is_err() {
            self.state = State::Failed;
        }
        read
    }
}

/// The blob. Remembers what the decoder's errors do not say.
struct Source<R> {
    inner: R,
    failure: Option<io::Error>,
    is_at_end: bool,
}

impl<R: Read> Source<R> {
    /// The next 4 bytes as a number. `None` at the end of the blob.
    fn magic(&mut self) -> io::Result<Option<u32>> {
        let mut magic = Vec::new();
        self.inner.by_ref().take(4).read_to_end(&mut magic)?;
        match <[u8; 4]>::try_from(magic) {
            Ok(magic) => Ok(Some(u32::from_le_bytes(magic))),
            Err(none) if none.is_empty() => Ok(None),
            Err(_) => Err(faulty(FOREIGN)),
        }
    }

    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        let read = self.inner.read_exact(&mut bytes);
        // The end has no text of its own, as elsewhere; an error of the blob keeps its own.
        read.map_err(|error| match (error.kind(), error.get_ref()) {
            (kind @ io::ErrorKind::UnexpectedEof, None) => kind.into(),
            _ => error,
        })?;
        Ok(bytes)
    }

    /// Skips the size and the content of a frame to be skipped.
    fn skip(&mut self) -> io::Result<()> {
        let size = u64::from(u32::from_le_bytes(self.array()?));
        let skipped = io::copy(&mut self.inner.by_ref().take(size), &mut io::sink())?;
        match skipped == size {
            true => Ok(()),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Why the decoder failed.
    fn failed(&mut self, error: &FrameDecoderError) -> io::Error {
        if let Some(failure) = self.failure.take() {
            return failure;
        }
        if self.is_at_end {
            return io::ErrorKind::UnexpectedEof.into();
        }
        faulty(match error {
            FrameDecoderError::WindowSizeTooBig { requested, .. } => window(*requested),
            FrameDecoderError::FrameHeaderError(FrameHeaderError::WindowTooBig { got }) => {
                window(*got)
            }
            FrameDecoderError::DictNotProvided { dict_id } => {
                format!("frame of zstd needs the dictionary {dict_id}").into()
            }
            _ => MALFORMED,
        })
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer);
        self.is_at_end |= matches!(read, Ok(0)) && !buffer.is_empty();
        read.map_err(|error| {
            let kind = error.kind();
            // The decoder reads again after this one.
            if kind != io::ErrorKind::Interrupted {
                self.failure = Some(error);
            }
            kind.into()
        })
    }
}

fn window(size: u64) -> Fault {
    format!("window of {size} bytes in zstd is over the limit of {WINDOW}").into()
}

fn faulty(fault: Fault) -> io::Error {
    io::Error::other(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_an_error_nothing_is_read() {
        let good = testkit::zstd(b"abc");
        let blob = [&good[..], b"junk", &good].concat();
        let mut frames = Frames::new(&blob[..]);
        let mut buffer = [0; 8];
        assert_eq!(frames.read(&mut buffer).unwrap(), 3);
        for _ in 0..3 {
            assert!(frames.read(&mut buffer).is_err());
        }
    }

    #[test]
    fn a_read_that_is_interrupted_is_repeated() {
        struct Interrupted<'a>(&'a [u8], bool);
        impl Read for Interrupted<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.1 = !self.1;
                match self.1 {
                    true => Err(io::ErrorKind::Interrupted.into()),
                    false => (&mut self.0).take(1).read(buffer),
                }
            }
        }
        let blob = testkit::zstd(b"abc").repeat(2);
        let mut content = Vec::new();
        let mut frames = Frames::new(Interrupted(&blob, false));
        frames.read_to_end(&mut content).unwrap();
        assert_eq!(content, b"abcabc");
    }
}
