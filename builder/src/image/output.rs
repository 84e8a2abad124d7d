//! Writes a layout, or a folder of layouts, atomically.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use console::hint::Hinted;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use scratch::Scratch;

use super::replaced::{self, InTheWay};
use crate::at::{self, At};
use crate::error::Error;

/// A layout that is being written, in a temporary folder next to its final path.
pub struct Output {
    place: PathBuf,
    _scratch: Scratch,
    folder: PathBuf,
}

impl Output {
    /// Makes an empty folder that can become `place`.
    ///
    /// # Errors
    /// There is something that no build has written, other than an empty folder, or the folder cannot be made.
    pub fn prepare(place: &Path) -> Result<Self, Error> {
        let failed = At::writing(place);
        check(place)?;
        let beside = place
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let beside = beside.unwrap_or(Path::new("."));
        fs::create_dir_all(beside).map_err(&failed)?;
        let scratch = Scratch::below(beside).map_err(&failed)?;
        let folder = scratch.path().join("layout");
        fs::create_dir(&folder).map_err(&failed)?;
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).map_err(&failed)?;
        Ok(Self {
            place: place.to_owned(),
            folder,
            _scratch: scratch,
        })
    }

    /// The folder to write into.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Moves the folder to its place. An earlier layout is removed.
    ///
    /// # Errors
    /// Another program has written to the place since [`Output::prepare`], or the folder cannot be moved; then the place is
    /// unchanged.
    pub fn publish(self) -> Result<(), Error> {
        check(&self.place)?;
        let (from, to) = (self.folder.as_path(), self.place.as_path());
        let exchanged = match renameat_with(CWD, from, CWD, to, RenameFlags::EXCHANGE) {
            Err(rustix::io::Errno::NOENT) => fs::rename(from, to),
            exchanged => exchanged.map_err(io::Error::from),
        };
        // If there was an earlier layout, it is in the temporary folder now, and is removed with it.
        Ok(exchanged.map_err(At::writing(to))?)
    }
}

/// Checks that nothing is lost if the path is replaced.
fn check(place: &Path) -> Result<(), Error> {
    match replaced::in_the_way(place).map_err(At::writing(place))? {
        None => Ok(()),
        Some(found) => Err(taken(place, &found).into()),
    }
}

fn taken(place: &Path, found: &InTheWay) -> Hinted {
    Hinted::new(format_args!("writing {}: {found}", at::shown(place))).hinting(
        "only the output of an earlier build is replaced: choose another path, or move away what is there",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(place: &Path, text: &str) {
        let output = Output::prepare(place).unwrap();
        replaced::example(output.path());
        fs::write(output.path().join("provenance.json"), text).unwrap();
        output.publish().unwrap();
    }

    #[test]
    fn a_layout_replaces_an_earlier_one_and_leaves_no_other_file() {
        let scratch = tempfile::tempdir().unwrap();
        let place = scratch.path().join("layout");
        publish(&place, "one");
        publish(&place, "two");
        let provenance = fs::read_to_string(place.join("provenance.json")).unwrap();
        assert_eq!(provenance, "two");
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_no_build_wrote_is_in_the_way_before_the_build_and_after_it() {
        let scratch = tempfile::tempdir().unwrap();
        let precious = scratch.path().join("precious");
        fs::write(&precious, "").unwrap();
        for (place, expected) in [
            (
                scratch.path(),
                "it contains precious, which no build writes",
            ),
            (&precious, "it is not a folder"),
        ] {
            let Err(taken) = Output::prepare(place) else {
                panic!("{} is replaced", place.display());
            };
            let expected = format!("writing {}: {expected}", place.display());
            assert_eq!(taken.to_string(), expected);
            assert!(taken.hint().is_some());
        }
        let place = scratch.path().join("layout");
        let output = Output::prepare(&place).unwrap();
        fs::create_dir(&place).unwrap();
        fs::write(place.join("notes"), "").unwrap();
        output.publish().unwrap_err();
        assert!(precious.exists() && place.join("notes").exists());
    }

    #[test]
    fn an_incomplete_layout_is_removed() {
        let scratch = tempfile::tempdir().unwrap();
        drop(Output::prepare(&scratch.path().join("layout")).unwrap());
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
    }
}
