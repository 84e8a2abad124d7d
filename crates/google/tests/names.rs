//! Names are printed as they were parsed, and parsed as they were printed.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fmt::{Debug, Display};
use std::str::FromStr;

use google::compute::{MachineType, ResourceName, Zone};
use google::identity::{Pool, Provider};
use google::kms::{Key, KeyRing, KeyVersion};
use google::pubsub::{Subscription, Topic};
use google::secret::SecretVersion;
use google::storage::Object;
use google::{
    InvalidName, Location, Member, Project, ProjectId, ProjectNumber, Role, ServiceAccount,
};
use proptest::prelude::*;

trait Name: FromStr<Err = InvalidName> + Display + Debug + Eq {}
impl<T: FromStr<Err = InvalidName> + Display + Debug + Eq> Name for T {}

/// Checks that `text` is a name that is printed as it was parsed.
fn round_trip<T: Name>(text: &str) -> T {
    let name: T = text.parse().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(name.to_string(), text);
    assert_eq!(name.to_string().parse::<T>().as_ref(), Ok(&name));
    name
}

/// Checks that a text that happens to be a name is printed as it was parsed.
fn if_any<T: Name>(text: &str) {
    if text.parse::<T>().is_ok() {
        round_trip::<T>(text);
    }
}

const PROJECT: &str = "([a-z]([a-z0-9-]{0,20}[a-z0-9])?|[a-z0-9]{1,9}\\.[a-z]{2,5}:[a-z][a-z0-9]{0,9}|[1-9][0-9]{0,11})";
const LOCATION: &str = "[a-z][a-z0-9-]{0,20}";
const KMS_ID: &str = "[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}";
const POOL_ID: &str = "[a-fh-z0-9][a-z0-9-]{3,31}";
const QUEUE_ID: &str = "[a-fh-zA-Z][a-zA-Z0-9._~+%-]{2,254}";
const VALUE: &str = "[^\\x00-\\x1f\\x7f-\\x9f]{1,40}";

fn key() -> String {
    format!("projects/{PROJECT}/locations/{LOCATION}/keyRings/{KMS_ID}/cryptoKeys/{KMS_ID}")
}

fn pool() -> String {
    format!("projects/[1-9][0-9]{{0,11}}/locations/global/workloadIdentityPools/{POOL_ID}")
}

fn matching(pattern: String) -> impl Strategy<Value = String> {
    proptest::string::string_regex(&pattern).unwrap()
}

proptest! {
    #[test]
    fn keys(version in matching(format!("{}/cryptoKeyVersions/[1-9][0-9]{{0,5}}", key()))) {
        let version: KeyVersion = round_trip(&version);
        let key: Key = round_trip(&version.key().to_string());
        prop_assert_eq!(&key, version.key());
        let ring: KeyRing = round_trip(&key.ring().to_string());
        prop_assert_eq!(&ring, key.ring());
        let location: Location = round_trip(&ring.location().to_string());
        prop_assert_eq!(&location, ring.location());
        let project: Project = round_trip(&location.project().to_string());
        prop_assert_eq!(&project, location.project());
        prop_assert_eq!(Key::new(ring, key.id()), Some(key));
    }

    #[test]
    fn pools_and_providers(provider in matching(format!("{}/providers/{POOL_ID}", pool()))) {
        let provider: Provider = round_trip(&provider);
        let pool: Pool = round_trip(&provider.pool().to_string());
        prop_assert_eq!(&pool, provider.pool());
        prop_assert_eq!(Provider::from_audience(&provider.audience()), Some(provider.clone()));
        prop_assert_eq!(Provider::new(pool, provider.id()), Some(provider));
    }

    #[test]
    fn topics_and_subscriptions(project in PROJECT, id in QUEUE_ID) {
        round_trip::<Topic>(&format!("projects/{project}/topics/{id}"));
        round_trip::<Subscription>(&format!("projects/{project}/subscriptions/{id}"));
    }

    #[test]
    fn secrets_and_objects(
        project in PROJECT, id in KMS_ID, number in 1..=u64::MAX, object in "[a-zA-Z0-9/_.~%+ -]{3,40}"
    ) {
        let version = format!("projects/{project}/secrets/{id}/versions/{number}");
        let version: SecretVersion = round_trip(&version);
        prop_assert_eq!(version.number(), number);
        round_trip::<Object>(&format!("gs://bucket/{object}#{number}"));
    }

    #[test]
    fn members(
        pool in matching(pool()),
        value in VALUE,
        kind in "(subject|group|attribute\\.[a-z0-9_]{1,100})",
    ) {
        let scheme = if kind == "subject" { "principal" } else { "principalSet" };
        let service = format!("{scheme}://iam.googleapis.com/{pool}");
        let member: Member = round_trip(&format!("{service}/{kind}/{value}"));
        prop_assert_eq!(member.pool().to_string(), pool.clone());
        round_trip::<Member>(&format!("principalSet://iam.googleapis.com/{pool}/*"));
    }

    #[test]
    fn roles(
        role in "(roles|projects/[a-z]{1,30}/roles|organizations/[1-9][0-9]{0,11}/roles)/[a-zA-Z][a-zA-Z0-9.]{2,63}"
    ) {
        round_trip::<Role>(&role);
    }

    #[test]
    fn any_text(text in "([a-z]{0,9}://)?([a-zA-Z0-9:._*%~+-]{0,12}/?){0,12}") {
        if_any::<Project>(&text);
        if_any::<ProjectId>(&text);
        if_any::<ProjectNumber>(&text);
        if_any::<Role>(&text);
        if_any::<Member>(&text);
        if_any::<Topic>(&text);
        if_any::<Key>(&text);
        if_any::<SecretVersion>(&text);
        if_any::<Object>(&text);
    }

    /// One changed character makes another name or none, never the same name.
    #[test]
    fn a_change_is_never_lost(key in matching(key()), at in any::<prop::sample::Index>(), to in any::<char>()) {
        let mut changed: Vec<char> = key.chars().collect();
        let at = at.index(changed.len());
        changed[at] = to;
        let changed: String = changed.into_iter().collect();
        if changed != key {
            prop_assert_ne!(changed.parse::<Key>().ok(), key.parse::<Key>().ok());
        }
    }
}

