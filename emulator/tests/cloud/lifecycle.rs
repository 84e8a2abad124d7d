//! What is created is listed, changed and deleted; and service accounts have tokens of their own.

use super::*;

const KEY: &str = "kms/projects/collaborator-1/locations/global/keyRings/ring/cryptoKeys/data";

fn with_key() -> Scene {
    let scene = Scene::set();
    let (ring, _) = KEY.split_once("/ring/").unwrap();
    let purpose = json!({"purpose": "ENCRYPT_DECRYPT"});
    for (url, body) in [
        (format!("{ring}?keyRingId=ring"), json!({})),
        (format!("{ring}/ring/cryptoKeys?cryptoKeyId=data"), purpose),
    ] {
        scene.must(Method::POST, &url, &body);
    }
    scene
}

impl Scene {
    /// A call by the first owner that succeeds.
    fn must(&self, method: Method, url: &str, body: &Value) -> Value {
        let (status, answer) = self.call(FIRST, method, url, body);
        assert_eq!(status, 200, "{url}: {answer}");
        answer
    }

    fn get(&self, url: &str) -> Value {
        self.must(Method::GET, url, &Value::Null)
    }

    /// The status of a call by the first owner.
    fn status(&self, method: Method, url: &str, body: &Value) -> u16 {
        self.call(FIRST, method, url, body).0
    }
}

/// The last parts of the names of the resources in a list.
fn names(listed: &Value) -> Vec<String> {
    let last = |one: &Value| {
        let name = one.as_str().or(one["name"].as_str()).unwrap();
        name.rsplit('/').next().unwrap().to_owned()
    };
    listed.as_array().unwrap().iter().map(last).collect()
}

#[test]
fn a_key_is_rotated_and_its_versions_are_destroyed() {
    let scene = with_key();
    let encrypt = || {
        scene.must(
            Method::POST,
            &format!("{KEY}:encrypt"),
            &json!({"plaintext": "b25l"}),
        )
    };
    let first = encrypt();
    let versions = format!("{KEY}/cryptoKeyVersions");
    scene.must(Method::POST, &versions, &json!({}));
    let primary = json!({"cryptoKeyVersionId": "2"});
    let rotated = scene.must(
        Method::POST,
        &format!("{KEY}:updatePrimaryVersion"),
        &primary,
    );
    assert_eq!(names(&json!([rotated["primary"]])), ["2"]);
    let second = encrypt();
    assert_eq!(names(&json!([second["name"]])), ["2"]);
    let open = |sealed: &Value| {
        let body = json!({"ciphertext": sealed["ciphertext"]});
        scene.call(FIRST, Method::POST, &format!("{KEY}:decrypt"), &body)
    };
    assert_eq!((open(&first).0, open(&second).0), (200, 200));
    let set = |state: &str| {
        let url = format!("{versions}/1?updateMask=state");
        scene.must(Method::PATCH, &url, &json!({"state": state}))
    };
    set("DISABLED");
    let (status, refused) = open(&first);
    assert_eq!(
        (status, &refused["error"]["status"]),
        (400, &json!("FAILED_PRECONDITION"))
    );
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(
        message.ends_with("/cryptoKeyVersions/1 is not enabled, current state is: DISABLED."),
        "{message}"
    );
    set("ENABLED");
    let order = |what: &str| {
        scene.must(Method::POST, &format!("{versions}/1:{what}"), &json!({}))["state"].clone()
    };
    assert_eq!(order("destroy"), "DESTROY_SCHEDULED");
    assert_eq!(open(&first).0, 400);
    assert_eq!(order("restore"), "DISABLED");
    let listed = scene.get(&format!("{versions}?pageSize=1"));
    assert_eq!(
        (names(&listed["cryptoKeyVersions"]), &listed["totalSize"]),
        (vec!["1".to_owned()], &json!(2))
    );
    let token = listed["nextPageToken"].as_str().unwrap();
    let rest = scene.get(&format!("{versions}?pageToken={token}"));
    assert_eq!(names(&rest["cryptoKeyVersions"]), ["2"]);
}

#[test]
fn rings_and_keys_are_listed_and_never_deleted() {
    let scene = with_key();
    let (ring, _) = KEY.split_once("/cryptoKeys/").unwrap();
    let (rings, _) = ring.rsplit_once('/').unwrap();
    assert_eq!(names(&scene.get(rings)["keyRings"]), ["ring"]);
    assert_eq!(
        names(&scene.get(&format!("{ring}/cryptoKeys"))["cryptoKeys"]),
        ["data"]
    );
    let labels = json!({"labels": {"team": "bank"}});
    scene.must(Method::PATCH, &format!("{KEY}?updateMask=labels"), &labels);
    assert_eq!(scene.get(KEY)["labels"], labels["labels"]);
    for url in [ring, KEY] {
        assert_eq!(scene.status(Method::DELETE, url, &Value::Null), 404);
    }
    assert_eq!(scene.call(SECOND, Method::GET, rings, &Value::Null).0, 403);
}

