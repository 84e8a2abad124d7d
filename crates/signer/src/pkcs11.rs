//! Signs with a key in a token of PKCS #11 (OASIS, version 3.1), such as a smart card or an HSM. The private key
//! never leaves the token.

mod uri;

use std::fmt::Display;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error as Fault, RvError};
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsPssParams};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use signature::{Algorithm, Hash, PublicKey};

pub use uri::{Pin, Pkcs11Uri};
pub(crate) use uri::{SCHEME, after_scheme, names_pin};

use crate::Error;
use crate::access::Ask;

/// A key in a token.
pub(crate) struct Token {
    session: Arc<Mutex<Session>>,
    key: ObjectHandle,
    public: PublicKey,
}

impl Token {
    /// Opens a key. Modules block.
    ///
    /// # Errors
    /// The module cannot be loaded, the token or the key is not there or not the only one, the PIN is wrong, or the
    /// key does not sign with the algorithm.
    pub(crate) fn open(
        uri: &Pkcs11Uri,
        module: &Path,
        pin: Ask,
        algorithm: Option<Algorithm>,
    ) -> Result<Self, Error> {
        let module = uri.module.as_deref().unwrap_or(module);
        if module.as_os_str().is_empty() {
            return Err(Error::Token(
                "the path of the module is not known".to_owned(),
            ));
        }
        let context = Pkcs11::new(module).map_err(failed("loading the module"))?;
        let locking = CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK);
        match context.initialize(locking) {
            // By another key of this process.
            Ok(()) | Err(Fault::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(failed("starting the module")(error)),
        }
        let slot = slot(&context, uri)?;
        let session = context.open_ro_session(slot);
        let session = session.map_err(failed("opening the token"))?;
        log_in(&session, uri, pin)?;
        let key = only(&session, uri, ObjectClass::PRIVATE_KEY)?;
        let public = public_key(&session, uri)?;
        let public = match algorithm {
            Some(algorithm) => {
                mechanism(algorithm)?;
                public.signing_with(algorithm)?
            }
            None => public,
        };
        Ok(Self {
            session: Arc::new(Mutex::new(session)),
            key,
            public,
        })
    }

    pub(crate) fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `message` on a thread that may block.
    pub(crate) async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let (session, key) = (self.session.clone(), self.key);
        let algorithm = self.public.algorithms().next();
        let algorithm = algorithm.ok_or_else(|| Error::Token("no algorithm".to_owned()))?;
        let message = message.to_vec();
        let signed = tokio::task::spawn_blocking(move || {
            let session = session.lock().unwrap_or_else(PoisonError::into_inner);
            sign(&session, key, algorithm, &message)
        });
        let signature = signed.await.map_err(failed("signing"))??;
        let encoded = self.public.encoded(signature);
        encoded.map_err(|error| Error::Token(error.to_string()))
    }
}

fn failed<E: Display>(doing: &'static str) -> impl Fn(E) -> Error {
    move |error| Error::Token(format!("{doing}: {error}"))
}

/// The only slot with the token.
fn slot(context: &Pkcs11, uri: &Pkcs11Uri) -> Result<Slot, Error> {
    let slots = context.get_slots_with_initialized_token();
    let slots = slots.map_err(failed("listing tokens"))?;
    let mut wanted = Vec::new();
    for slot in slots {
        if is_wanted(context, slot, uri)? {
            wanted.push(slot);
        }
    }
    match wanted[..] {
        [slot] => Ok(slot),
        [] => Err(Error::Token("no token has this label and slot".to_owned())),
        _ => Err(Error::Token(
            "several tokens: name one by token or slot-id".to_owned(),
        )),
    }
}

fn is_wanted(context: &Pkcs11, slot: Slot, uri: &Pkcs11Uri) -> Result<bool, Error> {
    if uri.slot.is_some_and(|number| slot.id() != number) {
        return Ok(false);
    }
    let Some(label) = &uri.token else {
        return Ok(true);
    };
    let info = context.get_token_info(slot);
    Ok(info
        .map_err(failed("reading the label of a token"))?
        .label()
        == label)
}

