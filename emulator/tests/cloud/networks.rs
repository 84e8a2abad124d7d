//! Networks of Compute Engine.

use super::*;

impl Scene {
    /// A call of Compute Engine by the first owner, below `projects/P/`.
    pub(super) fn compute(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let url = format!(
            "{}/compute/v1/projects/{FIRST}/{path}",
            self.endpoints["compute"].as_str().unwrap()
        );
        self.send(&self.token(FIRST), method, &url, body)
    }
}

#[test]
fn a_network_in_use_is_not_deleted() {
    let scene = Scene::set();
    let must = |method: Method, path: &str, body: Value| {
        let (status, answer) = scene.compute(method, path, &body);
        assert_eq!(status, 200, "{path}: {answer}");
    };
    let subnetworks = "regions/us-central1/subnetworks";
    for (name, network) in [
        ("one", format!("projects/{FIRST}/global/networks/one")),
        ("two", "global/networks/two".to_owned()),
        (
            "three",
            format!("https://x/compute/v1/projects/{FIRST}/global/networks/three"),
        ),
    ] {
        must(Method::POST, "global/networks", json!({"name": name}));
        let body = json!({"name": name, "network": network, "ipCidrRange": "10.0.0.0/24"});
        must(Method::POST, subnetworks, body);
        let path = format!("global/networks/{name}");
        let (status, refused) = scene.compute(Method::DELETE, &path, &Value::Null);
        assert_eq!(status, 400, "{refused}");
        let reason = &refused["error"]["errors"][0]["reason"];
        assert_eq!(reason, "resourceInUseByAnotherResource");
        must(
            Method::DELETE,
            &format!("{subnetworks}/{name}"),
            Value::Null,
        );
        must(Method::DELETE, &path, Value::Null);
    }
}

#[test]
fn a_field_of_another_type_is_not_an_absent_one() {
    let scene = Scene::set();
    let post = |path: &str, body: Value| scene.compute(Method::POST, path, &body);
    assert_eq!(post("global/networks", json!({"name": "one"})).0, 200);
    for (path, body, field) in [
        ("global/networks", json!({"name": 1}), "name"),
        (
            "regions/us-central1/subnetworks",
            json!({"name": "s", "network": "global/networks/one", "ipCidrRange": 1}),
            "ipCidrRange",
        ),
    ] {
        let (status, refused) = post(path, body);
        assert_eq!(status, 400, "{refused}");
        let message = refused["error"]["message"].as_str().unwrap();
        let words = format!("Invalid value at '{field}'");
        assert!(message.starts_with(&words), "{message}");
    }
}
