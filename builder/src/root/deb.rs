//! A `.deb` and what is in it (deb(5)).

/// A member of an `ar` archive, which a `.deb` is (deb(5)).
pub(super) fn member<'a>(deb: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut rest = deb.strip_prefix(b"!<arch>\n")?;
    while rest.len() >= 60 {
        let (head, body) = rest.split_at(60);
        let size: usize = str::from_utf8(&head[48..58]).ok()?.trim().parse().ok()?;
        let found = str::from_utf8(&head[..16])
            .ok()?
            .trim()
            .trim_end_matches('/');
        let content = body.get(..size)?;
        if found == name {
            return Some(content);
        }
        // Members begin at even offsets.
        rest = body.get(size + size % 2..)?;
    }
    None
}