#[test]
fn topics_and_subscriptions_are_listed_changed_and_deleted() {
    let scene = Scene::set();
    let project = format!("pubsub/projects/{FIRST}");
    let topic = format!("{project}/topics/data");
    let subscription = format!("{project}/subscriptions/data");
    let name = format!("projects/{FIRST}/topics/data");
    scene.must(Method::PUT, &topic, &json!({}));
    scene.must(Method::PUT, &subscription, &json!({"topic": name}));
    assert_eq!(
        names(&scene.get(&format!("{project}/topics"))["topics"]),
        ["data"]
    );
    assert_eq!(
        names(&scene.get(&format!("{project}/subscriptions"))["subscriptions"]),
        ["data"]
    );
    assert_eq!(
        names(&scene.get(&format!("{topic}/subscriptions"))["subscriptions"]),
        ["data"]
    );
    let change =
        json!({"subscription": {"ackDeadlineSeconds": 60}, "updateMask": "ackDeadlineSeconds"});
    assert_eq!(
        scene.must(Method::PATCH, &subscription, &change)["ackDeadlineSeconds"],
        60
    );
    assert_eq!(
        scene.call(SECOND, Method::DELETE, &topic, &Value::Null).0,
        403
    );
    scene.must(Method::DELETE, &topic, &Value::Null);
    assert_eq!(scene.status(Method::GET, &topic, &Value::Null), 404);
    assert_eq!(scene.get(&subscription)["topic"], "_deleted-topic_");
    scene.must(Method::DELETE, &subscription, &Value::Null);
    assert_eq!(
        scene.status(Method::DELETE, &subscription, &Value::Null),
        404
    );
}

/// A token of a service account that was created for it.
pub fn account(scene: &Scene, id: &str) -> String {
    let accounts = format!("iam/projects/{FIRST}/serviceAccounts");
    scene.must(Method::POST, &accounts, &json!({"accountId": id}));
    let url = format!(
        "iam/projects/-/serviceAccounts/{id}@{FIRST}.iam.gserviceaccount.com:generateAccessToken"
    );
    let asked =
        json!({"scope": ["https://www.googleapis.com/auth/cloud-platform"], "lifetime": "600s"});
    assert_eq!(scene.call(SECOND, Method::POST, &url, &asked).0, 403);
    for wrong in [
        json!({"lifetime": "600s"}),
        json!({"scope": ["s"], "lifetime": "7200s"}),
    ] {
        assert_eq!(scene.status(Method::POST, &url, &wrong), 400);
    }
    let token = scene.must(Method::POST, &url, &asked)["accessToken"].clone();
    token.as_str().unwrap().to_owned()
}

#[test]
fn a_service_account_may_do_what_its_roles_say() {
    let scene = Scene::set();
    let [publisher, subscriber] = ["publisher", "subscriber"].map(|id| account(&scene, id));
    let project = format!("pubsub/projects/{FIRST}");
    let (topic, subscription) = (
        format!("{project}/topics/data"),
        format!("{project}/subscriptions/data"),
    );
    scene.must(Method::PUT, &topic, &json!({}));
    scene.must(
        Method::PUT,
        &subscription,
        &json!({"topic": format!("projects/{FIRST}/topics/data")}),
    );
    let publish = |token: &str| {
        let body = json!({"messages": [{"data": "b25l"}]});
        scene
            .call_as(token, Method::POST, &format!("{topic}:publish"), &body)
            .0
    };
    let pull = |token: &str| {
        let body = json!({"maxMessages": 1});
        scene
            .call_as(token, Method::POST, &format!("{subscription}:pull"), &body)
            .0
    };
    assert_eq!((publish(&publisher), pull(&subscriber)), (403, 403));
    for (url, role) in [(&topic, "publisher"), (&subscription, "subscriber")] {
        let member = format!("serviceAccount:{role}@{FIRST}.iam.gserviceaccount.com");
        let policy = json!({"policy": {"bindings": [{"role": format!("roles/pubsub.{role}"), "members": [member]}]}});
        scene.must(Method::POST, &format!("{url}:setIamPolicy"), &policy);
    }
    assert_eq!((publish(&publisher), pull(&publisher)), (200, 403));
    assert_eq!((publish(&subscriber), pull(&subscriber)), (403, 200));
    // A role on the project is one on all of its resources.
    let owner = format!("serviceAccount:owner@{FIRST}.iam.gserviceaccount.com");
    let member = format!("serviceAccount:publisher@{FIRST}.iam.gserviceaccount.com");
    let policy = json!({"policy": {"bindings": [
        {"role": "roles/owner", "members": [owner]},
        {"role": "roles/pubsub.subscriber", "members": [member]},
    ]}});
    let set = format!("resource_manager/projects/{FIRST}:setIamPolicy");
    scene.must(Method::POST, &set, &policy);
    assert_eq!(pull(&publisher), 200);
    let nobody = json!({"policy": {"bindings": []}});
    assert_eq!(scene.status(Method::POST, &set, &nobody), 400);
    // With the account goes its token.
    let accounts = format!("iam/projects/{FIRST}/serviceAccounts");
    let url = format!("{accounts}/publisher@{FIRST}.iam.gserviceaccount.com");
    scene.must(Method::DELETE, &url, &Value::Null);
    assert_eq!(publish(&publisher), 401);
    let listed = scene.get(&accounts);
    assert_eq!(
        listed["accounts"][0]["email"],
        format!("subscriber@{FIRST}.iam.gserviceaccount.com")
    );
    assert_eq!(listed["accounts"].as_array().unwrap().len(), 1);
}

#[test]
fn a_project_is_described_to_those_who_may_see_it() {
    let scene = Scene::set();
    let url = format!("resource_manager/projects/{FIRST}");
    let found = scene.get(&url);
    assert_eq!(
        found["projectNumber"],
        scene.endpoints["projects"][FIRST]["number"]
    );
    assert_eq!(scene.call(SECOND, Method::GET, &url, &Value::Null).0, 403);
    let above = scene.must(Method::POST, &format!("{url}:getAncestry"), &json!({}));
    let own = json!({"ancestor": [{"resourceId": {"type": "project", "id": FIRST}}]});
    assert_eq!(above, own);
    let asked = json!({"permissions": ["resourcemanager.projects.get"]});
    let test = format!("{url}:testIamPermissions");
    assert_eq!(scene.must(Method::POST, &test, &asked), asked);
    assert_eq!(
        scene.call(SECOND, Method::POST, &test, &asked).1,
        json!({"permissions": []})
    );
}
