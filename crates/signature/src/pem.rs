//! Keys in text (RFC 7468), as the programs write them that make keys.

use p256::pkcs8::der::pem::Decoder;
use zeroize::Zeroizing;

/// A block before the key that `openssl ecparam -genkey` writes; the key names its curve itself.
const PARAMETERS: &str = "EC PARAMETERS";
/// The header that encrypted blocks of the traditional form begin with (RFC 1421, section 4.6.1.1).
const PROC_TYPE: &str = "Proc-Type:";

/// What a block holds.
pub(crate) struct Block<'a> {
    pub(crate) label: &'a str,
    pub(crate) der: Zeroizing<Vec<u8>>,
}

/// Why a text does not hold one key.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// The key is under a password.
    Encrypted,
    /// Another number of blocks than one, text beside it, or not base64.
    Malformed,
}

/// Reads the one block in `text`, with white space around it, lines of any one width, and parameters
/// before it.
pub(crate) fn only_block(text: &str) -> Result<Block<'_>, Fault> {
    let mut only = None;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (label, block, behind) = first_block(rest).ok_or(Fault::Malformed)?;
        rest = behind.trim_start();
        if label != PARAMETERS && only.replace((label, block)).is_some() {
            return Err(Fault::Malformed);
        }
    }
    let (label, block) = only.ok_or(Fault::Malformed)?;
    if is_encrypted(label, block) {
        return Err(Fault::Encrypted);
    }
    let der = decode(block).ok_or(Fault::Malformed)?;
    Ok(Block { label, der })
}

fn first_block(text: &str) -> Option<(&str, &str, &str)> {
    let (label, _) = text.strip_prefix("-----BEGIN ")?.split_once("-----")?;
    let end = format!("-----END {label}-----");
    let (block, behind) = text.split_at(text.find(&end)? + end.len());
    Some((label, block, behind))
}

fn is_encrypted(label: &str, block: &str) -> bool {
    let mut lines = block.lines();
    let is_header = |line: &str| line.starts_with(PROC_TYPE) && line.contains("ENCRYPTED");
    label.contains("ENCRYPTED") || lines.any(is_header)
}

fn decode(block: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut decoder = Decoder::new_detect_wrap(block.as_bytes()).ok()?;
    let mut der = Zeroizing::new(Vec::with_capacity(decoder.remaining_len()));
    decoder.decode_to_end(&mut der).ok()?;
    Some(der)
}
