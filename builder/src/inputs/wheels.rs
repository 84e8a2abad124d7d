//! Python packages: a file in the format of pip names versions and digests, `builder lock` chooses a wheel for each that fits the
//! Python of the image, and this program fetches, checks and unpacks it. No pip is needed, and nothing of a wheel runs.

mod choose;
mod dependency;
mod files;
mod found;
mod index;
mod libraries;
mod listing;
mod marker;
mod metadata;
mod missing;
mod notes;
mod obtain;
mod opened;
mod record;
mod requirements;
mod suggest;
mod tags;
mod target;
mod unpack;

pub use files::WantedWheels;
pub(in crate::inputs) use files::check;
pub use listing::names;
pub use obtain::examine;
pub(in crate::inputs) use obtain::{complete, resolve};
pub use requirements::Requirements;
pub(crate) use unpack::Unpacked;
pub use unpack::Wheels;
