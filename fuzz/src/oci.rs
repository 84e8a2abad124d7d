use std::fmt::{Debug, Display};
use std::io::{self, Read};
use std::str::FromStr;

use content::Digest;
use oci::layer::{EntryPath, Member, Owners};
use oci::{
    AnyDigest, Config, Image, ImageRef, Index, Layout, Manifest, Reference, Repository, Tag,
};

use crate::check::{accepted, with_text};

/// Every name is read as it was printed.
pub fn reference(bytes: &[u8]) -> bool {
    with_text(bytes, |text| {
        [
            printed::<Reference>,
            printed::<ImageRef>,
            printed::<Repository>,
            printed::<Tag>,
            printed::<EntryPath>,
            printed::<Digest>,
            printed::<AnyDigest>,
        ]
        .map(|check| check(text))
        .contains(&true)
    })
}

fn printed<T: FromStr<Err: Debug> + Display + Debug + PartialEq>(text: &str) -> bool {
    accepted(text.parse::<T>(), |parsed| {
        let again = parsed.to_string().parse::<T>();
        assert_eq!(again.expect("a printed name is valid"), parsed);
    })
}

/// A manifest is read as it was written, and with digests by any algorithm.
pub fn manifest(bytes: &[u8]) -> bool {
    let any = Manifest::<AnyDigest>::parse_any(bytes);
    let is_read = accepted(Manifest::parse(bytes), |manifest| {
        assert!(any.is_ok(), "{any:?}");
        let written = manifest.to_bytes().expect("manifests can be written");
        assert_eq!(Manifest::parse(&written).ok(), Some(manifest));
        let _ = Image::parse(bytes.to_vec(), b"{}".to_vec());
    });
    is_read | any.is_ok()
}

/// A configuration is read as it was written, and with digests by any algorithm.
pub fn config(bytes: &[u8]) -> bool {
    let any = Config::<AnyDigest>::parse_any(bytes);
    let is_read = accepted(Config::parse(bytes), |config| {
        assert!(any.is_ok(), "{any:?}");
        let written = config.to_bytes().expect("configurations can be written");
        assert_eq!(Config::parse(&written).ok(), Some(config));
    });
    is_read | any.is_ok()
}

/// An index is read as it was written, and with digests by any algorithm.
pub fn index(bytes: &[u8]) -> bool {
    let any = Index::<AnyDigest>::parse_any(bytes);
    let is_read = accepted(Index::parse(bytes), |index| {
        assert!(any.is_ok(), "{any:?}");
        let written = index.to_bytes().expect("indices can be written");
        assert_eq!(Index::parse(&written).ok(), Some(index));
    });
    is_read | any.is_ok()
}

/// No member of a layer leaves the root. If the layer can also be unpacked, it has the same diff ID.
pub fn layer(bytes: &[u8]) -> bool {
    let visit = |member: &Member, content: &mut dyn Read| {
        let mut parts = member.path.as_str().split('/');
        assert!(parts.all(|part| !matches!(part, "" | "." | "..")));
        io::copy(content, &mut io::sink()).map_err(oci::Error::WriteLayer)?;
        Ok::<_, oci::Error>(())
    };
    accepted(oci::layer::read(bytes, visit), |diff_id| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let unpacked = oci::layer::unpack(bytes, folder.path(), Owners::Process);
        assert!(unpacked.is_err() || unpacked.is_ok_and(|unpacked| unpacked == diff_id));
    })
}

/// An archive of any dialect.
pub fn archive(bytes: &[u8]) -> bool {
    oci::archive::read(bytes, |_| Ok::<_, oci::Error>(())).is_ok()
}

/// `index.json` or `oci-layout` of a layout.
pub fn layout(bytes: &[u8]) -> bool {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let layout = Layout::create(folder.path()).expect("a new layout");
    let write = |name: &str| std::fs::write(folder.path().join(name), bytes).expect("a new file");
    write("index.json");
    let is_index = layout.descriptor().is_ok();
    let _ = layout.image();
    write("oci-layout");
    is_index | Layout::open(folder.path()).is_ok()
}
