//! Tar headers, field by field (POSIX.1-2017, pax: ustar interchange format).

use super::entry::Owner;

/// The size of a header in bytes. Content is padded to a multiple of it.
pub(crate) const BLOCK: usize = 512;
/// Bytes in the fields `name` and `linkname`.
const NAME: usize = 100;
/// Bytes in the field `prefix`.
const PREFIX: usize = 155;

/// The type flags that format v1 writes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Flag {
    File = b'0' as isize,
    Symlink = b'2' as isize,
    Directory = b'5' as isize,
    Extension = b'x' as isize,
}

/// The variable fields of a header. The others are fixed.
pub(crate) struct Header<'a> {
    /// The path. A directory's path ends in `/`.
    pub(crate) path: &'a [u8],
    pub(crate) flag: Flag,
    pub(crate) mode: u64,
    pub(crate) owner: Owner,
    /// The size of the content in bytes.
    pub(crate) size: u64,
    /// A link's target, otherwise empty.
    pub(crate) target: &'a [u8],
}

impl Header<'_> {
    /// The header's bytes. A path or target that does not fit is truncated: the preceding extended header has
    /// all of it.
    pub(crate) fn to_bytes(&self) -> [u8; BLOCK] {
        let (prefix, name) = split(self.path).unwrap_or((b"", self.path));
        let mut block = [0; BLOCK];
        put(&mut block[..NAME], name);
        octal(&mut block[100..108], self.mode);
        octal(&mut block[108..116], u64::from(self.owner.uid()));
        octal(&mut block[116..124], u64::from(self.owner.gid()));
        octal(&mut block[124..136], self.size);
        octal(&mut block[136..148], 0);
        block[148..156].fill(b' ');
        block[156] = self.flag as u8;
        put(&mut block[157..257], self.target);
        put(&mut block[257..265], b"ustar\x0000");
        octal(&mut block[329..337], 0);
        octal(&mut block[337..345], 0);
        put(&mut block[345..500], prefix);
        // Six digits, NUL, space: the space was written above.
        let sum = block.iter().map(|&byte| u64::from(byte)).sum();
        octal(&mut block[148..155], sum);
        block
    }
}

/// Copies as much of `bytes` as fits; the rest of the field stays NUL.
fn put(field: &mut [u8], bytes: &[u8]) {
    let count = bytes.len().min(field.len());
    field[..count].copy_from_slice(&bytes[..count]);
}

/// Writes octal digits with leading zeros, and a NUL at the end of the field.
fn octal(field: &mut [u8], mut value: u64) {
    let Some((end, digits)) = field.split_last_mut() else {
        return;
    };
    *end = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (value % 8) as u8;
        value /= 8;
    }
}

/// Splits `path` into prefix and name. The whole path is the name if it fits. Otherwise it is cut at the
/// last slash that has at most 155 bytes before it, but not at the trailing slash of a directory. `None` if
/// the name then has not 1 to 100 bytes.
pub(crate) fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    if path.len() <= NAME {
        return Some((b"", path));
    }
    let last = path.len() - 1;
    let window = &path[..last.min(PREFIX + 1)];
    let cut = window.iter().rposition(|&byte| byte == b'/')?;
    let (prefix, name) = (&path[..cut], &path[cut + 1..]);
    (!prefix.is_empty() && name.len() <= NAME).then_some((prefix, name))
}

/// Whether a link's target fits into its field.
pub(crate) fn target_fits(target: &[u8]) -> bool {
    target.len() <= NAME
}

/// One record of an extended header: `LENGTH KEY=VALUE\n`, where the length counts itself.
pub(crate) fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + " =\n".len();
    let mut length = rest + 1;
    while rest + length.to_string().len() != length {
        length = rest + length.to_string().len();
    }
    [format!("{length} {key}=").as_bytes(), value, b"\n"].concat()
}

/// The zeros that pad content of `size` bytes to whole blocks.
pub(crate) fn padding(size: u64) -> &'static [u8] {
    const ZEROS: [u8; BLOCK] = [0; BLOCK];
    let over = (size % BLOCK as u64) as usize;
    &ZEROS[..(BLOCK - over) % BLOCK]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_fixed() {
        let header = Header {
            path: b"bin/sh",
            flag: Flag::File,
            mode: 0o755,
            owner: Owner::default(),
            size: 0o1234,
            target: b"",
        };
        let bytes = header.to_bytes();
        assert_eq!(&bytes[..7], b"bin/sh\0");
        assert_eq!(&bytes[100..124], b"0000755\x000000000\x000000000\0");
        assert_eq!(&bytes[124..148], b"00000001234\x0000000000000\0");
        assert_eq!(&bytes[148..157], b"010315\0 0");
        assert_eq!(&bytes[257..265], b"ustar\x0000");
        assert_eq!(&bytes[265..329], &[0; 64]);
        assert_eq!(&bytes[329..345], b"0000000\x000000000\0");
        assert!(bytes[345..].iter().all(|&byte| byte == 0));
    }

    #[test]
    fn an_owner_is_in_its_fields() {
        let header = Header {
            path: b"home/app/",
            flag: Flag::Directory,
            mode: 0o1770,
            owner: Owner::new(1000, 2_097_151).unwrap(),
            size: 0,
            target: b"",
        };
        assert_eq!(
            &header.to_bytes()[100..124],
            b"0001770\x000001750\x007777777\0"
        );
    }

    #[test]
    fn long_paths_are_cut_at_the_last_possible_slash() {
        let path = |parts: &[usize]| {
            let parts: Vec<String> = parts.iter().map(|&size| "p".repeat(size)).collect();
            parts.join("/").into_bytes()
        };
        let lengths = |p: &[u8]| split(p).map(|(prefix, name)| (prefix.len(), name.len()));
        assert_eq!(lengths(&path(&[100])), Some((0, 100)));
        assert_eq!(lengths(&path(&[101])), None);
        assert_eq!(lengths(&path(&[155, 100])), Some((155, 100)));
        assert_eq!(lengths(&path(&[156, 99])), None);
        assert_eq!(lengths(&path(&[50, 50, 50])), Some((101, 50)));
        assert_eq!(lengths(&path(&[100, 100, 100])), None);
        // A directory: its last slash is part of the name.
        let mut directory = path(&[60, 60]);
        directory.push(b'/');
        assert_eq!(lengths(&directory), Some((60, 61)));
    }

    #[test]
    fn a_record_counts_its_own_length() {
        assert_eq!(record("path", b"a"), b"9 path=a\n");
        assert_eq!(record("path", "a".repeat(88).as_bytes()).len(), 97);
        for size in 80..120 {
            let record = record("path", "a".repeat(size).as_bytes());
            let text = String::from_utf8(record).unwrap();
            let (length, _) = text.split_once(' ').unwrap();
            assert_eq!(length.parse::<usize>().unwrap(), text.len());
        }
    }
}
