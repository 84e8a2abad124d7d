//! The launcher, with a hostile workload.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a test panics and reports")]

#[path = "launch/compute.rs"]
mod compute;
mod loopback;
mod probe;

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use oci::Execution;
use probe::{Scene, both, cmd, open_image, said, wait_until_it_waits};
use rustix::process::{Pid, Signal, kill_process};

#[test]
fn the_workload_runs_as_the_image_says() {
    let Some(scene) = Scene::set() else { return };
    let image = scene.push(
        Execution {
            working_dir: "/data/in".into(),
            ..open_image()
        },
        vec![],
    );
    both(&scene, &image, &["ids", "pwd", "env"], |said| {
        assert_eq!(
            said,
            "uid 65532 gid 65533 pid 1 ppid 0\npwd /data/in\n\
             env GREETING=hello\nenv HOSTNAME=vm1\n\
             env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
        );
    });
    let measured = scene.measured();
    assert_eq!(measured.args, ["/probe", "ids", "pwd", "env"]);
    assert_eq!(measured.cmd_override, ["ids", "pwd", "env"]);
    assert_eq!(measured.env["GREETING"], "hello");
    assert_eq!(measured.image_reference, image);
    assert!(image.ends_with(&measured.image_digest.to_string()));
}

/// As in Confidential Space, root has some capabilities, with which an entry point gives its rights up and hides the token socket.
#[test]
fn root_can_become_another_user_and_close_run() {
    let Some(scene) = Scene::set() else { return };
    if !rustix::process::geteuid().is_root() {
        return testkit::skip("launch", "only root can map all users");
    }
    let root = Execution {
        user: String::new(),
        ..open_image()
    };
    let image = scene.push(root, vec![]);
    let token = "/run/container_launcher/attestation_verifier_claims_token";
    let words = [
        "get",
        "become",
        "ids",
        "get",
        "cat",
        token,
        "cat",
        "/dev/shm/given",
        "setuid",
    ];
    let output = scene
        .launcher(&image)
        .args(["--cmd", &cmd(&words)])
        .output()
        .unwrap();
    let said = said(&output, 0);
    let (before, after) = said.split_once("become: ok\n").unwrap();
    assert!(before.starts_with("HTTP/1.1 200 OK"), "{said}");
    assert_eq!(
        after,
        format!(
            "uid 65532 gid 65532 pid 1 ppid 0\nask: Permission denied\ncat {token}: Permission denied\n\
             setuid: Operation not permitted\n"
        )
    );
    let words = ["cat", "/proc/self/status"];
    let output = scene
        .launcher(&image)
        .args(["--cmd", &cmd(&words)])
        .output()
        .unwrap();
    let status = probe::said(&output, 0);
    for line in [
        "CapInh:\t0000000000000000",
        "CapEff:\t00000000a80425fb",
        "CapBnd:\t00000000a80425fb",
        "NoNewPrivs:\t1",
    ] {
        assert!(status.contains(line), "{line}\n{status}");
    }
}

#[test]
fn the_exit_status_is_passed_on() {
    let Some(scene) = Scene::set() else { return };
    let image = scene.push(open_image(), vec![]);
    for (words, status) in [
        (&["exit", "7"][..], 7),
        (&["exit", "0"], 0),
        (&["signal"], 128 + 11),
    ] {
        for mut launcher in [scene.launcher(&image), scene.rootless_launcher(&image)] {
            let output = launcher.args(["--cmd", &cmd(words)]).output().unwrap();
            said(&output, status);
        }
    }
    let output = scene
        .launcher(&image)
        .args(["--cmd", &cmd(&["stderr"])])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "said on stderr\n");
}

