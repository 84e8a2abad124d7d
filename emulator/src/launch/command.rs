use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use confidential::event_log::{RestartPolicy, Variable};
use confidential::launch_policy::{Asked, MachineImage, Request};
use console::arguments::Registry;
use content::limits;
use oci::{Reference, Repository};
use remote::Transport;
use reqwest::Url;

use super::metadata::{ADDRESS, Attribute, Metadata, attributes};
use super::{Caller, Error, Hardware, Machine, Options, Report, metadata, policy, relay, stop};
use crate::project::{number, project_number};

/// The arguments of `emulator launch`, which real machines read from their metadata.
#[derive(Args, Debug)]
pub struct LaunchArgs {
    /// Image to launch, by digest or tag; of an index, the image for linux/amd64.
    #[arg(value_name = "REPO@DIGEST|REPO:TAG")]
    image: Reference,
    /// Address of the attestation service.
    #[arg(long, value_name = "URL", value_parser = address)]
    attestation: Url,
    #[command(flatten)]
    registry: Registry,
    /// Project of the operator.
    #[arg(long)]
    project: String,
    /// Number of the project [default: derived from its ID].
    #[arg(long)]
    project_number: Option<String>,
    /// Zone of the machine.
    #[arg(long, default_value = "us-central1-a")]
    zone: String,
    /// Name of the machine.
    #[arg(long, default_value = "vm1")]
    instance_name: String,
    /// ID of the machine, a number [default: derived from project, zone and name].
    #[arg(long)]
    instance_id: Option<String>,
    /// Service account that the machine runs as; can be repeated.
    #[arg(long, value_name = "EMAIL")]
    service_account: Vec<String>,
    /// Repositories that hold signatures of the image, separated by commas.
    #[arg(long, value_name = "REPO,…", value_delimiter = ',')]
    signed_image_repos: Vec<Repository>,
    /// Replace the command of the image; a JSON array of strings.
    #[arg(long, value_name = "JSON")]
    cmd: Option<Words>,
    /// Environment variable for the workload; can be repeated.
    #[arg(long, value_name = "NAME=VALUE")]
    env: Vec<Variable>,
    /// Family of the machine image.
    #[arg(long, value_enum, default_value_t = ImageFamily::Production)]
    image_family: ImageFamily,
    /// Hardware model of the machine, as attestation tokens name it.
    #[arg(long, value_enum, default_value_t = Hardware::IntelTdx)]
    hwmodel: Hardware,
    /// Request the output of the workload, which the launch policy of the image must allow.
    #[arg(long, value_enum, default_value_t = LogRedirect::True)]
    log_redirect: LogRedirect,
    /// Attribute of the instance, served by a metadata server; a file is read at each request, so that it can be changed while the
    /// workload runs; can be repeated.
    #[arg(long, value_name = "KEY=VALUE|KEY=@FILE")]
    metadata: Vec<Attribute>,
    /// Address of the metadata server, on loopback; the terms of a rehearsal name it.
    #[arg(long, value_name = "IP:PORT", default_value_t = ADDRESS, value_parser = loopback, requires = "metadata")]
    metadata_address: SocketAddr,
    /// Folder for the token socket; if it exists, the user of the image must have access [default: a temporary folder].
    #[arg(long, value_name = "DIR")]
    runtime: Option<PathBuf>,
    /// Time that the workload has to end after the SIGTERM that it gets when the launcher is interrupted, in seconds; a second
    /// signal kills it at once.
    #[arg(long, value_name = "SECONDS", default_value = "90", value_parser = stop::seconds)]
    grace: Duration,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ImageFamily {
    Production,
    Debug,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogRedirect {
    True,
    False,
}

/// Strings in a JSON array.
#[derive(Clone, Debug)]
struct Words(Vec<String>);

impl FromStr for Words {
    type Err = content::json::JsonError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        content::json::parse(text.as_bytes(), limits::DOCUMENT).map(Self)
    }
}

/// An address on loopback, for options.
///
/// # Errors
/// The text is not an address, or the address is not on loopback.
pub fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text
        .parse()
        .map_err(|e| format!("expected IP:PORT, such as {ADDRESS}: {e}"))?;
    // A workload is told the address before the server listens.
    match address.ip().is_loopback() && address.port() != 0 {
        true => Ok(address),
        false => Err(format!(
            "expected an address on loopback with a port, such as {ADDRESS}"
        )),
    }
}

fn address(text: &str) -> Result<Url, String> {
    let url: Url = text
        .parse()
        .map_err(|e| format!("expected http://HOST:PORT: {e}"))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(format!("expected http://HOST:PORT, found {other:?}")),
    }
}

