//! The launch policy: what the operator may override, and the process that results.

use confidential::event_log::Variable;
pub use confidential::launch_policy::Refusal;
use confidential::launch_policy::{LaunchPolicy, Request};
use oci::{Config, Execution};

use super::Error;

/// The path that a container has if its image names none (containerd, `oci/spec_opts.go`).
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The process to start.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Process {
    /// The program and its arguments.
    pub args: Vec<String>,
    /// The environment variables; each name occurs once.
    pub env: Vec<Variable>,
}

/// Checks the request of the operator against the labels of the image.
///
/// # Errors
/// The first violation of the launch policy, an invalid label, or an image without an entry point.
pub fn check(config: &Config, request: &Request) -> Result<(), Refusal> {
    LaunchPolicy::from_labels(&config.config.labels)?.check(request)?;
    let (args, cmd) = (args(&config.config, request).len(), request.cmd.len());
    if args <= cmd {
        return Err(Refusal(format!(
            "length of Args [{args}] is shorter or equal to the length of the given Cmd [{cmd}], \
             maybe the Entrypoint is set to empty in the image?"
        )));
    }
    Ok(())
}

/// Checks that the image is for linux/amd64. An image without a platform is accepted, as by containerd for
/// a manifest that is requested by digest.
///
/// # Errors
/// The image is for another operating system or architecture.
pub fn check_platform(config: &Config) -> Result<(), Error> {
    match (config.os.as_str(), config.architecture.as_str()) {
        ("linux" | "", "amd64" | "") => Ok(()),
        (os, architecture) => {
            let short = |text: &str| text.chars().take(40).collect::<String>();
            let (os, architecture) = (short(os), short(architecture));
            Err(Error::platform(
                "reading image",
                format!("expected platform linux/amd64, found {os}/{architecture}"),
            ))
        }
    }
}

/// The process by the configuration of the image and the request of the operator.
///
/// # Errors
/// A variable of the image has no name or no value.
pub fn process(config: &Config, request: &Request, hostname: &str) -> Result<Process, Error> {
    let mut env = vec![variable("PATH", PATH)?];
    for text in &config.config.env {
        set(&mut env, of_image(text)?);
    }
    for chosen in &request.env {
        set(&mut env, chosen.clone());
    }
    set(&mut env, variable("HOSTNAME", hostname)?);
    Ok(Process {
        args: args(&config.config, request),
        env,
    })
}

fn args(config: &Execution, request: &Request) -> Vec<String> {
    let cmd = match request.cmd.is_empty() {
        true => &config.cmd,
        false => &request.cmd,
    };
    config.entrypoint.iter().chain(cmd).cloned().collect()
}

fn of_image(text: &str) -> Result<Variable, Error> {
    let (name, value) = text.split_once('=').ok_or_else(|| {
        let shown: String = text.chars().take(80).collect();
        let fault = format!("the variable {shown:?} has no value");
        Error::image("reading image", fault)
    })?;
    variable(name, value)
}

fn variable(name: &str, value: &str) -> Result<Variable, Error> {
    let hint = "every variable of the image must have a name";
    Variable::new(name, value).map_err(|error| Error::refused("measuring launch", error, hint))
}

/// Sets a variable; an existing one is replaced in place.
pub(super) fn set(env: &mut Vec<Variable>, variable: Variable) {
    match env.iter_mut().find(|known| known.name() == variable.name()) {
        Some(known) => *known = variable,
        None => env.push(variable),
    }
}

#[cfg(test)]
mod tests {
    use confidential::launch_policy::{MachineImage, Permission};
    use content::Digest;
    use oci::RootFs;

    use super::*;

    fn config(entrypoint: &[&str], cmd: &[&str], labels: &[(&str, &str)]) -> Config {
        let words = |words: &[&str]| words.iter().map(|word| word.to_string()).collect();
        let label = |(k, v): &(&str, &str)| (format!("tee.launch_policy.{k}"), v.to_string());
        Config {
            architecture: "amd64".into(),
            os: "linux".into(),
            config: Execution {
                entrypoint: words(entrypoint),
                cmd: words(cmd),
                env: vec!["A=1".into(), "PATH=/bin".into()],
                labels: labels.iter().map(label).collect(),
                ..Execution::default()
            },
            rootfs: RootFs::of_layers(vec![Digest::of(b"")]),
            ..Config::default()
        }
    }

    fn request(cmd: &[&str]) -> Request {
        let cmd = cmd.iter().map(|word| word.to_string()).collect();
        Request {
            cmd,
            ..Request::on(MachineImage::Production)
        }
    }

    #[test]
    fn the_launch_policy_limits_the_operator() {
        let image = config(&["/run"], &[], &[]);
        let refusal = check(&image, &request(&["--leak"])).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "CMD is not allowed to be overridden on this image"
        );
        let open = config(&["/run"], &[], &[("allow_cmd_override", "true")]);
        assert_eq!(check(&open, &request(&["--leak"])), Ok(()));
        let odd = config(&["/run"], &[], &[("allow_cmd_override", "perhaps")]);
        let refusal = check(&odd, &request(&[])).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "invalid image LABEL 'tee.launch_policy.allow_cmd_override' (not a boolean)"
        );
        assert_eq!(Permission::default(), Permission::Denied);
    }

    #[test]
    fn requires_an_entrypoint() {
        let empty = config(&[], &[], &[]);
        let refusal = |config, request: &_| check(config, request).unwrap_err().to_string();
        assert_eq!(
            refusal(&empty, &request(&[])),
            "length of Args [0] is shorter or equal to the length of the given Cmd [0], maybe the \
             Entrypoint is set to empty in the image?"
        );
        let open = config(&[], &["/run"], &[("allow_cmd_override", "true")]);
        assert_eq!(check(&open, &request(&[])), Ok(()));
        assert_eq!(
            refusal(&open, &request(&["/other"])),
            "length of Args [1] is shorter or equal to the length of the given Cmd [1], maybe the \
             Entrypoint is set to empty in the image?"
        );
    }

    #[test]
    fn the_operator_replaces_command_and_variables() {
        let image = config(&["/run"], &["a", "b"], &[]);
        let mut asked = request(&["c"]);
        asked.env = vec![Variable::new("A", "2").unwrap()];
        let process = process(&image, &asked, "vm").unwrap();
        assert_eq!(process.args, ["/run", "c"]);
        let env: Vec<_> = process.env.iter().map(Variable::to_string).collect();
        assert_eq!(env, ["PATH=/bin", "A=2", "HOSTNAME=vm"]);
    }

    #[test]
    fn names_a_variable_of_the_image_without_a_value() {
        let mut image = config(&["/run"], &[], &[]);
        image.config.env = vec!["LONELY".into()];
        let error = process(&image, &request(&[]), "vm").unwrap_err();
        assert_eq!(
            error.to_string(),
            "reading image: the variable \"LONELY\" has no value"
        );
    }
}
