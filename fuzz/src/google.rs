use std::fmt::Display;
use std::str::FromStr;

use google::identity::{Pool, Provider};
use google::kms::{Key, KeyRing, KeyVersion};
use google::pubsub::{Subscription, Topic};
use google::secret::{Secret, SecretVersion};
use google::storage::{Bucket, Object};
use google::{InvalidName, Location, Member, Project, Role};

use crate::check::{accepted, with_text};

/// A name of a resource or principal is printed as it was parsed.
pub fn google_name(bytes: &[u8]) -> bool {
    with_text(bytes, |text| {
        let parsers = [
            name::<Project>,
            name::<Location>,
            name::<KeyRing>,
            name::<Key>,
            name::<KeyVersion>,
            name::<Pool>,
            name::<Provider>,
            name::<Topic>,
            name::<Subscription>,
            name::<Role>,
            name::<Member>,
            name::<Secret>,
            name::<SecretVersion>,
            name::<Bucket>,
            name::<Object>,
        ];
        // Each parser runs: no `any`.
        parsers.iter().filter(|parse| parse(text)).count() > 0
    })
}

fn name<T: FromStr<Err = InvalidName> + Display>(text: &str) -> bool {
    accepted(text.parse::<T>(), |name| assert_eq!(name.to_string(), text))
}
