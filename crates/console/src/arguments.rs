//! Arguments that several programs have.

use std::ffi::OsString;
use std::ops::Deref;
use std::path::PathBuf;

use clap::builder::Resettable;
use clap::error::ErrorKind;
use clap::{ArgMatches, Args, Command, Error, FromArgMatches, Parser};

/// Parses the arguments of the process, the first of which is its name. Ends it with a message if they are invalid, and if
/// they ask for help.
pub fn parse<C: Parser>(arguments: impl Iterator<Item = OsString>) -> C {
    let arguments: Vec<_> = arguments.collect();
    C::try_parse_from(&arguments)
        .unwrap_or_else(|error| without_pin::<C>(error, arguments.into_iter()).exit())
}

/// The error, which does not quote arguments if one of them is a URI with a PIN (RFC 7512): the PIN may have white space,
/// or the URI may be in the wrong place.
fn without_pin<C: Parser>(error: Error, mut arguments: impl Iterator<Item = OsString>) -> Error {
    let has_pin = |argument: OsString| {
        let argument = argument.to_string_lossy().to_ascii_lowercase();
        argument.contains("pin-value")
    };
    match quotes(error.kind()) && arguments.any(has_pin) {
        true => Error::new(error.kind()).with_cmd(&C::command()),
        false => error,
    }
}

/// Whether an error of this kind quotes what the user typed.
fn quotes(kind: ErrorKind) -> bool {
    !matches!(
        kind,
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            | ErrorKind::DisplayVersion
            | ErrorKind::MissingRequiredArgument
            | ErrorKind::ArgumentConflict
    )
}

/// Arguments of a subcommand that are defined when it is chosen, or its help is asked for. A program with many subcommands
/// starts faster.
#[derive(Debug)]
pub struct Deferred<A>(A);

impl<A> Deref for Deferred<A> {
    type Target = A;

    fn deref(&self) -> &A {
        &self.0
    }
}

impl<A: Args> Args for Deferred<A> {
    fn augment_args(command: Command) -> Command {
        command.defer(|command| described_as_before(command, A::augment_args))
    }

    fn augment_args_for_update(command: Command) -> Command {
        command.defer(|command| described_as_before(command, A::augment_args_for_update))
    }
}

/// Adds arguments, but not the description of their type: the subcommand has its own already.
fn described_as_before(command: Command, add: fn(Command) -> Command) -> Command {
    let about = Resettable::from(command.get_about().cloned());
    let long_about = Resettable::from(command.get_long_about().cloned());
    add(command).about(about).long_about(long_about)
}

impl<A: FromArgMatches> FromArgMatches for Deferred<A> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        A::from_arg_matches(matches).map(Self)
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, Error> {
        A::from_arg_matches_mut(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }
}

/// How to reach a registry.
#[derive(Args, Clone, Debug)]
pub struct Registry {
    /// Connect to registries by HTTP, without TLS
    #[arg(long, alias = "registry-plain-http")]
    pub plain_http: bool,
    /// Trust the certificate authorities in this PEM file, in addition to the system's
    #[arg(long, value_name = "FILE", conflicts_with = "plain_http")]
    pub ca: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[arg(long)]
        key: String,
        #[arg(long)]
        number: Option<u8>,
    }

    fn said(words: &[&str]) -> String {
        let words = || ["program"].iter().chain(words);
        let error = Cli::try_parse_from(words()).unwrap_err();
        without_pin::<Cli>(error, words().map(OsString::from)).to_string()
    }

    #[test]
    fn an_error_does_not_quote_a_pin() {
        for words in [
            &["--key", "pkcs11:object=k?pin-value=1", "9317"][..],
            &["--key", "k", "pkcs11:object=k?pin-value=9317"],
            &["--key", "k", "--number", "pkcs11:object=k?PIN-VALUE=9317"],
            &["--key", "k", "--pin-value=9317"],
            &["--key", "pkcs11:object=k?pin-value=1", "--9317"],
        ] {
            let said = said(words);
            assert!(said.starts_with("error: "), "{said}");
            assert!(said.contains("try '--help'"), "{said}");
            assert!(!said.contains("9317"), "{said}");
        }
    }

    #[test]
    fn another_error_is_that_of_clap() {
        assert!(said(&["--key", "k", "other"]).contains("'other'"));
        assert!(said(&["pin-value"]).contains("error: "));
        assert!(said(&["--number", "1"]).contains("--key <KEY>"));
        Cli::command().debug_assert();
    }

    /// Copies a file.
    #[derive(Args, Debug)]
    struct Copy {
        #[arg(long)]
        from: String,
    }

    #[derive(Debug, Parser)]
    enum Program {
        /// Copy
        Copy(Deferred<Copy>),
        /// Move
        Move(Deferred<Copy>),
    }

    #[test]
    fn deferred_arguments_are_those_of_the_chosen_subcommand() {
        let parsed = Program::try_parse_from(["program", "copy", "--from", "a"]).unwrap();
        assert!(matches!(parsed, Program::Copy(arguments) if arguments.from == "a"));
        let parsed = Program::try_parse_from(["program", "move", "--from", "b"]).unwrap();
        assert!(matches!(parsed, Program::Move(arguments) if arguments.from == "b"));
        let missing = Program::try_parse_from(["program", "move"]).unwrap_err();
        assert!(missing.to_string().contains("--from <FROM>"), "{missing}");
    }

    #[test]
    fn deferred_arguments_are_in_the_help_below_the_subcommands_description() {
        let defined = |command: &Command| {
            let copy = command.find_subcommand("copy").unwrap();
            copy.get_arguments()
                .any(|argument| argument.get_id() == "from")
        };
        let mut command = Program::command();
        assert!(!defined(&command));
        command.build();
        assert!(defined(&command));
        let help = Program::try_parse_from(["program", "copy", "--help"]).unwrap_err();
        let help = help.to_string();
        assert!(
            help.starts_with("Copy\n") && help.contains("--from"),
            "{help}"
        );
    }
}
