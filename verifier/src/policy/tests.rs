use super::*;
use signature::PrivateKey;

pub(crate) const REPOSITORY: &str = "127.0.0.1:5000/builder/workload";

pub(crate) fn text(keys: &[(&str, &PrivateKey)]) -> String {
    let mut text = format!(
        r#"
repository = "{REPOSITORY}"
[builder]
id = "https://builder.example/countersign"
build_type = "https://countersign.dev/hermetic-build/v1"
[source]
uri = "git+https://builder.example/source"
[signatures]
require = ["builder"]
[attestations]
require = ["provenance", "sbom"]
by = ["builder"]
[rebuild]
require = true
"#
    );
    for (name, key) in keys {
        let pem = key.public().to_pem();
        text += &format!("[[principal]]\nname = \"{name}\"\npem = \"\"\"\n{pem}\"\"\"\n");
    }
    text
}

pub(crate) fn parse(text: &str) -> Result<Policy, InvalidPolicy> {
    Policy::parse(text.as_bytes(), &|_| {
        Err(std::io::ErrorKind::NotFound.into())
    })
}

fn keys() -> (PrivateKey, PrivateKey) {
    (
        PrivateKey::generate().unwrap(),
        PrivateKey::generate().unwrap(),
    )
}

#[test]
fn a_policy_resolves_its_principals() {
    let (builder, other) = keys();
    let policy = parse(&text(&[("builder", &builder), ("other", &other)])).unwrap();
    let signatures = policy.signatures.as_ref().unwrap();
    assert_eq!(signatures.threshold(), 1);
    let required = [Identity::from(builder.public())];
    let no_signers = BTreeSet::new();
    assert!(signatures.missing(&no_signers).eq(&required));
    assert_eq!(policy.name_of(&other.public().into()), "other");
    assert_eq!(policy.rebuild, Demand::Required);
    assert_eq!(policy.demands(&attest::Sbom::PREDICATE), Demand::Required);
    assert_eq!(policy.directory, "workload");
}

#[test]
fn the_top_of_the_source_has_two_names() {
    let (builder, _) = keys();
    let text = text(&[("builder", &builder)]);
    for name in [".", ""] {
        let source = format!("[source]\ndirectory = \"{name}\"\n");
        let policy = parse(&text.replace("[source]\n", &source)).unwrap();
        assert_eq!(policy.directory, "", "{name}");
    }
}

#[test]
fn another_key_in_the_same_file_is_another_policy() {
    let (builder, other) = keys();
    let text = text(&[]) + "[[principal]]\nname = \"builder\"\nkey = \"builder.pub\"\n";
    let digest = |key: &PrivateKey| {
        let pem = key.public().to_pem().into_bytes();
        let policy = Policy::parse(text.as_bytes(), &|_| Ok(pem.clone()));
        *policy.unwrap().digest()
    };
    assert_eq!(digest(&builder), digest(&builder));
    assert_ne!(digest(&builder), digest(&other));
    let document = Digest::of(text.as_bytes()).hex();
    let lines = format!("{document}\n{}\n", builder.public().key_id().hex());
    assert_eq!(digest(&builder), Digest::of(lines.as_bytes()));
}

#[test]
fn an_array_is_not_a_table() {
    let (builder, _) = keys();
    let good = text(&[("builder", &builder)]);
    for (table, array) in [
        ("[rebuild]\nrequire = true\n", "rebuild = [true]"),
        (
            "[signatures]\nrequire = [\"builder\"]\n",
            "signatures = [[\"builder\"], 1]",
        ),
        (
            "[attestations]\nrequire = [\"provenance\", \"sbom\"]\nby = [\"builder\"]\n",
            "attestations = [[], []]",
        ),
    ] {
        let (before, after) = good.split_once(table).unwrap();
        let error = parse(&format!("{array}\n{before}{after}")).unwrap_err();
        let error = error.to_string();
        assert!(
            error.starts_with("parsing policy: ") && error.contains("invalid type: sequence"),
            "{array}: {error}"
        );
    }
}

#[test]
fn a_list_has_a_name_once() {
    let (builder, _) = keys();
    let good = text(&[("builder", &builder)]);
    for (from, to, fault) in [
        (
            "require = [\"builder\"]",
            "require = [\"builder\", \"builder\"]",
            "`signatures.require` names `builder` twice",
        ),
        (
            "by = [\"builder\"]",
            "by = [\"builder\", \"builder\"]",
            "`attestations.by` names `builder` twice",
        ),
        (
            "[\"provenance\", \"sbom\"]",
            "[\"sbom\", \"sbom\"]",
            "`attestations.require` names `sbom` twice",
        ),
    ] {
        let error = parse(&good.replacen(from, to, 1)).unwrap_err();
        assert_eq!(error.to_string(), format!("parsing policy: {fault}"));
    }
}

