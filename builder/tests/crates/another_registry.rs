//! Crates of another registry never take the place of those of the public one.

use super::*;

#[test]
fn another_registry_is_refused_before_cargo_runs() {
    let (honest, evil) = (archive("// honest"), archive("// evil"));
    let (mirror, attacker) = (Registry::serve(honest), Registry::serve(evil.clone()));
    let user = User::new(&mirror);
    let index = attacker.index();
    let from_attacker = format!("itoa = {{ version = \"1\", registry-index = \"{index}\" }}");
    let source = format!("source = \"{index}\"");
    for (dependency, source, reason) in [
        (
            from_attacker.as_str(),
            source.as_str(),
            "from another registry",
        ),
        (&from_attacker, &user.public, "from another registry"),
        ("itoa = \"1\"", &source, "expected the public registry"),
    ] {
        user.release(dependency, source, &evil);
        let refused = user.build();
        if is_impossible(&refused, "another_registry_is_refused_before_cargo_runs") {
            return;
        }
        assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
        assert!(said(&refused).contains(reason), "{}", said(&refused));
        assert!(!user.has_run_cargo() && !attacker.was_asked() && !mirror.was_asked());
        assert_eq!(user.kept(), 0);
    }
}

#[test]
fn crates_of_another_registry_are_not_used_for_the_public_one() {
    let test = "crates_of_another_registry_are_not_used_for_the_public_one";
    let (honest, evil) = (archive("// honest"), archive("// evil"));
    let (mirror, attacker) = (
        Registry::serve(honest.clone()),
        Registry::serve(evil.clone()),
    );
    let user = User::new(&mirror);
    // The user has looked at the attacker's first release with cargo itself.
    let index = attacker.index();
    let dependency = format!("itoa = {{ version = \"1\", registry-index = \"{index}\" }}");
    user.release(&dependency, &format!("source = \"{index}\""), &evil);
    let mut fetch = Command::new(env!("CARGO"));
    fetch
        .args(["fetch", "--locked", "--manifest-path"])
        .arg(user.at("source/Cargo.toml"));
    fetch.env("CARGO_HOME", user.at("home")).current_dir("/");
    assert!(fetch.stderr(Stdio::null()).status().unwrap().success());
    let caches: Vec<_> = fs::read_dir(user.at("home/registry/cache"))
        .unwrap()
        .flatten()
        .collect();
    let [cache] = &caches[..] else {
        panic!("{caches:?}");
    };
    let poison = cache.path().join(format!("{NAME}-{VERSION}.crate"));
    assert_eq!(fs::read(poison).unwrap(), evil);

    let public = user.public.clone();
    user.release("itoa = \"1\"", &public, &evil);
    let refused = user.build();
    if is_impossible(&refused, test) {
        return;
    }
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    let (expected, found) = (Digest::of(&honest), Digest::of(&evil));
    let reason = format!(
        "checking crate itoa 1.0.19: expected {expected}, the digest in the registry, found {found} in Cargo.lock"
    );
    assert!(said(&refused).contains(&reason), "{}", said(&refused));
    assert_eq!(user.kept(), 0);

    user.release("itoa = \"1\"", &public, &honest);
    let accepted = user.build();
    assert!(is_accepted(&accepted), "{}", said(&accepted));
    assert_eq!(user.kept(), 1);
    assert!(user.has_run_cargo());
    // The store does not help either: the check is made again.
    user.release("itoa = \"1\"", &public, &evil);
    assert_eq!(user.build().status.code(), Some(1));
}
