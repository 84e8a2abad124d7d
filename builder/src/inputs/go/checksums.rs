//! The public database of the checksums of modules (golang.org/x/mod/sumdb): a log that is the same for all clients, so that none is given a
//! toolchain of his own. Module proxies pass it on. No `go.sum` names the toolchain, so that its hash is compared with the log.

mod note;
mod tree;

use crate::lock::modules::{H1, ModuleName, ModuleVersion};
use note::{Head, Key};
use tree::Tree;

/// The key of the public database, as go has it (`cmd/go/internal/modfetch`, `knownGOSUMDB`). Its name is a part of paths.
const PUBLIC: &str = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";

/// Reads the file at a path of the database, of at most so many bytes; the error is the reason.
pub(super) type Ask<'a> = &'a dyn Fn(&str, u64) -> Result<Vec<u8>, String>;

/// Maximum size of a record with its signed tree, in bytes.
const RECORD: u64 = 64 << 10;

/// The hash of a module in the public database.
///
/// # Errors
/// The reason why it is not known: no proxy passes the database on, or what is passed on does not verify.
pub(super) fn public(
    name: &ModuleName,
    version: &ModuleVersion,
    ask: Ask<'_>,
) -> Result<H1, String> {
    lookup(PUBLIC, name, version, ask)
}

fn lookup(
    key: &str,
    name: &ModuleName,
    version: &ModuleVersion,
    ask: Ask<'_>,
) -> Result<H1, String> {
    let key = Key::parse(key).ok_or("expected a key of a checksum database")?;
    let base = format!("sumdb/{}", key.name());
    let path = super::proxy::module_path(name, version);
    let answer = ask(&format!("{base}/lookup/{path}"), RECORD)?;
    let answer = str::from_utf8(&answer).map_err(|_| "the database's answer is not text")?;
    let record = Record::parse(answer).ok_or("the database's answer is not a record")?;
    let head = Head::open(record.signed, &key)?;
    let read = |path: &str, limit: u64| ask(&format!("{base}/{path}"), limit);
    let tree = Tree::new(head.size, &read);
    if !tree.has(&head.root, record.id, record.text)? {
        return Err("the database's record is not in its log".to_owned());
    }
    let start = format!("{name} {version} ");
    let mut lines = record.text.lines();
    let hash = lines.find_map(|line| line.strip_prefix(&start)?.parse().ok());
    hash.ok_or_else(|| "the database's record does not name the module".to_owned())
}

/// A record of the log.
struct Record<'a> {
    id: u64,
    /// Lines as in `go.sum`.
    text: &'a str,
    /// The signed tree in which it is.
    signed: &'a str,
}

impl<'a> Record<'a> {
    fn parse(answer: &'a str) -> Option<Self> {
        let (id, rest) = answer.split_once('\n')?;
        let end = rest.find("\n\n")? + 1;
        let (text, signed) = rest.split_at(end);
        Some(Self {
            id: id.parse().ok()?,
            text,
            signed: signed.strip_prefix('\n')?,
        })
    }
}

#[cfg(test)]
mod tests;
