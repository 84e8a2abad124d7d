//! Labels of secrets and buckets, which updates change.

use super::*;

#[test]
fn a_secret_is_updated_by_who_has_read_it() {
    let scene = Scene::set();
    let secrets = format!("secret_manager/projects/{FIRST}/secrets");
    let body = json!({"replication": {"automatic": {}}, "labels": {"team": "bank"}});
    let url = format!("{secrets}?secretId=model");
    let (status, made) = scene.call(FIRST, Method::POST, &url, &body);
    assert_eq!((status, &made["labels"]), (200, &body["labels"]));
    let secret = format!("{secrets}/model");
    let patch = |owner: &str, mask: &str, body: &Value| {
        let url = format!("{secret}?updateMask={mask}");
        scene.call(owner, Method::PATCH, &url, body)
    };
    let change =
        json!({"labels": {"team": "clinic"}, "annotations": {"a": "b"}, "etag": made["etag"]});
    let (status, changed) = patch(FIRST, "labels", &change);
    assert_eq!((status, &changed["labels"]), (200, &change["labels"]));
    assert_eq!(changed["annotations"], Value::Null);
    let (status, stale) = patch(FIRST, "annotations", &change);
    assert_eq!(
        (status, &stale["error"]["status"]),
        (400, &json!("FAILED_PRECONDITION"))
    );
    assert_eq!(patch(SECOND, "labels", &json!({})).0, 403);
    assert_eq!(patch(FIRST, "ttl", &json!({})).0, 501);
    assert_eq!(
        patch(FIRST, "labels", &json!({"labels": {"Team": "x"}})).0,
        400
    );
    let found = scene.call(FIRST, Method::GET, &secret, &Value::Null).1;
    assert_eq!(found, changed);
    let delete = |etag: &Value| {
        let etag = etag.as_str().unwrap().replace('"', "%22");
        scene
            .call(
                FIRST,
                Method::DELETE,
                &format!("{secret}?etag={etag}"),
                &Value::Null,
            )
            .0
    };
    assert_eq!(
        (delete(&made["etag"]), delete(&changed["etag"])),
        (400, 200)
    );
}

/// Also one that was made before there were labels.
#[test]
fn a_bucket_is_updated_by_a_merge() {
    let mut scene = Scene::set();
    let call = |scene: &Scene, method: Method, path: &str, body: &Value| {
        let address = scene.endpoints["storage"].as_str().unwrap();
        let url = format!("{address}/storage/v1/b{path}");
        scene.send(&scene.token(FIRST), method, &url, body)
    };
    let new = json!({"name": "bank-models", "labels": {"team": "bank", "cost": "1"}});
    let made = call(&scene, Method::POST, &format!("?project={FIRST}"), &new).1;
    assert_eq!(made["labels"], new["labels"]);
    let mut whole = made.clone();
    whole["labels"] = json!({"team": "clinic", "cost": null});
    let (status, changed) = call(
        &scene,
        Method::PATCH,
        "/bank-models?projection=full",
        &whole,
    );
    assert_eq!(
        (status, &changed["labels"]),
        (200, &json!({"team": "clinic"}))
    );
    assert_eq!(
        (&changed["metageneration"], &changed["etag"]),
        (&json!("2"), &json!("CAI="))
    );
    let stale = call(
        &scene,
        Method::PATCH,
        "/bank-models?ifMetagenerationMatch=1",
        &whole,
    );
    assert_eq!(stale.0, 412);
    let versioning = json!({"versioning": {"enabled": true}});
    assert_eq!(
        call(&scene, Method::PATCH, "/bank-models", &versioning).0,
        501
    );
    scene.restart();
    let kept = call(&scene, Method::GET, "/bank-models", &Value::Null).1;
    assert_eq!(kept["labels"], changed["labels"]);
    let path = scene.state.path().join("services/storage.json");
    let mut state: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let bucket = state["buckets"]["bank-models"].as_object_mut().unwrap();
    for field in ["labels", "metageneration", "updated"] {
        bucket.remove(field).unwrap();
    }
    std::fs::write(&path, state.to_string()).unwrap();
    scene.restart();
    let old = call(&scene, Method::GET, "/bank-models", &Value::Null).1;
    assert_eq!(
        (&old["metageneration"], &old["labels"]),
        (&json!("1"), &Value::Null)
    );
    assert_eq!(old["updated"], old["timeCreated"]);
}
