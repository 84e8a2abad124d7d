//! The signed head of the log: a note (golang.org/x/mod/sumdb/note), whose text names the size of the tree and its root.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use content::Digest;
use signature::PublicKey;

/// The algorithm of keys: Ed25519.
const ED25519: u8 = 1;
/// What precedes such a key in its SPKI encoding (RFC 8410).
const SPKI: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];
const TREE: &str = "go.sum database tree";
const UNSIGNED: &str = "the database's tree is not signed by its key";

/// The key of a log: `NAME+HASH+KEY`.
pub(super) struct Key {
    name: String,
    hash: [u8; 4],
    public: PublicKey,
}

impl Key {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('+')?;
        let (hash, encoded) = rest.split_once('+')?;
        let bytes = STANDARD.decode(encoded).ok()?;
        let (&ED25519, public) = bytes.split_first()? else {
            return None;
        };
        let expected: [u8; 4] = hex::decode(hash).ok()?.try_into().ok()?;
        (hash_of(name, &bytes) == expected).then_some(Self {
            name: name.to_owned(),
            hash: expected,
            public: PublicKey::from_der([&SPKI, public].concat()).ok()?,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether a line of a note is a signature of this key on `text`.
    fn has_signed(&self, text: &str, line: &str) -> bool {
        let signed = || {
            let encoded = line.strip_prefix("\u{2014} ")?;
            let encoded = encoded.strip_prefix(&self.name)?.strip_prefix(' ')?;
            let bytes = STANDARD.decode(encoded).ok()?;
            let (hash, signature) = bytes.split_at_checked(4)?;
            let verified = self.public.verify(text.as_bytes(), signature);
            Some(hash == self.hash && verified.is_ok())
        };
        signed().unwrap_or_default()
    }
}

/// The hash in a key: the first bytes of that over its name and its bytes.
pub(super) fn hash_of(name: &str, key: &[u8]) -> [u8; 4] {
    let digest = Digest::of(&[name.as_bytes(), b"\n", key].concat());
    let mut hash = [0; 4];
    hash.copy_from_slice(&digest.as_bytes()[..4]);
    hash
}

/// The head of the log.
pub(super) struct Head {
    /// The number of records.
    pub(super) size: u64,
    /// The root of the tree over them.
    pub(super) root: Digest,
}

impl Head {
    /// Opens a signed head.
    ///
    /// # Errors
    /// The key has not signed it, or it is something else.
    pub(super) fn open(signed: &str, key: &Key) -> Result<Self, String> {
        let end = signed.rfind("\n\n").ok_or(UNSIGNED)? + 1;
        let (text, signatures) = signed.split_at(end);
        if !signatures.lines().any(|line| key.has_signed(text, line)) {
            return Err(UNSIGNED.to_owned());
        }
        Self::parse(text).ok_or_else(|| "what the database has signed is no tree".to_owned())
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let is_tree = lines.next()? == TREE;
        let size = lines.next()?.parse().ok()?;
        let root = STANDARD.decode(lines.next()?).ok()?;
        let root = Digest::from_bytes(root.try_into().ok()?);
        is_tree.then_some(Self { size, root })
    }
}
