use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;

use crate::scene::{Scene, is_possible, said};

type Case = (&'static str, fn());

pub const ALL: &[Case] = &[
    ("the status of the program comes back", statuses),
    (
        "a program that cannot be started has the status of a shell",
        not_started,
    ),
    ("signals reach the program", signals),
    ("signals that come before the program count", early),
    ("SIGTERM ends a pause of the wait", waiting),
    ("orphans are waited for", orphans),
    ("secrets are files that only the program can read", files),
    (
        "secrets are descriptors that nobody can change",
        descriptors,
    ),
    (
        "a secret is in the environment only if the terms say so",
        environment,
    ),
    ("the program has no right of root", rights),
    ("the program cannot read its supervisor", supervisor),
    ("the folder of the token socket is closed", closed),
    (
        "nothing is handed over if one secret is missing",
        all_or_none,
    ),
    ("a folder on a disk is refused", disk),
    ("the program ends with its supervisor", killed),
];

fn statuses() {
    if !is_possible() {
        return;
    }
    for (script, status) in [("exit 42", 42), ("exit 0", 0), ("kill -SEGV $$", 139)] {
        assert_eq!(
            said(&Scene::script(script).run()),
            (String::new(), Some(status)),
            "{script}"
        );
    }
}

fn not_started() {
    if !is_possible() {
        return;
    }
    let (text, status) = said(&Scene::of(&["/missing/program"]).run());
    assert_eq!(status, Some(127));
    assert!(
        text.contains("running \"/missing/program\": No such file"),
        "{text}"
    );
    let (text, status) = said(&Scene::of(&["/etc/passwd"]).run());
    assert_eq!(status, Some(126));
    assert!(text.contains("Permission denied"), "{text}");
}

fn signals() {
    if !is_possible() {
        return;
    }
    let plain = Scene::script("echo ready; exec sleep 60");
    let started = plain.started();
    started.send(Signal::SIGTERM);
    assert_eq!(started.status(), Some(128 + 15));
    let trapped =
        "trap 'echo hup' HUP; trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done";
    let scene = Scene::script(trapped);
    let mut started = scene.started();
    started.send(Signal::SIGHUP);
    assert_eq!(started.next_line(), "hup\n");
    started.send(Signal::SIGTERM);
    assert_eq!(started.status(), Some(7));
}

fn early() {
    if !is_possible() {
        return;
    }
    // The second secret cannot be handed over, which no one tries.
    let term = Scene::script("echo started")
        .secret("after-SIGTERM", json!("file"), "")
        .secret("a", json!({"environment": "TOKEN"}), "a\0b");
    assert_eq!(said(&term.run()), (String::new(), Some(143)));
    assert!(!term.folder().join("countersign").exists());
    let script = "trap 'echo hup; exit 7' HUP; while :; do sleep 0.05; done";
    // It reaches the program, which dies of it if it has no handler yet.
    let hangup = Scene::script(script).secret("after-SIGHUP", json!("file"), "");
    let (_, status) = said(&hangup.run());
    assert!([Some(7), Some(129)].contains(&status), "{status:?}");
}

fn waiting() {
    if !is_possible() {
        return;
    }
    let began = Instant::now();
    let scene = Scene::script("echo started").secret("pause", json!("file"), "");
    let mut started = scene.started();
    assert_eq!(started.line, "waiting\n");
    started.send(Signal::SIGTERM);
    assert_eq!(started.next_line(), "", "nothing is started");
    assert_eq!(started.status(), Some(143));
    assert!(began.elapsed() < Duration::from_secs(10));
    assert!(!scene.folder().join("countersign").exists());
}

fn orphans() {
    if !is_possible() {
        return;
    }
    // Ten grandchildren lose their parents and end; then none is left as a zombie of the supervisor.
    let script =
        "i=0; while [ $i -lt 10 ]; do (sleep 0.05 &); i=$((i+1)); done; echo $PPID; exec sleep 60";
    let scene = Scene::script(script);
    let started = scene.started();
    let children = format!("/proc/{0}/task/{0}/children", started.line.trim());
    let read = || std::fs::read_to_string(&children).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while read().split_whitespace().count() != 1 {
        assert!(Instant::now() < deadline, "left: {}", read());
        std::thread::sleep(Duration::from_millis(20));
    }
    started.send(Signal::SIGTERM);
    assert_eq!(started.status(), Some(143));
}

fn files() {
    if !is_possible() {
        return;
    }
    let script = "cat $0/countersign/a $0/countersign/b.json; echo; (: >$0/countersign/a) 2>/dev/null || echo kept; \
                  exec sleep 60";
    let scene = Scene::script(script)
        .secret("a", json!("file"), "secret of ")
        .secret("b.json", json!("file"), "the bank");
    let mut started = scene.started();
    assert_eq!(started.line, "secret of the bank\n");
    assert_eq!(started.next_line(), "kept\n");
    let folder = scene.folder().join("countersign");
    for (path, mode) in [(&folder, 0o040_700), (&folder.join("a"), 0o100_400)] {
        let found = std::fs::metadata(path).unwrap();
        assert_eq!(
            (found.mode(), found.uid(), found.gid()),
            (mode, 65532, 65532)
        );
    }
    started.send(Signal::SIGTERM);
    assert_eq!(started.status(), Some(143));
    assert!(!folder.exists(), "removed with the program");
}

fn descriptors() {
    if !is_possible() {
        return;
    }
    let script = "f=/proc/self/fd/$COUNTERSIGN_DESCRIPTOR_MODEL_KEY; cat $f; cat $f; (echo x >$f) 2>/dev/null || echo kept; \
                  ls $0; ls /proc/self/fd | wc -l";
    let scene = Scene::script(script).secret("model-key", json!("descriptor"), "secret\n");
    // Nothing is open but the three streams, the secret, and the folder that ls reads.
    let expected = "secret\nsecret\nkept\nclosed\n5\n";
    assert_eq!(said(&scene.run()), (expected.to_owned(), Some(0)));
}

fn environment() {
    if !is_possible() {
        return;
    }
    let scene = Scene::script("env")
        .secret("a", json!("file"), "secret-a")
        .secret("b", json!("descriptor"), "secret-b")
        .secret("c", json!({"environment": "TOKEN"}), "secret-c");
    let (text, status) = said(&scene.run());
    assert_eq!(status, Some(0));
    assert!(text.contains("TOKEN=secret-c\n"), "{text}");
    for absent in ["secret-a", "secret-b", "COUNTERSIGN_SIGNATURES"] {
        assert!(!text.contains(absent), "{text}");
    }
    let scene = Scene::script("env").secret("c", json!({"environment": "TOKEN"}), "a\0b");
    let (text, status) = said(&scene.run());
    let reason = "handing over secret c: its NUL byte cannot be in an environment variable\n";
    assert_eq!((text.as_str(), status), (reason, Some(2)));
}

fn rights() {
    if !is_possible() {
        return;
    }
    let script = "id; grep -E '^(Cap(Prm|Eff|Amb)|NoNewPrivs|SigBlk|Groups)' /proc/self/status; grep -c 'core file size  *1  *1 ' /proc/self/limits; \
                  readlink /proc/self/fd/0; echo";
    let (text, status) = said(&Scene::script(script).run());
    assert_eq!(status, Some(0));
    let none = "0000000000000000";
    let expected = format!(
        "Groups:\t \nSigBlk:\t{none}\nCapPrm:\t{none}\nCapEff:\t{none}\nCapAmb:\t{none}\nNoNewPrivs:\t1\n1\n/dev/null\n\n"
    );
    assert!(
        text.starts_with("uid=65532 gid=65532 groups=65532\n"),
        "{text}"
    );
    assert!(text.ends_with(&expected), "{text}");
}

fn supervisor() {
    if !is_possible() {
        return;
    }
    let script = "cat /proc/$PPID/environ; cat /proc/$PPID/mem; ls /proc/$PPID/fd; kill -KILL $PPID; echo still here";
    let (text, status) = said(&Scene::script(script).run());
    assert_eq!(status, Some(0));
    assert_eq!(text.matches("Permission denied").count(), 3, "{text}");
    assert!(text.starts_with("still here\n"), "{text}");
}

fn closed() {
    if !is_possible() {
        return;
    }
    let (text, status) = said(&Scene::script("cat $0/closed/socket").run());
    assert_eq!(status, Some(1));
    assert!(text.contains("closed/socket: Permission denied"), "{text}");
}

fn all_or_none() {
    if !is_possible() {
        return;
    }
    let marker = "touch $0/countersign/started; exit 5";
    let scene = Scene::script(marker)
        .secret("a", json!("file"), "secret")
        .missing("b");
    assert_eq!(said(&scene.run()), ("no secret b\n".to_owned(), Some(2)));
    assert!(!scene.folder().join("countersign").exists());
}

fn disk() {
    if !is_possible() {
        return;
    }
    let folder = std::env::temp_dir().join(format!("countersign-disk-{}", std::process::id()));
    let folder = match std::fs::canonicalize("/proc/self/cwd") {
        // A folder for temporary files may be in memory; that of the source is not.
        Ok(source) => source.join("target").join(folder.file_name().unwrap()),
        Err(_) => folder,
    };
    // That is known before anything is fetched.
    let scene = Scene::script("exit 5").missing("a").in_folder(&folder);
    let expected = format!(
        "handing secrets over: {} is not a file system in memory\n",
        folder.display()
    );
    assert_eq!(said(&scene.run()), (expected, Some(2)));
}

fn killed() {
    if !is_possible() {
        return;
    }
    let scene = Scene::script("echo $$; exec sleep 60");
    let started = scene.started();
    let program = format!("/proc/{}/stat", started.line.trim());
    started.send(Signal::SIGKILL);
    assert_eq!(started.status(), None);
    let runs = || std::fs::read_to_string(&program).is_ok_and(|stat| !stat.contains(") Z "));
    let deadline = Instant::now() + Duration::from_secs(10);
    while runs() {
        assert!(Instant::now() < deadline, "it still runs");
        std::thread::sleep(Duration::from_millis(20));
    }
}
