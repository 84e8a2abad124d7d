//! The tags of wheels that a Python can use, the most specific first, in the order of pip (PyPA specifications, "Platform
//! compatibility tags").

use std::collections::HashMap;

use super::target::Target;
use crate::lock::wheels::WheelFile;

/// The oldest Python with a stable ABI.
const STABLE: u32 = 2;
/// Older names of platforms, by the version of glibc that they stand for.
const LEGACY: [(u32, &str); 3] = [
    (17, "manylinux2014"),
    (12, "manylinux2010"),
    (5, "manylinux1"),
];

/// Tags by their places in the order.
pub(super) struct Tags(HashMap<String, usize>);

impl Tags {
    /// The tags that `target` can use.
    pub(super) fn of(target: &Target) -> Self {
        let tags = ordered(target).into_iter().enumerate();
        let mut places = HashMap::new();
        for (place, tag) in tags {
            places.entry(tag).or_insert(place);
        }
        Self(places)
    }

    /// The place of the best tag of a wheel; `None` if the target cannot use it.
    pub(super) fn place(&self, file: &WheelFile) -> Option<usize> {
        let [pythons, abis, platforms] = file.tags()?;
        let mut best = None;
        for python in pythons.split('.') {
            for abi in abis.split('.') {
                for platform in platforms.split('.') {
                    let place = self.0.get(&format!("{python}-{abi}-{platform}")).copied();
                    best = [best, place].into_iter().flatten().min();
                }
            }
        }
        best
    }
}

fn ordered(target: &Target) -> Vec<String> {
    let platforms = platforms(target);
    let minor = target.minor;
    let own = format!("cp3{minor}");
    let mut tags = Vec::new();
    let mut add = |python: &str, abi: &str| {
        let each = platforms.iter();
        tags.extend(each.map(|platform| format!("{python}-{abi}-{platform}")));
    };
    add(&own, &own);
    add(&own, "abi3");
    add(&own, "none");
    for older in (STABLE..minor).rev() {
        add(&format!("cp3{older}"), "abi3");
    }
    let pythons: Vec<_> = pythons(minor).collect();
    pythons.iter().for_each(|python| add(python, "none"));
    tags.push(format!("{own}-none-any"));
    tags.extend(pythons.iter().map(|python| format!("{python}-none-any")));
    tags
}

/// The Pythons whose code this one runs: `py313`, `py3`, `py312` and so on.
fn pythons(minor: u32) -> impl Iterator<Item = String> {
    let older = (0..minor).rev().map(|older| format!("py3{older}"));
    [format!("py3{minor}"), "py3".to_owned()]
        .into_iter()
        .chain(older)
}

/// The platforms, those with the newest C library first.
fn platforms(target: &Target) -> Vec<String> {
    let machine = target.machine;
    let oldest = match machine {
        "x86_64" => 5,
        _ => 17,
    };
    let mut platforms = Vec::new();
    for minor in (oldest..=target.glibc.1).rev() {
        platforms.push(format!("manylinux_2_{minor}_{machine}"));
        let legacy = LEGACY.iter().find(|(of, _)| *of == minor);
        platforms.extend(legacy.map(|(_, name)| format!("{name}_{machine}")));
    }
    platforms.push(format!("linux_{machine}"));
    platforms
}

#[cfg(test)]
mod tests {
    use super::super::target::tests::target;
    use super::*;

    fn sorted(names: &[&str], minor: u32, glibc: u32) -> Vec<String> {
        let tags = Tags::of(&target(minor, glibc));
        let files = names.iter().map(|tags| format!("a-1-{tags}.whl"));
        let files = files.map(|name| name.parse::<WheelFile>().unwrap());
        let mut placed: Vec<_> = files
            .filter_map(|file| Some((tags.place(&file)?, file)))
            .collect();
        placed.sort();
        let stems = placed.into_iter().map(|(_, file)| {
            let name = file.as_str().trim_end_matches(".whl");
            name.trim_start_matches("a-1-").to_owned()
        });
        stems.collect()
    }

    #[test]
    fn the_most_specific_wheel_is_first() {
        let names = [
            "py3-none-any",
            "py2.py3-none-any",
            "cp39-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64",
            "cp313-cp313-manylinux_2_17_x86_64",
            "cp313-cp313-manylinux_2_28_x86_64",
            "cp313-cp313-manylinux_2_42_x86_64",
            "cp313-cp313t-manylinux_2_28_x86_64",
            "cp313-cp313-musllinux_1_2_x86_64",
            "cp313-cp313-manylinux_2_28_aarch64",
            "cp313-none-any",
            "cp314-cp314-manylinux_2_28_x86_64",
            "cp312-abi3-manylinux1_x86_64",
            "cp312-cp312-manylinux1_x86_64",
            "py3-none-manylinux_2_5_x86_64",
            "cp313-cp313-win_amd64",
            "cp313-cp313-linux_x86_64",
        ];
        let expected = [
            "cp313-cp313-manylinux_2_28_x86_64",
            "cp313-cp313-manylinux_2_17_x86_64",
            "cp313-cp313-linux_x86_64",
            "cp312-abi3-manylinux1_x86_64",
            "cp39-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64",
            "py3-none-manylinux_2_5_x86_64",
            "cp313-none-any",
            "py2.py3-none-any",
            "py3-none-any",
        ];
        assert_eq!(sorted(&names, 13, 41), expected);
        let older = ["cp39-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64"];
        assert_eq!(sorted(&older, 11, 17), older);
        assert!(sorted(&older, 8, 36).is_empty());
        assert!(sorted(&older, 11, 16).is_empty());
    }

    /// The order of `packaging` 24.2 for CPython 3.11 on x86-64 with glibc 2.36, and how many tags there are.
    #[test]
    fn the_order_is_that_of_pip() {
        let tags = ordered(&target(11, 36));
        let first = [
            "cp311-cp311-manylinux_2_36_x86_64",
            "cp311-cp311-manylinux_2_35_x86_64",
        ];
        assert_eq!(tags[..2], first);
        let place = |tag: &str| tags.iter().position(|one| one == tag).unwrap();
        assert!(place("cp311-none-linux_x86_64") < place("cp310-abi3-manylinux_2_36_x86_64"));
        assert!(place("cp32-abi3-linux_x86_64") < place("py311-none-manylinux_2_36_x86_64"));
        assert!(place("py30-none-linux_x86_64") < place("cp311-none-any"));
        assert_eq!(tags.last().unwrap(), "py30-none-any");
    }
}