#[test]
fn the_output_of_the_workload_is_complete() {
    let Some(scene) = Scene::set() else { return };
    let image = scene.push(open_image(), vec![]);
    let words = ["cat", "/probe", "cat", "/probe"];
    let mut launcher = scene.launcher(&image);
    let output = launcher.args(["--cmd", &cmd(&words)]).output().unwrap();
    let program = scene.program();
    assert!(output.stdout == [program.clone(), program].concat());
    // Without a reader, writing fails immediately.
    let mut launcher = scene.launcher(&image);
    launcher
        .args(["--cmd", &cmd(&words)])
        .stdout(Stdio::piped());
    let mut child = launcher.spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// Also if the launcher is asked to stop after the end of the workload, while a slow reader has not taken all.
#[test]
fn the_output_of_a_workload_that_has_ended_is_complete() {
    let Some(scene) = Scene::set() else { return };
    let image = scene.push(open_image(), vec![]);
    // More than one pipe holds, and less than two.
    let mut launcher = scene.launcher(&image);
    launcher
        .args(["--cmd", &cmd(&["fill", "120000"])])
        .stdout(Stdio::piped());
    let mut child = launcher.spawn().unwrap();
    let mut output = child.stdout.take().unwrap();
    let mut bytes = vec![0];
    output.read_exact(&mut bytes).unwrap();
    std::thread::sleep(Duration::from_secs(1));
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    std::thread::sleep(Duration::from_secs(1));
    output.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len(), 120_000);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_missing_program_is_an_error() {
    let Some(scene) = Scene::set() else { return };
    let image = scene.push(
        Execution {
            entrypoint: vec!["/missing".into()],
            ..open_image()
        },
        vec![],
    );
    let output = scene.launcher(&image).output().unwrap();
    said(&output, 2);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.starts_with("emulator: error: starting container: running \"/missing\""),
        "{stderr}"
    );
    let image = scene.push(
        Execution {
            user: "nobody".into(),
            ..open_image()
        },
        vec![],
    );
    let output = scene.launcher(&image).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("finding \"nobody\" in /etc/passwd: no such entry"),
        "{stderr}"
    );
}

/// An image with one label of its launch policy.
fn labelled(scene: &Scene, key: &str, value: &str) -> String {
    let label = (format!("tee.launch_policy.{key}"), value.to_owned());
    let execution = Execution {
        labels: [label].into(),
        ..open_image()
    };
    scene.push(execution, vec![])
}

#[test]
fn the_launch_policy_of_the_image_is_enforced() {
    let Some(scene) = Scene::set() else { return };
    let always = labelled(&scene, "log_redirect", "always");
    let silent = labelled(&scene, "allow_cmd_override", "true");
    let broken = labelled(&scene, "allow_cmd_override", "perhaps");
    for (image, args, text) in [
        (
            &always,
            &["--cmd", "[\"ids\"]"][..],
            "CMD is not allowed to be overridden on this image",
        ),
        (
            &always,
            &["--env", "LD_PRELOAD=/x"],
            "env var {LD_PRELOAD /x} is not allowed to be overridden on this image; allowed envs to be overridden: []",
        ),
        (
            &silent,
            &[],
            "logging redirection only allowed on debug environment by image",
        ),
        (
            &broken,
            &[],
            "invalid image LABEL 'tee.launch_policy.allow_cmd_override' (not a boolean)",
        ),
    ] {
        let output = scene.launcher(image).args(args).output().unwrap();
        assert_eq!(said(&output, 1), "");
        assert_eq!(
            String::from_utf8_lossy(&output.stderr),
            format!("emulator: refused: {text}\n")
        );
    }
    // A refused launch measures nothing and requests no token.
    assert!(scene.asked.lock().unwrap().is_empty());
}

#[test]
fn output_is_shown_on_a_debug_machine_only() {
    let Some(scene) = Scene::set() else { return };
    let silent = labelled(&scene, "allow_cmd_override", "true");
    said(
        &scene
            .launcher(&silent)
            .args(["--image-family", "debug"])
            .output()
            .unwrap(),
        0,
    );
    let output = scene
        .launcher(&silent)
        .args(["--log-redirect", "false"])
        .output()
        .unwrap();
    assert_eq!(said(&output, 0), "");
}

#[test]
fn the_operators_folder_is_not_changed() {
    let Some(scene) = Scene::set() else { return };
    let image = scene.push(open_image(), vec![]);
    let share = scene.folder().join("kept");
    let mode = || std::fs::metadata(&share).unwrap().permissions().mode() & 0o777;
    std::fs::create_dir(&share).unwrap();
    for wanted in [0o700, 0o711] {
        std::fs::set_permissions(&share, std::fs::Permissions::from_mode(wanted)).unwrap();
        let mut launcher = scene.launcher(&image);
        launcher.arg("--runtime").arg(&share);
        said(&launcher.output().unwrap(), 0);
        launcher.args(["--cmd", &cmd(&["wait"]), "--grace", "0"]);
        let mut child = launcher.stdout(Stdio::piped()).spawn().unwrap();
        drop(wait_until_it_waits(&mut child));
        assert!(share.join("teeserver.sock").exists());
        // A launch that is refused leaves the socket of the running one.
        let mut refused = scene.launcher(&image);
        refused.arg("--runtime").arg(&share).args(["--env", "A=1"]);
        said(&refused.output().unwrap(), 1);
        assert!(share.join("teeserver.sock").exists());
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        child.wait().unwrap();
        assert_eq!(std::fs::read_dir(&share).unwrap().count(), 0);
        assert_eq!(mode(), wanted);
    }
}

