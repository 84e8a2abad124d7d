//! Files and how to start them, to an image of format v1.

use content::Digest;
use oci::layer::Entry;
use oci::{Config, Execution, Image, Layout, Manifest, RootFs, media};

/// When every image was made. Its age is that of its source, which provenance names.
const CREATED: &str = "1970-01-01T00:00:00Z";
/// Go's name for the only system that Confidential Space runs.
const OS: &str = "linux";

/// An image as it is wanted.
#[derive(Clone, Debug)]
pub struct ImageSpec {
    /// Its files, links and directories, in any order; parents may be left out.
    pub entries: Vec<Entry>,
    /// Go's name for the processor.
    pub architecture: String,
    /// How a container of it is started.
    pub execution: Execution,
}

/// What an image is known by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Identities {
    /// The digest of the manifest.
    pub image_digest: Digest,
    /// The digest of the configuration, which covers the layer before compression.
    pub image_id: Digest,
}

impl Identities {
    /// Those of `image`.
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
/// Files that cannot be read, paths that no image may have, a layout that cannot be written.
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

/// The environment has no order of its own, so that it gets one.
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
    fn the_digest_knows_no_order() {
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
    fn what_may_be_executed_counts() {
        let (one, _) = assembled(spec(vec![file("/program", Executable::Yes)], &[]));
        let (other, _) = assembled(spec(vec![file("/program", Executable::No)], &[]));
        assert_ne!(one.image_id, other.image_id);
    }

    /// These bytes are what format v1 says, whatever this program becomes.
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
