//! What a collaborator is ready to give: a role on a key, to a digest in a workload identity pool.

use serde::Deserialize;

pub mod apply;
pub mod gcloud;
pub mod iam;

/// A Cloud KMS key, `projects/P/locations/L/keyRings/R/cryptoKeys/K`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyName {
    project: String,
    location: String,
    ring: String,
    key: String,
}

/// A grant, as its owner wrote it down. It says nothing about any image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Grant {
    key: KeyName,
    role: String,
    pool: String,
}

/// A grant that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// Not the expected TOML.
    #[error("parsing grant: {0}")]
    Toml(#[from] toml::de::Error),
    /// Not UTF-8.
    #[error("parsing grant: {0}")]
    Text(#[from] std::str::Utf8Error),
    /// A name that has another shape.
    #[error("parsing grant: `{field}`: expected {expected}, found `{found}`")]
    Shape {
        /// Which entry.
        field: &'static str,
        /// The shape that it must have.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    key: String,
    role: String,
    pool: String,
}

const KEY: &str = "projects/P/locations/L/keyRings/R/cryptoKeys/K";
const ROLE: &str = "roles/cloudkms.cryptoKeyDecrypter, roles/cloudkms.cryptoKeyEncrypterDecrypter, or a \
                    custom role, projects/P/roles/NAME or organizations/O/roles/NAME";
/// The predefined roles that allow to use a key and nothing else, decryption included (Cloud KMS,
/// permissions and roles). Basic roles, administrators' and all others allow more, or not that.
const PREDEFINED: [&str; 2] = [
    "cloudkms.cryptoKeyDecrypter",
    "cloudkms.cryptoKeyEncrypterDecrypter",
];
const POOL: &str = "projects/NUMBER/locations/global/workloadIdentityPools/POOL";

impl Grant {
    /// Parses a grant. Names are held to characters that need no quoting anywhere, since they end
    /// in commands that people paste.
    ///
    /// # Errors
    /// Not TOML, an unknown entry, or a name of another shape.
    pub fn parse(bytes: &[u8]) -> Result<Self, GrantError> {
        let document: Document = toml::from_str(std::str::from_utf8(bytes)?)?;
        let key = KeyName::parse(&document.key).ok_or_else(|| shape("key", KEY, &document.key))?;
        if !is_role(&document.role) {
            return Err(shape("role", ROLE, &document.role));
        }
        if !is_pool(&document.pool) {
            return Err(shape("pool", POOL, &document.pool));
        }
        Ok(Self {
            key,
            role: document.role,
            pool: document.pool,
        })
    }

    /// The key that is granted on.
    pub fn key(&self) -> &KeyName {
        &self.key
    }

    /// The role that is granted.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// The member that stands for every workload of this pool whose measured image has `digest`
    /// (IAM, principal identifiers: workload identity pool, attribute).
    pub fn member(&self, digest: &content::Digest) -> String {
        let pool = &self.pool;
        format!("principalSet://iam.googleapis.com/{pool}/attribute.image_digest/{digest}")
    }
}

impl KeyName {
    fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let [
            "projects",
            project,
            "locations",
            location,
            "keyRings",
            ring,
            "cryptoKeys",
            key,
        ] = parts[..]
        else {
            return None;
        };
        let all_names = [project, location, ring, key].into_iter().all(is_name);
        all_names.then(|| Self {
            project: project.to_owned(),
            location: location.to_owned(),
            ring: ring.to_owned(),
            key: key.to_owned(),
        })
    }
}

impl std::fmt::Display for KeyName {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            project,
            location,
            ring,
            key,
        } = self;
        write!(
            out,
            "projects/{project}/locations/{location}/keyRings/{ring}/cryptoKeys/{key}"
        )
    }
}

fn shape(field: &'static str, expected: &'static str, found: &str) -> GrantError {
    GrantError::Shape {
        field,
        expected,
        found: found.escape_debug().to_string(),
    }
}

