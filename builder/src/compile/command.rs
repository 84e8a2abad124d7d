//! Builds with any command: in the sandbox, at fixed paths, in a writable copy of the source, with the packages of the build root.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use console::hint::Hinted;

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
    let mut packages = BTreeMap::new();
    if !spec.command.is_empty() {
        let mut plan = plan(spec, inputs, &invocation, scratch);
        plan.binds.extend(programs::binds(&inputs.archives)?);
        linkers::trace(&mut plan, scratch, None)?;
        let traced = run(spec, &plan, order, &files)?;
        let linked = linked(&traced, &files)?;
        packages = names(spec, linked, order, inputs)?;
    }
    let built = match spec.command.is_empty() {
        true => &[][..],
        false => &files,
    };
    Ok(Program {
        modules: modules(spec, built)?,
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

/// What outputs that are programs of Go say of the modules that they were made of, by their names.
fn modules(
    spec: &CommandSpec,
    files: &[PathBuf],
) -> Result<BTreeMap<String, sbom::BuildInfo>, CompileError> {
    let mut all = BTreeMap::new();
    for (name, file) in spec.outputs.keys().zip(files) {
        if !is_program(file)? {
            continue;
        }
        let bytes = at::read(file, content::limits::LAYER)?;
        let info =
            sbom::build_info(&bytes).map_err(|error| Hinted::doing("listing modules", error))?;
        all.extend(info.map(|info| (name.clone(), info)));
    }
    Ok(all)
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
