//! The grant of a collaborator: a role on a key, for images whose digest a workload identity pool attests.

use std::fmt::Display;
use std::str::FromStr;

use content::Digest;
use google::admission::Kind;
use google::identity::Pool;
use google::kms::Key;
use google::outputs::vault::Vault;
use google::outputs::vpc_sc::Perimeter;
use google::outputs::{ImageGrant, KeyGrant, Output, Settings, Unprintable};
use google::{InvalidName, Member, Role};
use oci::{Evidence, Repository};
use serde::Deserialize;

use crate::provider::{self, GrantedProvider};

/// A grant, as its owner writes it. It does not name an image.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Grant {
    key: Key,
    role: Role,
    pool: Pool,
    kind: Kind,
    protection: Option<Protection>,
    others: Vec<String>,
    evidence: Evidence,
    provider: Option<GrantedProvider>,
    vault: Option<Vault>,
    perimeter: Option<Perimeter>,
}

/// Where the key is (Cloud KMS, `ProtectionLevel`).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Protection {
    /// In software.
    Software,
    /// In a hardware security module.
    Hsm,
    /// With another key manager, reached by network.
    External,
    /// With another key manager, reached by a VPC.
    ExternalVpc,
}

impl Protection {
    /// The name of the level.
    pub fn name(self) -> &'static str {
        match self {
            Self::Software => "SOFTWARE",
            Self::Hsm => "HSM",
            Self::External => "EXTERNAL",
            Self::ExternalVpc => "EXTERNAL_VPC",
        }
    }
}

/// A grant that cannot be used, and why.
#[derive(Debug, thiserror::Error)]
#[error("parsing grant: {0}")]
pub struct InvalidGrant(String);

impl InvalidGrant {
    fn of(fault: impl Display) -> Self {
        Self(fault.to_string())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    key: String,
    role: String,
    pool: String,
    #[serde(default)]
    debug: bool,
    protection_level: Option<Protection>,
    #[serde(default)]
    other_members: Vec<String>,
    #[serde(default)]
    evidence: Evidence,
    provider: Option<provider::Entry>,
    vault: Option<Vault>,
    vpc_sc: Option<Perimeter>,
}

impl Document {
    /// Debug images have a pool and a key of their own, which is seen by their names: on such a machine the operator sees everything.
    fn kind(&self, pool: &Pool, key: &Key) -> Result<Kind, InvalidGrant> {
        let is_named = |id: &str| id.split(['-', '_']).any(|part| part == "debug");
        let names = [("pool", pool.id()), ("key", key.id())];
        let mut names = names.iter();
        let expected = match self.debug {
            true => "a name with the part `debug`, since debug = true",
            false => "a name without the part `debug`, or debug = true",
        };
        match names.find(|(_, id)| is_named(id) != self.debug) {
            Some((field, id)) => Err(InvalidGrant(format!(
                "`{field}`: expected {expected}, found `{id}`"
            ))),
            None if self.debug => Ok(Kind::Debug),
            None => Ok(Kind::Production),
        }
    }
}

/// The predefined roles that allow the use of a key, including decryption, and nothing else (Cloud KMS, "Permissions
/// and roles"). All other roles allow more, or do not allow decryption.
const PREDEFINED: [&str; 2] = [
    "cloudkms.cryptoKeyDecrypter",
    "cloudkms.cryptoKeyEncrypterDecrypter",
];

impl Grant {
    /// Parses a grant.
    ///
    /// # Errors
    /// Not TOML, an unknown entry, a name of another form, or a role that is not accepted.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidGrant> {
        let document = std::str::from_utf8(bytes).map_err(InvalidGrant::of)?;
        let document: Document = content::toml::parse(document).map_err(InvalidGrant::of)?;
        let pool: Pool = name("pool", &document.pool)?;
        let key: Key = name("key", &document.key)?;
        let kind = document.kind(&pool, &key)?;
        let provider = document.provider;
        let provider = provider.map(|entry| entry.resolve(&pool, kind)).transpose();
        Ok(Self {
            role: role(&document.role)?,
            provider: provider.map_err(InvalidGrant::of)?,
            protection: document.protection_level,
            others: document.other_members,
            evidence: document.evidence,
            vault: document.vault,
            perimeter: document.vpc_sc,
            key,
            pool,
            kind,
        })
    }

