use signature::PublicKey;

use crate::Identity;

/// A party that a policy names.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The name in the policy.
    pub name: String,
    /// The only key that signs for the principal.
    pub key: PublicKey,
}

impl Principal {
    /// The identity that signatures of the principal have.
    pub fn identity(&self) -> Identity {
        Identity::from(&self.key)
    }

    /// Whether `identity` is the principal's.
    pub fn is(&self, identity: &Identity) -> bool {
        self.identity() == *identity
    }
}

/// The principals of a policy. No two share a name or a key: one signer with two names would count
/// twice.
#[derive(Clone, Debug, Default)]
pub struct Principals(Vec<Principal>);

/// Two principals that share a name or a key.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("principals `{first}` and `{second}` share one {what}")]
pub struct Twins {
    /// The name of the earlier principal.
    pub first: String,
    /// The name of the later principal.
    pub second: String,
    /// `name` or `key`.
    pub what: &'static str,
}

impl Principals {
    /// Takes principals in the order of the policy.
    ///
    /// # Errors
    /// Two of them share a name or a key.
    pub fn new(principals: Vec<Principal>) -> Result<Self, Twins> {
        for (index, second) in principals.iter().enumerate() {
            for first in &principals[..index] {
                refuse_twins(first, second)?;
            }
        }
        Ok(Self(principals))
    }

    /// The principals, in the order of the policy.
    pub fn iter(&self) -> std::slice::Iter<'_, Principal> {
        self.0.iter()
    }

    /// The number of principals.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no principal.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The principal of this name.
    pub fn named(&self, name: &str) -> Option<&Principal> {
        self.iter().find(|principal| principal.name == name)
    }

    /// The principal with this identity.
    pub fn with_identity(&self, identity: &Identity) -> Option<&Principal> {
        self.iter().find(|principal| principal.is(identity))
    }
}

fn refuse_twins(first: &Principal, second: &Principal) -> Result<(), Twins> {
    let what = if first.name == second.name {
        "name"
    } else if first.is(&second.identity()) {
        "key"
    } else {
        return Ok(());
    };
    Err(Twins {
        first: first.name.clone(),
        second: second.name.clone(),
        what,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use signature::PrivateKey;

    pub(crate) fn principal(name: &str, key: &PrivateKey) -> Principal {
        Principal {
            name: name.to_owned(),
            key: key.public().clone(),
        }
    }

    #[test]
    fn principals_share_neither_name_nor_key() {
        let (one, two) = (
            PrivateKey::generate().unwrap(),
            PrivateKey::generate().unwrap(),
        );
        let new = |all: [(&str, &PrivateKey); 2]| {
            Principals::new(all.map(|(name, key)| principal(name, key)).to_vec())
        };
        let principals = new([("a", &one), ("b", &two)]).unwrap();
        assert_eq!((principals.len(), principals.is_empty()), (2, false));
        let found = principals.with_identity(&Identity::from(two.public()));
        assert_eq!(found.unwrap().name, "b");
        assert_eq!(
            principals.named("a").unwrap().identity(),
            one.public().into()
        );
        assert!(principals.named("c").is_none());
        assert_eq!(new([("a", &one), ("a", &two)]).unwrap_err().what, "name");
        assert_eq!(new([("a", &one), ("b", &one)]).unwrap_err().what, "key");
    }
}
