//! Names of keys in a token (RFC 7512).

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use crate::Error;

/// The scheme, with its colon.
pub(crate) const SCHEME: &str = "pkcs11:";

/// The attributes of RFC 7512, section 2.3. No other name is shown: it may be a part of a PIN.
const NAMES: [&str; 17] = [
    "token",
    "manufacturer",
    "serial",
    "model",
    "library-manufacturer",
    "library-version",
    "library-description",
    "object",
    "type",
    "id",
    "slot-description",
    "slot-manufacturer",
    "slot-id",
    "pin-source",
    "pin-value",
    "module-name",
    "module-path",
];

/// A private key in a token of PKCS #11: `pkcs11:token=T;object=LABEL;id=%01?module-path=PATH&pin-value=PIN`. At least one
/// of `object` and `id` is given; `slot-id` may stand for `token`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Pkcs11Uri {
    /// The label of the token.
    pub token: Option<String>,
    /// The number of the slot.
    pub slot: Option<u64>,
    /// The label of the key.
    pub object: Option<String>,
    /// The ID of the key.
    pub id: Option<Vec<u8>>,
    /// The path of the module.
    pub module: Option<PathBuf>,
    /// The PIN of the user.
    pub pin: Option<Pin>,
}

/// A PIN, which is not shown.
#[derive(Clone, Eq, PartialEq)]
pub struct Pin(pub(super) Zeroizing<String>);

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin")
    }
}

impl FromStr for Pkcs11Uri {
    type Err = Error;

    /// Parses a URI. Other attributes than those above are refused.
    fn from_str(text: &str) -> Result<Self, Error> {
        let rest = after_scheme(text, SCHEME);
        let rest = rest.ok_or_else(|| invalid("expected pkcs11:"))?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut uri = Self::default();
        let path = path.split(';').map(|pair| (pair, true));
        let query = query.split('&').map(|pair| (pair, false));
        for (pair, in_path) in path.chain(query).filter(|(pair, _)| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            uri.set(name, percent_decode_str(value).collect(), in_path)?;
        }
        match uri.object.is_some() || uri.id.is_some() {
            true => Ok(uri),
            false => Err(invalid("expected `object` or `id`")),
        }
    }
}

impl Pkcs11Uri {
    fn set(&mut self, name: &str, value: Vec<u8>, in_path: bool) -> Result<(), Error> {
        let utf8 = |value| String::from_utf8(value).map_err(|_| invalid("not UTF-8"));
        let is_new = match (name, in_path) {
            ("token", true) => self.token.replace(utf8(value)?).is_none(),
            ("slot-id", true) => {
                let number = utf8(value)?.parse();
                let number = number.map_err(|_| invalid("`slot-id` is not a number"))?;
                self.slot.replace(number).is_none()
            }
            ("object", true) => self.object.replace(utf8(value)?).is_none(),
            ("id", true) => self.id.replace(value).is_none(),
            ("type", true) if value == b"private" => true,
            ("module-path", false) if str::from_utf8(&value).is_ok_and(names_pin) => {
                return Err(invalid("expected & between `module-path` and `pin-value`"));
            }
            ("module-path", false) => self.module.replace(utf8(value)?.into()).is_none(),
            ("pin-value", false) => {
                let pin = Pin(Zeroizing::new(utf8(value)?));
                self.pin.replace(pin).is_none()
            }
            _ => return Err(unexpected(name)),
        };
        match is_new {
            true => Ok(()),
            false => Err(invalid(&format!("`{name}` twice"))),
        }
    }
}

/// The part of a URI after `scheme`.
pub(crate) fn after_scheme<'a>(uri: &'a str, scheme: &str) -> Option<&'a str> {
    let (start, rest) = uri.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// Whether a text names the attribute of a PIN, whose value must not be shown.
pub(crate) fn names_pin(text: &str) -> bool {
    text.to_ascii_lowercase().contains("pin-value")
}

fn unexpected(name: &str) -> Error {
    let found = match NAMES.contains(&name) {
        true => format!("`{name}`"),
        false => "attribute".to_owned(),
    };
    invalid(&format!(
        "unexpected {found}: expected token, slot-id, object and id, then ? and module-path and pin-value, with & between"
    ))
}

/// The URI is not shown: it may have a PIN.
fn invalid(reason: &str) -> Error {
    Error::Key(format!("parsing key: pkcs11: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_a_key_in_a_token() {
        let uri: Pkcs11Uri = "pkcs11:token=My%20token;id=%01%ff;object=k;type=private?module-path=/a&pin-value=1%2f2"
            .parse()
            .unwrap();
        let expected = Pkcs11Uri {
            token: Some("My token".to_owned()),
            slot: None,
            object: Some("k".to_owned()),
            id: Some(vec![1, 255]),
            module: Some("/a".into()),
            pin: Some(Pin(Zeroizing::new("1/2".to_owned()))),
        };
        assert_eq!(uri, expected);
        assert!(!format!("{uri:?}").contains("1/2"));
        let slot: Pkcs11Uri = "pkcs11:slot-id=7;object=k".parse().unwrap();
        assert_eq!((slot.slot, slot.pin), (Some(7), None));
    }

    #[test]
    fn refuses_other_names() {
        for (text, reason) in [
            ("pkcs11:", "expected `object` or `id`"),
            ("pkcs11:token=t", "expected `object` or `id`"),
            ("pkcs11:object=a;object=b", "`object` twice"),
            ("pkcs11:object=a;type=public", "unexpected `type`"),
            ("pkcs11:object=a;module-path=/a", "unexpected `module-path`"),
            ("pkcs11:object=a?pin-source=/a", "unexpected `pin-source`"),
            ("pkcs11:object=a?x-pin=1", "unexpected attribute: expected"),
            ("pkcs11:object=%ff", "not UTF-8"),
            ("pkcs11:object=a;slot-id=x", "not a number"),
        ] {
            let error = text.parse::<Pkcs11Uri>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
