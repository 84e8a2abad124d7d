//! What a program of Go says of the modules that it was made of, as `go version -m` shows it (package `debug/buildinfo`). Only
//! the form of Go 1.18 and later is read.

use elf::{Data, Program};

use crate::Error;

/// The name of the section.
const SECTION: &str = ".go.buildinfo";
/// The beginning of the information, and the multiple of bytes at which it is in memory.
const ALIGNED: usize = 16;
const MAGIC: &[u8] = b"\xff Go buildinf:";
/// Where the section has its flags, and the size of everything before the two texts.
const FLAGS_AT: usize = 15;
const HEAD: usize = 32;
/// The flag of the form in which the texts follow.
const INLINE: u8 = 2;
/// The size of the marks around the list of modules.
const MARK: usize = 16;
/// The setting of a build with parts in C (cmd/go, "Environment variables").
const CGO: &str = "CGO_ENABLED=1";
/// The largest text, in bytes.
const TEXT: usize = 8 << 20;

/// What a program of Go says of itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BuildInfo {
    /// The version of Go, such as `go1.26.0`.
    pub go: String,
    /// The import path of its main package.
    pub path: String,
    /// The module of the main package; `None` if it has none.
    pub main: Option<Module>,
    /// The other modules.
    pub dependencies: Vec<Module>,
    /// Whether it was built with cgo, so that another linker than Go's may have made it.
    pub has_cgo: bool,
}

/// A module that is linked into a program.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Module {
    /// The path by which packages import it.
    pub path: String,
    /// The version; `(devel)` for a folder.
    pub version: String,
    /// The hash that `go.sum` has, `h1:…`; empty for a folder.
    pub sum: String,
    /// What it was replaced by.
    pub replacement: Option<Box<Self>>,
}

impl Module {
    /// The module whose code is in the program: itself, or what it was replaced by.
    pub fn actual(&self) -> &Self {
        self.replacement.as_deref().unwrap_or(self)
    }

    /// Whether its code is a folder of the source, which has no version of its own.
    pub fn is_folder(&self) -> bool {
        self.version == DEVEL || self.version.is_empty()
    }
}

/// The version of a module that is a folder.
const DEVEL: &str = "(devel)";

/// What a program says of itself; `None` if it is not a program of Go in ELF. It is found as Go's own tools find it: in the section
/// of its name or, if the program has none, such as one whose section headers were removed, in the data that it may write to.
///
/// # Errors
/// It has the section or its beginning, but not in the form of Go 1.18 or later.
pub fn build_info(program: &[u8]) -> Result<Option<BuildInfo>, Error> {
    let Some(found) = found(program) else {
        return Ok(None);
    };
    let info = texts(found).and_then(|(go, modules)| parse(go, modules));
    info.map(Some).ok_or_else(|| {
        Error::BuildInfo(format!("{SECTION} is not in the form of Go 1.18 or later"))
    })
}

/// The bytes from the beginning of the information. Of a section without it there are none.
fn found(program: &[u8]) -> Option<&[u8]> {
    let program = Program::parse(program)?;
    match program.section(SECTION) {
        Some((data, size)) => Some(searched(&data, size).unwrap_or_default()),
        None => program
            .writable()
            .find_map(|data| searched(&data, data.bytes.len())),
    }
}

/// The bytes from the first beginning of the information, which is looked for in the first `size` bytes.
fn searched<'a>(data: &Data<'a>, size: usize) -> Option<&'a [u8]> {
    // An address that is not a multiple is rounded up.
    let first = (data.address.wrapping_neg() % ALIGNED as u64) as usize;
    let starts = (first..size.min(data.bytes.len())).step_by(ALIGNED);
    let mut found = starts.filter_map(|at| data.bytes.get(at..));
    found.find(|bytes| bytes.starts_with(MAGIC))
}

/// The two texts: the version of Go, and the list of modules.
fn texts(found: &[u8]) -> Option<(&str, &str)> {
    if !found.starts_with(MAGIC) || found.get(FLAGS_AT)? & INLINE == 0 {
        return None;
    }
    let (go, rest) = text(found.get(HEAD..)?)?;
    let (modules, _) = text(rest)?;
    let modules = match modules.len() {
        0 => modules,
        length => modules.get(MARK..length.checked_sub(MARK)?)?,
    };
    Some((str::from_utf8(go).ok()?, str::from_utf8(modules).ok()?))
}

