//! Archives of `docker save` before version 25, and of clients that write the same form: `manifest.json` names
//! configurations and layers, and there are no manifests (moby, `image/tarexport`).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::path::Path;

use content::at::At;
use content::{Hasher, json, limits, open_regular, read_limited};
use serde::Deserialize;

use super::{Layout, persist, temporary};
use crate::layer::gzip::StoredGzip;
use crate::layer::{Compression, EntryPath};
use crate::{Config, Descriptor, Error, Index, Manifest, media};

const LIST: &str = "manifest.json";
/// The annotation with the whole name of an image (containerd, `images/archive`).
const NAME: &str = "io.containerd.image.name";
/// Maximum number of images, and of names of one image.
const IMAGES: usize = 256;

/// One image in `manifest.json`. Other members are not used.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    config: String,
    #[serde(default, deserialize_with = "json::null_is_default")]
    repo_tags: Vec<String>,
    layers: Vec<String>,
}

/// Converts an archive that [`unpack`](super::unpack()) has unpacked into `dir` to a layout in the same directory.
/// `links` are the archive's symbolic links. Manifests are written as format v1 has them, with stored gzip around
/// layers without compression: an image that was pushed in this form has the digest that it had.
///
/// # Errors
/// The list, a configuration or a layer is absent, invalid or too large, or a file cannot be written.
pub fn convert(dir: &Path, links: &BTreeMap<String, String>) -> Result<Layout, Error> {
    let listed = read(dir, LIST, limits::MANIFEST)?;
    let listed: Vec<Listed> = json::parse(&listed, limits::MANIFEST).map_err(invalid)?;
    if listed.len() > IMAGES || listed.iter().any(|image| image.repo_tags.len() > IMAGES) {
        return Err(invalid(format!("more than {IMAGES} images or names")));
    }
    let mut converter = Converter {
        dir,
        links,
        layout: Layout::create(dir)?,
        layers: BTreeMap::new(),
    };
    let mut images = Vec::new();
    for image in listed {
        images.extend(converter.image(&image)?);
    }
    let index = Index::new(images).to_bytes()?;
    converter.layout.replace(&dir.join("index.json"), &index)?;
    Ok(converter.layout)
}

struct Converter<'a> {
    dir: &'a Path,
    links: &'a BTreeMap<String, String>,
    layout: Layout,
    /// Layers that are converted already: images share layers.
    layers: BTreeMap<String, Descriptor>,
}

impl Converter<'_> {
    /// The image's descriptors, one for each of its names.
    fn image(&mut self, listed: &Listed) -> Result<Vec<Descriptor>, Error> {
        let config = self.resolve(&listed.config)?;
        let config = read(self.dir, config.as_str(), limits::CONFIG)?;
        let count = Config::parse(&config)?.rootfs.diff_ids.len();
        if count != listed.layers.len() {
            return Err(Error::diff_ids(listed.layers.len(), count));
        }
        let layers: Result<_, Error> = listed.layers.iter().map(|path| self.layer(path)).collect();
        let config = self.layout.write_blob(media::CONFIG, &config)?;
        let manifest = Manifest::new(config, layers?).to_bytes()?;
        let image = self.layout.write_blob(media::MANIFEST, &manifest)?;
        let named = |name: &String| {
            let mut image = image.clone();
            image.annotations.insert(NAME.to_owned(), name.clone());
            image
        };
        Ok(match listed.repo_tags.is_empty() {
            true => vec![image],
            false => listed.repo_tags.iter().map(named).collect(),
        })
    }

    fn layer(&mut self, path: &str) -> Result<Descriptor, Error> {
        let path = self.resolve(path)?;
        if let Some(layer) = self.layers.get(path.as_str()) {
            return Ok(layer.clone());
        }
        let layer = self.write_layer(&path)?;
        let path = path.to_string();
        self.layers.insert(path, layer.clone());
        Ok(layer)
    }

    fn write_layer(&self, path: &EntryPath) -> Result<Descriptor, Error> {
        let path = self.dir.join(path.as_str());
        let mut file = open_regular(&path).map_err(At::reading(&path))?;
        let blobs = self.layout.folder();
        let mut compressed = temporary(&blobs)?;
        let media_type = store(&mut file, compressed.as_file_mut()).map_err(At::writing(&blobs))?;
        let (digest, size) = digest(compressed.as_file_mut()).map_err(At::reading(&blobs))?;
        persist(compressed, &self.layout.blob_path(&digest))?;
        Ok(Descriptor::new(media_type, digest, size))
    }

    /// The path of a file, by way of at most one link: Docker links a layer to an equal one.
    fn resolve(&self, text: &str) -> Result<EntryPath, Error> {
        let path: EntryPath = text.parse()?;
        let Some(target) = self.links.get(path.as_str()) else {
            return Ok(path);
        };
        let mut parts: Vec<&str> = path.as_str().split('/').collect();
        parts.pop();
        // The root is that of the archive (moby, `FollowSymlinkInScope`).
        if target.starts_with('/') {
            parts.clear();
        }
        for part in target.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        parts.join("/").parse()
    }
}

/// Writes a layer in gzip. One that is compressed already stays as it is. Returns the media type.
fn store(layer: &mut File, out: &mut File) -> io::Result<&'static str> {
    let compression = Compression::of(&mut *layer)?;
    layer.seek(SeekFrom::Start(0))?;
    match compression {
        Compression::Plain => write_stored(layer, out).map(|()| media::LAYER_GZIP),
        Compression::Gzip => io::copy(layer, out).map(|_| media::LAYER_GZIP),
        Compression::Zstd => io::copy(layer, out).map(|_| media::LAYER_ZSTD),
    }
}

