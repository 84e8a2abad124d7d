//! Capabilities (capabilities(7)).

use rustix::io::{Errno, Result};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
    configure_capability_in_ambient_set, remove_capability_from_bounding_set, set_capabilities,
    set_no_new_privs,
};

/// Makes the capabilities of this process ambient, so that it keeps them when it executes another program.
/// Otherwise only root keeps them.
///
/// # Errors
/// The error of capset(2) or prctl(2).
pub fn keep() -> Result<()> {
    let mut sets = capabilities(None)?;
    sets.inheritable = sets.permitted;
    set_capabilities(None, sets)?;
    for capability in sets.permitted.iter() {
        configure_capability_in_ambient_set(capability, true)?;
    }
    Ok(())
}

/// Drops all capabilities, also from the bounding set, and sets `no_new_privs`, so that none can be gained.
///
/// # Errors
/// The error of capset(2) or prctl(2).
pub fn give_up() -> Result<()> {
    keep_only(CapabilitySet::empty())
}

/// Drops all capabilities but `kept`, as [`give_up`] does. A program that root executes keeps these.
///
/// # Errors
/// The error of capset(2) or prctl(2).
pub fn keep_only(kept: CapabilitySet) -> Result<()> {
    for capability in CapabilitySet::all().difference(kept).iter() {
        match remove_capability_from_bounding_set(capability) {
            // The kernel is older than the capability.
            Ok(()) | Err(Errno::INVAL) => {}
            Err(error) => return Err(error),
        }
    }
    clear_ambient_capability_set()?;
    let sets = CapabilitySets {
        effective: kept,
        permitted: kept,
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, sets)?;
    set_no_new_privs(true)
}
