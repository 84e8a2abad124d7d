//! `client publish` against the emulator: what it sends, and every reason for which it sends nothing.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "../src/cloud.rs"]
#[allow(dead_code, reason = "only the ceremony uses all of it")]
mod cloud;
#[path = "../src/error.rs"]
#[allow(dead_code, reason = "only the ceremony has all of these errors")]
mod error;
#[allow(dead_code, reason = "only other tests use all of it")]
mod rehearsal;

use std::path::PathBuf;
use std::process::Output;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use content::Digest;
use error::Error;
use rehearsal::sending::TOPIC;
use rehearsal::{EARLIER, Rehearsal, Release};
use serde_json::{Value, json};

const EVE: &str = "user:eve@one.example";
const SECRET: &str = "alice in wonderland";
/// The condition of Google's tutorial for Confidential Space: it admits debug access, overrides and any machine.
const TUTORIAL: &str = "assertion.swname == 'CONFIDENTIAL_SPACE' && \
                        'STABLE' in assertion.submods.confidential_space.support_attributes && \
                        assertion.submods.gce.project_id == 'operator'";

/// A release whose key is open to the image alone, by a pool with the provider that the grant describes.
struct World<'a> {
    release: Release<'a>,
    grant: PathBuf,
}

impl<'a> World<'a> {
    fn new(rehearsal: &'a Rehearsal) -> Self {
        std::fs::write(rehearsal.path("data"), SECRET).unwrap();
        let release = rehearsal.publish("data");
        release.create_topic();
        let pool = release.pool_named("confidential-space");
        let grant = release.grant_to(&pool);
        let provider = release.provider_of(&grant);
        release.create_provider(&pool, "attest", &provider);
        let world = Self { release, grant };
        world.release.set_key_policy(&json!([world.right()]));
        world
    }

    /// The binding of the image.
    fn right(&self) -> Value {
        self.binding(&self.release.member())
    }

    fn binding(&self, member: &str) -> Value {
        json!({"role": cloud::DECRYPTER, "members": [member]})
    }

    /// The grant with this line.
    fn grant_with(&self, line: &str) -> PathBuf {
        let grant = std::fs::read_to_string(&self.grant).unwrap();
        let changed = self.grant.with_extension("changed.toml");
        std::fs::write(&changed, format!("{line}\n{grant}")).unwrap();
        changed
    }

    /// The grant for another key of the ring.
    fn grant_of_key(&self, id: &str) -> PathBuf {
        let grant = std::fs::read_to_string(&self.grant).unwrap();
        let changed = self.grant.with_extension(format!("{id}.toml"));
        let other = format!("cryptoKeys/{id}");
        std::fs::write(&changed, grant.replace("cryptoKeys/data", &other)).unwrap();
        changed
    }

    /// The findings for which nothing was sent.
    #[track_caller]
    fn refused(&self, grant: &PathBuf) -> Vec<(String, String)> {
        self.refused_with(grant, None)
    }

    /// The same, with a folder of verdicts.
    fn run(&self, grant: &PathBuf, verdicts: Option<&str>) -> Output {
        let mut client = self.release.client(grant, "data");
        if let Some(folder) = verdicts {
            let path = self.grant.with_file_name(folder);
            client.arg("--verdicts").arg(path);
        }
        client.output().unwrap()
    }

    /// What the client says when it has sent one message.
    #[track_caller]
    fn sent_with(&self, grant: &PathBuf, verdicts: Option<&str>) -> String {
        let output = self.run(grant, verdicts);
        let said = quiet(&output);
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert_eq!(self.release.take_messages().len(), 1);
        said
    }

    #[track_caller]
    fn refused_with(&self, grant: &PathBuf, verdicts: Option<&str>) -> Vec<(String, String)> {
        let output = self.run(grant, verdicts);
        let said = quiet(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("refused: "), "{said}");
        assert_eq!(self.release.take_messages(), Vec::<Value>::new());
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["published"], false, "{report}");
        let text = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
        let found = report["findings"].as_array().unwrap().iter();
        found
            .map(|one| (text(one, "finding"), text(one, "detail")))
            .collect()
    }
}

/// What a client said, which is never the data.
#[track_caller]
fn quiet(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let printed = String::from_utf8_lossy(&output.stdout);
    let is_secret = |text: &str| text.contains("alice") || text.contains(&BASE64.encode(SECRET));
    assert!(!is_secret(&said) && !is_secret(&printed), "{said}{printed}");
    said
}

#[test]
fn a_message_is_sent_if_the_key_is_open_to_the_image_alone() {
    let rehearsal = Rehearsal::new();
    let world = World::new(&rehearsal);
    let release = &world.release;
    let mut named = release.client(&world.grant, "data");
    named.args(["--message", "a <b>"]);
    for (mut command, name) in [
        (named, Some("a <b>")),
        (release.client(&world.grant, "data"), None),
    ] {
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", quiet(&output));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let message = report["message"].as_str().unwrap();
        assert_eq!(name.unwrap_or(message), message);
        assert_eq!(
            (&report["published"], &report["topic"]),
            (&json!(true), &json!(TOPIC))
        );
        let [sent] = &release.take_messages()[..] else {
            panic!("one message");
        };
        assert_eq!(sent["messageId"], report["message_id"]);
        let key = &report["key"];
        let attributes = json!({"collaborator": "collaborator", "message": message, "key": key});
        assert_eq!(sent["attributes"], attributes);
        let digest = release.digest();
        let associated = format!(
            r#"{{"collaborator":"collaborator","image_digest":"{digest}","message":"{message}"}}"#
        );
        let opened = release.decrypt(&sent["data"], &BASE64.encode(associated));
        assert_eq!(opened["plaintext"], BASE64.encode(SECRET));
    }
}

