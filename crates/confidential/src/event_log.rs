//! The events that the Confidential Space launcher measures into PCR 13 (RTMR 3 on TDX) before it
//! starts a container (GoogleCloudPlatform/confidential-space, `server/coscel/cos_tlv.go`).
//!
//! One event is two nested fields, each `u8` type, `u32` big-endian length, value: the outer one of type
//! 80, the inner one of the event's own type. A log has a record for each event, which names the register
//! that the event was measured into, and its digests.

mod event;
mod record;
mod register;

use std::collections::BTreeMap;

use content::{Digest, Hasher, limits};

use crate::Error;
pub use event::{Event, Reporting, RestartPolicy, Variable};
use record::Fields;
pub use register::Register;

/// The number of the PCR that the events are measured into.
pub const PCR: u8 = 13;
const REPLAYING: &str = "replaying events";

/// The canonical event log of these events, measured into `register`.
pub fn encode(events: &[Event], register: Register) -> Vec<u8> {
    let numbered = events.iter().zip(0..);
    numbered
        .flat_map(|(event, number)| record::write(number, register, event))
        .collect()
}

/// Parses the events in the canonical event log of `register`. Their order is checked by [`replay`].
///
/// # Errors
/// The log is larger than [`limits::EVENT_LOG`]; a record is truncated, has a wrong number, register or
/// digest, or contains an unknown event.
pub fn decode(bytes: &[u8], register: Register) -> Result<Vec<Event>, Error> {
    let size = bytes.len() as u64;
    if size > limits::EVENT_LOG {
        return Err(Error::size(record::READING, size, limits::EVENT_LOG));
    }
    let mut fields = Fields::of(bytes);
    let mut events = Vec::new();
    for number in 0.. {
        if fields.is_empty() {
            break;
        }
        events.push(fields.record(number, register)?);
    }
    Ok(events)
}

/// The value of a register that starts with 32 zero bytes, after all events: each event replaces it by
/// `SHA-256(register || digest)` (TCG, `TPM2_PCR_Extend`).
pub fn register(events: &[Event]) -> Digest {
    let start = Digest::from_bytes([0; 32]);
    events.iter().fold(start, |register, event| {
        let mut hasher = Hasher::new();
        hasher.update(register.as_bytes());
        hasher.update(event.digest().as_bytes());
        hasher.finish()
    })
}

/// One launch, as its events describe it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Launch {
    /// The image reference as the operator wrote it.
    pub image_reference: String,
    /// The digest of the manifest.
    pub image_digest: Digest,
    /// The digest of the configuration.
    pub image_id: Digest,
    /// When the launcher restarts the container.
    pub restart_policy: RestartPolicy,
    /// The arguments of the container's process, overrides included.
    pub args: Vec<String>,
    /// The environment variables of the container's process, overrides included.
    pub env: BTreeMap<String, String>,
    /// The arguments that the operator passed.
    pub cmd_override: Vec<String>,
    /// The environment variables that the operator passed.
    pub env_override: BTreeMap<String, String>,
    /// Whether memory use is reported.
    pub memory_monitor: Reporting,
    /// The confidential computing mode of the GPUs, if there are any.
    pub gpu_cc_mode: Option<String>,
}

/// Combines the events of one complete launch.
///
/// # Errors
/// An event that may occur once occurs twice, a required event or the launch separator is missing, or an
/// event follows the separator.
pub fn replay(events: &[Event]) -> Result<Launch, Error> {
    let (separator, measured) = events.split_last().ok_or_else(|| missing(8))?;
    if let Some(at) = measured
        .iter()
        .position(|event| *event == Event::LaunchSeparator)
    {
        let kind = events[at + 1].kind();
        let fault = format!("type {kind} comes after the launch separator");
        return Err(Error::new(REPLAYING, fault));
    }
    if *separator != Event::LaunchSeparator {
        return Err(missing(8));
    }
    let mut seen = Seen::default();
    measured.iter().try_for_each(|event| seen.note(event))?;
    seen.finish()
}

#[derive(Default)]
struct Seen {
    image_reference: Option<String>,
    image_digest: Option<Digest>,
    image_id: Option<Digest>,
    restart_policy: Option<RestartPolicy>,
    args: Vec<String>,
    env: BTreeMap<String, String>,
    cmd_override: Vec<String>,
    env_override: BTreeMap<String, String>,
    memory_monitor: Option<Reporting>,
    gpu_cc_mode: Option<String>,
}

