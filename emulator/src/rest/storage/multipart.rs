//! Bodies of two parts (RFC 2387, `multipart/related`; RFC 2046 section 5.1).

/// A part of a body.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Part<'a> {
    head: &'a [u8],
    pub(super) content: &'a [u8],
}

impl Part<'_> {
    /// The media type of the part, or `default`.
    pub(super) fn kind(&self, default: &str) -> String {
        let head = String::from_utf8_lossy(self.head);
        let mut lines = head.lines().filter_map(|line| line.split_once(':'));
        let kind = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        kind.map_or(default, |(_, value)| value.trim()).to_owned()
    }
}

/// The two parts of a body with this media type; `None` if it is malformed or has another number of parts.
pub(super) fn parts<'a>(kind: &str, body: &'a [u8]) -> Option<[Part<'a>; 2]> {
    let delimiter = format!("--{}", boundary(kind)?);
    let rest = body.strip_prefix(delimiter.as_bytes())?;
    // gcloud ends lines as Python does, and Google accepts it.
    let end = match rest.starts_with(b"\r\n") {
        true => "\r\n",
        false => "\n",
    };
    // The line break before a delimiter belongs to the delimiter.
    let inner = format!("{end}{delimiter}");
    let first = until(rest, inner.as_bytes())?;
    let rest = rest.get(first.len() + inner.len()..)?;
    let second = until(rest, inner.as_bytes())?;
    let last = rest.get(second.len() + inner.len()..)?;
    last.starts_with(b"--").then_some(())?;
    Some([part(first, end)?, part(second, end)?])
}

fn boundary(kind: &str) -> Option<&str> {
    let mut parameters = kind.split(';').map(str::trim);
    let is_related = parameters.next()?.eq_ignore_ascii_case("multipart/related");
    let boundary = parameters.find_map(|parameter| parameter.strip_prefix("boundary="))?;
    let boundary = boundary.trim_matches(['"', '\'']);
    (is_related && !boundary.is_empty()).then_some(boundary)
}

/// A part whose lines have this end.
fn part<'a>(bytes: &'a [u8], end: &str) -> Option<Part<'a>> {
    let bytes = bytes.strip_prefix(end.as_bytes())?;
    // A part without a head begins with the empty line.
    if let Some(content) = bytes.strip_prefix(end.as_bytes()) {
        return Some(Part { head: b"", content });
    }
    let empty_line = end.repeat(2);
    let head = until(bytes, empty_line.as_bytes())?;
    let content = bytes.get(head.len() + empty_line.len()..)?;
    Some(Part { head, content })
}

/// The bytes before the first `end`.
fn until<'a>(bytes: &'a [u8], end: &[u8]) -> Option<&'a [u8]> {
    let mut windows = bytes.windows(end.len());
    let place = windows.position(|window| window == end)?;
    bytes.get(..place)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: &str = "multipart/related; boundary=\"==b==\"";

    #[test]
    fn finds_two_parts() {
        let body = b"--==b==\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n{\"name\": \"a\"}\r\n--==b==\r\nContent-Type: \
                     text/plain\r\n\r\none\r\n\r\ntwo\r\n\r\n--==b==--";
        let [first, second] = parts(KIND, body).unwrap();
        assert_eq!(first.content, b"{\"name\": \"a\"}");
        assert_eq!(second.content, b"one\r\n\r\ntwo\r\n");
        assert_eq!(second.kind("x"), "text/plain");
        let plain = b"--b\nContent-Type: a/b\n\n{}\n--b\nx: y\n\none\n\n--b--";
        let [first, second] = parts("multipart/related; boundary='b'", plain).unwrap();
        assert_eq!(
            (first.kind("x"), second.content),
            ("a/b".to_owned(), &b"one\n"[..])
        );
        let bare = b"--b\r\n\r\n{}\r\n--b\r\n\r\n\r\n--b--\r\n";
        let [first, second] = parts("multipart/related; boundary=b", bare).unwrap();
        assert_eq!((first.content, second.content), (&b"{}"[..], &b""[..]));
        assert_eq!(second.kind("x"), "x");
    }

    #[test]
    fn malformed_bodies_have_no_parts() {
        for (kind, body) in [
            (
                "text/plain; boundary=b",
                "--b\r\n\r\n{}\r\n--b\r\n\r\n\r\n--b--",
            ),
            ("multipart/related", "--b\r\n\r\n{}\r\n--b\r\n\r\n\r\n--b--"),
            ("multipart/related; boundary=b", "--b\r\n\r\n{}\r\n--b--"),
            (
                "multipart/related; boundary=b",
                "--b\r\n\r\n{}\r\n--b\r\n\r\nx",
            ),
            (
                "multipart/related; boundary=b",
                "--b\r\n\r\n1\r\n--b\r\n\r\n2\r\n--b\r\n\r\n3\r\n--b--",
            ),
            ("multipart/related; boundary=b", ""),
        ] {
            assert_eq!(parts(kind, body.as_bytes()), None, "{kind}: {body}");
        }
    }
}
