//! References and layers.

use super::*;

/// A repository on a registry with a port, so that no short name of Docker Hub is among them.
fn repository(u: &mut Unstructured<'_>) -> Result<String> {
    let (host, port) = (word(u, LOWER, 8)?, u.int_in_range(1..=65535)?);
    let mut parts = vec![format!("{host}:{port}")];
    parts.push(word(u, NAME, 5)?);
    parts.extend(several(u, 3, |u| word(u, NAME, 5))?);
    Ok(parts.join("/"))
}

#[test]
fn a_reference_is_printed_as_it_was_written() {
    law(|u| {
        let (repository, digest) = (repository(u)?, digest(u)?);
        let tag = word(u, b"aZ09_.-", 8)?;
        let by_tag = format!("{repository}:{tag}").parse::<Reference>();
        assert_eq!(by_tag.is_ok(), !tag.starts_with(['.', '-']), "{tag}");
        if let Ok(by_tag) = by_tag {
            assert_eq!(by_tag.to_string(), format!("{repository}:{tag}"));
        }
        let text = format!("{repository}@{digest}");
        assert_eq!(text.parse::<Reference>().unwrap().to_string(), text);
        assert_eq!(text.parse::<ImageRef>().unwrap().to_string(), text);
        let both = format!("{repository}:{tag}@{digest}");
        assert!(
            both.parse::<Reference>()
                .unwrap_err()
                .to_string()
                .contains("tag")
        );
        Ok(())
    });
}

/// Entries with paths of small parts, none of which is below a file.
fn entries(u: &mut Unstructured<'_>) -> Result<Vec<Entry>> {
    let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
    for parts in several(u, 12, |u| several(u, 3, |u| word(u, b"abc", 2)))? {
        let path = parts.join("/");
        let kind = match u.int_in_range(0..=3)? {
            0 => Kind::Directory,
            1 => Kind::Symlink {
                target: format!("/{}", word(u, LOWER, 120)?),
            },
            executable => Kind::File {
                content: Content::Bytes(u.arbitrary()?),
                executable: match executable {
                    2 => Executable::Yes,
                    _ => Executable::No,
                },
            },
        };
        let is_below = |one: &str, other: &str| one.starts_with(&format!("{other}/"));
        let collides =
            |known: &String| *known == path || is_below(known, &path) || is_below(&path, known);
        if !path.is_empty() && !entries.keys().any(collides) {
            let parsed = path.parse().unwrap();
            entries.insert(path, Entry { path: parsed, kind });
        }
    }
    Ok(entries.into_values().collect())
}

fn seen(layer: &[u8]) -> Vec<Seen> {
    let mut seen = Vec::new();
    oci::layer::read(layer, |member, content| {
        let path = member.path.clone();
        seen.push(match &member.kind {
            MemberKind::File { .. } => {
                let mut bytes = Vec::new();
                content.read_to_end(&mut bytes).unwrap();
                (path, Some(bytes), None)
            }
            MemberKind::Symlink { target } => (path, None, Some(target.clone())),
            MemberKind::Directory | MemberKind::HardLink { .. } => (path, None, None),
        });
        Ok::<_, oci::Error>(())
    })
    .unwrap();
    seen
}

#[test]
fn a_layer_has_sorted_entries_for_any_input_order() {
    law(|u| {
        let entries = entries(u)?;
        let mut layer = Vec::new();
        let written = oci::layer::write(entries.clone(), &mut layer).unwrap();
        assert_eq!(written.digest, Digest::of(&layer));
        let mut again = Vec::new();
        oci::layer::write(shuffled(u, entries.clone())?, &mut again).unwrap();
        assert_eq!(again, layer);

        let seen = seen(&layer);
        assert!(seen.is_sorted_by(|(one, ..), (next, ..)| one < next));
        let parents = |entry: &Entry| std::iter::successors(entry.path.parent(), EntryPath::parent);
        let mut expected: BTreeMap<EntryPath, Seen> = BTreeMap::new();
        for entry in &entries {
            let implied = parents(entry).map(|path| (path.clone(), (path, None, None)));
            expected.extend(implied);
            let (content, target) = match &entry.kind {
                Kind::File {
                    content: Content::Bytes(bytes),
                    ..
                } => (Some(bytes.clone()), None),
                Kind::Symlink { target } => (None, Some(target.clone())),
                _ => (None, None),
            };
            expected.insert(entry.path.clone(), (entry.path.clone(), content, target));
        }
        assert_eq!(seen, expected.into_values().collect::<Vec<_>>());
        Ok(())
    });
}
