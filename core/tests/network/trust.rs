//! Whom the client takes for its server.

use std::sync::{Arc, Mutex};

use safescan_core::{
    clock::{Clock, ManualClock},
    config::SyncConfig,
    error::Error,
    model::UnixMillis,
    net::{self, Failure},
};
use tokio_rustls::TlsAcceptor;

use crate::{
    NOW,
    answers::JSON,
    calm,
    certificates::{Authority, Identity},
    frames, get, in_time,
    line::Server,
    refusal,
};

const HERE: &str = "127.0.0.1";

/// A server that shows this, and gives every request the same answer.
async fn serve(tls: TlsAcceptor) -> Server {
    Server::start_tls(tls, |mut visit| async move {
        while visit.request().await.is_some() {
            visit.say(JSON).await;
        }
    })
    .await
}

fn config(server: &Server, roots: &[&Authority], pins: &[&str]) -> SyncConfig {
    SyncConfig {
        trusted_roots: (!roots.is_empty()).then(|| roots.iter().map(|root| root.der()).collect()),
        pinned_keys: (!pins.is_empty()).then(|| pins.iter().map(|&pin| pin.into()).collect()),
        ..SyncConfig::new(format!("https://{HERE}:{}", server.port))
    }
}

async fn ask(config: &SyncConfig) -> Result<u16, Failure> {
    ask_at(config, Arc::new(ManualClock::at(NOW))).await
}

async fn ask_at(config: &SyncConfig, clock: Arc<dyn Clock>) -> Result<u16, Failure> {
    let network = net::connect_within(calm(), config, clock).unwrap();
    in_time(network.transport.send(get("/"))).await.map(|answer| answer.status)
}

/// Asks a server that shows this, trusting these roots and pins.
async fn shown(identity: &Identity, roots: &[&Authority], pins: &[&str]) -> Result<u16, Failure> {
    let server = serve(identity.acceptor()).await;
    let answer = ask(&config(&server, roots, pins)).await;
    assert_eq!(server.heard().len(), usize::from(answer.is_ok()), "nothing is said to whom is not trusted");
    answer
}

#[tokio::test]
async fn a_root_of_the_app_s_own_vouches() {
    let root = Authority::root("ours");
    let identity = root.vouch_for(&[HERE]);
    assert_eq!(shown(&identity, &[], &[]).await, Err(Failure::Untrusted), "nobody knows that root");
    assert_eq!(shown(&identity, &[&Authority::root("ours")], &[]).await, Err(Failure::Untrusted), "a namesake");
    assert_eq!(shown(&identity, &[&root], &[]).await, Ok(200));

    let server = serve(identity.acceptor()).await;
    let bundle = format!("# two\n{}\n{}", Authority::root("other").certificate.pem(), root.certificate.pem());
    let pem = SyncConfig { trusted_roots: Some(vec![bundle.into_bytes()]), ..config(&server, &[], &[]) };
    assert_eq!(ask(&pem).await, Ok(200));
}

#[tokio::test]
async fn a_server_must_be_whom_was_asked_for() {
    let root = Authority::root("ours");
    let identity = root.vouch_for(&["api.example", "192.0.2.7"]);
    assert_eq!(shown(&identity, &[&root], &[]).await, Err(Failure::Untrusted));
    let server = serve(root.vouch_for(&["localhost"]).acceptor()).await;
    let mut named = config(&server, &[&root], &[]);
    assert_eq!(ask(&named).await, Err(Failure::Untrusted));
    named.base_url = format!("https://localhost:{}", server.port);
    assert_eq!(ask(&named).await, Ok(200));
}

#[tokio::test]
async fn certificates_are_good_for_their_time_by_the_core_s_clock() {
    let root = Authority::root("ours");
    assert_eq!(shown(&root.vouched_for_once(&[HERE]), &[&root], &[]).await, Err(Failure::Untrusted));

    let server = serve(root.vouch_for(&[HERE]).acceptor()).await;
    let config = config(&server, &[&root], &[]);
    for (wall, answer) in [
        (NOW, Ok(200)),
        (UnixMillis(900_000_000_000), Err(Failure::Untrusted)),
        (UnixMillis(4_200_000_000_000), Err(Failure::Untrusted)),
        (UnixMillis(-1), Err(Failure::Untrusted)),
        (UnixMillis(i64::MAX), Err(Failure::Untrusted)),
    ] {
        assert_eq!(ask_at(&config, Arc::new(ManualClock::at(wall))).await, answer, "{wall:?}");
    }
}

#[tokio::test]
async fn a_pin_is_met_by_any_key_of_the_verified_chain() {
    let root = Authority::root("ours");
    let between = root.intermediate("between");
    let identity = between.vouch_for(&[HERE]).with(&between);
    for pin in [&identity.pin, &between.pin, &root.pin] {
        assert_eq!(shown(&identity, &[&root], &[pin]).await, Ok(200));
    }
    let other = Authority::root("other");
    assert_eq!(shown(&identity, &[&root], &[&other.pin]).await, Err(Failure::Untrusted));
    assert_eq!(shown(&identity, &[&root], &[&other.pin, &between.pin]).await, Ok(200), "one is enough");
}