impl Seen {
    fn note(&mut self, event: &Event) -> Result<(), Error> {
        let kind = event.kind();
        match event {
            Event::ImageRef(text) => once(kind, &mut self.image_reference, text),
            Event::ImageDigest(digest) => once(kind, &mut self.image_digest, digest),
            Event::RestartPolicy(policy) => once(kind, &mut self.restart_policy, policy),
            Event::ImageId(digest) => once(kind, &mut self.image_id, digest),
            Event::MemoryMonitor(reporting) => once(kind, &mut self.memory_monitor, reporting),
            Event::GpuCcMode(mode) => once(kind, &mut self.gpu_cc_mode, mode),
            Event::EnvVar(variable) => put(kind, &mut self.env, variable),
            Event::OverrideEnv(variable) => put(kind, &mut self.env_override, variable),
            Event::Arg(text) => push(&mut self.args, text),
            Event::OverrideArg(text) => push(&mut self.cmd_override, text),
            Event::LaunchSeparator | Event::GpuDeviceAttestationBinding(_) => Ok(()),
        }
    }

    fn finish(self) -> Result<Launch, Error> {
        Ok(Launch {
            image_reference: self.image_reference.ok_or_else(|| missing(0))?,
            image_digest: self.image_digest.ok_or_else(|| missing(1))?,
            restart_policy: self.restart_policy.ok_or_else(|| missing(2))?,
            image_id: self.image_id.ok_or_else(|| missing(3))?,
            args: self.args,
            env: self.env,
            cmd_override: self.cmd_override,
            env_override: self.env_override,
            memory_monitor: self.memory_monitor.unwrap_or_default(),
            gpu_cc_mode: self.gpu_cc_mode,
        })
    }
}

fn missing(kind: u8) -> Error {
    Error::new(REPLAYING, format!("type {kind} is missing"))
}

fn twice(kind: u8) -> Error {
    Error::new(REPLAYING, format!("type {kind} occurs twice"))
}

fn push(list: &mut Vec<String>, text: &str) -> Result<(), Error> {
    list.push(text.to_owned());
    Ok(())
}

fn once<T: Clone>(kind: u8, slot: &mut Option<T>, value: &T) -> Result<(), Error> {
    match slot.replace(value.clone()) {
        None => Ok(()),
        Some(_) => Err(twice(kind)),
    }
}

fn put(kind: u8, map: &mut BTreeMap<String, String>, variable: &Variable) -> Result<(), Error> {
    match map.insert(variable.name().to_owned(), variable.value().to_owned()) {
        None => Ok(()),
        Some(_) => Err(twice(kind)),
    }
}

#[cfg(test)]
mod tests {
    use super::event::{EVENT, field};
    use super::*;

    fn launch() -> Vec<Event> {
        let variable = |text: &str| text.parse::<Variable>().unwrap();
        vec![
            Event::ImageRef("registry.example/tee:1".into()),
            Event::ImageDigest(Digest::of(b"manifest")),
            Event::RestartPolicy(RestartPolicy::Never),
            Event::ImageId(Digest::of(b"config")),
            Event::Arg("/workload".into()),
            Event::Arg("--quick".into()),
            Event::EnvVar(variable("HOSTNAME=vm1")),
            Event::EnvVar(variable("EMPTY=")),
            Event::EnvVar(variable("BOTH=a=b")),
            Event::OverrideArg("--quick".into()),
            Event::OverrideEnv(variable("BOTH=a=b")),
            Event::MemoryMonitor(Reporting::Off),
            Event::GpuCcMode("ON".into()),
            Event::GpuDeviceAttestationBinding(vec![0, 255]),
            Event::LaunchSeparator,
        ]
    }

    fn refusal(events: &[Event]) -> String {
        replay(events).unwrap_err().to_string()
    }

    /// The digest and the register's value come from a software TPM.
    #[test]
    fn measures_like_a_tpm() {
        let image = "sha256:a76fd40d851d895f6eee2b047ceaf84fcb06812ef1707dbc9a22e4e74f4cfd1f";
        let event = Event::ImageDigest(image.parse().unwrap());
        let digest = "53b2d65ab2f3eaf9bbd9ea62b3f9407df0789e470d5346226c141bc39fa34a6f";
        assert_eq!(event.digest().hex(), digest);
        let pcr = "48c4e2972065d11b66c9fffc54141aa109e165e9f27db81574d57993523ea520";
        assert_eq!(register(&[event]).hex(), pcr);
    }

