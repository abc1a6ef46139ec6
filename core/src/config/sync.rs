//! Which server a core talks to, and whom it takes for that server. What can be judged from the text alone is judged
//! here, before anything is opened; whether a root really is a certificate is judged where certificates are read.

use url::Url;

use crate::{
    error::{Error, Problem, Result},
    limits::{check_bytes, check_name},
};

/// Bytes in the server's URL: what browsers and gateways still take.
const MAX_URL_BYTES: usize = 2 * 1024;
/// Roots and pins of one core: an organisation has a handful, and each is looked at in every handshake.
const MAX_ROOTS: usize = 64;
const MAX_PINS: usize = 64;
/// Bytes in one root, which may be a bundle: Mozilla's whole list has a quarter of a mebibyte as PEM.
const MAX_ROOT_BYTES: usize = 256 * 1024;
/// What a DER certificate begins with: the tag of a sequence, which is all it consists of.
const DER_SEQUENCE: u8 = 0x30;
/// What a PEM certificate has in it.
const PEM_BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// How changes are sent to a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncConfig {
    /// The server, as `https://host/path`.
    pub base_url: String,
    /// Whether the scan history is sent as well (to the account's other devices), not only votes.
    pub share_scans: bool,
    /// Whether settings are sent as well.
    pub share_settings: bool,
    /// Whether nothing is sent or fetched but when the app asks for it (`sync_now`, `run_once`).
    pub only_when_asked: bool,
    /// Whether the server may be spoken to without encryption if it is on this very device. For tests.
    pub allow_plain_loopback: bool,
    /// Certificates, each in DER or PEM, that are trusted to vouch for the server besides the bundled public ones.
    pub trusted_roots: Option<Vec<Vec<u8>>>,
    /// Base64 of the SHA-256 of public keys (SubjectPublicKeyInfo): the server's verified chain must hold one of them.
    pub pinned_keys: Option<Vec<String>>,
}

impl SyncConfig {
    /// The defaults, for the server at `base_url`.
    #[must_use]
    pub fn new(base_url: impl Into<String>) -> Self {
        Self { base_url: base_url.into(), ..Self::default() }
    }

    /// The server's address, if it is one that may be spoken to.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming `base_url`.
    pub fn server(&self) -> Result<Url> {
        let refuse = |problem| Error::invalid("base_url", Problem::Is(problem));
        check_bytes("base_url", &self.base_url, MAX_URL_BYTES)?;
        let url = Url::parse(&self.base_url).map_err(|_| refuse("is no URL"))?;
        match url.scheme() {
            "https" => {}
            "http" if !is_loopback(&url) => return Err(refuse("is not https")),
            "http" if !self.allow_plain_loopback => {
                return Err(refuse("is not https, and allow_plain_loopback is not set"));
            }
            "http" => {}
            _ => return Err(refuse("is not https")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("holds credentials"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("has a query or a fragment"));
        }
        Ok(url)
    }

    /// The pinned keys, if there are any.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming `pinned_keys`.
    pub fn pins(&self) -> Result<Option<Vec<[u8; 32]>>> {
        let Some(pins) = &self.pinned_keys else { return Ok(None) };
        // None at all would be either no protection or no server: neither is meant.
        check_count("pinned_keys", pins.len(), MAX_PINS)?;
        let read = |pin: &String| {
            sha256_of(pin).ok_or(Error::invalid("pinned_keys", Problem::Is("holds one that is no SHA-256 in base64")))
        };
        pins.iter().map(read).collect::<Result<_>>().map(Some)
    }

    pub(super) fn validate(&self) -> Result<()> {
        check_name("base_url", &self.base_url, MAX_URL_BYTES)?;
        self.server()?;
        self.pins()?;
        let Some(roots) = &self.trusted_roots else { return Ok(()) };
        check_count("trusted_roots", roots.len(), MAX_ROOTS)?;
        for root in roots {
            if root.len() > MAX_ROOT_BYTES {
                let problem = Problem::TooLong { limit: MAX_ROOT_BYTES as u64, unit: "bytes" };
                return Err(Error::invalid("trusted_roots", problem));
            }
            let is_pem = root.windows(PEM_BEGIN.len()).any(|window| window == PEM_BEGIN);
            if root.first() != Some(&DER_SEQUENCE) && !is_pem {
                return Err(Error::invalid("trusted_roots", Problem::Is("holds one that is no certificate")));
            }
        }
        Ok(())
    }
}

/// Whether the URL names this very device. `localhost` does by RFC 6761, and every resolver of a phone keeps to it.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn check_count(field: &'static str, count: usize, max: usize) -> Result<()> {
    match count {
        0 => Err(Error::invalid(field, Problem::Empty)),
        count if count > max => Err(Error::invalid(field, Problem::TooLong { limit: max as u64, unit: "items" })),
        _ => Ok(()),
    }
}

