//! The files, processes and privileges that a hostile workload can reach.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a test panics and reports")]

mod loopback;
mod probe;

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::Stdio;

use oci::Execution;
use oci::layer::{Content, Entry, Executable, Kind};
use probe::{Scene, both, cmd, open_image, said};

#[test]
fn the_workload_sees_nothing_of_the_machine() {
    let Some(scene) = Scene::set() else { return };
    let image = scene.push(open_image(), vec![]);
    both(
        &scene,
        &image,
        &["ls", "/", "ls", "/dev", "ls", "/proc", "ls", "/run"],
        |said| {
            let names = |folder: &str| {
                let prefix = format!("ls {folder}: ");
                let mut names: Vec<_> = said
                    .lines()
                    .filter_map(|l| l.strip_prefix(&prefix))
                    .collect();
                names.sort();
                names
            };
            assert_eq!(names("/"), ["dev", "etc", "probe", "proc", "run"]);
            let devices = [
                "fd", "full", "null", "random", "shm", "stderr", "stdin", "stdout", "urandom",
                "zero",
            ];
            assert_eq!(names("/dev"), devices);
            let processes: Vec<_> = names("/proc")
                .into_iter()
                .filter(|n| n.parse::<u32>().is_ok())
                .collect();
            assert_eq!(processes, ["1"]);
            assert_eq!(names("/run"), ["container_launcher"]);
        },
    );
}

#[test]
fn the_workload_has_namespaces_of_its_own_but_the_network() {
    let Some(scene) = Scene::set() else { return };
    let image = scene.push(open_image(), vec![]);
    let kinds = ["user", "mnt", "pid", "ipc", "uts", "net"];
    let paths = kinds.map(|kind| format!("/proc/self/ns/{kind}"));
    let words: Vec<_> = paths.iter().flat_map(|path| ["link", path]).collect();
    both(&scene, &image, &words, |said| {
        for (kind, path) in kinds.iter().zip(&paths) {
            let ours = std::fs::read_link(path).unwrap().display().to_string();
            let line = said
                .lines()
                .find(|line| line.contains(path.as_str()))
                .unwrap();
            assert!(line.len() > path.len() + 10, "{line}");
            assert_eq!(line.ends_with(&ours), *kind == "net", "{line}, ours {ours}");
        }
    });
}

#[test]
fn the_workload_cannot_gain_privileges() {
    let Some(scene) = Scene::set() else { return };
    for user in ["65532", "0"] {
        let image = scene.push(
            Execution {
                user: user.into(),
                ..open_image()
            },
            vec![],
        );
        let words = [
            "mount",
            "umount",
            "namespace",
            "write",
            "/run/container_launcher/x",
            "write",
            "/dev/x",
            "write",
            "/proc/sysrq-trigger",
            "write",
            "/proc/sys/kernel/core_pattern",
            "cat",
            "/proc/self/status",
        ];
        both(&scene, &image, &words, is_powerless);
    }
}

fn is_powerless(said: &str) {
    assert!(
        said.contains("mount: Operation not permitted\numount: Operation not permitted"),
        "{said}"
    );
    assert!(
        said.contains("namespace: No space left on device"),
        "{said}"
    );
    assert!(
        said.contains("write /run/container_launcher/x: Read-only file system"),
        "{said}"
    );
    assert!(
        said.contains("write /dev/x: Read-only file system"),
        "{said}"
    );
    assert!(
        !said.contains("sysrq-trigger: ok") && !said.contains("core_pattern: ok"),
        "{said}"
    );
    let none = "0000000000000000";
    // Those of root in Confidential Space, within a user namespace that owns nothing else.
    let of_root = "00000000a80425fb";
    let is_root = said.contains("Uid:\t0\t0\t0\t0");
    for set in ["CapInh", "CapAmb"] {
        assert!(said.contains(&format!("{set}:\t{none}")), "{said}");
    }
    for set in ["CapPrm", "CapEff", "CapBnd"] {
        let has = |bits| said.contains(&format!("{set}:\t{bits}"));
        assert!(has(none) || (is_root && has(of_root)), "{said}");
    }
    assert!(said.contains("NoNewPrivs:\t1"), "{said}");
    let ids = |field: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(field));
        line.unwrap().split_whitespace().collect::<Vec<_>>()
    };
    // A user other than root cannot give up groups: they stay, as its own group or as the overflow group.
    let harmless = [ids("Gid:")[0], "65534"];
    assert!(
        ids("Groups:").iter().all(|group| harmless.contains(group)),
        "{said}"
    );
}

