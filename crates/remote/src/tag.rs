//! Changing what stands under a tag that others may be changing too.
//!
//! Registries have no conditional PUT for manifests (OCI distribution specification, pushing
//! manifests), so a client that read before we wrote may still write over us. A change therefore counts
//! as made only once the tag has kept still, with our entry in it, for longer than reading,
//! changing and writing take: by then everyone who had not seen it has written, and everyone who
//! reads from there on keeps it.
//!
//! What remains: a writer that needs longer than that between its reading and its writing, far from
//! the registry or asleep, can still write over us unnoticed. Only a reader notices, so a client that
//! needs an entry looks for it.

use std::time::Duration;

use oci::{Tag, Target};
use tokio::time::Instant;

use crate::retry::with_jitter;
use crate::{Error, Registry};

/// Looks at one tag: enough for dozens of writers at once, and some minutes at the most.
const LOOKS: u32 = 24;
/// The least time in which a tag must keep still.
const STILL: Duration = Duration::from_millis(250);
/// The most, however slow the registry.
const STILL_AT_MOST: Duration = Duration::from_secs(20);
/// Others may be slower than we are, by this factor.
const SLOWER: u32 = 4;

/// A manifest about to be stored under a tag.
pub(crate) struct Changed {
    pub(crate) bytes: Vec<u8>,
    pub(crate) media_type: &'static str,
    /// Its configuration, by media type and content, where it needs one that may not be there.
    pub(crate) config: Option<(&'static str, Vec<u8>)>,
}

impl Registry {
    /// Stores under `tag` what `change` makes of what stands there, again and again until it stays.
    /// `change` gives `None` for what needs no change.
    ///
    /// # Errors
    /// [`Error::Contended`] if the tag does not come to rest, what `change` refuses, or a registry
    /// that refuses.
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
        Err(Error::Contended {
            repository: self.repository().clone(),
            tag: tag.clone(),
            looks: LOOKS,
        })
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

/// How long to wait before the next look.
struct Pace {
    still: Duration,
}

impl Pace {
    fn new() -> Self {
        Self { still: STILL }
    }

    /// A look that ended in a write, and how long both took. Every further one means that somebody
    /// wrote over us: the more writers, the rarer each.
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
    fn no_two_waits_are_the_same() {
        let pace = Pace::new();
        let waits: std::collections::BTreeSet<_> = (0..8).map(|_| pace.wait()).collect();
        assert!(waits.len() > 1);
    }
}
