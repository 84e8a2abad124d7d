use super::*;
use crate::place::Place;
use remote::{Registry, Transport};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn source_with_a_commit() -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let git = |args: &[&str]| {
        let mut git = std::process::Command::new("git");
        git.arg("-C").arg(directory.path()).args(args);
        let identity = ["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"];
        let mails = ["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"];
        git.envs(identity.map(|name| (name, "a")))
            .envs(mails.map(|name| (name, "a@b")));
        let output = git.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "--quiet"]);
    git(&["commit", "--quiet", "--allow-empty", "-m", "empty"]);
    let commit = git(&["rev-parse", "HEAD"]);
    (directory, commit)
}

fn order(source: &Path, commit: Choice) -> Order {
    Order {
        source: source.display().to_string(),
        source_uri: "git+x".to_owned(),
        commit,
        directory: ".".to_owned(),
        image: None,
    }
}

fn tools(builder: &str) -> Tools {
    Tools {
        builder: builder.into(),
        ..Tools::default()
    }
}

/// A folder with a program `builder` that runs shell commands, and the path of the program.
fn script(commands: &str) -> (tempfile::TempDir, String) {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let builder = folder.path().join("builder");
    std::fs::write(&builder, format!("#!/bin/sh\n{commands}\n")).unwrap();
    std::fs::set_permissions(&builder, PermissionsExt::from_mode(0o755)).unwrap();
    let path = builder.to_str().unwrap().to_owned();
    (folder, path)
}

/// Rebuilds an image that has no package index among its referrers.
fn run(tools: &Tools, order: &Order, layout: &Path) -> Result<Rebuild, RebuildError> {
    run_shown(tools, order, layout, &Progress::to(std::io::sink()))
}

fn run_shown(
    tools: &Tools,
    order: &Order,
    layout: &Path,
    progress: &Progress,
) -> Result<Rebuild, RebuildError> {
    let repository = "127.0.0.1:9/a/b".parse().unwrap();
    let registry = Registry::connect(&repository, &Transport::PlainHttp).unwrap();
    let attached = Attached {
        place: Place::Registry(&registry),
        files: Vec::new(),
    };
    runtime().block_on(rebuild(tools, order, &attached, layout, progress))
}

#[test]
fn a_missing_commit_is_a_finding_unless_the_user_named_it() {
    let (source, _) = source_with_a_commit();
    let commit: Commit = "0".repeat(40).parse().unwrap();
    let outcome = |choice| {
        let (order, tools) = (order(source.path(), choice), tools("false"));
        run(&tools, &order, Path::new("/x"))
    };
    let claimed = outcome(Choice::Claimed(commit.clone()));
    assert!(
        matches!(claimed, Ok(Rebuild::NoCommit { .. })),
        "{claimed:?}"
    );
    let mistyped = outcome(Choice::Given(commit.clone())).unwrap_err();
    assert_eq!(
        mistyped.to_string(),
        format!(
            "reading {}: no branch or tag contains commit {commit}",
            source.path().display()
        )
    );
}

#[test]
fn a_commit_outside_all_branches_is_missing() {
    let (source, orphan) = source_with_a_commit();
    let mut git = std::process::Command::new("git");
    git.arg("-C")
        .arg(source.path())
        .args(["-c", "user.name=a", "-c", "user.email=a@b"]);
    git.args([
        "commit",
        "--quiet",
        "--amend",
        "--allow-empty",
        "-m",
        "other",
    ]);
    assert!(git.status().unwrap().success());
    let order = order(source.path(), Choice::Claimed(orphan.parse().unwrap()));
    let tools = tools("false");
    let outcome = run(&tools, &order, Path::new("/x"));
    assert!(
        matches!(outcome, Ok(Rebuild::NoCommit { .. })),
        "{outcome:?}"
    );
}

#[test]
fn a_directory_that_the_source_does_not_have_is_an_error_and_no_verdict() {
    let (source, head) = source_with_a_commit();
    for directory in ["nope", "../source", "/tmp"] {
        let mut order = order(source.path(), Choice::Head);
        order.directory = directory.to_owned();
        let tools = tools("false");
        let outcome = run(&tools, &order, Path::new("/x"));
        assert_eq!(
            outcome.unwrap_err().to_string(),
            format!("reading source: commit {head} has no directory {directory:?}")
        );
    }
}

