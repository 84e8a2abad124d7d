//! What survives a restart, and ports that stay the same.

use super::*;

/// A run of free ports. Another process may take one before it is used; that is not likely.
fn free_ports() -> u16 {
    let mut bases = (20_000..40_000).step_by(50);
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    bases
        .find(|base| (0..20).all(|after| is_free(base + after)))
        .unwrap()
}

/// What is made: the method, the address and the body; and where it is read.
fn made() -> Vec<(Method, String, Value, String)> {
    let (post, put) = (Method::POST, Method::PUT);
    let p = format!("projects/{FIRST}");
    let ring = format!("kms/{p}/locations/global/keyRings");
    let pools = format!("iam/{p}/locations/global/workloadIdentityPools");
    let topic = format!("pubsub/{p}/topics/data");
    let subscription = format!("pubsub/{p}/subscriptions/data");
    let accounts = format!("iam/{p}/serviceAccounts");
    let secrets = format!("secret_manager/{p}/secrets");
    let provider = json!({
        "oidc": {"issuerUri": "https://confidentialcomputing.googleapis.com"},
        "attributeMapping": {"google.subject": "assertion.sub"},
    });
    let runner = format!("{accounts}/runner@{FIRST}.iam.gserviceaccount.com");
    vec![
        (
            post.clone(),
            format!("{ring}?keyRingId=ring"),
            json!({}),
            format!("{ring}/ring"),
        ),
        (
            post.clone(),
            format!("{ring}/ring/cryptoKeys?cryptoKeyId=data"),
            json!({"purpose": "ENCRYPT_DECRYPT", "labels": {"a": "b"}}),
            format!("{ring}/ring/cryptoKeys/data"),
        ),
        (
            post.clone(),
            format!("{pools}?workloadIdentityPoolId=pool"),
            json!({}),
            format!("{pools}/pool"),
        ),
        (
            post.clone(),
            format!("{pools}/pool/providers?workloadIdentityPoolProviderId=attest"),
            provider,
            format!("{pools}/pool/providers/attest"),
        ),
        (put.clone(), topic.clone(), json!({}), topic.clone()),
        (
            put,
            subscription.clone(),
            json!({"topic": format!("{p}/topics/data")}),
            subscription,
        ),
        (
            post.clone(),
            accounts,
            json!({"accountId": "runner"}),
            runner.clone(),
        ),
        (
            post.clone(),
            format!("{runner}/keys"),
            json!({}),
            format!("{runner}/keys"),
        ),
        (
            post.clone(),
            format!("{secrets}?secretId=key"),
            json!({"replication": {"automatic": {}}}),
            format!("{secrets}/key"),
        ),
        (
            post,
            format!("{secrets}/key:addVersion"),
            json!({"payload": {"data": "b25l"}}),
            format!("{secrets}/key/versions/1:access"),
        ),
    ]
}

#[test]
fn all_state_survives_a_restart_on_the_same_ports() {
    let mut scene = Scene {
        ports: Ports::From(free_ports()),
        ..Scene::set()
    };
    scene.restart();
    let endpoints = scene.endpoints.clone();
    let all = made();
    for (method, url, body, _) in &all {
        let (status, answer) = scene.call(FIRST, method.clone(), url, body);
        assert_eq!(status, 200, "{url}: {answer}");
    }
    let key = format!("kms/projects/{FIRST}/locations/global/keyRings/ring/cryptoKeys/data");
    let plaintext = json!({"plaintext": "b25l"});
    let sealed = scene
        .call(FIRST, Method::POST, &format!("{key}:encrypt"), &plaintext)
        .1;
    let policy = format!("{key}:getIamPolicy");
    let set = json!({"policy": {"bindings": [{"role": "roles/cloudkms.cryptoKeyDecrypter", "members": ["allUsers"]}]}});
    assert_eq!(
        scene
            .call(FIRST, Method::POST, &format!("{key}:setIamPolicy"), &set)
            .0,
        200
    );
    let reads: Vec<_> = all.iter().map(|(.., read)| read).chain([&policy]).collect();
    let read = |scene: &Scene| -> Vec<_> {
        let get = |url: &&String| scene.call(FIRST, Method::GET, url, &Value::Null);
        reads.iter().map(get).collect()
    };
    let before = read(&scene);
    assert!(
        before.iter().all(|(status, _)| *status == 200),
        "{before:?}"
    );
    scene.restart();
    assert_eq!(scene.endpoints, endpoints);
    assert_eq!(read(&scene), before);
    let ciphertext = json!({"ciphertext": sealed["ciphertext"]});
    let opened = scene.call(FIRST, Method::POST, &format!("{key}:decrypt"), &ciphertext);
    assert_eq!((opened.0, &opened.1["plaintext"]), (200, &json!("b25l")));
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let state = tempfile::tempdir().unwrap();
    let settings = Settings {
        folder: state.path(),
        projects: &[],
        parents: &[],
        users: Users::default(),
        ports: Ports::From(port),
        metadata: free(),
    };
    let runtime = Runtime::new().unwrap();
    let refused = runtime.block_on(serve(settings, || 0)).err().unwrap();
    let words = format!("listening on 127.0.0.1:{port}: Address already in use");
    assert!(refused.to_string().starts_with(&words), "{refused}");
    assert!(refused.hint().contains("--port-base"));
}
