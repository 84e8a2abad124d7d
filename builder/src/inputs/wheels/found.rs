//! The wheel of a requirement.

use super::opened::Opened;
use crate::lock::wheels::Wheel;

/// A requirement's wheel, and what it says of itself.
pub(super) struct Found {
    pub(super) wheel: Wheel,
    pub(super) opened: Opened,
    /// Whether its project asks not to use it any more.
    pub(super) is_yanked: bool,
}
