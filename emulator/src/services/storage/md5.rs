//! MD5 (RFC 1321), which clients of Cloud Storage compare with that of what they have sent. It protects nothing.

/// The rotations of each round.
const ROTATIONS: [[u32; 4]; 4] = [
    [7, 12, 17, 22],
    [5, 9, 14, 20],
    [4, 11, 16, 23],
    [6, 10, 15, 21],
];
/// The state at the begin.
const START: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
/// The bytes of a block.
const BLOCK: usize = 64;
/// The bytes of the length at the end.
const LENGTH: usize = 8;

/// The MD5 of `bytes`.
pub(super) fn md5(bytes: &[u8]) -> [u8; 16] {
    let mut padded = bytes.to_vec();
    padded.push(0x80);
    while padded.len() % BLOCK != BLOCK - LENGTH {
        padded.push(0);
    }
    padded.extend((bytes.len() as u64).wrapping_mul(8).to_le_bytes());
    let state = padded.chunks_exact(BLOCK).fold(START, step);
    let mut digest = [0; 16];
    let words = state.iter().flat_map(|word| word.to_le_bytes());
    digest
        .iter_mut()
        .zip(words)
        .for_each(|(byte, own)| *byte = own);
    digest
}

fn step(state: [u32; 4], block: &[u8]) -> [u32; 4] {
    let word = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| block[4 * at + byte]));
    let [mut a, mut b, mut c, mut d] = state;
    for (number, sine) in (0..BLOCK).zip(1_u32..) {
        let (mixed, at) = match number / 16 {
            0 => ((b & c) | (!b & d), number),
            1 => ((d & b) | (!d & c), 5 * number + 1),
            2 => (b ^ c ^ d, 3 * number + 5),
            _ => (c ^ (b | !d), 7 * number),
        };
        let sum = a
            .wrapping_add(mixed)
            .wrapping_add(constant(sine))
            .wrapping_add(word(at % 16));
        let rotation = ROTATIONS[number / 16][number % 4];
        (a, d, c, b) = (d, c, b, b.wrapping_add(sum.rotate_left(rotation)));
    }
    let [e, f, g, h] = state;
    [
        a.wrapping_add(e),
        b.wrapping_add(f),
        c.wrapping_add(g),
        d.wrapping_add(h),
    ]
}

/// The whole part of 2^32 times the sine of a number.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is within 32 bits, and not negative"
)]
fn constant(number: u32) -> u32 {
    (f64::from(number).sin().abs() * 4_294_967_296.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 1321, A.5.
    #[test]
    fn has_the_values_of_the_standard() {
        for (text, expected) in [
            ("", "d41d8cd98f00b204e9800998ecf8427e"),
            ("abc", "900150983cd24fb0d6963f7d28e17f72"),
            (
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
                "d174ab98d277d9f5a5611c2c9f419d9f",
            ),
            (
                "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                "57edf4a22be3c955ac49da2e2107b67a",
            ),
        ] {
            let digest = md5(text.as_bytes());
            let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(digest, expected, "{text}");
        }
    }
}
