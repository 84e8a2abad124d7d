//! A line that a file of requirements lacks.

use std::cmp::Reverse;

use pep440_rs::{Version, VersionSpecifiers};

use super::listing::Listed;
use super::tags::Tags;
use crate::lock::wheels::{ProjectName, WheelFile};

/// The newest release of a project, among these files, that has one of these versions and a wheel for the Python, as a line with the
/// digest of this wheel; `None` if there is none.
pub(super) fn line(
    name: &ProjectName,
    versions: &str,
    files: &[Listed],
    tags: &Tags,
) -> Option<String> {
    let wanted: VersionSpecifiers = versions.parse().ok()?;
    let suits = |version: &Version| version.is_stable() && wanted.contains(version);
    let wheels = files.iter().filter(|file| !file.is_yanked);
    let wheels = wheels.filter_map(|listed| {
        let file: WheelFile = listed.name.parse().ok()?;
        let version = file.version().filter(suits)?;
        let is_its = file.project().as_ref() == Some(name);
        let place = tags.place(&file).filter(|_| is_its)?;
        Some((version, Reverse(place), listed.sha256?))
    });
    let (version, _, sha256) = wheels.max()?;
    Some(format!("{name}=={version} --hash=sha256:{}", sha256.hex()))
}

#[cfg(test)]
mod tests {
    use content::Digest;

    use super::super::target::tests::target;
    use super::*;

    #[test]
    fn the_newest_release_with_a_wheel_is_suggested() {
        let listed = |name: &str, is_yanked: bool| Listed {
            name: name.to_owned(),
            url: String::new(),
            sha256: Some(Digest::of(name.as_bytes())),
            is_yanked,
        };
        let files = [
            listed("a-1.9-py3-none-any.whl", false),
            listed("a-1.10-py3-none-any.whl", false),
            listed("a-1.10-cp313-cp313-manylinux_2_17_x86_64.whl", false),
            listed("a-1.11-py3-none-any.whl", true),
            listed("a-1.12rc1-py3-none-any.whl", false),
            listed("a-1.13.tar.gz", false),
            listed("a-1.14-cp313-cp313-win_amd64.whl", false),
            listed("a-2.0-py3-none-any.whl", false),
        ];
        let tags = Tags::of(&target(13, 36));
        let name = "a".parse().unwrap();
        let line = |versions: &str| line(&name, versions, &files, &tags);
        let expected = |file: &str, version: &str| {
            let hex = Digest::of(file.as_bytes()).hex();
            Some(format!("a=={version} --hash=sha256:{hex}"))
        };
        let best = expected("a-1.10-cp313-cp313-manylinux_2_17_x86_64.whl", "1.10");
        assert_eq!(line(">=1.2, <2"), best);
        assert_eq!(line(""), expected("a-2.0-py3-none-any.whl", "2.0"));
        assert_eq!(line("==1.13"), None);
        assert_eq!(line("nonsense"), None);
    }
}
