//! Builds with Go: in the sandbox, at fixed paths, with the locked toolchain and no other program. Building runs no code of the
//! source or of modules, since cgo is off.

mod cgo;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use console::hint::Hinted;

use super::error::CompileError;
use super::program::{Invocation, Program};
use super::scarcity::Scarcity;
use super::shown::Shown;
use crate::at;
use crate::inputs::Inputs;
use crate::inputs::git::{Dependencies, Source};
use crate::inputs::go::GoInputs;
use crate::order::Order;
use crate::sandbox::{Bind, Output, Plan, Process, SandboxError};
use crate::spec::GoSpec;
use crate::spec::environment::Variable;

const SOURCE: &str = "/build/src";
const TOOLCHAIN: &str = "/build/go";
const MODULES: &str = "/build/modules";
const HOME: &str = "/build/home";
const CACHE: &str = "/build/cache";
const PRODUCTS: &str = "/build/out";
const TEMPORARY: &str = "/tmp";

/// Compiles the packages that `Image.toml` names; `scratch` is a folder for temporary files.
///
/// # Errors
/// See [`CompileError`].
pub(crate) fn build(
    spec: &GoSpec,
    ready: &GoInputs,
    order: &Order<'_>,
    inputs: &Inputs,
    scratch: &Path,
) -> Result<Program, CompileError> {
    let source = &inputs.source;
    let names: Vec<&str> = inputs.wanted.spec.binaries().into_iter().collect();
    let invocation = Invocation {
        command: command(spec, source),
        environment: environment(spec, source),
    };
    let plan = plan(&names, ready, inputs, &invocation, scratch);
    // By index: a name may be any text.
    let files = (0..names.len()).map(|index| scratch.join(format!("program-{index}")));
    let files: Vec<PathBuf> = files.collect();
    let listed = cgo::packages(spec, &plan, order)?;
    let without_c = listed.as_deref().unwrap_or_default();
    if !without_c.is_empty() {
        let packages = without_c.join(", ");
        order.supply.note(&format!(
            "note: cgo is off, so these packages are compiled without their parts in C: {packages}"
        ));
    }
    compile(spec, &plan, order, &files, without_c)?;
    // If compiling failed, Go has said why.
    if let Err(reason) = &listed {
        order.supply.note(&format!(
            "note: cgo is off, and go does not list which packages are compiled without their parts in C: {reason}"
        ));
    }
    let modules = linked(&files)?;
    let names = || names.iter().map(|&name| name.to_owned());
    Ok(Program {
        modules: names().zip(modules).collect(),
        binaries: names().zip(files).collect(),
        invocation,
        linked: Vec::new(),
        // Go links nothing of the root: it does not call a C compiler.
        packages: BTreeMap::new(),
    })
}

/// How Go runs in the sandbox.
fn plan(
    names: &[&str],
    ready: &GoInputs,
    inputs: &Inputs,
    invocation: &Invocation,
    scratch: &Path,
) -> Plan {
    let bind = |source: &Path, target: &str| Bind {
        source: source.to_owned(),
        target: target.into(),
    };
    let writable = [HOME, CACHE, PRODUCTS, TEMPORARY].map(PathBuf::from);
    Plan {
        root: inputs.root.clone(),
        binds: vec![
            bind(&inputs.source.staged, SOURCE),
            bind(&ready.toolchain, TOOLCHAIN),
            bind(&ready.proxy, MODULES),
        ],
        writable: writable.to_vec(),
        files: BTreeMap::new(),
        copies: Vec::new(),
        traces: None,
        process: Process {
            command: invocation.command.clone(),
            environment: invocation.environment.clone(),
            directory: Path::new(SOURCE).join(&inputs.source.directory),
        },
        output: Output::User,
        products: names
            .iter()
            .map(|name| Path::new(PRODUCTS).join(name))
            .collect(),
        mount_point: scratch.join("sandbox"),
    }
}

/// Compiles the products of the plan to these files. `without_c` are packages that have parts in C.
fn compile(
    spec: &GoSpec,
    plan: &Plan,
    order: &Order<'_>,
    files: &[PathBuf],
    without_c: &[String],
) -> Result<(), CompileError> {
    let mut plan = plan.clone();
    // The names of packages as they are compiled, and a number of compilers that does not affect them.
    let shown = ["-v".to_owned(), format!("-p={}", order.jobs)];
    plan.process.command.splice(2..2, shown);
    let heard = Mutex::new(Heard::default());
    let hear = |line: &str| {
        let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.hear(line);
    };
    let shown = Shown {
        order,
        name: format!("compile {}", spec.packages.join(" ")),
        unit: "package",
        // With -v, Go prints the path of each package; messages have spaces.
        begins: |line| !line.is_empty() && !line.contains(char::is_whitespace),
    };
    let ended = shown.run(&plan, files, &hear);
    let heard = heard.into_inner().unwrap_or_else(PoisonError::into_inner);
    ended
        .map(drop)
        .map_err(|error| failed(error, heard, without_c))
}

