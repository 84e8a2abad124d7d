//! `[evidence]` of a release policy: where its owner looks for signatures of the image, beside the image's own repository. Of the rest of
//! the policy only the repository is read: the verifier judges by it, not the builder.

use std::path::{Path, PathBuf};

use console::at::{self, shown};
use console::hint::Hinted;
use content::limits;
use oci::{Evidence, Repository};
use serde::Deserialize;

#[derive(Deserialize)]
struct Policy {
    repository: Repository,
    #[serde(default)]
    evidence: Evidence,
}

/// The repositories of evidence that policies for an image name.
///
/// # Errors
/// A file cannot be read, is no policy, is for another repository than the image's, or its `[evidence]` is invalid.
pub fn repositories(policies: &[PathBuf], image: &Repository) -> Result<Vec<Repository>, Hinted> {
    let mut all = Vec::new();
    for path in policies {
        let bytes = at::read(path, limits::DOCUMENT).map_err(|error| {
            let hint = console::hint::of_file(&error.source);
            Hinted::from_error(error).hinting(hint)
        })?;
        all.extend(of_policy(&bytes, image).map_err(|fault| refused(path, &fault))?);
    }
    Ok(all)
}

fn refused(path: &Path, fault: &str) -> Hinted {
    Hinted::new(format_args!("reading policy {}: {fault}", shown(path)))
        .hinting("--policy takes a release policy for this image; policies/release.toml is an example with every entry explained")
}

fn of_policy(bytes: &[u8], image: &Repository) -> Result<Vec<Repository>, String> {
    let policy = content::toml::parse::<Policy>(bytes);
    let Policy {
        repository,
        evidence,
    } = policy.map_err(|error| error.message().to_owned())?;
    if repository != *image {
        return Err(format!(
            "it is for {repository}, and the image is in {image}"
        ));
    }
    let beside = evidence.beside(image).map_err(|error| error.to_string())?;
    Ok(beside.repositories().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"
repository = "registry.example/acme/app"
[signatures]
require = ["acme"]
[evidence]
repositories = ["registry.example/bank/signatures"]
"#;

    fn read(policy: &str) -> Result<Vec<String>, String> {
        let image = "registry.example/acme/app".parse().unwrap();
        let found = of_policy(policy.as_bytes(), &image)?;
        Ok(found.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_policy_names_where_signatures_are_published() {
        assert_eq!(read(POLICY).unwrap(), ["registry.example/bank/signatures"]);
        let (without, _) = POLICY.split_once("[evidence]").unwrap();
        assert_eq!(read(without).unwrap(), [""; 0]);
    }

    #[test]
    fn a_policy_for_another_image_and_what_is_none_are_refused() {
        for (from, to, fault) in [
            (
                "acme/app",
                "acme/other",
                "it is for registry.example/acme/other",
            ),
            ("bank/signatures", "bank/signatures:v1", "parsing reference"),
            ("repositories =", "repository =", "unknown field"),
            ("repository =", "image =", "missing field `repository`"),
        ] {
            let error = read(&POLICY.replacen(from, to, 1)).unwrap_err();
            assert!(error.contains(fault), "{to}: {error}");
        }
        for (names, fault) in [
            ("\"one.example/a\",".repeat(17), "found 17"),
            ("\"one.example/a\",".repeat(2), "twice"),
            (String::new(), "found 0"),
            (
                "\"registry.example/acme/app\"".to_owned(),
                "the image's own",
            ),
        ] {
            let policy = POLICY.replace("\"registry.example/bank/signatures\"", &names);
            let error = read(&policy).unwrap_err();
            assert!(
                error.starts_with("evidence.repositories: ") && error.contains(fault),
                "{error}"
            );
        }
    }
}
