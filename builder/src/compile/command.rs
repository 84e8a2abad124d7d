//! Builds with any command: in the sandbox, at fixed paths, in a writable copy of the source, with the packages of the build root.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::error::CompileError;
use super::linkers;
use super::program::{Invocation, Program};
use super::programs;
use super::scarcity::Scarcity;
use super::shown::Shown;
use crate::at::{self, At};
use crate::inputs::Inputs;
use crate::inputs::git::Source;
use crate::order::Order;
use crate::sandbox::{Bind, Copy, Output, Plan, Process, SandboxError, Traced};
use crate::spec::{CommandSpec, is_free};
use crate::untrusted::shown;

/// Where the source is, read-only, and its copy, in which the command runs.
const INPUTS: &str = "/build/inputs";
const SOURCE: &str = "/build/src";
const HOME: &str = "/build/home";
const TEMPORARY: &str = "/tmp";

/// Runs the command that `Image.toml` names; `scratch` is a folder for temporary files.
///
/// # Errors
/// See [`CompileError`].
pub(crate) fn build(
    spec: &CommandSpec,
    order: &Order<'_>,
    inputs: &Inputs,
    scratch: &Path,
) -> Result<Program, CompileError> {
    let invocation = Invocation {
        command: spec.command.clone(),
        environment: environment(spec, &programs::path(&inputs.archives), &inputs.source),
    };
    // By index: a name may be any text.
    let files = (0..spec.outputs.len()).map(|index| scratch.join(format!("output-{index}")));
    let files: Vec<PathBuf> = files.collect();
    let (mut packages, mut modules) = (BTreeMap::new(), BTreeMap::new());
    if !spec.command.is_empty() {
        let mut plan = plan(spec, inputs, &invocation, scratch);
        plan.binds.extend(programs::binds(&inputs.archives, order)?);
        linkers::trace(&mut plan, &inputs.archives, scratch, None)?;
        let traced = run(spec, &plan, order, &files)?;
        let linked = linked(&traced, &files)?;
        packages = names(spec, linked, order, inputs)?;
        modules = self::modules(spec, &files, order)?;
        tell_untraced(spec, &files, &traced, &modules, order)?;
    }
    Ok(Program {
        modules,
        binaries: spec.outputs.keys().cloned().zip(files).collect(),
        invocation,
        linked: Vec::new(),
        packages,
    })
}

/// How the command runs in the sandbox.
fn plan(spec: &CommandSpec, inputs: &Inputs, invocation: &Invocation, scratch: &Path) -> Plan {
    let directory = Path::new(SOURCE).join(&inputs.source.directory);
    let source = Bind {
        source: inputs.source.staged.clone(),
        target: INPUTS.into(),
    };
    // All images have the same ones.
    let wheels = inputs.images.iter().take(1);
    let wheels = wheels.flat_map(|image| image.wheels.folders());
    let shared = &inputs.wanted.spec.wheels;
    let is_shared = |path: &Path| shared.iter().any(|one| one.path == path);
    let wheels = wheels.filter(|wheels| is_shared(&wheels.path) && is_free(&wheels.path));
    let wheels = wheels.map(|wheels| Bind {
        source: wheels.folder.clone(),
        target: wheels.path.clone(),
    });
    Plan {
        root: inputs.root.clone(),
        binds: [source].into_iter().chain(wheels).collect(),
        writable: [SOURCE, HOME, TEMPORARY].map(PathBuf::from).to_vec(),
        files: BTreeMap::new(),
        copies: vec![Copy {
            from: INPUTS.into(),
            to: SOURCE.into(),
        }],
        traces: None,
        products: spec
            .outputs
            .values()
            .map(|path| directory.join(path))
            .collect(),
        process: Process {
            command: invocation.command.clone(),
            environment: invocation.environment.clone(),
            directory,
        },
        output: Output::User,
        mount_point: scratch.join("sandbox"),
    }
}

