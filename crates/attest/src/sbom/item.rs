//! The crates and packages in an image, and their package URLs.

use content::Digest;
use percent_encoding::{
    AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_decode_str, utf8_percent_encode,
};

use super::unexpected;
use crate::Error;

/// The characters that a package URL encodes: all except letters, digits and `.-_~:` (purl specification).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'.')
    .remove(b'-')
    .remove(b'_')
    .remove(b'~')
    .remove(b':');
/// The qualifier for the location of a crate (purl specification, known qualifiers).
const OWN: &str = "download_url";
/// The qualifier for the repository of a crate (purl specification, known qualifiers).
const GIT: &str = "vcs_url";
/// The qualifier for the release of a Debian package, and that for its source package, as syft writes them.
const DISTRIBUTION: &str = "distro";
const SOURCE: &str = "upstream";

/// The beginnings of the package URLs of crates, Debian packages, Go modules and Python packages.
pub const CRATE: &str = "pkg:cargo/";
/// See [`CRATE`].
pub const PACKAGE: &str = "pkg:deb/debian/";
/// See [`CRATE`].
pub const MODULE: &str = "pkg:golang/";
/// See [`CRATE`].
pub const WHEEL: &str = "pkg:pypi/";

/// Go's standard library, by the name that the Go vulnerability database has for it.
pub const STANDARD_LIBRARY: &str = "stdlib";

/// A crate, package or module that the image was built from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Item {
    /// The package URL.
    pub purl: String,
    /// The name of the crate or package.
    pub name: String,
    /// The version of the crate or package.
    pub version: String,
    /// The SHA-256 digest of the archive; for a crate in the source or of a git repository, of its files. Only Go's standard library may
    /// have none.
    pub digest: Option<Digest>,
}

impl Item {
    /// Whether it is Go's standard library.
    pub(super) fn is_standard_library(&self) -> bool {
        self.purl.starts_with(MODULE) && self.name == STANDARD_LIBRARY
    }

    /// Checks that the package URL matches name and version: programs compare the URL, people read the name.
    pub(super) fn check(&self) -> Result<(), Error> {
        let (name, version) = (&self.name, &self.version);
        let plain = match &self.purl {
            purl if purl.starts_with(MODULE) => module_purl(name, version),
            purl if purl.starts_with(WHEEL) => wheel_purl(name, version),
            _ => crate_purl(name, version),
        };
        let qualifier = self.purl.split_once('?');
        let expected = match qualifier.and_then(|(_, rest)| rest.split_once('=')) {
            Some(("arch", _)) => self.as_debian(),
            Some((from @ (OWN | GIT), place)) => format!("{plain}?{from}={place}"),
            _ => plain,
        };
        match expected == self.purl {
            true => Ok(()),
            false => Err(unexpected(&expected, &self.purl)),
        }
    }

    /// The package URL of the Debian package with this name and version, and the qualifiers of the package URL.
    fn as_debian(&self) -> String {
        let qualifiers = self.purl.split_once('?').map_or("", |(_, rest)| rest);
        let of = |name: &str| {
            let mut pairs = qualifiers
                .split('&')
                .filter_map(|pair| pair.split_once('='));
            let (_, value) = pairs.find(|(found, _)| *found == name)?;
            percent_decode_str(value).decode_utf8().ok()
        };
        let (architecture, distribution, source) = (of("arch"), of(DISTRIBUTION), of(SOURCE));
        package_purl(&DebianPackage {
            name: &self.name,
            version: &self.version,
            architecture: architecture.as_deref().unwrap_or_default(),
            distribution: distribution.as_deref(),
            source: source.as_deref(),
        })
    }
}

impl Item {
    /// As [`Self::check`], for an image.
    pub(super) fn check_image(&self, digest: &Digest) -> Result<(), Error> {
        let expected = image_purl(&self.name, digest);
        match expected == self.purl && self.version == digest.to_string() {
            true => Ok(()),
            false => Err(unexpected(&expected, &self.purl)),
        }
    }
}