fn log_in(session: &Session, uri: &Pkcs11Uri, ask: Ask) -> Result<(), Error> {
    let pin = match &uri.pin {
        Some(pin) => pin.0.clone(),
        None => ask().map_err(|error| Error::Token(format!("asking for the PIN: {error}")))?,
    };
    let pin = AuthPin::new(pin.as_str().into());
    match session.login(UserType::User, Some(&pin)) {
        // A login is of the process: another key of the token is open.
        Ok(()) | Err(Fault::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
        Err(error) => Err(failed("logging in")(error)),
    }
}

/// The only object of this class that the URI names.
fn only(session: &Session, uri: &Pkcs11Uri, class: ObjectClass) -> Result<ObjectHandle, Error> {
    let mut wanted = vec![Attribute::Class(class)];
    let label = uri.object.as_ref();
    wanted.extend(label.map(|label| Attribute::Label(label.clone().into_bytes())));
    wanted.extend(uri.id.as_ref().map(|id| Attribute::Id(id.clone())));
    let found = session.find_objects(&wanted);
    match found.map_err(failed("looking for the key"))?[..] {
        [key] => Ok(key),
        [] => Err(Error::Token(format!("the token has no such key ({class})"))),
        _ => Err(Error::Token(format!(
            "the token has several such keys ({class}): name one by object and id"
        ))),
    }
}

/// The public key, which tokens keep in an object of the same label and ID.
fn public_key(session: &Session, uri: &Pkcs11Uri) -> Result<PublicKey, Error> {
    let key = only(session, uri, ObjectClass::PUBLIC_KEY)?;
    let rsa = [AttributeType::Modulus, AttributeType::PublicExponent];
    let curve = [AttributeType::EcParams, AttributeType::EcPoint];
    let rsa = attributes(session, key, &rsa)?;
    let curve = attributes(session, key, &curve)?;
    let public = match (&rsa[..], &curve[..]) {
        (
            [
                Attribute::Modulus(modulus),
                Attribute::PublicExponent(exponent),
            ],
            _,
        ) => PublicKey::from_rsa(modulus, exponent),
        (_, [Attribute::EcParams(curve), Attribute::EcPoint(point)]) => {
            PublicKey::from_point(curve, point)
        }
        _ => {
            return Err(Error::Token(
                "the key is neither RSA nor on a curve".to_owned(),
            ));
        }
    };
    public.map_err(failed("reading the public key"))
}

/// Those of the attributes that the object has.
fn attributes(
    session: &Session,
    object: ObjectHandle,
    kinds: &[AttributeType],
) -> Result<Vec<Attribute>, Error> {
    let read = session.get_attributes(object, kinds);
    read.map_err(failed("reading the public key"))
}

fn sign(
    session: &Session,
    key: ObjectHandle,
    algorithm: Algorithm,
    message: &[u8],
) -> Result<Vec<u8>, Error> {
    let digest;
    let signed = match algorithm {
        Algorithm::Ecdsa { hash, .. } => {
            digest = hash.digest(message);
            &digest[..]
        }
        _ => message,
    };
    session
        .sign(&mechanism(algorithm)?, key, signed)
        .map_err(failed("signing"))
}

/// The mechanism of an algorithm. That of ECDSA takes a digest.
fn mechanism(algorithm: Algorithm) -> Result<Mechanism<'static>, Error> {
    Ok(match algorithm {
        Algorithm::Ecdsa { .. } => Mechanism::Ecdsa,
        Algorithm::RsaPkcs1 { hash } => pkcs1(hash),
        Algorithm::RsaPss { hash, .. } => pss(hash),
        Algorithm::Ed25519 => Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure)),
        Algorithm::Ed25519ph => {
            let reason = format!("a key of PKCS #11 does not sign with {algorithm}");
            return Err(Error::Algorithm(reason));
        }
    })
}

fn pkcs1(hash: Hash) -> Mechanism<'static> {
    match hash {
        Hash::Sha256 => Mechanism::Sha256RsaPkcs,
        Hash::Sha384 => Mechanism::Sha384RsaPkcs,
        Hash::Sha512 => Mechanism::Sha512RsaPkcs,
    }
}

/// RSASSA-PSS with a salt as long as the digest.
fn pss(hash: Hash) -> Mechanism<'static> {
    let parameters = |hash_alg, mgf, length: u64| PkcsPssParams {
        hash_alg,
        mgf,
        s_len: length.into(),
    };
    match hash {
        Hash::Sha256 => Mechanism::Sha256RsaPkcsPss(parameters(
            MechanismType::SHA256,
            PkcsMgfType::MGF1_SHA256,
            32,
        )),
        Hash::Sha384 => Mechanism::Sha384RsaPkcsPss(parameters(
            MechanismType::SHA384,
            PkcsMgfType::MGF1_SHA384,
            48,
        )),
        Hash::Sha512 => Mechanism::Sha512RsaPkcsPss(parameters(
            MechanismType::SHA512,
            PkcsMgfType::MGF1_SHA512,
            64,
        )),
    }
}

#[cfg(test)]
mod tests;
