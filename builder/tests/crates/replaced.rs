//! The user's configuration of cargo replaces the public registry with something that has no archives in cargo's cache.

use super::*;

/// A local registry (The Cargo Book, "Local Registry Sources") has archives, but not in cargo's cache.
#[test]
fn a_local_registry_in_place_of_the_registry_is_named() {
    let honest = archive("// honest");
    let mirror = Registry::serve(honest.clone());
    let user = User::new(&mirror);
    let local = user.at("local");
    fs::create_dir_all(local.join("index/it/oa")).unwrap();
    let digest = Digest::of(&honest).hex();
    let entry = format!(
        "{{\"name\":\"{NAME}\",\"vers\":\"{VERSION}\",\"deps\":[],\"features\":{{}},\"yanked\":false,\"cksum\":\"{digest}\"}}\n"
    );
    fs::write(local.join("index/it/oa/itoa"), entry).unwrap();
    fs::write(local.join(format!("{NAME}-{VERSION}.crate")), &honest).unwrap();
    let config = format!(
        "[source.crates-io]\nreplace-with = \"local\"\n[source.local]\nlocal-registry = {local:?}\n"
    );
    fs::write(user.at("home/config.toml"), config).unwrap();
    let public = user.public.clone();
    user.release("itoa = \"1\"", &public, &honest);
    let refused = user.build();
    if is_impossible(
        &refused,
        "a_local_registry_in_place_of_the_registry_is_named",
    ) {
        return;
    }
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    for expected in [
        "builder: error: fetching crate itoa 1.0.19: cargo has no archive of it: it comes from ",
        "hint: let cargo fetch crates from a registry",
    ] {
        assert!(said(&refused).contains(expected), "{}", said(&refused));
    }
    assert!(!mirror.was_asked());
    assert_eq!(user.kept(), 0);
}

#[test]
fn a_vendored_folder_in_place_of_the_registry_is_named() {
    let honest = archive("// honest");
    let mirror = Registry::serve(honest.clone());
    let user = User::new(&mirror);
    let vendor = user.at("vendor").join(NAME);
    fs::create_dir_all(vendor.join("src")).unwrap();
    fs::write(vendor.join("src/lib.rs"), "").unwrap();
    let manifest = format!("[package]\nname = \"{NAME}\"\nversion = \"{VERSION}\"\n");
    fs::write(vendor.join("Cargo.toml"), manifest).unwrap();
    let checksum = format!(
        "{{\"files\":{{}},\"package\":\"{}\"}}",
        Digest::of(&honest).hex()
    );
    fs::write(vendor.join(".cargo-checksum.json"), checksum).unwrap();
    let config = format!(
        "[source.crates-io]\nreplace-with = \"vendored\"\n[source.vendored]\ndirectory = {:?}\n",
        user.at("vendor")
    );
    fs::write(user.at("home/config.toml"), config).unwrap();
    let public = user.public.clone();
    user.release("itoa = \"1\"", &public, &honest);
    let refused = user.build();
    if is_impossible(
        &refused,
        "a_vendored_folder_in_place_of_the_registry_is_named",
    ) {
        return;
    }
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    let reason = format!(
        "cargo has no archive of it: it comes from {}",
        vendor.display()
    );
    assert!(said(&refused).contains(&reason), "{}", said(&refused));
    assert!(
        said(&refused).contains("hint: let cargo fetch crates from a registry"),
        "{}",
        said(&refused)
    );
}
