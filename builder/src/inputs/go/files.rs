//! What the files of a source say of the modules and of the Go that it needs.

use console::hint::Hinted;
use content::Digest;

use super::manifest::Manifest;
use super::sums;
use crate::inputs::error::DependencyError;
use crate::lock::modules::Sum;
use crate::spec::{GoSpec, GoVersion};
use crate::untrusted::shown;

/// The modules and the Go that a source needs.
#[derive(Clone, Debug)]
pub struct GoFiles {
    /// The lines of all `go.sum`, and of `go.work.sum`; none if the modules are in the source (`vendor`).
    pub sums: Vec<Sum>,
    /// Digest of these files, one after another.
    pub digest: Digest,
    /// The toolchain.
    pub toolchain: GoVersion,
}

/// A file of a source, by its path.
pub(in crate::inputs) type File = (String, Vec<u8>);

impl GoFiles {
    /// Reads the manifests of a source (`go.work` first, if there is one), and its sums.
    ///
    /// # Errors
    /// A file is invalid, or no toolchain can be used for it.
    pub(in crate::inputs) fn parse(
        spec: &GoSpec,
        manifests: &[File],
        sums: &[File],
    ) -> Result<Self, DependencyError> {
        let text: Vec<u8> = sums
            .iter()
            .flat_map(|(_, bytes)| bytes.iter().copied())
            .collect();
        let mut all = Vec::new();
        for (path, bytes) in sums {
            let text = String::from_utf8_lossy(bytes);
            all.extend(sums::parse(&text).map_err(|fault| unparsed(path, &fault))?);
        }
        all.sort();
        all.dedup();
        Ok(Self {
            sums: all,
            digest: Digest::of(&text),
            toolchain: toolchain(spec, manifests)?,
        })
    }
}

fn unparsed(path: &str, fault: &str) -> Hinted {
    Hinted::new(format_args!("parsing {}: {fault}", shown(path)))
}

/// The toolchain that `Image.toml` or the first manifest names. It must not be older than any manifest needs.
fn toolchain(spec: &GoSpec, manifests: &[File]) -> Result<GoVersion, DependencyError> {
    let mut needed: Option<(GoVersion, &str)> = None;
    let mut named = None;
    for (index, (path, bytes)) in manifests.iter().enumerate() {
        let manifest = Manifest::parse(bytes).map_err(|fault| unparsed(path, &fault))?;
        if index == 0 {
            named = manifest.toolchain.or_else(|| manifest.go.clone());
        }
        if let Some(go) = manifest.go
            && needed.as_ref().is_none_or(|(older, _)| *older < go)
        {
            needed = Some((go, path));
        }
    }
    let oldest = needed.as_ref().map(|(go, _)| go.clone());
    let wanted = spec.go.clone().or_else(|| named.max(oldest));
    let release = wanted.as_ref().and_then(GoVersion::release).ok_or_else(|| {
        let found = wanted.as_ref().map_or("no version".to_owned(), |go| format!("go {go}"));
        Hinted::new(format_args!(
            "choosing a toolchain of Go: go.mod has {found}, and only 1.21 and later can be fetched"
        ))
        .hinting("name one in [build] of Image.toml, as go = \"1.26.0\"; a later Go builds sources of an earlier one")
    })?;
    match needed {
        Some((go, path)) if release < go => Err(Hinted::new(format_args!(
            "choosing a toolchain of Go: {} needs go {go}, and Image.toml names {release}",
            shown(path)
        ))
        .hinting(
            "raise `go` in [build] of Image.toml, or remove it: then the version of go.mod is used",
        )
        .into()),
        _ => Ok(release),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(image: &str, manifests: &[&str]) -> Result<String, String> {
        let spec = content::toml::parse(image).unwrap();
        let files = manifests.iter().enumerate();
        let files: Vec<_> = files
            .map(|(index, text)| (format!("{index}/go.mod"), text.as_bytes().to_vec()))
            .collect();
        let chosen = toolchain(&spec, &files);
        chosen
            .map(|version| version.to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_toolchain_is_the_one_that_the_source_names() {
        assert_eq!(chosen("", &["go 1.26"]).unwrap(), "1.26.0");
        assert_eq!(chosen("", &["go 1.24.3"]).unwrap(), "1.24.3");
        assert_eq!(
            chosen("", &["go 1.24\ntoolchain go1.26.2"]).unwrap(),
            "1.26.2"
        );
        assert_eq!(
            chosen("", &["go 1.24\ntoolchain default"]).unwrap(),
            "1.24.0"
        );
        assert_eq!(chosen("", &["go 1.24", "go 1.25.1"]).unwrap(), "1.25.1");
        assert_eq!(chosen("go = '1.26.0'", &["go 1.19"]).unwrap(), "1.26.0");
        for (image, manifests, fault) in [
            (
                "",
                &["go 1.19"][..],
                "choosing a toolchain of Go: go.mod has go 1.19, and only 1.21 and later",
            ),
            (
                "",
                &["module a"],
                "choosing a toolchain of Go: go.mod has no version",
            ),
            (
                "go = '1.26.0'",
                &["go 1.21", "go 1.28"],
                "choosing a toolchain of Go: 1/go.mod needs go 1.28, and Image.toml names 1.26.0",
            ),
            ("", &["go x"], "parsing 0/go.mod: line 1: "),
        ] {
            let found = chosen(image, manifests).unwrap_err();
            assert!(found.starts_with(fault), "{found}");
        }
    }
}
