//! Changes of text: of characters, of base64, and inside what the base64 contains.

use base64::Engine as _;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::{Random, Seed, changes};

pub(super) fn mutant(text: &str, random: &mut Random) -> String {
    let mut text = text.to_owned();
    for _ in 0..changes(random) {
        text = change(&text, random);
    }
    text
}

/// One change. A text with dots may be a token, of which one part is changed.
pub(super) fn change(text: &str, random: &mut Random) -> String {
    if random.below(4) == 0 {
        return characters(text, random);
    }
    let mut parts: Vec<String> = text.split('.').map(str::to_owned).collect();
    let at = random.below(parts.len());
    let part = &parts[at];
    parts[at] = match (decoded(part), random.below(2)) {
        (Some((base64, bytes)), 0) => {
            let inner = Seed::new(bytes);
            base64.encode(inner.mutant(&inner, random))
        }
        (Some((_, bytes)), _) => other_base64(part, &bytes, random),
        (None, 0) if part.starts_with(['{', '[']) => {
            let inner = Seed::new(part.as_bytes());
            String::from_utf8_lossy(&inner.mutant(&inner, random)).into_owned()
        }
        (None, _) => characters(part, random),
    };
    parts.join(".")
}

fn engine(alphabet: &Alphabet, is_padded: bool) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new()
        .with_encode_padding(is_padded)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config)
}

/// What a text contains if it is base64, and the engine that wrote it.
fn decoded(text: &str) -> Option<(GeneralPurpose, Vec<u8>)> {
    let is_padded = text.len().is_multiple_of(4);
    let engines = [&STANDARD, &URL_SAFE].map(|alphabet| engine(alphabet, is_padded));
    let mut found = engines.into_iter().filter_map(|base64| {
        let bytes = base64.decode(text).ok()?;
        (!bytes.is_empty() && base64.encode(&bytes) == text).then_some((base64, bytes))
    });
    found.next()
}

/// Another text for the same bytes, or for nearly the same.
fn other_base64(text: &str, bytes: &[u8], random: &mut Random) -> String {
    let at = random.below(text.len() + 1);
    let (before, after) = text.split_at(at);
    match random.below(9) {
        0 => engine(&URL_SAFE, true).encode(bytes),
        1 => engine(&URL_SAFE, false).encode(bytes),
        2 => engine(&STANDARD, false).encode(bytes),
        3 => format!("{text}="),
        4 => format!("{before}\n{after}"),
        5 => format!("{before} {after}"),
        6 => format!("{before}={after}"),
        7 => format!("{text}{text}"),
        _ => trailing_bit(text),
    }
}

/// The last character with another of the bits that decoders ignore or refuse.
fn trailing_bit(text: &str) -> String {
    let body = text.trim_end_matches('=');
    let Some(last) = body.chars().next_back() else {
        return text.to_owned();
    };
    let symbols = STANDARD.as_str();
    let next = symbols.find(last).map(|at| at ^ 1);
    let next = next.and_then(|at| symbols.chars().nth(at)).unwrap_or('A');
    let kept = &body[..body.len() - last.len_utf8()];
    format!("{kept}{next}{}", &text[body.len()..])
}

fn characters(text: &str, random: &mut Random) -> String {
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let at = match starts.is_empty() {
        true => 0,
        false => *random.choose(&starts),
    };
    let (before, rest) = text.split_at(at);
    let after: String = rest.chars().skip(1).collect();
    let new = random.choose(&[
        "A", "Z", "a", "z", "0", "9", "+", "/", "=", "-", "_", " ", "\n", "\"", "{", "\0", ".", "é",
    ]);
    match random.below(8) {
        0 => text.to_uppercase(),
        1 => text.to_lowercase(),
        2 => format!("{text}{new}"),
        3 => format!("{new}{text}"),
        4 => format!("{before}{after}"),
        5 => format!("{before}{new}{rest}"),
        _ => format!("{before}{new}{after}"),
    }
}
