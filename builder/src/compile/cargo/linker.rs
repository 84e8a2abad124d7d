//! The C compiler of a build root, which rustc uses as linker.

use std::fs;
use std::path::Path;

use crate::at::At;
use crate::compile::error::CompileError;

/// The path of the only versioned C compiler, as seen in the sandbox. There is no `cc`: packages create it when they
/// are installed, and here they are only unpacked.
///
/// # Errors
/// The root has no such compiler or several, or cannot be read.
pub(super) fn find(root: &Path) -> Result<String, CompileError> {
    let path = root.join("usr/bin");
    let unread = At::reading(&path);
    let mut found = Vec::new();
    for entry in fs::read_dir(&path).map_err(&unread)? {
        let name = entry.map_err(&unread)?.file_name();
        let name = name.to_string_lossy();
        let version = name
            .strip_prefix("x86_64-linux-gnu-gcc-")
            .unwrap_or_default();
        if !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit()) {
            found.push(format!("/usr/bin/{name}"));
        }
    }
    match (found.pop(), found.len()) {
        (Some(only), 0) => Ok(only),
        (one, more) => Err(CompileError::hinted(
            format_args!(
                "reading build root {}: expected one usr/bin/x86_64-linux-gnu-gcc-N, found {}",
                root.display(),
                usize::from(one.is_some()) + more
            ),
            "write toolchain = \"rust\" in [root] of Image.toml, or name one gcc-N among its packages",
        )),
    }
}
