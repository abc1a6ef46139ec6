//! Whom the core takes for its server: whoever a bundled root or one of the app's own vouches for and, if keys are pinned,
//! has one of them in the chain that was verified.
//!
//! The provider is named here and never looked up: what the process has installed for itself, or has not, is nothing to
//! us. The system's own roots are not asked, because that needs to be set up through Java on Android and fails there in
//! the middle of a request if it was not; every platform thus trusts the same.

use std::{sync::Arc, time::Duration};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        ClientSessionMemoryCache, Resumption, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime, pem::PemObject},
    time_provider::TimeProvider,
};
use sha2::{Digest, Sha256};

use crate::{
    clock::Clock,
    config::SyncConfig,
    error::{Error, Problem, Result},
};

/// Sessions kept for a quicker handshake: there is one server, and a few of its tickets are enough.
const SESSIONS: usize = 8;

/// Whom to trust, read but not yet made into anything.
pub(super) struct Trust {
    roots: Vec<TrustAnchor<'static>>,
    pins: Option<Vec<[u8; 32]>>,
}

impl Trust {
    /// Reads the app's own roots and pins. Cheap: the bundled roots are not touched.
    pub(super) fn of(config: &SyncConfig) -> Result<Self> {
        let mut roots = Vec::new();
        for bytes in config.trusted_roots.iter().flatten() {
            let found = anchors(bytes).filter(|anchors| !anchors.is_empty());
            let refused = Error::invalid("trusted_roots", Problem::Is("holds one that is no certificate"));
            roots.extend(found.ok_or(refused)?);
        }
        Ok(Self { roots, pins: config.pins()? })
    }

    /// What every connection to the server is made with.
    pub(super) fn client_config(&self, clock: Arc<dyn Clock>) -> Result<ClientConfig, rustls::Error> {
        let provider = Arc::new(ring::default_provider());
        let mut store = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        store.roots.extend(self.roots.iter().cloned());
        let store = Arc::new(store);
        let verifier = WebPkiServerVerifier::builder_with_provider(store.clone(), provider.clone())
            .build()
            .map_err(|_| rustls::Error::General("no verifier".into()))?;
        let verifier: Arc<dyn ServerCertVerifier> = match &self.pins {
            None => verifier,
            Some(pins) => Arc::new(Pinned { verifier, store, pins: pins.clone(), provider: provider.clone() }),
        };
        let mut config = ClientConfig::builder_with_details(provider, Arc::new(WallTime(clock)))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        // Sockets begin as HTTP/1.1, and the few requests of a phone gain nothing by a second protocol.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.resumption = Resumption::store(Arc::new(ClientSessionMemoryCache::new(SESSIONS)));
        Ok(config)
    }
}

/// Every certificate in `bytes`: one in DER, or any number in PEM. Nothing if one of them is none.
fn anchors(bytes: &[u8]) -> Option<Vec<TrustAnchor<'static>>> {
    let anchor = |certificate: CertificateDer<'_>| {
        webpki::anchor_from_trusted_cert(&certificate).map(|anchor| anchor.to_owned()).ok()
    };
    if bytes.first() == Some(&0x30) {
        return anchor(CertificateDer::from(bytes)).map(|anchor| vec![anchor]);
    }
    CertificateDer::pem_slice_iter(bytes).map(|certificate| anchor(certificate.ok()?)).collect()
}

/// The core's clock, for the dates in certificates.
struct WallTime(Arc<dyn Clock>);

impl TimeProvider for WallTime {
    fn current_time(&self) -> Option<UnixTime> {
        let millis = u64::try_from(self.0.wall().0).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_millis(millis)))
    }
}

impl std::fmt::Debug for WallTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WallTime")
    }
}

/// Asks for a pinned key besides everything that is asked anyway.
#[derive(Debug)]
struct Pinned {
    verifier: Arc<WebPkiServerVerifier>,
    store: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
    pins: Vec<[u8; 32]>,
}

impl Pinned {
    /// Whether a path from the server's certificate to a trusted root has a pinned key on it. The certificates that the
    /// server sends do not count as such: anybody can send one along that vouches for nothing.
    fn has_pinned_path(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> bool {
        let is_pinned = |key: &[u8]| {
            let hash: [u8; 32] = Sha256::digest(key).into();
            self.pins.contains(&hash)
        };
        let check = |path: &webpki::VerifiedPath<'_>| {
            let pinned = is_pinned(&path.end_entity().subject_public_key_info())
                || path.intermediate_certificates().any(|cert| is_pinned(&cert.subject_public_key_info()))
                || is_pinned(&webpki::spki_for_anchor(path.anchor()));
            // An error lets other paths be tried.
            if pinned { Ok(()) } else { Err(webpki::Error::UnknownIssuer) }
        };
        let Ok(certificate) = webpki::EndEntityCert::try_from(end_entity) else { return false };
        certificate
            .verify_for_usage(
                self.provider.signature_verification_algorithms.all,
                &self.store.roots,
                intermediates,
                now,
                webpki::KeyUsage::server_auth(),
                None,
                Some(&check),
            )
            .is_ok()
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        if self.has_pinned_path(end_entity, intermediates, now) {
            Ok(verified)
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