/// The first line of each kind of message that says why a build failed.
#[derive(Default)]
struct Heard {
    scarce: Option<(String, Scarcity)>,
    missing: Option<String>,
    unlisted: Option<String>,
}

impl Heard {
    fn hear(&mut self, line: &str) {
        let said = || line.trim().to_owned();
        if let Some(scarcity) = Scarcity::of(line) {
            self.scarce.get_or_insert_with(|| (said(), scarcity));
        }
        if line.contains(MODULES) && line.contains("no such file or directory") {
            self.missing.get_or_insert_with(said);
        }
        let unlisted = [
            "missing go.sum entry",
            "updates to go.mod needed",
            "updates to go.sum needed",
        ];
        if unlisted.iter().any(|words| line.contains(words)) {
            self.unlisted.get_or_insert_with(said);
        }
    }
}

fn failed(error: SandboxError, heard: Heard, without_c: &[String]) -> CompileError {
    let code = match error {
        SandboxError::Exited { code, .. } => code,
        other => return other.into(),
    };
    match (heard.scarce, heard.missing, heard.unlisted) {
        (Some((said, scarcity)), ..) => CompileError::hinted(
            format_args!("the machine ran out of a resource, or a process was killed: {said}"),
            scarcity.hint(),
        ),
        (None, Some(said), _) => CompileError::hinted(
            format_args!("Image.lock does not have a module that the build needs: {said}"),
            "`builder lock` says which modules no proxy has: name a proxy in GOPROXY that has them, or add `,direct` to it \
             if go is installed, and lock again",
        ),
        (None, None, Some(said)) => CompileError::refused(
            format_args!("go.mod or go.sum is not complete: {said}"),
            "run `go mod tidy`, and commit both files",
        ),
        (None, None, None) if without_c.is_empty() => CompileError::refused(
            format_args!("go exited with status {code}"),
            "see Go's messages above",
        ),
        (None, None, None) => CompileError::refused(
            format_args!(
                "go exited with status {code}; cgo is off, and these packages have parts in C: {}",
                without_c.join(", ")
            ),
            "see Go's messages above; if the program needs these parts, use a package in Go alone, or build with kind = \"command\" \
             (docs/image-toml.md, \"Programs that need cgo\")",
        ),
    }
}

/// What the programs say of the modules that they were made of.
fn linked(files: &[PathBuf]) -> Result<Vec<sbom::BuildInfo>, CompileError> {
    let read = files.iter().map(|file| {
        let bytes = at::read(file, sbom::PROGRAM)?;
        let info =
            sbom::build_info(&bytes).map_err(|error| Hinted::doing("listing modules", error))?;
        info.ok_or_else(|| {
            CompileError::refused(
                "listing modules: the program has no build information of Go",
                "remove options of the linker that leave it out",
            )
        })
    });
    read.collect()
}

fn command(spec: &GoSpec, source: &Source) -> Vec<String> {
    let vendored = source.go.as_ref().map(|go| go.dependencies) == Some(Dependencies::Vendored);
    let modules = match vendored {
        true => "-mod=vendor",
        false => "-mod=readonly",
    };
    let go = format!("{TOOLCHAIN}/bin/go");
    let mut command: Vec<String> = [&go, "build", "-trimpath", "-buildvcs=false", modules]
        .map(str::to_owned)
        .into();
    if !spec.tags.is_empty() {
        command.push(format!("-tags={}", spec.tags.join(",")));
    }
    let stamps = spec
        .stamps
        .iter()
        .map(|(name, value)| stamp(name, value, source));
    let ldflags: Vec<_> = spec.ldflags.iter().cloned().chain(stamps).collect();
    if !ldflags.is_empty() {
        command.push(format!("-ldflags={}", ldflags.join(" ")));
    }
    // Each program gets the name of the folder of its package.
    command.push(format!("-o={PRODUCTS}/"));
    command.extend(spec.packages.iter().cloned());
    command
}

/// The option of the linker that sets a variable.
fn stamp(name: &str, value: &Variable, source: &Source) -> String {
    let value = value.text(&source.commit, source.time);
    let mark = match value.contains('\'') {
        true => '"',
        false => '\'',
    };
    format!("-X {mark}{name}={value}{mark}")
}

