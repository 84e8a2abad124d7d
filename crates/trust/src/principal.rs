use keyless::{Signer, TrustRoot};
use signature::PublicKey;

use crate::Identity;

/// A party that a policy names.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The name in the policy.
    pub name: String,
    /// The only means by which the principal signs.
    pub means: Means,
}

/// How a principal signs.
#[derive(Clone, Debug)]
pub enum Means {
    /// With this key.
    Key(PublicKey),
    /// With certificates that name this subject.
    Keyless(Signer),
}

impl Principal {
    /// The identity that signatures of the principal have.
    pub fn identity(&self) -> Identity {
        match &self.means {
            Means::Key(key) => Identity::from(key),
            Means::Keyless(signer) => Identity::from(signer),
        }
    }

    /// The key, if the principal signs with one.
    pub fn key(&self) -> Option<&PublicKey> {
        match &self.means {
            Means::Key(key) => Some(key),
            Means::Keyless(_) => None,
        }
    }

    /// The subject of certificates, if the principal signs with them.
    pub fn signer(&self) -> Option<&Signer> {
        match &self.means {
            Means::Key(_) => None,
            Means::Keyless(signer) => Some(signer),
        }
    }

    /// Whether `identity` is the principal's.
    pub fn is(&self, identity: &Identity) -> bool {
        self.identity() == *identity
    }
}

/// The principals of a policy. No two share a name, a key or a subject of one issuer: one signer with two
/// names would count twice. RSA keys of one modulus are one key.
#[derive(Clone, Debug, Default)]
pub struct Principals {
    all: Vec<Principal>,
    root: Option<TrustRoot>,
}

/// Two principals that share a name, a key or a subject.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("principals `{first}` and `{second}` have the same {what}")]
pub struct Twins {
    /// The name of the earlier principal.
    pub first: String,
    /// The name of the later principal.
    pub second: String,
    /// `name`, `key`, `RSA modulus` or `subject`.
    pub what: &'static str,
}

impl Principals {
    /// Takes principals in the order of the policy.
    ///
    /// # Errors
    /// Two of them share a name, a key or a subject of one issuer.
    pub fn new(principals: Vec<Principal>) -> Result<Self, Twins> {
        for (index, second) in principals.iter().enumerate() {
            for first in &principals[..index] {
                refuse_twins(first, second)?;
            }
        }
        let (all, root) = (principals, None);
        Ok(Self { all, root })
    }

    /// The same principals, whose certificates are verified with `root`.
    #[must_use]
    pub fn with_root(self, root: TrustRoot) -> Self {
        let root = Some(root);
        Self { root, ..self }
    }

    /// The authorities and logs that certificates are verified with. Without them, no certificate counts.
    pub fn root(&self) -> Option<&TrustRoot> {
        self.root.as_ref()
    }

    /// The principals, in the order of the policy.
    pub fn iter(&self) -> std::slice::Iter<'_, Principal> {
        self.all.iter()
    }

    /// The number of principals.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is no principal.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
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
    } else {
        match (&first.means, &second.means) {
            (Means::Key(one), Means::Key(other)) if one.key_id() == other.key_id() => "key",
            (Means::Key(one), Means::Key(other)) if one.is_held_with(other) => "RSA modulus",
            (Means::Keyless(one), Means::Keyless(other)) if one == other => "subject",
            _ => return Ok(()),
        }
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
            means: Means::Key(key.public().clone()),
        }
    }

    #[test]
    fn a_subject_of_one_issuer_is_one_principal() {
        let keyless = |name: &str, issuer: &str| Principal {
            name: name.to_owned(),
            means: Means::Keyless(Signer {
                issuer: issuer.to_owned(),
                subject: "a".to_owned(),
            }),
        };
        let new = |all: [Principal; 2]| Principals::new(all.to_vec()).map(drop);
        assert!(new([keyless("a", "x"), keyless("b", "y")]).is_ok());
        let refused = new([keyless("a", "x"), keyless("b", "x")]).unwrap_err();
        assert_eq!(refused.what, "subject");
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

    /// Who can sign with the one can sign with the other, and one signature with RSASSA-PSS is by both.
    #[test]
    fn rsa_keys_of_one_modulus_are_one_principal() {
        let principal = |name: &str, key: &PublicKey| Principal {
            name: name.to_owned(),
            means: Means::Key(key.clone()),
        };
        let key = |modulus: &[u8], exponent: &[u8]| PublicKey::from_rsa(modulus, exponent).unwrap();
        let plain = key(&[0xff; 256], &[1, 0, 1]);
        let pss = PublicKey::from_pem(&testkit::pss(&plain.to_pem(), &[])).unwrap();
        let twins = [pss, key(&[0xff; 256], &[3])];
        let other = key(&[0xfd; 256], &[1, 0, 1]);
        let elliptic = PrivateKey::generate().unwrap();
        for twin in &twins {
            assert_ne!(twin.key_id(), plain.key_id());
            let all = vec![principal("a", &plain), principal("b", twin)];
            let refused = Principals::new(all).unwrap_err();
            assert_eq!((&refused.second[..], refused.what), ("b", "RSA modulus"));
            for different in [&other, elliptic.public()] {
                let all = vec![principal("a", different), principal("b", twin)];
                assert!(Principals::new(all).is_ok());
            }
        }
    }
}
