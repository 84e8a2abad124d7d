//! The program: arguments, environment, clock and printing. Everything else is in the library.

mod cli;
mod commands;

use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use builder::at::At;
use builder::build::{self, Built};
use builder::error::{Error, Meaning};
use builder::image::assemble::Identities;
use builder::init::{self, Wish};
use builder::inputs::debian::Options;
use builder::inputs::debian::signers::Signers;
use builder::inputs::store::Store;
use builder::inputs::{self, Capsule, Supply};
use builder::interrupt::{Interrupt, Interrupted};
use builder::order::Order;
use builder::sandbox::{self, Limits, Role, Sandbox};
use chrono::{DateTime, Utc};
use cli::{Cli, Command, How};
use console::hint::Hinted;
use console::progress::Progress;
use console::signals::Signals;
use console::{Status, print};
use isolate::stages::SELF;
use scratch::Scratch;
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, spawn, spawn_blocking};

/// Time limit for interrupted work to clean up.
const PATIENCE: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    if let Some(role) = Role::of_arguments(std::env::args_os().skip(1)) {
        return sandbox::play(role);
    }
    if let Err(error) = console::proxy::exempt_loopback(std::env::vars_os(), std::env::args_os()) {
        return explain(&Hinted::starting(error).into());
    }
    // No file may depend on the caller's umask.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let cli: Cli = console::arguments::parse(std::env::args_os());
    match start(cli.command) {
        Ok(()) => Status::Yes.into(),
        Err(error) => explain(&error),
    }
}

fn explain(error: &Error) -> ExitCode {
    print::error("builder", &error.to_string(), error.hint());
    let status = match error.meaning() {
        Meaning::Refused => Status::No,
        Meaning::Unknown => Status::Unknown,
    };
    status.into()
}

fn start(command: Command) -> Result<(), Error> {
    // Several providers may be linked, so one must be chosen. This fails only if one was chosen before.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let progress = Progress::start(command.progress(), std::env::var_os)?;
    let runtime = console::runtime::start().map_err(Hinted::starting)?;
    let outcome = runtime.block_on(until_signal(command, &progress));
    progress.end();
    // Work that has not noticed the signal in time ends with the process.
    runtime.shutdown_background();
    outcome
}

/// A signal ends the work. Its temporary files are removed.
async fn until_signal(command: Command, progress: &Progress) -> Result<(), Error> {
    let mut signals = Signals::listen().map_err(Hinted::starting)?;
    let interrupt = Interrupt::default();
    let mut work = begin(command, interrupt.clone(), progress.clone());
    tokio::select! {
        outcome = &mut work => {
            return outcome.unwrap_or_else(|error| Err(Hinted::doing("running the command", error).into()));
        }
        _ = signals.next() => {}
    }
    interrupt.raise();
    work.abort();
    let cleaned_up = tokio::time::timeout(PATIENCE, work).await;
    drop(cleaned_up);
    Err(Interrupted.into())
}

