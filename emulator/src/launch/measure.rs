//! The events that the launcher measures.

use confidential::event_log::{Event, Reporting};
use confidential::launch_policy::Monitoring;

use super::Options;
use super::policy::Process;
use super::pull::Pulled;

/// The events that are measured before the container starts, in the order of the launcher
/// (google/go-tpm-tools, `launcher/container_runner.go`).
pub fn events(options: &Options, image: &Pulled, process: &Process) -> Vec<Event> {
    let request = &options.request;
    let mut events = vec![
        Event::ImageRef(options.image.to_string()),
        Event::ImageDigest(image.image_digest),
        Event::RestartPolicy(options.restart),
        Event::ImageId(image.image_id),
    ];
    events.extend(process.args.iter().cloned().map(Event::Arg));
    events.extend(process.env.iter().cloned().map(Event::EnvVar));
    events.extend(request.env.iter().cloned().map(Event::OverrideEnv));
    events.extend(request.cmd.iter().cloned().map(Event::OverrideArg));
    events.push(Event::MemoryMonitor(match request.monitoring {
        Monitoring::None => Reporting::Off,
        Monitoring::MemoryOnly | Monitoring::All => Reporting::On,
    }));
    events.push(Event::LaunchSeparator);
    events
}
