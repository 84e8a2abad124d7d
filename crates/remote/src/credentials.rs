//! The Docker credential store: `config.json` in `$DOCKER_CONFIG` or `~/.docker`, and the helper
//! programs that it names. Which entry counts follows crane (go-containerregistry, `pkg/authn/keychain.go`).

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use content::{at, limits, read_limited};

use crate::folded::Misread;
use crate::login::{CredentialFault, Login};
use crate::store::Store;

/// The credentials for the repository `path` in `registry`; [`Login::Anonymous`] if there is no store or it
/// has none for it.
pub(crate) fn find(registry: &str, path: &str) -> Result<Login, CredentialFault> {
    let Some(file) = store_path() else {
        return Ok(Login::Anonymous);
    };
    match read_store(&file)? {
        Some(store) => find_in(&store, registry, path),
        None => Ok(Login::Anonymous),
    }
}

fn store_path() -> Option<PathBuf> {
    let directory = std::env::var_os("DOCKER_CONFIG").filter(|value| !value.is_empty());
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".docker"));
    let directory = directory.map(PathBuf::from).or_else(home)?;
    Some(directory.join("config.json"))
}

fn read_store(path: &Path) -> Result<Option<Store>, CredentialFault> {
    let shown = at::shown(path);
    let unread = |error: &dyn fmt::Display| CredentialFault(format!("reading {shown}: {error}"));
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unread(&error)),
    };
    let bytes = read_limited(file, limits::DOCUMENT).map_err(|error| unread(&error))?;
    // The parser's error would repeat a part of the file.
    let store = Store::parse(&bytes).map_err(|Misread { line, column }| {
        unread(&format!(
            "line {line}, column {column}: not JSON as `docker login` writes it"
        ))
    })?;
    Ok(Some(store))
}

/// Looks for the repository, then for the registry. A helper that fails for one key may know the other.
fn find_in(store: &Store, registry: &str, path: &str) -> Result<Login, CredentialFault> {
    let mut found = Login::Anonymous;
    for key in keys(registry, path) {
        match store.get(&key)? {
            known @ Login::Known(_) => return Ok(known),
            failed @ Login::Unreadable(_) => found = failed,
            Login::Anonymous => {}
        }
    }
    Ok(found)
}