#[test]
fn one_key_is_one_principal() {
    let (builder, _) = keys();
    let error = parse(&text(&[("builder", &builder), ("twin", &builder)])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "parsing policy: principals `builder` and `twin` have the same key"
    );
}

#[test]
fn an_algorithm_is_one_of_the_key() {
    let (builder, _) = keys();
    let with = |name: &str| {
        let text = text(&[("builder", &builder)]);
        let (start, end) = text.rsplit_once("\"\"\"\n").unwrap();
        parse(&format!("{start}\"\"\"\nalgorithm = {name:?}\n{end}"))
    };
    let policy = with("ecdsa-p1363-sha256").unwrap();
    let principal = policy.principals().named("builder").unwrap();
    let algorithms: Vec<_> = principal.key().unwrap().algorithms().collect();
    assert_eq!(algorithms, ["ecdsa-p1363-sha256".parse().unwrap()]);
    for (name, fault) in [
        (
            "rsa-pss-sha256",
            "a key of type ecdsa-p256 does not sign with rsa-pss-sha256",
        ),
        ("ecdsa", "parsing algorithm: expected one of"),
    ] {
        let error = with(name).unwrap_err().to_string();
        let expected = format!("parsing policy: key of `builder`: {fault}");
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[test]
fn a_threshold_must_be_within_reach() {
    let (builder, other) = keys();
    for threshold in ["0", "3"] {
        let line = format!("require = [\"builder\"]\nthreshold = {threshold}");
        let text = text(&[("builder", &builder), ("other", &other)]);
        let error = parse(&text.replacen("require = [\"builder\"]", &line, 1)).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("parsing policy: signatures.threshold: expected 1 to 2, found {threshold}")
        );
    }
}

#[test]
fn a_policy_that_admits_any_image_is_refused() {
    let (builder, other) = keys();
    let good = text(&[("builder", &builder), ("other", &other)]);
    let edit = |edits: &[(&str, &str)]| {
        let edited = edits.iter().fold(good.clone(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        });
        parse(&edited)
    };
    let unsigned = ("require = [\"builder\"]", "require = []\nthreshold = 1");
    let everyone = ("require = [\"builder\"]", "require = []\nthreshold = 2");
    let unattested = ("require = [\"provenance\", \"sbom\"]", "require = []");
    let by_nobody = ("by = [\"builder\"]", "by = []");
    let unbuilt = ("require = true", "require = false");
    for signed in [unsigned, everyone] {
        for edits in [
            &[signed, unattested, unbuilt][..],
            &[signed, unattested, by_nobody, unbuilt],
        ] {
            let error = edit(edits).unwrap_err();
            assert_eq!(
                error.to_string(),
                "parsing policy: it admits any image: expected signers in signatures.require, \
                 predicates in attestations.require, an [[attestation]], or rebuild.require = true"
            );
        }
        // Each of these asks for something.
        edit(&[signed, unattested]).unwrap();
        edit(&[signed, unbuilt]).unwrap();
    }
    edit(&[unattested, unbuilt]).unwrap();
    let silent = ("require = [\"builder\"]", "require = []");
    let error = edit(&[silent]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "parsing policy: signatures.threshold: expected 1 to 2, found 0"
    );
}

#[test]
fn a_pinned_commit_is_a_full_name_that_is_compared() {
    let (builder, _) = keys();
    let good = text(&[("builder", &builder)]);
    let pin =
        |commit: &str| good.replacen("[source]", &format!("[source]\ncommit = \"{commit}\""), 1);
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let policy = parse(&pin(commit)).unwrap();
    assert_eq!(policy.commit.unwrap().as_str(), commit);
    assert_eq!(parse(&good).unwrap().commit, None);
    for bad in ["", "HEAD", &commit[1..], &commit.to_uppercase()] {
        let error = parse(&pin(bad)).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "parsing policy: source.commit: parsing commit: expected 40 or 64 lower-case \
                 hexadecimal digits, found `{bad}`"
            )
        );
    }
    let unbuilt = pin(commit).replacen("require = true", "require = false", 1);
    parse(&unbuilt).unwrap();
    let unseen = unbuilt.replacen("\"provenance\", ", "", 1);
    let error = parse(&unseen).unwrap_err();
    assert_eq!(
        error.to_string(),
        "parsing policy: source.commit is compared with provenance and with the rebuild, and the \
         policy requires neither"
    );
}

