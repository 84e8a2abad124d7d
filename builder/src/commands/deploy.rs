//! The command that prints what an operator runs: the part of the program that reads its arguments and prints.

use std::collections::BTreeMap;

use builder::deploy::{self, Launchable, evidence};
use builder::error::Error;
use confidential::launch_policy::{Asked, Request};
use console::print;
use google::compute::MachineType;
use google::outputs::deployment::{Deployment, Hardware};
use oci::Repository;

use super::publish::transport;
use crate::cli::deploy::Deploy;
use crate::unprinted;

/// Prints what an operator runs to launch an image.
pub async fn deploy(arguments: &Deploy) -> Result<(), Error> {
    deploy::check_account(&arguments.service_account, &arguments.project)?;
    let transport = transport(&arguments.registry).await?;
    let launchable = deploy::read(&arguments.reference, &transport).await?;
    let request = request(arguments, &launchable)?;
    launchable.check(&request)?;
    let mut others = arguments.signed_image_repositories.clone();
    let own = &launchable.image.repository;
    others.extend(evidence::repositories(&arguments.policies, own)?);
    let signed = launchable.signed_repositories(&others);
    let (readable, others) = deploy::readable(&signed);
    let hardware = Hardware::from(arguments.confidential_compute);
    let deployment = Deployment {
        image: &launchable.image.to_string(),
        signed_repositories: &signed.iter().map(Repository::to_string).collect::<Vec<_>>(),
        readable: &readable,
        request: &request,
        restart: arguments.restart_policy.into(),
        project: &arguments.project,
        zone: &arguments.zone,
        instance: &arguments.instance_name,
        network: &arguments.network,
        account: &arguments.service_account,
        hardware,
        machine: &machine(arguments, hardware),
    };
    note(arguments, &launchable, &request, &others);
    for (owner, command) in deployment.asked_of_others() {
        print::note(&format!(
            "note: before the instance starts, the owner of project {owner} runs: {command}"
        ));
    }
    print::line(&(arguments.format.print)(&deployment)).map_err(unprinted)
}

fn machine(arguments: &Deploy, hardware: Hardware) -> MachineType {
    let named = arguments.machine_type.clone();
    named.unwrap_or_else(|| hardware.smallest_machine())
}

/// What the operator asks of the launcher. Output is redirected if that is not asked and the labels allow it.
fn request(arguments: &Deploy, launchable: &Launchable) -> Result<Request, Error> {
    let machine_image = arguments.image_family.into();
    let log_redirect = match arguments.log_redirect {
        Some(asked) => asked.into(),
        None => launchable.logs(machine_image)?,
    };
    let cmd = arguments.cmd.as_ref();
    // The last value of a name applies: the metadata of an instance has each name once.
    let env = arguments.env.iter();
    let env: BTreeMap<_, _> = env.map(|variable| (variable.name(), variable)).collect();
    Ok(Request {
        cmd: cmd.map(|words| words.0.clone()).unwrap_or_default(),
        env: env.into_values().cloned().collect(),
        log_redirect,
        ..Request::on(machine_image)
    })
}

/// Says what the printed commands leave to others.
fn note(arguments: &Deploy, launchable: &Launchable, request: &Request, others: &[&Repository]) {
    for other in others {
        print::note(&format!(
            "note: {other} is not in Artifact Registry: the launcher must be able to read it without a password"
        ));
    }
    if request.log_redirect == Asked::No {
        print::note("note: the workload's output is not written to a log");
    }
    let account = &arguments.service_account;
    if account.project() != Some(&arguments.project) {
        print::note(&format!(
            "note: {account} does not belong to project {}: it must exist already",
            arguments.project
        ));
    }
    for port in launchable.execution.exposed_ports.keys() {
        print::note(&format!(
            "note: the image listens on {port}, which no firewall rule here opens"
        ));
    }
}