/// The keys under which credentials may be stored, most specific first.
fn keys(registry: &str, path: &str) -> Vec<String> {
    let mut keys = vec![format!("{registry}/{path}")];
    if registry == "index.docker.io" {
        // What `docker login` writes for Docker Hub.
        keys.push("https://index.docker.io/v1/".to_owned());
    }
    keys.push(registry.to_owned());
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "r.example:5000";

    fn login(text: &str, registry: &str) -> Result<Login, CredentialFault> {
        find_in(&Store::parse(text.as_bytes()).unwrap(), registry, "org/b")
    }

    /// The credentials as text, so that tests can compare them.
    fn found(text: &str, registry: &str) -> String {
        match login(text, registry).unwrap() {
            Login::Anonymous => "anonymous".to_owned(),
            Login::Known(known) => {
                let basic = known
                    .basic
                    .map(|(user, password)| format!("{user}:{password}"));
                let tokens = [
                    known
                        .identity_token
                        .map(|token| format!("identity {token}")),
                    known
                        .registry_token
                        .map(|token| format!("registry {token}")),
                ];
                let all = [basic].into_iter().chain(tokens).flatten();
                all.collect::<Vec<_>>().join(", ")
            }
            Login::Unreadable(fault) => fault.to_string(),
        }
    }

    #[test]
    fn reads_what_docker_login_writes() {
        let store = r#"{"auths":{"https://hub.example/v1/":{"auth":"YTpi"},
            "r.example":{"auth":"dTpwOnE="},"https://s.example":{"username":"u","password":"p"},
            "i.example":{"auth":"dTo=","identitytoken":"t"},
            "j.example":{"auth":"dTpw","identitytoken":"t","registrytoken":"r"}},
            "HttpHeaders":{"User-Agent":"x"}}"#;
        for (registry, expected) in [
            ("hub.example", "a:b"),
            ("r.example", "u:p:q"),
            ("s.example", "u:p"),
            ("i.example", "identity t"),
            ("j.example", "u:p, identity t, registry r"),
            ("t.example", "anonymous"),
            ("r.example:443", "anonymous"),
        ] {
            assert_eq!(found(store, registry), expected, "{registry}");
        }
    }

    /// What crane sends for `r.example:5000/org/b`; `NEW` is `u:NEW`, `OLD` is `u:OLD`.
    #[test]
    fn chooses_the_entry_that_crane_chooses() {
        for (auths, expected) in [
            (r#""http://HOST/v1/":OLD,"HOST":NEW"#, "u:NEW"),
            (r#""HOST":NEW,"https://HOST/v1/":OLD"#, "u:NEW"),
            (r#""HOST/org/a":OLD,"HOST/org/b":NEW"#, "u:NEW"),
            (r#""HOST/org/b":NEW,"HOST":OLD"#, "u:NEW"),
            (r#""HOST/org/b":{},"HOST":NEW"#, "u:NEW"),
            (r#""HOST/org/a":OLD,"HOST":NEW"#, "u:NEW"),
            (r#""HOST/org":NEW"#, "u:NEW"),
            (r#""https://HOST":{},"HOST":NEW"#, "u:NEW"),
            (r#""http://HOST":{},"https://HOST/v2/":NEW"#, "u:NEW"),
            (r#""HOST":{},"https://HOST":OLD"#, "anonymous"),
            (r#""HOST":null,"https://HOST":OLD"#, "anonymous"),
            (r#""HOST":OLD,"HOST":NEW"#, "u:NEW"),
            (r#""R.EXAMPLE:5000":OLD"#, "anonymous"),
        ] {
            let auths = auths.replace("HOST", HOST);
            let auths = auths.replace("OLD", r#"{"auth":"dTpPTEQ="}"#);
            let auths = auths.replace("NEW", r#"{"auth":"dTpORVc="}"#);
            let store = format!(r#"{{"auths":{{{auths}}}}}"#);
            assert_eq!(found(&store, HOST), expected, "{store}");
        }
    }

    #[test]
    fn auth_stands_for_user_and_password() {
        for (entry, expected) in [
            (r#""username":"a","password":"b","auth":"dTpw""#, "u:p"),
            (r#""auth":"dTpw","username":"a","password":"b""#, "u:p"),
            (r#""auth":"","username":"a","password":"b""#, "a:b"),
            (r#""username":"a""#, "anonymous"),
            (r#""auth":"dTo=""#, "anonymous"),
            (r#""registrytoken":"r""#, "registry r"),
        ] {
            let store = format!(r#"{{"auths":{{"r.example":{{{entry}}}}}}}"#);
            assert_eq!(found(&store, "r.example"), expected, "{store}");
        }
    }

    #[test]
    fn names_and_foreign_members_are_read_as_go_reads_them() {
        let entry = r#"{"r.example":{"auth":"dTpw"}}"#;
        for store in [
            r#"{"Auths":ENTRY}"#,
            r#"{"auth\u017f":ENTRY}"#,
            r#"{"auths":{"r.example":{"Auth":"dTpw"}}}"#,
            r#"{"auths":{},"AUTHS":ENTRY}"#,
            r#"{"auths":ENTRY,"Auths":{"s.example":{}}}"#,
            r#"{"auths":ENTRY,"auths":{}}"#,
            r#"{"auths":null,"auths":ENTRY}"#,
            r#"{"auths":{"r.example":{"auth":"dTpw","auth":null}}}"#,
            r#"{"auths":ENTRY,"HttpHeaders":{"a":"1","A":"2"}}"#,
            r#"{"auths":ENTRY,"proxies":{"default":{"httpProxy":"a","HTTPPROXY":"b"}}}"#,
            r#"{"auths":ENTRY,"x":1e999,"x":[{"y":"\ud800"}],"plugins":7}"#,
            r#"{"auths":ENTRY} and more"#,
        ] {
            let store = store.replace("ENTRY", entry);
            assert_eq!(found(&store, "r.example"), "u:p", "{store}");
        }
        let none = r#"{"auths":{"r.example":{"auth":"dTpw"}},"Auths":null}"#;
        assert_eq!(found(none, "r.example"), "anonymous");
    }

    #[test]
    fn docker_hub_has_its_old_address() {
        let store = |key: &str| format!(r#"{{"auths":{{"{key}":{{"auth":"dTpw"}}}}}}"#);
        for key in [
            "https://index.docker.io/v1/",
            "https://index.docker.io/v2/",
            "index.docker.io",
            "index.docker.io/org/b",
        ] {
            assert_eq!(found(&store(key), "index.docker.io"), "u:p", "{key}");
        }
        assert_eq!(keys("r.example", "a"), ["r.example/a", "r.example"]);
    }

    #[test]
    fn a_store_that_names_nothing_is_anonymous() {
        for text in [
            "",
            " \n",
            "null",
            "{}",
            r#"{"auths":null,"credHelpers":null,"credsStore":null}"#,
            r#"{"credsStore":""}"#,
            r#"{"credHelpers":{"r.example":""}}"#,
            r#"{"credHelpers":{"r.example":null},"auths":{"r.example":null}}"#,
            r#"{"auths":{"r.example":{"auth":"","username":"","identitytoken":""}}}"#,
        ] {
            assert_eq!(found(text, "r.example"), "anonymous", "{text}");
        }
    }

    #[test]
    fn a_failing_helper_is_an_unreadable_login() {
        for text in [
            r#"{"credsStore":"desktop.exe"}"#,
            r#"{"CredsStore":"desktop.exe"}"#,
            r#"{"credHelpers":{"r.example":"no-such-helper-anywhere"}}"#,
            r#"{"credHelpers":{"r.example/org/b":"no-such-helper-anywhere"}}"#,
            r#"{"credHelpers":{"r.example":"../bin/helper"}}"#,
            // The file is not used if it names a helper.
            r#"{"credsStore":"desktop.exe","auths":{"r.example":{"auth":"dTpw"}}}"#,
        ] {
            let login = login(text, "r.example").unwrap();
            assert!(matches!(login, Login::Unreadable(_)), "{text}");
        }
        let named = r#"{"credsStore":"desktop.exe","credHelpers":{"r.example":""},
            "auths":{"r.example":{"auth":"dTpw"}}}"#;
        assert_eq!(found(named, "r.example"), "u:p");
    }

    #[test]
    fn refuses_what_it_cannot_use_without_repeating_it() {
        for text in [
            r#"{"auths":{"r.example":{"auth":"c2VjcmV0"}}}"#,
            r#"{"auths":{"r.example":{"auth":"secret!"}}}"#,
        ] {
            let error = login(text, "r.example").unwrap_err();
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        for text in [
            r#"{"auths":{"r.example":"secret"}}"#,
            r#"{"auths":{"r.example":["secret"]}}"#,
            r#"{"credsStore":["secret"]}"#,
            r#"["secret"]"#,
            r#""secret""#,
            r#"{"auths":"#,
        ] {
            std::fs::write(&path, text).unwrap();
            let error = read_store(&path).err().unwrap().to_string();
            assert!(error.contains("config.json: line 1, column "), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_store_has_a_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        let file = File::create(&path).unwrap();
        file.set_len(limits::DOCUMENT + 1).unwrap();
        let error = read_store(&path).err().unwrap();
        assert_eq!(
            error.to_string(),
            format!(
                "reading {}: reading content: larger than the limit of {} bytes",
                path.display(),
                limits::DOCUMENT
            )
        );
    }
}
