//! Builds with cargo: in the sandbox, at fixed paths, with the compiler and linker of the build root.

mod auditable;
mod invocation;
mod lacking;
mod linker;
mod packages;
mod report;
mod said;
mod tree;
mod unresolved;
mod unstaged;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use console::hint::Hinted;

use super::error::CompileError;
use super::linkers;
use super::program::{Invocation, Linked, Program};
use super::programs;
use super::scarcity::Scarcity;
use super::shown::Shown;
use crate::inputs::Inputs;
use crate::inputs::cargo::GitSource;
use crate::inputs::git::{Source, repositories};
use crate::order::Order;
use crate::sandbox::{Bind, Output, Plan, Process, SandboxError, Traced};
use crate::spec::CargoSpec;
use crate::untrusted::shown;
use invocation::{CARGO_HOME, DIRECTORY, HOME, TARGET, TEMPORARY};
use lacking::Lacking;
use said::{is_too_old, writes_to_source};
use unresolved::is_unresolved;
use unstaged::unstaged;

const SOURCE: &str = "/build/src";
const VENDOR: &str = "/build/vendor";
/// Makes cargo use only the crates in the vendored folder, which have been checked.
const CARGO_CONFIG: &str = "\
[source.crates-io]
replace-with = \"vendored\"

[source.vendored]
directory = \"/build/vendor\"
";
/// Compiles the package that `Image.toml` names; `scratch` is a folder for temporary files.
///
/// # Errors
/// See [`CompileError`].
pub(crate) fn build(
    spec: &CargoSpec,
    vendor: &Path,
    order: &Order<'_>,
    inputs: &Inputs,
    scratch: &Path,
) -> Result<Program, CompileError> {
    let names = inputs.wanted.spec.binaries();
    let source = &inputs.source;
    let manifest = source.cargo.as_ref().map(|cargo| cargo.manifest.as_path());
    let manifest = Path::new(SOURCE).join(manifest.unwrap_or(Path::new("Cargo.toml")));
    let mut invocation = Invocation {
        command: invocation::build(spec, &names, &manifest),
        environment: invocation::environment(spec, &linker::find(&inputs.root)?, source),
    };
    programs::prefer(&inputs.archives, &mut invocation);
    let mut plan = plan(spec, vendor, &names, inputs, &invocation, scratch);
    plan.binds.extend(programs::binds(&inputs.archives, order)?);
    linkers::trace(
        &mut plan,
        &inputs.archives,
        scratch,
        Some(invocation::product(spec, "deps")),
    )?;
    // By index: a name may be any text.
    let files = (0..names.len()).map(|index| scratch.join(format!("program-{index}")));
    let files: Vec<_> = files.collect();
    let traced = compile(spec, &plan, order, source, &files)?;
    // After compiling: if cargo cannot resolve the source, compiling has failed already, and refused the source.
    let repositories = inputs.wanted.named.repositories();
    let mut tree = invocation::tree(spec, &manifest);
    programs::prefer_program(&inputs.archives, &mut tree);
    let linked = linked(&plan, tree, repositories, order)?;
    files
        .iter()
        .try_for_each(|file| auditable::add(file, &linked))?;
    let packages = packages::linked(&names, spec.target, &traced, order, inputs)?;
    Ok(Program {
        binaries: names.into_iter().map(str::to_owned).zip(files).collect(),
        invocation,
        linked,
        packages,
        modules: BTreeMap::new(),
    })
}

/// How cargo runs in the sandbox.
fn plan(
    spec: &CargoSpec,
    vendor: &Path,
    binaries: &BTreeSet<&str>,
    inputs: &Inputs,
    invocation: &Invocation,
    scratch: &Path,
) -> Plan {
    let bind = |source: &Path, target: &str| Bind {
        source: source.to_owned(),
        target: target.into(),
    };
    let config = Path::new(CARGO_HOME).join("config.toml");
    let mut text = CARGO_CONFIG.to_owned();
    let mut binds = vec![bind(&inputs.source.staged, SOURCE), bind(vendor, VENDOR)];
    if let Some(staged) = &inputs.repositories {
        text += &staged.configuration;
        binds.push(bind(&staged.folder(), repositories::PLACE));
    }
    Plan {
        root: inputs.root.clone(),
        binds,
        writable: [HOME, CARGO_HOME, TARGET, TEMPORARY]
            .map(PathBuf::from)
            .to_vec(),
        copies: Vec::new(),
        traces: None,
        files: BTreeMap::from([(config, text)]),
        process: Process {
            command: invocation.command.clone(),
            environment: invocation.environment.clone(),
            directory: DIRECTORY.into(),
        },
        output: Output::Returned,
        products: binaries
            .iter()
            .map(|binary| invocation::product(spec, binary))
            .collect(),
        mount_point: scratch.join("sandbox"),
    }
}