/// For each of the files the files that linkers read for it. A program that no linker made as it is, such as one that was stripped,
/// may have been made by any.
fn linked(traced: &Traced, files: &[PathBuf]) -> Result<Vec<BTreeSet<PathBuf>>, At> {
    let linked = files.iter().zip(&traced.products);
    let linked = linked.map(|(file, linked)| match linked {
        Some(linked) => Ok(linked.clone()),
        None if is_program(file)? => Ok(traced.all.clone()),
        None => Ok(BTreeSet::new()),
    });
    linked.collect()
}

fn is_program(file: &Path) -> Result<bool, At> {
    let mut head = Vec::new();
    let read = File::open(file).and_then(|file| file.take(4).read_to_end(&mut head));
    read.map_err(At::reading(file))?;
    Ok(head == b"\x7fELF")
}

/// The names of the packages that have these files, by the name of the output.
fn names(
    spec: &CommandSpec,
    linked: Vec<BTreeSet<PathBuf>>,
    order: &Order<'_>,
    inputs: &Inputs,
) -> Result<BTreeMap<String, BTreeSet<String>>, CompileError> {
    let all = linked.iter().flatten().cloned().collect();
    let owners = linkers::packages(&all, order, inputs)?;
    let outputs = spec.outputs.keys().zip(&linked);
    let named = outputs.map(|(name, files)| (name.clone(), linkers::owned(files, &owners)));
    Ok(named.collect())
}

/// Says of which programs the bill of materials may lack packages, because no linker listed what is linked into them. Go's own linker
/// links no package into a program without cgo.
fn tell_untraced(
    spec: &CommandSpec,
    files: &[PathBuf],
    traced: &Traced,
    modules: &BTreeMap<String, sbom::BuildInfo>,
    order: &Order<'_>,
) -> Result<(), At> {
    let mut untraced = Vec::new();
    for (index, (name, file)) in spec.outputs.keys().zip(files).enumerate() {
        let is_traced = traced.products.get(index).is_some_and(Option::is_some);
        let has_packages = modules.get(name).is_none_or(|info| info.has_cgo);
        if !is_traced && has_packages && is_program(file)? {
            untraced.push(shown(name));
        }
    }
    if untraced.is_empty() {
        return Ok(());
    }
    let named = match traced.all.is_empty() {
        true => "no packages for them",
        false => "for them the packages of all that linkers listed",
    };
    order.supply.note(&format!(
        "note: no linker listed what it read for these programs: {}: the bill of materials names {named}",
        untraced.join(", ")
    ));
    Ok(())
}

/// What outputs that are programs of Go say of the modules that they were made of, by their names. It is reported if that of one cannot
/// be read.
fn modules(
    spec: &CommandSpec,
    files: &[PathBuf],
    order: &Order<'_>,
) -> Result<BTreeMap<String, sbom::BuildInfo>, CompileError> {
    let mut all = BTreeMap::new();
    for (name, file) in spec.outputs.keys().zip(files) {
        if !is_program(file)? {
            continue;
        }
        match build_info(file)? {
            Ok(info) => all.extend(info.map(|info| (name.clone(), info))),
            Err(reason) => order.supply.note(&format!(
                "note: the bill of materials does not list the Go modules of {}, if it has any: {reason}",
                shown(name)
            )),
        }
    }
    Ok(all)
}

/// What a program says of its modules; the inner error is why that cannot be told.
fn build_info(program: &Path) -> Result<Result<Option<sbom::BuildInfo>, String>, At> {
    let size = program.metadata().map_err(At::reading(program))?.len();
    if size > sbom::PROGRAM {
        let limit = sbom::PROGRAM;
        return Ok(Err(format!("it is larger than the limit of {limit} bytes")));
    }
    let bytes = at::read(program, sbom::PROGRAM)?;
    Ok(sbom::build_info(&bytes).map_err(|error| error.to_string()))
}

