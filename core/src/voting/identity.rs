//! Voters without names.
//!
//! A voter id is a keyed hash of the user id. Without the key nobody can tell whose it is, not even by trying every
//! user id there is, and 128 bits of it are too many for two users ever to share one.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::model::{QrHash, VoterId};

/// What turns users into voters: 32 secret bytes, the same for the life of an installation. It does not show itself.
#[derive(Clone)]
pub struct IdentityKey([u8; 32]);

impl IdentityKey {
    /// As long as the hash is wide: a longer key adds nothing, a shorter one is the weakest link.
    pub const BYTES: usize = 32;

    /// Takes over 32 bytes; `None` if they are more or fewer.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes, for the one place that keeps them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The one voter that this user is on every code.
    #[must_use]
    pub fn voter_id(&self, user_id: &str) -> VoterId {
        self.derive(&[b"voter", user_id.as_bytes()])
    }

    /// The voter that this user is on this code alone: two votes of one person cannot be linked by it.
    #[must_use]
    pub fn voter_id_for_code(&self, user_id: &str, code: &QrHash) -> VoterId {
        self.derive(&[b"item", &code.0, user_id.as_bytes()])
    }

    fn derive(&self, parts: &[&[u8]]) -> VoterId {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        parts.iter().for_each(|part| mac.update(part));
        let mut id = [0; 16];
        id.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        VoterId(id)
    }
}

/// Hides the key.
impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn key() -> IdentityKey {
        let bytes: Vec<u8> = (0..32).collect();
        IdentityKey::from_slice(&bytes).expect("32 bytes")
    }

    /// The ids as another program computes them from the definition.
    #[test]
    fn ids_follow_the_definition() {
        let code = QrHash([0xab; 32]);
        for (user_id, plain, for_code) in [
            ("", "8688cdbc5367787bafb36d07d6a6a1e9", "4fb55b94e1b4a1a36493f8b77fdb1eb1"),
            ("anna", "8b7a34e117259282ecaa7377560a0287", "7fd6f06aebc3ff34944e6558d6daa24a"),
            ("жанна 🦀", "307eb9700c123387a451d8602d89fd57", "126f0a6bc53ebc2911b6035b44fca1d4"),
        ] {
            assert_eq!(key().voter_id(user_id).to_string(), plain, "{user_id}");
            assert_eq!(key().voter_id_for_code(user_id, &code).to_string(), for_code, "{user_id}");
        }
    }

    #[test]
    fn ten_thousand_users_are_ten_thousand_voters() {
        let key = key();
        let ids: HashSet<VoterId> = (0..10_000).map(|user| key.voter_id(&format!("user{user}"))).collect();
        assert_eq!(ids.len(), 10_000);
    }

    #[test]
    fn the_key_and_the_code_make_another_voter() {
        let other = IdentityKey::from_slice(&[7; 32]).expect("32 bytes");
        assert_ne!(key().voter_id("anna"), other.voter_id("anna"));
        let (one, two) = (QrHash([1; 32]), QrHash([2; 32]));
        assert_ne!(key().voter_id_for_code("anna", &one), key().voter_id_for_code("anna", &two));
    }

    #[test]
    fn a_key_has_32_bytes_and_does_not_show_them() {
        for length in [0, 16, 31, 33, 64] {
            assert!(IdentityKey::from_slice(&vec![1; length]).is_none(), "{length}");
        }
        assert_eq!(format!("{:?}", key()), "IdentityKey(…)");
        assert_eq!(key().as_bytes()[31], 31);
    }
}