#[test]
fn steps_of_the_builder_are_shown_as_own() {
    let (source, _) = source_with_a_commit();
    let (_folder, builder) = script(
        r#"test "$COUNTERSIGN_PROGRESS" = rawjson || exit 3
        cat >&2 <<'END'
{"begun":{"step":1,"name":"compile hello"}}
{"said":{"step":1,"line":"error: \u001b[2Jno"}}
{"ended":{"step":1,"outcome":"failed","milliseconds":1200}}
builder: error: compiling hello: no
hint: read it
{"note":"bye"}
END
        exit 1"#,
    );
    let written = tempfile::NamedTempFile::new().unwrap();
    let progress = Progress::to(written.reopen().unwrap());
    let (order, layout) = (
        order(source.path(), Choice::Head),
        source.path().join("layout"),
    );
    let outcome = run_shown(&tools(&builder), &order, &layout, &progress).unwrap();
    let Rebuild::Refused { reason, .. } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(reason, "builder: error: compiling hello: no");
    let said = std::fs::read_to_string(written.path()).unwrap();
    for line in [
        "#3 compile hello",
        "#3 error: \\u{1b}[2Jno",
        "builder: error: compiling hello: no",
        "bye",
    ] {
        assert!(said.lines().any(|said| said == line), "{line}: {said}");
    }
    assert!(said.contains("\n#3 failed "), "{said}");
}

/// Commits what `script` makes in `source`.
fn commit(source: &Path, script: &str) {
    let script = format!(
        "{script}\ngit add . && git -c user.name=a -c user.email=a@b commit --quiet -m more"
    );
    let mut shell = std::process::Command::new("bash");
    let status = shell.args(["-euc", &script]).current_dir(source).status();
    assert!(status.unwrap().success());
}

#[test]
fn a_link_in_place_of_the_directory_is_a_finding() {
    let (source, _) = source_with_a_commit();
    let links = "mkdir -p other/deep && touch other/deep/file
        ln -s other workload && ln -s . here && ln -s /tmp out && touch file";
    commit(source.path(), links);
    for (directory, link) in [
        ("workload", Some("workload")),
        ("./workload/", Some("workload")),
        ("workload/deep", Some("workload")),
        ("here/other", Some("here")),
        ("out", Some("out")),
        ("other/deep", None),
    ] {
        let mut order = order(source.path(), Choice::Head);
        order.directory = directory.to_owned();
        let (_folder, builder) = script("echo error: no >&2; exit 1");
        let outcome = run(&tools(&builder), &order, Path::new("/x"));
        match (outcome, link) {
            (Ok(Rebuild::Linked { link: found, .. }), Some(link)) => assert_eq!(found, link),
            (Ok(Rebuild::Refused { .. }), None) => {}
            (outcome, _) => panic!("{directory}: {outcome:?}"),
        }
    }
}

#[test]
fn a_shallow_source_cannot_tell() {
    let (source, old) = source_with_a_commit();
    commit(source.path(), "touch file");
    let place = tempfile::tempdir().unwrap();
    let url = format!("file://{}", source.path().display());
    let mut git = std::process::Command::new("git");
    git.args(["clone", "--quiet", "--depth", "1", &url, "shallow"]);
    assert!(git.current_dir(place.path()).status().unwrap().success());
    let shallow = place.path().join("shallow");
    for choice in [Choice::Claimed, Choice::Given] {
        let order = order(&shallow, choice(old.parse().unwrap()));
        let tools = tools("false");
        let outcome = run(&tools, &order, Path::new("/x"));
        assert_eq!(
            outcome.unwrap_err().to_string(),
            format!(
                "reading {}: it is a shallow clone, and commit {old} is not in it",
                shallow.display()
            )
        );
    }
}

#[test]
fn a_commit_that_unpacks_to_too_much_is_not_checked_out() {
    let (source, _) = source_with_a_commit();
    // A few kilobytes: each of 8 folders has 8 times the same one, and so on: 8^7 files.
    let script = "blob=$(git hash-object -w --stdin </dev/null)
        below=$(for name in 1 2 3 4 5 6 7 8; do printf '100644 blob %s\\t%s\\n' $blob $name; done | git mktree)
        for depth in 1 2 3 4 5 6; do
            below=$(for name in 1 2 3 4 5 6 7 8; do printf '040000 tree %s\\t%s\\n' $below $name; done | git mktree)
        done
        git reset --quiet --soft $(git -c user.name=a -c user.email=a@b commit-tree -m m $below)
        git read-tree --empty";
    let mut shell = std::process::Command::new("bash");
    let made = shell.args(["-euc", script]).current_dir(source.path());
    assert!(made.status().unwrap().success());
    let order = order(source.path(), Choice::Head);
    let outcome = run(&tools("false"), &order, Path::new("/x"));
    let error = outcome.unwrap_err().to_string();
    assert!(
        error.starts_with("reading source: commit ")
            && error.ends_with(" unpacks to more than 500000 files and directories"),
        "{error}"
    );
}

#[test]
fn the_builder_is_told_which_image_it_builds() {
    let (source, _) = source_with_a_commit();
    let mut order = order(source.path(), Choice::Head);
    let (_folder, builder) = script("echo \"error: $*\" >&2; exit 1");
    for (image, is_told) in [(None, false), (Some("server"), true)] {
        order.image = image.map(|name| name.parse().unwrap());
        let Ok(Rebuild::Refused { reason, .. }) = run(&tools(&builder), &order, Path::new("/x"))
        else {
            panic!("it is built");
        };
        assert_eq!(reason.contains(" --image server"), is_told, "{reason}");
    }
}

