//! Headers: one block of 512 bytes.

use std::collections::BTreeMap;

use super::Entry;
use super::number::{field, octal};
use crate::layer::fault::{self, Fault};
use crate::layer::record::text;

/// The size of a block in bytes.
pub(super) const SIZE: usize = 512;

/// The bytes of a header, or of the rest of a sparse map.
pub(super) struct Block(pub(super) [u8; SIZE]);

/// Which program's header it is. They differ after the field `linkname`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Dialect {
    /// Unix, seventh edition: nothing follows.
    V7,
    /// POSIX: a prefix of the name.
    Ustar,
    /// star: a shorter prefix, and times.
    Star,
    /// GNU tar: times, and the map of a sparse file.
    Gnu,
}

impl Block {
    pub(super) fn is_zero(&self) -> bool {
        self.0.iter().all(|&byte| byte == 0)
    }

    /// The dialect.
    ///
    /// # Errors
    /// The checksum is wrong: the sum of all bytes, signed or unsigned, with spaces for the checksum itself.
    pub(super) fn dialect(&self) -> Result<Dialect, Fault> {
        let stored = octal(&self.0[148..156])?;
        let (mut unsigned, mut signed) = (0_i64, 0_i64);
        for (index, &byte) in self.0.iter().enumerate() {
            let byte = match index {
                148..156 => b' ',
                _ => byte,
            };
            unsigned += i64::from(byte);
            signed += i64::from(byte.cast_signed());
        }
        if stored != unsigned && stored != signed {
            return Err(fault::HEADER);
        }
        Ok(match (&self.0[257..263], &self.0[263..265]) {
            (b"ustar\0", _) if &self.0[508..] == b"tar\0" => Dialect::Star,
            (b"ustar\0", _) => Dialect::Ustar,
            (b"ustar ", b" \0") => Dialect::Gnu,
            _ => Dialect::V7,
        })
    }

    /// The entry that the header describes, and the size of what follows it.
    pub(super) fn entry(&self) -> Result<(Entry, i64), Fault> {
        let dialect = self.dialect()?;
        let bytes = &self.0;
        let size = field(&bytes[124..136])?;
        let mut entry = Entry {
            name: text(&bytes[..100]).to_vec(),
            link: text(&bytes[157..257]).to_vec(),
            flag: bytes[156],
            size: 0,
            mode: field(&bytes[100..108])?,
            uid: field(&bytes[108..116])?,
            gid: field(&bytes[116..124])?,
            mtime: field(&bytes[136..148])?,
            records: BTreeMap::new(),
            digest: None,
        };
        let prefix = self.prefix(dialect)?;
        if !prefix.is_empty() {
            entry.name = [prefix, b"/", &entry.name].concat();
        }
        Ok((entry, size))
    }

    /// The prefix of the name. All numbers of the dialect must be valid, except the times of GNU tar: old Go programs
    /// wrote a prefix there.
    fn prefix(&self, dialect: Dialect) -> Result<&[u8], Fault> {
        if dialect == Dialect::V7 {
            return Ok(&[]);
        }
        field(&self.0[329..337])?;
        field(&self.0[337..345])?;
        match dialect {
            Dialect::Star => {
                field(&self.0[476..488])?;
                field(&self.0[488..500])?;
                Ok(text(&self.0[345..476]))
            }
            Dialect::Gnu => {
                let is_time = |bytes: &[u8]| bytes[0] == 0 || field(bytes).is_ok();
                let prefix = text(&self.0[345..500]);
                match is_time(&self.0[345..357]) && is_time(&self.0[357..369]) {
                    false if prefix.is_ascii() => Ok(prefix),
                    _ => Ok(&[]),
                }
            }
            _ => Ok(text(&self.0[345..500])),
        }
    }
}
