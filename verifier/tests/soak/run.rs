//! Runs the plan on all cores. A mutant follows from the seed and its number alone, on any number of cores.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use testkit::mutate::Random;

use crate::subject::{Judged, Subject};

/// Findings that are kept. After them the run ends.
const FINDINGS: usize = 20;
const PAUSE: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub mutants: u64,
    pub seed: u64,
    /// The number of the first mutant.
    pub first: u64,
    pub show: Show,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Show {
    Progress,
    Nothing,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub refused: u64,
    pub same: u64,
}

pub struct Report {
    plan: Plan,
    took: Duration,
    pub counts: BTreeMap<&'static str, Counts>,
    pub findings: Vec<String>,
}

struct Run<'a> {
    subjects: &'a [Subject],
    plan: Plan,
    next: AtomicU64,
    counts: Mutex<BTreeMap<&'static str, Counts>>,
    findings: Mutex<Vec<String>>,
}

pub fn run(subjects: &[Subject], plan: &Plan) -> Report {
    let run = Run {
        subjects,
        plan: *plan,
        next: AtomicU64::new(0),
        counts: Mutex::default(),
        findings: Mutex::default(),
    };
    let begun = Instant::now();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| run.work())).collect();
        if plan.show == Show::Progress {
            say(&format!("{} mutants, seed {}", plan.mutants, plan.seed));
            let mut shown = begun;
            while !workers.iter().all(|worker| worker.is_finished()) {
                thread::sleep(Duration::from_millis(100));
                if shown.elapsed() >= PAUSE {
                    shown = Instant::now();
                    run.show_progress(begun);
                }
            }
        }
    });
    Report {
        plan: *plan,
        took: begun.elapsed(),
        counts: run.counts.into_inner().unwrap(),
        findings: run.findings.into_inner().unwrap(),
    }
}

impl Run<'_> {
    fn work(&self) {
        let mut counts = BTreeMap::<_, Counts>::new();
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.plan.mutants || self.findings.lock().unwrap().len() >= FINDINGS {
                break;
            }
            self.one(self.plan.first + number, &mut counts);
        }
        let mut all = self.counts.lock().unwrap();
        for (name, more) in counts {
            let sum = all.entry(name).or_default();
            sum.refused += more.refused;
            sum.same += more.same;
        }
    }

    fn one(&self, number: u64, counts: &mut BTreeMap<&'static str, Counts>) {
        // Each subject in turn.
        let position = usize::try_from(number).unwrap() % self.subjects.len();
        let subject = &self.subjects[position];
        let mut random = Random::new(self.plan.seed.rotate_left(32) ^ number);
        let made = catch_unwind(AssertUnwindSafe(|| subject.mutant(&mut random)));
        let (at, parts) = made.unwrap_or_else(|_| panic!("mutant {number} cannot be made"));
        let judged = catch_unwind(AssertUnwindSafe(|| (subject.judge)(&parts)));
        let counted = counts.entry(subject.name).or_default();
        let what = match judged {
            Ok(Judged::Refused) => return counted.refused += 1,
            Ok(Judged::Same) => return counted.same += 1,
            Ok(Judged::Another { expected, found }) => {
                format!("is accepted\n  as         {found:.2000}\n  instead of {expected:.2000}")
            }
            Err(_) => "makes the code panic".to_owned(),
        };
        let folder = self.saved(subject, number, &parts);
        let finding = format!(
            "{}: mutant {number} of seed {} {what}\n  part {at} was changed; all are in {}",
            subject.name,
            self.plan.seed,
            folder.display()
        );
        self.findings.lock().unwrap().push(finding);
    }

    fn saved(&self, subject: &Subject, number: u64, parts: &[Vec<u8>]) -> PathBuf {
        let name = subject.name.replace(' ', "-");
        let folder = format!("soak/{}-{number}-{name}", self.plan.seed);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        for (index, part) in parts.iter().enumerate() {
            std::fs::write(folder.join(format!("part-{index}")), part).unwrap();
        }
        if let Some(root) = &subject.root {
            std::fs::write(folder.join("root.json"), root).unwrap();
        }
        folder
    }

    fn show_progress(&self, begun: Instant) {
        let done = self.next.load(Ordering::Relaxed).min(self.plan.mutants);
        let rate = per_second(done, begun.elapsed());
        say(&format!(
            "{done} of {} mutants, {rate} per second",
            self.plan.mutants
        ));
    }
}

fn per_second(count: u64, took: Duration) -> u64 {
    u64::try_from(u128::from(count) * 1000 / took.as_millis().max(1)).unwrap_or(u64::MAX)
}

/// Prints although the test does not fail.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "soak: {text}");
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.counts.values();
        let (refused, same) = all.fold((0, 0), |(refused, same), counts| {
            (refused + counts.refused, same + counts.same)
        });
        let findings = self.findings.len();
        let rate = per_second(refused + same, self.took);
        writeln!(
            out,
            "seed {}: {refused} refused, {same} accepted with the same meaning, {findings} findings; \
             {:.1} s, {rate} mutants per second",
            self.plan.seed,
            self.took.as_secs_f64(),
        )?;
        for (name, counts) in &self.counts {
            let Counts { refused, same } = counts;
            writeln!(out, "  {name:32} {refused:>8} refused {same:>8} accepted")?;
        }
        self.findings
            .iter()
            .try_for_each(|finding| writeln!(out, "{finding}"))
    }
}
