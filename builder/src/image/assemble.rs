//! Writes an image in format v1 (docs/format-v1.md).

use content::Digest;
use oci::layer::Entry;
use oci::{Config, Execution, Image, Layout, Manifest, RootFs, media};

/// The creation time of every image: a real time would change the digest.
const CREATED: &str = "1970-01-01T00:00:00Z";
/// The only operating system of Confidential Space, by Go's name.
const OS: &str = "linux";

/// The content of an image.
#[derive(Clone, Debug)]
pub struct ImageSpec {
    /// Files, links and directories, in any order; parents may be left out.
    pub entries: Vec<Entry>,
    /// The processor, by Go's name.
    pub architecture: String,
    /// How a container is started.
    pub execution: Execution,
}

/// The digests that identify an image.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Identities {
    /// Digest of the manifest.
    pub image_digest: Digest,
    /// Digest of the configuration, which covers the uncompressed layer.
    pub image_id: Digest,
}

impl Identities {
    /// The digests of `image`.
    pub fn of(image: &Image) -> Self {
        Self {
            image_digest: image.image_digest(),
            image_id: image.image_id(),
        }
    }
}

/// Writes the image into an empty layout.
///
/// # Errors
/// A file cannot be read, a path is invalid, or the layout cannot be written.
pub fn assemble(spec: ImageSpec, layout: &Layout) -> Result<Identities, oci::Error> {
    let (layer, written) = layout.write_layer(spec.entries)?;
    let config = Config {
        created: Some(CREATED.to_owned()),
        architecture: spec.architecture,
        os: OS.to_owned(),
        config: normal(spec.execution),
        rootfs: RootFs::of_layers(vec![written.diff_id]),
        ..Config::default()
    };
    let config = layout.write_blob(media::CONFIG, &config.to_bytes()?)?;
    let manifest = Manifest::new(config.clone(), vec![layer]);
    let manifest = layout.write_blob(media::MANIFEST, &manifest.to_bytes()?)?;
    layout.set_image(&manifest)?;
    Ok(Identities {
        image_digest: manifest.digest,
        image_id: config.digest,
    })
}

/// Sorts the environment: its order has no meaning.
fn normal(mut execution: Execution) -> Execution {
    execution.env.sort();
    execution.env.dedup();
    execution
}

#[cfg(test)]
mod tests {
    use oci::layer::{Content, Executable, Kind};

    use super::*;

    fn file(path: &str, executable: Executable) -> Entry {
        Entry {
            path: path.parse().unwrap(),
            kind: Kind::File {
                content: Content::Bytes(path.as_bytes().to_vec()),
                executable,
            },
        }
    }

    fn spec(entries: Vec<Entry>, env: &[&str]) -> ImageSpec {
        let execution = Execution {
            entrypoint: vec!["/program".to_owned()],
            env: env.iter().map(|&pair| pair.to_owned()).collect(),
            ..Execution::default()
        };
        ImageSpec {
            entries,
            architecture: "amd64".to_owned(),
            execution,
        }
    }

    fn assembled(spec: ImageSpec) -> (Identities, Image) {
        let scratch = tempfile::tempdir().unwrap();
        let layout = Layout::create(scratch.path()).unwrap();
        (assemble(spec, &layout).unwrap(), layout.image().unwrap())
    }

    #[test]
    fn the_digest_does_not_depend_on_order() {
        let program = file("/program", Executable::Yes);
        let terms = file("/etc/terms", Executable::No);
        let entries = vec![program.clone(), terms.clone()];
        let (one, image) = assembled(spec(entries, &["B=2", "A=1"]));
        let (other, _) = assembled(spec(vec![terms, program], &["A=1", "B=2"]));
        assert_eq!(one, other);
        assert_eq!(one, Identities::of(&image));
        assert_eq!(image.config().config.env, ["A=1", "B=2"]);
    }

    #[test]
    fn the_digest_depends_on_the_executable_bit() {
        let (one, _) = assembled(spec(vec![file("/program", Executable::Yes)], &[]));
        let (other, _) = assembled(spec(vec![file("/program", Executable::No)], &[]));
        assert_ne!(one.image_id, other.image_id);
    }

    /// Format v1 fixes these bytes.
    #[test]
    fn the_configuration_is_canonical() {
        let (_, image) = assembled(spec(vec![file("/program", Executable::Yes)], &[]));
        let text = String::from_utf8(image.config_bytes().to_vec()).unwrap();
        let diff_id = image.config().rootfs.diff_ids[0];
        let expected = format!(
            "{{\"architecture\":\"amd64\",\"config\":{{\"Entrypoint\":[\"/program\"]}},\
             \"created\":\"1970-01-01T00:00:00Z\",\"os\":\"linux\",\
             \"rootfs\":{{\"diff_ids\":[\"{diff_id}\"],\"type\":\"layers\"}}}}"
        );
        assert_eq!(text, expected);
    }
}