#[test]
fn a_refusal_by_the_builder_is_a_finding_and_a_missing_builder_an_error() {
    let (source, head) = source_with_a_commit();
    let order = order(source.path(), Choice::Head);
    let (_folder, builder) = script("echo 'error: compiling a: no' >&2; exit 1");
    let refused = run(&tools(&builder), &order, Path::new("/x"));
    let Ok(Rebuild::Refused { commit, reason }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!((commit, reason.as_str()), (head, "error: compiling a: no"));
    let silent = run(&tools("false"), &order, Path::new("/x"));
    assert_eq!(
        silent.unwrap_err().to_string(),
        "running false: it exited with 1, but gave no reason"
    );
    let missing = tools("/nowhere/builder");
    let missing = run(&missing, &order, Path::new("/x"));
    assert_eq!(
        missing.unwrap_err().to_string(),
        "starting /nowhere/builder: program not found"
    );
}

#[test]
fn the_builder_gets_the_options_of_the_caller() {
    let (source, _) = source_with_a_commit();
    let (folder, builder) = script("echo \"$@\" >\"$0.arguments\"; echo error: no >&2; exit 1");
    let arguments = folder.path().join("builder.arguments");
    let tools = Tools {
        builder: builder.into(),
        store: Some("/store".into()),
        capsule: Some("/inputs.capsule".to_owned()),
        archive: Some("http://archive.example".to_owned()),
        archive_keys: vec!["A".repeat(40), "B".repeat(40)],
        jobs: NonZeroUsize::new(3),
        time_limit: NonZeroU32::new(7),
        limits: BuildLimits {
            memory: NonZeroU32::new(1),
            files: NonZeroU32::new(2),
            processes: NonZeroU32::new(3),
            output: NonZeroU32::new(4),
        },
        ..Tools::default()
    };
    let order = order(source.path(), Choice::Head);
    let refused = run(&tools, &order, Path::new("/x"));
    assert!(
        matches!(refused, Ok(Rebuild::Refused { .. })),
        "{refused:?}"
    );
    let arguments = std::fs::read_to_string(arguments).unwrap();
    let (a, b) = ("A".repeat(40), "B".repeat(40));
    let expected = format!(
        "-o /x --source-uri git+x --store /store --capsule /inputs.capsule --archive http://archive.example \
         --archive-key {a} --archive-key {b} --jobs 3 --time-limit 7 \
         --limit-memory 1 --limit-files 2 --limit-processes 3 --limit-output 4\n"
    );
    assert!(
        arguments.starts_with("build /") && arguments.ends_with(&expected),
        "{arguments}"
    );
}

#[test]
fn a_layout_without_a_record_is_refused() {
    let layout = tempfile::tempdir().unwrap();
    let outcome = read_earlier(layout.path());
    assert_eq!(
        outcome.unwrap_err().to_string(),
        format!(
            "reading rebuilt layout: it has no {}",
            layout.path().join("rebuild.json").display()
        )
    );
    let record = Record {
        image: "registry.example/a/b".to_owned(),
        source: "/source".to_owned(),
        commit: "0".repeat(40),
        image_digest: content::Digest::of(b"image"),
    };
    record.write(layout.path()).unwrap();
    assert_eq!(Record::read(layout.path()).unwrap(), record);
    let outcome = read_earlier(layout.path());
    let error = outcome.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("reading rebuilt layout: reading "),
        "{error}"
    );
    assert_eq!(
        error.hint(),
        Some("pass a layout that `verifier rebuild -o` wrote")
    );
}

#[test]
fn a_source_that_cannot_be_cloned_is_an_error_and_no_verdict() {
    let order = order(Path::new("/nowhere/source"), Choice::Head);
    let outcome = run(&tools("false"), &order, Path::new("/x"));
    assert_eq!(
        outcome.unwrap_err().to_string(),
        "cloning /nowhere/source: fatal: repository '/nowhere/source' does not exist"
    );
}

#[test]
fn the_login_of_a_source_is_not_printed() {
    let order = Order {
        source: "http://user:secret@127.0.0.1:9/x".to_owned(),
        ..order(Path::new("/"), Choice::Head)
    };
    let outcome = run(&tools("false"), &order, Path::new("/x"));
    let error = outcome.unwrap_err().to_string();
    assert!(
        error.starts_with("cloning http://127.0.0.1:9/x: ") && !error.contains("secret"),
        "{error}"
    );
}

#[test]
fn a_builder_that_writes_no_layout_is_an_error() {
    let (source, _) = source_with_a_commit();
    let order = order(source.path(), Choice::Head);
    let layout = source.path().join("layout");
    let outcome = run(&tools("true"), &order, &layout);
    assert_eq!(
        outcome.unwrap_err().to_string(),
        "running true: it exited with 0, but wrote no layout"
    );
}
