//! A step, as long as it lasts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Progress;
use super::amount::Amount;
use super::event::{Event, Outcome};

/// The shortest time between two events that say how much is done. A person sees no more, and small pieces of a download come
/// thousands of times in a second.
const PAUSE: Duration = Duration::from_millis(100);

/// A step of the work. It is canceled if this is dropped before it has ended.
pub struct Step {
    inner: Arc<Inner>,
    begun: Instant,
    outcome: Outcome,
}

struct Inner {
    progress: Progress,
    number: u32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    amount: Amount,
    /// When `amount` was told.
    told: Option<Instant>,
}

impl Step {
    pub(super) fn begin(progress: Progress, number: u32, name: String) -> Self {
        progress.show(&Event::Begun { step: number, name });
        Self {
            inner: Arc::new(Inner {
                progress,
                number,
                state: Mutex::default(),
            }),
            begun: Instant::now(),
            outcome: Outcome::Canceled,
        }
    }

    /// Sets how many items there are, and their sizes in bytes, if these are known.
    pub fn of(&self, items: usize, sizes: impl IntoIterator<Item = u64>) {
        let mut state = self.inner.state();
        state.amount.all_items = Some(items as u64);
        state.amount.all_bytes = total(sizes);
    }

    /// Sets what an item is called, if it is not known how many there are.
    pub fn counting(&self, unit: &str) {
        self.inner.state().amount.unit = Some(unit.to_owned());
    }

    /// Adds to the items and bytes that are done.
    pub fn add(&self, items: u64, bytes: u64) {
        self.inner.change(|amount| {
            amount.items = amount.items.saturating_add(items);
            amount.bytes = amount.bytes.saturating_add(bytes);
        });
    }

    /// Counts the bytes of this step while they come or go.
    pub fn meter(&self) -> Meter {
        Meter(Some(self.inner.clone()))
    }

    pub(super) fn set(&self, amount: Amount) {
        self.inner.change(|own| *own = amount);
    }

    /// Shows a line that the program of this step has printed.
    pub fn line(&self, line: &str) {
        let (step, line) = (self.inner.number, line.to_owned());
        self.inner.progress.show(&Event::Said { step, line });
    }

    /// Ends the step: its work is done.
    pub fn done(mut self) {
        self.outcome = Outcome::Done;
    }

    /// Ends the step: its work could not be done.
    pub fn failed(mut self) {
        self.outcome = Outcome::Failed;
    }

    /// Ends the step by the result of its work, which is returned.
    ///
    /// # Errors
    /// That of the result.
    pub fn end<T, E>(self, result: Result<T, E>) -> Result<T, E> {
        match &result {
            Ok(_) => self.done(),
            Err(_) => self.failed(),
        }
        result
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.inner.tell_rest();
        let elapsed = self.begun.elapsed().as_millis();
        self.inner.progress.show(&Event::Ended {
            step: self.inner.number,
            outcome: self.outcome,
            milliseconds: elapsed.try_into().unwrap_or(u64::MAX),
        });
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        // Numbers cannot be half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes how much is done, and tells it unless that was done just now.
    fn change(&self, change: impl FnOnce(&mut Amount)) {
        let mut state = self.state();
        change(&mut state.amount);
        let now = Instant::now();
        if state
            .told
            .is_none_or(|told| now.duration_since(told) >= PAUSE)
        {
            state.told = Some(now);
            self.tell(&state);
        }
    }

    /// Tells what the last changes were.
    fn tell_rest(&self) {
        let state = self.state();
        if state.told.is_some() {
            self.tell(&state);
        }
    }

    fn tell(&self, state: &State) {
        let (step, amount) = (self.number, state.amount.clone());
        self.progress.show(&Event::Progressed { step, amount });
    }
}

/// Counts bytes of a step. The default counts nothing.
#[derive(Clone, Default)]
pub struct Meter(Option<Arc<Inner>>);

impl Meter {
    /// So many bytes came or went.
    pub fn add(&self, bytes: u64) {
        if let Some(inner) = &self.0 {
            inner.change(|amount| amount.bytes = amount.bytes.saturating_add(bytes));
        }
    }

    /// So many bytes were of no use: they are transferred again.
    pub fn take_back(&self, bytes: u64) {
        if let Some(inner) = &self.0 {
            inner.change(|amount| amount.bytes = amount.bytes.saturating_sub(bytes));
        }
    }

    /// Sets the sizes, in bytes, of what there is.
    pub fn of(&self, sizes: impl IntoIterator<Item = u64>) {
        if let Some(inner) = &self.0 {
            inner.state().amount.all_bytes = total(sizes);
        }
    }
}

/// The sum of sizes, which may be those that an untrusted document claims; `None` if there is nothing.
fn total(sizes: impl IntoIterator<Item = u64>) -> Option<u64> {
    let total = sizes.into_iter().fold(0, u64::saturating_add);
    Some(total).filter(|total| *total > 0)
}

impl std::fmt::Debug for Meter {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Meter").finish_non_exhaustive()
    }
}
