//! The file system of a sandbox.

use std::fs;
use std::io;
use std::path::Path;

use isolate::limits::Limits;
use isolate::mounts::View;
use isolate::root::{self, Base, Mount, Programs};
use isolate::step::{At as _, Refusal, Step};

use super::copy;
use super::plan::{Bind, Plan};

/// The entries of a build root that programs need.
pub(super) const TOP: [&str; 7] = ["bin", "lib", "lib32", "lib64", "libx32", "sbin", "usr"];

/// Replaces the file system of this process by the one that `plan` describes.
pub(super) fn enter(plan: &Plan, limits: Limits) -> Result<(), Refusal> {
    let mut parts = Vec::new();
    for name in TOP {
        let path = plan.root.join(name);
        parts.extend(top(&path, name).at_path(Step::Mount, &path)?);
    }
    parts.extend(plan.binds.iter().map(Bind::to_mount));
    parts.push(Mount::Folder {
        path: "/etc".into(),
    });
    parts.push(Mount::Proc(View::Processes));
    parts.push(Mount::Devices);
    parts.push(Mount::Writable {
        paths: plan.writable.clone(),
        options: limits.mount_options(),
    });
    root::enter(&Base::Memory(plan.mount_point.clone()), &parts)?;
    for (path, text) in &plan.files {
        fs::write(path, text).at_path(Step::Writable, path)?;
    }
    for one in &plan.copies {
        copy::copy(&one.from, &one.to).at_path(Step::Writable, &one.to)?;
    }
    Ok(())
}

/// An entry of the build root; `None` if it does not have it.
fn top(source: &Path, name: &str) -> io::Result<Option<Mount>> {
    let path = Path::new("/").join(name);
    match fs::symlink_metadata(source) {
        Ok(found) if found.is_symlink() => {
            let target = fs::read_link(source)?;
            Ok(Some(Mount::Link { path, target }))
        }
        Ok(_) => Ok(Some(Mount::Bind {
            source: source.to_owned(),
            path,
            programs: Programs::Allowed,
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
