//! Custom roles, and the folders and organisation that a project is in.

use super::*;

const DECRYPT: &str = "cloudkms.cryptoKeyVersions.useToDecrypt";
const ABOVE: [&str; 2] = ["folders/12", "organizations/3"];

/// The first project is in a folder of an organisation, the second one in another organisation.
fn arranged() -> Scene {
    let mut scene = Scene::set();
    scene.parents = vec![
        format!("{FIRST}=organizations/3/folders/12")
            .parse()
            .unwrap(),
        format!("{SECOND}=organizations/4").parse().unwrap(),
    ];
    scene.restart();
    scene
}

fn bind(scene: &Scene, resource: &str, role: &str, member: &str) -> u16 {
    let policy = json!({"policy": {"bindings": [{"role": role, "members": [member]}]}});
    let url = format!("{resource}:setIamPolicy");
    scene.call(FIRST, Method::POST, &url, &policy).0
}

fn owner(project: &str) -> String {
    format!("serviceAccount:owner@{project}.iam.gserviceaccount.com")
}

/// A key of the first project, as a resource.
fn key(scene: &Scene) -> String {
    let rings = format!("kms/projects/{FIRST}/locations/global/keyRings");
    let purpose = json!({"purpose": "ENCRYPT_DECRYPT"});
    for (url, body) in [
        (format!("{rings}?keyRingId=ring"), json!({})),
        (format!("{rings}/ring/cryptoKeys?cryptoKeyId=data"), purpose),
    ] {
        assert_eq!(scene.call(FIRST, Method::POST, &url, &body).0, 200);
    }
    format!("{rings}/ring/cryptoKeys/data")
}

fn may_decrypt(scene: &Scene, key: &str) -> bool {
    let url = format!("{key}:testIamPermissions");
    let asked = json!({"permissions": [DECRYPT]});
    scene.call(SECOND, Method::POST, &url, &asked).1 == asked
}

#[test]
fn a_custom_role_is_made_granted_changed_and_deleted() {
    let scene = Scene::set();
    let key = key(&scene);
    let roles = format!("iam/projects/{FIRST}/roles");
    let role = json!({"title": "Opener", "includedPermissions": [DECRYPT], "stage": "GA"});
    let new = json!({"roleId": "opener", "role": role});
    assert_eq!(scene.call(SECOND, Method::POST, &roles, &new).0, 403);
    let (status, made) = scene.call(FIRST, Method::POST, &roles, &new);
    assert_eq!((status, &made["stage"]), (200, &json!("GA")));
    let name = format!("projects/{FIRST}/roles/opener");
    assert_eq!(made["name"], name);
    assert_eq!(scene.call(FIRST, Method::POST, &roles, &new).0, 409);
    let wrong = json!({"roleId": "no", "role": role});
    assert_eq!(scene.call(FIRST, Method::POST, &roles, &wrong).0, 400);

    let one = format!("iam/{name}");
    let get = || scene.call(FIRST, Method::GET, &one, &Value::Null);
    assert_eq!(get(), (200, made.clone()));
    assert_eq!(scene.call(SECOND, Method::GET, &one, &Value::Null).0, 403);
    assert_eq!(bind(&scene, &key, &name, &owner(SECOND)), 200);
    let elsewhere = format!("projects/{SECOND}/roles/opener");
    assert_eq!(bind(&scene, &key, &elsewhere, &owner(SECOND)), 400);
    assert!(may_decrypt(&scene, &key));

    let patch = |mask: &str, body: &Value| {
        let url = format!("{one}?updateMask={mask}");
        scene.call(FIRST, Method::PATCH, &url, body)
    };
    let stage = json!({"stage": "DISABLED", "etag": made["etag"]});
    assert_eq!(patch("stage", &stage).0, 200);
    assert!(!may_decrypt(&scene, &key));
    assert_eq!(patch("stage", &stage).0, 409);
    assert_eq!(patch("", &json!({"stage": "BETA"})).1["title"], "Opener");
    assert!(may_decrypt(&scene, &key));
    let unknown = json!({"includedPermissions": ["cloudkms.*"]});
    assert_eq!(patch("includedPermissions", &unknown).0, 400);

    let (status, deleted) = scene.call(FIRST, Method::DELETE, &one, &Value::Null);
    assert_eq!((status, &deleted["deleted"]), (200, &json!(true)));
    assert!(!may_decrypt(&scene, &key));
    let list = |query: &str| {
        let url = format!("{roles}{query}");
        scene.call(FIRST, Method::GET, &url, &Value::Null).1["roles"].clone()
    };
    assert_eq!(list(""), json!([]));
    assert_eq!(list("?showDeleted=True&view=FULL"), json!([deleted]));
    let undelete = format!("{one}:undelete");
    assert_eq!(
        scene.call(FIRST, Method::POST, &undelete, &json!({})).0,
        200
    );
    assert!(may_decrypt(&scene, &key));
}

