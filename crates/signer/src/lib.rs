//! Signs images and statements about them, and publishes the result. With a key in a file, in Cloud KMS or in a token of
//! PKCS #11, this is in both layouts that readers look for: the legacy tag, which Confidential Space reads, and a bundle as
//! referrer, which current cosign reads. With a key that a Sigstore instance certifies for one signature, it is in a bundle
//! only. This crate makes no decision about an image.
#![forbid(unsafe_code)]

mod access;
mod certified;
mod cloud_kms;
mod credentials;
mod endpoint;
mod error;
mod identify;
mod key;
mod pkcs11;
mod public;
mod publish;

pub use access::{Access, Ask};
pub use certified::{CertifiedSigner, Clock, Instance};
pub use cloud_kms::CloudKms;
pub use credentials::credentials;
pub use endpoint::{Endpoint, KmsEndpoint};
pub use error::Error;
pub use google_cloud_auth::credentials::Credentials;
pub use identify::public_half;
pub use key::{KeyRef, Signer};
pub use pkcs11::{Pin, Pkcs11Uri};
pub use public::public_key;
pub use publish::{
    Certified, Offline, Published, Shelf, Unpublished, attach, attest_image,
    attest_image_certified, attest_unpublished, is_attested, is_signed, payload, sign_image,
    sign_image_certified, sign_unpublished, signature_statement, statement,
};
