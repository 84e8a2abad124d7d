use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use content::Digest;
use oci::Descriptor;
use remote::Registry;
use scratch::Scratch;

use super::packing::Packing;
use super::pull::Pulled;
use super::{Error, socket, token_file};

/// Attempts to remove the files of a container that is just dying.
const ATTEMPTS: u32 = 50;
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(20);

/// The folders of a launch. All are removed with it but a shared folder that the operator named, which
/// is only left without what was put into it.
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
        for folder in [&files.root(), &files.share] {
            make_open(folder).map_err(Error::write(folder))?;
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

    /// Takes over what the shared folder holds of a launch.
    pub fn contents(&self) -> Contents {
        Contents(self.share.clone())
    }

    /// Pulls the image's layers and unpacks them.
    ///
    /// # Errors
    /// A layer that cannot be pulled or unpacked, or that is not the one that the image names.
    pub async fn unpack(&self, registry: &Registry, image: &Pulled) -> Result<(), Error> {
        let diff_ids = &image.config.rootfs.diff_ids;
        for (layer, expected) in image.layers.iter().zip(diff_ids) {
            let packing = Packing::of(layer)?;
            let (path, root) = (self.own.path().join("layer"), self.root());
            registry.blob_to(layer, &path).await?;
            let (layer, digest, expected) = (layer.clone(), layer.digest, *expected);
            let unpacked =
                tokio::task::spawn_blocking(move || unpack(&layer, packing, &path, &root));
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
                Err(e) if e.kind() != io::ErrorKind::NotFound => {
                    tokio::time::sleep(PAUSE).await;
                }
                _ => return,
            }
        }
    }
}

/// The files in a shared folder, which go when this is dropped.
pub struct Contents(PathBuf);

impl Drop for Contents {
    fn drop(&mut self) {
        for name in [socket::NAME, token_file::NAME, token_file::UNFINISHED] {
            // A launch does not come to each of them.
            let _ = fs::remove_file(self.0.join(name));
        }
    }
}

fn unpack(layer: &Descriptor, packing: Packing, path: &Path, root: &Path) -> Result<Digest, Error> {
    let digest = layer.digest;
    let file = File::open(path).map_err(Error::write(path))?;
    if Packing::found_in(&file).map_err(Error::write(path))? != packing {
        let media_type = layer.media_type.clone();
        return Err(Error::LayerBytes { digest, media_type });
    }
    oci::layer::unpack(file, root).map_err(|source| Error::Unpack {
        digest,
        source: Box::new(source),
    })
}

/// Makes a folder that the container's user, who is another one, may enter. One that is there already
/// stays as its owner wants it.
fn make_open(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, PermissionsExt::from_mode(0o755))
}
