//! The keys with which collaborators encrypt.

use content::Digest;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

pub fn aead_key(name: &str) -> LessSafeKey {
    let key = UnboundKey::new(&AES_256_GCM, Digest::of(name.as_bytes()).as_bytes());
    LessSafeKey::new(key.unwrap())
}

pub fn encrypt(key: &str, aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let mut data = plaintext.to_vec();
    let nonce = Nonce::assume_unique_for_key([0; 12]);
    aead_key(key)
        .seal_in_place_append_tag(nonce, Aad::from(aad), &mut data)
        .unwrap();
    data
}