/// The whole environment. Nothing of the host's environment is added.
fn environment(spec: &GoSpec, source: &Source) -> BTreeMap<String, String> {
    let workspace = source.go.as_ref().and_then(|go| go.workspace.as_ref());
    let workspace = workspace.map_or("off".to_owned(), |folder| {
        let file = Path::new(SOURCE).join(folder).join("go.work");
        file.to_string_lossy().into_owned()
    });
    let path = format!("{TOOLCHAIN}/bin");
    let (modules, cache) = (format!("{CACHE}/modules"), format!("{CACHE}/build"));
    let proxy = format!("file://{MODULES}");
    let home = format!("{HOME}/go");
    let fixed = [
        ("PATH", path.as_str()),
        ("HOME", HOME),
        ("TMPDIR", TEMPORARY),
        ("LC_ALL", "C.UTF-8"),
        ("TZ", "UTC"),
        ("CGO_ENABLED", "0"),
        ("GOOS", "linux"),
        ("GOARCH", "amd64"),
        ("GOAMD64", "v1"),
        ("GOENV", "off"),
        ("GOFLAGS", ""),
        ("GOTOOLCHAIN", "local"),
        ("GOTELEMETRY", "off"),
        ("GOPROXY", &proxy),
        // The sums of go.sum are checked nevertheless.
        ("GOSUMDB", "off"),
        ("GOROOT", TOOLCHAIN),
        ("GOPATH", &home),
        ("GOCACHE", &cache),
        ("GOMODCACHE", &modules),
        ("GOWORK", &workspace),
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
    use super::*;
    use crate::inputs::git::GoModules;
    use content::Digest;

    fn source(dependencies: Dependencies) -> Source {
        Source {
            commit: "0a".repeat(20),
            time: 7,
            tree: Digest::of(b"tree"),
            staged: "/nowhere".into(),
            directory: "app".into(),
            cargo: None,
            go: Some(GoModules {
                workspace: Some("".into()),
                modules: Vec::new(),
                dependencies,
            }),
            folders: [].into(),
            submodules: Vec::new(),
        }
    }

    #[test]
    fn entries_become_arguments_and_variables() {
        let spec = content::toml::parse::<GoSpec>(
            "package = './cmd/x'\ntags = ['a', 'b']\nldflags = ['-s -w']\nenv = { GOAMD64 = 'v3' }\n\
             stamps = { 'main.a' = \"it's\", 'main.b' = { source = 'commit' } }",
        )
        .unwrap();
        let source = source(Dependencies::Vendored);
        let expected = [
            "/build/go/bin/go",
            "build",
            "-trimpath",
            "-buildvcs=false",
            "-mod=vendor",
            "-tags=a,b",
            "-ldflags=-s -w -X \"main.a=it's\" -X 'main.b=0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a'",
            "-o=/build/out/",
            "./cmd/x",
        ];
        assert_eq!(command(&spec, &source), expected);
        let environment = environment(&spec, &source);
        assert_eq!(environment["GOAMD64"], "v3");
        assert_eq!(environment["GOWORK"], "/build/src/go.work");
        let plain = content::toml::parse::<GoSpec>("").unwrap();
        let last = command(&plain, &self::source(Dependencies::Proxies));
        assert_eq!(last[4..], ["-mod=readonly", "-o=/build/out/", "."]);
    }

    #[test]
    fn packages_with_parts_in_c_are_named() {
        let program = String::new();
        let error = SandboxError::Exited { program, code: 1 };
        let error = failed(error, Heard::default(), &["a/b".to_owned()]);
        let said = "go exited with status 1; cgo is off, and these packages have parts in C: a/b";
        assert_eq!(error.to_string(), said);
    }

    #[test]
    fn messages_say_why_a_build_failed() {
        let failed = |line: &str| {
            let mut heard = Heard::default();
            heard.hear(line);
            let program = String::new();
            failed(SandboxError::Exited { program, code: 1 }, heard, &[])
        };
        for (line, said, is_refusal) in [
            (
                "./main.go:3:1: syntax error",
                "go exited with status 1",
                true,
            ),
            (
                "main.go:3:8: missing go.sum entry for module providing package a/b",
                "go.mod or go.sum is not complete: main.go:3:8: ",
                true,
            ),
            (
                "main.go:3:8: a/b@v1.0.0: open /build/modules/a/b/@v/v1.0.0.zip: no such file or directory",
                "Image.lock does not have a module that the build needs: ",
                false,
            ),
            (
                "write /tmp/x: no space left on device",
                "the machine ran out of a resource",
                false,
            ),
        ] {
            let error = failed(line);
            assert!(error.to_string().starts_with(said), "{error}");
            assert_eq!(error.is_refusal(), is_refusal, "{line}");
        }
    }
}