#[tokio::test]
async fn a_pin_is_not_met_by_a_certificate_that_vouches_for_nothing() {
    let (ours, theirs) = (Authority::root("ours"), Authority::root("theirs"));
    let between = ours.intermediate("between");
    // Trusted, and with the pinned certificate sent along.
    let identity = theirs.vouch_for(&[HERE]).with(&between).with(&ours);
    assert_eq!(shown(&identity, &[&ours, &theirs], &[]).await, Ok(200));
    assert_eq!(shown(&identity, &[&ours, &theirs], &[&between.pin, &ours.pin]).await, Err(Failure::Untrusted));
}

#[tokio::test]
async fn a_pin_replaces_no_trust() {
    let root = Authority::root("ours");
    let identity = root.vouch_for(&[HERE]);
    assert_eq!(shown(&identity, &[], &[&identity.pin]).await, Err(Failure::Untrusted));
    let expired = root.vouched_for_once(&[HERE]);
    assert_eq!(shown(&expired, &[&root], &[&expired.pin]).await, Err(Failure::Untrusted));
    let elsewhere = root.vouch_for(&["api.example"]);
    assert_eq!(shown(&elsewhere, &[&root], &[&elsewhere.pin]).await, Err(Failure::Untrusted));
}

#[tokio::test]
async fn only_http_1_is_agreed_upon_and_older_tls_is_spoken() {
    let root = Authority::root("ours");
    let identity = root.vouch_for(&[HERE]);
    for tls in [identity.acceptor(), identity.old_acceptor()] {
        let agreed = Arc::new(Mutex::new(None));
        let told = agreed.clone();
        let server = Server::start_tls(tls, move |mut visit| {
            *told.lock().unwrap() = visit.line.protocol();
            async move {
                while visit.request().await.is_some() {
                    visit.say(JSON).await;
                }
            }
        })
        .await;
        assert_eq!(ask(&config(&server, &[&root], &[&identity.pin])).await, Ok(200));
        assert_eq!(agreed.lock().unwrap().as_deref(), Some("http/1.1"));
    }
}

#[tokio::test]
async fn whoever_speaks_no_tls_is_not_the_server() {
    let server = Server::start(|mut visit| async move {
        visit.say(b"HTTP/1.1 302 Found\r\nlocation: http://portal.example/\r\n\r\n").await;
        visit.until_closed().await;
    })
    .await;
    assert_eq!(ask(&config(&server, &[], &[])).await, Err(Failure::Untrusted));
}

#[tokio::test]
async fn a_line_cut_after_the_handshake_is_interrupted() {
    let root = Authority::root("ours");
    let server = Server::start_tls(root.vouch_for(&[HERE]).acceptor(), |mut visit| async move {
        visit.request().await;
        visit.say(b"HTTP/1.1 200 OK\r\n\r\n{\"cut\":").await;
        // Without a close of TLS this could be anybody's cut.
    })
    .await;
    assert_eq!(ask(&config(&server, &[&root], &[])).await, Err(Failure::Interrupted));
}

#[tokio::test]
async fn sockets_trust_as_requests_do() {
    let root = Authority::root("ours");
    let identity = root.vouch_for(&[HERE]);
    let server = Server::start_tls(identity.acceptor(), |mut visit| async move {
        frames::welcome(&mut visit, "").await;
        visit.until_closed().await;
    })
    .await;
    let open = async |config: SyncConfig| {
        let network = net::connect_within(calm(), &config, Arc::new(ManualClock::at(NOW))).unwrap();
        in_time(network.realtime.connect()).await
    };
    assert!(open(config(&server, &[&root], &[&identity.pin])).await.is_ok());
    assert_eq!(refusal(open(config(&server, &[&root], &[&root.intermediate("x").pin])).await), Failure::Untrusted);
    assert_eq!(refusal(open(config(&server, &[], &[])).await), Failure::Untrusted);
    assert_eq!(server.heard().len(), 1);
}

#[test]
fn what_is_no_certificate_is_refused_by_name() {
    let root = Authority::root("ours");
    let refused = |bytes: Vec<u8>| {
        let config =
            SyncConfig { trusted_roots: Some(vec![root.der(), bytes]), ..SyncConfig::new("https://api.example") };
        match net::connect_to(&config, crate::system_clock()) {
            Err(Error::Invalid { field, .. }) => Some(field),
            Err(other) => panic!("{other}"),
            Ok(_) => None,
        }
    };
    assert_eq!(refused(root.der()), None);
    let mut cut = root.der();
    cut.pop();
    let pem = root.certificate.pem();
    for bad in [
        vec![],
        vec![0x30],
        cut,
        [root.der(), vec![0]].concat(),
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec(),
        pem.replace("END", "ENT").into_bytes(),
        format!("{pem}\n-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----").into_bytes(),
        b"no certificate".to_vec(),
    ] {
        assert_eq!(refused(bad.clone()), Some("trusted_roots"), "{}", String::from_utf8_lossy(&bad));
    }
}
