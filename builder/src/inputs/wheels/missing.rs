//! What wheels need and requirements do not name: pip asks for it with `--require-hashes`, and a program would miss it when it runs.

use std::collections::{BTreeMap, BTreeSet};

use pep440_rs::VersionSpecifiers;

use super::metadata::Metadata;
use super::requirements::Requirement;
use super::target::Target;
use crate::lock::wheels::ProjectName;
use crate::untrusted::shown;

/// A requirement, and what its wheel says of itself.
pub(super) type Resolved = BTreeMap<ProjectName, (Requirement, Metadata)>;

/// A line for a project in one of some versions, if there is one.
pub(super) type Suggest<'a> = &'a dyn Fn(&ProjectName, &str) -> Option<String>;

/// What is missing for a Python, in words. Projects in `others` are in another directory of the image.
pub(super) fn faults(
    resolved: &Resolved,
    others: &BTreeSet<ProjectName>,
    target: &Target,
    suggest: Suggest<'_>,
) -> Vec<String> {
    let extras = extras(resolved, target);
    let none = BTreeSet::new();
    let mut faults = BTreeSet::new();
    for (name, (requirement, metadata)) in resolved {
        let user = format!("{name} {}", requirement.version);
        if let Some(python) = metadata.other_python(target) {
            let (full, python) = (&target.full, shown(python));
            faults.insert(format!(
                "{user} needs Python {python}, and the image has {full}"
            ));
        }
        for needed in metadata.needs(target, extras.get(name).unwrap_or(&none)) {
            let versions = shown(&needed.versions);
            match resolved.get(&needed.name) {
                None if others.contains(&needed.name) => {}
                None => {
                    let (name, line) = (&needed.name, suggest(&needed.name, &needed.versions));
                    let line = line.unwrap_or_else(|| format!("{name}==VERSION with its digests"));
                    faults.insert(format!("{user} needs {name}{versions}: add a line {line}"));
                }
                Some((found, _)) if suits(found, &needed.versions) => {}
                Some((found, _)) => drop(faults.insert(format!(
                    "{user} needs {}{versions}, and its line has {}",
                    needed.name, found.version
                ))),
            }
        }
    }
    faults.into_iter().collect()
}

/// The extras of each project: those of its own line, and those that others ask for.
fn extras(resolved: &Resolved, target: &Target) -> BTreeMap<ProjectName, BTreeSet<ProjectName>> {
    let own = resolved.iter();
    let own = own.map(|(name, (requirement, _))| (name.clone(), requirement.extras.clone()));
    let mut extras: BTreeMap<_, BTreeSet<ProjectName>> = own.collect();
    let mut open: Vec<_> = resolved.keys().cloned().collect();
    while let Some(name) = open.pop() {
        let Some((_, metadata)) = resolved.get(&name) else {
            continue;
        };
        let wanted = extras.get(&name).cloned().unwrap_or_default();
        for needed in metadata.needs(target, &wanted) {
            let known = extras.entry(needed.name.clone()).or_default();
            let before = known.len();
            known.extend(needed.extras.iter().cloned());
            if known.len() > before {
                open.push(needed.name.clone());
            }
        }
    }
    extras
}

/// Whether a version is among those that are needed. What cannot be read is passed over.
fn suits(found: &Requirement, versions: &str) -> bool {
    match versions.parse::<VersionSpecifiers>() {
        Ok(versions) => versions.contains(&found.version),
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use content::Digest;

    use super::super::requirements::Requirements;
    use super::super::target::tests::target;
    use super::*;

    /// The faults of projects, each as `name[extras]==version` and its needs.
    fn of(projects: &[(&str, &[&str])], others: &[&str], minor: u32) -> Vec<String> {
        let hash = Digest::of(b"x").hex();
        let target = target(minor, 36);
        let lines = projects
            .iter()
            .map(|(line, _)| format!("{line} --hash=sha256:{hash}\n"));
        let requirements = Requirements::parse("r", &lines.collect::<String>()).unwrap();
        let requirements = requirements.of(&target).unwrap();
        let resolved = projects.iter().map(|(line, needs)| {
            let name = line.split(['[', '=']).next().unwrap();
            let name: ProjectName = name.parse().unwrap();
            let needs = needs.iter().map(|need| format!("{need}\n"));
            let requirement = requirements[&name].clone();
            let text = format!("Name: {name}\nVersion: 1\n{}", needs.collect::<String>());
            (name, (requirement, Metadata::parse(&text).unwrap()))
        });
        let others = others.iter().map(|name| name.parse().unwrap()).collect();
        faults(&resolved.collect(), &others, &target, &|name, versions| {
            (name.as_str() == "y").then(|| format!("y=={versions}1"))
        })
    }

    #[test]
    fn what_is_missing_is_named() {
        let flask: (&str, &[&str]) = (
            "flask[async]==3.1.0",
            &[
                "Requires-Dist: werkzeug>=3.1",
                "Requires-Dist: importlib-metadata>=3.6; python_version < '3.10'",
                "Requires-Dist: asgiref[x]>=3.2; extra == 'async'",
            ],
        );
        assert_eq!(
            of(&[flask], &[], 13),
            [
                "flask 3.1.0 needs asgiref>=3.2: add a line asgiref==VERSION with its digests",
                "flask 3.1.0 needs werkzeug>=3.1: add a line werkzeug==VERSION with its digests",
            ]
        );
        assert_eq!(
            of(&[flask], &["asgiref", "werkzeug"], 13),
            Vec::<String>::new()
        );
        let asgiref: (&str, &[&str]) = ("asgiref==3.8", &["Requires-Dist: y; extra == 'x'"]);
        assert_eq!(
            of(&[flask, asgiref, ("werkzeug==3.0", &[])], &[], 13),
            [
                "asgiref 3.8 needs y: add a line y==1",
                "flask 3.1.0 needs werkzeug>=3.1, and its line has 3.0",
            ]
        );
        let new: (&str, &[&str]) = ("a==1", &["Requires-Python: >=3.12"]);
        assert_eq!(
            of(&[new], &[], 11),
            ["a 1 needs Python >=3.12, and the image has 3.11.2"]
        );
    }
}
