//! What is asked about a key and about a pool: the key itself, permissions, providers, and what is disabled or deleted.

use super::*;

const POOLS: &str = "iam/projects/collaborator-1/locations/global/workloadIdentityPools";

fn with_provider() -> Scene {
    let scene = Scene::set();
    let body = json!({
        "oidc": {"issuerUri": "https://confidentialcomputing.googleapis.com"},
        "attributeMapping": {"google.subject": "assertion.sub"},
    });
    let pool = format!("{POOLS}?workloadIdentityPoolId=pool");
    let provider = format!("{POOLS}/pool/providers?workloadIdentityPoolProviderId=first");
    assert_eq!(scene.call(FIRST, Method::POST, &pool, &json!({})).0, 200);
    assert_eq!(scene.call(FIRST, Method::POST, &provider, &body).0, 200);
    scene
}

fn names(scene: &Scene, query: &str) -> Vec<(String, String)> {
    let url = format!("{POOLS}/pool/providers{query}");
    let (status, listed) = scene.call(FIRST, Method::GET, &url, &Value::Null);
    assert_eq!(status, 200, "{listed}");
    let listed = listed["workloadIdentityPoolProviders"].as_array().unwrap();
    let text = |value: &Value| {
        value
            .as_str()
            .unwrap()
            .rsplit('/')
            .next()
            .unwrap()
            .to_owned()
    };
    let one = |found: &Value| (text(&found["name"]), text(&found["state"]));
    listed.iter().map(one).collect()
}

#[test]
fn a_deleted_provider_is_listed_on_request_and_can_be_undeleted() {
    let scene = with_provider();
    let url = format!("{POOLS}/pool/providers/first");
    let state = |name: &str| vec![("first".to_owned(), name.to_owned())];
    assert_eq!(names(&scene, ""), state("ACTIVE"));
    assert_eq!(scene.call(FIRST, Method::DELETE, &url, &Value::Null).0, 200);
    assert_eq!(names(&scene, ""), []);
    assert_eq!(names(&scene, "?showDeleted=true"), state("DELETED"));
    assert_eq!(scene.call(FIRST, Method::DELETE, &url, &Value::Null).0, 400);
    assert_eq!(scene.call(SECOND, Method::GET, &url, &Value::Null).0, 403);
    let undelete = format!("{url}:undelete");
    assert_eq!(
        scene.call(FIRST, Method::POST, &undelete, &json!({})).0,
        200
    );
    assert_eq!(names(&scene, ""), state("ACTIVE"));
}

#[test]
fn an_update_changes_the_fields_of_its_mask() {
    let scene = with_provider();
    let url = format!("{POOLS}/pool/providers/first");
    let patch = |mask: &str, body: Value| {
        let url = format!("{url}?updateMask={mask}");
        scene.call(FIRST, Method::PATCH, &url, &body).0
    };
    let changed = json!({
        "attributeCondition": "assertion.sub == 'x'",
        "oidc": {"issuerUri": "http://insecure.example", "allowedAudiences": ["a"]},
    });
    let mask = "attributeCondition,oidc.allowedAudiences";
    assert_eq!(patch(mask, changed.clone()), 200);
    let found = scene.call(FIRST, Method::GET, &url, &Value::Null).1;
    assert_eq!(found["attributeCondition"], changed["attributeCondition"]);
    assert_eq!(found["oidc"]["allowedAudiences"], json!(["a"]));
    let issuer = "https://confidentialcomputing.googleapis.com";
    assert_eq!(found["oidc"]["issuerUri"], issuer);
    assert_eq!(patch("oidc.issuerUri", changed), 400);
    assert_eq!(patch("nothing", json!({"nothing": 1})), 400);
    assert_eq!(patch("disabled", json!({"disabled": true})), 200);
    let found = scene.call(FIRST, Method::GET, &url, &Value::Null).1;
    assert_eq!(found["disabled"], true);
}

#[test]
fn a_key_is_described_and_tells_each_caller_its_permissions() {
    let scene = Scene::set();
    let rings = format!("kms/projects/{FIRST}/locations/global/keyRings");
    let key = format!("{rings}/ring/cryptoKeys/data");
    let purpose = json!({"purpose": "ENCRYPT_DECRYPT"});
    let made = [
        (format!("{rings}?keyRingId=ring"), json!({})),
        (format!("{rings}/ring/cryptoKeys?cryptoKeyId=data"), purpose),
    ];
    for (url, body) in made {
        assert_eq!(scene.call(FIRST, Method::POST, &url, &body).0, 200);
    }
    let (status, found) = scene.call(FIRST, Method::GET, &key, &Value::Null);
    assert_eq!(
        (status, &found["purpose"]),
        (200, &json!("ENCRYPT_DECRYPT"))
    );
    assert_eq!(found["primary"]["state"], "ENABLED", "{found}");
    assert_eq!(found["versionTemplate"]["protectionLevel"], "SOFTWARE");
    assert_eq!(scene.call(SECOND, Method::GET, &key, &Value::Null).0, 403);
    let missing = format!("{rings}/ring/cryptoKeys/none");
    assert_eq!(
        scene.call(FIRST, Method::GET, &missing, &Value::Null).0,
        404
    );

    let decrypt = "cloudkms.cryptoKeyVersions.useToDecrypt";
    let asked = json!({"permissions": [decrypt, "cloudkms.cryptoKeys.setIamPolicy"]});
    let test = |owner: &str, key: &str| {
        let url = format!("{key}:testIamPermissions");
        scene.call(owner, Method::POST, &url, &asked).1["permissions"].clone()
    };
    assert_eq!(test(FIRST, &key), asked["permissions"]);
    assert_eq!(test(SECOND, &key), json!([]));
    assert_eq!(test(FIRST, &missing), json!([]));
    let member = format!("serviceAccount:owner@{SECOND}.iam.gserviceaccount.com");
    let role = "roles/cloudkms.cryptoKeyDecrypter";
    let policy = json!({"policy": {"bindings": [{"role": role, "members": [member]}]}});
    let set = format!("{key}:setIamPolicy");
    assert_eq!(scene.call(FIRST, Method::POST, &set, &policy).0, 200);
    assert_eq!(test(SECOND, &key), json!([decrypt]));
}
