use super::*;

fn policy(labels: &[(&str, &str)]) -> Result<LaunchPolicy, Refusal> {
    let labels = labels
        .iter()
        .map(|(k, v)| (format!("tee.launch_policy.{k}"), v.to_string()));
    LaunchPolicy::from_labels(&labels.collect())
}

fn production() -> Request {
    Request::on(MachineImage::Production)
}

fn violation(labels: &[(&str, &str)], request: &Request) -> String {
    policy(labels)
        .unwrap()
        .check(request)
        .unwrap_err()
        .to_string()
}

#[test]
fn allows_nothing_by_default() {
    let policy = policy(&[]).unwrap();
    assert_eq!(policy.cmd_override, Permission::Denied);
    assert_eq!(policy.log_redirect, LogRedirect::DebugOnly);
    assert_eq!(policy.hardened_monitoring, Monitoring::None);
    assert_eq!(policy.debug_monitoring, Monitoring::MemoryOnly);
    assert_eq!(policy.check(&production()), Ok(()));
}

#[test]
fn refuses_commands_and_variables() {
    let mut request = production();
    request.cmd = vec!["--leak".into()];
    let cmd = "CMD is not allowed to be overridden on this image";
    assert_eq!(violation(&[], &request), cmd);
    assert_eq!(violation(&[("allow_cmd_override", "F")], &request), cmd);
    let granted = policy(&[("allow_cmd_override", "1")]).unwrap();
    assert_eq!(granted.check(&request), Ok(()));

    request.env = vec![
        Variable::new("A", "x").unwrap(),
        Variable::new("LD_PRELOAD", "y").unwrap(),
    ];
    assert_eq!(
        violation(&[("allow_env_override", "A,,B")], &request),
        "env var {LD_PRELOAD y} is not allowed to be overridden on this image; allowed envs to \
         be overridden: [A B]"
    );
}

#[test]
fn redirects_logs_only_where_allowed() {
    let mut request = production();
    request.log_redirect = Asked::Yes;
    let debug_only = "logging redirection only allowed on debug environment by image";
    assert_eq!(violation(&[], &request), debug_only);
    let always = policy(&[("log_redirect", " Always ")]).unwrap();
    assert_eq!(always.check(&request), Ok(()));
    request.machine_image = MachineImage::Debug;
    assert_eq!(policy(&[]).unwrap().check(&request), Ok(()));
    let never = violation(&[("log_redirect", "never")], &request);
    assert_eq!(never, "logging redirection not allowed by image");
}

#[test]
fn monitors_only_what_is_allowed() {
    let mut request = production();
    request.monitoring = Monitoring::All;
    let prefix = "error verifying monitoring config: spec configured for";
    assert_eq!(
        violation(&[], &request),
        format!("{prefix} all but policy is none")
    );
    assert_eq!(
        violation(&[("hardened_monitoring", "memoryOnly")], &request),
        format!("{prefix} all monitoring, policy only allows memory")
    );
    let both = policy(&[
        ("hardened_monitoring", "all"),
        ("monitoring_memory_allow", "always"),
    ]);
    assert_eq!(
        both.unwrap_err().to_string(),
        "use either tee.launch_policy.monitoring_memory_allow or \
         tee.launch_policy.hardened_monitoring/tee.launch_policy.debug_monitoring in image \
         labels,- not both"
    );
    let old = policy(&[("monitoring_memory_allow", "always")]).unwrap();
    assert_eq!(old.hardened_monitoring, Monitoring::MemoryOnly);
}

#[test]
fn mounts_only_below_what_is_allowed() {
    let labels = [("allow_mount_destinations", "/run/tmp/:/var/tmp/../cache")];
    for (mount, allowed) in [
        ("/run/tmp", true),
        ("/run/tmp/a/b", true),
        ("/var/cache/x", true),
        ("/run/tmp/../secret", false),
        ("/run/tmpfile", false),
        ("/var/tmp", false),
        ("/", false),
        ("run/tmp", false),
    ] {
        let mut request = production();
        request.mounts = vec![mount.into()];
        assert_eq!(
            policy(&labels).unwrap().check(&request).is_ok(),
            allowed,
            "{mount}"
        );
    }
}

#[test]
fn refuses_capabilities_and_cgroups() {
    let mut request = production();
    request.cgroup_namespace = Asked::Yes;
    assert_eq!(violation(&[], &request), "cgroups usage is not allowed");
    request.capabilities = vec!["CAP_SYS_ADMIN".into()];
    assert_eq!(
        violation(&[], &request),
        "additional capabilities are not allowed"
    );
}

#[test]
fn refuses_invalid_labels() {
    let boolean = policy(&[("allow_cmd_override", "yes")])
        .unwrap_err()
        .to_string();
    assert_eq!(
        boolean,
        "invalid image LABEL 'tee.launch_policy.allow_cmd_override' (not a boolean)"
    );
    for (name, value) in [
        ("log_redirect", "sometimes"),
        ("monitoring_memory_allow", "maybe"),
    ] {
        let error = policy(&[(name, value)]).unwrap_err();
        let expected = format!("invalid image LABEL 'tee.launch_policy.{name}'");
        assert_eq!(error.to_string(), expected);
    }
    let error = policy(&[("debug_monitoring", "memory")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid monitoring type for debug image: invalid monitoring type memory"
    );
}
