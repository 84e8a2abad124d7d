//! Each format of a grant: that it is what its reader parses, that strings survive, and that OpenBao's condition admits the claims
//! that it should, and no others.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::process::Command;

use content::Digest;
use expression::{Type, Variable, Variables, compile_condition};
use google::outputs::{self, ImageGrant, KeyGrant, Printed, Unprintable};
use grant::Grant;
use serde_json::{Value, json};

const GRANT: &str = r#"
key = "projects/collaborator-1/locations/global/keyRings/r/cryptoKeys/k"
role = "roles/cloudkms.cryptoKeyDecrypter"
pool = "projects/1234/locations/global/workloadIdentityPools/trusted"
[provider]
project = "collaborator-1"
id = "attest"
audience = "https://collaborator-1.example/${countersign}"
hardware = ["INTEL_TDX"]
operators = ["operator-1"]
service_accounts = ["run@operator-1.iam.gserviceaccount.com"]
signers = ["sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]
[vault]
policies = ["data", "more/data"]
lifetime_seconds = 60
accepts_overrides = true
[vpc_sc]
perimeter = "accessPolicies/77/servicePerimeters/data"
operators = ["555"]
"#;

fn image() -> Digest {
    Digest::of(b"image")
}

fn try_printed(grant: &str, format: &str) -> Result<Printed, Unprintable> {
    let grant = Grant::parse(grant.as_bytes()).unwrap();
    let output = outputs::named(format).unwrap();
    (output.print)(&ImageGrant {
        granted: KeyGrant {
            key: grant.key(),
            role: grant.role(),
            member: &grant.member(&image()),
        },
        image: &image(),
        settings: grant.settings(),
    })
}

fn printed(format: &str) -> String {
    try_printed(GRANT, format).unwrap().text
}

fn provider(format: &str) -> String {
    let grant = Grant::parse(GRANT.as_bytes()).unwrap();
    let output = outputs::provider_named(format).unwrap();
    let new = grant.provider().unwrap().to_create();
    (output.print)(&new, &grant.settings()).unwrap().text
}

/// The words of the last command before its document, and the document.
fn document(text: &str) -> (String, Value) {
    let (commands, rest) = text.split_once(" <<'END'\n").unwrap();
    let body = rest.strip_suffix("\nEND").unwrap();
    assert!(!body.lines().any(|line| line == "END"));
    let command = commands.lines().last().unwrap().to_owned();
    (command, serde_json::from_str(body).unwrap())
}

fn short() -> String {
    image().hex()[..12].to_owned()
}

#[test]
fn a_role_of_vault_compares_every_claim_that_it_can() {
    let text = printed("vault");
    let path = format!("auth/jwt/role/countersign-{}", short());
    assert!(
        text.starts_with(&format!("vault delete {path} && \\\n")),
        "{text}"
    );
    let (command, role) = document(&text);
    assert_eq!(command, format!("vault write {path} -"));
    let expected = json!({
        "swname": "CONFIDENTIAL_SPACE",
        "dbgstat": ["disabled-since-boot"],
        "hwmodel": ["GCP_INTEL_TDX"],
        "/submods/confidential_space/support_attributes": "STABLE",
        "/submods/container/image_digest": [image()],
        "/submods/gce/project_id": ["operator-1"],
        "google_service_accounts": ["run@operator-1.iam.gserviceaccount.com"],
    });
    assert_eq!(role["bound_claims"], expected);
    let audience = json!(["https://collaborator-1.example/${countersign}"]);
    assert_eq!(role["bound_audiences"], audience);
    assert_eq!(role["token_policies"], json!(["data", "more/data"]));
    assert_eq!(
        (&role["token_ttl"], &role["token_max_ttl"]),
        (&json!("60s"), &json!("60s"))
    );
    for (member, value) in [
        ("token_period", json!(0)),
        ("claim_mappings", json!({})),
        ("expiration_leeway", json!(150)),
        ("not_before_leeway", json!(150)),
        ("clock_skew_leeway", json!(60)),
    ] {
        assert_eq!(role[member], value, "{member}");
    }
    let enabled = "vault auth enable -path=jwt jwt && \\\n";
    assert!(provider("vault").starts_with(enabled));
    let bao = printed("openbao");
    assert!(bao.lines().next().unwrap().ends_with(" && \\"), "{bao}");
    let (command, config) = document(&provider("vault"));
    assert_eq!(command, "vault write auth/jwt/config -");
    let issuer = "https://confidentialcomputing.googleapis.com";
    assert_eq!(
        (&config["bound_issuer"], &config["oidc_discovery_url"]),
        (&json!(issuer), &json!(issuer))
    );
}

/// What Vault cannot say is refused, or noted.
#[test]
fn vault_admits_overrides_only_with_consent() {
    let without = GRANT.replace("accepts_overrides = true\n", "");
    let refused = try_printed(&without, "vault").unwrap_err();
    assert_eq!(refused, Unprintable::Overrides);
    assert!(refused.hint().contains("openbao"), "{}", refused.hint());
    assert!(try_printed(&without, "openbao").is_ok());
    let notes = try_printed(GRANT, "vault").unwrap().notes.join("\n");
    for part in ["overridden", "several keys have signed"] {
        assert!(notes.contains(part), "{notes}");
    }
}

#[test]
fn formats_say_which_table_they_need() {
    let (grant, tables) = GRANT.split_once("[vault]").unwrap();
    let (_, perimeter) = tables.split_once("[vpc_sc]").unwrap();
    for format in ["vault", "openbao"] {
        assert_eq!(try_printed(grant, format).unwrap_err(), Unprintable::Vault);
    }
    for format in ["vpc-sc", "vpc-sc-terraform"] {
        assert_eq!(
            try_printed(grant, format).unwrap_err(),
            Unprintable::Perimeter
        );
    }
    let (plain, _) = grant.split_once("[provider]").unwrap();
    assert_eq!(
        try_printed(plain, "openbao").unwrap_err(),
        Unprintable::Provider
    );
    let unknown = format!("{plain}[vpc_sc]{perimeter}");
    assert_eq!(
        try_printed(&unknown, "vpc-sc").unwrap_err(),
        Unprintable::KeyProject
    );
    let known = format!("{unknown}key_project = \"88\"\n");
    let rules: Value = serde_json::from_str(&try_printed(&known, "vpc-sc").unwrap().text).unwrap();
    assert_eq!(rules[0]["ingressTo"]["resources"], json!(["projects/88"]));
}

#[test]
fn invalid_tables_are_refused() {
    for (from, to) in [
        ("policies = [\"data\", \"more/data\"]", "policies = []"),
        ("\"data\", \"more/data\"", "\"a'b\""),
        ("lifetime_seconds = 60", "lifetime_seconds = 0"),
        ("lifetime_seconds = 60", "lifetime_seconds = 3601"),
        ("lifetime_seconds = 60", "mount = \"jwt; rm\""),
        ("operators = [\"555\"]", "operators = []"),
        ("operators = [\"555\"]", "operators = [\"operator-1\"]"),
        ("accessPolicies/77/", ""),
        ("accepts_overrides", "accept_overrides"),
    ] {
        assert!(GRANT.contains(from), "{from}");
        assert!(
            Grant::parse(GRANT.replacen(from, to, 1).as_bytes()).is_err(),
            "{to}"
        );
    }
}

fn good() -> Value {
    json!({
        "swname": "CONFIDENTIAL_SPACE",
        "dbgstat": "disabled-since-boot",
        "hwmodel": "GCP_INTEL_TDX",
        "google_service_accounts": ["other@x.example", "run@operator-1.iam.gserviceaccount.com"],
        "submods": {
            "confidential_space": {"support_attributes": ["LATEST", "STABLE", "USABLE"]},
            "container": {
                "image_digest": image(),
                "image_signatures": [{"key_id": "a".repeat(64), "signature": "x"}],
            },
            "gce": {"project_id": "operator-1"},
        },
    })
}

/// OpenBao denies what cannot be evaluated, such as an absent claim.
fn admits(condition: &str, claims: &Value) -> bool {
    let declared = [Variable::new("claims", Type::map(Type::String, Type::Dyn))];
    let program = compile_condition(condition, &declared).unwrap();
    let variables = Variables::default().with("claims", claims).unwrap();
    program.holds(variables).unwrap_or(false)
}

#[test]
fn a_role_of_openbao_admits_the_image_as_the_provider_does_and_nothing_else() {
    let (command, role) = document(&printed("openbao"));
    assert_eq!(
        command,
        format!("bao write auth/jwt/cel/role/countersign-{} -", short())
    );
    assert!(!role["bound_audiences"].as_array().unwrap().is_empty());
    let token = role["cel_program"]["expression"].as_str().unwrap();
    for part in [
        "admitted ? pb.Auth{",
        "policies: ['data', 'more/data']",
        "TTL: 60000000000, issue_time: now",
        "} : false",
    ] {
        assert!(token.contains(part), "{part}: {token}");
    }
    let condition = &role["cel_program"]["variables"][0];
    assert_eq!(condition["name"], "admitted");
    let condition = condition["expression"].as_str().unwrap();
    assert!(admits(condition, &good()), "{condition}");
    let empty = |claims: &mut Value| claims["submods"]["container"]["cmd_override"] = json!([]);
    let mut harmless = good();
    empty(&mut harmless);
    assert!(admits(condition, &harmless));
    for (path, value) in [
        ("/swname", json!("GCE")),
        ("/dbgstat", json!("enabled")),
        ("/hwmodel", json!("GCP_AMD_SEV")),
        ("/google_service_accounts", json!(["other@x.example"])),
        (
            "/submods/confidential_space/support_attributes",
            json!(["USABLE"]),
        ),
        (
            "/submods/container/image_digest",
            json!(Digest::of(b"other")),
        ),
        (
            "/submods/container/image_signatures",
            json!([{"key_id": "b".repeat(64)}]),
        ),
        ("/submods/gce/project_id", json!("operator-2")),
    ] {
        let mut claims = good();
        *claims.pointer_mut(path).unwrap() = value;
        assert!(!admits(condition, &claims), "{path}");
        let (parent, name) = path.rsplit_once('/').unwrap();
        let mut claims = good();
        claims
            .pointer_mut(parent)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .remove(name);
        assert!(!admits(condition, &claims), "{path} is absent");
    }
    for (name, value) in [
        ("cmd_override", json!(["--debug"])),
        ("env_override", json!({"LOG": "debug"})),
    ] {
        let mut claims = good();
        claims["submods"]["container"][name] = value;
        assert!(!admits(condition, &claims), "{name}");
    }
}

#[test]
fn a_perimeter_admits_the_exchange_and_the_image() {
    let rules: Value = serde_json::from_str(&printed("vpc-sc")).unwrap();
    let member = format!(
        "principalSet://iam.googleapis.com/projects/1234/locations/global/workloadIdentityPools/trusted/\
         attribute.image_digest/{}",
        image()
    );
    let selectors = json!([{"method": "*"}]);
    let expected = json!([{
        "ingressFrom": {"identities": [member], "sources": [{"resource": "projects/555"}]},
        "ingressTo": {
            "operations": [{"serviceName": "cloudkms.googleapis.com", "methodSelectors": selectors}],
            "resources": ["projects/1234"],
        },
    }]);
    assert_eq!(rules, expected);
    let rules: Value = serde_json::from_str(&provider("vpc-sc")).unwrap();
    assert_eq!(rules[0]["ingressFrom"]["identityType"], "ANY_IDENTITY");
    let service = &rules[0]["ingressTo"]["operations"][0]["serviceName"];
    assert_eq!(service, "sts.googleapis.com");
    let kind = "google_access_context_manager_service_perimeter_ingress_policy";
    let configured: Value = serde_json::from_str(&printed("vpc-sc-terraform")).unwrap();
    let resource = configured["resource"][kind]
        .as_object()
        .unwrap()
        .values()
        .next()
        .unwrap();
    assert_eq!(
        resource["perimeter"],
        "accessPolicies/77/servicePerimeters/data"
    );
    assert_eq!(resource["ingress_from"]["identities"], json!([member]));
    assert_eq!(
        resource["ingress_to"]["operations"][0]["service_name"],
        "cloudkms.googleapis.com"
    );
}

/// Terraform evaluates the strings of a resource to what was meant. The resource itself needs a plugin, so that it is made a
/// local value, which needs none.
#[test]
fn terraform_reads_strings_as_they_are_meant() {
    let name = "terraform_reads_strings_as_they_are_meant";
    if Command::new("terraform").arg("version").output().is_err() {
        return testkit::leave_out(name, "no terraform");
    }
    let kind = "google_iam_workload_identity_pool_provider";
    let configured: Value = serde_json::from_str(&provider("terraform")).unwrap();
    let resource = &configured["resource"][kind]["countersign"];
    let mut values = resource.clone();
    values.as_object_mut().unwrap().remove("depends_on");
    let module = json!({"output": {"value": {"value": values}}});
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("main.tf.json"), module.to_string()).unwrap();
    let run = |words: &[&str]| {
        let mut terraform = Command::new("terraform");
        terraform.args(words).current_dir(folder.path());
        let output = terraform.env("CHECKPOINT_DISABLE", "1").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {said}");
        output.stdout
    };
    run(&["init", "-input=false", "-no-color"]);
    run(&["validate", "-no-color"]);
    run(&["apply", "-auto-approve", "-input=false", "-no-color"]);
    let read: Value = serde_json::from_slice(&run(&["output", "-json", "value"])).unwrap();
    let meant: Value = serde_json::from_str(&provider("iam")).unwrap();
    assert_eq!(read["attribute_condition"], meant["attributeCondition"]);
    assert_eq!(read["attribute_mapping"], meant["attributeMapping"]);
    assert_eq!(
        read["oidc"]["allowed_audiences"],
        meant["oidc"]["allowedAudiences"]
    );
}
