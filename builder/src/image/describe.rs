//! Provenance and bill of materials of an image. Except for the names that the caller gives, they do not depend on
//! when, where or by whom it was built.

mod debian;
mod modules;
mod provenance;
mod wheels;

use std::collections::{BTreeMap, BTreeSet};

use attest::sbom::{Spdx, crate_purl, git_crate_purl, own_crate_purl};
use attest::{ImageName, Sbom};
use chrono::{DateTime, SecondsFormat};
use console::hint::Hinted;
use content::Digest;

use super::contents::Files;
use crate::compile::program::{CrateOrigin, Invocation, Linked, is_root};
use crate::inputs::BaseImage;
use crate::inputs::git::Source;
use crate::lock::Lock;
use crate::lock::crates::Crate;
use crate::spec::RootSpec;

pub use provenance::provenance;

/// The facts that provenance and bill of materials name.
#[derive(Clone, Copy, Debug)]
pub struct Description<'a> {
    /// The builder's name.
    pub builder_id: &'a str,
    /// The source's name.
    pub source_uri: &'a str,
    /// The staged source.
    pub source: &'a Source,
    /// The name of the image, if `Image.toml` has several.
    pub image: Option<&'a ImageName>,
    /// All other inputs of the image.
    pub lock: &'a Lock,
    /// The digest of `Image.lock` as it is committed.
    pub lock_digest: Digest,
    /// The build root, which has the processor by Debian's name, and the suites of its packages.
    pub root: &'a RootSpec,
    /// How the compiler was called.
    pub invocation: &'a Invocation,
    /// The crates that are linked into the program.
    pub linked: &'a [Linked],
    /// The names of the packages of the build root that are linked into files of the image, by their absolute paths.
    pub packages: &'a BTreeMap<String, BTreeSet<String>>,
    /// The base image.
    pub base: Option<&'a BaseImage>,
    /// What programs of Go say of the modules that are linked into them.
    pub modules: &'a BTreeMap<String, ::sbom::BuildInfo>,
}

/// The bill of materials: the files of the image, the crates or Go modules of its program with what each depends on, the
/// packages whose object files are linked into programs, and those whose files the image contains. Crates and modules of the source have the
/// digest of the staged source.
///
/// # Errors
/// The lock does not name a crate or module of the program.
pub fn sbom(description: &Description<'_>, files: &Files) -> Result<Sbom, Hinted> {
    let mut sbom = Sbom::new();
    for file in &files.digests {
        sbom.add_file(&file.path, file.sha256);
    }
    if let Some(base) = description.base {
        let files = files
            .base
            .iter()
            .map(|file| (file.path.clone(), file.sha256));
        let repository = base.reference.repository.to_string();
        sbom.set_base(&repository, base.manifest, files);
    }
    for one in description.linked {
        add_linked(&mut sbom, one, description)?;
        let used = one.dependencies.iter();
        let used = used.filter_map(|index| description.linked.get(*index));
        used.for_each(|used| sbom.add_dependency(&purl(one), &purl(used)));
    }
    modules::add(&mut sbom, description)?;
    for (path, names) in description.packages {
        let packages = description.lock.packages.iter();
        for package in packages.filter(|package| names.contains(&package.name)) {
            debian::add(&mut sbom, package, description.root);
            sbom.add_link(path, &debian::purl(package, description.root));
        }
    }
    let runtime = description.lock.runtime.iter();
    runtime.for_each(|one| debian::add(&mut sbom, one, description.root));
    wheels::add(&mut sbom, &description.lock.wheels);
    for (package, paths) in &files.owned {
        let purl = debian::purl(package, description.root);
        sbom.add_contained(&purl, paths.iter().cloned());
    }
    for (purl, paths) in wheels::own(&files.wheels) {
        sbom.add_contained(&purl, paths.iter().cloned());
    }
    Ok(sbom)
}

/// The same bill of materials as SPDX, about the image with this digest. It counts as created when the source was committed.
///
/// # Errors
/// A file of the bill of materials is not among `files`.
pub fn spdx(
    description: &Description<'_>,
    sbom: &Sbom,
    image: Digest,
    files: &Files,
) -> Result<Vec<u8>, attest::Error> {
    let linked = description.linked;
    let mut crates = linked.iter().enumerate();
    let root = crates.find(|(index, _)| is_root(linked, *index));
    let application = match root {
        Some((_, root)) => Some(purl(root)),
        None => modules::application(description),
    };
    let sha1 = files
        .digests
        .iter()
        .chain(&files.base)
        .map(|file| (file.path.clone(), file.sha1.clone()));
    let time = i64::try_from(description.source.time).ok();
    let time = time
        .and_then(|time| DateTime::from_timestamp(time, 0))
        .unwrap_or_default();
    sbom.to_spdx(&Spdx {
        image,
        sha1: &sha1.collect(),
        created: &time.to_rfc3339_opts(SecondsFormat::Secs, true),
        application: application.as_deref(),
    })
}

