//! Writes a layout, or a folder of layouts, atomically.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use console::hint::Hinted;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use scratch::Scratch;

use super::several::LIST;
use crate::at::At;
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
    /// There is something other than a layout or an empty folder, or the folder cannot be made.
    pub fn prepare(place: &Path) -> Result<Self, Error> {
        let failed = At::writing(place);
        if !may_be_replaced(place).map_err(&failed)? {
            let place = place.display();
            let taken = Hinted::new(format_args!(
                "writing {place}: the path exists and is not a layout"
            ));
            let hint = "choose another path, or remove the existing file or folder";
            return Err(taken.hinting(hint).into());
        }
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
    /// It cannot be moved; then the place is unchanged.
    pub fn publish(self) -> Result<(), Error> {
        let (from, to) = (self.folder.as_path(), self.place.as_path());
        let exchanged = match renameat_with(CWD, from, CWD, to, RenameFlags::EXCHANGE) {
            Err(rustix::io::Errno::NOENT) => fs::rename(from, to),
            exchanged => exchanged.map_err(io::Error::from),
        };
        // If there was an earlier layout, it is in the temporary folder now, and is removed with it.
        Ok(exchanged.map_err(At::writing(to))?)
    }
}

fn may_be_replaced(place: &Path) -> io::Result<bool> {
    match fs::read_dir(place) {
        Ok(mut entries) => {
            let is_ours = ["oci-layout", LIST].map(|name| place.join(name).is_file());
            Ok(is_ours.contains(&true) || entries.next().is_none())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(place: &Path, text: &str) {
        let output = Output::prepare(place).unwrap();
        fs::write(output.path().join("oci-layout"), text).unwrap();
        output.publish().unwrap();
    }

    #[test]
    fn a_layout_replaces_an_earlier_one_and_leaves_no_other_file() {
        let scratch = tempfile::tempdir().unwrap();
        let place = scratch.path().join("layout");
        publish(&place, "one");
        publish(&place, "two");
        assert_eq!(fs::read_to_string(place.join("oci-layout")).unwrap(), "two");
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_layouts_of_several_images_are_replaced() {
        let scratch = tempfile::tempdir().unwrap();
        let place = scratch.path().join("out");
        for image in ["one", "two"] {
            let output = Output::prepare(&place).unwrap();
            fs::write(output.path().join(LIST), "[]").unwrap();
            fs::create_dir(output.path().join(image)).unwrap();
            output.publish().unwrap();
        }
        assert!(place.join("two").is_dir() && !place.join("one").exists());
    }

    #[test]
    fn only_layouts_are_replaced() {
        let scratch = tempfile::tempdir().unwrap();
        fs::write(scratch.path().join("precious"), "").unwrap();
        let file = scratch.path().join("precious");
        for place in [scratch.path(), &file] {
            let Err(taken) = Output::prepare(place) else {
                panic!("{} is replaced", place.display());
            };
            assert_eq!(
                taken.to_string(),
                format!(
                    "writing {}: the path exists and is not a layout",
                    place.display()
                )
            );
        }
        assert!(file.exists());
    }

    #[test]
    fn an_incomplete_layout_is_removed() {
        let scratch = tempfile::tempdir().unwrap();
        drop(Output::prepare(&scratch.path().join("layout")).unwrap());
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
    }
}