#[test]
fn nothing_is_sent_if_the_key_is_open_to_others() {
    let rehearsal = Rehearsal::new();
    let world = World::new(&rehearsal);
    let release = &world.release;
    let pool = release.pool_named("confidential-space");
    release.create_pool("another");
    let another = release.pool_named("another");
    let conditional = json!({
        "role": cloud::DECRYPTER,
        "members": [release.member()],
        "condition": {"title": "t", "expression": "request.time < timestamp('2020-01-01T00:00:00Z')"},
    });
    let right = || world.right();
    for (bindings, codes) in [
        (json!([right(), world.binding(EVE)]), &["not-attested"][..]),
        (
            json!([
                right(),
                world.binding(&release.member_of(&pool, &Digest::of(b"other")))
            ]),
            &["unknown-image"],
        ),
        (
            json!([
                right(),
                world.binding(&format!("principalSet://iam.googleapis.com/{pool}/*"))
            ]),
            &["whole-pool"],
        ),
        (
            json!([
                right(),
                world.binding(&release.member_of(&another, release.digest()))
            ]),
            &["other-pool"],
        ),
        (json!([]), &["missing"]),
        (json!([conditional]), &["missing"]),
    ] {
        release.set_key_policy(&bindings);
        let found = world.refused(&world.grant);
        let found: Vec<_> = found.iter().map(|(code, _)| code.as_str()).collect();
        assert_eq!(found, codes, "{bindings}");
    }
    release.set_key_policy(&json!([right()]));
    release.set_ring_policy(&json!([world.binding(EVE)]));
    let [(code, detail)] = &world.refused(&world.grant)[..] else {
        panic!("one finding");
    };
    assert_eq!(code, "not-attested");
    assert!(detail.contains(EVE), "{detail}");
}

/// The key inherits the policy of its project. Without it, the answer is only about key and ring, which is said.
#[test]
fn nothing_is_sent_if_others_inherit_a_role_from_the_project() {
    let rehearsal = Rehearsal::new();
    let world = World::new(&rehearsal);
    let release = &world.release;
    release.bind_above(&[world.binding(EVE)]);
    let [(code, detail)] = &world.refused(&world.grant)[..] else {
        panic!("one finding");
    };
    assert_eq!(code, "not-attested");
    let resource = format!("in projects/collaborator: {EVE}");
    assert!(detail.starts_with(&resource), "{detail}");
    let mut alone = release.client(&world.grant, "data");
    let output = alone.arg("--without-ancestors").output().unwrap();
    let said = quiet(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.contains("note: not read: policies of the project"),
        "{said}"
    );
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["not_read"].is_string(), "{report}");
    assert_eq!(release.take_messages().len(), 1);

    // What this role allows is looked up.
    release.bind_above(&[json!({"role": "roles/pubsub.publisher", "members": [EVE]})]);
    world.sent_with(&world.grant, None);
}

/// The image that a rotation keeps for a time may decrypt too, if its verdict says that the sender has approved it.
#[test]
fn a_message_is_sent_during_a_rotation_if_both_images_were_approved() {
    let rehearsal = Rehearsal::new();
    let world = World::new(&rehearsal);
    let release = &world.release;
    let pool = release.pool_named("confidential-space");
    let old = Digest::of(b"old");
    let window = |time: &str| {
        json!({
            "role": cloud::DECRYPTER,
            "members": [release.member_of(&pool, &old)],
            "condition": {
                "title": "countersign: rotated out",
                "expression": format!("request.time < timestamp('{time}')"),
            },
        })
    };
    let codes = |grant: &PathBuf, verdicts: Option<&str>| {
        let found = world.refused_with(grant, verdicts);
        let codes = found.into_iter().map(|(code, _)| code);
        codes.collect::<Vec<_>>()
    };
    let verdicts = rehearsal.path("verdicts");
    std::fs::create_dir(&verdicts).unwrap();
    let write = |image: &Digest, verdict: &str| {
        let report = json!({"image_digest": image, "verdict": verdict});
        let path = verdicts.join(format!("{}.json", image.hex()));
        std::fs::write(path, report.to_string()).unwrap();
    };
    release.set_key_policy(&json!([world.right(), window("2100-01-01T00:00:00Z")]));
    assert_eq!(codes(&world.grant, None), ["unknown-image"]);
    write(release.digest(), "pass");
    assert_eq!(codes(&world.grant, Some("verdicts")), ["unknown-image"]);
    write(&old, "fail");
    assert_eq!(codes(&world.grant, Some("verdicts")), ["refused-image"]);
    write(&old, "pass");
    let said = world.sent_with(&world.grant, Some("verdicts"));
    let noted = format!("note: key policy: {old} is approved, until 2100-01-01T00:00:00Z");
    assert!(said.contains(&noted), "{said}");
    // What has ended lets nothing decrypt, and should be removed.
    release.set_key_policy(&json!([world.right(), window("2020-01-01T00:00:00Z")]));
    let said = world.sent_with(&world.grant, Some("verdicts"));
    assert!(
        said.contains("was bound until 2020-01-01T00:00:00Z"),
        "{said}"
    );
    assert_eq!(codes(&world.grant, None), ["unknown-image"]);
    // The image itself must have been approved too.
    write(release.digest(), "fail");
    assert_eq!(codes(&world.grant, Some("verdicts")), ["refused-image"]);
}

