//! Keys in PEM (RFC 7468), in the forms that key generators write.

use p256::pkcs8::der::pem::Decoder;
use zeroize::Zeroizing;

/// The block that `openssl ecparam -genkey` writes before the key. It is not needed: the key names its
/// curve.
const PARAMETERS: &str = "EC PARAMETERS";
/// The first header of encrypted blocks in the traditional form (RFC 1421, section 4.6.1.1).
const PROC_TYPE: &str = "Proc-Type:";

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
    /// There is not exactly one block, there is text outside it, or it is not base64.
    Malformed,
}

/// Decodes the block in `text`. White space around it, parameters beside it and lines of any equal width
/// are accepted.
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
