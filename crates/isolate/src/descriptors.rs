//! Files that a process was left with.

use std::fs;
use std::io;

use nix::errno::Errno;

/// Leaves standard input, output and error open and nothing else. The user's shell may have left a file or a
/// folder open, which a program could read, and go anywhere from.
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
            // The list itself was one of them, and is closed already.
            Ok(()) | Err(Errno::EBADF) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
