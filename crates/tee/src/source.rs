//! Where signatures are looked for.

mod metadata;
mod registry;

use std::ops::ControlFlow;
use std::time::Duration;

use content::Digest;

use crate::clock::Stopped;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::repository::Repository;
use crate::signed::Signed;
use crate::tally::Tally;
use crate::tee::Tee;

pub(crate) use metadata::Watch;
use registry::{Registry, Trouble};

/// The environment variable in which an operator may pass signatures.
pub const VARIABLE: &str = "COUNTERSIGN_SIGNATURES";

/// The time for one reading of the registry, if no longer wait is left.
const REGISTRY: Duration = Duration::from_secs(60);

/// The pause after a change of the metadata: who changes them may do so all the time.
const CHANGED: Duration = Duration::from_secs(2);

/// A source of signatures.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Source {
    /// The claims of the attestation token: the launcher has found them, and the attestation service has verified them.
    Token,
    /// The repository of the quorum.
    Registry,
    /// The metadata `countersign-signatures` of the instance.
    Metadata,
    /// What the operator has passed at the start: each an array of signatures.
    Given {
        /// How it was passed, for messages.
        by: Carrier,
        /// The arrays.
        arrays: Vec<String>,
    },
}

/// How an operator passes signatures at the start.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Carrier {
    /// As arguments of the program.
    Arguments,
    /// In the environment variable [`VARIABLE`].
    Environment,
}

impl Carrier {
    fn name(self) -> &'static str {
        match self {
            Self::Arguments => "argument",
            Self::Environment => VARIABLE,
        }
    }
}

/// The sources, read for one image.
pub(crate) struct Reader<'a> {
    tee: &'a Tee<'a>,
    sources: &'a [Source],
    image: Digest,
    watch: Watch,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(tee: &'a Tee<'a>, sources: &'a [Source], image: Digest) -> Self {
        Self {
            tee,
            sources,
            image,
            watch: Watch::default(),
        }
    }

    /// Reads the sources, until enough is found. `left` is what is left of the wait.
    pub(crate) fn read(
        &mut self,
        repository: Option<&Repository>,
        left: Duration,
        tally: &mut Tally,
    ) {
        for source in self.sources {
            let read = match source {
                Source::Token => self.token(tally),
                Source::Registry => {
                    self.registry(repository, left, tally);
                    Ok(())
                }
                Source::Metadata => self.metadata(tally),
                Source::Given { by, arrays } => {
                    let arrays = arrays.iter().map(String::as_bytes);
                    arrays.for_each(|array| carried(by.name(), array, tally));
                    Ok(())
                }
            };
            if let Err(error) = read {
                tally.fail(error);
            }
            if tally.is_enough() {
                break;
            }
        }
    }

    /// Waits before the sources are read again, at most `pause`: shorter if the metadata change.
    pub(crate) fn pause(&mut self, pause: Duration) -> Result<(), Stopped> {
        let clock = self.tee.clock();
        let begin = clock.elapsed();
        if self.sources.contains(&Source::Metadata)
            && matches!(self.watch.has_changed(self.tee, pause), Ok(true))
        {
            return clock.sleep(CHANGED.min(pause));
        }
        let passed = clock.elapsed().saturating_sub(begin);
        clock.sleep(pause.saturating_sub(passed))
    }

    fn token(&self, tally: &mut Tally) -> Result<(), Error> {
        self.tee.refresh_signatures()?;
        let identity = self.tee.identity()?;
        if identity.image_digest() == self.image {
            tally.claims(&identity);
        }
        Ok(())
    }

    fn registry(&self, repository: Option<&Repository>, left: Duration, tally: &mut Tally) {
        let Some(repository) = repository else {
            return;
        };
        let origin = "registry";
        let deadline = Deadline::after(self.tee.clock(), REGISTRY.max(left));
        let registry = Registry::new(self.tee, repository, deadline);
        let _ = registry::read(&registry, self.image, &mut |piece| {
            match piece {
                Ok(signed) => tally.signed(origin, &[signed]),
                Err(Trouble::Objection(objection)) => tally.object(origin, &objection),
                Err(Trouble::Error(error)) => tally.fail(error),
            }
            match tally.is_enough() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
    }

    fn metadata(&mut self, tally: &mut Tally) -> Result<(), Error> {
        if let Some(array) = self.watch.read(self.tee)? {
            carried(metadata::ATTRIBUTE, array.bytes(), tally);
        }
        Ok(())
    }
}

fn carried(origin: &str, array: &[u8], tally: &mut Tally) {
    match Signed::carried(array) {
        Ok(found) => tally.signed(origin, &found),
        Err(objection) => tally.object(origin, &objection),
    }
}
