use serde::{Deserialize, Serialize};

/// A key that an account signs with. The private key is in the file that was made of it, and nowhere else.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AccountKey {
    /// The address of the account.
    pub address: String,
    /// The public key (PKCS #1).
    #[serde(with = "crate::state::base64")]
    pub(super) public_key: Vec<u8>,
    /// When it was made, in Unix seconds.
    pub created: u64,
}
