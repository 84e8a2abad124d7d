use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use oci::Image;
use remote::Registry;
use scratch::Scratch;

use super::Error;

/// Attempts to remove the files of a container that is just dying.
const ATTEMPTS: u32 = 50;
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(20);

/// The folders of a launch. All but a shared folder that the operator named are removed with it.
pub struct Files {
    own: Scratch,
    share: PathBuf,
}

impl Files {
    /// Makes the folders; what launcher and container share is in `share`, if the operator names it.
    ///
    /// # Errors
    /// The disk fails.
    pub fn make(share: Option<&Path>) -> Result<Self, Error> {
        let own = Scratch::new().map_err(Error::write(std::env::temp_dir()))?;
        let share = share.map_or_else(|| own.path().join("share"), Path::to_owned);
        let files = Self { own, share };
        for folder in [files.root(), files.share.clone()] {
            fs::create_dir_all(&folder).map_err(Error::write(&folder))?;
            // The container's user is another one.
            let mode = PermissionsExt::from_mode(0o755);
            fs::set_permissions(&folder, mode).map_err(Error::write(&folder))?;
        }
        Ok(files)
    }

    /// The folder for the image's files.
    pub fn root(&self) -> PathBuf {
        self.own.path().join("root")
    }

    /// The folder that launcher and container share.
    pub fn share(&self) -> &Path {
        &self.share
    }

    /// Pulls the image's layers and unpacks them.
    ///
    /// # Errors
    /// A layer that cannot be pulled or unpacked, or that is not the one that the image names.
    pub async fn unpack(&self, registry: &Registry, image: &Image) -> Result<(), Error> {
        let diff_ids = &image.config().rootfs.diff_ids;
        for (layer, expected) in image.manifest().layers.iter().zip(diff_ids) {
            let (path, root) = (self.own.path().join("layer"), self.root());
            registry.blob_to(layer, &path).await?;
            let (digest, expected) = (layer.digest, *expected);
            let unpacked = tokio::task::spawn_blocking(move || {
                let file = File::open(&path).map_err(Error::write(&path))?;
                let unpacked = oci::layer::unpack(file, &root);
                unpacked.map_err(|e| Error::Unpack {
                    digest,
                    source: Box::new(e),
                })
            });
            let actual = unpacked.await??;
            if actual != expected {
                return Err(Error::DiffId {
                    digest,
                    expected,
                    actual,
                });
            }
        }
        Ok(())
    }

    /// Removes what was made. A container that was killed may take a moment to die.
    pub async fn remove(self) {
        for _ in 0..ATTEMPTS {
            match fs::remove_dir_all(self.own.path()) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    tokio::time::sleep(PAUSE).await;
                }
                _ => return,
            }
        }
    }
}
