//! Cargo inside the sandbox, at fixed paths, by the build root's own compiler and linker.

mod report;
mod scarcity;
mod tree;
mod unresolved;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::sandbox::{Bind, Output, Plan, Sandbox, SandboxError};
pub use report::ReportError;
use scarcity::is_scarcity;
pub use tree::Linked;
use unresolved::is_unresolved;

const SOURCE: &str = "/build/src";
const VENDOR: &str = "/build/vendor";
const HOME: &str = "/build/home";
const CARGO_HOME: &str = "/build/cargo";
const TARGET: &str = "/build/target";
const TEMPORARY: &str = "/tmp";
/// All crates come from the directory of checked archives.
const CARGO_CONFIG: &str = "\
[source.crates-io]
replace-with = \"vendored\"

[source.vendored]
directory = \"/build/vendor\"
";
/// The processor is named so that no default can move, and the C library is linked in.
const RUSTFLAGS: &str = "-Ctarget-feature=+crt-static -Ctarget-cpu=x86-64";

/// What is compiled, and from what.
#[derive(Clone, Debug)]
pub struct Compilation {
    /// The build root: compiler, linker and C library, unpacked.
    pub root: PathBuf,
    /// The staged source.
    pub source: PathBuf,
    /// The crate to compile, relative to the source.
    pub directory: PathBuf,
    /// The crates that it uses, unpacked.
    pub vendor: PathBuf,
    /// Cargo's name for the package, and so for the binary.
    pub package: String,
    /// Rust's name for the target.
    pub target: String,
    /// How many compilers run at once; plays no part in what they make.
    pub jobs: NonZeroUsize,
    /// A directory for what is needed meanwhile.
    pub scratch: PathBuf,
}

/// Source that could not be compiled.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// A build root without a C compiler, or with several.
    #[error("reading build root {}: expected one usr/bin/x86_64-linux-gnu-gcc-N, found {found}", root.display())]
    Linker {
        /// The build root.
        root: PathBuf,
        /// How many there are.
        found: usize,
    },
    /// A build root that cannot be read.
    #[error("reading {}: {source}", path.display())]
    Read {
        /// What.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The compiler refused the source: the same answer for everyone.
    #[error("compiling {package}: cargo ended with exit status {code}")]
    Refused {
        /// The package.
        package: String,
        /// Cargo's exit status.
        code: i32,
    },
    /// The machine could not: that says nothing about the source.
    #[error("compiling {package}: something ran out or was ended: {said}")]
    Scarce {
        /// The package.
        package: String,
        /// The first line that says so.
        said: String,
    },
    /// The source starts processes that go on after what started them, and so could have changed the program
    /// unseen.
    #[error(
        "compiling {package}: a process of a build script or macro outlived the one that started it: {process:?}"
    )]
    LeftBehind {
        /// The package.
        package: String,
        /// What the process calls itself.
        process: String,
    },
    /// Cargo's report is not that of one link.
    #[error("compiling {package}: reading cargo's report of the program: {source}")]
    Report {
        /// The package.
        package: String,
        /// Why not.
        source: ReportError,
    },
    /// Cargo has no workspace to build in: what was staged is not enough for it, which says nothing about the source.
    #[error("compiling {package}: cargo found no workspace: {said}")]
    Unresolved {
        /// The package.
        package: String,
        /// The first line that says so.
        said: String,
    },
    /// Cargo does not say which crates the binary is made of.
    #[error("listing the crates of {package}: expected a crate, found {found:?}")]
    Listing {
        /// The package.
        package: String,
        /// What it says.
        found: String,
    },
    /// The compiler did not come to an end.
    #[error("compiling {package}: {source}")]
    Sandbox {
        /// The package.
        package: String,
        /// Why not.
        source: SandboxError,
    },
}

/// Compiles to the file `binary`.
///
/// # Errors
/// See [`CompileError`].
pub fn compile(
    compilation: &Compilation,
    sandbox: &Sandbox<'_>,
    binary: &Path,
) -> Result<(), CompileError> {
    let plan = plan(compilation)?;
    let heard = Mutex::new(Heard::default());
    let progress = |line: &str| {
        let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.hear(line);
        (sandbox.progress)(line);
    };
    let attended = Sandbox {
        progress: &progress,
        ..*sandbox
    };
    let ended = attended.run(&plan, binary);
    let heard = heard.into_inner().unwrap_or_else(PoisonError::into_inner);
    let package = || compilation.package.clone();
    let said = ended.map_err(|error| failed(error, heard, package()))?;
    let product = program(&compilation.target, &compilation.package);
    report::check(&said, &product).map_err(|source| CompileError::Report {
        package: package(),
        source,
    })
}

/// Lines of cargo that tell why a build failed, the first of each kind.
#[derive(Default)]
struct Heard {
    scarce: Option<String>,
    unresolved: Option<String>,
}

impl Heard {
    fn hear(&mut self, line: &str) {
        let said = || line.trim().to_owned();
        if is_scarcity(line) {
            self.scarce.get_or_insert_with(said);
        }
        if is_unresolved(line) {
            self.unresolved.get_or_insert_with(said);
        }
    }
}