/// The package URL of a crate, as in the bill of materials.
fn purl(one: &Linked) -> String {
    let (name, version) = (one.name.as_str(), one.version.as_str());
    match &one.origin {
        CrateOrigin::Source(folder) => own_crate_purl(name, version, &folder.to_string_lossy()),
        CrateOrigin::Git(url, commit) => {
            git_crate_purl(name, version, url.as_str(), commit.as_str())
        }
        CrateOrigin::Registry => crate_purl(name, version),
    }
}

fn add_linked(sbom: &mut Sbom, one: &Linked, description: &Description<'_>) -> Result<(), Hinted> {
    let (name, version) = (one.name.as_str(), one.version.as_str());
    let unlocked = || {
        Hinted::new(format_args!(
            "describing image: the program contains {name} {version}, which is not in Image.lock"
        ))
    };
    let lock = description.lock;
    match &one.origin {
        CrateOrigin::Source(folder) => {
            let folder = folder.to_string_lossy();
            sbom.add_own_crate(name, version, &folder, description.source.tree);
        }
        CrateOrigin::Git(url, commit) => {
            let mut locked = lock.repositories.iter();
            let locked = locked.find(|locked| locked.name() == (url, commit));
            let digest = locked.ok_or_else(unlocked)?.sha256;
            sbom.add_git_crate(name, version, url.as_str(), commit.as_str(), digest);
        }
        CrateOrigin::Registry => {
            let mut locked = lock.crates().iter();
            let is_same =
                |locked: &&Crate| locked.name == one.name && locked.version == one.version;
            add_crate(sbom, locked.find(is_same).ok_or_else(unlocked)?);
        }
    }
    Ok(())
}

fn add_crate(sbom: &mut Sbom, one: &Crate) {
    sbom.add_crate(one.name.as_str(), one.version.as_str(), one.sha256);
}

fn sha256(digest: &Digest) -> BTreeMap<String, String> {
    BTreeMap::from([("sha256".to_owned(), digest.hex())])
}

#[cfg(test)]
mod tests {
    use super::super::contents::Digests;
    use attest::Provenance;

    use super::*;
    use crate::inputs::git::CargoFiles;
    use crate::lock::archives::Archive;
    use crate::lock::packages::Package;

    fn lock() -> Lock {
        let digest = Digest::of(b"x");
        let package = |name: &str| Package {
            name: name.to_owned(),
            suite: None,
            source: "rustc-web (1.85.0)".parse().ok(),
            version: "1.85.0+dfsg3-1~deb12u3".to_owned(),
            path: "pool/x.deb".parse().unwrap(),
            sha256: digest,
            size: 1,
        };
        let names = [
            "gcc-12",
            "libc6-dev",
            "libgcc-12-dev",
            "libgcc-s1",
            "libstd-rust-web-dev",
        ];
        Lock {
            version: 2,
            spec: digest,
            cargo_lock: Some(digest),
            go_sum: None,
            root: digest,
            indexes: crate::lock::index::Indexes::default(),
            base: None,
            packages: names.map(package).to_vec(),
            runtime: Vec::new(),
            archives: vec![Archive {
                url: "https://toolchains.example/x.tar.gz".to_owned(),
                sha256: digest,
                size: 1,
                tree: digest,
            }],
            crates: Some(vec![Crate {
                name: "ring".parse().unwrap(),
                version: "0.17.14".parse().unwrap(),
                sha256: digest,
                size: 1,
            }]),
            repositories: Vec::new(),
            modules: Vec::new(),
            wheels: Vec::new(),
            images: Vec::new(),
        }
    }

    fn linked(name: &str, version: &str, folder: Option<&str>) -> Linked {
        Linked {
            name: name.parse().unwrap(),
            version: version.parse().unwrap(),
            origin: folder.map_or(CrateOrigin::Registry, |folder| {
                CrateOrigin::Source(folder.into())
            }),
            dependencies: Vec::new(),
        }
    }

