//! Predefined roles (IAM, "Roles and permissions"), with those of their permissions that are emulated.

mod catalogue;

pub use self::catalogue::ALL;
use super::permissions;

/// A predefined role.
#[derive(Clone, Copy, Debug)]
pub struct Predefined {
    /// The name, `roles/ID`.
    pub name: &'static str,
    /// The title.
    pub title: &'static str,
    /// The permissions; `*` at one end stands for anything there.
    held: &'static [&'static str],
}

impl Predefined {
    const fn new(name: &'static str, title: &'static str, held: &'static [&'static str]) -> Self {
        Self { name, title, held }
    }

    /// The role with this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|role| role.name == name)
    }

    /// Whether the role contains a permission.
    pub fn has(&self, permission: &str) -> bool {
        self.held.iter().any(|held| includes(held, permission))
    }

    /// The permissions that are emulated, each by its name.
    pub fn permissions(&self) -> impl Iterator<Item = &'static str> {
        permissions::ALL
            .iter()
            .copied()
            .filter(|permission| self.has(permission))
    }
}

fn includes(held: &str, permission: &str) -> bool {
    match (held.strip_suffix('*'), held.strip_prefix('*')) {
        (Some(beginning), _) => permission.starts_with(beginning),
        (None, Some(end)) => permission.ends_with(end),
        (None, None) => held == permission,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_permission_of_a_role_is_emulated() {
        for role in ALL {
            for held in role.held {
                let mut all = permissions::ALL.iter();
                let is_known = all.any(|permission| includes(held, permission));
                assert!(is_known, "{}: {held}", role.name);
            }
        }
        let names: Vec<_> = ALL.iter().map(|role| role.name).collect();
        assert!(names.is_sorted());
    }

    #[test]
    fn a_role_has_its_permissions_and_no_others() {
        let held = |name: &str| {
            Predefined::named(name)
                .unwrap()
                .permissions()
                .collect::<Vec<_>>()
        };
        assert_eq!(
            held("roles/secretmanager.secretAccessor"),
            ["secretmanager.versions.access"]
        );
        assert_eq!(held("roles/owner"), permissions::ALL);
        let admin = held("roles/iam.workloadIdentityPoolAdmin");
        assert!(admin.contains(&"iam.workloadIdentityPoolProviders.create"));
        assert!(
            admin
                .iter()
                .all(|one| one.starts_with("iam.workloadIdentityPool"))
        );
        let reviewer = held("roles/iam.securityReviewer");
        assert!(reviewer.contains(&"resourcemanager.organizations.getIamPolicy"));
        assert!(!reviewer.iter().any(|one| one.ends_with(".setIamPolicy")));
        assert!(Predefined::named("roles/none").is_none());
    }
}