fn failed(error: SandboxError, heard: Heard, package: String) -> CompileError {
    match (error, heard) {
        (
            SandboxError::Exited { .. },
            Heard {
                scarce: Some(said), ..
            },
        ) => CompileError::Scarce { package, said },
        (
            SandboxError::Exited { .. },
            Heard {
                unresolved: Some(said),
                ..
            },
        ) => CompileError::Unresolved { package, said },
        (SandboxError::Exited { code, .. }, _) => CompileError::Refused { package, code },
        (SandboxError::LeftBehind { process, .. }, _) => {
            CompileError::LeftBehind { package, process }
        }
        (source, _) => CompileError::Sandbox { package, source },
    }
}

/// The crates that the binary is made of, sorted.
///
/// # Errors
/// See [`CompileError`]; none of them refuses the source.
pub fn linked(
    compilation: &Compilation,
    sandbox: &Sandbox<'_>,
) -> Result<Vec<Linked>, CompileError> {
    let plan = Plan {
        command: tree::command(&compilation.package, &compilation.target),
        product: None,
        ..plan(compilation)?
    };
    let package = || compilation.package.clone();
    let ran = sandbox.run(&plan, &compilation.scratch.join("tree"));
    let said = ran.map_err(|source| CompileError::Sandbox {
        package: package(),
        source,
    })?;
    let listing = |found| CompileError::Listing {
        package: package(),
        found,
    };
    let said = String::from_utf8(said).map_err(|error| listing(error.to_string()))?;
    tree::parse(&said, SOURCE).map_err(listing)
}

/// How cargo is called, as provenance shows it: without the number of jobs and the form of cargo's report,
/// which play no part in what is made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Invocation {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The whole environment, compiler's flags included.
    pub environment: BTreeMap<String, String>,
}

/// How cargo is called for this.
///
/// # Errors
/// The build root has no C compiler, or several.
pub fn invocation(compilation: &Compilation) -> Result<Invocation, CompileError> {
    let Compilation {
        root,
        package,
        target,
        ..
    } = compilation;
    Ok(Invocation {
        command: command(package, target),
        environment: environment(target, &linker(root)?),
    })
}

fn command(package: &str, target: &str) -> Vec<String> {
    let words = [
        "/usr/bin/cargo",
        "build",
        "--release",
        "--locked",
        "--offline",
    ];
    let named = ["--package", package, "--target", target];
    words.into_iter().chain(named).map(str::to_owned).collect()
}

fn plan(compilation: &Compilation) -> Result<Plan, CompileError> {
    let Compilation {
        package, target, ..
    } = compilation;
    let Invocation {
        mut command,
        environment,
    } = invocation(compilation)?;
    let bind = |source: &Path, target: &str| Bind {
        source: source.to_owned(),
        target: target.into(),
    };
    command.extend(["--jobs".to_owned(), compilation.jobs.to_string()]);
    command.push(report::OPTION.to_owned());
    let config = Path::new(CARGO_HOME).join("config.toml");
    Ok(Plan {
        root: compilation.root.clone(),
        binds: vec![
            bind(&compilation.source, SOURCE),
            bind(&compilation.vendor, VENDOR),
        ],
        writable: [HOME, CARGO_HOME, TARGET, TEMPORARY]
            .map(PathBuf::from)
            .to_vec(),
        files: BTreeMap::from([(config, CARGO_CONFIG.to_owned())]),
        command,
        environment,
        directory: Path::new(SOURCE).join(&compilation.directory),
        output: Output::Returned,
        product: Some(program(target, package)),
        mount_point: compilation.scratch.join("sandbox"),
    })
}

/// Where cargo puts the program.
fn program(target: &str, package: &str) -> PathBuf {
    PathBuf::from(format!("{TARGET}/{target}/release/{package}"))
}

/// All of it: nothing of the host's environment comes in.
fn environment(target: &str, gcc: &str) -> BTreeMap<String, String> {
    let key = target.replace('-', "_");
    let linker = format!("CARGO_TARGET_{}_LINKER", key.to_ascii_uppercase());
    let archiver = "/usr/bin/x86_64-linux-gnu-ar";
    let pairs = [
        ("PATH", "/usr/bin:/bin"),
        ("HOME", HOME),
        ("TMPDIR", TEMPORARY),
        ("LC_ALL", "C.UTF-8"),
        ("TZ", "UTC"),
        ("SOURCE_DATE_EPOCH", "0"),
        ("CARGO_HOME", CARGO_HOME),
        ("CARGO_TARGET_DIR", TARGET),
        ("CARGO_INCREMENTAL", "0"),
        ("CARGO_NET_OFFLINE", "true"),
        ("CARGO_TERM_COLOR", "never"),
        ("CARGO_TERM_PROGRESS_WHEN", "never"),
        ("RUSTFLAGS", RUSTFLAGS),
        // With a target named, flags do not reach build scripts, but the linker must.
        (&linker, gcc),
        ("CC", gcc),
        ("AR", archiver),
    ];
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// The one versioned C compiler: unpacked packages have no `cc`, which is made on installation.
fn linker(root: &Path) -> Result<String, CompileError> {
    let path = root.join("usr/bin");
    let unread = |source| CompileError::Read {
        path: path.clone(),
        source,
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(&path).map_err(unread)? {
        let name = entry.map_err(unread)?.file_name();
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
        (one, more) => Err(CompileError::Linker {
            root: root.to_owned(),
            found: usize::from(one.is_some()) + more,
        }),
    }
}