/// Resource names; a domain-scoped project carries a colon and dots.
fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    let starts_well = text
        .as_bytes()
        .first()
        .is_some_and(u8::is_ascii_alphanumeric);
    starts_well && text.len() <= 63 && text.bytes().all(plain)
}

/// What a custom role allows is for its owner to look at: its name does not say.
fn is_role(text: &str) -> bool {
    match text.split('/').collect::<Vec<_>>()[..] {
        ["roles", name] => PREDEFINED.contains(&name),
        ["projects" | "organizations", owner, "roles", name] => is_name(owner) && is_name(name),
        _ => false,
    }
}

/// IAM resolves principal sets by project number; an identifier there would match nobody.
fn is_pool(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    let [
        "projects",
        number,
        "locations",
        "global",
        "workloadIdentityPools",
        pool,
    ] = parts[..]
    else {
        return false;
    };
    is_name(number) && number.bytes().all(|byte| byte.is_ascii_digit()) && is_name(pool)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const GOOD: &str = r#"
key = "projects/one/locations/global/keyRings/r/cryptoKeys/k"
role = "roles/cloudkms.cryptoKeyDecrypter"
pool = "projects/1234/locations/global/workloadIdentityPools/trusted"
"#;

    #[test]
    fn a_member_is_bound_to_the_measured_digest() {
        let grant = Grant::parse(GOOD.as_bytes()).unwrap();
        let digest = content::Digest::of(b"x");
        assert_eq!(
            grant.member(&digest),
            format!(
                "principalSet://iam.googleapis.com/projects/1234/locations/global/\
                 workloadIdentityPools/trusted/attribute.image_digest/{digest}"
            )
        );
    }

    #[test]
    fn names_of_another_shape_are_refused() {
        for (from, to, field) in [
            ("keyRings/r", "keyRings/r;rm", "key"),
            ("/cryptoKeys/k", "/cryptoKeys/k/cryptoKeyVersions/1", "key"),
            ("projects/1234", "projects/one", "pool"),
            ("Pools/trusted", "Pools/*", "pool"),
            ("roles/cloudkms", "role/cloudkms", "role"),
            ("roles/cloudkms.cryptoKeyDecrypter", "roles/$(id)", "role"),
        ] {
            let error = Grant::parse(GOOD.replace(from, to).as_bytes()).unwrap_err();
            assert!(error.to_string().contains(field), "{from} -> {to}: {error}");
        }
    }

    #[test]
    fn roles_that_allow_more_than_using_the_key_are_refused() {
        let with = |role: &str| {
            let text = GOOD.replace("roles/cloudkms.cryptoKeyDecrypter", role);
            Grant::parse(text.as_bytes())
        };
        for role in [
            "roles/owner",
            "roles/editor",
            "roles/viewer",
            "roles/Owner",
            "roles/admin",
            "roles/reader",
            "roles/writer",
            "roles/browser",
            "roles/iam.securityAdmin",
            "roles/cloudkms.admin",
            "roles/cloudkms.cryptoOperator",
            "roles/cloudkms.viewer",
            "roles/cloudkms.cryptoKeyEncrypter",
            "roles/cloudkms.cryptoKeyDecrypterViaDelegation",
            "roles/",
            "roles",
            "owner",
            "projects/p/roles/",
        ] {
            let error = with(role).unwrap_err().to_string();
            assert!(error.contains(&format!("found `{role}`")), "{error}");
        }
        for role in [
            "roles/cloudkms.cryptoKeyDecrypter",
            "roles/cloudkms.cryptoKeyEncrypterDecrypter",
            "projects/p/roles/decryptOnly",
            "organizations/1234/roles/decrypt.only",
        ] {
            assert_eq!(with(role).unwrap().role(), role);
        }
    }

    #[test]
    fn unknown_entries_are_refused() {
        let text = format!("{GOOD}\ncondition = \"true\"\n");
        assert!(matches!(
            Grant::parse(text.as_bytes()),
            Err(GrantError::Toml(_))
        ));
    }
}