/// Compiles the products of the plan to these files. Returns what linkers read.
fn compile(
    spec: &CargoSpec,
    plan: &Plan,
    order: &Order<'_>,
    source: &Source,
    files: &[PathBuf],
) -> Result<Traced, CompileError> {
    let mut plan = plan.clone();
    let jobs = ["--jobs".to_owned(), order.jobs.to_string()];
    plan.process.command.extend(jobs);
    plan.process.command.push(report::OPTION.to_owned());
    let heard = Mutex::new(Heard::default());
    let hear = |line: &str| {
        let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.hear(line, source);
    };
    let shown = Shown {
        order,
        name: format!("compile {}", spec.package),
        unit: "crate",
        begins: |line| line.trim_start().starts_with("Compiling "),
    };
    let ended = shown.run(&plan, files, &hear);
    let heard = heard.into_inner().unwrap_or_else(PoisonError::into_inner);
    let ran = ended.map_err(|error| failed(error, heard))?;
    report::check(&ran.output, &plan.products)?;
    Ok(ran.traced)
}

/// The first line of each kind of message that says why a build failed.
#[derive(Default)]
struct Heard {
    scarce: Option<(String, Scarcity)>,
    unresolved: Option<String>,
    unstaged: Option<PathBuf>,
    old: Option<String>,
    lacking: Option<(String, Lacking)>,
    writes: bool,
}

impl Heard {
    fn hear(&mut self, line: &str, source: &Source) {
        let said = || line.trim().to_owned();
        if let Some(scarcity) = Scarcity::of(line) {
            self.scarce.get_or_insert_with(|| (said(), scarcity));
        }
        if is_unresolved(line) {
            self.unresolved.get_or_insert_with(said);
        }
        if let Some(path) = unstaged(line, source, Path::new(SOURCE)) {
            self.unstaged.get_or_insert(path);
        }
        if is_too_old(line) {
            self.old.get_or_insert_with(said);
        }
        if let Some(lacking) = Lacking::of(line) {
            // Build scripts may try several things: the last one failed.
            self.lacking = Some((said(), lacking));
        }
        self.writes |= writes_to_source(line);
    }
}

fn failed(error: SandboxError, heard: Heard) -> CompileError {
    let code = match error {
        SandboxError::Exited { code, .. } => code,
        SandboxError::LeftBehind { process, .. } => {
            return CompileError::refused(
                format_args!(
                    "process {process:?} of a build script or macro outlived its parent process"
                ),
                "a build script must wait for every process that it starts",
            );
        }
        other => return other.into(),
    };
    match (heard.scarce, heard.unresolved, heard.unstaged) {
        (Some((said, scarcity)), ..) => CompileError::hinted(
            format_args!("the machine ran out of a resource, or a process was killed: {said}"),
            scarcity.hint(),
        ),
        (None, Some(said), _) => CompileError::hinted(
            format_args!("cargo could not load a manifest: {said}"),
            "the root of the workspace, its members and path dependencies must be committed in this repository: \
             check that `cargo build --locked` works in a new clone",
        ),
        (None, None, Some(path)) => CompileError::hinted(
            format_args!(
                "the source includes {}, which is not staged",
                shown(&path.to_string_lossy())
            ),
            "only the folders of the crate, of its path dependencies and of Image.toml are staged: move the file to one of \
             them, or Image.toml to a folder above it",
        ),
        (None, None, None) => heard_nothing(code, heard.old, heard.writes, heard.lacking),
    }
}

/// The source was compiled, and refused by the compiler or by a build script.
fn heard_nothing(
    code: i32,
    old: Option<String>,
    writes: bool,
    lacking: Option<(String, Lacking)>,
) -> CompileError {
    match (old, writes, lacking) {
        (Some(said), ..) => CompileError::refused(
            format_args!("the compiler of [root] is too old: {said}"),
            "choose a newer compiler in [root] of Image.toml, as suite = \"trixie\", or older versions of these crates",
        ),
        (None, true, _) => CompileError::refused(
            format_args!(
                "cargo exited with status {code}: a build script or macro writes to a read-only folder"
            ),
            "a build script may write to OUT_DIR only: the source is read-only",
        ),
        (None, false, Some((said, lacking))) => CompileError::refused(
            format_args!("cargo exited with status {code}: {said}"),
            lacking.hint(),
        ),
        (None, false, None) => CompileError::refused(
            format_args!("cargo exited with status {code}"),
            "see the compiler's messages above",
        ),
    }
}

/// The crates that are linked into the program, sorted. No error of this function refuses the source.
fn linked(
    plan: &Plan,
    command: Vec<String>,
    repositories: &[GitSource],
    order: &Order<'_>,
) -> Result<Vec<Linked>, CompileError> {
    let mut plan = plan.clone();
    plan.process.command = command;
    plan.products = Vec::new();
    plan.traces = None;
    let shown = Shown {
        order,
        name: "list the crates of the program".to_owned(),
        unit: "crate",
        begins: |_| false,
    };
    let ran = shown.run(&plan, &[], &|_| {})?;
    let said = String::from_utf8(ran.output);
    let listed = said.map_err(|error| error.to_string());
    let listed = listed.and_then(|said| tree::parse(&said, SOURCE, repositories));
    Ok(listed.map_err(|found| {
        Hinted::new(format_args!(
            "listing crates: expected a crate, found {found:?}"
        ))
    })?)
}