/// Runs the command. Returns what linkers read.
fn run(
    spec: &CommandSpec,
    plan: &Plan,
    order: &Order<'_>,
    files: &[PathBuf],
) -> Result<Traced, CompileError> {
    let scarce = Mutex::new(None);
    let hear = |line: &str| {
        if let Some(scarcity) = Scarcity::of(line) {
            let mut scarce = scarce.lock().unwrap_or_else(PoisonError::into_inner);
            scarce.get_or_insert_with(|| (line.trim().to_owned(), scarcity));
        }
    };
    let shown = Shown {
        order,
        name: format!("run {}", spec.command.join(" ")),
        unit: "line",
        begins: |_| false,
    };
    let ended = shown.run(plan, files, &hear);
    let scarce = scarce.into_inner().unwrap_or_else(PoisonError::into_inner);
    ended
        .map(|ran| ran.traced)
        .map_err(|error| failed(error, scarce))
}

fn failed(error: SandboxError, scarce: Option<(String, Scarcity)>) -> CompileError {
    match (error, scarce) {
        (SandboxError::Exited { .. }, Some((said, scarcity))) => CompileError::hinted(
            format_args!("the machine ran out of a resource, or a process was killed: {said}"),
            scarcity.hint(),
        ),
        (SandboxError::Exited { code, .. }, None) => CompileError::refused(
            format_args!("the command exited with status {code}"),
            "see its messages above; it runs without network, with the packages of [root] and the inputs of [build] only",
        ),
        (SandboxError::LeftBehind { process, .. }, _) => CompileError::refused(
            format_args!("process {process:?} outlived its parent process"),
            "the command must wait for every process that it starts",
        ),
        (other, _) => other.into(),
    }
}

/// The whole environment. Nothing of the host's environment is added.
fn environment(spec: &CommandSpec, path: &str, source: &Source) -> BTreeMap<String, String> {
    let fixed = [
        ("PATH", path),
        ("HOME", HOME),
        ("TMPDIR", TEMPORARY),
        ("LC_ALL", "C.UTF-8"),
        ("TZ", "UTC"),
        ("SOURCE_DATE_EPOCH", "0"),
        ("PYTHONHASHSEED", "0"),
    ];
    let fixed = fixed.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let own = spec.env.iter();
    let own = own.map(|(name, value)| {
        (
            name.as_str().to_owned(),
            value.text(&source.commit, source.time),
        )
    });
    fixed.into_iter().chain(own).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_program_that_is_too_large_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        File::create(&program)
            .and_then(|file| file.set_len(sbom::PROGRAM + 1))
            .unwrap();
        let reason = build_info(&program).unwrap().unwrap_err();
        assert_eq!(reason, "it is larger than the limit of 268435456 bytes");
        fs::write(&program, "#!/bin/sh\n").unwrap();
        assert_eq!(build_info(&program).unwrap(), Ok(None));
        build_info(&folder.path().join("nothing")).unwrap_err();
    }

    /// The form before Go 1.18: the texts are elsewhere, and pointers lead to them.
    #[test]
    fn what_an_old_go_says_is_not_known() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        // ELF without sections, and with one writable segment, which has the information (elf(5)).
        let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
        bytes.resize(64, 0);
        bytes[32] = 64;
        bytes[54..58].copy_from_slice(&[56, 0, 1, 0]);
        let mut segment = vec![0; 56];
        segment[0] = 1;
        segment[4] = 6;
        segment[8] = 128;
        segment[32] = 64;
        segment[40] = 64;
        bytes.extend(segment);
        bytes.resize(128, 0);
        bytes.extend(b"\xff Go buildinf:\x08\x00");
        bytes.resize(192, 0);
        fs::write(&program, bytes).unwrap();
        let reason = build_info(&program).unwrap().unwrap_err();
        assert!(
            reason.ends_with("is not in the form of Go 1.18 or later"),
            "{reason}"
        );
    }
}
