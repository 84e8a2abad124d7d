//! Configuration of cargo and rustup in a source. Cargo in the sandbox runs outside the source, and so reads none of it:
//! it could replace the checked crates, the compiler, the linker and all flags. A source with configuration that would have
//! an effect elsewhere is refused, unless `Image.toml` has the same effect or says that it is to be ignored.

mod effects;

use std::path::Path;

use console::hint::Hinted;
use toml::Table;

use super::error::{SourceError, reading};
use super::manifests::Files;
use super::path::SourcePath;
use crate::spec::cargo::{CargoSpec, HostConfig, Target};
use crate::untrusted::{self, shown};
pub(crate) use effects::{Answer, Effect};

/// The names that cargo looks for (The Cargo Book, "Configuration").
const CARGO: [&str; 2] = [".cargo/config.toml", ".cargo/config"];
/// The names that rustup looks for (The rustup book, "Overrides").
const RUSTUP: [&str; 2] = ["rust-toolchain.toml", "rust-toolchain"];
const HINT: &str = "write the named entries in [build] of Image.toml. Without such an entry, host-config = \"ignore\" builds without these \
                    files, and provenance says so";

/// A file of configuration.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// Its path in the repository.
    pub path: String,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Cargo(Table),
    /// The channel, if the file names one.
    Rustup(Option<String>),
}

/// The configuration that cargo and rustup would read if they ran in `folder`: that in the folder, and in all folders above.
///
/// # Errors
/// A file cannot be read or parsed.
pub(super) fn find(files: &mut dyn Files, folder: &str) -> Result<Vec<Configuration>, SourceError> {
    let mut found = Vec::new();
    for above in Path::new(folder).ancestors() {
        for name in CARGO.into_iter().chain(RUSTUP) {
            let path = above.join(name);
            let path = SourcePath::parse(&path.to_string_lossy())?;
            let bytes = match files.file(&path) {
                // A second name, as `config` for `config.toml`, may be a link.
                Err(SourceError::Refused(_)) if is_second(&found, above) => continue,
                read => read?,
            };
            let Some(bytes) = bytes else {
                continue;
            };
            let content = match RUSTUP.contains(&name) {
                true => Content::Rustup(channel(&bytes)),
                false => Content::Cargo(parse(&path, &bytes)?),
            };
            let path = path.to_string();
            found.push(Configuration { path, content });
        }
    }
    Ok(found)
}

/// Whether a file of configuration in the folder was found already.
fn is_second(found: &[Configuration], folder: &Path) -> bool {
    let firsts = [CARGO[0], RUSTUP[0]].map(|name| folder.join(name));
    let last = found.last().map(|last| Path::new(&last.path));
    last.is_some_and(|last| firsts.iter().any(|first| first == last))
}

fn parse(path: &SourcePath, bytes: &[u8]) -> Result<Table, SourceError> {
    Ok(content::toml::parse(bytes).map_err(|error| {
        let (path, said) = (shown(path.as_str()), untrusted::toml(&error));
        Hinted::new(format_args!("parsing {path}: {said}"))
    })?)
}

/// The channel in a file of rustup, which may be TOML or the channel alone.
fn channel(bytes: &[u8]) -> Option<String> {
    let text = str::from_utf8(bytes).ok()?;
    let table: Option<Table> = content::toml::parse(text).ok();
    let named =
        table.and_then(|table| Some(table.get("toolchain")?.get("channel")?.as_str()?.to_owned()));
    let line =
        || Some(text.trim()).filter(|line| !line.is_empty() && !line.contains(['\n', '=', '[']));
    named.or_else(|| line().map(str::to_owned))
}

/// Checks that the configuration of a source would have no effect that `Image.toml` lacks, unless it is to be ignored.
///
/// # Errors
/// There is configuration that would have an effect.
pub(in crate::inputs) fn check(
    found: &[Configuration],
    spec: &CargoSpec,
) -> Result<(), SourceError> {
    if spec.host_config == HostConfig::Ignore {
        return Ok(());
    }
    let effects = effects(found, spec.target);
    let unanswered = effects.filter(|(_, effect)| !effect.is_answered(spec));
    let unanswered: Vec<_> = unanswered
        .map(|(path, effect)| format!("{} sets {effect}", shown(path)))
        .collect();
    match unanswered.is_empty() {
        true => Ok(()),
        false => Err(SourceError::Refused(
            reading(format_args!(
                "the source configures cargo, which the builder does not obey: {}",
                unanswered.join("; ")
            ))
            .hinting(HINT),
        )),
    }
}

/// What the configuration would change in a program for `target`, each with the path of its file.
pub(super) fn effects(
    found: &[Configuration],
    target: Target,
) -> impl Iterator<Item = (&str, Effect)> {
    found.iter().flat_map(move |one| {
        let effects = match &one.content {
            Content::Cargo(table) => effects::effects(table, target),
            Content::Rustup(_) => Vec::new(),
        };
        effects
            .into_iter()
            .map(|effect| (one.path.as_str(), effect))
    })
}

/// The channel of rustup that the source asks for, and the file that names it. The nearest file counts.
pub(in crate::inputs) fn toolchain(found: &[Configuration]) -> Option<(&str, &str)> {
    let mut channels = found.iter().filter_map(|one| match &one.content {
        Content::Rustup(channel) => Some((channel.as_deref()?, one.path.as_str())),
        Content::Cargo(_) => None,
    });
    channels.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_in_toml_or_alone() {
        for (text, expected) in [
            ("[toolchain]\nchannel = '1.90.0'", Some("1.90.0")),
            ("nightly-2020-01-01\n", Some("nightly-2020-01-01")),
            ("[toolchain]\npath = 'x'", None),
            ("", None),
        ] {
            assert_eq!(channel(text.as_bytes()).as_deref(), expected, "{text}");
        }
    }
}
