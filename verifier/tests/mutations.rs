//! Changes the passing case byte by byte: no change leads to a pass with other evidence, or to a panic.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod case;

use std::io::Cursor;

use case::{Case, FILES, stored};
use content::Digest;
use oci::Image;
use verifier::contents::{Contents, ContentsError};
use verifier::examine::examine;
use verifier::published::Form;
use verifier::verdict::Verdict;

/// Evidence has kilobytes, and every byte costs some signatures: a step that is prime to the
/// lengths of lines and groups samples them all.
const STEP: usize = 7;

#[derive(Clone, Copy, Debug)]
enum Layout {
    Legacy,
    Bundle,
}

/// With one layout alone every piece is needed.
fn single(layout: Layout) -> Case {
    let mut case = Case::passing();
    case.published.pieces.retain(|piece| match layout {
        Layout::Legacy => piece.form != Form::Bundle,
        Layout::Bundle => piece.form == Form::Bundle,
    });
    case
}

#[test]
fn a_byte_that_does_not_match_its_digest_never_passes() {
    let honest = Case::passing();
    for index in 0..honest.published.pieces.len() {
        let length = honest.published.pieces[index].bytes.len();
        for at in (0..length).step_by(length / 16 + 1) {
            let mut case = Case::passing();
            case.published.pieces[index].bytes[at] ^= 0x20;
            assert!(
                matches!(case.verdict(), Verdict::Fail(_)),
                "piece {index}, byte {at}"
            );
        }
    }
}

/// Bytes of a piece that are not signed may change what is not read (a hint, a key ID). A pass is
/// right then if what was verified is what was verified before.
#[test]
fn a_byte_changed_with_its_digest_passes_only_on_the_same_statements() {
    for layout in [Layout::Legacy, Layout::Bundle] {
        let honest = single(layout);
        let before = verified(&honest);
        for index in 0..honest.published.pieces.len() {
            for at in (0..honest.published.pieces[index].bytes.len()).step_by(STEP) {
                let mut published = honest.published.clone();
                let piece = &mut published.pieces[index];
                piece.bytes[at] ^= 1 << (at % 8);
                piece.digest = Digest::of(&piece.bytes);
                let changed = Case {
                    published,
                    keys: case::keys(),
                    image: honest.image.clone(),
                    rebuild: honest.rebuild.clone(),
                    policy: honest.policy.clone(),
                };
                if let Verdict::Pass(_) = changed.verdict() {
                    assert_eq!(verified(&changed), before, "{layout:?} {index}, byte {at}");
                }
            }
        }
    }
}

fn verified(case: &Case) -> Vec<Vec<u8>> {
    let policy = case.policy();
    let attested = examine(case.published.clone(), policy.principals(), case::NOW);
    let signatures = attested.signatures().iter();
    let signatures = signatures.map(|signature| format!("{signature:?}").into_bytes());
    let statements = attested.statements().iter();
    signatures
        .chain(statements.map(|statement| statement.value().payload.clone()))
        .collect()
}

#[test]
fn a_changed_signature_annotation_never_passes() {
    let honest = single(Layout::Legacy);
    let Form::SimpleSigning { signature } = honest.published.pieces[0].form.clone() else {
        panic!("the first piece is the signature");
    };
    for at in 0..signature.len() {
        let mut case = single(Layout::Legacy);
        let mut bytes = signature.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let signature = String::from_utf8(bytes).unwrap();
        case.published.pieces[0].form = Form::SimpleSigning { signature };
        assert!(matches!(case.verdict(), Verdict::Fail(_)), "character {at}");
    }
}

#[test]
fn a_truncated_signature_or_statement_never_passes() {
    for layout in [Layout::Legacy, Layout::Bundle] {
        for index in 0..3 {
            let mut case = single(layout);
            let piece = &mut case.published.pieces[index];
            for _ in 0..8 {
                piece.bytes.pop();
            }
            piece.digest = Digest::of(&piece.bytes);
            assert!(
                matches!(case.verdict(), Verdict::Fail(_)),
                "{layout:?} {index}"
            );
        }
    }
}

#[test]
fn a_missing_signature_or_statement_never_passes() {
    for layout in [Layout::Legacy, Layout::Bundle] {
        for index in 0..3 {
            let mut case = single(layout);
            case.published.pieces.remove(index);
            assert!(
                matches!(case.verdict(), Verdict::Fail(_)),
                "{layout:?} {index}"
            );
        }
    }
}

#[test]
fn a_changed_byte_of_the_image_is_found() {
    let honest = stored(&FILES);
    let digest = Digest::of(&honest.manifest);
    for at in 0..honest.manifest.len() {
        let mut manifest = honest.manifest.clone();
        manifest[at] ^= 1;
        assert_ne!(Digest::of(&manifest), digest);
        // Whatever such a manifest says, it is another image.
        if let Ok(image) = Image::parse(manifest, honest.config.clone()) {
            assert_ne!(image.image_digest(), digest);
        }
    }
    for at in 0..honest.config.len() {
        let mut config = honest.config.clone();
        config[at] ^= 1;
        let error = Image::parse(honest.manifest.clone(), config)
            .unwrap_err()
            .to_string();
        let reason = "reading configuration: checking content: expected sha256:";
        assert!(error.starts_with(reason), "byte {at}: {error}");
    }
    for at in (0..honest.layer.len()).step_by(STEP) {
        let mut layer = honest.layer.clone();
        layer[at] ^= 1;
        let image = Image::parse(honest.manifest.clone(), honest.config.clone()).unwrap();
        let read = Contents::read(image, &move |_| Ok(Box::new(Cursor::new(layer.clone()))));
        assert!(matches!(read, Err(ContentsError::Damage(_))), "byte {at}");
    }
}
