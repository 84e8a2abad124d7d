//! The packages that are linked into programs of cargo.

use std::collections::{BTreeMap, BTreeSet};

use crate::compile::error::CompileError;
use crate::compile::{linkers, programs};
use crate::inputs::Inputs;
use crate::order::Order;
use crate::sandbox::Traced;
use crate::spec::cargo::Target;
use crate::untrusted::shown;

/// The names of the packages that are linked into each binary: those of the files that its linker read, and Rust's standard library
/// of the compiler, which a linker does not see if the compiler has merged it into the program.
///
/// # Errors
/// A package cannot be read from the store, or the work was interrupted.
pub(super) fn linked(
    binaries: &BTreeSet<&str>,
    target: Target,
    traced: &Traced,
    order: &Order<'_>,
    inputs: &Inputs,
) -> Result<BTreeMap<String, BTreeSet<String>>, CompileError> {
    let files = traced
        .products
        .iter()
        .flatten()
        .flatten()
        .cloned()
        .collect();
    let owners = linkers::packages(&files, order, inputs)?;
    let mut linked = BTreeMap::new();
    for (index, binary) in binaries.iter().enumerate() {
        let mut packages = match programs::have("rustc", &inputs.archives) {
            true => BTreeSet::new(),
            false => named(inputs, is_standard),
        };
        match traced.products.get(index).and_then(Option::as_ref) {
            Some(files) => packages.extend(linkers::owned(files, &owners)),
            None => {
                let binary = shown(binary);
                order.supply.note(&format!(
                    "note: the linker of {binary} did not list what it read: the bill of materials names the C library and the \
                     compiler's own"
                ));
                packages.extend(named(inputs, |package| is_library(package, target)));
            }
        }
        linked.insert((*binary).to_owned(), packages);
    }
    Ok(linked)
}

/// The packages of the build root of such names.
fn named(inputs: &Inputs, is_wanted: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let names = inputs.lock.packages.iter().map(|package| &package.name);
    names.filter(|name| is_wanted(name)).cloned().collect()
}

/// Whether Debian has Rust's standard library, as it is linked statically, in a package of this name.
fn is_standard(package: &str) -> bool {
    package.starts_with("libstd-rust-") && package.ends_with("-dev")
}

/// Whether Debian has the C library of a target, or the compiler's own, in a package of this name.
fn is_library(package: &str, target: Target) -> bool {
    let gcc = package
        .strip_prefix("libgcc-")
        .and_then(|rest| rest.strip_suffix("-dev"));
    let library = match target {
        Target::Musl => "musl-dev",
        Target::Gnu => "libc6-dev",
    };
    package == library || gcc.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_c_library_is_that_of_the_target() {
        let packages = ["libc6-dev", "musl-dev", "libgcc-14-dev", "libgcc-s1"];
        let of = |target| {
            let found = packages.into_iter();
            found
                .filter(|package| is_library(package, target))
                .collect::<Vec<_>>()
        };
        assert_eq!(of(Target::Gnu), ["libc6-dev", "libgcc-14-dev"]);
        assert_eq!(of(Target::Musl), ["musl-dev", "libgcc-14-dev"]);
    }
}
