//! Exempts the loopback interface from HTTP proxies.
//!
//! Every HTTP client that a program links reads `HTTP_PROXY` and similar variables by itself, and some
//! (Google's) cannot be configured otherwise. A process cannot safely change its environment while other
//! threads may read it, so a program executes itself again with a changed environment before it does
//! anything else.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// Names of the loopback interface in the forms that the various clients match.
const LOOPBACK: [&str; 5] = ["localhost", "127.0.0.1", "127.0.0.0/8", "::1", "[::1]"];
/// The value that exempts every host.
const EVERY: &str = "*";
/// The variables that exempt hosts. Clients differ in which of them they read first.
const EXEMPT: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// If a proxy is set, replaces the process by one whose environment exempts the loopback interface from
/// it. Returns if nothing needs to change, as in the new process.
///
/// `environment` and `arguments` are those of the process; the first argument is the program's name.
///
/// # Errors
/// The program cannot be executed again.
pub fn exempt_loopback(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    arguments: impl IntoIterator<Item = OsString>,
) -> io::Result<()> {
    let environment: Vec<_> = environment.into_iter().collect();
    let Some(exempt) = exemptions(&environment) else {
        return Ok(());
    };
    let mut arguments = arguments.into_iter();
    let mut command = Command::new(std::env::current_exe()?);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    command.args(arguments);
    command.envs(EXEMPT.map(|name| (name, &exempt)));
    Err(command.exec())
}

/// The new value of `NO_PROXY`; `None` if no proxy is set or loopback is already exempt.
fn exemptions(environment: &[(OsString, OsString)]) -> Option<OsString> {
    if !environment
        .iter()
        .any(|(name, value)| is_proxy(name) && !value.is_empty())
    {
        return None;
    }
    let values = EXEMPT.map(|name| value(environment, name).unwrap_or_default());
    if values.iter().all(|value| exempts_loopback(value)) {
        return None;
    }
    // The upper-case variable takes precedence if both are set.
    let own = values.into_iter().find(|value| !value.is_empty());
    let mut exempt = own.unwrap_or_default();
    for name in LOOPBACK {
        if !exempt.is_empty() {
            exempt.push(",");
        }
        exempt.push(name);
    }
    Some(exempt)
}

fn value(environment: &[(OsString, OsString)], name: &str) -> Option<OsString> {
    let found = environment.iter().find(|(found, _)| found == name);
    found.map(|(_, value)| value.clone())
}

/// Whether a variable names a proxy: `HTTP_PROXY`, `HTTPS_PROXY` or `ALL_PROXY`, in any case.
fn is_proxy(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_lowercase();
    matches!(name.as_str(), "http_proxy" | "https_proxy" | "all_proxy")
}

fn exempts_loopback(value: &OsStr) -> bool {
    let value = value.to_string_lossy();
    let names: Vec<&str> = value.split(',').map(str::trim).collect();
    names.contains(&EVERY) || LOOPBACK.iter().all(|name| names.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDED: &str = "localhost,127.0.0.1,127.0.0.0/8,::1,[::1]";

    fn exempt(pairs: &[(&str, &str)]) -> Option<String> {
        let pairs = pairs
            .iter()
            .map(|(name, value)| (name.into(), value.into()));
        exemptions(&pairs.collect::<Vec<_>>()).map(|value| value.into_string().unwrap())
    }

    #[test]
    fn loopback_is_added_where_a_proxy_is_set() {
        for name in [
            "HTTP_PROXY",
            "http_proxy",
            "HTTPS_PROXY",
            "ALL_PROXY",
            "all_proxy",
        ] {
            assert_eq!(
                exempt(&[(name, "http://p:1")]).as_deref(),
                Some(ADDED),
                "{name}"
            );
        }
        let both = exempt(&[("http_proxy", "p"), ("no_proxy", "a.example,localhost")]);
        assert_eq!(both.unwrap(), format!("a.example,localhost,{ADDED}"));
        let upper_first = exempt(&[("http_proxy", "p"), ("no_proxy", "a"), ("NO_PROXY", "b")]);
        assert_eq!(upper_first.unwrap(), format!("b,{ADDED}"));
    }

    #[test]
    fn nothing_is_added_twice_or_without_a_proxy() {
        assert_eq!(exempt(&[]), None);
        assert_eq!(exempt(&[("HTTP_PROXY", ""), ("PATH", "/bin")]), None);
        for enough in [ADDED, "*", "a, *"] {
            let pairs = [
                ("HTTP_PROXY", "p"),
                ("NO_PROXY", enough),
                ("no_proxy", enough),
            ];
            assert_eq!(exempt(&pairs), None, "{enough}");
        }
    }
}
