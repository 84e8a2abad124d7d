//! Plays the whole story of Countersign on one machine, with the real programs as separate
//! processes against the embedded emulator: build, rebuild, compare, countersign, bind, launch,
//! compute; and, if asked to, every attack on it.
#![forbid(unsafe_code)]

mod acts;
mod attacks;
mod cast;
mod cloud;
mod error;
mod programme;
mod prologue;
mod stage;
mod tee_socket;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use clap::Parser;

use acts::Published;
use attacks::{ATTACKS, Attack, Outcome, Scene};
use cast::Cast;
pub use error::Error;
use programme::{Programme, table};
use stage::Stage;

/// Plays the story of Countersign on this machine, with no account anywhere.
///
/// Exit status: 0 played as written; 1 an attack was not refused where it should be;
/// 2 the ceremony could not be played.
#[derive(Parser)]
#[command(after_help = attack_list())]
struct Arguments {
    /// After the story, plays this attack, or all of them.
    #[arg(long, value_name = "NAME|all")]
    attack: Option<String>,
}

fn attack_list() -> String {
    let rows = ATTACKS
        .iter()
        .map(|a| vec![a.name.to_owned(), a.deed.to_owned(), a.place.to_owned()]);
    let head = ["attack", "deed", "refused by"].map(str::to_owned).to_vec();
    table(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match chosen(arguments.attack.as_deref()).and_then(|attacks| play(&attacks)) {
        Ok(code) => code,
        Err(error) => {
            report(&error);
            ExitCode::from(2)
        }
    }
}

fn chosen(name: Option<&str>) -> Result<Vec<&'static Attack>, Error> {
    match name {
        None => Ok(Vec::new()),
        Some("all") => Ok(ATTACKS.iter().collect()),
        Some(name) => match ATTACKS.iter().find(|attack| attack.name == name) {
            Some(attack) => Ok(vec![attack]),
            None => Err(Error::UnknownAttack(name.to_owned())),
        },
    }
}

fn play(attacks: &[&Attack]) -> Result<ExitCode, Error> {
    let begin = Instant::now();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut programme = Programme::default();
    let stage = Stage::set(programs()?)?;
    stop_on_signals(&stage)?;

    programme.act("Before the curtain: programs, cloud, keys");
    build_programs(&stage, &mut programme, &repository)?;
    tell_if_dirty(&stage, &programme, &repository)?;
    let (cloud, endpoints) = prologue::open_cloud(&stage, &mut programme)?;
    let cast = Cast::gather(&stage, endpoints)?;
    prologue::make_keys(&stage, &mut programme, &cast)?;
    prologue::trust_the_tee(&mut programme, &cast)?;
    prologue::open_queue(&mut programme, &cast)?;

    programme
        .act("1  The builder locks, builds with the network cut, publishes, signs and attests");
    let source = prologue::take_source(&stage, &mut programme, &cast, &repository)?;
    acts::lock(&stage, &mut programme, &source)?;
    let layout = acts::build(&stage, &mut programme, "the builder builds", &source)?;
    let image = acts::push(&stage, &mut programme, &layout, &cast.repository(), "v1")?;
    acts::sign(&stage, &mut programme, &cast, &image)?;
    acts::attest(&stage, &mut programme, &cast, &image, &layout)?;

    programme.act("2  Each collaborator rebuilds, compares, countersigns and binds its key");
    let tagged = format!("{}:v1", cast.repository());
    let mut rebuilt = Vec::new();
    for collaborator in &cast.collaborators {
        let own = acts::rebuild(&stage, &mut programme, collaborator, &image, &source)?;
        acts::authorize(&stage, &mut programme, &cast, collaborator, &tagged, &own)?;
        rebuilt.push(own);
    }

    programme.act("3  The operator launches it; the workload checks itself and counts");
    prologue::admit_to_queue(&cast, &image.digest)?;
    acts::send_data(&cast, &image, "first")?;
    let said = acts::launch_and_count(&stage, &mut programme, &cast, &image)?;
    programme.note(said.stdout.trim());

    let mut scene = Scene {
        stage: &stage,
        programme: &mut programme,
        cast: &cast,
        cloud: &cloud,
        source: &source,
        layout: &layout,
        rebuilt: &rebuilt[0],
        image: &image,
        forged: None,
    };
    let outcomes = play_attacks(&mut scene, attacks)?;
    summary(&programme, &cast, &image, begin.elapsed().as_secs_f64());
    Ok(verdict(attacks, &outcomes))
}

