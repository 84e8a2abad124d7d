//! The command `capsule`.

use builder::error::Error;
use builder::inputs::{self, Supply};
use builder::publish;
use tokio::runtime::Handle;

use super::publish::transport;
use crate::cli::Capsule;

/// Makes a capsule, and writes and pushes it. Returns what is printed.
pub fn pack(
    arguments: &Capsule,
    supply: &Supply<'_>,
    runtime: &Handle,
) -> Result<Vec<String>, Error> {
    let mut printed = Vec::new();
    let is_pushed = arguments.push.is_some() || arguments.attach.is_some();
    let transport = is_pushed.then(|| runtime.block_on(transport(&arguments.registry)));
    let transport = transport.transpose()?;
    let subject = match (&arguments.attach, &transport) {
        (Some(image), Some(transport)) => {
            let subject = publish::capsule::subject(image, transport);
            Some(runtime.block_on(subject)?)
        }
        _ => None,
    };
    let capsule = inputs::pack(&arguments.directory, subject, supply)?;
    if let Some(output) = &arguments.output {
        printed.push(capsule.write(output, supply)?.to_string());
    }
    let Some(transport) = &transport else {
        return Ok(printed);
    };
    let progress = supply.progress;
    let pushed = async {
        match (&arguments.push, &arguments.attach) {
            (Some(reference), _) => {
                publish::capsule::push(&capsule, reference, transport, progress)
                    .await
                    .map(Some)
            }
            (None, Some(image)) => {
                publish::capsule::attach(&capsule, &image.repository, transport, progress)
                    .await
                    .map(Some)
            }
            (None, None) => Ok(None),
        }
    };
    let pushed = runtime.block_on(pushed)?;
    printed.extend(pushed.map(|reference| reference.to_string()));
    Ok(printed)
}
