//! A registry that returns wrong lists of referrers.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod script;

use content::Digest;
use oci::{Descriptor, Index, Manifest, Tag, media};
use remote::{Error, PassedOver, Referrers};
use script::{INDEX, Script};

fn subject() -> Descriptor {
    Descriptor::of(media::MANIFEST, b"image")
}

fn referrer(content: &[u8], subject: Descriptor) -> Vec<u8> {
    let layer = Descriptor::of(media::SIGSTORE_BUNDLE, content);
    let manifest = Manifest::referrer(media::SIGSTORE_BUNDLE, layer, subject);
    manifest.to_bytes().unwrap()
}

fn index(manifests: &[&[u8]]) -> Vec<u8> {
    let describe = |bytes: &&[u8]| Descriptor::of(media::MANIFEST, bytes);
    Index::new(manifests.iter().map(describe).collect())
        .to_bytes()
        .unwrap()
}

fn list() -> String {
    format!("referrers/{}", subject().digest)
}

async fn referrers(script: Script) -> Result<Vec<Digest>, Error> {
    let found = script.serve().await.referrers(&subject().digest).await?;
    assert_eq!(found.passed_over, []);
    Ok(found
        .manifests
        .into_iter()
        .map(|(digest, _)| digest)
        .collect())
}

#[tokio::test]
async fn referrers_are_read_to_the_last_page() {
    let (one, two) = (referrer(b"1", subject()), referrer(b"2", subject()));
    let next = format!("{INDEX}Link: </v2/a/b/{}?page=2>; rel=\"next\"\r\n", list());
    let script = Script::default()
        .on(&list(), "200 OK", &next, &index(&[&one]))
        .on(
            &format!("{}?page=2", list()),
            "200 OK",
            INDEX,
            &index(&[&two, &one]),
        )
        .manifest(&one)
        .manifest(&two);
    let mut expected = vec![Digest::of(&one), Digest::of(&two)];
    expected.sort();
    assert_eq!(referrers(script).await.unwrap(), expected);
}

#[tokio::test]
async fn a_list_with_a_missing_page_is_an_error() {
    let next = format!("{INDEX}Link: </v2/a/b/{}?page=2>; rel=\"next\"\r\n", list());
    let script = Script::default().on(&list(), "200 OK", &next, &index(&[]));
    let broken = referrers(script).await;
    assert!(matches!(broken, Err(Error::NotFound { .. })), "{broken:?}");
}

#[tokio::test]
async fn a_referrer_of_another_subject_is_ignored() {
    let other = referrer(b"1", Descriptor::of(media::MANIFEST, b"another image"));
    let script = Script::default()
        .on(&list(), "200 OK", INDEX, &index(&[&other]))
        .manifest(&other);
    let registry = script.serve().await;
    let found = registry.referrers(&subject().digest).await.unwrap();
    assert_eq!(found.manifests, []);
    let reported = PassedOver::OtherSubject(Digest::of(&other));
    assert_eq!(found.passed_over, [reported]);
}

/// The types in a list are as little trusted as its annotations.
#[tokio::test]
async fn a_referrer_listed_with_another_media_type_is_read() {
    let one = referrer(b"1", subject());
    let listed = String::from_utf8(index(&[&one])).unwrap();
    let listed = listed.replace(media::MANIFEST, "application/json");
    let script = Script::default()
        .on(&list(), "200 OK", INDEX, listed.as_bytes())
        .manifest(&one);
    assert_eq!(referrers(script).await.unwrap(), [Digest::of(&one)]);
}

#[tokio::test]
async fn a_registry_without_the_list_is_asked_for_the_tag() {
    let one = referrer(b"1", subject());
    let tag = Tag::of_digest(&subject().digest, "").unwrap();
    for status in [
        "404 Not Found",
        "400 Bad Request",
        "405 Method Not Allowed",
        "406 Not Acceptable",
    ] {
        let script = Script::default()
            .on(&list(), status, "", b"<html>")
            .on(
                &format!("manifests/{tag}"),
                "200 OK",
                INDEX,
                &index(&[&one]),
            )
            .manifest(&one);
        assert_eq!(
            referrers(script).await.unwrap(),
            [Digest::of(&one)],
            "{status}"
        );
    }
}

fn status(error: &Error) -> Option<u16> {
    match error {
        Error::Status { status, .. } => Some(*status),
        Error::GaveUp { source, .. } => status(source),
        _ => None,
    }
}

#[tokio::test]
async fn an_error_is_not_an_empty_list() {
    for code in [401, 403, 429, 500, 503] {
        let script = Script::default().on(&list(), &format!("{code} Oh"), "", b"");
        let error = referrers(script).await.unwrap_err();
        assert_eq!(status(&error), Some(code), "{error}");
    }
    let tag = Tag::of_digest(&subject().digest, "").unwrap();
    let script = Script::default().on(&format!("manifests/{tag}"), "500 Oh", "", b"");
    assert_eq!(status(&referrers(script).await.unwrap_err()), Some(500));
    let one = referrer(b"1", subject());
    let manifest = format!("manifests/{}", Digest::of(&one));
    let script = Script::default()
        .on(&list(), "200 OK", INDEX, &index(&[&one]))
        .on(&manifest, "403 Forbidden", "", b"");
    assert_eq!(status(&referrers(script).await.unwrap_err()), Some(403));
}