#[test]
fn a_predefined_role_is_described_to_everyone() {
    let scene = Scene::set();
    let get = |name: &str| scene.call(SECOND, Method::GET, &format!("iam/{name}"), &Value::Null);
    let (status, found) = get("roles/cloudkms.cryptoKeyDecrypter");
    assert_eq!(status, 200);
    assert_eq!(found["title"], "Cloud KMS CryptoKey Decrypter");
    assert_eq!(found["includedPermissions"], json!([DECRYPT]));
    let (status, refused) = get("roles/none");
    let words = "The role named roles/none was not found.";
    assert_eq!((status, &refused["error"]["message"]), (404, &json!(words)));
    let page = get("roles?pageSize=2").1;
    assert_eq!(page["roles"].as_array().unwrap().len(), 2);
    assert_eq!(page["roles"][0]["includedPermissions"], Value::Null);
    let next = page["nextPageToken"].as_str().unwrap();
    let rest = get(&format!("roles?pageToken={next}&view=FULL")).1;
    assert!(rest["roles"][0]["includedPermissions"].is_array());
    let query = "iam/permissions:queryTestablePermissions";
    let all = json!({"pageSize": 1000});
    let (status, testable) = scene.call(FIRST, Method::POST, query, &all);
    let testable = testable["permissions"].as_array().unwrap();
    assert_eq!(status, 200);
    assert!(testable.iter().any(|one| one["name"] == DECRYPT));
}

#[test]
fn a_project_inherits_the_policies_of_its_folder_and_organisation() {
    let scene = arranged();
    let project = format!("resource_manager/projects/{FIRST}");
    let url = format!("{project}:getAncestry");
    let above = scene.call(FIRST, Method::POST, &url, &json!({})).1;
    let id = |kind: &str, id: &str| json!({"resourceId": {"type": kind, "id": id}});
    let expected = json!([
        id("project", FIRST),
        id("folder", "12"),
        id("organization", "3")
    ]);
    assert_eq!(above["ancestor"], expected);
    let parent = &scene.call(FIRST, Method::GET, &project, &Value::Null).1["parent"];
    assert_eq!(*parent, json!({"type": "folder", "id": "12"}));
    let address = scene.endpoints["resource_manager"].as_str().unwrap();
    let url = format!("{address}/v3/projects/{FIRST}");
    let newest = scene
        .send(&scene.token(FIRST), Method::GET, &url, &Value::Null)
        .1;
    assert_eq!(newest["parent"], "folders/12");

    let key = key(&scene);
    let role = "roles/cloudkms.cryptoKeyDecrypter";
    let folder = "resource_manager/folders/12";
    assert!(!may_decrypt(&scene, &key));
    assert_eq!(bind(&scene, folder, role, &owner(SECOND)), 200);
    assert!(may_decrypt(&scene, &key));
    assert_eq!(bind(&scene, folder, role, &owner(FIRST)), 200);
    assert!(!may_decrypt(&scene, &key));
    for name in ABOVE {
        let get = |caller: &str| {
            let url = format!("resource_manager/{name}:getIamPolicy");
            scene.call(caller, Method::POST, &url, &json!({}))
        };
        let (status, policy) = get(FIRST);
        let members = &policy["bindings"][0]["members"];
        assert_eq!((status, members), (200, &json!([owner(FIRST)])), "{name}");
        assert_eq!(get(SECOND).0, 403);
        let url = format!("resource_manager/{name}");
        let (status, found) = scene.call(FIRST, Method::GET, &url, &Value::Null);
        assert_eq!((status, &found["name"]), (200, &json!(name)));
        assert_eq!(scene.call(SECOND, Method::GET, &url, &Value::Null).0, 403);
    }
    for name in ["folders/13", "organizations/5"] {
        let url = format!("resource_manager/{name}:getIamPolicy");
        assert_eq!(
            scene.call(FIRST, Method::POST, &url, &json!({})).0,
            403,
            "{name}"
        );
    }
}

/// What an administrator has set outlives a restart, and a custom role of an organisation can be granted below it.
#[test]
fn an_organisation_has_roles_and_an_administrator() {
    let mut scene = arranged();
    let key = key(&scene);
    let roles = "iam/organizations/3/roles";
    let new = json!({"roleId": "opener", "role": {"includedPermissions": [DECRYPT]}});
    assert_eq!(scene.call(FIRST, Method::POST, roles, &new).0, 403);
    let organization = "resource_manager/organizations/3";
    let admins = json!({"policy": {"bindings": [
        {"role": "roles/resourcemanager.organizationAdmin", "members": [owner(FIRST)]},
        {"role": "roles/iam.organizationRoleAdmin", "members": [owner(FIRST)]},
    ]}});
    let set = format!("{organization}:setIamPolicy");
    assert_eq!(scene.call(SECOND, Method::POST, &set, &admins).0, 403);
    assert_eq!(scene.call(FIRST, Method::POST, &set, &admins).0, 200);
    let (status, made) = scene.call(FIRST, Method::POST, roles, &new);
    assert_eq!((status, &made["stage"]), (200, &json!("ALPHA")));
    let name = made["name"].as_str().unwrap();
    assert_eq!(bind(&scene, &key, name, &owner(SECOND)), 200);
    assert!(may_decrypt(&scene, &key));
    scene.restart();
    assert!(may_decrypt(&scene, &key));
    let other = "iam/organizations/4/roles";
    assert_eq!(scene.call(FIRST, Method::POST, other, &new).0, 403);
    let asked = json!({"permissions": ["resourcemanager.organizations.setIamPolicy"]});
    let test = format!("{organization}:testIamPermissions");
    assert_eq!(scene.call(FIRST, Method::POST, &test, &asked).1, asked);
    let none = json!({"permissions": []});
    assert_eq!(scene.call(SECOND, Method::POST, &test, &asked).1, none);
}