/// A length as a varint (package `encoding/binary`), and as many bytes.
fn text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length: usize = 0;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            let rest = &bytes[index + 1..];
            return (length <= TEXT).then(|| rest.split_at_checked(length))?;
        }
    }
    None
}

fn parse(go: &str, text: &str) -> Option<BuildInfo> {
    let mut info = BuildInfo {
        go: go.to_owned(),
        path: String::new(),
        main: None,
        dependencies: Vec::new(),
        has_cgo: false,
    };
    // Whether a replacement is that of the main module.
    let mut is_main = true;
    for line in text.lines() {
        let words: Vec<_> = line.split('\t').collect();
        match words[..] {
            ["path", path] => info.path = path.to_owned(),
            ["mod", ..] => {
                info.main = Some(module(&words)?);
                is_main = true;
            }
            ["dep", ..] => {
                info.dependencies.push(module(&words)?);
                is_main = false;
            }
            ["=>", ..] => {
                let replaced = match is_main {
                    true => info.main.as_mut()?,
                    false => info.dependencies.last_mut()?,
                };
                replaced.replacement = Some(Box::new(module(&words)?));
            }
            ["build", CGO] => info.has_cgo = true,
            // Other settings of the build.
            _ => {}
        }
    }
    Some(info)
}

fn module(words: &[&str]) -> Option<Module> {
    let (path, version, sum) = match *words {
        [_, path] => (path, "", ""),
        [_, path, version] => (path, version, ""),
        [_, path, version, sum] => (path, version, sum),
        _ => return None,
    };
    Some(Module {
        path: path.to_owned(),
        version: version.to_owned(),
        sum: sum.to_owned(),
        replacement: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULES: &str = "path\texample.org/app/cmd/x\nmod\texample.org/app\t(devel)\t\ndep\texample.org/a\tv1.0.0\th1:x=\n\
                           dep\texample.org/b\tv1.0.0\n=>\t./b\t(devel)\t\ndep\texample.org/c\tv1.0.0\n=>\texample.org/d\tv2.0.0\th1:y=\n\
                           build\t-compiler=gc\n";

    fn written(go: &str, modules: &str) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([8, INLINE]);
        bytes.resize(HEAD, 0);
        let marked = format!("{0}{modules}{0}", "m".repeat(MARK));
        for text in [go, &marked] {
            let mut length = text.len();
            while length > 0x7f {
                bytes.push((length & 0x7f) as u8 | 0x80);
                length >>= 7;
            }
            bytes.push(length as u8);
            bytes.extend(text.bytes());
        }
        bytes
    }

    #[test]
    fn modules_have_versions_and_replacements() {
        let section = written("go1.26.0", MODULES);
        let (go, modules) = texts(&section).unwrap();
        let info = parse(go, modules).unwrap();
        assert_eq!(
            (info.go.as_str(), info.path.as_str()),
            ("go1.26.0", "example.org/app/cmd/x")
        );
        assert!(!info.has_cgo);
        let with_c = format!("{MODULES}build\tCGO_ENABLED=1\n");
        assert!(parse("go1.26.0", &with_c).unwrap().has_cgo);
        assert!(info.main.unwrap().is_folder());
        let [a, b, c] = &info.dependencies[..] else {
            panic!("{:?}", info.dependencies);
        };
        assert_eq!(
            (a.actual().version.as_str(), a.actual().sum.as_str()),
            ("v1.0.0", "h1:x=")
        );
        assert!(b.actual().is_folder() && b.actual().path == "./b");
        assert_eq!(
            (c.path.as_str(), c.actual().path.as_str()),
            ("example.org/c", "example.org/d")
        );
    }

    #[test]
    fn other_sections_are_refused() {
        let whole = written("go1.26.0", MODULES);
        let mut pointers = whole.clone();
        pointers[FLAGS_AT] = 0;
        let mut long = whole.clone();
        long[HEAD] = 0xff;
        for bytes in [
            &whole[..whole.len() - 1],
            &whole[..HEAD],
            &pointers,
            &long,
            b"",
        ] {
            assert_eq!(texts(bytes), None);
        }
        assert!(build_info(b"#!/bin/sh\n").unwrap().is_none());
        assert!(
            build_info(&std::fs::read("/bin/true").unwrap())
                .unwrap()
                .is_none()
        );
    }
}
