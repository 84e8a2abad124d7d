//! Changes of bytes, whatever they mean.

use super::{Random, changes};

/// Texts to which parsers give a special meaning.
const WORDS: [&str; 26] = [
    "\"",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "null",
    "\\u0000",
    "-1",
    "1e400",
    "18446744073709551616",
    "\n\n",
    "\r\n",
    "=",
    "@",
    "sha256:",
    "../",
    "/",
    "\0",
    "\u{feff}",
    "\u{17f}",
    "(",
    "%00",
    "'",
    "//",
];

pub(super) fn mutant(seed: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..changes(random) {
        change(&mut bytes, other, random);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    let end = (at + random.below(16)).min(bytes.len());
    match random.below(7) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(at..end)),
        2 => {
            let copied = bytes[at..end].to_vec();
            bytes.splice(at..at, copied);
        }
        3 => {
            let word = random.choose(&WORDS);
            bytes.splice(at..end, word.bytes());
        }
        4 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        5 if at < bytes.len() => bytes[at] = *random.choose(&[0, 0x7f, 0x80, 0xff]),
        _ => {
            let from = random.below(other.len() + 1);
            bytes.splice(at..end, other[from..].iter().copied());
        }
    }
}