fn play_attacks(scene: &mut Scene<'_>, attacks: &[&Attack]) -> Result<Vec<Outcome>, Error> {
    let mut outcomes = Vec::new();
    for attack in attacks {
        scene
            .programme
            .act(&format!("Attack {}: {}", attack.name, attack.deed));
        let outcome = attack.play(scene)?;
        let (Outcome::Refused(words) | Outcome::NotRefused(words)) = &outcome;
        scene.programme.note(&format!("{}: {words}", attack.place));
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

fn verdict(attacks: &[&Attack], outcomes: &[Outcome]) -> ExitCode {
    if attacks.is_empty() {
        return ExitCode::SUCCESS;
    }
    let refused = |outcome: &Outcome| matches!(outcome, Outcome::Refused(_));
    let mut rows = vec![
        ["attack", "must be refused by", ""]
            .map(str::to_owned)
            .to_vec(),
    ];
    for (attack, outcome) in attacks.iter().zip(outcomes) {
        let seen = if refused(outcome) {
            "refused"
        } else {
            "NOT REFUSED THERE"
        };
        rows.push(
            [attack.name, attack.place, seen]
                .map(str::to_owned)
                .to_vec(),
        );
    }
    print(&table(&rows));
    if outcomes.iter().all(refused) {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    }
}

fn summary(programme: &Programme, cast: &Cast, image: &Published, seconds: f64) {
    let builds = programme.seconds("build: ");
    let programs = programme.seconds("programs");
    let row = |who: &str, what: String| vec![who.to_owned(), what];
    let mut rows = vec![
        row("image", image.reference()),
        row(
            "builder",
            "built, pushed, signed (Cloud KMS), attested provenance and SBOM".into(),
        ),
    ];
    for collaborator in &cast.collaborators {
        let what = format!(
            "rebuilt: same digest; verdict PASSED; countersigned; bound {}",
            collaborator.data_key()
        );
        rows.push(row(collaborator.name, what));
    }
    rows.push(row(
        "operator",
        "launched it, saw neither keys nor data".into(),
    ));
    rows.push(row(
        "workload",
        format!("{} (one {:?} from each)", acts::RESULT.trim(), acts::WORD),
    ));
    rows.push(row(
        "seconds",
        format!("{seconds:.0}: compiling our programs {programs:.0}, builds of the image {builds:.0}, all else {:.0}", seconds - builds - programs),
    ));
    print(&format!("\n{}", table(&rows)));
}

/// The folder of the programs: where this one lies.
fn programs() -> Result<PathBuf, Error> {
    let own = std::env::current_exe().map_err(Error::io("own executable"))?;
    Ok(own.parent().map(Path::to_owned).unwrap_or_default())
}

/// Compiles the programs that the story runs, with the profile of this one.
fn build_programs(
    stage: &Stage,
    programme: &mut Programme,
    repository: &Path,
) -> Result<(), Error> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args([
        "build", "--locked", "--bins", "-p", "builder", "-p", "verifier", "-p", "emulator",
    ]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    cargo.current_dir(repository);
    programme
        .must(stage, "programs: cargo build", cargo)
        .map(drop)
}

fn tell_if_dirty(stage: &Stage, programme: &Programme, repository: &Path) -> Result<(), Error> {
    let mut status = Command::new("git");
    status
        .arg("-C")
        .arg(repository)
        .args(["status", "--porcelain"]);
    if !stage::finish(stage, status)?.is_empty() {
        programme
            .note("the working tree has uncommitted changes; what is played is the last commit");
    }
    Ok(())
}

/// On SIGINT and SIGTERM ends what runs, clears the stage and leaves.
fn stop_on_signals(stage: &Stage) -> Result<(), Error> {
    let signals = [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM];
    let mut signals = signal_hook::iterator::Signals::new(signals).map_err(Error::io("signals"))?;
    let running = stage.running();
    let folder = stage.path().to_owned();
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            for id in stage::lock(&running).iter() {
                stage::terminate(*id);
            }
            std::thread::sleep(std::time::Duration::from_millis(500));
            let _ = std::fs::remove_dir_all(&folder);
            report(&Error::Interrupted);
            std::process::exit(128 + signal);
        }
    });
    Ok(())
}

#[allow(clippy::print_stdout, reason = "main prints")]
fn print(text: &str) {
    println!("{text}");
}

#[allow(clippy::print_stderr, reason = "main prints")]
fn report(error: &Error) {
    eprintln!("ceremony: error: {error}\nhint: {}", error.hint());
}
