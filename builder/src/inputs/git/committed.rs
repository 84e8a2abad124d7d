//! The files of a commit. From the commit's name down to each file, the content of every object is checked against the
//! name that refers to it.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::entry::{Entry, LINK, Listed, SUBMODULE, file, file_or_link, kind, listed, parse};
use super::error::{SourceError, answer, large};
use super::limits::ENTRIES;
use super::name::{Kind, ObjectName};
use super::objects::Objects;
use super::path::{SourcePath, join};

/// Files and folders that change what cargo does if they are in a folder above the one where it runs.
const OBEYED: [&str; 3] = ["Cargo.toml", "Cargo.lock", ".cargo"];

/// The last second of the year 9999, which has four digits in RFC 3339.
const LATEST: u64 = 253_402_300_799;

type Folder = Rc<BTreeMap<String, Entry>>;

/// A commit of a repository.
pub(super) struct Committed {
    objects: Objects,
    root: ObjectName,
    time: u64,
    folders: BTreeMap<String, Folder>,
    entries: usize,
}

impl Committed {
    /// The commit with this name.
    ///
    /// # Errors
    /// It is missing, or its content does not match its name.
    pub(super) fn open(mut objects: Objects, commit: &str) -> Result<Self, SourceError> {
        let name: ObjectName = commit.parse().map_err(|_| answer(commit))?;
        let bytes = objects.read(&name, Kind::Commit)?;
        let text = String::from_utf8_lossy(&bytes);
        let first = text.lines().next().unwrap_or_default();
        let root = first
            .strip_prefix("tree ")
            .and_then(|root| root.parse::<ObjectName>().ok())
            .filter(|root| root.length() == name.length());
        Ok(Self {
            objects,
            root: root.ok_or_else(|| answer(first))?,
            time: time(&text),
            folders: BTreeMap::new(),
            entries: 0,
        })
    }

    /// When the commit was made, as its committer's machine has it, in seconds since 1970.
    pub(super) fn time(&self) -> u64 {
        self.time
    }

    /// The bytes of the file at `path`; `None` if the commit has nothing there.
    ///
    /// # Errors
    /// Something other than a file is there, or a folder above it is a link.
    pub(super) fn file(&mut self, path: &SourcePath) -> Result<Option<Vec<u8>>, SourceError> {
        match self.listed(path)? {
            Some(listed) => self.read(&listed).map(Some),
            None => Ok(None),
        }
    }

    /// The file at `path`; `None` if the commit has nothing there.
    ///
    /// # Errors
    /// Something other than a file is there, or a folder above it is a link.
    pub(super) fn listed(&mut self, path: &SourcePath) -> Result<Option<Listed>, SourceError> {
        let Some(folder) = self.folder(path.folder())? else {
            return Ok(None);
        };
        let name = path.as_str().rsplit('/').next().unwrap_or_default();
        match folder.get(name) {
            None => Ok(None),
            Some(entry) => file(path.as_str(), entry).map(Some),
        }
    }

    /// The bytes of a file of this commit.
    ///
    /// # Errors
    /// It is missing or too large, or its content does not match its name.
    pub(super) fn read(&mut self, listed: &Listed) -> Result<Vec<u8>, SourceError> {
        self.objects.read(&listed.object, Kind::Blob)
    }

