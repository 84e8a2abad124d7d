//! `go.mod` and `go.work` (Go Modules Reference, "go.mod files" and "Workspaces"): which Go they need, and which folders they
//! name. Go itself reads everything else of them.

use crate::spec::GoVersion;
use crate::untrusted::shown;

/// What a `go.mod` or `go.work` says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(in crate::inputs) struct Manifest {
    /// The path of the module.
    pub(in crate::inputs) module: Option<String>,
    /// The oldest Go that can be used.
    pub(in crate::inputs) go: Option<GoVersion>,
    /// The toolchain that is preferred.
    pub(in crate::inputs) toolchain: Option<GoVersion>,
    /// The folders that replace modules, as written.
    pub(in crate::inputs) replacements: Vec<String>,
    /// The folders of the modules of a workspace, as written.
    pub(in crate::inputs) uses: Vec<String>,
}

impl Manifest {
    /// Parses the bytes of a `go.mod` or `go.work`.
    ///
    /// # Errors
    /// The reason, with the number of the line.
    pub(in crate::inputs) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
        let mut manifest = Self::default();
        let mut block: Option<String> = None;
        for (number, line) in text.lines().enumerate() {
            let fault = |fault: String| format!("line {}: {fault}", number + 1);
            let mut words = words(line).map_err(fault)?;
            let texts: Vec<_> = words.iter().map(String::as_str).collect();
            match (&block, &texts[..]) {
                (_, []) => {}
                (Some(_), [")"]) => block = None,
                (None, [verb, "("]) => block = Some((*verb).to_owned()),
                (Some(verb), _) => {
                    let verb = verb.clone();
                    manifest.take(&verb, &words).map_err(fault)?;
                }
                (None, _) => {
                    let verb = words.remove(0);
                    manifest.take(&verb, &words).map_err(fault)?;
                }
            }
        }
        match block {
            None => Ok(manifest),
            Some(verb) => Err(format!("the block of {} has no end", shown(&verb))),
        }
    }

    fn take(&mut self, verb: &str, words: &[String]) -> Result<(), String> {
        match (verb, words) {
            ("module", [path]) => self.module = Some(path.clone()),
            ("go", [version]) => self.go = Some(parse(version)?),
            ("toolchain", [name]) if name == "default" => {}
            ("toolchain", [name]) => self.toolchain = Some(parse(name)?),
            ("use", [path]) => self.uses.push(path.clone()),
            ("replace", words) => self.replacements.extend(replacement(words).cloned()),
            ("module" | "go" | "toolchain" | "use", words) => {
                return Err(format!("{verb}: expected one word, found {}", words.len()));
            }
            _ => {}
        }
        Ok(())
    }
}

fn parse(version: &str) -> Result<GoVersion, String> {
    version
        .parse()
        .map_err(|error| format!("{error}, found {:?}", shown(version)))
}

/// The target of a replacement, if it is a folder: a path that is rooted, or begins with `./` or `../`.
fn replacement(words: &[String]) -> Option<&String> {
    let arrow = words.iter().position(|word| word == "=>")?;
    let target = words.get(arrow + 1)?;
    let is_folder = matches!(target.as_str(), "." | "..")
        || ["/", "./", "../"]
            .iter()
            .any(|start| target.starts_with(start));
    is_folder.then_some(target)
}

/// The words of a line, without quotation marks and comments.
fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() && !rest.starts_with("//") {
        let (word, after) = match rest.chars().next() {
            Some(mark @ ('"' | '`')) => {
                let (word, after) = rest[1..]
                    .split_once(mark)
                    .ok_or("a quotation mark has no end")?;
                // Go reads escapes between double quotation marks. No path that can be used has one.
                if word.contains('\\') {
                    return Err(format!("unsupported escape in {:?}", shown(word)));
                }
                (word, after)
            }
            Some(bracket @ ('(' | ')')) => rest.split_at(bracket.len_utf8()),
            _ => {
                let end = rest.find(|c: char| c.is_whitespace() || "()".contains(c));
                rest.split_at(end.unwrap_or(rest.len()))
            }
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions_and_folders() {
        let text = "// a comment\nmodule example.org/app // here\n\ngo 1.26\n\ntoolchain go1.26.2\nrequire (\n\texample.org/a v1.0.0\n\
                    \texample.org/b v1.0.0 // indirect\n)\nreplace example.org/a => ../a\nreplace (\n\texample.org/b v1.0.0 => \
                    \"./b c\"\n\texample.org/c => example.org/d v1.0.0\n)\ntool example.org/a/cmd\n";
        let manifest = Manifest::parse(text.as_bytes()).unwrap();
        assert_eq!(manifest.module.as_deref(), Some("example.org/app"));
        assert_eq!(manifest.go.unwrap().to_string(), "1.26");
        assert_eq!(manifest.toolchain.unwrap().to_string(), "1.26.2");
        assert_eq!(manifest.replacements, ["../a", "./b c"]);
        let work = Manifest::parse(b"go 1.26.0\nuse ./app\nuse (\n\t./lib\n\t`../x`\n)\n").unwrap();
        assert_eq!(work.uses, ["./app", "./lib", "../x"]);
    }

    #[test]
    fn faults_have_a_line() {
        for (text, fault) in [
            (
                "go 1.x",
                "line 1: expected a version of Go such as 1.26.3, found \"1.x\"",
            ),
            (
                "\ntoolchain go1.21.3-own",
                "line 2: expected a version of Go",
            ),
            ("go", "line 1: go: expected one word, found 0"),
            ("use (\n", "the block of use has no end"),
            ("module \"a", "line 1: a quotation mark has no end"),
            ("module \"a\\n\"", "line 1: unsupported escape"),
        ] {
            let found = Manifest::parse(text.as_bytes()).unwrap_err();
            assert!(found.starts_with(fault), "{text}: {found}");
        }
    }
}
