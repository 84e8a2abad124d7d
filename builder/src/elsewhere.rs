//! Addresses that a source chooses. They must be of other machines: a collaborator who rebuilds would otherwise send requests to
//! services of the own machine that an untrusted source names.

use std::net::IpAddr;

/// Whether a host, as it is in a parsed URL, is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']).trim_end_matches('.');
    match host.parse::<IpAddr>() {
        Ok(address) => {
            let address = address.to_canonical();
            address.is_loopback() || address.is_unspecified()
        }
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_several_names() {
        for host in [
            "localhost",
            "a.localhost.",
            "127.0.0.2",
            "[::1]",
            "0.0.0.0",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.example", "10.0.0.1", "[fe80::1]", "a.example"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