impl LaunchArgs {
    /// The options of the launch, with `report` to receive notices.
    ///
    /// # Errors
    /// The file of certificate authorities cannot be read, or the metadata server cannot listen.
    pub async fn options(self, report: Report) -> Result<Options, Error> {
        Ok(Options {
            transport: self.transport().await?,
            machine: self.machine(),
            metadata: self.metadata()?,
            request: self.request(),
            image: self.image,
            attestation: self.attestation,
            signed_image_repos: self.signed_image_repos,
            share: self.runtime,
            report,
            output: relay::own(),
            restart: RestartPolicy::Never,
            grace: self.grace,
            caller: Caller::Operator,
        })
    }

    fn metadata(&self) -> Result<Option<Metadata>, Error> {
        if self.metadata.is_empty() {
            return Ok(None);
        }
        Ok(Some(Metadata {
            listener: metadata::listen(self.metadata_address)?,
            attributes: attributes(self.metadata.clone()),
            facts: None,
        }))
    }

    async fn transport(&self) -> Result<Transport, Error> {
        match self.registry.plain_http {
            true => Ok(Transport::PlainHttp),
            false => Ok(Transport::https(self.registry.ca.as_deref()).await?),
        }
    }

    fn machine(&self) -> Machine {
        let (project, zone, name) = (&self.project, &self.zone, &self.instance_name);
        let own_number = || number(&format!("instance {project} {zone} {name}")).to_string();
        Machine {
            project: project.clone(),
            project_number: self
                .project_number
                .clone()
                .unwrap_or_else(|| project_number(project).to_string()),
            zone: zone.clone(),
            name: name.clone(),
            id: self.instance_id.clone().unwrap_or_else(own_number),
            hardware: self.hwmodel,
            image: self.machine_image(),
            service_accounts: self.service_account.clone(),
        }
    }

    fn machine_image(&self) -> MachineImage {
        match self.image_family {
            ImageFamily::Production => MachineImage::Production,
            ImageFamily::Debug => MachineImage::Debug,
        }
    }

    fn request(&self) -> Request {
        // The last value of a name applies: the metadata of a real machine has each name once.
        let mut env = Vec::new();
        for variable in &self.env {
            policy::set(&mut env, variable.clone());
        }
        Request {
            cmd: self.cmd.clone().map(|words| words.0).unwrap_or_default(),
            env,
            log_redirect: match self.log_redirect {
                LogRedirect::True => Asked::Yes,
                LogRedirect::False => Asked::No,
            },
            ..Request::on(self.machine_image())
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use content::Digest;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        launch: LaunchArgs,
    }

    fn options(args: &[&str]) -> Options {
        let image = format!("127.0.0.1:5000/a/b@{}", Digest::of(b""));
        let fixed = [
            "emulator",
            &image,
            "--attestation",
            "http://127.0.0.1:1",
            "--project",
            "op",
        ];
        let program = Program::parse_from(fixed.iter().chain(args));
        let options = program.launch.options(std::sync::Arc::new(|_| {}));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(options).unwrap()
    }

    #[test]
    fn refuses_invalid_addresses_and_hardware() {
        for (option, value) in [
            ("--attestation", "foo"),
            ("--attestation", "127.0.0.1:1"),
            ("--attestation", "file:///x"),
            ("--hwmodel", "NONSENSE"),
            ("--metadata-address", "8775"),
            ("--metadata-address", "10.0.0.1:8775"),
            ("--metadata-address", "127.0.0.1:0"),
        ] {
            let image = format!("127.0.0.1:5000/a/b@{}", Digest::of(b""));
            let args = ["emulator", &image, "--project", "op", option, value];
            let refused = Program::try_parse_from(args).err().unwrap().to_string();
            assert!(
                refused.contains(&format!("invalid value '{value}'")),
                "{refused}"
            );
        }
    }

    #[test]
    fn reads_the_options_of_the_operator() {
        let plain = options(&["--plain-http"]);
        assert_eq!(plain.transport, Transport::PlainHttp);
        let number = project_number("op").to_string();
        assert_eq!(plain.machine.project_number, number);
        assert!(plain.request.cmd.is_empty());
        let other = options(&[
            "--cmd",
            r#"["a","b c"]"#,
            "--env",
            "A=1",
            "--env",
            "B=",
            "--env",
            "A=1=2",
            "--image-family",
            "debug",
            "--signed-image-repos",
            "127.0.0.1:5000/a/b,127.0.0.1:5000/c",
            "--log-redirect",
            "false",
        ]);
        assert_eq!(other.request.cmd, ["a", "b c"]);
        let env: Vec<_> = other.request.env.iter().map(Variable::to_string).collect();
        assert_eq!(env, ["A=1=2", "B="]);
        assert_eq!(other.request.machine_image, MachineImage::Debug);
        assert_eq!(other.machine.image, MachineImage::Debug);
        assert_eq!(other.signed_image_repos.len(), 2);
        assert_eq!(other.request.log_redirect, Asked::No);
    }
}
