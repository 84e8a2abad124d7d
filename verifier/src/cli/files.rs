//! The files that arguments name.

use std::path::Path;

use console::at;
use console::hint::Hinted;
use content::limits;
use grant::Grant;
use verifier::error::Error;
use verifier::policy::Policy;

/// Reads a file on a separate thread, because it may be a pipe that blocks.
pub async fn apart<T: Send + 'static>(
    path: &Path,
    read: fn(&Path) -> Result<T, Error>,
) -> Result<T, Error> {
    let path = path.to_owned();
    blocking(move || read(&path)).await
}

/// Does work that may block on a separate thread.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Hinted::doing("running the command", error).into()))
}

/// Reads a policy. Paths in it are relative to it, not to the working directory.
pub fn read_policy(path: &Path) -> Result<Policy, Error> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let read_file = |name: &Path| {
        let file = std::fs::File::open(folder.join(name))?;
        content::read_limited(file, limits::DOCUMENT).map_err(std::io::Error::other)
    };
    let parsed = Policy::parse(&read(path)?, &read_file).map_err(|source| Error::Policy {
        path: path.to_owned(),
        source,
    });
    Ok(parsed?.below(folder))
}

/// Reads the description of a grant.
pub fn read_grant(path: &Path) -> Result<Grant, Error> {
    Grant::parse(&read(path)?).map_err(|source| Error::Grant {
        path: path.to_owned(),
        source,
    })
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    Ok(at::read(path, limits::DOCUMENT)?)
}
