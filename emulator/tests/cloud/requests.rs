//! Requests that Google refuses, or reads in more than one way.

use super::*;

#[test]
fn names_may_be_percent_encoded() {
    let scene = Scene::set();
    let topic = |id: &str| {
        let url = format!("pubsub/projects/{FIRST}/topics/{id}");
        scene.call(FIRST, Method::PUT, &url, &json!({}))
    };
    assert_eq!(topic("a%20space").0, 400);
    assert_eq!(topic("a%2Fslash").0, 400);
    let (status, made) = topic("a%7Etilde");
    assert_eq!(status, 200);
    assert_eq!(made["name"], format!("projects/{FIRST}/topics/a~tilde"));
}

#[test]
fn large_tokens_are_accepted() {
    let scene = Scene::set();
    let location = format!("iam/projects/{FIRST}/locations/global/workloadIdentityPools");
    let pool = format!("{location}?workloadIdentityPoolId=pool");
    assert_eq!(scene.call(FIRST, Method::POST, &pool, &json!({})).0, 200);
    let provider = format!("{location}/pool/providers?workloadIdentityPoolProviderId=provider");
    let body = json!({
        "oidc": {"issuerUri": "https://confidentialcomputing.googleapis.com"},
        "attributeMapping": {"google.subject": "assertion.sub"},
    });
    assert_eq!(scene.call(FIRST, Method::POST, &provider, &body).0, 200);
    let number = scene.endpoints["projects"][FIRST]["number"]
        .as_str()
        .unwrap();
    let audience = format!(
        "//iam.googleapis.com/projects/{number}/locations/global/workloadIdentityPools/pool/providers/provider"
    );
    let token = "x".repeat(200 << 10);
    let fields = BTreeMap::from([
        (
            "grant_type",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ),
        (
            "requested_token_type",
            "urn:ietf:params:oauth:token-type:access_token",
        ),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        ("scope", "https://www.googleapis.com/auth/cloud-platform"),
        ("audience", &audience),
        ("subject_token", &token),
    ]);
    assert_eq!(scene.exchange(&fields)["error"], "invalid_grant");
    for name in [
        "grant_type",
        "requested_token_type",
        "subject_token_type",
        "scope",
        "audience",
    ] {
        let mut fields = fields.clone();
        fields.remove(name);
        let refused = scene.exchange(&fields);
        assert_eq!(refused["error"], "invalid_request", "{name}: {refused}");
        let description = refused["error_description"].as_str().unwrap();
        assert!(
            description.contains(&format!("\"{name}\"")),
            "{description}"
        );
    }
}

#[test]
fn a_deep_condition_is_refused_without_a_crash() {
    let scene = Scene::set();
    let rings = format!("kms/projects/{FIRST}/locations/global/keyRings");
    let ring = format!("{rings}?keyRingId=ring");
    assert_eq!(scene.call(FIRST, Method::POST, &ring, &json!({})).0, 200);
    let expression = format!("1{}>0", "+1".repeat(2000));
    let policy = json!({"policy": {"version": 3, "bindings": [{
        "role": "roles/cloudkms.cryptoKeyDecrypter",
        "members": ["allUsers"],
        "condition": {"title": "deep", "expression": expression},
    }]}});
    let url = format!("{rings}/ring:setIamPolicy");
    assert_eq!(scene.call(FIRST, Method::POST, &url, &policy).0, 400);
    let url = format!("{rings}/ring:getIamPolicy");
    let (status, policy) = scene.call(FIRST, Method::GET, &url, &Value::Null);
    assert_eq!((status, policy.get("bindings")), (200, None));
    let url = format!("{rings}/ring:getIamPolicy?options.requestedPolicyVersion=2");
    assert_eq!(scene.call(FIRST, Method::GET, &url, &Value::Null).0, 400);
}

