//! Instances are switched on and off.

use super::*;

#[test]
fn an_instance_is_switched_on_and_off() {
    let Some(scene) = Scene::set() else { return };
    let image = scene.push(open_image(), vec![]);
    let mut cloud = Cloud::with(&[WORKLOAD]);
    cloud.create(
        "vm1",
        &[
            ("tee-image-reference", &image),
            ("tee-container-log-redirect", "serial"),
            ("tee-cmd", "[\"obey\"]"),
        ],
    );
    let serial = cloud.until("vm1", "waiting\n");
    assert_eq!(cloud.status("vm1"), "RUNNING");
    // Its account may not write the log.
    assert!(
        serial.contains("writing to Cloud Logging: Permission 'logging.logEntries.create' denied"),
        "{serial}"
    );
    cloud.order(Method::POST, "vm1", "/stop");
    assert_eq!(cloud.status("vm1"), "TERMINATED");
    assert!(cloud.serial("vm1").contains("asked to end\n"));
    cloud.order(Method::POST, "vm1", "/start");
    cloud.until("vm1", "waiting\n");
    cloud.order(Method::POST, "vm1", "/reset");
    let twice = |serial: String| serial.matches("waiting\n").count() == 2;
    let end = Instant::now() + Duration::from_secs(60);
    while !twice(cloud.serial("vm1")) {
        assert!(Instant::now() < end, "{}", cloud.serial("vm1"));
        std::thread::sleep(Duration::from_millis(50));
    }
    // The end of the emulator is that of its machines.
    cloud.restart();
    assert_eq!(cloud.status("vm1"), "TERMINATED");
    cloud.order(Method::DELETE, "vm1", "");
}

#[test]
fn an_instance_that_stops_neither_boots_nor_stays() {
    let Some(scene) = Scene::set() else { return };
    let image = scene.push(open_image(), vec![]);
    let mut cloud = Cloud::with(&[WORKLOAD]);
    // Process 1 without a handler for SIGTERM: it goes on for the 90 seconds.
    cloud.create(
        "vm1",
        &[
            ("tee-image-reference", &image),
            ("tee-container-log-redirect", "serial"),
            ("tee-cmd", "[\"wait\"]"),
        ],
    );
    cloud.until("vm1", "waiting\n");
    let code = |method: Method, what: &str| cloud.ask(method, "vm1", what).0;
    for _ in 0..2 {
        let (status, operation) = cloud.ask(Method::POST, "vm1", "/stop");
        assert_eq!((status, &operation["status"]), (200, &json!("RUNNING")));
        assert_eq!(cloud.status("vm1"), "STOPPING");
    }
    assert_eq!(code(Method::POST, "/reset"), 400);
    assert_eq!(code(Method::POST, "/start"), 400);
    assert_eq!(code(Method::DELETE, ""), 200);
    // What is being deleted is not kept.
    let (status, refused) = cloud.ask(Method::POST, "vm1", "/stop");
    let reason = &refused["error"]["errors"][0]["reason"];
    assert_eq!((status, reason), (400, &json!("resourceNotReady")));
    assert_eq!(cloud.status("vm1"), "STOPPING");
    cloud.restart();
    assert_eq!(cloud.ask(Method::GET, "vm1", "").0, 404);
}

#[test]
fn one_machine_runs_at_a_time_and_once() {
    let Some(scene) = Scene::set() else { return };
    let image = scene.push(open_image(), vec![]);
    let cloud = Cloud::with(&[WORKLOAD, LOGS]);
    let asked = [
        ("tee-image-reference", image.as_str()),
        ("tee-container-log-redirect", "serial"),
        ("tee-cmd", "[\"obey\"]"),
    ];
    cloud.create("vm1", &asked);
    cloud.until("vm1", "waiting\n");
    // A second one would use the metadata server of the first.
    let (status, refused) = cloud.try_create("vm2", &asked, |_| {});
    assert_eq!(status, 400, "{refused}");
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.contains("one machine at a time"), "{message}");
    assert!(message.contains("instances/vm1' first"), "{message}");
    assert_eq!(cloud.ask(Method::GET, "vm2", "").0, 404);
    let stopped = cloud.ask(Method::POST, "vm1", "/stop").1;
    cloud.until_off("vm1");
    // Several starts at once are one.
    let url = format!(
        "{}/compute/v1/{ZONE}/instances/vm1/start",
        cloud.endpoints["compute"].as_str().unwrap()
    );
    let token = cloud.endpoints["projects"]["operator"]["access_token"].as_str();
    let token = std::fs::read_to_string(token.unwrap()).unwrap();
    cloud.runtime.block_on(async {
        let starts: Vec<_> = std::iter::repeat_with(|| {
            let request = Client::new().post(&url).bearer_auth(&token);
            tokio::spawn(async { request.send().await.unwrap().status().as_u16() })
        })
        .take(8)
        .collect();
        for start in starts {
            assert_eq!(start.await.unwrap(), 200);
        }
    });
    cloud.until("vm1", "waiting\n");
    let boots = cloud.entries("vm1");
    let boots = boots
        .iter()
        .filter(|entry| entry["MESSAGE"] == "TEE container launcher initiating");
    assert_eq!(boots.count(), 2);
    // What was done stays done, although the machine runs again.
    let operation = stopped["name"].as_str().unwrap();
    let url = format!("compute/compute/v1/{ZONE}/operations/{operation}");
    assert_eq!(cloud.get(&url)["status"], "DONE");
}
