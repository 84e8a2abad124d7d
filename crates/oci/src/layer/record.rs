//! Texts in headers, and the records of extended headers of POSIX (POSIX.1-2017, pax: extended header).

/// The key and the value of a record.
pub(crate) type Record<'a> = (&'a [u8], &'a [u8]);

/// The first record `LENGTH KEY=VALUE\n`, and the bytes after it. Like Go, refuses NUL in names, and in the keys of
/// other records.
pub(crate) fn split(bytes: &[u8]) -> Option<(Record<'_>, &[u8])> {
    let space = bytes.iter().position(|&byte| byte == b' ')?;
    let length = std::str::from_utf8(&bytes[..space]).ok()?;
    let length = length.parse::<usize>().ok()?;
    let record = bytes.get(space + 1..length)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|&byte| byte == b'=')?;
    let (key, value) = (&record[..equals], &record[equals + 1..]);
    let has_nul = match key {
        b"path" | b"linkpath" | b"uname" | b"gname" => value.contains(&0),
        _ => key.contains(&0),
    };
    (!key.is_empty() && !has_nul).then_some(((key, value), &bytes[length..]))
}

/// The bytes before the first NUL.
pub(crate) fn text(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|&byte| byte == 0);
    &bytes[..end.unwrap_or(bytes.len())]
}
