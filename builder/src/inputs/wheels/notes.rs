//! What a user should know of the wheels of a lock: what the image does not have, and what it lacks.

use std::collections::{BTreeMap, BTreeSet};

use super::files::WantedWheels;
use super::found::Found;
use super::libraries;
use crate::inputs::Supply;
use crate::lock::packages::Package;
use crate::untrusted::shown;

/// Reports what is not in the image, and what it lacks.
pub(super) fn tell(
    wanted: &[WantedWheels],
    all: &[Found],
    runtime: &[Package],
    supply: &Supply<'_>,
) {
    let mut notes = Vec::new();
    notes.extend(
        left_out(all, &|found| &found.opened.commands).map(|commands| {
            format!(
                "commands of wheels are left out: {commands}; start a module with python3 -m NAME"
            )
        }),
    );
    notes.extend(
        left_out(all, &|found| &found.opened.elsewhere)
            .map(|files| format!("files of wheels that are not modules are left out: {files}")),
    );
    // What a base image has is not known.
    if wanted.iter().all(|one| one.spec.python.is_none()) {
        let lacking = lacking(all, runtime).into_iter();
        notes.extend(lacking.map(|(package, users)| {
            let users: Vec<_> = users.into_iter().collect();
            format!(
                "wheels need a library of package {package}: add it to packages in [runtime]: {}",
                users.join(", ")
            )
        }));
    }
    for found in all.iter().filter(|found| found.is_yanked) {
        let file = &found.wheel.file;
        notes.push(format!(
            "wheel {file} is yanked: its project asks not to use it"
        ));
    }
    notes.iter().for_each(|note| supply.note(&shown(note)));
}

/// The wheels of which something is left out, and what.
fn left_out(all: &[Found], what: &dyn Fn(&Found) -> &[String]) -> Option<String> {
    let some = all.iter().filter(|found| !what(found).is_empty());
    let some = some.map(|found| format!("{} ({})", found.wheel.name, what(found).join(", ")));
    let some: Vec<_> = some.collect();
    (!some.is_empty()).then(|| some.join(", "))
}

/// The packages whose libraries wheels need and that the image does not have, each with these wheels and libraries.
fn lacking<'a>(all: &'a [Found], runtime: &[Package]) -> BTreeMap<&'a str, BTreeSet<String>> {
    let mut lacking: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    // Newer releases have other names for packages in which a type of the C library changed.
    let has = |name: &str| {
        let mut names = runtime.iter().map(|package| package.name.as_str());
        names.any(|found| found.strip_suffix("t64").unwrap_or(found) == name)
    };
    for found in all {
        for library in &found.opened.libraries {
            if let Some(package) = libraries::package(library).filter(|package| !has(package)) {
                let user = format!("{} ({library})", found.wheel.name);
                lacking.entry(package).or_default().insert(user);
            }
        }
    }
    lacking
}
