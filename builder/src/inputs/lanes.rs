//! Does the same for many inputs, some at the same time.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Inputs that are fetched at the same time.
const LANES: usize = 8;

/// Does `work` for each item, some at the same time, and returns the results in the order of the items.
///
/// # Errors
/// The first error of a lane; then the others end after what they are doing.
pub(super) fn in_lanes<T: Sync, R: Send, E: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let next = AtomicUsize::new(0);
    let lane = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else {
                return Ok(done);
            };
            match work(item) {
                Ok(result) => done.push((index, result)),
                Err(error) => {
                    // The other lanes end after what they are doing.
                    next.store(items.len(), Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
    };
    let lanes = std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES.min(items.len()))
            .map(|_| scope.spawn(lane))
            .collect();
        let ended = lanes.into_iter().map(|lane| lane.join());
        ended.collect::<Vec<_>>()
    });
    let mut all = Vec::new();
    for lane in lanes {
        let done = lane.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        all.extend(done?);
    }
    all.sort_by_key(|(index, _)| *index);
    Ok(all.into_iter().map(|(_, result)| result).collect())
}
