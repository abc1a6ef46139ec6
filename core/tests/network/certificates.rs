//! Authorities and certificates made for a test, right ones and wrong ones.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PublicKeyData, date_time_ymd};
use sha2::{Digest, Sha256};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig, SupportedProtocolVersion,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
        version::{TLS12, TLS13},
    },
};

/// Somebody who vouches for others.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub certificate: rcgen::Certificate,
    pub pin: String,
}

impl Authority {
    /// One that vouches for itself.
    pub fn root(name: &str) -> Self {
        let (params, key) = authority(name);
        let certificate = params.self_signed(&key).unwrap();
        Self { pin: pin_of(&key), certificate, issuer: Issuer::new(params, key) }
    }

    /// One that this one vouches for.
    pub fn intermediate(&self, name: &str) -> Self {
        let (params, key) = authority(name);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Self { pin: pin_of(&key), certificate, issuer: Issuer::new(params, key) }
    }

    /// A server's certificate for these names, good at any time.
    pub fn vouch_for(&self, names: &[&str]) -> Identity {
        self.vouch(names, |_| ())
    }

    /// One that was good until 2020.
    pub fn vouched_for_once(&self, names: &[&str]) -> Identity {
        self.vouch(names, |params| params.not_after = date_time_ymd(2020, 1, 1))
    }

    fn vouch(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let names: Vec<String> = names.iter().map(|&name| name.into()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(2100, 1, 1);
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity { pin: pin_of(&key), chain: vec![certificate.der().clone()], key: key.serialize_der() }
    }

    pub fn der(&self) -> Vec<u8> {
        self.certificate.der().to_vec()
    }
}

fn authority(name: &str) -> (CertificateParams, KeyPair) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(2100, 1, 1);
    (params, KeyPair::generate().unwrap())
}

/// What a server shows for itself.
#[derive(Clone)]
pub struct Identity {
    pub pin: String,
    chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
}

impl Identity {
    /// Shows this certificate as well.
    pub fn with(mut self, authority: &Authority) -> Self {
        self.chain.push(authority.certificate.der().clone());
        self
    }

    pub fn acceptor(&self) -> TlsAcceptor {
        self.acceptor_of(&[&TLS13, &TLS12])
    }

    /// Speaks only what was new in 2008.
    pub fn old_acceptor(&self) -> TlsAcceptor {
        self.acceptor_of(&[&TLS12])
    }

    fn acceptor_of(&self, versions: &[&'static SupportedProtocolVersion]) -> TlsAcceptor {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.clone()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Arc::new(config).into()
    }
}

fn pin_of(key: &KeyPair) -> String {
    base64(&Sha256::digest(key.subject_public_key_info()))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().chain([&0; 2]).take(3).fold(0, |bits, byte| bits << 8 | usize::from(*byte));
        for digit in 0..4 {
            let shown = digit <= group.len();
            text.push(if shown { char::from(DIGITS[bits >> (18 - 6 * digit) & 63]) } else { '=' });
        }
    }
    text
}