#[test]
fn device_nodes_of_the_machine_can_be_used_but_not_changed() {
    let Some(scene) = Scene::set() else { return };
    let root = Execution {
        user: "0".into(),
        ..open_image()
    };
    let image = scene.push(root, vec![]);
    let devices = ["full", "null", "random", "urandom", "zero"].map(|name| format!("/dev/{name}"));
    let node = |path: &String| {
        let node = std::fs::metadata(path).unwrap();
        (node.mode(), node.mtime(), node.ctime(), node.ctime_nsec())
    };
    let before = devices.each_ref().map(node);
    let verbs = ["chmod", "touch", "write"];
    let words: Vec<_> = devices
        .iter()
        .flat_map(|path| verbs.iter().flat_map(move |verb| [*verb, path]))
        .collect();
    both(&scene, &image, &words, |said| {
        for path in &devices {
            for (verb, outcome) in
                verbs
                    .iter()
                    .zip(["Read-only file system", "Read-only file system", "ok"])
            {
                let line = format!("{verb} {path}: {outcome}");
                assert!(said.contains(&line), "{line}\n{said}");
            }
        }
    });
    assert_eq!(devices.each_ref().map(node), before);
}

#[test]
fn a_link_in_an_image_stays_in_the_image() {
    let Some(scene) = Scene::set() else { return };
    let outside = scene.folder().join("outside");
    std::fs::create_dir(&outside).unwrap();
    let link = |path: &str| Entry {
        path: path.parse().unwrap(),
        kind: Kind::Symlink {
            target: outside.display().to_string(),
        },
    };
    let image = scene.push(open_image(), vec![link("run")]);
    let output = scene.launcher(&image).output().unwrap();
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0);
    // A dangling link in place of a folder is an error of the launch, not of the workload.
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("emulator: error: starting container")
    );
}

/// Numbers of file descriptors that the launcher could have open.
const OPEN: std::ops::RangeInclusive<u32> = 3..=15;

/// A folder of the machine that every user can write to.
fn machine_folder(scene: &Scene) -> std::path::PathBuf {
    let folder = scene.shared().join("machine");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    folder
}

#[test]
fn a_working_directory_cannot_reach_open_files() {
    let Some(scene) = Scene::set() else { return };
    let machine = machine_folder(&scene);
    for number in OPEN {
        let open = format!("/proc/self/fd/{number}");
        let made = format!("{open}/..{}/made", machine.display());
        for working_dir in [open, made] {
            let image = scene.push(
                Execution {
                    working_dir: working_dir.clone(),
                    ..open_image()
                },
                vec![],
            );
            let words = ["ls", ".", "ls", "..", "write", "sys/kernel/core_pattern"];
            for mut launcher in [scene.launcher(&image), scene.rootless_launcher(&image)] {
                let output = launcher.args(["--cmd", &cmd(&words)]).output().unwrap();
                let said = String::from_utf8_lossy(&output.stdout);
                let found = said.lines().filter(|line| line.starts_with("ls .: "));
                assert_eq!(found.count(), 0, "{working_dir}: {said}");
                for known in ["ls ..: sys", "ls ..: etc", "core_pattern: ok"] {
                    assert!(!said.contains(known), "{working_dir}: {said}");
                }
            }
        }
    }
    assert_eq!(std::fs::read_dir(&machine).unwrap().count(), 0);
}

#[test]
fn a_link_in_an_image_cannot_reach_open_files() {
    let Some(scene) = Scene::set() else { return };
    let machine = machine_folder(&scene);
    let runs = OPEN.map(|number| ("run", number));
    for (path, number) in runs.chain([("dev", 4), ("proc", 4), ("etc", 4)]) {
        let link = Entry {
            path: path.parse().unwrap(),
            kind: Kind::Symlink {
                target: format!("/proc/self/fd/{number}/..{}", machine.display()),
            },
        };
        let image = scene.push(open_image(), vec![link]);
        for mut launcher in [scene.launcher(&image), scene.rootless_launcher(&image)] {
            said(&launcher.output().unwrap(), 2);
        }
    }
    assert_eq!(std::fs::read_dir(&machine).unwrap().count(), 0);
}

