//! Source that is refused leaves nothing.

use super::*;

#[test]
fn source_that_does_not_compile_is_refused_and_leaves_nothing() {
    let test = "source_that_does_not_compile_is_refused_and_leaves_nothing";
    let Some(place) = Place::open(test) else {
        return;
    };
    fs::write(
        place.repository().join("src/main.rs"),
        "fn main() { nonsense }\n",
    )
    .unwrap();
    let layout = place.folder.path().join("layout");
    let dirty = place.build(&layout).output().unwrap();
    assert_eq!(dirty.status.code(), Some(2), "{}", said(&dirty));
    place.commit();
    let refused = place.build(&layout).output().unwrap();
    if is_impossible(&refused, test) {
        return;
    }
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(
        said(&refused).contains("builder: error: compiling probe: cargo exited with status 101")
    );
    assert!(
        said(&refused).contains("cannot find value `nonsense`"),
        "{}",
        said(&refused)
    );
    // A compiler that a signal ends says nothing about the source: memory may have run out.
    let aborting = "fn main() { std::process::abort() }\n";
    fs::write(place.repository().join("build.rs"), aborting).unwrap();
    place.commit();
    let ended = place.build(&layout).output().unwrap();
    assert_eq!(ended.status.code(), Some(2), "{}", said(&ended));
    assert!(said(&ended).contains("signal: 6"), "{}", said(&ended));
    let left = fs::read_dir(place.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    assert_eq!(left.collect::<Vec<_>>(), ["one"]);
}

/// The process waits until the program is linked, and then writes into it.
#[test]
fn source_that_leaves_a_process_behind_is_refused() {
    let test = "source_that_leaves_a_process_behind_is_refused";
    let Some(place) = Place::open(test) else {
        return;
    };
    let staying = r#"
        use std::process::{Command, Stdio};
        fn main() {
            let script = "cd /build/target/x86_64-unknown-linux-gnu/release && until test -s probe; do :; done; echo evil >>probe";
            let mut daemon = Command::new("/bin/sh");
            daemon.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            daemon.spawn().unwrap();
            println!("cargo:rustc-env=WORLD=none");
        }
    "#;
    fs::write(place.repository().join("build.rs"), staying).unwrap();
    place.commit();
    let layout = place.folder.path().join("layout");
    let refused = place.build(&layout).output().unwrap();
    if is_impossible(&refused, test) {
        return;
    }
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    let expected =
        "compiling probe: process \"sh\" of a build script or macro outlived its parent process";
    assert!(said(&refused).contains(expected), "{}", said(&refused));
    assert!(!layout.exists());
}

#[test]
fn a_limit_that_is_reached_is_named_with_its_option() {
    let test = "a_limit_that_is_reached_is_named_with_its_option";
    let Some(place) = Place::open(test) else {
        return;
    };
    let talking = "fn main() { for _ in 0..40_000 { println!(\"cargo:warning={:0>99}\", 1) } }\n";
    fs::write(place.repository().join("build.rs"), talking).unwrap();
    place.commit();
    let layout = place.folder.path().join("layout");
    let mut build = place.build(&layout);
    let ended = build.args(["--limit-output", "2"]).output().unwrap();
    if is_impossible(&ended, test) {
        return;
    }
    assert_eq!(ended.status.code(), Some(2), "{}", said(&ended));
    for expected in [
        "builder: error: compiling probe: running /usr/bin/cargo: it used more than 2 MiB of output\n",
        "hint: raise it with --limit-output\n",
    ] {
        assert!(said(&ended).contains(expected));
    }
}
