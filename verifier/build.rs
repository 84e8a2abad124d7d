//! Links the program so that it starts faster.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // docs/decisions/0029-a-fixed-address.md has the reasons.
    println!("cargo::rustc-link-arg-bins=-no-pie");
}