    fn with<T>(check: impl FnOnce(&Description<'_>) -> T) -> T {
        let linked = [
            linked("ring", "0.17.14", None),
            linked("workload", "0.1.0", Some("workload")),
        ];
        let source = Source {
            commit: "0".repeat(40),
            time: 1_764_356_940,
            tree: Digest::of(b"tree"),
            staged: "/nowhere".into(),
            directory: "workload".into(),
            cargo: Some(CargoFiles {
                manifest: "workload/Cargo.toml".into(),
                lock: "workload/Cargo.lock".into(),
                configuration: Vec::new(),
            }),
            go: None,
            folders: ["workload".into()].into(),
            submodules: Vec::new(),
        };
        check(&Description {
            builder_id: "https://builder.example",
            source_uri: "git+https://source.example/x",
            source: &source,
            image: None,
            lock: &lock(),
            lock_digest: Digest::of(b"lock"),
            root: &RootSpec {
                suites: vec!["bookworm".to_owned()],
                ..RootSpec::default()
            },
            invocation: &Invocation {
                command: vec!["cargo".to_owned()],
                environment: BTreeMap::from([("RUSTFLAGS".to_owned(), "-C".to_owned())]),
            },
            linked: &linked,
            packages: &BTreeMap::from([(
                "/workload".to_owned(),
                ["libc6-dev", "libgcc-12-dev", "libstd-rust-web-dev"]
                    .map(str::to_owned)
                    .into(),
            )]),
            base: None,
            modules: &BTreeMap::new(),
        })
    }

    #[test]
    fn provenance_names_every_input_once() {
        let provenance = with(provenance);
        let bytes = provenance.to_bytes().unwrap();
        assert_eq!(Provenance::parse(&bytes).unwrap(), provenance);
        let definition = provenance.build_definition;
        assert_eq!(definition.external_parameters["directory"], "workload");
        let environment = &definition.internal_parameters["environment"];
        assert_eq!(environment["RUSTFLAGS"], "-C");
        let inputs = definition.resolved_dependencies;
        assert_eq!(inputs.len(), 2 + 1 + 5 + 1);
        assert_eq!(
            inputs[0].uri.as_deref(),
            Some("git+https://source.example/x")
        );
        assert_eq!(inputs[0].digest["sha256"], Digest::of(b"tree").hex());
        assert!(
            inputs
                .iter()
                .any(|input| input.uri.as_deref() == Some("pkg:cargo/ring@0.17.14"))
        );
    }

    #[test]
    fn the_bill_lists_linked_packages_and_no_tools() {
        let program = Digests {
            path: "/workload".to_owned(),
            sha256: Digest::of(b"binary"),
            sha1: "0".repeat(40),
        };
        let files = Files {
            digests: vec![program],
            ..Files::default()
        };
        let sbom = with(|description| sbom(description, &files)).unwrap();
        let names: Vec<_> = sbom.packages().map(|item| item.name.as_str()).collect();
        assert_eq!(names, ["libc6-dev", "libgcc-12-dev", "libstd-rust-web-dev"]);
        assert_eq!(sbom.linked_into("/workload").count(), names.len());
        let sourced = "?arch=amd64&distro=debian-12&upstream=rustc-web%401.85.0";
        assert!(sbom.packages().all(|item| item.purl.ends_with(sourced)));
        let crates: Vec<_> = sbom.crates().map(|item| item.purl.as_str()).collect();
        let own = "pkg:cargo/workload@0.1.0?download_url=file:%2F%2Fworkload";
        assert_eq!(crates, ["pkg:cargo/ring@0.17.14", own]);
        assert_eq!(
            sbom.files().collect::<Vec<_>>(),
            [("/workload", Digest::of(b"binary"))]
        );
        assert_eq!(Sbom::parse(&sbom.to_bytes().unwrap()).unwrap(), sbom);
    }

    #[test]
    fn the_bill_lists_the_crates_of_the_program_only() {
        let none = with(|description| {
            let linked = &[];
            sbom(
                &Description {
                    linked,
                    ..*description
                },
                &Files::default(),
            )
        });
        assert_eq!(none.unwrap().crates().count(), 0);
        let other = [linked("ring", "0.16.0", None)];
        let other = with(|description| {
            let linked = &other;
            sbom(
                &Description {
                    linked,
                    ..*description
                },
                &Files::default(),
            )
            .map(drop)
        });
        assert!(other.is_err(), "{other:?}");
    }
}