    /// What formats print beside key, role and member.
    pub fn settings(&self) -> Settings<'_> {
        Settings {
            provider: self.provider().map(GrantedProvider::to_create),
            vault: self.vault.as_ref(),
            perimeter: self.perimeter.as_ref(),
        }
    }

    /// Checks that a binding for any image can be printed in a format, before there is one.
    ///
    /// # Errors
    /// The description lacks what the format needs.
    pub fn check_output(&self, output: &Output) -> Result<(), Unprintable> {
        let image = Digest::of(b"");
        let printed = (output.print)(&ImageGrant {
            granted: KeyGrant {
                key: &self.key,
                role: &self.role,
                member: &self.member(&image),
            },
            image: &image,
            settings: self.settings(),
        });
        printed.map(drop)
    }

    /// The kind of images that are admitted.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The protection level that the key must have, if the grant says so.
    pub fn protection(&self) -> Option<Protection> {
        self.protection
    }

    /// Members of the key's policy that this grant does not make, and that may decrypt as well.
    pub fn others(&self) -> &[String] {
        &self.others
    }

    /// Other repositories that may have signatures and statements about an image, in addition to those of its policy.
    pub fn evidence(&self) -> &[Repository] {
        self.evidence.repositories()
    }

    /// The pool whose members may be granted the role.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The provider of the pool, if the grant describes it.
    pub fn provider(&self) -> Option<&GrantedProvider> {
        self.provider.as_ref()
    }

    /// The key that is granted on.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The role that is granted.
    pub fn role(&self) -> &Role {
        &self.role
    }

    /// The member that includes every workload of this pool whose measured image has `digest`.
    pub fn member(&self, digest: &Digest) -> Member {
        Member::of_image(self.pool.clone(), digest)
    }
}

fn name<T: FromStr<Err = InvalidName>>(field: &'static str, text: &str) -> Result<T, InvalidGrant> {
    text.parse()
        .map_err(|error| InvalidGrant(format!("`{field}`: {error}")))
}

/// Parses a role. The permissions of a custom role are not known here: its owner must check them.
fn role(text: &str) -> Result<Role, InvalidGrant> {
    let is_accepted = |role: &Role| {
        role.predefined()
            .is_none_or(|name| PREDEFINED.contains(&name))
    };
    let role = text.parse().ok().filter(is_accepted);
    role.ok_or_else(|| {
        InvalidGrant(format!(
            "`role`: expected roles/cloudkms.cryptoKeyDecrypter, \
             roles/cloudkms.cryptoKeyEncrypterDecrypter, or a custom role, projects/P/roles/NAME or \
             organizations/O/roles/NAME, found `{}`",
            text.escape_debug()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
key = "projects/one/locations/global/keyRings/r/cryptoKeys/k"
role = "roles/cloudkms.cryptoKeyDecrypter"
pool = "projects/1234/locations/global/workloadIdentityPools/trusted"
"#;

    #[test]
    fn a_member_is_bound_to_the_measured_digest() {
        let grant = Grant::parse(GOOD.as_bytes()).unwrap();
        let digest = Digest::of(b"x");
        assert_eq!(
            grant.member(&digest).to_string(),
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
            assert_eq!(with(role).unwrap().role().as_str(), role);
        }
    }

    #[test]
    fn debug_images_have_a_pool_and_a_key_of_their_own() {
        let debug = |pool: &str, key: &str, line: &str| {
            let text = GOOD.replace("/trusted", pool).replace("/cryptoKeys/k", key);
            Grant::parse(format!("{text}{line}").as_bytes())
        };
        let both = ("/debug-pool", "/cryptoKeys/data_debug");
        let parsed = debug(both.0, both.1, "debug = true\n").unwrap();
        assert_eq!(parsed.kind(), Kind::Debug);
        for (pool, key, line, field) in [
            (both.0, both.1, "", "`pool`: expected a name without"),
            (
                both.0,
                "/cryptoKeys/k",
                "debug = true\n",
                "`key`: expected a name with",
            ),
            (
                "/trusted",
                both.1,
                "debug = true\n",
                "`pool`: expected a name with",
            ),
            ("/trusted", both.1, "", "`key`: expected a name without"),
        ] {
            let error = debug(pool, key, line).unwrap_err().to_string();
            assert!(error.contains(field), "{error}");
        }
    }

    #[test]
    fn a_grant_may_name_repositories_of_evidence() {
        let read = |names: &str| {
            let text = format!("{GOOD}\n[evidence]\nrepositories = [{names}]\n");
            Grant::parse(text.as_bytes()).map(|grant| grant.evidence().len())
        };
        assert_eq!(Grant::parse(GOOD.as_bytes()).unwrap().evidence(), []);
        assert_eq!(read("\"bank.example/signatures\"").unwrap(), 1);
        for names in ["", "\"bank.example/signatures:v1\""] {
            let error = read(names).unwrap_err().to_string();
            assert!(error.contains("evidence.repositories: "), "{error}");
        }
    }

    #[test]
    fn unknown_entries_are_refused() {
        let text = format!("{GOOD}\ncondition = \"true\"\n");
        let error = Grant::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(
            error.starts_with("parsing grant: ") && error.contains("unknown field `condition`"),
            "{error}"
        );
    }
}