#[test]
fn the_workload_inherits_no_open_files() {
    let Some(scene) = Scene::set() else { return };
    let image = scene.push(open_image(), vec![]);
    let words = [
        "ls",
        "/proc/self/fd",
        "link",
        "/proc/self/fd/0",
        "link",
        "/proc/self/fd/1",
        "link",
        "/proc/self/fd/2",
        "session",
        "type",
    ];
    for launcher in [scene.launcher(&image), scene.rootless_launcher(&image)] {
        let output = scene.shared().join("output");
        let mut shell = scene.through("exec 7</etc/passwd 8</", &launcher);
        shell.args(["--cmd", &cmd(&words)]);
        let file = std::fs::File::create(&output).unwrap();
        let status = shell.stdout(file).stdin(Stdio::null()).status().unwrap();
        let said = std::fs::read_to_string(&output).unwrap();
        assert_eq!(status.code(), Some(0), "{said}");
        let mut open: Vec<_> = said
            .lines()
            .filter_map(|line| line.strip_prefix("ls /proc/self/fd: "))
            .collect();
        open.sort();
        // The last descriptor is the folder that is being listed.
        assert_eq!(open, ["0", "1", "2", "3"]);
        assert!(said.contains("link /proc/self/fd/0: /dev/null\n"), "{said}");
        for number in [1, 2] {
            let pipe = format!("link /proc/self/fd/{number}: pipe:");
            assert!(said.contains(&pipe), "{said}");
        }
        assert!(
            said.contains("session 1\ntype: Inappropriate ioctl"),
            "{said}"
        );
    }
}

/// The container has the machine's name, and the machine's files in place of the image's, as containerd
/// sets them up for the launcher.
#[test]
fn host_names_are_those_of_the_machine() {
    let Some(scene) = Scene::set() else { return };
    let file = |path: &str, text: &str| Entry {
        path: path.parse().unwrap(),
        kind: Kind::File {
            content: Content::Bytes(text.into()),
            executable: Executable::No,
        },
    };
    let link = Entry {
        path: "etc/resolv.conf".parse().unwrap(),
        kind: Kind::Symlink {
            target: "../run/missing".into(),
        },
    };
    let of_image = vec![file("etc/hosts", "192.0.2.1 localhost\n"), link];
    for more in [vec![], of_image] {
        // Otherwise the user of the container could write to them.
        let root = Execution {
            user: "0".into(),
            ..open_image()
        };
        let image = scene.push(root, more);
        let machines = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let words = ["cat", "/etc/hosts", "write", "/etc/hosts"];
        both(&scene, &image, &words, |said| {
            let rest = said.strip_prefix(&machines("/etc/hosts")).unwrap();
            let refused = ["Read-only file system", "Permission denied"];
            let written = refused.map(|error| format!("write /etc/hosts: {error}\n"));
            assert!(written.contains(&rest.to_owned()), "{rest}");
        });
        if std::path::Path::new("/etc/resolv.conf").exists() {
            both(&scene, &image, &["cat", "/etc/resolv.conf"], |said| {
                assert_eq!(said, machines("/etc/resolv.conf"));
            });
        }
        both(
            &scene,
            &image,
            &["cat", "/proc/sys/kernel/hostname"],
            |said| {
                assert_eq!(said, "vm1\n");
            },
        );
    }
}

/// The kernel keeps keys by session and user, independent of namespaces.
#[test]
fn the_workload_cannot_use_the_operators_keys_or_outlive_the_launcher() {
    let Some(scene) = Scene::set() else { return };
    let image = scene.push(open_image(), vec![]);
    both(&scene, &image, &["keys", "untie", "tie"], |said| {
        let refused = "Operation not permitted";
        assert_eq!(
            said,
            format!("keys: {refused}\nuntie: {refused}\ntie: ok\n")
        );
    });
}
