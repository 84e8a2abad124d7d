//! The state of one service: behind its own lock and in its own file, which is replaced as a whole after
//! every change and read at the next start.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use content::at::At;
use content::{json, read_limited};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::StartError;
use crate::status::Status;

/// The largest size of the state of one service, in bytes.
const LIMIT: u64 = 256 << 20;

/// The state of one service.
pub struct Stored<T> {
    value: Mutex<T>,
    /// The state file; `None` keeps the state in memory only.
    path: Option<PathBuf>,
}

impl<T: Clone + Serialize + DeserializeOwned> Stored<T> {
    /// Opens the state that `folder` holds under `name`, or makes a new one.
    ///
    /// # Errors
    /// The file cannot be read, or a new state cannot be made or written.
    pub fn open<E>(
        folder: &Path,
        name: &'static str,
        new: impl FnOnce() -> Result<T, E>,
    ) -> Result<Self, StartError> {
        let path = folder.join(format!("{name}.json"));
        let value = match read(&path)? {
            Some(value) => value,
            None => {
                let value = new().map_err(|_| StartError::keys(&format!("the service {name}")))?;
                write(&path, &value).map_err(At::writing(&path))?;
                value
            }
        };
        Ok(Self {
            value: Mutex::new(value),
            path: Some(path),
        })
    }

    /// State in memory only.
    pub fn in_memory(value: T) -> Self {
        Self {
            value: Mutex::new(value),
            path: None,
        }
    }

    /// Reads the state.
    pub fn look<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.lock())
    }

    /// Changes the state. The state stays unchanged if the change fails or cannot be written.
    ///
    /// # Errors
    /// The error of the change; an internal error if the file cannot be written.
    pub fn change<R, E: From<Status>>(
        &self,
        change: impl FnOnce(&mut T) -> Result<R, E>,
    ) -> Result<R, E> {
        let mut value = self.lock();
        let mut next = value.clone();
        let answer = change(&mut next)?;
        if let Some(path) = &self.path {
            write(path, &next).map_err(|_| Status::internal())?;
        }
        *value = next;
        Ok(answer)
    }

    fn lock(&self) -> MutexGuard<'_, T> {
        // Changes are made to a copy, so that a thread that panicked left the state unchanged.
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, StartError> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(At::reading(path)(error).into()),
    };
    let bytes =
        read_limited(file, LIMIT).map_err(|error| At::reading(path)(io::Error::other(error)))?;
    let value = json::parse(&bytes, LIMIT);
    let hint = "the file may be of another version: choose another state folder";
    value
        .map(Some)
        .map_err(|fault| StartError::file(path, fault, hint))
}

/// Replaces the file as a whole. Only its owner can read it. A state larger than [`LIMIT`] is not written.
fn write(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let bytes = serde_json::to_vec(value)?;
    if bytes.len() as u64 > LIMIT {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&bytes)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Bytes as base64 in a state file.
pub mod base64 {
    use ::base64::Engine as _;
    use ::base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    /// Serializes bytes.
    ///
    /// # Errors
    /// The error of the serializer.
    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    /// Deserializes bytes.
    ///
    /// # Errors
    /// The text is not base64, or does not have the length of the type.
    pub fn deserialize<'de, D, T>(deserializer: D) -> Result<T, D::Error>
    where
        D: Deserializer<'de>,
        T: TryFrom<Vec<u8>>,
    {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(de::Error::custom)?;
        T::try_from(bytes).map_err(|_| de::Error::custom("unexpected number of bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(folder: &Path) -> Result<Stored<Vec<u32>>, StartError> {
        Stored::open(folder, "numbers", || Ok::<_, ()>(vec![1]))
    }

    fn all(kept: &Stored<Vec<u32>>) -> Vec<u32> {
        kept.look(Vec::clone)
    }

    #[test]
    fn a_change_is_kept_for_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let first = open(folder.path()).unwrap();
        let add = |number| {
            first.change(|numbers| {
                numbers.push(number);
                Ok::<_, Status>(())
            })
        };
        add(2).unwrap();
        assert_eq!(all(&first), [1, 2]);
        assert_eq!(all(&open(folder.path()).unwrap()), [1, 2]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_or_unwritten_change_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let kept = open(folder.path()).unwrap();
        let refused = kept.change(|numbers| {
            numbers.push(2);
            Err::<(), _>(Status::invalid("no"))
        });
        assert_eq!(refused, Err(Status::invalid("no")));
        assert_eq!(all(&kept), [1]);
        // A folder in place of the file cannot be replaced.
        let path = folder.path().join("numbers.json");
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("file"), "").unwrap();
        let unwritten = kept.change(|numbers| {
            numbers.push(2);
            Ok::<_, Status>(())
        });
        assert_eq!(unwritten, Err(Status::internal()));
        assert_eq!(all(&kept), [1]);
    }

    #[test]
    fn an_invalid_state_file_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("numbers.json");
        std::fs::write(&path, "{").unwrap();
        let error = open(folder.path()).err().unwrap().to_string();
        let expected = format!("reading {}: parsing json: EOF", path.display());
        assert!(error.starts_with(&expected), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"{");
    }
}
