//! A program that Go compiles.

use std::path::Path;

use console::hint::Hinted;

use super::found::{Build, Content, Found};
use crate::error::Error;
use crate::inputs::go::survey;

/// The release for modules that name none, or one that is not a module.
const RELEASE: &str = "1.26.0";

/// Finds a program of a module.
pub(super) fn find(directory: &Path) -> Result<Option<Found>, Error> {
    let Some(module) = survey::module(directory)? else {
        return Ok(None);
    };
    let Some(program) = module.programs.first() else {
        let directory = directory.display();
        let none = format!("finding a program in {directory}: the module has no package main");
        return Err(Hinted::new(none)
            .hinting("name the directory of the module that has the program")
            .into());
    };
    let mut open = Vec::new();
    if module.programs.len() > 1 {
        let others = module.programs.join(", ");
        open.push(("build.package", format!("choose the program: {others}")));
    }
    let version = (!module.has_toolchain).then_some(RELEASE);
    if version.is_some() {
        let choose = "choose a release of Go of 1.21 or later: go.mod names none".to_owned();
        open.push(("build.go", choose));
    }
    let binary = module.binary(program);
    let path = format!("/{binary}");
    Ok(Some(Found {
        start: vec![path.clone()],
        files: vec![(path, Content::Binary(binary))],
        build: Build::Go {
            package: program.clone(),
            version,
        },
        open,
    }))
}