/// The package URL of a crate (purl specification, type `cargo`).
pub fn crate_purl(name: &str, version: &str) -> String {
    format!("pkg:cargo/{}@{}", escaped(name), escaped(version))
}

/// The package URL of a crate in `folder` of the source. It differs from that of a registry's crate with
/// the same name.
pub fn own_crate_purl(name: &str, version: &str, folder: &str) -> String {
    own(&crate_purl(name, version), folder)
}

/// The package URL of a module of Go (purl specification, type `golang`): its path in small letters.
pub fn module_purl(name: &str, version: &str) -> String {
    let parts: Vec<_> = name
        .split('/')
        .map(|part| escaped(part).to_string())
        .collect();
    let name = parts.join("/").to_ascii_lowercase();
    format!("{MODULE}{name}@{}", escaped(version))
}

/// The package URL of a module of Go in `folder` of the source. Its version is the commit.
pub fn own_module_purl(name: &str, version: &str, folder: &str) -> String {
    own(&module_purl(name, version), folder)
}

/// The package URL of a Python package (purl specification, type `pypi`): its name in small letters, with `-` for `_`.
pub fn wheel_purl(name: &str, version: &str) -> String {
    let name = name.to_ascii_lowercase().replace('_', "-");
    format!("{WHEEL}{}@{}", escaped(&name), escaped(version))
}

fn own(purl: &str, folder: &str) -> String {
    let location = format!("file://{folder}");
    format!("{purl}?{OWN}={}", escaped(&location))
}

/// The package URL of a crate of a git repository at a commit.
pub fn git_crate_purl(name: &str, version: &str, url: &str, commit: &str) -> String {
    let location = format!("git+{url}@{commit}");
    let location = escaped(&location);
    format!("{}?{GIT}={location}", crate_purl(name, version))
}

/// A Debian package, as its package URL names it.
#[derive(Clone, Copy, Debug)]
pub struct DebianPackage<'a> {
    /// The name.
    pub name: &'a str,
    /// The version.
    pub version: &'a str,
    /// The processor, by Debian's name.
    pub architecture: &'a str,
    /// The release, such as `debian-12`, if it is known.
    pub distribution: Option<&'a str>,
    /// The source package as NAME or, if its version is another, as NAME@VERSION; `None` if it is not known.
    pub source: Option<&'a str>,
}

/// The package URL of a Debian package (purl specification, type `deb`), with release and source as syft writes them.
pub fn package_purl(package: &DebianPackage<'_>) -> String {
    let (name, version) = (escaped(package.name), escaped(package.version));
    let architecture = escaped(package.architecture);
    let mut purl = format!("{PACKAGE}{name}@{version}?arch={architecture}");
    for (qualifier, value) in [
        (DISTRIBUTION, package.distribution),
        (SOURCE, package.source),
    ] {
        if let Some(value) = value {
            purl.push_str(&format!("&{qualifier}={}", escaped(value)));
        }
    }
    purl
}

/// The package URL of an image (purl specification, type `oci`) in `repository`, with its registry.
pub fn image_purl(repository: &str, digest: &Digest) -> String {
    let name = repository.rsplit('/').next().unwrap_or_default();
    let (digest, location) = (digest.to_string(), escaped(repository));
    let (name, digest) = (escaped(name), escaped(&digest));
    format!("pkg:oci/{name}@{digest}?repository_url={location}")
}

fn escaped(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, ESCAPED)
}

#[cfg(test)]
mod tests {
    use packageurl::PackageUrl;

    use super::*;

    #[test]
    fn package_urls_are_canonical() {
        assert_eq!(
            crate_purl("wasi", "0.11.0+wasi-snapshot"),
            "pkg:cargo/wasi@0.11.0%2Bwasi-snapshot"
        );
        assert_eq!(
            package_purl(&PLAIN),
            "pkg:deb/debian/libstdc%2B%2B-12-dev@2:12.2.0-14%2Bdeb12u1~x?arch=amd64"
        );
    }

