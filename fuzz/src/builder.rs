use builder::inputs::cargo::CargoLock;
use builder::inputs::debian::{Index, Suites, apt, deb, release::Release};
use builder::inputs::wheels::{self, Requirements};
use builder::lock::Lock;
use builder::lock::packages::Package;
use builder::lock::time::Time;
use builder::spec::Spec;
use content::Digest;

use crate::check::{accepted, with_text};

/// A lock is read as it was written.
pub fn image_lock(bytes: &[u8]) -> bool {
    with_text(bytes, |text| {
        accepted(Lock::parse(text), |lock| {
            let written = lock.to_text().expect("locks can be written");
            assert_eq!(Lock::parse(&written).ok(), Some(lock));
        })
    })
}

/// `Image.toml`.
pub fn image_toml(bytes: &[u8]) -> bool {
    with_text(bytes, |text| Spec::parse(text).is_ok())
}

/// `Cargo.lock`: the crates are sorted.
pub fn cargo_lock(bytes: &[u8]) -> bool {
    with_text(bytes, |text| {
        accepted(CargoLock::parse(text), |lock| {
            assert!(lock.crates.is_sorted())
        })
    })
}

/// A package index: a package and what it needs are sorted by name.
pub fn packages(bytes: &[u8]) -> bool {
    with_text(bytes, |text| {
        accepted(Index::parse(text), |index| {
            let suites = Suites::new(vec![("s".to_owned(), index)]);
            let wanted = ["a".to_owned().into()];
            let found = suites.closure(&wanted).unwrap_or_default();
            assert!(found.is_sorted_by(|one, next| one.name < next.name));
        })
    })
}

/// A package that claims to be `a 1`.
pub fn deb(bytes: &[u8]) -> bool {
    let package = Package {
        name: "a".to_owned(),
        suite: None,
        source: None,
        version: "1".to_owned(),
        path: "pool/a.deb".parse().expect("a path"),
        sha256: Digest::of(bytes),
        size: bytes.len() as u64,
    };
    deb::check(&package, bytes).is_ok()
}

/// Requirements in the format of pip.
pub fn requirements(bytes: &[u8]) -> bool {
    with_text(bytes, |text| Requirements::parse("r", text).is_ok())
}

/// A wheel that claims to be `a 1.0`.
pub fn wheel(bytes: &[u8]) -> bool {
    let file = "a-1.0-py3-none-any.whl".parse().expect("a name");
    wheels::examine(&file, bytes).is_ok()
}

/// What a package index of Python says of a project, in both forms.
pub fn project(bytes: &[u8]) -> bool {
    wheels::names(bytes).is_ok()
}

/// The release file of an archive.
pub fn release(bytes: &[u8]) -> bool {
    with_text(bytes, |text| {
        let release = Release::new(text.to_owned());
        let _ = release.file("main/binary-amd64/Packages.xz");
        release.is_by_hash();
        if let Some(time) = text.lines().find_map(Time::from_release) {
            assert_eq!(String::from(time).parse(), Ok(time));
        }
        let now = Time::from_unix(1_796_037_757);
        now.is_some_and(|now| release.check("bookworm", now).is_ok())
    })
}

/// Both forms of apt's lists of sources. Lists of mirrors are left out: they name files of this machine.
pub fn apt_sources(bytes: &[u8]) -> bool {
    if bytes.windows(6).any(|window| window == b"mirror") {
        return false;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let parts = folder.path().join("sources.list.d");
    std::fs::create_dir(&parts).expect("a new folder");
    for path in [folder.path().join("sources.list"), parts.join("a.sources")] {
        std::fs::write(path, bytes).expect("a new file");
    }
    apt::sources(folder.path()).is_ok_and(|sources| !sources.is_empty())
}