#[test]
fn a_named_image_is_a_parameter_that_is_compared() {
    let (builder, _) = keys();
    let good = text(&[("builder", &builder)]);
    let with = |entry: &str| good.replacen("[source]", &format!("{entry}\n[source]"), 1);
    let named = |name: &str| good.replacen("[source]", &format!("[source]\nimage = \"{name}\""), 1);
    let policy = parse(&named("server")).unwrap();
    assert_eq!(policy.parameters["image"], "server");
    assert_eq!(policy.image.as_ref().unwrap().as_str(), "server");
    assert_eq!(parse(&good).unwrap().image, None);
    let other = parse(&with("[parameters]\nimage = \"server\"")).unwrap();
    assert_eq!(other.parameters, policy.parameters);
    assert_eq!(other.image.unwrap().as_str(), "server");
    let refusal = |text: &str| parse(text).unwrap_err().to_string();
    let bad = refusal(&named("../server"));
    assert!(
        bad.starts_with("parsing policy: source.image: invalid name of an image: "),
        "{bad}"
    );
    for value in ["\"../server\"", "1"] {
        let bad = refusal(&with(&format!("[parameters]\nimage = {value}")));
        assert!(
            bad.starts_with("parsing policy: parameters.image: "),
            "{bad}"
        );
    }
    let elsewhere = with("[parameters]\nimage = \"registry.example/a:v1\"");
    let elsewhere = elsewhere.replacen("require = true", "require = false", 1);
    let elsewhere = elsewhere.replacen(
        "https://countersign.dev/hermetic-build/v1",
        "https://other.example",
        1,
    );
    assert_eq!(parse(&elsewhere).unwrap().image, None);
    let both = format!("{}\n[parameters]\nimage = \"server\"\n", named("server"));
    assert_eq!(
        refusal(&both),
        "parsing policy: source.image and parameters.image are the same: write one of them"
    );
    let unbuilt = named("server").replacen("require = true", "require = false", 1);
    let unseen = refusal(&unbuilt.replacen("\"provenance\", ", "", 1));
    assert!(
        unseen.starts_with("parsing policy: source.image is compared with "),
        "{unseen}"
    );
}

#[test]
fn unknown_entries_and_names_are_refused() {
    let (builder, _) = keys();
    let good = text(&[("builder", &builder)]);
    let refusal = |from: &str, to: &str| {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        parse(&bad).unwrap_err()
    };
    let error = refusal("require = true", "require = true\nsoft = true");
    assert!(
        error.to_string().contains("unknown field `soft`"),
        "{error}"
    );
    let error = refusal("\"sbom\"", "\"spdx\"");
    assert!(
        error.to_string().contains("unknown predicate `spdx`"),
        "{error}"
    );
    let says = |from: &str, to: &str, fault: &str| {
        let error = refusal(from, to).to_string();
        assert_eq!(error, format!("parsing policy: {fault}"));
    };
    says(
        "require = [\"builder\"]",
        "require = [\"bilder\"]",
        "`signatures.require` names `bilder`, but no [[principal]] has this name",
    );
    says(
        "by = [\"builder\"]",
        "by = [\"unknown\"]",
        "`attestations.by` names `unknown`, but no [[principal]] has this name",
    );
    says(
        "by = [\"builder\"]",
        "by = []",
        "attestations.by is empty, but attestations.require is not",
    );
    let error = refusal(REPOSITORY, "not a repository").to_string();
    let start = "parsing policy: repository `not a repository`: ";
    assert!(error.starts_with(start), "{error}");
    says(
        "[signatures]",
        "[[principal]]\nname = \"x\"\nkey = \"missing.pub\"\n[signatures]",
        "key of `x`: reading missing.pub: entity not found",
    );
    says(
        "[signatures]",
        "[[principal]]\nname = \"x\"\n[signatures]",
        "principal `x`: expected one of `key` and `pem`, or `issuer` with `subject`",
    );
}

/// The golden files of `builder init`.
#[test]
fn what_the_builder_starts_with_is_read() {
    let started =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../builder/tests/golden/init/policies");
    let (builder, _) = keys();
    let release = std::fs::read(started.join("release.toml")).unwrap();
    let key = |path: &Path| {
        assert_eq!(path, Path::new("builder.pub"));
        Ok(builder.public().to_pem().into_bytes())
    };
    let policy = Policy::parse(&release, &key).unwrap();
    assert_eq!(
        (policy.rebuild, policy.directory.as_str()),
        (Demand::Required, "")
    );
    let grant = std::fs::read(started.join("grant.toml")).unwrap();
    assert!(::grant::Grant::parse(&grant).unwrap().provider().is_some());
}

#[test]
fn repositories_of_evidence_are_other_ones_than_the_images() {
    let (builder, _) = keys();
    let policy = text(&[("builder", &builder)]);
    let read = |name: &str| {
        let parsed = parse(&format!(
            "{policy}\n[evidence]\nrepositories = [{name:?}]\n"
        ));
        parsed.map(|policy| policy.evidence().len())
    };
    assert_eq!(parse(&policy).unwrap().evidence(), []);
    assert_eq!(read("one.example/a").unwrap(), 1);
    for (name, fault) in [(REPOSITORY, "the image's own"), ("one.example/a:v1", "v1")] {
        let error = read(name).unwrap_err().to_string();
        let entry = "evidence.repositories: ";
        assert!(error.contains(entry) && error.contains(fault), "{error}");
    }
}