/// Reads base64 of 32 bytes: 43 digits of six bits, of which the last two are zero, and one `=`.
fn sha256_of(text: &str) -> Option<[u8; 32]> {
    let digits = text.strip_suffix('=').filter(|digits| digits.len() == 43)?;
    let mut bytes = [0; 32];
    let (mut bits, mut held, mut at) = (0_u32, 0_u32, 0);
    for digit in digits.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            *bytes.get_mut(at)? = u8::try_from(bits >> held).ok()?;
            bits &= (1 << held) - 1;
            at += 1;
        }
    }
    (bits == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offending(change: impl FnOnce(&mut SyncConfig)) -> Option<&'static str> {
        let mut config = SyncConfig::new("https://api.example/v1");
        change(&mut config);
        match config.validate() {
            Ok(()) => None,
            Err(Error::Invalid { field, .. }) => Some(field),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn only_safe_servers() {
        let at = |url: &str| offending(|c| c.base_url = url.into());
        for good in ["https://api.example", "https://api.example:8443/v1/", "https://192.0.2.7", "https://[::1]:1"] {
            assert_eq!(at(good), None, "{good}");
        }
        let bad = [
            "",
            "api.example",
            "http://api.example",
            "http://127.0.0.1:8787",
            "ftp://api.example",
            "wss://api.example",
            "file:///etc/passwd",
            "https://me:secret@api.example",
            "https://me@api.example",
            "https://:secret@api.example",
            "https://api.example/?token=1",
            "https://api.example/?",
            "https://api.example/#top",
            &format!("https://api.example/{}", "x".repeat(MAX_URL_BYTES)),
        ];
        for bad in bad {
            assert_eq!(at(bad), Some("base_url"), "{bad}");
        }
    }

    #[test]
    fn plain_only_to_this_device_and_only_if_allowed() {
        let plain = |url: &str| {
            offending(|c| {
                c.base_url = url.into();
                c.allow_plain_loopback = true;
            })
        };
        for good in ["http://127.0.0.1:8787", "http://127.1.2.3", "http://[::1]:8787/v1", "http://LOCALHOST:1"] {
            assert_eq!(plain(good), None, "{good}");
        }
        for bad in
            ["http://localhost.example", "http://10.0.2.2:8787", "http://[::]", "http://0.0.0.0", "ws://127.0.0.1"]
        {
            assert_eq!(plain(bad), Some("base_url"), "{bad}");
        }
    }

    #[test]
    fn roots_look_like_certificates() {
        let with = |roots: Vec<Vec<u8>>| offending(|c| c.trusted_roots = Some(roots));
        assert_eq!(with(vec![vec![DER_SEQUENCE, 0], [b"# ours\n", PEM_BEGIN].concat()]), None);
        for bad in [vec![], vec![vec![]], vec![b"certificate".to_vec()], vec![vec![DER_SEQUENCE; MAX_ROOT_BYTES + 1]]] {
            assert_eq!(with(bad), Some("trusted_roots"));
        }
        assert_eq!(with(vec![vec![DER_SEQUENCE]; MAX_ROOTS + 1]), Some("trusted_roots"));
    }

    #[test]
    fn pins_are_hashes() {
        let with = |pins: &[&str]| offending(|c| c.pinned_keys = Some(pins.iter().map(|&pin| pin.into()).collect()));
        // SHA-256 of nothing, and its first byte one higher.
        let (nothing, other) =
            ("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "5LDEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        assert_eq!(with(&[nothing, other]), None);
        let read = sha256_of(nothing).expect("a hash");
        assert_eq!((read[0], read[1], read[31]), (0xe3, 0xb0, 0x55));
        let bad: [&[&str]; 7] = [
            &[],
            &[""],
            &[nothing, &nothing[..43]],
            &["sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="],
            &["47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU="],
            &["47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV="],
            &["47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSé="],
        ];
        for bad in bad {
            assert_eq!(with(bad), Some("pinned_keys"), "{bad:?}");
        }
        assert_eq!(with(&vec![nothing; MAX_PINS + 1]), Some("pinned_keys"));
    }
}