#[test]
fn a_provider_is_read_as_it_was_created() {
    let scene = Scene::set();
    let pools = format!("iam/projects/{FIRST}/locations/global/workloadIdentityPools");
    let body = json!({
        "oidc": {
            "issuerUri": "https://confidentialcomputing.googleapis.com",
            "allowedAudiences": ["https://first.example"],
        },
        "attributeMapping": {"google.subject": "assertion.sub"},
        "attributeCondition": "assertion.sub == 'x'",
    });
    let post = |url: String, body: &Value| scene.call(FIRST, Method::POST, &url, body).0;
    let made = post(format!("{pools}?workloadIdentityPoolId=pool"), &json!({}));
    let url = format!("{pools}/pool/providers?workloadIdentityPoolProviderId=provider");
    assert_eq!((made, post(url, &body)), (200, 200));
    let get = |caller, path: &str| {
        let url = format!("{pools}/{path}");
        scene.call(caller, Method::GET, &url, &Value::Null)
    };
    let (status, found) = get(FIRST, "pool/providers/provider");
    assert_eq!((status, &found["state"]), (200, &json!("ACTIVE")));
    let name = found["name"].as_str().unwrap();
    assert!(
        name.ends_with("/workloadIdentityPools/pool/providers/provider"),
        "{name}"
    );
    for (field, value) in body.as_object().unwrap() {
        assert_eq!(found[field], *value, "{found}");
    }
    let listed = get(FIRST, "pool/providers?showDeleted=true&pageSize=1");
    let all = json!({"workloadIdentityPoolProviders": [found], "nextPageToken": ""});
    assert_eq!(listed, (200, all));
    assert_eq!(get(FIRST, "pool/providers?pageSize=-1").0, 400);
    assert_eq!(get(FIRST, "other/providers").0, 404);
    assert_eq!(get(SECOND, "pool/providers").0, 403);
    assert_eq!(get(FIRST, "pool").0, 200);
    assert_eq!(get(FIRST, "pool/providers/other").0, 404);
    assert_eq!(get(FIRST, "other").0, 404);
    assert_eq!(get(SECOND, "pool/providers/provider").0, 403);
}

/// An invalid setup is refused, with Google's message.
#[test]
fn invalid_set_ups_are_refused() {
    let scene = Scene::set();
    let locations = format!("projects/{FIRST}/locations");
    let pools = format!("iam/{locations}/global/workloadIdentityPools");
    let made = scene.call(
        FIRST,
        Method::POST,
        &format!("{pools}?workloadIdentityPoolId=pool"),
        &json!({}),
    );
    assert_eq!(made.0, 200, "{made:?}");
    let provider = |issuer: &str| json!({"oidc": {"issuerUri": issuer}, "attributeMapping": {"google.subject": "assertion.sub"}});
    let create = |id: &str| format!("{pools}?workloadIdentityPoolId={id}");
    let with = |id: &str| format!("{pools}/pool/providers?workloadIdentityPoolProviderId={id}");
    let https = provider("https://confidentialcomputing.googleapis.com");
    for (url, body, status, words) in [
        (create("Bad_Pool"), json!({}), 400, "[a-z0-9-]"),
        (create("abc"), json!({}), 400, "4-32 characters"),
        (
            create("gcp-pool"),
            json!({}),
            400,
            "reserved for use by Google",
        ),
        (
            with("gcp-provider"),
            https.clone(),
            400,
            "reserved for use by Google",
        ),
        (
            with("provider"),
            provider("http://confidentialcomputing.googleapis.com"),
            400,
            "Must be an HTTPS endpoint",
        ),
        (
            format!("iam/{locations}/nowhere-1/workloadIdentityPools?workloadIdentityPoolId=pool"),
            json!({}),
            403,
            "locations/nowhere-1",
        ),
        (
            format!("kms/{locations}/nowhere-1/keyRings?keyRingId=ring"),
            json!({}),
            404,
            "The request concerns location 'nowhere-1'",
        ),
        (
            format!("attestation/{locations}/nowhere-1/challenges"),
            json!({}),
            403,
            "locations/nowhere-1",
        ),
    ] {
        let (found, answer) = scene.call(FIRST, Method::POST, &url, &body);
        let message = answer["error"]["message"].as_str().unwrap();
        assert_eq!(found, status, "{url}: {message}");
        assert!(message.contains(words), "{url}: {message}");
    }
}

