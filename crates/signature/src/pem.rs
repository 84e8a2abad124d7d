//! Keys in PEM (RFC 7468), in the forms that key generators write and openssl reads: with a byte order mark,
//! lines that end in CRLF or white space, blank lines, text and other blocks around the key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::pkcs8::der::pem::Decoder;
use zeroize::Zeroizing;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
/// The first header of encrypted blocks in the traditional form (RFC 1421, section 4.6.1.1).
const PROC_TYPE: &str = "Proc-Type:";
const ENCRYPTED: &str = "ENCRYPTED";

/// A decoded block.
pub(crate) struct Block<'a> {
    pub(crate) label: &'a str,
    pub(crate) der: Zeroizing<Vec<u8>>,
}

/// Why a text is not one key.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// The key is encrypted.
    Encrypted,
    /// There is not exactly one block with a wanted label, a block has no end, or the block is not base64.
    Malformed,
}

/// Decodes the one block in `text` that has one of these labels. Blocks with other labels are not decoded.
pub(crate) fn only_block<'a>(text: &'a str, labels: &[&str]) -> Result<Block<'a>, Fault> {
    let blocks = blocks(text).ok_or(Fault::Malformed)?;
    let mut wanted = blocks.iter().filter(|block| labels.contains(&block.label));
    match (wanted.next(), wanted.next()) {
        (Some(block), None) if block.is_encrypted() => Err(Fault::Encrypted),
        (Some(block), None) => block.decode().ok_or(Fault::Malformed),
        (None, _) if blocks.iter().any(Lines::is_encrypted) => Err(Fault::Encrypted),
        _ => Err(Fault::Malformed),
    }
}

/// Decodes the one block in `text` that has one of these labels, which name encrypted keys.
pub(crate) fn only_sealed_block<'a>(text: &'a str, labels: &[&str]) -> Option<Block<'a>> {
    let blocks = blocks(text)?;
    let mut wanted = blocks.iter().filter(|block| labels.contains(&block.label));
    match (wanted.next(), wanted.next()) {
        (Some(block), None) => block.decode(),
        _ => None,
    }
}

/// Writes one block, its base64 in lines of 64 characters.
pub(crate) fn write(label: &str, der: &[u8]) -> String {
    let text = Zeroizing::new(STANDARD.encode(der));
    let (begin, end) = (
        format!("{BEGIN}{label}{DASHES}\n"),
        format!("{END}{label}{DASHES}\n"),
    );
    // Large enough never to move, which would leave a copy of a private key behind.
    let mut pem = String::with_capacity(begin.len() + text.len() + text.len() / 64 + 1 + end.len());
    pem.push_str(&begin);
    for line in text.as_bytes().chunks(64) {
        pem.extend(line.iter().copied().map(char::from));
        pem.push('\n');
    }
    pem.push_str(&end);
    pem
}

/// Whether `text` is one block with this label and white space around it.
pub(crate) fn is_bare(text: &str, label: &str) -> bool {
    let text = text.trim();
    text.starts_with(&format!("{BEGIN}{label}{DASHES}"))
        && text.ends_with(&format!("{END}{label}{DASHES}"))
        && text.matches(BEGIN).count() == 1
}

/// A block that is not decoded.
struct Lines<'a> {
    label: &'a str,
    lines: Vec<&'a str>,
}

/// The blocks in `text`; `None` if one does not end.
fn blocks(text: &str) -> Option<Vec<Lines<'_>>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut all = text.trim_start().lines().map(str::trim_end);
    let mut blocks = Vec::new();
    while let Some(line) = all.next() {
        let Some(label) = label(line, BEGIN) else {
            continue;
        };
        let mut lines = Vec::new();
        loop {
            let line = all.next()?;
            if line.starts_with(BEGIN) {
                return None;
            }
            match self::label(line, END) {
                Some(end) if end == label => break,
                Some(_) => return None,
                None => lines.push(line),
            }
        }
        blocks.push(Lines { label, lines });
    }
    Some(blocks)
}

fn label<'a>(line: &'a str, boundary: &str) -> Option<&'a str> {
    line.strip_prefix(boundary)?.strip_suffix(DASHES)
}

impl<'a> Lines<'a> {
    fn is_encrypted(&self) -> bool {
        let mut lines = self.lines.iter();
        let is_header = |line: &&str| line.starts_with(PROC_TYPE) && line.contains(ENCRYPTED);
        self.label.contains(ENCRYPTED) || lines.any(is_header)
    }

    /// Decodes the block. The library wants the base64 without white space.
    fn decode(&self) -> Option<Block<'a>> {
        let label = self.label;
        let (begin, end) = (
            format!("{BEGIN}{label}{DASHES}\n"),
            format!("\n{END}{label}{DASHES}\n"),
        );
        let size = self.lines.iter().map(|line| line.len()).sum::<usize>();
        // Large enough never to move, which would leave a copy of the key behind.
        let mut text = Zeroizing::new(String::with_capacity(begin.len() + size + end.len()));
        text.push_str(&begin);
        for part in self.lines.iter().flat_map(|line| line.split_whitespace()) {
            text.push_str(part);
        }
        text.push_str(&end);
        let mut decoder = Decoder::new_detect_wrap(text.as_bytes()).ok()?;
        let mut der = Zeroizing::new(Vec::with_capacity(decoder.remaining_len()));
        decoder.decode_to_end(&mut der).ok()?;
        Some(Block { label, der })
    }
}
