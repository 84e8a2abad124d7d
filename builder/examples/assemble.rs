//! Assembles the files of folders into an image, without a build: `assemble FOLDER… LAYOUT`. Each folder becomes a layer, the
//! first the lowest. The benchmark runs it, and it is an example of how to use the library.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::ExitCode;

use builder::image::assemble::{Base, ImageSpec, assemble};
use oci::layer::{Content, Entry, Executable, Kind};
use oci::{Execution, Layout};

#[allow(clippy::print_stdout, clippy::print_stderr, reason = "a program")]
fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [below @ .., top, layout] = &arguments[..] else {
        eprintln!("usage: assemble FOLDER… LAYOUT");
        return ExitCode::from(2);
    };
    match image(below, Path::new(top), Path::new(layout)) {
        Ok(digest) => {
            println!("{digest}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("assemble: error: {error}");
            ExitCode::from(2)
        }
    }
}

fn image(
    below: &[OsString],
    top: &Path,
    layout: &Path,
) -> Result<content::Digest, Box<dyn std::error::Error>> {
    let layout = Layout::create(layout)?;
    let mut base = Base {
        layers: Vec::new(),
        diff_ids: Vec::new(),
        execution: Execution::default(),
    };
    for folder in below {
        let (layer, written) = layout.write_layer(entries(Path::new(folder))?)?;
        base.layers.push(layer);
        base.diff_ids.push(written.diff_id);
    }
    let spec = ImageSpec {
        base: (!below.is_empty()).then_some(base),
        entries: entries(top)?.into_iter().map(Into::into).collect(),
        architecture: "amd64".to_owned(),
        execution: Execution::default(),
    };
    Ok(assemble(spec, &layout)?.image_digest)
}

fn entries(folder: &Path) -> Result<Vec<Entry>, Box<dyn std::error::Error>> {
    let mut entries = Vec::new();
    walk(folder, folder, &mut entries)?;
    Ok(entries)
}

fn walk(
    top: &Path,
    folder: &Path,
    into: &mut Vec<Entry>,
) -> Result<(), Box<dyn std::error::Error>> {
    for found in fs::read_dir(folder)? {
        let found = found?;
        let (path, status) = (found.path(), found.metadata()?);
        if status.is_dir() {
            walk(top, &path, into)?;
        } else if status.is_file() {
            into.push(file(top, &path, status.permissions().mode())?);
        } else {
            return Err(
                io::Error::other(format!("{} is not a regular file", path.display())).into(),
            );
        }
    }
    Ok(())
}

fn file(top: &Path, path: &Path, mode: u32) -> Result<Entry, Box<dyn std::error::Error>> {
    let name = path
        .strip_prefix(top)?
        .to_str()
        .ok_or("a name is not UTF-8")?;
    let executable = match mode & 0o100 {
        0 => Executable::No,
        _ => Executable::Yes,
    };
    Ok(Entry {
        path: name.parse()?,
        kind: Kind::File {
            content: Content::File(path.to_owned()),
            executable,
        },
    })
}
