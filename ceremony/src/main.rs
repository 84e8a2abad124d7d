//! Runs the whole process on one machine, with the real programs as separate processes against the emulator: build,
//! rebuild, compare, countersign, bind, launch, compute; and, with `--attack`, attacks on it.
#![forbid(unsafe_code)]

mod acts;
mod attacks;
mod cast;
mod cloud;
mod deployment;
mod documents;
mod error;
mod launch;
mod prologue;
mod running;
mod stage;
mod tee_socket;
mod transcript;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use clap::Parser;
use console::hint::Hinted;
use console::process::Network;
use console::signals::Signals;
use console::{Status, git};

use attacks::{ATTACKS, Attack, Outcome, Scene};
use cast::Cast;
pub use error::Error;
use stage::Stage;
use transcript::{Transcript, table};

/// How long the programs may take to end after a signal.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs the whole process on this machine, without a cloud account: build, rebuild, compare, countersign, bind, launch.
///
/// Exit status: 0 all steps had the expected result; 1 an attack was not refused by the expected check; 2 an error
/// ended the ceremony; 128 + N signal N ended it.
#[derive(Parser)]
#[command(after_help = attack_list())]
struct Arguments {
    /// Also run this attack, or all of them, after the other steps
    #[arg(long, value_name = "NAME|all")]
    attack: Option<String>,
}

fn attack_list() -> String {
    let mut text = "Attacks, and the check that must refuse each:\n".to_owned();
    for Attack {
        name, deed, place, ..
    } in ATTACKS
    {
        text += &format!("  {name}\n      {deed} ({place})\n");
    }
    text
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match chosen(arguments.attack.as_deref()).and_then(|attacks| play(&attacks)) {
        Ok(status) => status.into(),
        Err(error) => {
            report(&error);
            status(&error).into()
        }
    }
}

fn status(error: &Error) -> Status {
    match error {
        Error::Interrupted(signal) => Status::Signal(*signal),
        _ => Status::Unknown,
    }
}

fn chosen(name: Option<&str>) -> Result<Vec<&'static Attack>, Error> {
    match name {
        None => Ok(Vec::new()),
        Some("all") => Ok(ATTACKS.iter().collect()),
        Some(name) => match ATTACKS.iter().find(|attack| attack.name == name) {
            Some(attack) => Ok(vec![attack]),
            None => Err(Error::unexpected(
                "choosing attack",
                format!("unknown attack {name:?}"),
                "ceremony --help lists the attacks",
            )),
        },
    }
}

fn play(attacks: &[&Attack]) -> Result<Status, Error> {
    let stage = Stage::set(programs()?)?;
    stop_on_signals(&stage)?;
    let outcome = story(&stage, attacks);
    // An interrupt makes other steps fail; report the interrupt, not its consequences.
    stage.running().check()?;
    outcome
}

fn story(stage: &Stage, attacks: &[&Attack]) -> Result<Status, Error> {
    let begin = Instant::now();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let store = store()?;
    let mut transcript = Transcript::default();

    transcript.act("0  Preparation: programs, emulated cloud, keys");
    warn_if_dirty(stage, &transcript, &repository)?;
    build_programs(stage, &mut transcript, &repository)?;
    let (cloud, endpoints) = prologue::open_cloud(stage, &mut transcript)?;
    let cast = Cast::gather(stage, endpoints)?;
    prologue::make_keys(stage, &mut transcript, &cast)?;
    prologue::trust_the_tee(&mut transcript, &cast)?;
    prologue::open_queue(&mut transcript, &cast)?;

    transcript.act(
        "1  The builder locks all inputs, builds without network, publishes, signs and attests",
    );
    let source = prologue::take_source(stage, &mut transcript, &cast, &repository)?;
    acts::lock(stage, &mut transcript, &source)?;
    let layout = acts::build(stage, &mut transcript, "the builder builds", &source)?;
    let image = acts::push(
        stage,
        &mut transcript,
        &cast,
        &layout,
        &cast.repository(),
        "v1",
    )?;
    transcript.record("builder", "pushed", &image.repository);
    transcript.record("", "", &image.digest.to_string());
    acts::sign(stage, &mut transcript, &cast, &image)?;
    acts::attest(stage, &mut transcript, &cast, &image, &layout)?;

    transcript
        .act("2  Each collaborator rebuilds the image, compares and countersigns, the builder publishes that; then each binds its key");
    let tagged = format!("{}:v1", cast.repository());
    let mut rebuilt = Vec::new();
    for collaborator in &cast.collaborators {
        let own = acts::rebuild(stage, &mut transcript, collaborator, &image, &source)?;
        let signed = acts::countersign(stage, &mut transcript, &cast, collaborator, &tagged, &own)?;
        acts::may_not_write(stage, &mut transcript, &cast, collaborator, &image)?;
        acts::attach(stage, &mut transcript, &cast, collaborator, &image, &signed)?;
        rebuilt.push(own);
    }
    for (collaborator, own) in cast.collaborators.iter().zip(&rebuilt) {
        acts::authorize(stage, &mut transcript, &cast, collaborator, &tagged, own)?;
    }

    transcript.act(
        "3  Each collaborator sends its data; the operator creates what builder deploy prints: the image checks its signatures and counts words",
    );
    prologue::admit_to_queue(&cast, &image.digest)?;
    launch::publish(stage, &mut transcript, &cast, &image)?;
    launch::deploy_and_count(stage, &mut transcript, &cast, &image)?;

    let mut scene = Scene {
        stage,
        transcript: &mut transcript,
        cast: &cast,
        cloud: &cloud,
        source: &source,
        layout: &layout,
        rebuilt: &rebuilt[0],
        image: &image,
        store: &store,
        forged: None,
        next: None,
    };
    let mut outcomes = Vec::new();
    let played = play_attacks(&mut scene, attacks, &mut outcomes);
    stage.running().check()?;
    summary(&transcript, begin.elapsed().as_secs_f64());
    table_of(attacks, &outcomes);
    played.map(|()| verdict(&outcomes))
}

