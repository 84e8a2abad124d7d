//! Maps the users of a container that runs as root. A process in a new user namespace can map only its own user; a privileged process
//! outside of it maps all. So this program is executed once more before the process enters its namespace, and waits for it.

use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::process::{Child, Command, Stdio};

use isolate::mounts::{self, Access, View};
use isolate::stages::SELF;
use isolate::step::{At as _, Refusal, Step};
use isolate::users;
use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::stdio;

use super::Stage;

/// The maps of the first process of the container, in its process file system.
const MAPS: [&str; 2] = ["uid_map", "gid_map"];
/// What the process says once its program is loaded.
const READY: &[u8] = b"\n";
/// The largest size of a map: the kernel limits it to a page.
const LIMIT: u64 = 4096;

/// A process outside of the user namespace that is to be mapped.
pub struct Mapper {
    process: Child,
}

impl Mapper {
    /// Starts the process, and waits until it needs the file system of the machine no more. It ends with this one.
    pub fn start() -> Result<Self, Refusal> {
        let proc = mounts::proc(View::All, Access::Writable).at(Step::Proc)?;
        let mut process = Command::new(SELF)
            .args(Stage::Map.arguments())
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::from(proc))
            .stderr(Stdio::piped())
            .spawn()
            .at(Step::Identity)?;
        let ready = process
            .stderr
            .take()
            .map(|mut pipe| pipe.read_exact(&mut [0]));
        let mapper = Self { process };
        ready.transpose().at(Step::Identity)?;
        Ok(mapper)
    }

    /// Maps the user namespace of this process, the first of the container: each user and group to itself.
    pub fn map(mut self) -> Result<(), Refusal> {
        let asked = self
            .process
            .stdin
            .take()
            .map(|mut pipe| pipe.write_all(b"\n"));
        asked.transpose().at(Step::Identity)?;
        match self.process.wait().at(Step::Identity)?.success() {
            true => Ok(()),
            false => Err(Errno::PERM).at(Step::Identity),
        }
    }
}

impl Drop for Mapper {
    /// A mapper that was not asked ends with its input.
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// Does the work of the process: maps the first process of the container once it is asked to. Its standard output is the process
/// file system of the container.
pub fn run() -> io::Result<()> {
    rustix::io::write(stdio::stderr(), READY)?;
    let mut asked = [0];
    if io::stdin().read(&mut asked)? == 0 {
        return Ok(());
    }
    let proc = stdio::stdout();
    for map in MAPS {
        let own = read(proc.as_fd(), &format!("self/{map}"))?;
        users::write(proc.as_fd(), &format!("1/{map}"), &identity(&own))?;
    }
    Ok(())
}

fn read(proc: BorrowedFd<'_>, file: &str) -> io::Result<String> {
    let file = openat(proc, file, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut text = String::new();
    std::fs::File::from(file)
        .take(LIMIT)
        .read_to_string(&mut text)?;
    Ok(text)
}

/// The map of each user in `map` to itself.
fn identity(map: &str) -> String {
    let ranges = map.lines().filter_map(|line| {
        let mut numbers = line.split_whitespace();
        let (first, _, count) = (numbers.next()?, numbers.next()?, numbers.next()?);
        Some(format!("{first} {first} {count}\n"))
    });
    ranges.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_is_mapped_to_itself() {
        let machine = "         0          0 4294967295\n";
        assert_eq!(identity(machine), "0 0 4294967295\n");
        let nested = "0 100000 65536\n65536 1000 1\n";
        assert_eq!(identity(nested), "0 0 65536\n65536 65536 1\n");
    }
}
