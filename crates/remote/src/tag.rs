//! Changes to a manifest under a tag that other clients may be changing too.
//!
//! Registries have no conditional PUT for manifests (OCI distribution specification, pushing
//! manifests), so a client that read the tag before our write may still overwrite it. A change
//! therefore counts as made only once the tag has stayed unchanged, with our entry in it, for longer
//! than a read, a change and a write take: by then every client that had not seen the entry has
//! written, and every client that reads later keeps the entry.
//!
//! A limitation remains: a writer that needs longer than that between its read and its write, because
//! its connection is slow or it was suspended, can still overwrite the entry unnoticed. A client that
//! needs an entry must check that it is there.

use std::time::Duration;

use oci::{Tag, Target};
use tokio::time::Instant;

use crate::retry::with_jitter;
use crate::{Error, Registry};

/// Maximum number of reads of one tag: enough for dozens of concurrent writers; they take at most a few
/// minutes.
const LOOKS: u32 = 24;
/// The shortest time for which a tag must stay unchanged.
const STILL: Duration = Duration::from_millis(250);
/// The longest such time, even for a slow registry.
const STILL_AT_MOST: Duration = Duration::from_secs(20);
/// How many times slower than this client other clients may be.
const SLOWER: u32 = 4;

/// A manifest about to be stored under a tag.
pub(crate) struct Changed {
    pub(crate) bytes: Vec<u8>,
    pub(crate) media_type: &'static str,
    /// Media type and content of its configuration, if that may have to be pushed first.
    pub(crate) config: Option<(&'static str, Vec<u8>)>,
}

impl Registry {
    /// Applies `change` to the manifest under `tag` and stores the result, until the result survives the
    /// writes of other clients. `change` returns `None` if the manifest needs no change.
    ///
    /// # Errors
    /// [`Error::Refused`] if other clients keep changing the tag, the error of `change`, or the error
    /// of a request that fails.
    pub(crate) async fn change_tag(
        &self,
        tag: &Tag,
        change: impl Fn(Option<&[u8]>) -> Result<Option<Changed>, Error>,
    ) -> Result<(), Error> {
        let mut pace = Pace::new();
        let mut seen = None;
        for _ in 0..LOOKS {
            let started = Instant::now();
            let current = self.manifest_by_tag(tag).await?;
            match change(current.as_deref())? {
                None if current == seen => return Ok(()),
                None => seen = current,
                Some(changed) => {
                    seen = Some(self.store(tag, changed).await?);
                    pace.wrote(started.elapsed());
                }
            }
            tokio::time::sleep(pace.wait()).await;
        }
        Err(Error::refused(
            format!("changing {}:{tag}", self.repository()),
            format!("other clients keep changing it (read {LOOKS} times)"),
            "repeat the command when the other clients have finished",
        ))
    }

    async fn store(&self, tag: &Tag, changed: Changed) -> Result<Vec<u8>, Error> {
        if let Some((media_type, bytes)) = &changed.config {
            self.push_blob(media_type, bytes).await?;
        }
        let target = Target::Tag(tag.clone());
        self.push_manifest(&target, &changed.bytes, changed.media_type)
            .await?;
        Ok(changed.bytes)
    }
}

/// The pause before the next read.
struct Pace {
    still: Duration,
}

impl Pace {
    fn new() -> Self {
        Self { still: STILL }
    }

    /// Records that a read led to a write, and how long both took. Each further write means that another
    /// client overwrote ours, so the pauses grow with the number of writers.
    fn wrote(&mut self, took: Duration) {
        let longer = (took * SLOWER).max(self.still * 3 / 2);
        self.still = longer.min(STILL_AT_MOST);
    }

    fn wait(&self) -> Duration {
        with_jitter(self.still)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_longer_than_a_slow_write_and_than_before() {
        let mut pace = Pace::new();
        assert!(pace.wait() >= STILL && pace.wait() <= 2 * STILL);
        pace.wrote(Duration::from_secs(1));
        assert!(pace.wait() >= Duration::from_secs(4));
        pace.wrote(Duration::from_millis(1));
        assert!(pace.wait() >= Duration::from_secs(6));
        pace.wrote(Duration::from_secs(3600));
        assert!(pace.wait() <= 2 * STILL_AT_MOST);
    }

    #[test]
    fn waits_are_random() {
        let pace = Pace::new();
        let waits: std::collections::BTreeSet<_> = (0..8).map(|_| pace.wait()).collect();
        assert!(waits.len() > 1);
    }
}
