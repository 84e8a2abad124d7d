//! The part of the terms that describes the program and its secrets.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::invalid::{InvalidProgram, SECRETS};
use super::source::{Form, Source, Wire, WireObject, absolute};
use super::user::User;

/// The largest size of the description, in bytes.
const LIMIT: u64 = 1 << 20;
/// The largest length of the name of a secret, in bytes.
const NAME: usize = 64;
/// The prefix of the variables that only the workload sets.
pub(super) const RESERVED: &str = "COUNTERSIGN_";
/// What follows in the name of a variable with the number of a descriptor.
pub(super) const DESCRIPTOR: &str = "DESCRIPTOR_";

/// The program, and what it is given.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Program {
    /// The absolute path of the program in the image, and its arguments.
    pub command: Vec<String>,
    /// The user that it runs as.
    pub user: User,
    /// The secrets that it is given.
    pub secrets: Vec<Wanted>,
}

/// A secret that the program is given.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wanted {
    /// The name of the secret, and of its file.
    pub name: String,
    /// The name of the collaborator that lends it.
    pub collaborator: String,
    /// Where it comes from.
    pub source: Source,
    /// What is there.
    pub form: Form,
    /// How the program receives it.
    pub give: Give,
}

/// How the program receives a secret.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Give {
    /// As a file in memory that only its user can read.
    #[default]
    File,
    /// As an open descriptor of a sealed file in memory.
    Descriptor,
    /// As this environment variable.
    Environment(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireProgram {
    command: Vec<String>,
    user: Option<String>,
    #[serde(default)]
    secrets: Vec<WireSecret>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSecret {
    name: String,
    collaborator: String,
    ciphertext: Option<String>,
    secret: Option<String>,
    object: Option<WireObject>,
    kms: Option<bool>,
    #[serde(default)]
    give: Give,
}

impl Program {
    /// Parses the description, the value of `exec` in the terms.
    ///
    /// # Errors
    /// A field is unknown, missing or invalid, or a name occurs twice.
    pub fn parse(value: &Value) -> Result<Self, InvalidProgram> {
        // The parser of documents is stricter than that of values.
        let bytes = content::json::canonical(value)?;
        let wire: WireProgram = content::json::parse(&bytes, LIMIT)?;
        let secrets = read_secrets(wire.secrets)?;
        Ok(Self {
            command: read_command(wire.command)?,
            user: wire.user.map_or(Ok(User::default()), |user| user.parse())?,
            secrets,
        })
    }
}

impl Wanted {
    fn read(wire: WireSecret) -> Result<Self, InvalidProgram> {
        let name = read_name(wire.name)?;
        let places = Wire {
            ciphertext: wire.ciphertext,
            secret: wire.secret,
            object: wire.object,
            kms: wire.kms,
        };
        let (source, form) = Source::read(places, &name)?;
        if let Give::Environment(variable) = &wire.give {
            check_variable(variable, &name)?;
        }
        Ok(Self {
            name,
            collaborator: wire.collaborator,
            source,
            form,
            give: wire.give,
        })
    }

    /// The environment variable that names or holds the secret, if there is one.
    pub(super) fn variable(&self) -> Option<String> {
        match &self.give {
            Give::File => None,
            Give::Environment(variable) => Some(variable.clone()),
            Give::Descriptor => {
                let plain = |c: char| match c.is_ascii_alphanumeric() {
                    true => c.to_ascii_uppercase(),
                    false => '_',
                };
                let name: String = self.name.chars().map(plain).collect();
                Some(format!("{RESERVED}{DESCRIPTOR}{name}"))
            }
        }
    }
}

fn read_command(command: Vec<String>) -> Result<Vec<String>, InvalidProgram> {
    let mut words = command.into_iter();
    let program = words.next().ok_or(InvalidProgram::Command)?;
    let command: Vec<_> = std::iter::once(absolute(program)?).chain(words).collect();
    match command.iter().any(|word| word.contains('\0')) {
        true => Err(InvalidProgram::Command),
        false => Ok(command),
    }
}

fn read_secrets(wire: Vec<WireSecret>) -> Result<Vec<Wanted>, InvalidProgram> {
    if wire.len() > SECRETS {
        return Err(InvalidProgram::TooMany(wire.len()));
    }
    let secrets: Vec<_> = wire
        .into_iter()
        .map(Wanted::read)
        .collect::<Result<_, _>>()?;
    let mut seen = BTreeSet::new();
    let names = secrets.iter().map(|wanted| wanted.name.clone());
    let variables = secrets.iter().filter_map(Wanted::variable);
    match names
        .chain(variables)
        .find(|name| !seen.insert(name.clone()))
    {
        Some(twice) => Err(InvalidProgram::Twice(twice)),
        None => Ok(secrets),
    }
}

/// The name of a secret is also that of a file.
fn read_name(name: String) -> Result<String, InvalidProgram> {
    let is_outer = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let is_inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let mut ends = name.chars();
    let (first, last) = (ends.clone().next(), ends.next_back());
    let is_name = is_outer(first) && is_outer(last) && name.chars().all(is_inner);
    match is_name && name.len() <= NAME {
        true => Ok(name),
        false => Err(InvalidProgram::Name(name.chars().take(80).collect())),
    }
}

fn check_variable(variable: &str, secret: &str) -> Result<(), InvalidProgram> {
    let is_known = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_variable = variable.chars().all(is_known)
        && variable.starts_with(|c: char| !c.is_ascii_digit())
        && !variable.starts_with(RESERVED);
    match is_variable {
        true => Ok(()),
        false => Err(InvalidProgram::Variable(secret.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parsed(value: &Value) -> Result<Program, String> {
        Program::parse(value).map_err(|error| error.to_string())
    }

    fn with(secret: Value) -> Result<Program, String> {
        let mut entries = json!({"name": "model-key", "collaborator": "bank"});
        for (name, value) in secret.as_object().unwrap() {
            entries[name] = value.clone();
        }
        parsed(&json!({"command": ["/app"], "secrets": [entries]}))
    }

    #[test]
    fn reads_every_kind_of_secret() {
        let program = parsed(&json!({
            "command": ["/app/server", "--flag", ""],
            "user": "1000:1000",
            "secrets": [
                {"name": "a", "collaborator": "bank", "ciphertext": "/etc/countersign/a.enc"},
                {"name": "b", "collaborator": "bank", "secret": "projects/p/secrets/s/versions/3",
                    "kms": true, "give": "descriptor"},
                {"name": "c", "collaborator": "clinic", "give": {"environment": "TOKEN"},
                    "object": {"bucket": "bucket", "name": "models/c", "generation": 7}},
            ],
        }))
        .unwrap();
        assert_eq!(program.command, ["/app/server", "--flag", ""]);
        assert_eq!(program.user.uid, 1000);
        let [a, b, c] = &program.secrets[..] else {
            panic!("not three secrets")
        };
        assert_eq!(a.source, Source::Image("/etc/countersign/a.enc".into()));
        assert_eq!((a.form, &a.give), (Form::Encrypted, &Give::File));
        assert_eq!((b.form, &b.give), (Form::Encrypted, &Give::Descriptor));
        assert_eq!(b.variable().unwrap(), "COUNTERSIGN_DESCRIPTOR_B");
        assert_eq!((c.form, c.variable()), (Form::Plain, Some("TOKEN".into())));
        let small = parsed(&json!({"command": ["/app"]})).unwrap();
        assert_eq!((small.user, small.secrets.len()), (User::default(), 0));
    }

    #[test]
    fn refuses_commands_that_are_none() {
        for (command, reason) in [
            (json!([]), "command: expected"),
            (json!(["app"]), "absolute path"),
            (json!(["/app", "a\u{0}b"]), "without NUL"),
            (json!("/app"), "invalid type"),
        ] {
            let error = parsed(&json!({"command": command})).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
        for value in [json!([["/app"]]), json!({"command": ["/app"], "args": []})] {
            parsed(&value).unwrap_err();
        }
        let root = json!({"command": ["/app"], "user": "0:0"});
        assert!(parsed(&root).unwrap_err().contains("other than 0"));
    }

    #[test]
    fn refuses_secrets_that_are_not_pinned_or_not_encrypted() {
        let object = |generation: Value| json!({"object": {"bucket": "bucket", "name": "o", "generation": generation}});
        for (secret, reason) in [
            (json!({}), "expected one of"),
            (
                json!({"ciphertext": "/a", "secret": "projects/p/secrets/s/versions/1"}),
                "expected one of",
            ),
            (
                json!({"ciphertext": "/a", "kms": false}),
                "always one of Cloud KMS",
            ),
            (json!({"ciphertext": "a"}), "absolute path"),
            (
                json!({"secret": "projects/p/secrets/s/versions/latest"}),
                "versions/N",
            ),
            (json!({"secret": "projects/p/secrets/s"}), "versions/N"),
            (object(json!(0)), "generation"),
            (object(json!(-1)), "invalid value"),
            (
                json!({"ciphertext": "/a", "give": "stdin"}),
                "unknown variant",
            ),
            (
                json!({"ciphertext": "/a", "give": {"environment": "A=B"}}),
                "a variable of letters",
            ),
            (
                json!({"ciphertext": "/a", "give": {"environment": ""}}),
                "a variable of letters",
            ),
            (
                json!({"ciphertext": "/a", "give": {"environment": "COUNTERSIGN_X"}}),
                "a variable of letters",
            ),
        ] {
            let error = with(secret).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn refuses_names_that_are_no_files_or_occur_twice() {
        let named = |names: &[&str], give: &str| {
            let secret = |name: &&str| json!({"name": name, "collaborator": "bank", "ciphertext": "/a", "give": give});
            let secrets: Vec<_> = names.iter().map(secret).collect();
            parsed(&json!({"command": ["/app"], "secrets": secrets}))
        };
        let long = "a".repeat(65);
        for name in ["", ".", "..", ".a", "a.", "a/b", "a b", "ä", &long] {
            let error = named(&[name], "file").unwrap_err();
            assert!(error.contains("expected a name"), "{error}");
        }
        assert!(named(&["a", "b.json", "c_d-e"], "file").is_ok());
        assert!(named(&["a", "a"], "file").unwrap_err().contains("twice"));
        assert!(named(&["a-b", "a_b"], "file").is_ok());
        assert!(
            named(&["a-b", "a_b"], "descriptor")
                .unwrap_err()
                .contains("twice")
        );
        let many: Vec<String> = (0..65).map(|number| format!("a{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(named(&many, "file").unwrap_err().contains("at most 64"));
    }
}
