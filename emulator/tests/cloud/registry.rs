//! Who may read and write the registry.

use super::*;

/// With `--registry-writers owners`, everyone reads a repository, and only the owner of its project writes to it.
#[test]
fn a_party_may_read_another_ones_repository_only() {
    let scene = Scene::with(Writers::Owners);
    let registry = format!(
        "http://{}/v2",
        scene.endpoints["registry"].as_str().unwrap()
    );
    let begin = format!("{registry}/{FIRST}/image/blobs/uploads/");
    let status = |method: Method, url: &str, owner: Option<&str>| {
        let request = Client::new().request(method, url);
        let request = match owner {
            Some(owner) => request.basic_auth("oauth2accesstoken", Some(scene.token(owner))),
            None => request,
        };
        let answer = scene.runtime.block_on(request.send()).unwrap();
        (
            answer.status().as_u16(),
            answer.headers().contains_key("www-authenticate"),
        )
    };
    assert_eq!(status(Method::POST, &begin, None), (401, true));
    assert_eq!(status(Method::POST, &begin, Some(SECOND)), (403, false));
    assert_eq!(status(Method::POST, &begin, Some(FIRST)), (202, false));
    let tags = format!("{registry}/{FIRST}/image/tags/list");
    assert_eq!(status(Method::GET, &tags, None).0, 200);
    let other = format!("{registry}/elsewhere/image/blobs/uploads/");
    assert_eq!(status(Method::POST, &other, Some(FIRST)), (403, false));
    let version = format!("{registry}/");
    assert_eq!(status(Method::GET, &version, None), (401, true));
    assert_eq!(status(Method::GET, &version, Some(SECOND)), (200, false));
}

/// With `--registry-readers granted`, a service account reads a repository with the role of a reader only.
#[test]
fn a_repository_is_read_with_the_role_of_a_reader() {
    let mut scene = Scene::set();
    scene.users.readers = Readers::Granted;
    scene.restart();
    let tags = format!(
        "http://{}/v2/{FIRST}/image/tags/list",
        scene.endpoints["registry"].as_str().unwrap()
    );
    let read = |token: Option<&str>| {
        let request = Client::new().get(&tags);
        let request = match token {
            Some(token) => request.basic_auth("oauth2accesstoken", Some(token)),
            None => request,
        };
        let answer = scene.runtime.block_on(request.send());
        answer.unwrap().status().as_u16()
    };
    let reader = lifecycle::account(&scene, "reader");
    assert_eq!((read(None), read(Some(&reader))), (401, 403));
    let owner = format!("serviceAccount:owner@{FIRST}.iam.gserviceaccount.com");
    let member = format!("serviceAccount:reader@{FIRST}.iam.gserviceaccount.com");
    let policy = json!({"policy": {"bindings": [
        {"role": "roles/owner", "members": [owner]},
        {"role": "roles/artifactregistry.reader", "members": [member]},
    ]}});
    let set = format!("resource_manager/projects/{FIRST}:setIamPolicy");
    assert_eq!(scene.call(FIRST, Method::POST, &set, &policy).0, 200);
    // The repository is empty.
    assert_eq!(read(Some(&reader)), 404);
}

/// With a role on one repository, a service account reads and writes that one and no other.
#[test]
fn a_role_on_a_repository_is_on_no_other() {
    let mut scene = Scene::with(Writers::Owners);
    scene.users.readers = Readers::Granted;
    scene.restart();
    let account = lifecycle::account(&scene, "pusher");
    let registry = scene.endpoints["registry"].as_str().unwrap();
    let status = |method: Method, path: &str| {
        let request = Client::new().request(method, format!("http://{registry}/v2/{path}"));
        let request = request.basic_auth("oauth2accesstoken", Some(&account));
        let answer = scene.runtime.block_on(request.send());
        answer.unwrap().status().as_u16()
    };
    let both = |repository: &str| {
        let image = format!("{FIRST}/{repository}/app");
        let pull = status(Method::GET, &format!("{image}/tags/list"));
        (
            pull,
            status(Method::POST, &format!("{image}/blobs/uploads/")),
        )
    };
    let bind = |role: &str| {
        let member = format!("serviceAccount:pusher@{FIRST}.iam.gserviceaccount.com");
        let policy = json!({"policy": {"bindings": [{"role": role, "members": [member]}]}});
        let images = format!("projects/{FIRST}/locations/us/repositories/images");
        let url = format!("artifact_registry/{images}:setIamPolicy");
        let set = scene.call(FIRST, Method::POST, &url, &policy);
        let denied = scene.call(SECOND, Method::POST, &url, &policy);
        assert_eq!((set.0, denied.0), (200, 403), "{set:?}");
    };
    assert_eq!(both("images"), (403, 403));
    bind("roles/artifactregistry.reader");
    assert_eq!(both("images"), (404, 403));
    bind("roles/artifactregistry.writer");
    assert_eq!(both("images"), (404, 202));
    assert_eq!(both("others"), (403, 403));
}

/// A mount is a read of the other repository.
#[test]
fn a_blob_is_mounted_from_a_repository_that_the_caller_may_read() {
    let mut scene = Scene::set();
    scene.users.readers = Readers::Granted;
    scene.restart();
    let registry = format!(
        "http://{}/v2",
        scene.endpoints["registry"].as_str().unwrap()
    );
    let send = |method: Method, path: &str, owner: Option<&str>| {
        let request = Client::new().request(method, format!("{registry}/{path}"));
        let request = match owner {
            Some(owner) => request.basic_auth("oauth2accesstoken", Some(scene.token(owner))),
            None => request,
        };
        let answer = scene.runtime.block_on(request.body("secret").send());
        answer.unwrap().status().as_u16()
    };
    let digest = content::Digest::of(b"secret");
    let upload = format!("{FIRST}/image/blobs/uploads/?digest={digest}");
    assert_eq!(send(Method::POST, &upload, Some(FIRST)), 201);
    let mount = |to: &str, query: &str, owner: Option<&str>| {
        let path = format!("{to}/image/blobs/uploads/?{query}");
        send(Method::POST, &path, owner)
    };
    let from = format!("mount={digest}&from={FIRST}/image");
    assert_eq!(mount(FIRST, &from, Some(FIRST)), 201);
    for query in [
        from.clone(),
        format!("%6dount={digest}&from={FIRST}%2Fimage"),
        format!("mount={digest}&from={SECOND}/image&from={FIRST}/image"),
        format!("mount={digest}"),
    ] {
        // The client has to upload it.
        assert_eq!(mount(SECOND, &query, Some(SECOND)), 202, "{query}");
        assert_eq!(mount(SECOND, &query, None), 202, "{query}");
    }
    let blob = format!("{SECOND}/image/blobs/{digest}");
    assert_eq!(send(Method::GET, &blob, Some(SECOND)), 404);
}
