//! The user's configuration of cargo replaces the public registry with something that has no archives in cargo's cache.

use super::*;

/// Builds with `config` in place of the public registry, which must fail. Gives the error.
fn refused(user: &User, honest: &[u8], config: &str, test: &str) -> Option<String> {
    let config =
        format!("[source.crates-io]\nreplace-with = \"other\"\n[source.other]\n{config}\n");
    fs::write(user.at("home/config.toml"), config).unwrap();
    user.release("itoa = \"1\"", &user.public, honest);
    let refused = user.build();
    if is_impossible(&refused, test) {
        return None;
    }
    let said = said(&refused);
    assert_eq!(refused.status.code(), Some(2), "{said}");
    let hint = "hint: configure cargo to fetch crates from a registry";
    assert!(said.contains(hint), "{said}");
    assert_eq!(user.kept(), 0);
    Some(said)
}

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
    let test = "a_local_registry_in_place_of_the_registry_is_named";
    let config = format!("local-registry = {local:?}");
    if let Some(said) = refused(&user, &honest, &config, test) {
        let reason = "builder: error: fetching crate itoa 1.0.19: cargo has no .crate file of it: it is unpacked in ";
        assert!(said.contains(reason), "{said}");
        assert!(!mirror.was_asked());
    }
}

#[test]
fn a_vendored_folder_in_place_of_the_registry_is_named() {
    let honest = archive("// honest");
    let user = User::new(&Registry::serve(honest.clone()));
    let vendor = user.at("vendor").join(NAME);
    fs::create_dir_all(vendor.join("src")).unwrap();
    fs::write(vendor.join("src/lib.rs"), "").unwrap();
    let manifest = format!("[package]\nname = \"{NAME}\"\nversion = \"{VERSION}\"\n");
    fs::write(vendor.join("Cargo.toml"), manifest).unwrap();
    let digest = Digest::of(&honest).hex();
    let checksum = format!("{{\"files\":{{}},\"package\":\"{digest}\"}}");
    fs::write(vendor.join(".cargo-checksum.json"), checksum).unwrap();
    let test = "a_vendored_folder_in_place_of_the_registry_is_named";
    let config = format!("directory = {:?}", user.at("vendor"));
    if let Some(said) = refused(&user, &honest, &config, test) {
        let vendor = vendor.display();
        let reason = format!("cargo has no .crate file of it: it is unpacked in {vendor}");
        assert!(said.contains(&reason), "{said}");
    }
}
