//! The wheel of a requirement: of those that have one of its digests, the one that fits the Python best.

use std::cmp::Reverse;

use pep440_rs::VersionSpecifier;

use super::listing::Listed;
use super::requirements::Requirement;
use super::tags::Tags;
use super::target::Target;
use crate::lock::wheels::WheelFile;
use crate::untrusted::shown;

/// Tags that an error names.
const NAMED: usize = 4;

/// Why no wheel meets a requirement.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Unmet {
    /// The index has no such file. The answer is the same on every machine.
    Unlisted(String),
    /// There are files, but no wheel that fits.
    Unfit(String),
}

/// Chooses the wheel of a requirement among the files of its project.
///
/// # Errors
/// There is none.
pub(super) fn choose<'a>(
    requirement: &Requirement,
    files: &'a [Listed],
    tags: &Tags,
    target: &Target,
) -> Result<(WheelFile, &'a Listed), Unmet> {
    let named = format!("{} {}", requirement.name, requirement.version);
    let allowed = files.iter().filter(|file| {
        let digest = file.sha256.as_ref();
        digest.is_some_and(|digest| requirement.digests.contains(digest))
    });
    let allowed: Vec<_> = allowed.collect();
    if allowed.is_empty() {
        let reason = "the package index has no file with a digest that is named for it";
        return Err(Unmet::Unlisted(format!("{named}: {reason}")));
    }
    let wheels = allowed.iter().filter_map(|file| wheel(requirement, file));
    let wheels: Vec<_> = wheels.collect();
    let fitting = wheels.iter().filter_map(|(file, listed)| {
        let place = tags.place(file)?;
        Some((
            (file.version(), Reverse(place), file.build()),
            (file, *listed),
        ))
    });
    let best = fitting.max_by(|(one, _), (other, _)| one.cmp(other));
    match best {
        Some((_, (file, listed))) => Ok((file.clone(), listed)),
        None => Err(Unmet::Unfit(unfit(&named, &allowed, &wheels, target))),
    }
}

/// The file as a wheel of the requirement's project and version.
fn wheel<'a>(requirement: &Requirement, listed: &'a Listed) -> Option<(WheelFile, &'a Listed)> {
    let file: WheelFile = listed.name.parse().ok()?;
    let version = file.version()?;
    let wanted = VersionSpecifier::equals_version(requirement.version.clone());
    let is_its = file.project().as_ref() == Some(&requirement.name) && wanted.contains(&version);
    is_its.then_some((file, listed))
}

fn unfit(
    named: &str,
    allowed: &[&Listed],
    wheels: &[(WheelFile, &Listed)],
    target: &Target,
) -> String {
    if wheels.is_empty() {
        let file = shown(&allowed[0].name);
        return format!("{named}: no digest is that of a wheel of it, only of {file}");
    }
    let tags = wheels.iter().filter_map(|(file, _)| file.tags());
    let mut tags: Vec<_> = tags.map(|tags| tags.join("-")).collect();
    tags.sort();
    let more = match tags.len() > NAMED {
        true => format!(" and {} more", tags.len() - NAMED),
        false => String::new(),
    };
    tags.truncate(NAMED);
    let (python, (major, minor), machine) = (target.short(), target.glibc, target.machine);
    format!(
        "{named}: no wheel is for Python {python} on {machine} with glibc {major}.{minor}: its digests are those of {}{more}",
        tags.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use content::Digest;

    use super::super::requirements::Requirements;
    use super::super::target::tests::target;
    use super::*;

    /// The wheel that is chosen of a project `a` with these files, whose digests are those of their names.
    fn chosen(
        minor: u32,
        version: &str,
        allowed: &[&str],
        listed: &[&str],
    ) -> Result<String, Unmet> {
        let hash = |name: &&str| format!(" --hash=sha256:{}", Digest::of(name.as_bytes()).hex());
        let hashes: String = allowed.iter().map(hash).collect();
        let text = format!("a=={version}{hashes}\n");
        let requirements = Requirements::parse("r", &text).unwrap();
        let target = target(minor, 36);
        let requirements = requirements.of(&target).unwrap();
        let files: Vec<_> = listed
            .iter()
            .map(|name| Listed {
                name: (*name).to_owned(),
                url: String::new(),
                sha256: Some(Digest::of(name.as_bytes())),
                is_yanked: false,
            })
            .collect();
        let requirement = requirements.values().next().unwrap();
        let chosen = choose(requirement, &files, &Tags::of(&target), &target);
        chosen.map(|(file, _)| file.to_string())
    }

    #[test]
    fn the_best_wheel_with_a_named_digest_is_chosen() {
        let all = [
            "a-1.0-py3-none-any.whl",
            "a-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            "a-1.0-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            "a-1.0-cp313-cp313-manylinux_2_17_x86_64.whl",
            "a-1.0.tar.gz",
        ];
        assert_eq!(chosen(11, "1", &all, &all).unwrap(), all[2]);
        assert_eq!(chosen(13, "1", &all, &all).unwrap(), all[3]);
        assert_eq!(chosen(12, "1.0", &all, &all).unwrap(), all[0]);
        assert_eq!(chosen(11, "1", &all[1..2], &all).unwrap(), all[1]);
        let local = ["a-1.0-py3-none-any.whl", "a-1.0+cpu-py3-none-any.whl"];
        assert_eq!(chosen(11, "1.0", &local, &local).unwrap(), local[1]);
    }

    #[test]
    fn what_is_missing_is_said() {
        let source = ["a-1.tar.gz"];
        let unfit = |reason: &str| Err(Unmet::Unfit(reason.to_owned()));
        assert_eq!(
            chosen(11, "1", &source, &source),
            unfit("a 1: no digest is that of a wheel of it, only of a-1.tar.gz")
        );
        let other = ["a-2-py3-none-any.whl"];
        assert_eq!(
            chosen(11, "1", &other, &other),
            unfit("a 1: no digest is that of a wheel of it, only of a-2-py3-none-any.whl")
        );
        let windows = ["a-1-cp311-cp311-win_amd64.whl"];
        assert_eq!(
            chosen(11, "1", &windows, &windows),
            unfit(
                "a 1: no wheel is for Python 3.11 on x86_64 with glibc 2.36: its digests are those of cp311-cp311-win_amd64"
            )
        );
        let unlisted = "a 1: the package index has no file with a digest that is named for it";
        assert_eq!(
            chosen(11, "1", &source, &windows),
            Err(Unmet::Unlisted(unlisted.to_owned()))
        );
    }
}
