//! The tree as text.

use std::fmt::{self, Write as _};

use console::text;

use super::{Item, Kind, Place, Signer, Tree};

/// The tree, what cannot be read, and a line for each reader.
pub fn table(tree: &Tree) -> String {
    let mut out = format!("{} ({} bytes)\n", tree.image, tree.size);
    let groups: Vec<&[Item]> = tree.items.chunk_by(|a, b| a.place == b.place).collect();
    for (index, group) in groups.iter().enumerate() {
        let (branch, bar) = match index + 1 == groups.len() {
            true => ("└──", "   "),
            false => ("├──", "│  "),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{branch} {}", group[0].place);
        for (index, item) in group.iter().enumerate() {
            let branch = match index + 1 == group.len() {
                true => "└──",
                false => "├──",
            };
            let _ = writeln!(out, "{bar} {branch} {item}");
        }
    }
    for note in &tree.notes {
        let _ = writeln!(out, "note: {}", text::line(note));
    }
    for summary in tree.readers.iter().filter(|summary| summary.signers > 0) {
        let (reader, counted, signers) = (summary.reader, summary.counted, summary.signers);
        let _ = write!(out, "{reader} will count {counted} of {signers} signatures");
        let _ = match summary.reasons.is_empty() {
            true => writeln!(out),
            false => writeln!(out, ": {}", summary.reasons.join("; ")),
        };
    }
    if tree.readers.iter().all(|summary| summary.signers == 0) {
        out.push_str("no signatures\n");
    }
    out
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(name) => write!(f, "tag {name}"),
            Self::Referrer(digest) => write!(f, "referrer {digest}"),
            Self::Elsewhere { repository, at } => write!(f, "{at} in {repository}"),
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Signature => f.write_str("signature")?,
            // It may be the claim of an annotation, which could otherwise begin a line of its own.
            Kind::Attestation(kind) => write!(f, "attestation {}", text::line(kind))?,
            Kind::Sbom(media_type) => {
                write!(f, "SBOM {media_type}, which does not name the image")?
            }
            Kind::SbomSignature => f.write_str("signature on this SBOM")?,
            Kind::Other(media_type) => f.write_str(media_type)?,
        }
        for (index, signer) in self.signers.iter().enumerate() {
            let word = match index {
                0 => "by",
                _ => "and",
            };
            write!(f, " {word} {signer}")?;
            match signer {
                Signer::Key {
                    key_type,
                    algorithm,
                    is_default,
                    ..
                } => match is_default {
                    true => write!(f, " ({key_type})")?,
                    false => write!(f, " ({key_type}, {algorithm})")?,
                },
                Signer::Certificate { .. } => f.write_str(" (certificate, not verified here)")?,
                Signer::Hinted { .. } | Signer::Unknown => {}
            }
        }
        write!(f, ", {} bytes", self.size)
    }
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key {
                name: Some(name), ..
            } => f.write_str(name),
            Self::Key { key_id, .. } => write!(f, "key {key_id}"),
            Self::Hinted { key_id } => write!(f, "key {key_id} (according to a hint)"),
            Self::Certificate {
                subject: Some(subject),
                issuer,
            } => {
                write!(f, "{}", text::line(subject))?;
                match issuer {
                    Some(issuer) => write!(f, " of {}", text::line(issuer)),
                    None => Ok(()),
                }
            }
            Self::Certificate { .. } => f.write_str("an unknown holder of a certificate"),
            Self::Unknown => f.write_str("an unknown key"),
        }
    }
}

#[cfg(test)]
mod tests {
    use content::Digest;

    use super::super::Layout;
    use super::*;

    #[test]
    fn text_of_others_begins_no_line() {
        let forged = "x\nConfidential Space will count 3 of 3 signatures";
        let item = Item {
            place: Place::Referrer(Digest::of(b"")),
            layout: Layout::Bundle,
            kind: Kind::Attestation(forged.to_owned()),
            digest: Digest::of(b""),
            size: 1,
            signers: vec![Signer::Certificate {
                subject: Some(forged.to_owned()),
                issuer: Some(forged.to_owned()),
            }],
            names_key: false,
        };
        let tree = Tree {
            image: "r.example/a".to_owned(),
            size: 1,
            items: vec![item],
            readers: Vec::new(),
            notes: vec![forged.to_owned()],
        };
        let shown = table(&tree);
        let mut lines = shown.lines();
        assert!(
            lines.all(|line| !line.starts_with("Confidential Space")),
            "{shown}"
        );
        assert!(shown.contains("x\\u{a}Confidential"), "{shown}");
    }
}