/// Members that the owner of the key has accepted in the grant are named, and do not keep data back.
#[test]
fn members_that_the_grant_accepts_are_noted() {
    let rehearsal = Rehearsal::new();
    let world = World::new(&rehearsal);
    let release = &world.release;
    release.set_key_policy(&json!([world.right(), world.binding(EARLIER)]));
    let said = world.sent_with(&world.grant, None);
    let noted = format!(
        "note: key policy: {EARLIER} has {} without attestation, as other_members says",
        cloud::DECRYPTER
    );
    assert!(said.contains(&noted), "{said}");
}

#[test]
fn nothing_is_sent_by_way_of_a_key_that_is_not_that_of_the_grant() {
    let rehearsal = Rehearsal::new();
    let world = World::new(&rehearsal);
    let codes = |grant: &PathBuf| {
        let found = world.refused(grant).into_iter();
        found.map(|(code, _)| code).collect::<Vec<_>>()
    };
    let hsm = world.grant_with("protection_level = \"HSM\"");
    assert_eq!(codes(&hsm), ["protection-level"]);
    let signing = world.grant_of_key("signing");
    assert_eq!(codes(&signing), ["missing", "key-unusable"]);
    let absent = world.grant_of_key("absent");
    let output = world.release.client(&absent, "data").output().unwrap();
    let said = quiet(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("cryptoKeys/absent"), "{said}");
    assert!(
        said.contains("check the name of the key in the grant"),
        "{said}"
    );
    assert_eq!(world.release.take_messages(), Vec::<Value>::new());
}

/// The provider of Google's tutorial admits images that a debugger can read. The key is open to the digest alone, and still
/// nothing is sent.
#[test]
fn nothing_is_sent_by_way_of_a_provider_with_the_condition_of_the_tutorial() {
    let rehearsal = Rehearsal::new();
    let world = World::new(&rehearsal);
    let release = &world.release;
    release.create_pool("tutorial");
    let pool = release.pool_named("tutorial");
    let grant = release.grant_to(&pool);
    let mut provider = release.provider_of(&grant);
    provider["attributeCondition"] = json!(TUTORIAL);
    release.create_provider(&pool, "attest", &provider);
    let member = release.member_of(&pool, release.digest());
    release.set_key_policy(&json!([world.binding(&member)]));
    let [(code, detail)] = &world.refused(&grant)[..] else {
        panic!("one finding");
    };
    assert_eq!(code, "provider-differs");
    assert!(
        detail.contains("attribute condition") && detail.contains(TUTORIAL),
        "{detail}"
    );
    let absent = release.grant_to(&release.pool_named("absent"));
    let codes: Vec<_> = world
        .refused(&absent)
        .into_iter()
        .map(|(code, _)| code)
        .collect();
    assert_eq!(codes, ["missing", "other-pool", "no-pool", "no-provider"]);
    let second = release.provider_of(&grant);
    release.create_provider(&pool, "second", &second);
    let codes: Vec<_> = world
        .refused(&grant)
        .into_iter()
        .map(|(code, _)| code)
        .collect();
    assert_eq!(codes, ["provider-differs", "other-provider"]);
}

#[test]
fn what_cannot_be_checked_or_sent_is_an_error() {
    let rehearsal = Rehearsal::new();
    let world = World::new(&rehearsal);
    let release = &world.release;
    std::fs::write(rehearsal.path("long"), vec![b'a'; (64 << 10) + 1]).unwrap();
    let without_provider = release.grant();
    for (grant, file, fault, hint) in [
        (
            &world.grant,
            "long",
            "more than 65536 bytes",
            "send the key",
        ),
        (&world.grant, "nothing", "reading ", "check the path"),
        (
            &without_provider,
            "data",
            "no [provider]",
            "policies/grant.toml",
        ),
    ] {
        let output = release.client(grant, file).output().unwrap();
        let said = quiet(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(fault) && said.contains(hint), "{said}");
        assert_eq!(output.stdout, b"");
    }
    let mut elsewhere = release.client(&world.grant, "data");
    elsewhere.args([
        "--message",
        "m",
        "--topic",
        "projects/collaborator/topics/absent",
    ]);
    let output = elsewhere.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", quiet(&output));
    assert_eq!(release.take_messages(), Vec::<Value>::new());
}
