//! The package sources of this machine's apt.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::at::At;

/// A package source.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Source {
    /// The address.
    pub url: String,
    /// The suites.
    pub suites: Vec<String>,
    /// The components.
    pub components: Vec<String>,
    /// The file of trusted keys, if one is named.
    pub keyring: Option<PathBuf>,
}

/// The files in a folder, by name; none if there is no folder.
fn listed(folder: &Path) -> Result<Vec<PathBuf>, At> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(At::reading(folder)(source)),
    };
    let paths = entries.map(|entry| Ok(entry?.path()));
    let mut paths = paths
        .collect::<Result<Vec<_>, _>>()
        .map_err(At::reading(folder))?;
    paths.sort();
    Ok(paths)
}

/// All sources of binary packages on the web, in apt's order (sources.list(5)).
///
/// # Errors
/// A file that exists cannot be read.
pub fn sources(folder: &Path) -> Result<Vec<Source>, At> {
    let mut sources = Vec::new();
    let mut paths = vec![folder.join("sources.list")];
    paths.extend(listed(&folder.join("sources.list.d"))?);
    for path in paths {
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => return Err(At::reading(&path)(source)),
        };
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("list") => sources.extend(text.lines().filter_map(one_line)),
            Some("sources") => sources.extend(text.split("\n\n").flat_map(paragraph)),
            _ => {}
        }
    }
    let fetched = sources.into_iter().map(fetched);
    Ok(fetched.collect::<Result<Vec<_>, _>>()?.concat())
}

/// The source once for each of its addresses on the web: a list of mirrors is a file with an address in each line
/// (apt-transport-mirror(1)).
fn fetched(source: Source) -> Result<Vec<Source>, At> {
    let addresses = match source.url.strip_prefix("mirror+file:") {
        Some(path) => {
            let path = Path::new("/").join(path.trim_start_matches('/'));
            fs::read_to_string(&path).map_err(At::reading(&path))?
        }
        None => source.url.clone(),
    };
    let first_words = addresses
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    let with_url = |url: &str| Source {
        url: url.to_owned(),
        ..source.clone()
    };
    Ok(first_words
        .filter(|url| is_web(url))
        .map(with_url)
        .collect())
}

/// Whether packages can be fetched from this address: HTTP or HTTPS.
pub(super) fn is_web(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://")
}

/// `deb [option=value …] url suite component…`
fn one_line(line: &str) -> Option<Source> {
    let (kind, rest) = line.trim().split_once([' ', '\t'])?;
    let rest = Some(rest.trim_start()).filter(|_| kind == "deb")?;
    let (options, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => ("", rest),
    };
    let mut words = rest.split_whitespace().map(str::to_owned);
    let option = |name| {
        options
            .split_whitespace()
            .find_map(|option| option.strip_prefix(name))
    };
    Some(Source {
        url: words.next()?,
        suites: vec![words.next()?],
        components: words.collect(),
        keyring: option("signed-by=").map(PathBuf::from),
    })
}

/// A paragraph of fields; one source for each address in it.
fn paragraph(text: &str) -> Vec<Source> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let fields: Vec<_> = lines.filter_map(|line| line.split_once(':')).collect();
    let words = |name: &str| -> Vec<String> {
        let field = fields
            .iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name));
        field.map_or_else(Vec::new, |(_, value)| {
            value.split_whitespace().map(str::to_owned).collect()
        })
    };
    let disabled = words("Enabled")
        .first()
        .is_some_and(|word| word.eq_ignore_ascii_case("no"));
    if disabled || !words("Types").iter().any(|word| word == "deb") {
        return Vec::new();
    }
    let keyring = words("Signed-By")
        .into_iter()
        .next()
        .filter(|word| word.starts_with('/'));
    let source = |url| Source {
        url,
        suites: words("Suites"),
        components: words("Components"),
        keyring: keyring.as_ref().map(PathBuf::from),
    };
    words("URIs").into_iter().map(source).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sources_of_both_kinds() {
        let folder = tempfile::tempdir().unwrap();
        let line = "# x\ndeb [arch=amd64 signed-by=/k.gpg] http://a.example/debian bookworm main contrib\n\
                    deb-src http://no.example/ s m\ndeb cdrom:[x]/ bookworm main\n\
                    deb\thttps://d.example sid\tmain\n";
        fs::write(folder.path().join("sources.list"), line).unwrap();
        fs::create_dir(folder.path().join("sources.list.d")).unwrap();
        let text = "Types: deb\n# comment\nURIs: http://b.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\n\nTypes: deb\nEnabled: no\nURIs: http://c.example\nSuites: x\n";
        fs::write(folder.path().join("sources.list.d/debian.sources"), text).unwrap();
        let sources = sources(folder.path()).unwrap();
        let urls: Vec<_> = sources.iter().map(|source| source.url.as_str()).collect();
        assert_eq!(
            urls,
            [
                "http://a.example/debian",
                "https://d.example",
                "http://b.example/debian"
            ]
        );
        assert_eq!(sources[0].keyring, Some("/k.gpg".into()));
        assert_eq!(sources[1].components, ["main"]);
        assert_eq!(sources[2].suites, ["bookworm", "bookworm-updates"]);
    }

    #[test]
    fn reads_lists_of_mirrors() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("mirrors");
        let line = format!("deb mirror+file:{} bookworm main\n", list.display());
        fs::write(folder.path().join("sources.list"), line).unwrap();
        assert!(matches!(sources(folder.path()), Err(At { path, .. }) if path == list));
        let text =
            "# ours\nhttps://a.example/debian\tpriority:1\n\nfile:/mirror\nhttp://b.example\n";
        fs::write(&list, text).unwrap();
        let sources = sources(folder.path()).unwrap();
        let urls: Vec<_> = sources.iter().map(|source| source.url.as_str()).collect();
        assert_eq!(urls, ["https://a.example/debian", "http://b.example"]);
        assert_eq!(sources[1].suites, ["bookworm"]);
    }
}
