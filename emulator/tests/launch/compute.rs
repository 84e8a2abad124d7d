//! Compute Engine: an instance launches an image as its metadata say.

mod power;

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::*;

const ZONE: &str = "projects/operator/zones/us-central1-a";
const ACCOUNT: &str = "runner@operator.iam.gserviceaccount.com";

/// A running emulator with one project.
struct Cloud {
    process: Child,
    endpoints: Value,
    runtime: Runtime,
    state: TempDir,
}

impl Drop for Cloud {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.process), Signal::TERM);
        let _ = self.process.wait();
    }
}

fn serve(state: &TempDir) -> (Child, Value) {
    let mut serve = Command::new(env!("CARGO_BIN_EXE_emulator"));
    serve.args(["serve", "--project", "operator", "--state"]);
    serve.arg(state.path()).stdout(Stdio::piped());
    // A free address: the listener that found it is gone.
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    serve.arg("--metadata-address");
    serve.arg(free.local_addr().unwrap().to_string());
    drop(free);
    let mut process = serve.spawn().unwrap();
    let mut line = String::new();
    let mut output = BufReader::new(process.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    (process, serde_json::from_str(&line).unwrap())
}

impl Cloud {
    /// An emulator with a service account that has these roles.
    fn with(roles: &[&str]) -> Self {
        let state = tempfile::tempdir().unwrap();
        let (process, endpoints) = serve(&state);
        let cloud = Self {
            process,
            endpoints,
            runtime: Runtime::new().unwrap(),
            state,
        };
        let body = json!({"accountId": "runner"});
        cloud.must(
            Method::POST,
            "iam/v1/projects/operator/serviceAccounts",
            &body,
        );
        let owner = "serviceAccount:owner@operator.iam.gserviceaccount.com";
        let runner = format!("serviceAccount:{ACCOUNT}");
        let mut bindings = vec![json!({"role": "roles/owner", "members": [owner]})];
        bindings.extend(
            roles
                .iter()
                .map(|role| json!({"role": role, "members": [runner]})),
        );
        let policy = json!({"policy": {"bindings": bindings}});
        let set = "resource_manager/v1/projects/operator:setIamPolicy";
        cloud.must(Method::POST, set, &policy);
        cloud
    }

    fn restart(&mut self) {
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        self.process.wait().unwrap();
        (self.process, self.endpoints) = serve(&self.state);
    }

    fn call(&self, method: Method, url: &str, body: &Value) -> (u16, Value) {
        let (service, path) = url.split_once('/').unwrap();
        let url = format!("{}/{path}", self.endpoints[service].as_str().unwrap());
        let token = self.endpoints["projects"]["operator"]["access_token"].as_str();
        let token = std::fs::read_to_string(token.unwrap()).unwrap();
        let request = Client::new().request(method, url).bearer_auth(token);
        let request = match body.is_null() {
            true => request,
            false => request.json(body),
        };
        self.runtime.block_on(async {
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.json().await.unwrap())
        })
    }

    fn must(&self, method: Method, url: &str, body: &Value) -> Value {
        let (status, answer) = self.call(method, url, body);
        assert_eq!(status, 200, "{url}: {answer}");
        answer
    }

    fn get(&self, url: &str) -> Value {
        self.must(Method::GET, url, &Value::Null)
    }

    /// Creates an instance with these metadata.
    fn create(&self, name: &str, metadata: &[(&str, &str)]) {
        self.create_with(name, metadata, |_| {});
    }

    /// Creates an instance with these metadata and a change of the request.
    fn create_with(&self, name: &str, metadata: &[(&str, &str)], change: fn(&mut Value)) {
        let (status, answer) = self.try_create(name, metadata, change);
        assert_eq!(status, 200, "{name}: {answer}");
    }

    fn try_create(
        &self,
        name: &str,
        metadata: &[(&str, &str)],
        change: fn(&mut Value),
    ) -> (u16, Value) {
        let item = |(key, value): &(&str, &str)| json!({"key": key, "value": value});
        let items: Vec<_> = metadata.iter().map(item).collect();
        let mut body = json!({
            "name": name,
            "machineType": "zones/us-central1-a/machineTypes/c3-standard-4",
            "confidentialInstanceConfig": {"confidentialInstanceType": "TDX"},
            "shieldedInstanceConfig": {"enableSecureBoot": true},
            "scheduling": {"onHostMaintenance": "TERMINATE"},
            "disks": [{"boot": true, "initializeParams": {
                "sourceImage": "projects/confidential-space-images/global/images/family/confidential-space",
            }}],
            "networkInterfaces": [{}],
            "serviceAccounts": [{"email": ACCOUNT, "scopes": ["https://www.googleapis.com/auth/cloud-platform"]}],
            "metadata": {"items": items},
        });
        change(&mut body);
        let url = format!("compute/compute/v1/{ZONE}/instances");
        self.call(Method::POST, &url, &body)
    }

    /// Waits until the machine is off.
    fn until_off(&self, name: &str) {
        let end = Instant::now() + Duration::from_secs(60);
        while self.status(name) != "TERMINATED" {
            assert!(Instant::now() < end, "{}", self.serial(name));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Asks for something: the status, and the operation or the error.
    fn ask(&self, method: Method, name: &str, what: &str) -> (u16, Value) {
        let url = format!("compute/compute/v1/{ZONE}/instances/{name}{what}");
        self.call(method, &url, &Value::Null)
    }

    fn status(&self, name: &str) -> String {
        let found = self.get(&format!("compute/compute/v1/{ZONE}/instances/{name}"));
        found["status"].as_str().unwrap().to_owned()
    }

    fn serial(&self, name: &str) -> String {
        let found = self.get(&format!(
            "compute/compute/v1/{ZONE}/instances/{name}/serialPort"
        ));
        found["contents"].as_str().unwrap().to_owned()
    }

    /// Waits until the serial port shows a text.
    fn until(&self, name: &str, text: &str) -> String {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let serial = self.serial(name);
            if serial.contains(text) {
                return serial;
            }
            assert!(Instant::now() < end, "no {text:?} in {serial}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Asks for something, and waits until it is done.
    fn order(&self, method: Method, name: &str, what: &str) {
        let url = format!("compute/compute/v1/{ZONE}/instances/{name}{what}");
        let operation = self.must(method, &url, &Value::Null);
        let operation = operation["name"].as_str().unwrap();
        let wait = format!("compute/compute/v1/{ZONE}/operations/{operation}/wait");
        let done = self.must(Method::POST, &wait, &Value::Null);
        assert_eq!(done["status"], "DONE");
    }

    fn logged(&self, name: &str) -> Vec<Value> {
        let entries = self.entries(name).into_iter();
        entries.map(|entry| entry["message"].clone()).collect()
    }

    fn entries(&self, name: &str) -> Vec<Value> {
        let body = json!({
            "resourceNames": ["projects/operator"],
            "filter": format!("resource.type=\"gce_instance\" jsonPayload._HOSTNAME=\"{name}\""),
            "orderBy": "timestamp asc",
        });
        let found = self.must(Method::POST, "logging/v2/entries:list", &body);
        let entries = found["entries"].as_array().unwrap();
        entries
            .iter()
            .map(|entry| entry["jsonPayload"].clone())
            .collect()
    }
}

const WORKLOAD: &str = "roles/confidentialcomputing.workloadUser";
const LOGS: &str = "roles/logging.logWriter";

#[test]
fn an_instance_is_a_launch() {
    let Some(scene) = Scene::set() else { return };
    let image = scene.push(open_image(), vec![]);
    let mut cloud = Cloud::with(&[WORKLOAD, LOGS]);
    let asked = [
        ("tee-image-reference", image.as_str()),
        ("tee-container-log-redirect", "true"),
    ];
    cloud.create("vm1", &asked);
    let serial = cloud.until(
        "vm1",
        "workload finished successfully, shutting down the VM",
    );
    assert!(
        serial.contains("uid 65532 gid 65533 pid 1 ppid 0\n"),
        "{serial}"
    );
    let logged = cloud.logged("vm1");
    assert!(
        logged.contains(&json!("uid 65532 gid 65533 pid 1 ppid 0")),
        "{logged:?}"
    );
    cloud.until_off("vm1");
    // Silent: neither port nor log.
    cloud.create("vm2", &[asked[0], ("tee-container-log-redirect", "false")]);
    let serial = cloud.until("vm2", "shutting down the VM");
    assert!(!serial.contains("uid"), "{serial}");
    cloud.until_off("vm2");
    // What the image does not allow, and what is no specification.
    for (more, words) in [
        (
            ("tee-env-LD_PRELOAD", "/x"),
            "env var {LD_PRELOAD /x} is not allowed to be overridden",
        ),
        (
            ("tee-restart-policy", "Sometimes"),
            "invalid restart policy: Sometimes",
        ),
    ] {
        cloud.create("vm3", &[asked[0], more]);
        let serial = cloud.until("vm3", "workload or launcher error, shutting down the VM");
        assert!(serial.contains(words), "{serial}");
        cloud.until_off("vm3");
        cloud.order(Method::DELETE, "vm3", "");
        let gone = cloud.call(
            Method::GET,
            &format!("compute/compute/v1/{ZONE}/instances/vm3"),
            &Value::Null,
        );
        assert_eq!(gone.0, 404);
    }
    let serial = cloud.serial("vm1");
    cloud.restart();
    assert_eq!(
        (cloud.status("vm1"), cloud.serial("vm1")),
        ("TERMINATED".to_owned(), serial)
    );
    assert!(cloud.logged("vm1").len() > 1);
}

#[test]
fn an_account_without_the_role_gets_no_token() {
    let Some(scene) = Scene::set() else { return };
    let image = scene.push(open_image(), vec![]);
    let cloud = Cloud::with(&[LOGS]);
    cloud.create("vm1", &[("tee-image-reference", &image)]);
    let serial = cloud.until("vm1", "shutting down the VM");
    let words = "Permission 'confidentialcomputing.challenges.create' denied on resource 'projects/operator/locations/us-central1'";
    assert!(serial.contains(words), "{serial}");
}

/// Without credentials, the operator is trusted; a machine is not.
#[test]
fn an_instance_without_an_account_gets_no_token() {
    let Some(scene) = Scene::set() else { return };
    let image = scene.push(open_image(), vec![]);
    let cloud = Cloud::with(&[WORKLOAD]);
    cloud.create_with("vm1", &[("tee-image-reference", &image)], |body| {
        body["serviceAccounts"] = json!([]);
    });
    let serial = cloud.until("vm1", "shutting down the VM");
    let words = "googleapi: Error 401: Request had invalid authentication credentials.";
    assert!(serial.contains(words), "{serial}");
}
