//! Layers in zstd: what compressors write, and what must be refused.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use content::{CheckedReader, Digest, ReadError};
use oci::{Error, archive, layer};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use testkit::zstd;

/// What the program `zstd` 1.5.4 writes for `abc`: with its size, from standard input, and without a checksum.
const ABC: [&str; 3] = [
    "28b52ffd2403190000616263990977ad",
    "28b52ffd0458190000616263990977ad",
    "28b52ffd0058190000616263",
];
/// What it writes for nothing, for 100,000 zeros, and for `countersign` 40 times.
const EMPTY: &str = "28b52ffd240001000099e9d851";
const ZEROS: &str = "28b52ffd04684d0000080001009c86391002db234ef3";
const WORDS: &str = "28b52ffd64b80095000058636f756e7465727369676e0100aa568b175c716832";

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex).unwrap()
}

fn unpack(blob: &[u8]) -> Result<Vec<u8>, Error> {
    let mut content = Vec::new();
    archive::decompress(blob, &mut |part| content.extend(part))?;
    Ok(content)
}

fn fault(blob: &[u8]) -> String {
    match unpack(blob) {
        Err(Error::Invalid { doing, fault }) => {
            assert_eq!(doing, "reading layer");
            fault
        }
        other => panic!("{other:?}"),
    }
}

fn is_truncated(blob: &[u8]) -> bool {
    match unpack(blob) {
        Err(Error::ReadLayer(ReadError::Io(error))) => {
            error.to_string() == "unexpected end of file"
        }
        _ => false,
    }
}

/// A frame to be skipped, as zstd:chunked appends them.
fn skippable(content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len()).unwrap();
    let magic = 0x184d_2a50_u32.to_le_bytes();
    [&magic[..], &size.to_le_bytes(), content].concat()
}

/// A frame with this header after the magic, and these blocks.
fn frame(header: &[u8], blocks: &[u8]) -> Vec<u8> {
    [&[0x28, 0xb5, 0x2f, 0xfd], header, blocks].concat()
}

/// A last block with `abc`, and what precedes it: no optional fields, and a window of 1 KiB.
const BLOCK: [u8; 6] = [0x19, 0, 0, b'a', b'b', b'c'];
const HEADER: [u8; 2] = [0, 0];

/// An archive of one file, of more than one block.
fn tar() -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    let content: Vec<u8> = (0..500_000_u32)
        .map(|n| (n.wrapping_mul(n) >> 7) as u8)
        .collect();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_path("file").unwrap();
    header.set_cksum();
    let mut archive = tar::Builder::new(Vec::new());
    archive.append(&header, &content[..]).unwrap();
    archive.into_inner().unwrap()
}

#[test]
fn frames_of_the_program_are_read() {
    for abc in ABC {
        assert_eq!(unpack(&bytes(abc)).unwrap(), b"abc");
    }
    assert_eq!(unpack(&bytes(EMPTY)).unwrap(), b"");
    assert_eq!(unpack(&bytes(ZEROS)).unwrap(), vec![0; 100_000]);
    assert_eq!(unpack(&bytes(WORDS)).unwrap(), b"countersign".repeat(40));
}

#[test]
fn the_diff_id_is_that_of_the_content() {
    let tar = tar();
    let compressed = compress_to_vec(&tar[..], CompressionLevel::Fastest);
    assert!(compressed.len() < tar.len());
    for blob in [zstd(&tar), compressed] {
        let found = layer::read(&blob[..], |_, _| Ok::<_, Error>(())).unwrap();
        assert_eq!(found, Digest::of(&tar));
        let found = archive::read(&blob[..], |_| Ok::<_, Error>(())).unwrap();
        assert_eq!(found, Digest::of(&tar));
    }
}

#[test]
fn frames_are_one_content() {
    let (abc, empty, words) = (bytes(ABC[0]), bytes(EMPTY), bytes(WORDS));
    let (skipped, nothing) = (skippable(&abc), skippable(b""));
    for (frames, expected) in [
        (vec![&abc, &words, &abc], [1, 40, 1]),
        (vec![&abc, &abc, &skipped, &nothing], [2, 0, 0]),
        (vec![&nothing, &skipped, &words, &skipped, &abc], [0, 40, 1]),
        (vec![&empty, &empty, &abc, &empty], [1, 0, 0]),
        (vec![&skipped], [0, 0, 0]),
    ] {
        let frames: Vec<u8> = frames.into_iter().flatten().copied().collect();
        let parts: [&[u8]; 3] = [b"abc", b"countersign", b"abc"];
        let expected = parts.iter().zip(expected);
        let expected: Vec<u8> = expected.flat_map(|(part, n)| part.repeat(n)).collect();
        assert_eq!(unpack(&frames).unwrap(), expected);
    }
}

#[test]
fn what_follows_the_last_frame_is_a_frame() {
    let gzip = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    for rest in [&b"x"[..], b"xyz", &[0; 512], &gzip, b"\x28\xb5\x2f"] {
        let blob = [&bytes(ABC[0]), rest].concat();
        assert_eq!(
            fault(&blob),
            "bytes after a frame of zstd are not a frame",
            "{rest:?}"
        );
    }
}