    /// What a link at another place leads to, if its target is `path`: a file or link, or the files below a folder, without
    /// manifests and cargo configuration. Nothing if the commit has nothing there, or only by way of another link.
    ///
    /// # Errors
    /// There are too many entries.
    pub(super) fn leads_to(&mut self, path: &str) -> Result<Vec<Listed>, SourceError> {
        let found = match SourcePath::parse(path) {
            Ok(path) => self.folder(path.folder()).map(|folder| {
                let name = path.as_str().rsplit('/').next().unwrap_or_default();
                folder.and_then(|folder| folder.get(name).cloned())
            }),
            // The top of the repository.
            Err(_) => return self.compiled_below(&[path.to_owned()].into()),
        };
        match found {
            Ok(Some(Entry::Folder(_))) => self.compiled_below(&[path.to_owned()].into()),
            Ok(Some(entry @ (Entry::File(..) | Entry::Link(_)))) => {
                Ok(vec![file_or_link(path, &entry)?])
            }
            Ok(Some(Entry::Submodule(_) | Entry::Other(_)) | None)
            | Err(SourceError::Refused(_)) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Whether the commit has a folder at `path`.
    ///
    /// # Errors
    /// A folder above it is a link, or the commit has too many entries.
    pub(super) fn is_folder(&mut self, path: &SourcePath) -> Result<bool, SourceError> {
        let name = path.as_str().rsplit('/').next().unwrap_or_default();
        let folders = self.folders_in(path.folder())?;
        Ok(folders.iter().any(|folder| folder == name))
    }

    /// The names of the folders in `path`; none if the commit has no such folder.
    ///
    /// # Errors
    /// A folder above is a link, or the commit has too many entries.
    pub(super) fn folders_in(&mut self, path: &str) -> Result<Vec<String>, SourceError> {
        let Some(folder) = self.folder(path)? else {
            return Ok(Vec::new());
        };
        let names = folder.iter();
        let folders = names.filter(|(_, entry)| matches!(entry, Entry::Folder(_)));
        Ok(folders.map(|(name, _)| name.clone()).collect())
    }

    /// The names of the files in `path`; none if the commit has no such folder.
    ///
    /// # Errors
    /// A folder above is a link, or the commit has too many entries.
    pub(super) fn files_in(&mut self, path: &str) -> Result<Vec<String>, SourceError> {
        let Some(folder) = self.folder(path)? else {
            return Ok(Vec::new());
        };
        let names = folder.iter();
        let files = names.filter(|(_, entry)| matches!(entry, Entry::File(..)));
        Ok(files.map(|(name, _)| name.clone()).collect())
    }

    /// All files, links and submodules below `folders`, sorted.
    ///
    /// # Errors
    /// There is something other than files, links and folders, or too many of them.
    pub(super) fn files_below(
        &mut self,
        folders: &BTreeSet<String>,
    ) -> Result<Vec<Listed>, SourceError> {
        self.below(folders, |_, _| true, listed)
    }

    /// The files below `folders`, sorted, without links, submodules, manifests and cargo configuration: of these
    /// folders, only files that can be compiled are needed.
    ///
    /// # Errors
    /// There are too many entries, or a folder above is a link.
    pub(super) fn compiled_below(
        &mut self,
        folders: &BTreeSet<String>,
    ) -> Result<Vec<Listed>, SourceError> {
        let is_wanted = |name: &str, entry: &Entry| {
            !matches!(
                entry,
                Entry::Link(_) | Entry::Submodule(_) | Entry::Other(_)
            ) && !OBEYED.contains(&name)
        };
        self.below(folders, is_wanted, file_or_link)
    }

    /// All files, links and submodules of the commit, sorted.
    ///
    /// # Errors
    /// There is something else, or too much of it.
    pub(super) fn everything(&mut self) -> Result<Vec<Listed>, SourceError> {
        let top = [String::new()].into();
        self.below(&top, |_, _| true, listed)
    }

    fn below(
        &mut self,
        folders: &BTreeSet<String>,
        is_wanted: impl Fn(&str, &Entry) -> bool,
        list: impl Fn(&str, &Entry) -> Result<Listed, SourceError>,
    ) -> Result<Vec<Listed>, SourceError> {
        let mut found = BTreeMap::new();
        for path in folders {
            let folder = self.folder(path)?;
            let mut open: Vec<_> = folder
                .map(|folder| (path.clone(), folder))
                .into_iter()
                .collect();
            while let Some((above, folder)) = open.pop() {
                let wanted = folder.iter();
                for (name, entry) in wanted.filter(|(name, entry)| is_wanted(name, entry)) {
                    let path = join(&above, name);
                    if let Entry::Folder(object) = entry {
                        let folder = self.open_folder(&path, *object)?;
                        open.push((path, folder));
                    } else {
                        found.insert(path.clone(), list(&path, entry)?);
                    }
                }
            }
        }
        let mut files: Vec<_> = found.into_values().collect();
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(files)
    }

    /// The folder at `path`; `""` is the top folder of the repository. `None` if the commit has no such folder.
    fn folder(&mut self, path: &str) -> Result<Option<Folder>, SourceError> {
        if let Some(folder) = self.folders.get(path) {
            return Ok(Some(folder.clone()));
        }
        // From the top, and without recursion: an attacker may nest thousands of folders.
        let mut here = self.open_folder("", self.root)?;
        let mut above = String::new();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let path = join(&above, name);
            here = match here.get(name) {
                Some(Entry::Folder(object)) => self.open_folder(&path, *object)?,
                Some(Entry::Link(_)) => return Err(kind(&path, LINK)),
                Some(Entry::Submodule(_)) => return Err(kind(&path, SUBMODULE)),
                Some(Entry::Other(mode)) => return Err(kind(&path, *mode)),
                Some(Entry::File(..)) | None => return Ok(None),
            };
            above = path;
        }
        Ok(Some(here))
    }

    fn open_folder(&mut self, path: &str, name: ObjectName) -> Result<Folder, SourceError> {
        if let Some(folder) = self.folders.get(path) {
            return Ok(folder.clone());
        }
        let bytes = self.objects.read(&name, Kind::Tree)?;
        let folder = Rc::new(parse(path, &bytes, name.length())?);
        // The folder itself counts too, because empty folders also take time.
        self.entries += folder.len() + 1;
        if self.entries > ENTRIES {
            return Err(large(format_args!("more than {ENTRIES} files and folders")));
        }
        self.folders.insert(path.to_owned(), folder.clone());
        Ok(folder)
    }
}

/// The time in a commit's line `committer NAME <ADDRESS> SECONDS ZONE`. Commits of broken programs may have none, or one before 1970
/// or after the year 9999: then it is 0.
fn time(commit: &str) -> u64 {
    let head = commit.lines().take_while(|line| !line.is_empty());
    let committer = head
        .filter_map(|line| line.strip_prefix("committer "))
        .next();
    let times = committer.and_then(|line| line.rsplit_once("> "));
    let seconds = times.and_then(|(_, times)| times.split(' ').next());
    let seconds = seconds.and_then(|seconds| seconds.parse().ok());
    seconds
        .filter(|seconds| *seconds <= LATEST)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_that_of_the_committer() {
        let commit = |committer: &str| {
            format!(
                "tree x\nauthor a <a> 1 +0000\ncommitter {committer}\n\ncommitter b <b> 7 +0000\n"
            )
        };
        assert_eq!(time(&commit("a> b <c> 1764356940 -0130")), 1_764_356_940);
        assert_eq!(time(&commit("a <b> 0 +0000")), 0);
        for broken in [
            "a <b> -1 +0000",
            "a <b> 99999999999999999999 +0000",
            "a <b> 253402300800 +0000",
            "a <b>",
            "",
        ] {
            assert_eq!(time(&commit(broken)), 0, "{broken}");
        }
        assert_eq!(
            time("tree x\nauthor a <a> 1 +0000\n\ncommitter b <b> 7 +0000\n"),
            0
        );
    }
}
