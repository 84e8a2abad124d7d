//! The files and processes that a program can see and change.

use super::*;

#[test]
fn user_host_and_environment_are_fixed() {
    expect(
        "id -u; id -g; uname -n; pwd; umask",
        "1000\n1000\ncountersign\n/build/src\n0022\n",
    );
    expect(
        "env | grep -v -e ^_= -e ^PWD= -e ^SHLVL=",
        "PATH=/usr/bin:/bin\n",
    );
}

#[test]
fn only_inputs_of_the_host_are_visible() {
    let top = "bin\nbuild\ndev\netc\nproc\ntmp\nusr\n";
    expect(
        "cat file /tmp/given; ls / | grep -v -E 'lib|sbin'; ls -A /etc",
        &format!("input\ngiven\n{top}"),
    );
}

#[test]
fn what_a_program_lacks_is_named() {
    if product("true").is_none() {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let programs = root.path().join("usr/bin");
    fs::create_dir_all(&programs).unwrap();
    std::os::unix::fs::symlink("usr/bin", root.path().join("bin")).unwrap();
    let way = Way {
        root: root.path().into(),
        ..Way::default()
    };
    let refusal = || run_as("true", &way).outcome.unwrap_err();
    let absent = refusal().to_string();
    assert_eq!(
        absent,
        "starting /bin/sh: it does not exist in the build root"
    );
    fs::copy("/bin/sh", programs.join("sh")).unwrap();
    let refused = refusal();
    let said = refused.to_string();
    assert!(
        said.starts_with("starting /bin/sh: its interpreter /lib"),
        "{said}"
    );
    assert!(refused.hint().unwrap().contains("toolchain = \"rust\""));
}

#[test]
fn only_memory_can_be_written() {
    let probe = "for f in /x /build/x /build/src/file /usr/x /dev/x /etc/x /proc/sys/kernel/hostname; do \
                 (echo x >$f) 2>/dev/null && echo wrote $f; done; echo x >/tmp/x && echo done";
    expect(probe, "done\n");
}

#[test]
fn there_is_no_network() {
    expect("cat /proc/net/dev 2>/dev/null | grep -c :; true", "0\n");
    let probe = "perl -MSocket -e 'for (AF_INET, AF_INET6, 16) { \
                 print socket(my $s, $_, SOCK_DGRAM, 0) ? \"open\\n\" : \"$!\\n\" }'";
    expect(
        probe,
        "Operation not permitted\nOperation not permitted\nOperation not permitted\n",
    );
}

#[test]
fn privileges_cannot_be_regained() {
    let status = "grep -E '^(Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp):' /proc/self/status";
    let none = "0000000000000000";
    let expected = format!(
        "CapInh:\t{none}\nCapPrm:\t{none}\nCapEff:\t{none}\nCapBnd:\t{none}\nCapAmb:\t{none}\nNoNewPrivs:\t1\nSeccomp:\t2\n"
    );
    expect(status, &expected);
    expect("unshare -Ur true 2>/dev/null || echo no", "no\n");
    expect("mount -t tmpfs none /tmp 2>/dev/null || echo no", "no\n");
    expect("setarch -R true 2>/dev/null || echo no", "no\n");
}

#[test]
fn processes_of_the_host_are_not_seen() {
    expect(
        "ls /proc | grep -E '^[0-9]+$' | head -1; echo $PPID",
        "1\n1\n",
    );
    expect("ls /proc | grep -v -E '^[0-9]+$|self'; true", "");
}

/// An open folder of the host is the worst case: every other folder can be reached from it.
#[test]
fn inherited_files_are_closed() {
    let (folder, file) = (fs::File::open("/"), fs::File::open("/etc/passwd"));
    for inherited in [folder.unwrap(), file.unwrap()] {
        rustix::io::fcntl_setfd(&inherited, rustix::io::FdFlags::empty()).unwrap();
        expect("ls /proc/self/fd", "0\n1\n2\n3\n");
    }
}

#[test]
fn addresses_are_the_same_each_time() {
    let script = "grep -E 'stack|vdso' /proc/self/maps | cut -d' ' -f1";
    if let (Some(first), Some(second)) = (product(script), product(script)) {
        assert!(!first.is_empty());
        assert_eq!(first, second);
    }
}

const DEVICES: [&str; 5] = ["full", "null", "random", "urandom", "zero"];

/// The properties of the host's device nodes that a build could change.
fn device_nodes() -> Vec<[i64; 5]> {
    let node = |name| fs::metadata(Path::new("/dev").join(name)).unwrap();
    let nodes = DEVICES.into_iter().map(node);
    let properties = |node: fs::Metadata| {
        let (mode, owner) = (node.mode().into(), node.uid().into());
        [mode, owner, node.mtime(), node.ctime(), node.ctime_nsec()]
    };
    nodes.map(properties).collect()
}

#[test]
fn device_nodes_can_be_used_but_not_changed() {
    let before = device_nodes();
    let change = "for f in full null random urandom zero; do \
                  chmod 0600 /dev/$f && echo mode; touch -d @424242 /dev/$f && echo times; \
                  chown 1000:1000 /dev/$f && echo owner; done 2>/dev/null; true";
    let used = "echo x >/dev/null && head -c 3 /dev/zero | wc -c; head -c 3 /dev/urandom | wc -c; \
                (echo x >/dev/full) 2>/dev/null || echo full";
    for_both_users("device_nodes_can_be_used_but_not_changed", |way| {
        if let Some(found) = product_as(&format!("{change}; {used}"), way) {
            assert_eq!(found, "3\n3\nfull\n");
        }
        assert_eq!(device_nodes(), before);
    });
}

#[test]
fn processes_cannot_write_to_each_other() {
    expect(
        "for f in comm mem oom_score_adj; do (echo x >/proc/$$/$f) 2>/dev/null && echo wrote; done; true",
        "",
    );
}