#[test]
fn every_truncated_frame_is_refused() {
    for whole in [ABC[0], ABC[1], ABC[2], EMPTY, ZEROS, WORDS].map(bytes) {
        for size in 4..whole.len() {
            assert!(is_truncated(&whole[..size]), "{size} of {whole:?}");
            let second = [&whole[..], &whole[..size]].concat();
            assert!(is_truncated(&second), "{size} of {whole:?}");
        }
    }
    let skipped = skippable(b"abc");
    for size in 4..skipped.len() {
        assert!(is_truncated(&skipped[..size]), "{size}");
    }
    let huge = [&skipped[..4], &u32::MAX.to_le_bytes(), b"abc"].concat();
    assert!(is_truncated(&huge));
}

#[test]
fn a_checksum_is_compared() {
    for whole in [ABC[0], ABC[1], EMPTY, ZEROS, WORDS].map(bytes) {
        for place in 1..=4 {
            let mut damaged = whole.clone();
            damaged[whole.len() - place] ^= 1;
            let after = [damaged.clone(), whole.clone()].concat();
            for blob in [damaged, after] {
                assert_eq!(
                    fault(&blob),
                    "frame of zstd has another checksum than its content"
                );
            }
        }
    }
    let mut damaged = bytes(ABC[0]);
    damaged[9] ^= 1;
    assert_eq!(
        fault(&damaged),
        "frame of zstd has another checksum than its content"
    );
}

#[test]
fn a_content_size_is_compared() {
    for (header, is_right) in [
        (&[0x20, 3][..], true),
        (&[0x20, 4], false),
        (&[0x80, 0, 3, 0, 0, 0], true),
        (&[0x80, 0, 2, 0, 0, 0], false),
        (&[0x80, 0, 4, 0, 0, 0], false),
        (&[0xc0, 0, 3, 0, 0, 0, 0, 0, 0, 0], true),
        (&[0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0], false),
        (&[0xc0, 0, 3, 0, 0, 0, 0, 0, 0, 0x80], false),
        (&[0x40, 0, 3, 0], false),
    ] {
        let frame = frame(header, &BLOCK);
        match is_right {
            true => assert_eq!(unpack(&frame).unwrap(), b"abc"),
            false => assert_eq!(
                fault(&frame),
                "frame of zstd declares another size than its content has",
                "{header:?}"
            ),
        }
    }
}

/// More than any machine has must not be allocated.
#[test]
fn a_window_is_limited() {
    assert_eq!(unpack(&frame(&[0, 0x88], &BLOCK)).unwrap(), b"abc");
    let huge = [0xe0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    for (header, size) in [
        (&[0, 0x89][..], 150_994_944),
        (&[0, 0xff], 4_123_168_604_160),
        (&[0xa0, 1, 0, 0, 8], 134_217_729),
        (&huge, u64::MAX),
    ] {
        let expected = format!("window of {size} bytes in zstd is over the limit of 134217728");
        assert_eq!(fault(&frame(header, &BLOCK)), expected);
        let after = [frame(&HEADER, &BLOCK), frame(header, &BLOCK)].concat();
        assert_eq!(fault(&after), expected);
    }
}

#[test]
fn other_frames_are_refused() {
    assert_eq!(unpack(&frame(&HEADER, &BLOCK)).unwrap(), b"abc");
    assert_eq!(
        fault(&frame(&[3, 0, 7, 0, 0, 0], &BLOCK)),
        "frame of zstd needs the dictionary 7"
    );
    assert_eq!(unpack(&frame(&[1, 0, 0], &BLOCK)).unwrap(), b"abc");
    let rle = |size: u32| {
        let [low, middle, high, _] = (size << 3 | 0b011).to_le_bytes();
        [low, middle, high, 0]
    };
    assert_eq!(unpack(&frame(&HEADER, &rle(1024))).unwrap(), [0; 1024]);
    for malformed in [
        // The reserved bit, and the reserved type of a block.
        frame(&[8, 0], &BLOCK),
        frame(&HEADER, &[0x1f, 0, 0, b'a', b'b', b'c']),
        // A block that is larger than the window, or than any may be.
        frame(&HEADER, &rle(1025)),
        frame(&[0, 0x88], &rle((128 << 10) + 1)),
    ] {
        assert_eq!(fault(&malformed), "frame of zstd is malformed");
    }
}

/// Whatever is changed, nothing but an error or content of these frames' sizes follows.
#[test]
fn each_flipped_bit_is_refused_or_harmless() {
    for whole in [ABC[0], ZEROS, WORDS].map(bytes) {
        let content = unpack(&whole).unwrap();
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            // Without its magic, it is a plain archive.
            if let (Ok(found), 32..) = (unpack(&flipped), bit) {
                assert_eq!(found, content, "bit {bit}");
            }
        }
    }
}

#[test]
fn the_whole_blob_is_checked() {
    let blob = zstd(&tar());
    let check = |expected: &[u8], size: usize| {
        let reader = CheckedReader::new(&blob[..], Digest::of(expected), size as u64);
        layer::read(reader, |_, _| Ok::<_, Error>(()))
    };
    assert!(check(&blob, blob.len()).is_ok());
    for result in [
        check(b"", blob.len()),
        check(&blob, blob.len() + 1),
        check(&blob, blob.len() - 1),
    ] {
        assert!(
            matches!(result, Err(Error::ReadLayer(ReadError::Check(_)))),
            "{result:?}"
        );
    }
}
