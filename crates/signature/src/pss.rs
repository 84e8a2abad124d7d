//! The parameters of keys whose algorithm is `id-RSASSA-PSS` (RFC 4055, section 3.1).

use p256::pkcs8::ObjectIdentifier;
use p256::pkcs8::der::asn1::{AnyRef, ContextSpecific};
use p256::pkcs8::der::{self, Decode, SliceReader, TagNumber};
use p256::pkcs8::spki::AlgorithmIdentifierRef;

use crate::algorithm::{Hash, PssParameters};

/// `id-sha1` (RFC 4055, section 2.1).
const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
/// `id-mgf1` (RFC 4055, section 2.2).
const MGF1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.8");
/// The digest algorithms that are read (RFC 4055, section 2.1).
const HASHES: [(ObjectIdentifier, Hash); 3] = [
    (
        ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1"),
        Hash::Sha256,
    ),
    (
        ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2"),
        Hash::Sha384,
    ),
    (
        ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3"),
        Hash::Sha512,
    ),
];
/// The length of the salt if none is given.
const SALT: u16 = 20;
/// `trailerFieldBC`, the only trailer.
const TRAILER: u16 = 1;

/// The members of `RSASSA-PSS-params`.
struct Members<'a> {
    hash: Option<AlgorithmIdentifierRef<'a>>,
    mask: Option<AlgorithmIdentifierRef<'a>>,
    salt: Option<u16>,
    trailer: Option<u16>,
}

/// Parses `RSASSA-PSS-params`. A member that is absent has its default; one that states the default is read as well, as the
/// RFC demands of the trailer.
///
/// # Errors
/// The reason why keys with these parameters are not read.
pub(crate) fn parameters(parameters: AnyRef<'_>) -> Result<PssParameters, String> {
    let malformed = |_| {
        "the parameters are not RSASSA-PSS-params in DER, or a number in them is too large"
            .to_owned()
    };
    let members = parameters.sequence(members).map_err(malformed)?;
    let name = digest_algorithm(members.hash)?;
    let mut hashes = HASHES.iter();
    let hash = hashes.find(|(known, _)| *known == name);
    let (_, hash) = hash.ok_or_else(|| {
        format!(
            "unsupported digest algorithm {} in the parameters of RSASSA-PSS",
            shown(name)
        )
    })?;
    let found = mask_algorithm(members.mask)?;
    if found != name {
        return Err(format!(
            "the parameters of RSASSA-PSS have MGF1 with {}: expected {hash}, as for the message",
            shown(found)
        ));
    }
    match members.trailer.unwrap_or(TRAILER) {
        TRAILER => Ok(PssParameters {
            hash: *hash,
            salt: members.salt.unwrap_or(SALT),
        }),
        other => Err(format!(
            "the parameters of RSASSA-PSS have trailer {other}: expected {TRAILER}"
        )),
    }
}

fn members<'a>(reader: &mut SliceReader<'a>) -> der::Result<Members<'a>> {
    Ok(Members {
        hash: member(reader, 0)?,
        mask: member(reader, 1)?,
        salt: member(reader, 2)?,
        trailer: member(reader, 3)?,
    })
}

fn member<'a, T: Decode<'a, Error = der::Error>>(
    reader: &mut SliceReader<'a>,
    number: u32,
) -> der::Result<Option<T>> {
    let member = ContextSpecific::decode_explicit(reader, TagNumber(number))?;
    Ok(member.map(|member| member.value))
}

/// The digest algorithm of an identifier. Its parameters are NULL or absent (RFC 4055, section 2.1).
fn digest_algorithm(
    identifier: Option<AlgorithmIdentifierRef<'_>>,
) -> Result<ObjectIdentifier, String> {
    match identifier {
        None => Ok(SHA1),
        Some(found) if found.parameters.is_none_or(AnyRef::is_null) => Ok(found.oid),
        Some(_) => {
            Err("a digest algorithm in the parameters of RSASSA-PSS has parameters".to_owned())
        }
    }
}

/// The digest algorithm of MGF1.
fn mask_algorithm(
    identifier: Option<AlgorithmIdentifierRef<'_>>,
) -> Result<ObjectIdentifier, String> {
    let Some(identifier) = identifier else {
        return Ok(SHA1);
    };
    let of_mgf1 = identifier
        .parameters
        .filter(|_| identifier.oid == MGF1)
        .and_then(|parameters| parameters.decode_as().ok());
    let of_mgf1 = of_mgf1.ok_or_else(|| {
        "the parameters of RSASSA-PSS have a mask generation function other than MGF1".to_owned()
    })?;
    digest_algorithm(Some(of_mgf1))
}

fn shown(name: ObjectIdentifier) -> String {
    let mut hashes = HASHES.iter();
    match hashes.find(|(known, _)| *known == name) {
        Some((_, hash)) => hash.to_string(),
        None if name == SHA1 => "sha1".to_owned(),
        None => name.to_string(),
    }
}
