//! Writes an image in format v1 (docs/format-v1.md), or v2 (docs/format-v2.md) if an entry has attributes or there
//! is a base image.

use std::collections::{BTreeMap, BTreeSet};

use content::Digest;
use oci::layer::Attributed;
use oci::{Config, Descriptor, Execution, Image, Layout, Manifest, RootFs, media};

/// The creation time of every image: a real time would change the digest.
const CREATED: &str = "1970-01-01T00:00:00Z";
/// The only operating system of Confidential Space, by Go's name.
const OS: &str = "linux";

/// The content of an image.
#[derive(Clone, Debug)]
pub struct ImageSpec {
    /// The image below it.
    pub base: Option<Base>,
    /// Files, links and directories, in any order; parents may be left out.
    pub entries: Vec<Attributed>,
    /// The processor, by Go's name.
    pub architecture: String,
    /// How a container is started.
    pub execution: Execution,
}

/// A base image, as format v2 uses it.
#[derive(Clone, Debug)]
pub struct Base {
    /// Its layers, lowest first. Their blobs must be in the layout.
    pub layers: Vec<Descriptor>,
    /// The digests of the archives in them.
    pub diff_ids: Vec<Digest>,
    /// How its containers are started.
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
    let (mut layers, mut diff_ids, execution) = match spec.base {
        Some(base) => {
            let execution = above(base.execution, spec.execution);
            (base.layers, base.diff_ids, execution)
        }
        None => (Vec::new(), Vec::new(), spec.execution),
    };
    layers.push(layer);
    diff_ids.push(written.diff_id);
    let config = Config {
        created: Some(CREATED.to_owned()),
        architecture: spec.architecture,
        os: OS.to_owned(),
        config: normal(execution),
        rootfs: RootFs::of_layers(diff_ids),
        ..Config::default()
    };
    let config = layout.write_blob(media::CONFIG, &config.to_bytes()?)?;
    let manifest = Manifest::new(config.clone(), layers);
    let manifest = layout.write_blob(media::MANIFEST, &manifest.to_bytes()?)?;
    layout.set_image(&manifest)?;
    Ok(Identities {
        image_digest: manifest.digest,
        image_id: config.digest,
    })
}

/// How a container of an image with a base is started (docs/format-v2.md, "Base image").
fn above(base: Execution, own: Execution) -> Execution {
    let is_replaced = !own.entrypoint.is_empty();
    let or = |own: String, base: String| match own.is_empty() {
        true => base,
        false => own,
    };
    Execution {
        user: or(own.user, base.user),
        env: joined(base.env, own.env),
        cmd: match own.cmd.is_empty() && !is_replaced {
            true => base.cmd,
            false => own.cmd,
        },
        entrypoint: match is_replaced {
            true => own.entrypoint,
            false => base.entrypoint,
        },
        working_dir: or(own.working_dir, base.working_dir),
        labels: own.labels,
        exposed_ports: base.exposed_ports,
        volumes: base.volumes,
        stop_signal: base.stop_signal.filter(|signal| !signal.is_empty()),
        args_escaped: None,
    }
}

/// The variables of the base that the image does not set, the last of each name, and those of the image.
fn joined(base: Vec<String>, own: Vec<String>) -> Vec<String> {
    let name = |variable: &str| {
        let name = variable.split_once('=').map_or(variable, |(name, _)| name);
        name.to_owned()
    };
    let set: BTreeSet<_> = own.iter().map(|variable| name(variable)).collect();
    let base = base.into_iter().map(|variable| (name(&variable), variable));
    let mut inherited: BTreeMap<_, _> = base.collect();
    inherited.retain(|name, _| !set.contains(name));
    inherited.into_values().chain(own).collect()
}

/// Sorts the environment: its order has no meaning.
fn normal(mut execution: Execution) -> Execution {
    execution.env.sort();
    execution.env.dedup();
    execution
}

#[cfg(test)]
mod tests {
    use oci::layer::{Content, Entry, Executable, Kind};

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
            base: None,
            entries: entries.into_iter().map(Attributed::from).collect(),
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