fn write_stored(layer: &mut File, out: &mut File) -> io::Result<()> {
    let mut gzip = StoredGzip::new(io::BufWriter::new(out))?;
    io::copy(layer, &mut gzip)?;
    io::Write::flush(&mut gzip.finish()?)
}

fn digest(file: &mut File) -> io::Result<(content::Digest, u64)> {
    file.seek(SeekFrom::Start(0))?;
    let mut hasher = Hasher::new();
    let size = io::copy(file, &mut hasher)?;
    Ok((hasher.finish(), size))
}

fn read(dir: &Path, name: &str, limit: u64) -> Result<Vec<u8>, Error> {
    let path = dir.join(name);
    let file = open_regular(&path).map_err(At::reading(&path))?;
    read_limited(file, limit).map_err(Error::content(name))
}

fn invalid(fault: impl std::fmt::Display) -> Error {
    Error::invalid(format!("reading {LIST}"), fault)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read as _;

    use super::*;
    use crate::layer::{self, Content, Entry, Executable, Kind};

    /// An archive of one image of format v1, as Docker would save it, and the image's manifest.
    fn saved(dir: &Path, layers: &[&str]) -> Vec<u8> {
        let file = Entry {
            path: "program".parse().unwrap(),
            kind: Kind::File {
                content: Content::Bytes(vec![7; 100_000]),
                executable: Executable::Yes,
            },
        };
        let mut blob = Vec::new();
        let written = layer::write([file], &mut blob).unwrap();
        let diff_ids = vec![written.diff_id; layers.len()];
        let config = Config {
            architecture: "amd64".to_owned(),
            os: "linux".to_owned(),
            rootfs: crate::RootFs::of_layers(diff_ids),
            ..Config::default()
        };
        let config = config.to_bytes().unwrap();
        let mut plain = Vec::new();
        let mut reader = flate2::read::GzDecoder::new(&blob[..]);
        reader.read_to_end(&mut plain).unwrap();
        fs::create_dir(dir.join("a")).unwrap();
        fs::write(dir.join("a/layer.tar"), plain).unwrap();
        fs::write(dir.join("a/layer.tar.gz"), &blob).unwrap();
        fs::write(dir.join("config.json"), &config).unwrap();
        let list = format!(
            r#"[{{"Config":"config.json","RepoTags":["r/a:1","r/a:2"],"Layers":{layers:?},"Parent":""}}]"#
        );
        fs::write(dir.join(LIST), list).unwrap();
        let layer = Descriptor::of(media::LAYER_GZIP, &blob);
        let config = Descriptor::of(media::CONFIG, &config);
        let manifest = Manifest::new(config, vec![layer; layers.len()]);
        manifest.to_bytes().unwrap()
    }

    #[test]
    fn an_image_of_format_v1_keeps_its_digest() {
        let layers = [
            "a/layer.tar",
            "b/layer.tar",
            "c/layer.tar",
            "a/layer.tar.gz",
        ];
        let dir = tempfile::tempdir().unwrap();
        let manifest = saved(dir.path(), &layers);
        let links = [
            ("b/layer.tar", "../a/layer.tar"),
            ("c/layer.tar", "/a/layer.tar"),
        ];
        let links = links.map(|(path, target)| (path.to_owned(), target.to_owned()));
        let layout = convert(dir.path(), &BTreeMap::from(links)).unwrap();
        let images = layout.index().unwrap().manifests;
        let names = images.iter().map(|image| image.annotations[NAME].as_str());
        assert_eq!(names.collect::<Vec<_>>(), ["r/a:1", "r/a:2"]);
        for image in images {
            let read = layout.read_blob(&image, limits::MANIFEST).unwrap();
            assert_eq!(read, manifest);
        }
    }

    #[test]
    fn a_layer_in_zstd_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        saved(dir.path(), &["a/layer.tar"]);
        let path = dir.path().join("a/layer.tar");
        let blob = testkit::zstd(&fs::read(&path).unwrap());
        fs::write(path, &blob).unwrap();
        let layout = convert(dir.path(), &BTreeMap::new()).unwrap();
        let image = layout.index().unwrap().manifests.remove(0);
        let manifest = layout.read_blob(&image, limits::MANIFEST).unwrap();
        let layers = Manifest::parse(&manifest).unwrap().layers;
        assert_eq!(layers, [Descriptor::of(media::LAYER_ZSTD, &blob)]);
    }

    #[test]
    fn a_path_outside_of_the_archive_is_refused() {
        for layers in [
            &["../layer.tar"][..],
            &["a/../../layer.tar"],
            &["b/layer.tar"],
            &["a/layer.tar", "absent"],
        ] {
            let dir = tempfile::tempdir().unwrap();
            saved(dir.path(), layers);
            let links = [("b/layer.tar".to_owned(), "../..".to_owned())];
            let error = convert(dir.path(), &BTreeMap::from(links)).unwrap_err();
            assert!(!dir.path().join("index.json").exists(), "{error}");
        }
    }

    #[test]
    fn the_list_is_read_strictly() {
        for (text, reason) in [
            ("{}", "reading manifest.json"),
            (r#"[["config.json",[],[]]]"#, "reading manifest.json"),
            (
                r#"[{"Config":"a","Layers":[],"config":"b"}]"#,
                "reading manifest.json",
            ),
            (r#"[{"Config":"absent","Layers":[]}]"#, "No such file"),
        ] {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join(LIST), text).unwrap();
            let error = convert(dir.path(), &BTreeMap::new()).unwrap_err();
            assert!(error.to_string().contains(reason), "{error}");
        }
    }
}