const KEY: &str = "projects/p/locations/global/keyRings/r/cryptoKeys/k";
const POOL: &str = "projects/1/locations/global/workloadIdentityPools/pool";

fn refused<T: Name>(texts: &[&str]) {
    for text in texts {
        let error = text.parse::<T>().unwrap_err();
        let shown: String = text.chars().take(200).collect();
        let expected = format!(
            "expected {}, found `{}`",
            error.expected(),
            shown.escape_debug()
        );
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn other_projects_are_refused() {
    refused::<Project>(&[
        "",
        "-",
        "-p",
        "p-",
        "P",
        "1p",
        "01",
        "0",
        "+1",
        "p/q",
        "p q",
        "é",
        "a.b",
        ":p",
        "a.b:",
        "a:p",
        ".a:p",
        "a.:p",
        "a..b:p",
        "a.b:c:p",
        "a.b-:p",
        "p\n",
        "18446744073709551616",
        &"p".repeat(31),
    ]);
}

#[test]
fn other_keys_are_refused() {
    refused::<Key>(&[
        "",
        "projects",
        &KEY[..KEY.len() - 1],
        &format!("/{KEY}"),
        &format!("{KEY}/"),
        &format!("{KEY}/cryptoKeyVersions/1"),
        &format!("//cloudkms.googleapis.com/{KEY}"),
        &KEY.replace("projects/p", "projects/"),
        &KEY.replace("global", "Global"),
        &KEY.replace("global", ".."),
        &KEY.replace("keyRings/r", "keyRings/-r"),
        &KEY.replace("keyRings/r", "keyRings/r;rm"),
        &KEY.replace("keyRings/r", "keyRings/r%2fx"),
        &KEY.replace("keyRings", "keyrings"),
        &KEY.replace("keyRings/", "keyRings//"),
        &KEY.replace("cryptoKeys/k", "cryptoKeys/.."),
        &KEY.replace("cryptoKeys/k", "cryptoKeys/k k"),
        &KEY.replace("cryptoKeys/k", &format!("cryptoKeys/{}", "k".repeat(64))),
    ]);
    for number in ["", "0", "01", "-1", "+1", "1a", "18446744073709551616"] {
        refused::<KeyVersion>(&[&format!("{KEY}/cryptoKeyVersions/{number}")]);
    }
    refused::<KeyVersion>(&[KEY, &format!("{KEY}/versions/1")]);
}

#[test]
fn other_pools_and_providers_are_refused() {
    for (from, to) in [
        ("projects/1", "projects/project"),
        ("projects/1", "projects/01"),
        ("global", "us-central1"),
        ("/pool", "/abc"),
        ("/pool", "/Pool"),
        ("/pool", "/gcp-pool"),
        ("/pool", "/bad_pool"),
        ("/pool", "/*"),
        ("/pool", &format!("/{}", "p".repeat(33))),
    ] {
        refused::<Pool>(&[&POOL.replace(from, to)]);
    }
    refused::<Provider>(&[
        POOL,
        &format!("{POOL}/providers/abc"),
        &format!("{POOL}/providers/gcp-provider"),
        &format!("//iam.googleapis.com/{POOL}/providers/provider"),
    ]);
    let provider: Provider = format!("{POOL}/providers/provider").parse().unwrap();
    for audience in [
        provider.to_string(),
        format!("https:{}", provider.audience()),
        format!("//iam.googleapis.com/{POOL}"),
    ] {
        assert_eq!(Provider::from_audience(&audience), None, "{audience}");
    }
}

#[test]
fn other_topics_and_subscriptions_are_refused() {
    for id in [
        "",
        "ab",
        "1topic",
        "google",
        "a space",
        "a/b",
        &"a".repeat(256),
    ] {
        refused::<Topic>(&[&format!("projects/p/topics/{id}")]);
        refused::<Subscription>(&[&format!("projects/p/subscriptions/{id}")]);
    }
    refused::<Topic>(&[
        "projects/p/subscriptions/topic",
        "projects/p",
        "topics/topic",
    ]);
    refused::<Subscription>(&["projects/p/topics/topic", "projects//subscriptions/topic"]);
}

#[test]
fn other_members_are_refused() {
    let set = format!("principalSet://iam.googleapis.com/{POOL}");
    refused::<Member>(&[
        "allUsers",
        "user:a@b.example",
        &set,
        &format!("{set}/"),
        &format!("{set}/**"),
        &format!("{set}/subject/s"),
        &format!("{set}/group/"),
        &format!("{set}/attribute.image_digest"),
        &format!("{set}/attribute.image_digest/"),
        &format!("{set}/attribute.Image/x"),
        &format!("{set}/attribute./x"),
        &format!("{set}/attribute.a/x\n"),
        &format!("principal://iam.googleapis.com/{POOL}/*"),
        &format!("principal://iam.googleapis.com/{POOL}/subject/"),
        &format!("principalset://iam.googleapis.com/{POOL}/*"),
        &format!("principalSet://iam.example/{POOL}/*"),
        &set.replace("projects/1/", "projects/project/"),
    ]);
}

#[test]
fn other_roles_are_refused() {
    refused::<Role>(&[
        "",
        "owner",
        "roles",
        "roles/",
        "roles/$(id)",
        "roles/-a",
        "role/cloudkms.admin",
        "projects/p/roles/",
        "projects/P/roles/role",
        "organizations/o/roles/role",
        "folders/1/roles/role",
        "projects/p/q/roles/role",
    ]);
}

#[test]
fn a_long_text_is_cut_in_an_error() {
    let error = "k".repeat(100_000).parse::<Key>().unwrap_err();
    assert!(error.to_string().len() < 400);
}

#[test]
fn names_of_compute_engine_and_accounts() {
    let zone: Zone = round_trip("us-central1-a");
    assert_eq!(zone.region(), "us-central1");
    round_trip::<ResourceName>("workload-1");
    round_trip::<MachineType>("c3-standard-4");
    for text in [
        "",
        "us-central1",
        "us_central1-a",
        "us-central1-",
        "-a",
        "US-central1-a",
    ] {
        assert!(text.parse::<Zone>().is_err(), "{text}");
    }
    for text in ["", "1a", "a-", "a_b", "a'b", "--project", &"a".repeat(64)] {
        assert!(text.parse::<ResourceName>().is_err(), "{text}");
        assert!(text.parse::<MachineType>().is_err(), "{text}");
    }
    let account: ServiceAccount = round_trip("run@operator.iam.gserviceaccount.com");
    assert_eq!(account.id(), "run");
    assert_eq!(account.project().unwrap().to_string(), "operator");
    let scoped: ServiceAccount = round_trip("run@operator.example.com.iam.gserviceaccount.com");
    let project = scoped.project().unwrap().to_string();
    assert_eq!(project, "example.com:operator");
    let of_service: ServiceAccount = round_trip("12-compute@developer.gserviceaccount.com");
    assert_eq!(of_service.project(), None);
    for text in [
        "run",
        "run@operator",
        "@operator.iam.gserviceaccount.com",
        "run@operator.iam.gserviceaccount.com.example",
        "a'b@operator.iam.gserviceaccount.com",
        "run@op$(x).iam.gserviceaccount.com",
        "run@.gserviceaccount.com",
    ] {
        assert!(text.parse::<ServiceAccount>().is_err(), "{text}");
    }
}
