//! The folders of a launch, and their removal.

use std::fs::{self, File};
use std::io::{self, Seek as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use content::Digest;
use content::at::At;
use oci::Descriptor;
use oci::layer::{self, Compression, Owners};
use remote::Registry;
use scratch::Scratch;

use super::pull::Pulled;
use super::{Error, packing, socket, token_file};

/// The number of attempts to remove the files of a container that is being killed.
const ATTEMPTS: u32 = 50;
/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(20);

/// The folders of a launch. They are removed after it, except for a shared folder that the operator
/// named: only the files of the launch are removed from it.
pub struct Files {
    own: Scratch,
    share: PathBuf,
}

impl Files {
    /// Creates the folders. `share` is the folder that launcher and container share, if the operator names
    /// one.
    ///
    /// # Errors
    /// A folder cannot be created.
    pub fn make(share: Option<&Path>) -> Result<Self, Error> {
        let own = Scratch::new().map_err(At::writing(&std::env::temp_dir()))?;
        let share = share.map_or_else(|| own.path().join("share"), Path::to_owned);
        let files = Self { own, share };
        for folder in [&files.root(), &files.share] {
            make_open(folder).map_err(At::writing(folder))?;
        }
        Ok(files)
    }

    /// The folder with the files of the image.
    pub fn root(&self) -> PathBuf {
        self.own.path().join("root")
    }

    /// The folder that launcher and container share.
    pub fn share(&self) -> &Path {
        &self.share
    }

    /// The files of the launch in the shared folder, which are removed on drop.
    pub fn contents(&self) -> Contents {
        Contents(self.share.clone())
    }

    /// Pulls the layers of the image and unpacks them.
    ///
    /// # Errors
    /// A layer cannot be pulled or unpacked, or does not have its diff ID.
    pub async fn unpack(&self, registry: &Registry, image: &Pulled) -> Result<(), Error> {
        let diff_ids = &image.config.rootfs.diff_ids;
        for (layer, expected) in image.layers.iter().zip(diff_ids) {
            let declared = packing::declared(layer)?;
            let (path, root) = (self.own.path().join("layer"), self.root());
            registry.blob_to(layer, &path).await?;
            let (layer, digest, expected) = (layer.clone(), layer.digest, *expected);
            let unpacked =
                tokio::task::spawn_blocking(move || unpack(&layer, declared, &path, &root));
            let actual = unpacked.await??;
            if actual != expected {
                return Err(Error::image(
                    format!("unpacking layer {digest}"),
                    format!("expected diff id {expected}, found {actual}"),
                ));
            }
        }
        Ok(())
    }

    /// Removes the folders. A container that was killed may still be exiting, so this retries.
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

/// The files of a launch in the shared folder, removed on drop.
pub struct Contents(PathBuf);

impl Drop for Contents {
    fn drop(&mut self) {
        for name in [socket::NAME, token_file::NAME, token_file::UNFINISHED] {
            // A launch that failed early has not created all of them.
            let _ = fs::remove_file(self.0.join(name));
        }
    }
}

fn unpack(
    layer: &Descriptor,
    declared: Compression,
    path: &Path,
    root: &Path,
) -> Result<Digest, Error> {
    let digest = layer.digest;
    let mut file = File::open(path).map_err(At::reading(path))?;
    let found = Compression::of(&file).map_err(At::reading(path))?;
    file.rewind().map_err(At::reading(path))?;
    if found != declared {
        let fault = format!("its content is not {}", layer.media_type);
        return Err(Error::image(format!("unpacking layer {digest}"), fault));
    }
    // Only root becomes another user than that of this process.
    let owners = match rustix::process::geteuid().is_root() {
        true => Owners::Headers,
        false => Owners::Process,
    };
    layer::unpack(file, root, owners).map_err(|error| Error::unpack(&digest, &error))
}

/// Creates a folder that the user of the container can enter. The mode of an existing folder is not
/// changed.
fn make_open(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, PermissionsExt::from_mode(0o755))
}
