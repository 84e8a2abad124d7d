//! Logging in with the credentials of Docker's store.

use super::*;

const PASSWORD_FILE: &str = include_str!("htpasswd");

/// Runs the test program again with a credential store, which only the environment can name.
#[test]
fn credentials_come_from_the_docker_store() {
    let test = "credentials_come_from_the_docker_store";
    let passwords = tempfile::tempdir().unwrap();
    let file = passwords.path().join("htpasswd");
    fs::write(&file, PASSWORD_FILE).unwrap();
    let auth = format!(
        "auth:\n  htpasswd: {{realm: test, path: {}}}\n",
        file.display()
    );
    let Some(server) = Server::start(test, &auth) else {
        return;
    };
    let repository = server.repository("a/b");
    let helper = passwords.path().join("docker-credential-test");
    let answer = r#"{"ServerURL":"x","Username":"user","Secret":"password"}"#;
    fs::write(&helper, format!("#!/bin/sh\necho '{answer}'\n")).unwrap();
    fs::set_permissions(&helper, Permissions::from_mode(0o755)).unwrap();
    let host = repository.registry();
    let push = |store: String| push_with(passwords.path(), &repository, &store);
    for right in [
        format!(r#"{{"auths":{{"{host}":{{"auth":"dXNlcjpwYXNzd29yZA=="}}}}}}"#),
        format!(r#"{{"credHelpers":{{"{host}":"test"}}}}"#),
        format!(r#"{{"auths":{{"http://{host}":{{}}}},"credsStore":"test"}}"#),
    ] {
        let output = push(right);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}");
    }
    let guess = r#"{"username":"user","password":"guess"}"#;
    for wrong in [
        format!(r#"{{"auths":{{"{host}":{guess}}}}}"#),
        "{}".to_owned(),
    ] {
        let output = push(wrong);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success() && text.contains("401"), "{text}");
        assert!(!text.contains("guess"), "{text}");
    }
}

/// A broken credential helper matters only where the registry requires credentials.
#[test]
fn public_images_need_no_working_credential_store() {
    let test = "public_images_need_no_working_credential_store";
    let Some(public) = Server::start(test, "") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let passwords = folder.path().join("htpasswd");
    fs::write(&passwords, PASSWORD_FILE).unwrap();
    let path = passwords.display();
    let auth = format!("auth:\n  htpasswd: {{realm: test, path: {path}}}\n");
    let private = Server::start(test, &auth).unwrap();
    let helper = |name: &str, script: &str| {
        let path = folder.path().join(format!("docker-credential-{name}"));
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    };
    helper(
        "knows-nothing",
        "echo credentials not found in native keychain; exit 1",
    );
    helper("fails", "echo secret; exit 2");
    helper("babbles", "echo secret");
    let public = public.repository("a/b");
    let private = private.repository("a/b");
    for (store, reported) in [
        ("", ""),
        (r#"{"credsStore":""}"#, ""),
        (r#"{"auths":null}"#, ""),
        (r#"{"credsStore":"knows-nothing"}"#, ""),
        (r#"{"credHelpers":{"127.0.0.1:PORT":"knows-nothing"}}"#, ""),
        (
            r#"{"credsStore":"desktop.exe"}"#,
            "running docker-credential-desktop.exe",
        ),
        (
            r#"{"credHelpers":{"127.0.0.1:PORT":"fails"}}"#,
            "docker-credential-fails returned no credentials: exit status 2",
        ),
        (
            r#"{"credsStore":"babbles"}"#,
            "docker-credential-babbles returned no credentials: its output",
        ),
    ] {
        let store = |repository: &Repository| {
            let (_, port) = repository.registry().split_once(':').unwrap();
            store.replace("PORT", port)
        };
        let output = push_with(folder.path(), &public, &store(&public));
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}: {text}", store(&public));
        let output = push_with(folder.path(), &private, &store(&private));
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success(), "{text}");
        let expected = match reported {
            "" => "401",
            reported => reported,
        };
        assert!(text.contains(expected), "{}: {text}", store(&private));
        assert!(!text.contains("secret"), "{text}");
    }
}

fn push_with(dir: &Path, repository: &Repository, store: &str) -> Output {
    fs::write(dir.join("config.json"), store).unwrap();
    let path = std::env::var("PATH").unwrap();
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "--ignored",
            "credentials::pushes_to_the_repository_of_the_environment",
        ])
        .env("DOCKER_CONFIG", dir)
        .env("PATH", format!("{}:{path}", dir.display()))
        .env("REPOSITORY", repository.to_string())
        .output()
        .unwrap()
}

/// Runs in the child processes of the tests of credential stores.
#[tokio::test]
#[ignore = "needs REPOSITORY"]
async fn pushes_to_the_repository_of_the_environment() {
    let repository = std::env::var("REPOSITORY").unwrap().parse().unwrap();
    let registry = Registry::connect(&repository, &Transport::PlainHttp).unwrap();
    if let Err(error) = registry.resolve(&tag("v1")).await {
        panic!("{error}");
    }
    let dir = tempfile::tempdir().unwrap();
    let layout = layout(dir.path(), 1000);
    let target = Target::Tag(tag("v1"));
    registry.push_layout(&layout, &target).await.unwrap();
}