/// Starts the work in parallel to the task that waits for signals: reading a key may block, because it may be a pipe. A
/// build runs on a separate thread, because the sandbox ends with the thread that started it. It is not aborted: it
/// notices the interrupt and cleans up.
fn begin(
    command: Command,
    interrupt: Interrupt,
    progress: Progress,
) -> JoinHandle<Result<(), Error>> {
    match command {
        Command::Init(arguments) => spawn_blocking(move || init(&arguments)),
        Command::Lock(arguments) => spawn_blocking(move || lock(&arguments, &interrupt, &progress)),
        Command::Build(arguments) => {
            spawn_blocking(move || build(&arguments, &interrupt, &progress))
        }
        Command::Digest(arguments) => {
            spawn_blocking(move || digest(&arguments, &interrupt, &progress))
        }
        Command::Capsule(arguments) => {
            spawn_blocking(move || capsule(&arguments, &interrupt, &progress))
        }
        Command::Publish(arguments) => {
            spawn(async move { commands::publish::publish(&arguments, clock(), &progress).await })
        }
        Command::Push(arguments) => {
            spawn(async move { commands::publish::push(&arguments, &progress).await })
        }
        Command::Sign(arguments) => {
            spawn(async move { commands::publish::sign(&arguments, clock).await })
        }
        Command::Attest(arguments) => {
            spawn(async move { commands::publish::attest(&arguments, clock).await })
        }
        Command::Payload(arguments) => {
            spawn_blocking(move || commands::publish::payload(&arguments, clock()))
        }
        Command::Attach(arguments) => {
            spawn(async move { commands::publish::attach(&arguments).await })
        }
        Command::AttachSbom(arguments) => {
            spawn(async move { commands::publish::attach_sbom(&arguments).await })
        }
        Command::Tree(arguments) => spawn(async move { commands::publish::tree(&arguments).await }),
        Command::Deploy(arguments) => {
            spawn(async move { commands::deploy::deploy(&arguments).await })
        }
        Command::Keygen(arguments) => spawn_blocking(move || commands::keys::keygen(&arguments)),
        Command::Key(arguments) => spawn(async move { commands::keys::identify(&arguments).await }),
        Command::Store(cli::Store::Prune(arguments)) => {
            spawn_blocking(move || commands::store::prune(&arguments))
        }
        Command::Store(cli::Store::Size(arguments)) => {
            spawn_blocking(move || commands::store::size(&arguments))
        }
    }
}

/// The time of day.
fn clock() -> DateTime<Utc> {
    SystemTime::now().into()
}

fn init(arguments: &cli::Init) -> Result<(), Error> {
    let started = init::init(Wish {
        directory: &arguments.directory,
        exec: arguments.exec.as_ref(),
    })?;
    for kept in &started.kept {
        print::note(&format!("{} exists, and is left as it is", kept.display()));
    }
    for open in &started.open {
        print::note(&format!("todo: {open}"));
    }
    let written = started.written.iter().map(|path| path.display());
    let mut written = written.map(|path| format!("{path}"));
    written
        .try_for_each(|path| print::line(&path))
        .map_err(unprinted)
}

fn lock(arguments: &cli::Lock, interrupt: &Interrupt, progress: &Progress) -> Result<(), Error> {
    let store = store(&arguments.inputs)?;
    let signers = Signers::with(&arguments.inputs.archive_keys);
    let runtime = Handle::current();
    let supply = Supply {
        archive: options(&arguments.inputs, &signers, None, &runtime),
        modules: arguments.inputs.module_proxy.as_deref(),
        wheels: arguments.inputs.wheel_index.as_deref(),
        store: &store,
        capsule: None,
        interrupt,
        progress,
    };
    let lock = inputs::resolve(&arguments.directory, &supply, SystemTime::now().into())?;
    interrupt.check()?;
    let path = inputs::write_lock(&lock, &arguments.directory)?;
    print::line(&path.display().to_string()).map_err(unprinted)
}

fn capsule(
    arguments: &cli::Capsule,
    interrupt: &Interrupt,
    progress: &Progress,
) -> Result<(), Error> {
    let store = store(&arguments.inputs)?;
    let signers = Signers::with(&arguments.inputs.archive_keys);
    let (runtime, evidence) = (Handle::current(), arguments.evidence.as_deref());
    let supply = Supply {
        archive: options(&arguments.inputs, &signers, evidence, &runtime),
        modules: arguments.inputs.module_proxy.as_deref(),
        wheels: arguments.inputs.wheel_index.as_deref(),
        store: &store,
        capsule: None,
        interrupt,
        progress,
    };
    let printed = commands::pack::pack(arguments, &supply, &runtime)?;
    print::line(&printed.join("\n")).map_err(unprinted)
}

fn build(arguments: &cli::Build, interrupt: &Interrupt, progress: &Progress) -> Result<(), Error> {
    let started = Instant::now();
    let (how, output) = (&arguments.how, Some(arguments.output.as_path()));
    let built = build_into(how, &arguments.output, interrupt, progress)?;
    if let Some(only) = commands::report::only(&built, how) {
        let Identities {
            image_digest,
            image_id,
        } = only.identities;
        print::note(&format!(
            "image_digest {image_digest}\nimage_id     {image_id}"
        ));
    }
    match how.json {
        true => print::json(&commands::report::json(
            &built,
            how,
            output,
            started.elapsed(),
        )),
        false => print::line(&commands::report::digest(&built, how)),
    }
    .map_err(unprinted)
}