    const PLAIN: DebianPackage<'_> = DebianPackage {
        name: "libstdc++-12-dev",
        version: "2:12.2.0-14+deb12u1~x",
        architecture: "amd64",
        distribution: None,
        source: None,
    };

    #[test]
    fn a_package_url_has_release_and_source_as_syft_writes_them() {
        let package = DebianPackage {
            name: "libgcc-12-dev",
            version: "12.2.0-14+b1",
            distribution: Some("debian-12"),
            source: Some("gcc-12@12.2.0-14"),
            ..PLAIN
        };
        let purl = "pkg:deb/debian/libgcc-12-dev@12.2.0-14%2Bb1?arch=amd64&distro=debian-12&upstream=gcc-12%4012.2.0-14";
        assert_eq!(package_purl(&package), purl);
        let item = |purl: &str| Item {
            purl: purl.to_owned(),
            name: package.name.to_owned(),
            version: package.version.to_owned(),
            digest: Some(Digest::of(b"")),
        };
        item(purl).check().unwrap();
        for other in [
            purl.replace("%4012", "@12"),
            purl.replace("distro=debian-12&", "") + "&distro=debian-12",
            purl.replace("&upstream", "&epoch=1&upstream"),
            purl.replace("&upstream", "&upstream=glibc&upstream"),
            purl.replace("libgcc-12-dev", "libgcc-13-dev"),
        ] {
            assert!(item(&other).check().is_err(), "{other}");
        }
    }

    #[test]
    fn another_implementation_writes_the_same() {
        let mut other = PackageUrl::new("deb", PLAIN.name).unwrap();
        other.with_namespace("debian").unwrap();
        other.with_version(PLAIN.version).unwrap();
        other.add_qualifier("arch", PLAIN.architecture).unwrap();
        assert_eq!(package_purl(&PLAIN), other.to_string());
        let sourced = DebianPackage {
            distribution: Some("debian-12"),
            source: Some("gcc-12@2:12.2.0+x"),
            ..PLAIN
        };
        other.add_qualifier("distro", "debian-12").unwrap();
        other
            .add_qualifier("upstream", "gcc-12@2:12.2.0+x")
            .unwrap();
        assert_eq!(package_purl(&sourced), other.to_string());

        let (name, version) = ("wasi", "0.11.0+wasi-snapshot");
        let mut other = PackageUrl::new("cargo", name).unwrap();
        other.with_version(version).unwrap();
        assert_eq!(crate_purl(name, version), other.to_string());
        other.add_qualifier(OWN, "file://crates/wasi").unwrap();
        let own = own_crate_purl(name, version, "crates/wasi");
        assert_eq!(own, other.to_string());

        let mut other = PackageUrl::new("cargo", name).unwrap();
        other.with_version(version).unwrap();
        other
            .add_qualifier(GIT, "git+https://host.example/a?b@0123")
            .unwrap();
        let git = git_crate_purl(name, version, "https://host.example/a?b", "0123");
        assert_eq!(git, other.to_string());
        let item = Item {
            purl: git,
            name: name.to_owned(),
            version: version.to_owned(),
            digest: Some(Digest::of(b"")),
        };
        item.check().unwrap();

        let digest = Digest::of(b"base");
        let mut other = PackageUrl::new("oci", "debian").unwrap();
        other.with_version(digest.to_string()).unwrap();
        let repository = "registry.example:5000/library/debian";
        other.add_qualifier("repository_url", repository).unwrap();
        assert_eq!(image_purl(repository, &digest), other.to_string());
        let mut other = PackageUrl::new("golang", "azidentity").unwrap();
        // The specification has names of this type in small letters; the other implementation keeps them.
        other
            .with_namespace("github.com/azure/azure-sdk-for-go/sdk")
            .unwrap();
        other.with_version("v1.0.0+incompatible").unwrap();
        let name = "github.com/Azure/azure-sdk-for-go/sdk/azidentity";
        let module = module_purl(name, "v1.0.0+incompatible");
        assert_eq!(module, other.to_string());

        let mut other = PackageUrl::new("pypi", "typing-extensions").unwrap();
        other.with_version("4.12.2+x").unwrap();
        assert_eq!(
            wheel_purl("Typing_Extensions", "4.12.2+x"),
            other.to_string()
        );
    }
}