/// Without privileges a container has one user: an image that wants another is not run in vain without a word.
#[test]
fn a_launcher_without_privileges_says_what_root_cannot_do() {
    let Some(scene) = Scene::set() else { return };
    let root = Execution {
        user: String::new(),
        ..open_image()
    };
    let image = scene.push(root, vec![]);
    let mut launcher = scene.rootless_launcher(&image);
    let output = launcher
        .args(["--cmd", &cmd(&["become"])])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("the workload cannot become another user"),
        "{stderr}"
    );
    let output = scene.rootless_launcher(&scene.push(open_image(), vec![]));
    let output = { output }.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

/// As the machine does that is switched off.
#[test]
fn a_launcher_that_is_stopped_lets_the_workload_end() {
    let Some(scene) = Scene::set() else { return };
    let image = scene.push(open_image(), vec![]);
    for mut launcher in [scene.launcher(&image), scene.rootless_launcher(&image)] {
        launcher.args(["--cmd", &cmd(&["obey"])]);
        let mut child = launcher.stdout(Stdio::piped()).spawn().unwrap();
        let rest = wait_until_it_waits(&mut child);
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        assert_eq!(rest.collect::<Vec<_>>(), ["asked to end"]);
        assert_eq!(child.wait().unwrap().code(), Some(7));
    }
    // Process 1 that does not handle the signal does not get it: it is killed after the time, or by a second signal.
    for (grace, signals) in [("1", 1), ("600", 2)] {
        let mut launcher = scene.launcher(&image);
        launcher.args(["--cmd", &cmd(&["wait"]), "--grace", grace]);
        let mut child = launcher.stdout(Stdio::piped()).spawn().unwrap();
        drop(wait_until_it_waits(&mut child));
        for _ in 0..signals {
            kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
            std::thread::sleep(Duration::from_millis(300));
        }
        assert_eq!(child.wait().unwrap().code(), Some(128 + 15));
    }
}

#[test]
fn no_process_outlives_the_launcher() {
    let Some(scene) = Scene::set() else { return };
    let image = scene.push(open_image(), vec![]);
    for (signal, status) in [
        (Signal::TERM, Some(128 + 15)),
        (Signal::INT, Some(128 + 2)),
        (Signal::HUP, Some(128 + 1)),
        (Signal::KILL, None),
    ] {
        let temporary = tempfile::tempdir().unwrap();
        let mut launcher = scene.launcher(&image);
        launcher
            .args(["--cmd", &cmd(&["wait"]), "--grace", "0"])
            .env("TMPDIR", temporary.path());
        let mut child = launcher.stdout(Stdio::piped()).spawn().unwrap();
        drop(wait_until_it_waits(&mut child));
        let processes = below(child.id());
        assert_eq!(processes.len(), 3, "a helper, the workload and its child");
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), status);
        let deadline = Instant::now() + Duration::from_secs(5);
        while processes.iter().any(|pid| is_alive(*pid)) {
            assert!(
                Instant::now() < deadline,
                "{signal:?}: still there: {processes:?}"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        if status.is_some() {
            assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
        }
    }
}

/// Whether a process runs. A zombie does not.
fn is_alive(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

/// The descendants of a process.
fn below(pid: u32) -> Vec<Pid> {
    let of_parent = format!("\nPPid:\t{pid}\n");
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let children = entries.filter(|entry| {
        let status = std::fs::read_to_string(entry.path().join("status"));
        status.is_ok_and(|status| status.contains(&of_parent))
    });
    let numbers = children.filter_map(|child| child.file_name().to_str()?.parse().ok());
    let mut found = Vec::new();
    for child in numbers {
        found.extend(Pid::from_raw(child));
        found.extend(below(u32::try_from(child).unwrap()));
    }
    found
}
