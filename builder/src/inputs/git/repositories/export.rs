//! Fetches a commit of another repository, and writes its files as they are committed: no filter, and no attribute such as
//! `eol` or `ident`, has an effect.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use console::hint::Hinted;
use content::Digest;

use super::listing::Listing;
use crate::at::At;
use crate::host;
use crate::inputs::error::DependencyError;
use crate::inputs::git::committed::Committed;
use crate::inputs::git::entry::{Listed, Mode};
use crate::inputs::git::objects::Objects;
use crate::inputs::git::write_one;
use crate::interrupt::Interrupt;
use crate::lock::repository::{CommitName, RepositoryUrl, Submodule};

/// The history that is fetched: none.
const DEPTH: &str = "--depth=1";
/// All branches and tags, if the server does not give out a commit by its name.
const ALL: [&str; 2] = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
const MODULES: &str = ".gitmodules";
const ATTRIBUTES: &str = ".gitattributes";
/// Attributes by which git changes the content of files (gitattributes(5)).
const CHANGING: [&str; 2] = ["eol=crlf", "ident"];
/// Attributes of which every value does.
const CHANGING_BY_VALUE: [&str; 2] = ["filter=", "working-tree-encoding="];

/// The files of a commit, which were written to a folder.
pub(super) struct Exported {
    /// Their digest.
    pub(super) digest: Digest,
    /// The submodules, by path.
    pub(super) submodules: BTreeMap<String, Submodule>,
    /// Whether attributes say that files are changed when they are checked out.
    pub(super) has_attributes: bool,
}

/// Fetches a commit, with `scratch` for its objects, and writes its files into the new folder `into`.
///
/// # Errors
/// The commit cannot be fetched, is damaged or too large, or has submodules that cannot be fetched.
pub(super) fn export(
    url: &RepositoryUrl,
    commit: &CommitName,
    scratch: &Path,
    into: &Path,
    interrupt: &Interrupt,
) -> Result<Exported, DependencyError> {
    let objects = fetched(url, commit, scratch, interrupt)?;
    let mut committed = Committed::open(objects, commit.as_str())?;
    let files = committed.everything()?;
    fs::create_dir(into).map_err(At::writing(into))?;
    let (submodules, files): (Vec<_>, Vec<_>) = files
        .into_iter()
        .partition(|file| file.mode == Mode::Submodule);
    let submodules = named(url, &mut committed, &files, &submodules)?;
    let mut listing = Listing::of(&submodules);
    let mut has_attributes = false;
    for file in &files {
        interrupt.check()?;
        let bytes = committed.read(file)?;
        write_one(file, &bytes, into)?;
        let path = file.path.to_string();
        has_attributes |= path.rsplit('/').next() == Some(ATTRIBUTES) && changes(&bytes);
        listing.add(path, file.mode, &bytes);
    }
    Ok(Exported {
        digest: listing.digest(),
        submodules,
        has_attributes,
    })
}

fn fetched(
    url: &RepositoryUrl,
    commit: &CommitName,
    scratch: &Path,
    interrupt: &Interrupt,
) -> Result<Objects, DependencyError> {
    let format = match commit.as_str().len() {
        64 => "sha256",
        _ => "sha1",
    };
    let fetch = |name: &str, depth, names: &[&str]| {
        let into = scratch.join(name);
        host::git_fetch(&into, format, url.as_str(), depth, names, interrupt).map(|()| into)
    };
    let folder = fetch("commit", Some(DEPTH), &[commit.as_str()]).or_else(|first| {
        interrupt.check()?;
        // If nothing can be fetched, the first error is the useful one.
        fetch("all", None, &ALL).map_err(|_| unfetched(first))
    })?;
    Ok(Objects::open(&folder)?)
}

fn unfetched(error: host::HostError) -> DependencyError {
    Hinted::from_error(error)
        .hinting("check that your git reaches it: git ls-remote, with the URL; your git's configuration is used, as insteadOf and credential.helper")
        .into()
}

/// Whether attributes name something that changes content.
fn changes(attributes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(attributes);
    let mut words = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .flat_map(str::split_whitespace);
    words.any(|word| {
        let mut by_value = CHANGING_BY_VALUE.iter();
        CHANGING.contains(&word) || by_value.any(|name| word.starts_with(name))
    })
}

/// The submodules with the URLs that `.gitmodules` has for their paths.
fn named(
    url: &RepositoryUrl,
    committed: &mut Committed,
    files: &[Listed],
    submodules: &[Listed],
) -> Result<BTreeMap<String, Submodule>, DependencyError> {
    if submodules.is_empty() {
        return Ok(BTreeMap::new());
    }
    let modules = files.iter().find(|file| file.path.as_str() == MODULES);
    let text = modules.map(|file| committed.read(file)).transpose()?;
    let urls = urls(&String::from_utf8_lossy(&text.unwrap_or_default()));
    let one = |listed: &Listed| {
        let path = listed.path.to_string();
        let failed = |reason: String| {
            DependencyError::from(Hinted::new(format_args!(
                "fetching {url}: submodule {}: {reason}",
                crate::untrusted::shown(&path)
            )))
        };
        let named = urls.get(&path);
        let named = named.ok_or_else(|| failed(format!("{MODULES} has no URL for it")))?;
        let named = url.submodule(named);
        let named = named.map_err(|error| failed(error.to_string()))?;
        let commit = listed.object.to_string().try_into();
        let commit = commit.map_err(|error: crate::lock::repository::InvalidRepository| {
            failed(error.to_string())
        })?;
        let submodule = Submodule { url: named, commit };
        Ok((path, submodule))
    };
    submodules.iter().map(one).collect()
}

/// The URLs in a `.gitmodules`, by path (gitmodules(5)).
fn urls(text: &str) -> BTreeMap<String, String> {
    let mut urls = BTreeMap::new();
    let (mut path, mut url) = (None, None);
    for line in text.lines().map(str::trim).chain(["["]) {
        if line.starts_with('[') {
            if let (Some(path), Some(url)) = (path.take(), url.take()) {
                urls.insert(path, url);
            }
            (path, url) = (None, None);
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            continue;
        };
        let value = Some(value.trim().trim_matches('"').to_owned());
        match key.trim() {
            "path" => path = value,
            "url" => url = value,
            _ => {}
        }
    }
    urls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_urls_of_submodules() {
        let text = "[submodule \"a\"]\n\tpath = deep/a\n\turl = ../a.git\n[submodule \"b\"]\n\turl=\"https://b\"\n\tbranch = x\n\tpath=b\n[submodule \"c\"]\n\tpath = c\n";
        let expected = [("b", "https://b"), ("deep/a", "../a.git")];
        let expected = expected.map(|(path, url)| (path.to_owned(), url.to_owned()));
        assert_eq!(urls(text), expected.into());
    }

    #[test]
    fn attributes_that_change_content_are_noticed() {
        for (text, expected) in [
            ("* text eol=crlf", true),
            ("*.bin filter=lfs diff=lfs", true),
            ("*.c ident", true),
            (
                "* text=auto eol=lf\n# ident\n*.png binary\nidentity text",
                false,
            ),
        ] {
            assert_eq!(changes(text.as_bytes()), expected, "{text}");
        }
    }
}