/// Runs the attacks in order. After an error the remaining ones have no outcome.
fn play_attacks(
    scene: &mut Scene<'_>,
    attacks: &[&Attack],
    outcomes: &mut Vec<Outcome>,
) -> Result<(), Error> {
    for attack in attacks {
        scene
            .transcript
            .act(&format!("Attack {}: {}", attack.name, attack.deed));
        let outcome = attack.play(scene)?;
        let (Outcome::Refused(words) | Outcome::NotRefused(words)) = &outcome;
        scene.transcript.note(&format!("{}: {words}", attack.place));
        outcomes.push(outcome);
    }
    Ok(())
}

fn verdict(outcomes: &[Outcome]) -> Status {
    let refused = |outcome: &Outcome| matches!(outcome, Outcome::Refused(_));
    match outcomes.iter().all(refused) {
        true => Status::Yes,
        false => Status::No,
    }
}

fn table_of(attacks: &[&Attack], outcomes: &[Outcome]) {
    if attacks.is_empty() {
        return;
    }
    let mut rows = vec![["attack", "expected to be refused by", "result"]];
    for (place, attack) in attacks.iter().enumerate() {
        let seen = match outcomes.get(place) {
            Some(Outcome::Refused(_)) => "refused",
            Some(Outcome::NotRefused(_)) => "NOT REFUSED",
            None => "not run",
        };
        rows.push([attack.name, attack.place, seen]);
    }
    let rows: Vec<_> = rows
        .iter()
        .map(|row| row.map(str::to_owned).to_vec())
        .collect();
    print(&table(&rows));
}

fn summary(transcript: &Transcript, seconds: f64) {
    let builds = transcript.seconds("build: ");
    let programs = transcript.seconds("programs");
    let rest = seconds - builds - programs;
    let rows = [
        ("seconds", seconds),
        ("  compiling the programs", programs),
        ("  builds of the image", builds),
        ("  everything else", rest),
    ];
    let rows = rows.map(|(what, spent)| vec![what.to_owned(), format!("{spent:.0}")]);
    print(&format!(
        "\n{}\n{}",
        table(transcript.records()),
        table(&rows)
    ));
}

/// Where the builder keeps its inputs (XDG base directory specification).
fn store() -> Result<PathBuf, Error> {
    let absolute = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    let none = || {
        Error::unexpected(
            "finding the store",
            "neither XDG_CACHE_HOME nor HOME is an absolute path",
            "set HOME to a directory with room for half a gigabyte",
        )
    };
    Ok(cache.ok_or_else(none)?.join("countersign"))
}

/// The folder of the programs, which is that of this program.
fn programs() -> Result<PathBuf, Error> {
    let own = std::env::current_exe().map_err(Error::io("own executable"))?;
    Ok(own.parent().map(Path::to_owned).unwrap_or_default())
}

/// Compiles the programs that the ceremony runs, with the profile of this program.
fn build_programs(
    stage: &Stage,
    transcript: &mut Transcript,
    repository: &Path,
) -> Result<(), Error> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // The whole workspace, so that shared crates have the same features as in `cargo ceremony` and compile once.
    cargo.args(["build", "--locked", "--workspace", "--bins"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    cargo.current_dir(repository);
    transcript
        .must(stage, "programs: cargo build", cargo)
        .map(drop)
}

fn warn_if_dirty(stage: &Stage, transcript: &Transcript, repository: &Path) -> Result<(), Error> {
    let mut status = git::command(Network::Forbidden);
    status
        .arg("-C")
        .arg(repository)
        .args(["status", "--porcelain"]);
    if !stage::finish(stage, status)?.is_empty() {
        transcript
            .note("warning: the working tree has uncommitted changes: the programs are compiled with them,");
        transcript.note("but the image is built and rebuilt from the source of the last commit");
    }
    Ok(())
}

/// On a signal, ends all processes, after which the ceremony ends and the stage is removed. Exits if that takes too long.
fn stop_on_signals(stage: &Stage) -> Result<(), Error> {
    let runtime = console::runtime::start().map_err(Hinted::starting)?;
    let entered = runtime.enter();
    let mut signals = Signals::listen().map_err(Hinted::starting)?;
    drop(entered);
    let running = stage.running();
    let folder = stage.path().to_owned();
    std::thread::spawn(move || {
        let signal = runtime.block_on(signals.next());
        running.interrupt(signal);
        std::thread::sleep(PATIENCE);
        let _ = std::fs::remove_dir_all(&folder);
        report(&Error::Interrupted(signal));
        std::process::exit(Status::Signal(signal).code().into());
    });
    Ok(())
}

fn print(text: &str) {
    // The exit status has the outcome, even if the table cannot be printed.
    let _ = console::print::line(text);
}

fn report(error: &Error) {
    console::print::error_lines("ceremony", &error.to_string(), error.hint());
}