/// A body that is not the message of the method is refused in Google's words, and changes nothing.
#[test]
fn a_body_is_the_message_of_its_method() {
    let scene = Scene::set();
    let location = format!("projects/{FIRST}/locations/global");
    let rings = format!("kms/{location}/keyRings");
    let key = format!("{rings}/ring/cryptoKeys/data");
    let pools = format!("iam/{location}/workloadIdentityPools");
    let topic = format!("pubsub/projects/{FIRST}/topics/data");
    let subscription = format!("pubsub/projects/{FIRST}/subscriptions/data");
    let named = json!({"topic": format!("projects/{FIRST}/topics/data")});
    let data = json!({"purpose": "ENCRYPT_DECRYPT"});
    for (method, url, body) in [
        (Method::POST, format!("{rings}?key_ring_id=ring"), json!({})),
        (
            Method::POST,
            format!("{rings}/ring/cryptoKeys?cryptoKeyId=data"),
            data,
        ),
        (Method::PUT, topic.clone(), Value::Null),
        (Method::PUT, subscription.clone(), named),
    ] {
        let (status, answer) = scene.call(FIRST, method, &url, &body);
        assert_eq!(status, 200, "{url}: {answer}");
    }
    let aad = json!({"plaintext": "YQ==", "additional_authenticated_data": "Yg=="});
    let sealed = scene
        .call(FIRST, Method::POST, &format!("{key}:encrypt"), &aad)
        .1;
    let open = |aad: Value| {
        let body = json!({"ciphertext": sealed["ciphertext"], "additionalAuthenticatedData": aad});
        scene
            .call(FIRST, Method::POST, &format!("{key}:decrypt"), &body)
            .0
    };
    assert_eq!((open(json!("Yg==")), open(Value::Null)), (200, 400));
    for (method, url, body) in [
        (Method::POST, format!("{key}:encrypt"), json!(["YQ=="])),
        (
            Method::POST,
            format!("{key}:encrypt"),
            json!({"plaintext": "YQ==", "foo": 1}),
        ),
        (
            Method::POST,
            format!("{key}:setIamPolicy"),
            json!({"policy": [1, [], [], ""]}),
        ),
        (Method::POST, format!("{rings}?keyRingId=other"), json!([])),
        (
            Method::POST,
            format!("{pools}?workloadIdentityPoolId=pool"),
            json!([]),
        ),
        (Method::PUT, format!("{topic}-2"), json!({"foo": 1})),
        (
            Method::POST,
            format!("{topic}:publish"),
            json!([[{"data": "YQ=="}]]),
        ),
        (
            Method::POST,
            format!("{subscription}:pull"),
            json!([1, [], 0]),
        ),
        (
            Method::POST,
            format!("{subscription}:pull"),
            json!({"maxMessages": 1, "ackIds": []}),
        ),
        (
            Method::POST,
            format!("attestation/projects/{FIRST}/locations/us-central1/challenges"),
            json!([]),
        ),
        (Method::POST, "sts/token".to_owned(), json!({"foo": "x"})),
    ] {
        let (status, answer) = scene.call(FIRST, method, &url, &body);
        assert_eq!(
            (status, &answer["error"]["status"]),
            (400, &json!("INVALID_ARGUMENT")),
            "{url}"
        );
        let message = answer["error"]["message"].as_str().unwrap();
        let words = "Invalid JSON payload received. Unknown name \"";
        assert!(message.starts_with(words), "{url}: {message}");
    }
    let pool = format!("{pools}?workloadIdentityPoolId=pool");
    assert_eq!(scene.call(FIRST, Method::POST, &pool, &json!({})).0, 200);
}
