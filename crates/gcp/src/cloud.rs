//! Reads everything that an inspection of a grant compares. Nothing is written.

use std::collections::BTreeSet;

use console::hint::Hinted;
use google::Role;
use grant::Grant;
use grant::live::{Live, Policy, Unread};
use grant::role::Roles;

use crate::policies::{Policies, live};
use crate::pools::Pools;
use crate::resources::Resources;

/// The most roles that are looked up. Those beyond stay unknown.
const ROLES: usize = 200;

/// The services that know who may use a key.
#[derive(Clone, Debug)]
pub struct Cloud {
    /// Policies of keys and key rings.
    pub policies: Policies,
    /// Pools, their providers, and roles.
    pub pools: Pools,
    /// Projects, folders and organisations; without it, their policies are not read.
    pub resources: Option<Resources>,
}

impl Cloud {
    /// Reads what is live.
    ///
    /// # Errors
    /// A service does not answer, or the key, its ring, the pool or its providers may not be read. That the pool does not exist, and that what
    /// is above the ring may not be read, is part of the answer.
    pub async fn live(&self, grant: &Grant) -> Result<Live, Hinted> {
        let key = grant.key();
        let pool = self.pools.find(grant.pool()).await?;
        let providers = match &pool {
            Some(_) => self.pools.providers(grant.pool()).await?,
            None => Vec::new(),
        };
        let above = match &self.resources {
            Some(resources) => resources.above(key.ring().location().project()).await?,
            None => Vec::new(),
        };
        let mut live = Live {
            key: self.policies.key(key).await?,
            key_policy: live(&self.policies.read(&key.to_string()).await?),
            ring_policy: live(&self.policies.read(&key.ring().to_string()).await?),
            above,
            pool,
            providers,
            roles: Roles::default(),
        };
        self.learn(&mut live, grant).await?;
        Ok(live)
    }

    /// Looks up the roles in the policies of which it is not known here what they allow.
    async fn learn(&self, live: &mut Live, grant: &Grant) -> Result<(), Hinted> {
        let above = live
            .above
            .iter()
            .filter_map(|above| above.policy.as_ref().ok());
        let policies = [&live.key_policy, &live.ring_policy]
            .into_iter()
            .chain(above);
        let unknown: BTreeSet<String> = policies
            .flat_map(|policy: &Policy| &policy.bindings)
            .filter(|binding| live.roles.power(&binding.role).is_err())
            .map(|binding| binding.role.clone())
            .filter(|role| role != grant.role().as_str())
            .collect();
        for (count, role) in unknown.into_iter().enumerate() {
            let permissions = match role.parse::<Role>() {
                _ if count >= ROLES => Err(unlearned(format!("more than {ROLES} roles"), FEWER)),
                Err(error) => Err(unlearned(error.to_string(), NO_ROLE)),
                Ok(role) => self.pools.permissions(&role).await?,
            };
            live.roles.learn(role, permissions);
        }
        Ok(())
    }
}

const FEWER: &str = "use fewer roles in the policies of the key and of what it is in";
const NO_ROLE: &str = "remove the bindings of a role that does not exist";

fn unlearned(fault: String, hint: &'static str) -> Unread {
    Unread { fault, hint }
}

#[cfg(test)]
mod tests {
    use google_cloud_auth::credentials::anonymous;
    use grant::live::{Above, Binding, Key, Level};
    use grant::role::Power;

    use super::*;
    use crate::testing::serve;

    const GRANT: &[u8] = br#"
key = "projects/one/locations/global/keyRings/r/cryptoKeys/k"
role = "projects/one/roles/decryptOnly"
pool = "projects/1234/locations/global/workloadIdentityPools/trusted"
"#;

    fn policy(roles: &[&str]) -> Policy {
        let bindings = roles.iter().map(|&role| Binding {
            role: role.to_owned(),
            members: vec!["user:a@one.example".to_owned()],
            condition: None,
        });
        Policy {
            bindings: bindings.collect(),
        }
    }

    fn with_policies(key: &[&str], ring: &[&str], project: &[&str]) -> Live {
        Live {
            key: Key {
                purpose: "ENCRYPT_DECRYPT".to_owned(),
                protection: "HSM".to_owned(),
                primary: None,
            },
            key_policy: policy(key),
            ring_policy: policy(ring),
            above: vec![Above {
                level: Level::Project,
                name: "projects/one".to_owned(),
                policy: Ok(policy(project)),
            }],
            pool: None,
            providers: Vec::new(),
            roles: Roles::default(),
        }
    }

    /// What is learned from a service with these answers, and what it was asked.
    async fn learn(
        live: &mut Live,
        answers: Vec<(u16, &'static str)>,
    ) -> Result<Vec<String>, Hinted> {
        let (endpoint, served) = serve(answers);
        let anonymous = || anonymous::Builder::new().build();
        let cloud = Cloud {
            policies: Policies::open(Some(&endpoint), anonymous()).await.unwrap(),
            pools: Pools::open(Some(&endpoint), anonymous()).unwrap(),
            resources: None,
        };
        cloud.learn(live, &Grant::parse(GRANT).unwrap()).await?;
        Ok(served.join().unwrap())
    }

    #[tokio::test]
    async fn each_role_that_is_not_known_is_looked_up_once_in_all_policies() {
        let mut live = with_policies(
            &[
                "projects/one/roles/decryptOnly",
                "roles/a.writer",
                "roles/owner",
            ],
            &["roles/a.writer", "not a role"],
            &["roles/b.admin", "roles/c.gone"],
        );
        let answers = vec![
            (
                200,
                r#"{"name": "roles/a.writer", "includedPermissions": ["a.b.write"]}"#,
            ),
            (
                200,
                r#"{"name": "roles/b.admin", "includedPermissions": ["resourcemanager.projects.move"]}"#,
            ),
            (403, r#"{"error": {"message": "no"}}"#),
        ];
        let asked = learn(&mut live, answers).await.unwrap();
        let expected = ["a.writer", "b.admin", "c.gone"];
        assert_eq!(
            asked,
            expected.map(|id| format!("GET /v1/roles/{id} HTTP/1.1"))
        );
        assert_eq!(live.roles.power("roles/a.writer"), Ok(Power::Neither));
        assert_eq!(live.roles.power("roles/b.admin"), Ok(Power::Administer));
        for (role, fault) in [
            ("roles/c.gone", "reading roles/c.gone: status 403: no"),
            ("not a role", "`not a role`"),
        ] {
            let unread = live.roles.power(role).unwrap_err();
            assert!(unread.fault.contains(fault), "{unread:?}");
        }
    }

    #[tokio::test]
    async fn roles_beyond_the_limit_stay_unknown() {
        let names: Vec<_> = (0..=ROLES)
            .map(|count| format!("role {count:04}"))
            .collect();
        let names: Vec<_> = names.iter().map(|name| &**name).collect();
        let mut live = with_policies(&names, &[], &[]);
        learn(&mut live, Vec::new()).await.unwrap();
        let fault = |role: &str| live.roles.power(role).unwrap_err().fault;
        assert_eq!(fault(names[ROLES]), format!("more than {ROLES} roles"));
        assert_ne!(fault(names[ROLES - 1]), fault(names[ROLES]));
    }

    #[tokio::test]
    async fn a_service_that_fails_is_an_error() {
        let mut live = with_policies(&["roles/a.writer"], &[], &[]);
        let error = learn(&mut live, vec![(500, "")]).await.unwrap_err();
        assert_eq!(error.to_string(), "reading roles/a.writer: status 500");
    }
}
