//! The names under which codes and hosts are rated.

use sha2::{Digest, Sha256};

use super::canonical::{canonical, host_alone};
use super::link::trimmed;
use crate::model::QrHash;

/// The name under which a code is rated: SHA-256 of its [`canonical`] form.
///
/// A hash is not a disguise. Whoever holds a list of likely texts finds out within seconds which of them was hashed, so
/// ask [`is_votable`](super::is_votable) before a hash leaves the device.
#[must_use]
pub fn hash_text(text: &str) -> QrHash {
    sha256(&canonical(text))
}

/// The name under which a host is rated: SHA-256 of its canonical form, as [`canonical_host`](super::canonical_host)
/// returns it. Other spellings of the host give the same hash.
///
/// It cannot be mistaken for the hash of a link: the canonical form of a link has a scheme, that of a host has none.
#[must_use]
pub fn hash_host(host: &str) -> QrHash {
    match host_alone(host) {
        Some(host) => sha256(&host),
        // No host at all; a function that cannot fail still has to name it.
        None => sha256(&trimmed(host).to_lowercase()),
    }
}

fn sha256(text: &str) -> QrHash {
    QrHash(Sha256::digest(text.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::qr::canonical_host;

    /// Computed elsewhere, over the canonical forms written beside them.
    const KNOWN: [(&str, &str); 4] = [
        // nothing
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        // https://example.com/
        (" HTTPS://EXAMPLE.COM#top ", "0f115db062b7c0dd030b16878c99dea5c354b49dc37b38eb8846179c7783e9d7"),
        // https://xn--bcher-kva.example/%C3%A9?q=%C3%A9
        ("https://Bücher.example/é?q=%c3%a9", "81d06fe99934b838e0f21582cf3be6c93886d3d529013fc6643270421762776c"),
        // Grüße, 世界
        ("\u{feff}Grüße, 世界\n", "49837434716aa6f6917104cbba82bd5b8e82a970ddc5bfef7bcc45e3d6ea60b6"),
    ];

    #[test]
    fn known_answers() {
        for (text, expected) in KNOWN {
            assert_eq!(hash_text(text).to_string(), expected, "{text:?}");
        }
        assert_eq!(
            hash_host("Bücher.example.").to_string(),
            "970ca6b73eaf2630a6b8d6aa59f106433bbe80b15e3f9d427af4363e5bce4436"
        );
    }

    #[test]
    fn hashes_that_once_met_no_longer_do() {
        // `Aa` and `BB` are the same to the string hash of 31s that many platforms offer.
        assert_ne!(hash_text("https://example.com/Aa"), hash_text("https://example.com/BB"));
        assert_ne!(hash_text("https://example.com/AaAa"), hash_text("https://example.com/BBBB"));
    }

    #[test]
    fn a_host_has_another_name_than_its_front_page() {
        assert_ne!(hash_host("example.com"), hash_text("https://example.com/"));
        assert_eq!(hash_host(" EXAMPLE.com. "), hash_host("example.com"));
        assert_eq!(hash_host("127.1"), hash_host("127.0.0.1"));
        assert_ne!(hash_host("no host"), hash_host("another none"));
    }

    proptest! {
        #[test]
        fn all_spellings_share_a_hash(host in "[a-z]{1,8}\\.example", path in "[a-z0-9]{0,8}") {
            let link = format!("https://{host}/{path}");
            let shouted = format!(" HTTPS://{}:443/./{path}#top\n", host.to_uppercase());
            prop_assert_eq!(hash_text(&link), hash_text(&shouted));
            prop_assert_eq!(canonical_host(&shouted).map(|found| hash_host(&found)), Some(hash_host(&host)));
        }
    }
}