/// Referrers that cannot be read do not affect the others.
#[tokio::test]
async fn unreadable_referrers_are_skipped() {
    let ours = referrer(b"ours", subject());
    let gone = referrer(b"gone", subject());
    let digest = Digest::of(b"image");
    let strange =
        format!(r#"{{"schemaVersion":2,"artifactType":"spdx","subject":{{"digest":"{digest}"}}}}"#);
    let large = vec![b' '; content::limits::MANIFEST as usize + 1];
    let entry = |bytes: &[u8]| {
        let (digest, size) = (Digest::of(bytes), bytes.len());
        let media_type = media::MANIFEST;
        format!(
            r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size},"artifactType":"spdx"}}"#
        )
    };
    let entries = [&ours, &gone, strange.as_bytes(), &large].map(entry);
    let listed = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{},{{"digest":"sha512:0"}}]}}"#,
        media::INDEX,
        entries.join(",")
    );
    let tag = Tag::of_digest(&subject().digest, "").unwrap();
    for place in [list(), format!("manifests/{tag}")] {
        let script = Script::default()
            .on(&place, "200 OK", INDEX, listed.as_bytes())
            .manifest(&ours)
            .manifest(strange.as_bytes())
            .manifest(&large);
        let found = script.serve().await.referrers(&digest).await.unwrap();
        let manifests: Vec<_> = found.manifests.iter().map(|(digest, _)| *digest).collect();
        assert_eq!(manifests, [Digest::of(&ours)], "{place}");
        let (mut unreadable, mut others) = (Vec::new(), Vec::new());
        for passed_over in found.passed_over {
            match passed_over {
                PassedOver::Unreadable { referrer, .. } => unreadable.push(referrer),
                other => others.push(other),
            }
        }
        let mut expected = vec![Digest::of(strange.as_bytes()), Digest::of(&large)];
        expected.sort();
        assert_eq!(unreadable, expected);
        let unknown = PassedOver::Unknown("sha512:0".to_owned());
        assert_eq!(others, [unknown, PassedOver::Gone(Digest::of(&gone))]);
    }
}

/// GitLab resolves the tag as the digest and returns the image.
#[tokio::test]
async fn an_image_under_the_tag_is_not_a_list() {
    let image = br#"{"schemaVersion":2,"config":{},"layers":[]}"#;
    let tag = Tag::of_digest(&Digest::of(image), "").unwrap();
    let place = format!("manifests/{tag}");
    let script = Script::default().on(&place, "200 OK", "", image);
    let found = script.serve().await.referrers(&Digest::of(image)).await;
    assert_eq!(found.unwrap(), Referrers::default());
}

/// A list must not seem empty because a proxy answers in place of the registry.
#[tokio::test]
async fn an_unreadable_list_is_an_error() {
    for (headers, body) in [
        ("Content-Type: text/html\r\n", &b"<html>"[..]),
        ("", b"<html>"),
        ("Content-Type: application/json\r\n", b"null"),
        (INDEX, b"{}{}"),
        (INDEX, br#"{"errors":[]}"#),
    ] {
        let script = Script::default().on(&list(), "200 OK", headers, body);
        let error = referrers(script).await.unwrap_err();
        let foreign = ": expected a list of referrers, found \"";
        assert!(error.to_string().contains(foreign), "{error}");
    }
    let script = Script::default().on(&list(), "200 OK", "", &index(&[]));
    assert_eq!(referrers(script).await.unwrap(), []);
}

#[tokio::test]
async fn a_flood_of_referrers_is_cut_off() {
    let mut script = Script::default();
    let mut manifests = Vec::new();
    for count in 0..6_u8 {
        let mut manifest = Manifest::parse(&referrer(&[count], subject())).unwrap();
        let filler = "x".repeat(3 << 20);
        manifest.annotations.insert("filler".to_owned(), filler);
        manifests.push(manifest.to_bytes().unwrap());
    }
    for manifest in &manifests {
        script = script.manifest(manifest);
    }
    let listed: Vec<_> = manifests.iter().map(Vec::as_slice).collect();
    let script = script.on(&list(), "200 OK", INDEX, &index(&listed));
    let limit = content::limits::REFERRERS_TOTAL;
    let error = referrers(script).await.unwrap_err();
    assert!(
        matches!(error, Error::Limit { limit: l, .. } if l == limit),
        "{error}"
    );
}

#[tokio::test]
async fn no_referrer_is_pushed_if_the_list_is_full() {
    let others: Vec<_> = (0..content::limits::REFERRERS)
        .map(|n| referrer(format!("{n}").as_bytes(), subject()))
        .collect();
    let listed: Vec<_> = others.iter().map(Vec::as_slice).collect();
    let script = Script::default().on(&list(), "200 OK", INDEX, &index(&listed));
    let one_more = Manifest::new(Descriptor::of(media::CONFIG, b"one more"), Vec::new());
    let one_more = Manifest {
        subject: Some(subject()),
        ..one_more
    };
    // The script has no answer to a push, which would give another error.
    let pushed = script.serve().await.attach_referrer(one_more).await;
    assert!(matches!(pushed, Err(Error::Entries { .. })), "{pushed:?}");
}

#[tokio::test]
async fn pages_end_and_stay_with_the_registry() {
    let endless = format!("{INDEX}Link: </v2/a/b/{}>; rel=\"next\"\r\n", list());
    let script = Script::default().on(&list(), "200 OK", &endless, &index(&[]));
    assert!(matches!(
        referrers(script).await,
        Err(Error::Entries { .. })
    ));
    let away = format!("{INDEX}Link: <http://127.0.0.1:1/>; rel=\"next\"\r\n");
    let script = Script::default().on(&list(), "200 OK", &away, &index(&[]));
    let error = referrers(script).await.unwrap_err().to_string();
    assert!(
        error.ends_with(": header Link is missing or malformed"),
        "{error}"
    );
    let one = referrer(b"1", subject());
    let many = vec![&one[..]; content::limits::REFERRERS + 1];
    let script = Script::default().on(&list(), "200 OK", INDEX, &index(&many));
    assert!(matches!(
        referrers(script).await,
        Err(Error::Entries { .. })
    ));
}
