//! Inherited file descriptors.

use std::fs;
use std::io;

use nix::errno::Errno;

/// Closes all file descriptors except standard input, output and error. A file or folder that the user's
/// shell left open would give an isolated program access to the machine's files.
///
/// # Errors
/// The open files cannot be listed or closed.
pub fn close_inherited() -> io::Result<()> {
    let mut open = Vec::new();
    for entry in fs::read_dir("/proc/self/fd")? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.parse::<i32>().ok());
        open.extend(number.filter(|number| *number > 2));
    }
    for descriptor in open {
        match nix::unistd::close(descriptor) {
            // The descriptor of the listing itself is closed already.
            Ok(()) | Err(Errno::EBADF) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
