//! A service account is reached through its own project only.

use super::*;

const VICTIM: &str = "victim@collaborator-2.iam.gserviceaccount.com";

/// A scene in which the second project has a service account.
fn with_victim() -> Scene {
    let scene = Scene::set();
    let accounts = format!("iam/projects/{SECOND}/serviceAccounts");
    let body = json!({"accountId": "victim"});
    assert_eq!(scene.call(SECOND, Method::POST, &accounts, &body).0, 200);
    scene
}

#[test]
fn an_account_of_another_project_is_not_found() {
    let scene = with_victim();
    let scope = json!({"scope": ["https://www.googleapis.com/auth/cloud-platform"]});
    let policy = json!({"policy": {"bindings": []}});
    let calls = |project: &str| {
        let account = format!("iam/projects/{project}/serviceAccounts/{VICTIM}");
        [
            (Method::GET, account.clone(), Value::Null),
            (
                Method::POST,
                format!("{account}:generateAccessToken"),
                scope.clone(),
            ),
            (Method::POST, format!("{account}/keys"), json!({})),
            (Method::GET, format!("{account}/keys"), Value::Null),
            (Method::POST, format!("{account}:getIamPolicy"), Value::Null),
            (
                Method::POST,
                format!("{account}:setIamPolicy"),
                policy.clone(),
            ),
            (Method::DELETE, account, Value::Null),
        ]
    };
    let status = |owner: &str, (method, url, body): (Method, String, Value)| {
        (scene.call(owner, method, &url, &body).0, url)
    };
    for call in calls(FIRST) {
        let (status, url) = status(FIRST, call);
        assert_eq!(status, 404, "{url}");
    }
    for call in calls("-") {
        let (status, url) = status(FIRST, call);
        assert_eq!(status, 403, "{url}");
    }
    // It has not changed, and its own owner reaches it in either way.
    for project in [SECOND, "-"] {
        for call in calls(project).into_iter().take(6) {
            let (status, url) = status(SECOND, call);
            assert_eq!(status, 200, "{url}");
        }
    }
}

#[test]
fn an_instance_runs_as_an_account_of_its_own_project() {
    let scene = with_victim();
    let body = json!({
        "name": "vm1",
        "machineType": "zones/us-central1-a/machineTypes/c3-standard-4",
        "confidentialInstanceConfig": {"confidentialInstanceType": "TDX"},
        "shieldedInstanceConfig": {"enableSecureBoot": true},
        "scheduling": {"onHostMaintenance": "TERMINATE"},
        "disks": [{"boot": true, "initializeParams": {
            "sourceImage": "projects/confidential-space-images/global/images/family/confidential-space",
        }}],
        "networkInterfaces": [{}],
        "serviceAccounts": [{"email": VICTIM, "scopes": ["https://www.googleapis.com/auth/cloud-platform"]}],
    });
    let instances = "zones/us-central1-a/instances";
    let (status, refused) = scene.compute(Method::POST, instances, &body);
    assert_eq!(status, 400, "{refused}");
    let error = &refused["error"]["errors"][0]["reason"];
    assert_eq!(error, "serviceAccountAccessDenied", "{refused}");
}

/// Only a call without any credentials is one of the launcher of a rehearsal.
#[test]
fn credentials_of_another_form_are_not_the_absence_of_credentials() {
    let scene = Scene::set();
    let url = format!(
        "{}/v1/projects/{FIRST}/locations/us-central1/challenges",
        scene.endpoints["attestation"].as_str().unwrap()
    );
    for (credentials, expected) in [
        (None, 200),
        (Some("Bearer"), 401),
        (Some("Bearer nothing"), 401),
        (Some("Basic b3duZXI6"), 401),
    ] {
        let request = Client::new().post(&url).json(&json!({}));
        let request = match credentials {
            Some(text) => request.header("authorization", text),
            None => request,
        };
        let answer = scene.runtime.block_on(request.send()).unwrap();
        assert_eq!(answer.status().as_u16(), expected, "{credentials:?}");
    }
}

/// An owner is one by the policy of its project only.
#[test]
fn an_owner_that_the_policy_does_not_name_may_do_nothing() {
    let scene = Scene::set();
    let topic = format!("pubsub/projects/{FIRST}/topics/data");
    assert_eq!(scene.call(FIRST, Method::PUT, &topic, &json!({})).0, 200);
    let next = lifecycle::account(&scene, "next-owner");
    let member = format!("serviceAccount:next-owner@{FIRST}.iam.gserviceaccount.com");
    let policy = json!({"policy": {"bindings": [{"role": "roles/owner", "members": [member]}]}});
    let set = format!("resource_manager/projects/{FIRST}:setIamPolicy");
    assert_eq!(scene.call(FIRST, Method::POST, &set, &policy).0, 200);
    assert_eq!(scene.call(FIRST, Method::GET, &topic, &Value::Null).0, 403);
    assert_eq!(scene.call(FIRST, Method::POST, &set, &policy).0, 403);
    let found = scene.call_as(&next, Method::GET, &topic, &Value::Null);
    assert_eq!(found.0, 200);
}
