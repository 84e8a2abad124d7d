//! `[[archive]]`: a toolchain, or other files that a build needs, by digest.

use std::path::{Component, Path, PathBuf};

use content::Digest;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::elsewhere::is_loopback;

/// Folders of the sandbox that have other contents.
const TAKEN: [&str; 13] = [
    "bin", "build", "dev", "etc", "lib", "lib32", "lib64", "libx32", "memory", "proc", "sbin",
    "tmp", "usr",
];
/// Maximum length of a URL, in bytes.
const URL: usize = 2048;

/// An archive that is unpacked for the build.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "RawArchive")]
pub struct ArchiveSpec {
    /// Where it is fetched from.
    pub url: String,
    /// SHA-256 of the archive.
    pub sha256: Digest,
    /// The folder in the sandbox that has its contents, read-only.
    pub path: PathBuf,
    /// How many leading parts of each path in the archive are left out.
    pub strip: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawArchive {
    url: String,
    sha256: String,
    path: String,
    #[serde(default)]
    strip: usize,
}

impl TryFrom<RawArchive> for ArchiveSpec {
    type Error = String;

    fn try_from(raw: RawArchive) -> Result<Self, String> {
        let wrong = |reason: &str| format!("archive {:?}: {reason}", raw.url);
        if !is_url(&raw.url) {
            return Err(wrong(
                "expected https://… of another machine, without a login",
            ));
        }
        if !is_free(Path::new(&raw.path)) {
            return Err(wrong(&format!(
                "expected a path such as /opt/name, found {:?}; these folders are taken: {}",
                raw.path,
                TAKEN.join(", ")
            )));
        }
        let hex = raw.sha256.strip_prefix("sha256:").unwrap_or(&raw.sha256);
        let sha256 = Digest::from_hex(hex);
        Ok(Self {
            sha256: sha256.map_err(|_| wrong("expected 64 lower-case hex digits as sha256"))?,
            url: raw.url,
            path: raw.path.into(),
            strip: raw.strip,
        })
    }
}

/// Whether a URL can be printed, published and fetched. A source chooses it, so it must lead to another machine. Without TLS,
/// others could read what is fetched, but not change it.
fn is_url(url: &str) -> bool {
    let plain = url.len() <= URL && url.bytes().all(|byte| byte.is_ascii_graphic());
    let parsed = reqwest::Url::parse(url);
    let parsed = parsed.ok().filter(|_| plain && url.starts_with("https://"));
    parsed.is_some_and(|parsed| {
        let is_elsewhere = parsed.host_str().is_some_and(|host| !is_loopback(host));
        is_elsewhere && parsed.username().is_empty() && parsed.password().is_none()
    })
}

/// Whether a folder can be made at the path, and nothing else is there.
pub(crate) fn is_free(path: &Path) -> bool {
    let mut parts = path.components();
    let first = match (parts.next(), parts.next()) {
        (Some(Component::RootDir), Some(Component::Normal(first))) => first,
        _ => return false,
    };
    let is_plain = parts.all(|part| matches!(part, Component::Normal(_)));
    let text = path.to_str().unwrap_or_default();
    let printable = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b':');
    is_plain && printable && !TAKEN.iter().any(|taken| first == *taken)
}

/// Archives, none of which is unpacked into a folder in that of another.
pub(super) fn distinct<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<ArchiveSpec>, D::Error> {
    let archives = Vec::deserialize(deserializer)?;
    check(&archives).map_err(D::Error::custom)?;
    Ok(archives)
}

fn check(archives: &[ArchiveSpec]) -> Result<(), String> {
    for (index, one) in archives.iter().enumerate() {
        for other in &archives[..index] {
            let is_below = one.path.starts_with(&other.path) || other.path.starts_with(&one.path);
            if is_below && one.path != other.path {
                return Err(format!(
                    "archive: two are at {:?} and {:?}, but none can be in the folder of another: write the same path for both, or \
                     other paths",
                    other.path, one.path
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(url: &str, sha256: &str, path: &str) -> Result<ArchiveSpec, String> {
        let text = format!("url = '{url}'\nsha256 = '{sha256}'\npath = '{path}'");
        let archive = content::toml::parse(text);
        archive.map_err(|error: toml::de::Error| error.message().to_owned())
    }

    #[test]
    fn urls_digests_and_paths_are_checked() {
        let hex = "0".repeat(64);
        let url = "https://a.example/x.tar.gz?y";
        let read = archive(url, &hex, "/opt/go").unwrap();
        assert_eq!(read.strip, 0);
        assert_eq!(archive(url, &format!("sha256:{hex}"), "/opt/go"), Ok(read));
        archive("https://10.0.0.1:8443/x", &hex, "/x").unwrap();
        for bad in [
            "http://127.0.0.1:80/x",
            "http://a.example/x",
            "https://127.1/x",
            "https://2130706433/x",
            "https://a@localhost:8443/x",
            "https://LocalHost./x",
            "https://[::1]:8/x",
            "https://[::ffff:127.0.0.1]/x",
            "ftp://a.example/x",
            "https://user:secret@a.example/x",
            "http://localhost.example/x",
            "x.tar.gz",
        ] {
            let refused = archive(bad, &hex, "/x").unwrap_err();
            assert!(refused.contains("expected https://"), "{bad}: {refused}");
        }
        for path in [
            "opt/go",
            "/",
            "/usr/local/go",
            "/opt/../usr",
            "/tmp/x",
            "/a b",
            "/a:b",
            "",
        ] {
            let refused = archive(url, &hex, path).unwrap_err();
            assert!(
                refused.contains("expected a path such as"),
                "{path}: {refused}"
            );
        }
        let refused = archive(url, "abc", "/x").unwrap_err();
        assert!(
            refused.contains("expected 64 lower-case hex digits"),
            "{refused}"
        );
    }

    #[test]
    fn archives_share_a_folder_or_have_their_own() {
        let at = |path: &str| archive("https://a.example/x", &"0".repeat(64), path).unwrap();
        check(&[at("/opt/a"), at("/opt/ab"), at("/opt/a")]).unwrap();
        for (one, other) in [("/opt/a", "/opt/a/b"), ("/opt/a/b", "/opt")] {
            check(&[at(one), at(other)]).unwrap_err();
        }
    }
}
