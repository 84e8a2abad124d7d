//! Numbers in headers.

use crate::layer::fault::{self, Fault};
use crate::layer::record::text;

/// Parses a field of a header: octal digits, or base 256 in two's complement if the first bit is set (GNU tar manual,
/// basic tar format). Spaces and NULs around the digits are ignored, and no digits mean 0.
pub(super) fn field(bytes: &[u8]) -> Result<i64, Fault> {
    match bytes.first() {
        Some(first) if first & 0x80 != 0 => binary(bytes),
        _ => octal(bytes),
    }
}

fn binary(bytes: &[u8]) -> Result<i64, Fault> {
    let is_negative = bytes[0] & 0x40 != 0;
    let flip = if is_negative { 0xff } else { 0 };
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().enumerate() {
        let byte = byte ^ flip;
        // The highest bit only marks the encoding.
        let byte = if index == 0 { byte & 0x7f } else { byte };
        if value >> 56 > 0 {
            return Err(fault::HEADER);
        }
        value = value << 8 | u64::from(byte);
    }
    let value = i64::try_from(value).map_err(|_| fault::HEADER)?;
    Ok(if is_negative { !value } else { value })
}

/// Parses octal digits. A value over 63 bits becomes negative, as in Go.
pub(super) fn octal(bytes: &[u8]) -> Result<i64, Fault> {
    let is_padding = |byte: &u8| matches!(byte, b' ' | 0);
    let Some(start) = bytes.iter().position(|byte| !is_padding(byte)) else {
        return Ok(0);
    };
    let end = bytes
        .iter()
        .rposition(|byte| !is_padding(byte))
        .unwrap_or(start);
    let digits = text(&bytes[start..=end]);
    let is_octal = digits.iter().all(|byte| matches!(byte, b'0'..=b'7'));
    std::str::from_utf8(digits)
        .ok()
        .filter(|_| is_octal)
        .and_then(|digits| u64::from_str_radix(digits, 8).ok())
        .map(u64::cast_signed)
        .ok_or(fault::HEADER)
}

/// Parses a decimal number with an optional sign.
pub(super) fn decimal(bytes: &[u8]) -> Result<i64, Fault> {
    std::str::from_utf8(bytes)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or(fault::EXTENSION)
}

/// Parses a time `SECONDS[.DIGITS]`, rounded down to seconds.
pub(super) fn time(bytes: &[u8]) -> Result<i64, Fault> {
    let dot = bytes.iter().position(|&byte| byte == b'.');
    let (seconds, fraction) = match dot {
        Some(dot) => (&bytes[..dot], &bytes[dot + 1..]),
        None => (bytes, &[][..]),
    };
    let value = decimal(seconds)?;
    if !fraction.iter().all(u8::is_ascii_digit) {
        return Err(fault::EXTENSION);
    }
    // Go keeps nanoseconds.
    let has_fraction = fraction.iter().take(9).any(|&digit| digit != b'0');
    match seconds.starts_with(b"-") && has_fraction {
        true => Ok(value.saturating_sub(1)),
        false => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_encodings() {
        for (bytes, expected) in [
            (&b"0000644\0"[..], Some(0o644)),
            (b"  644 \0 ", Some(0o644)),
            (b"\0\0\0\0", Some(0)),
            (b"+7", None),
            (b"-7", None),
            (b"8", None),
            (b"1777777777777777777777", Some(-1)),
            (b"2777777777777777777777", None),
            (b"6\x004", Some(6)),
            (b"\x80\0\0\0\0\0\0\x01", Some(1)),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff", Some(-1)),
            (
                b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff",
                Some(i64::MAX),
            ),
            (b"\x80\0\0\0\x80\0\0\0\0\0\0\0", None),
            (b"\x80\0\0\x01\0\0\0\0\0\0\0\0", None),
        ] {
            assert_eq!(field(bytes).ok(), expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn times_are_rounded_down() {
        for (text, expected) in [
            ("1350244992.023960108", Some(1_350_244_992)),
            ("-1.5", Some(-2)),
            ("-1.0000000001", Some(-1)),
            ("-1.", Some(-1)),
            ("+1", Some(1)),
            (".5", None),
            ("1.a", None),
            ("", None),
        ] {
            assert_eq!(time(text.as_bytes()).ok(), expected, "{text}");
        }
    }
}