fn digest(
    arguments: &cli::Digest,
    interrupt: &Interrupt,
    progress: &Progress,
) -> Result<(), Error> {
    let started = Instant::now();
    let scratch = Scratch::new().map_err(At::writing(&std::env::temp_dir()))?;
    let layout = scratch.path().join("layout");
    let built = build_into(&arguments.how, &layout, interrupt, progress)?;
    match arguments.how.json {
        true => print::json(&commands::report::json(
            &built,
            &arguments.how,
            None,
            started.elapsed(),
        )),
        false => print::line(&commands::report::digests(&built, &arguments.how)),
    }
    .map_err(unprinted)
}

fn build_into(
    how: &How,
    output: &Path,
    interrupt: &Interrupt,
    progress: &Progress,
) -> Result<Built, Error> {
    let runtime = Handle::current();
    let store = match &how.capsule {
        Some(_) => store(&how.inputs)?.of_capsules(),
        None => store(&how.inputs)?,
    };
    let open = |name| Capsule::open(name, &store, &runtime);
    let capsule = how.capsule.as_ref().map(open).transpose()?;
    let signers = Signers::with(&how.inputs.archive_keys);
    let processors = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let order = Order {
        directory: &how.directory,
        image: how.image.as_ref(),
        supply: Supply {
            archive: options(&how.inputs, &signers, how.evidence.as_deref(), &runtime),
            modules: how.inputs.module_proxy.as_deref(),
            wheels: how.inputs.wheel_index.as_deref(),
            store: &store,
            capsule: capsule.as_ref(),
            interrupt,
            progress,
        },
        builder_id: &how.builder_id,
        source_uri: how.source_uri.as_deref(),
        jobs: how.jobs.unwrap_or(processors),
        sandbox: Sandbox {
            helper: Path::new(SELF),
            interrupt,
            limit: Duration::from_secs(60 * u64::from(how.time_limit.get())),
            limits: limits(how.limits),
            progress: &|line: &str| progress.note(line),
        },
    };
    build::build(&order, output)
}

fn limits(wanted: cli::Limits) -> Limits {
    Limits {
        memory: wanted.limit_memory,
        files: wanted.limit_files,
        processes: wanted.limit_processes,
        output: wanted.limit_output,
    }
}

fn options<'a>(
    inputs: &'a cli::Inputs,
    signers: &'a Signers,
    evidence: Option<&'a Path>,
    runtime: &'a Handle,
) -> Options<'a> {
    Options {
        url: inputs.archive.as_deref(),
        keyring: inputs.keyring.as_deref(),
        signers,
        evidence,
        runtime,
    }
}

fn store(inputs: &cli::Inputs) -> Result<Store, Error> {
    let folder = store_folder(inputs.store.as_deref())?;
    Ok(Store::open_within(&folder, bytes(inputs.store_limit))?)
}

/// The folder of the store. A cache folder that is not absolute is ignored (XDG Base Directory Specification).
fn store_folder(named: Option<&Path>) -> Result<PathBuf, Error> {
    let absolute = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let cache = || absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    let folder = match named {
        Some(named) => named.to_owned(),
        None => {
            let cache = cache().ok_or_else(|| {
                Hinted::new(
                    "finding the store: neither XDG_CACHE_HOME nor HOME is an absolute path",
                )
                .hinting("name a directory with --store")
            })?;
            cache.join("countersign")
        }
    };
    // The sandbox is mounted below it, so its path must be absolute.
    Ok(std::path::absolute(&folder).map_err(At::reading(&folder))?)
}

fn bytes(gibibytes: u32) -> u64 {
    u64::from(gibibytes) << 30
}

/// Explains that standard output cannot be written.
fn unprinted(source: io::Error) -> Error {
    Hinted::printing(source).into()
}