    #[test]
    fn decodes_what_it_encodes() {
        let events = launch();
        for register in [Register::Pcr, Register::Rtmr] {
            let log = encode(&events, register);
            assert_eq!(decode(&log, register).unwrap(), events);
            assert_eq!(decode(&[], register).unwrap(), []);
        }
        let other = decode(&encode(&events, Register::Rtmr), Register::Pcr).unwrap_err();
        assert!(other.to_string().contains("expected PCR 13"), "{other}");
    }

    #[test]
    fn refuses_every_truncation() {
        let bytes = encode(&launch(), Register::Pcr);
        let whole: Vec<usize> = (0..=launch().len())
            .map(|n| encode(&launch()[..n], Register::Pcr).len())
            .collect();
        for length in 0..=bytes.len() {
            assert_eq!(
                decode(&bytes[..length], Register::Pcr).is_ok(),
                whole.contains(&length),
                "{length}"
            );
        }
    }

    #[test]
    fn refuses_other_records_and_contents() {
        let log = |bytes: &[u8]| decode(&record::of_bytes(bytes), Register::Pcr);
        let refused = |bytes: &[u8]| log(bytes).unwrap_err().to_string();
        assert!(refused(&field(4, &field(8, b""))).contains("expected type 80"));
        assert!(refused(&field(EVENT, &field(12, b""))).contains("unknown type 12"));
        assert!(refused(&field(EVENT, &field(8, b"x"))).contains("expected no bytes"));
        assert!(refused(&field(EVENT, &field(9, b"\x02"))).contains("expected 0 or 1"));
        assert!(refused(&field(EVENT, &field(4, b"\xc0"))).contains("expected UTF-8"));
        assert!(refused(&field(EVENT, &field(1, b"sha256:"))).contains("parsing digest"));
        assert!(refused(&field(EVENT, &field(2, b"never"))).contains("restart policy"));
        let trailing = [field(4, b"a"), vec![0]].concat();
        assert!(refused(&field(EVENT, &trailing)).contains("bytes after its end"));
        for (variable, name) in [
            ("3a=b", "3a"),
            ("a", ""),
            ("", ""),
            ("=b", ""),
            ("a\"=b", "a\""),
        ] {
            let bytes = field(EVENT, &field(5, variable.as_bytes()));
            assert_eq!(
                refused(&bytes),
                format!("reading environment variable: invalid name {name:?}")
            );
        }
        // An older format of the log: events without records.
        let bare = decode(&Event::LaunchSeparator.to_bytes(), Register::Pcr).unwrap_err();
        assert!(
            bare.to_string()
                .contains("expected type 0 at byte 0, found 80")
        );
    }

    #[test]
    fn replays_a_launch() {
        let launch = replay(&launch()).unwrap();
        assert_eq!(launch.image_digest, Digest::of(b"manifest"));
        assert_eq!(launch.args, ["/workload", "--quick"]);
        assert_eq!(launch.env["BOTH"], "a=b");
        assert_eq!(launch.cmd_override, ["--quick"]);
        assert_eq!(launch.env_override.len(), 1);
        assert_eq!(launch.memory_monitor, Reporting::Off);
    }

    #[test]
    fn refuses_events_after_the_separator() {
        let mut events = launch();
        let expected = "replaying events: type 1 comes after the launch separator";
        events.push(Event::ImageDigest(Digest::of(b"another")));
        assert_eq!(refusal(&events), expected);
        events.push(Event::LaunchSeparator);
        assert_eq!(refusal(&events), expected);
    }

    #[test]
    fn refuses_an_incomplete_launch() {
        let events = launch();
        let missing = |kind: u8| format!("replaying events: type {kind} is missing");
        assert_eq!(refusal(&events[..events.len() - 1]), missing(8));
        assert_eq!(refusal(&[]), missing(8));
        for index in 0..4 {
            let mut events = launch();
            let event = events.remove(index);
            let kind = event.kind();
            assert_eq!(refusal(&events), missing(kind));
            events.splice(0..0, [event.clone(), event.clone()]);
            assert_eq!(
                refusal(&events),
                format!("replaying events: type {kind} occurs twice")
            );
        }
    }

    #[test]
    fn every_event_and_the_order_change_the_register() {
        let events = launch();
        let register_of_all = register(&events);
        for index in 1..events.len() {
            let mut swapped = events.clone();
            swapped.swap(index - 1, index);
            assert_ne!(register(&swapped), register_of_all, "{index}");
        }
        assert_eq!(register(&[]), Digest::from_bytes([0; 32]));
    }
}
