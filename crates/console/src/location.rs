//! Directories and URLs that the user names, as they may be printed and published.

/// `location` without the login of a URL. The name of a user is kept for SSH, where it is part of the address; elsewhere
/// it may be an access token.
pub fn without_login(location: &str) -> String {
    let Some((scheme, rest)) = location.split_once("://") else {
        return location.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let Some((login, host)) = authority.rsplit_once('@') else {
        return location.to_owned();
    };
    let user = login.split(':').next().unwrap_or_default();
    match scheme.ends_with("ssh") {
        true => format!("{scheme}://{user}@{host}{path}"),
        false => format!("{scheme}://{host}{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_of_urls_are_removed() {
        for (source, shown) in [
            ("https://user:secret@s.example/x@1", "https://s.example/x@1"),
            ("https://token@s.example", "https://s.example"),
            ("http://a@b:secret@[::1]:8/x?y@z", "http://[::1]:8/x?y@z"),
            ("ssh://git:secret@s.example/x", "ssh://git@s.example/x"),
            ("git+ssh://git@s.example/x", "git+ssh://git@s.example/x"),
        ] {
            assert_eq!(without_login(source), shown);
        }
        for same in [
            "",
            ".",
            "/a@b/c:d@e",
            "git@s.example:x",
            "https://s.example/a@b",
            "file:///a@b",
        ] {
            assert_eq!(without_login(same), same);
        }
    }
}
