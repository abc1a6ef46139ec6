//! Nothing that came from outside is ever said: no log record, no error and no file name holds content, ids or hashes,
//! whatever goes wrong.
#![cfg(feature = "test-hooks")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

use std::{
    fmt::{Debug, Display},
    fs,
    path::Path,
    sync::{Arc, mpsc},
};

use safescan_core::{
    config::{Config, SyncConfig},
    engine::Core,
    error::Error,
    ffi::{ListenerError, LogSink, SafeScan},
    log::Level,
    model::*,
    qr,
};

/// In every text that is given to the core; what begins with it is somebody's.
const CANARY: &str = "canary";
const LINK: &str = "https://canary-host.example/canary-path?token=canary-token";
const NETWORK: &str = "WIFI:T:WPA;S:canary-network;P:canary-password;;";

/// What was said, and what must not be.
#[derive(Default)]
struct Ear {
    said: Vec<String>,
    secrets: Vec<String>,
}

impl Ear {
    fn hears(&mut self, error: impl Display + Debug) {
        self.said.extend([error.to_string(), format!("{error:?}")]);
    }

    /// Whoever fails must fail: a provocation that succeeds proves nothing.
    fn provoked<T, E: Display + Debug>(&mut self, result: Result<T, E>) {
        self.hears(result.err().expect("this was to fail"));
    }

    fn keep_secret(&mut self, hex: impl Display) {
        self.secrets.push(hex.to_string());
    }

    fn leaks(&self) -> Vec<&String> {
        let tells = |said: &&String| {
            let said = said.to_lowercase();
            said.contains(CANARY) || self.secrets.iter().any(|secret| said.contains(secret))
        };
        self.said.iter().filter(tells).collect()
    }
}

struct Sink(mpsc::Sender<String>);

impl LogSink for Sink {
    fn log(&self, level: Level, target: String, text: String) -> Result<(), ListenerError> {
        self.0.send(format!("{level:?} {target} {text}")).map_err(|_| ListenerError::Failed { reason: String::new() })
    }
}

#[tokio::test]
async fn nothing_from_outside_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().join("canary-directory");
    let config = Config {
        sync: Some(SyncConfig {
            share_scans: true,
            share_settings: true,
            only_when_asked: true,
            ..SyncConfig::new("https://canary.example")
        }),
        ..Config::new(directory.to_str().unwrap())
    };
    let mut ear = Ear::default();
    for text in [LINK, NETWORK] {
        ear.keep_secret(qr::hash_text(text));
    }
    ear.keep_secret(qr::hash_host("canary-host.example"));

    let (sink, log) = mpsc::channel();
    let app = SafeScan::open(config.clone()).await.unwrap();
    app.set_log_sink(Level::Trace, Some(Arc::new(Sink(sink)))).unwrap();
    let core = Core::open(config.clone()).await.unwrap();

    let scan = use_it(&app, &mut ear).await;
    misuse_it(&app, &core, &mut ear).await;

    core.test_fail_storage(true);
    ear.provoked(app.record_scan(NewScan::of(LINK)).await);
    ear.provoked(app.kv_get("canary-key".into()).await);
    ear.provoked(core.votes.submit(NewVote::of(LINK, VoteChoice::Safe)).await);
    app.rating(CodeRef::text(LINK)).await.unwrap();
    core.test_fail_storage(false);
    ear.provoked(app.test_panic().await);

    app.suspend().await.unwrap();
    for (content, flipped) in [("canary-value", b'X'), ("canary-path", b'Y')] {
        flip(&directory.join("safescan.db"), content.as_bytes(), flipped);
    }
    ear.provoked(app.kv_get("canary-key".into()).await);
    ear.provoked(core.scans.find(scan).await);
    assert!(!app.check_integrity().await.unwrap().intact);
    assert!(!app.repair().await.unwrap().rebuilt);
    // And now so that the file must be made anew.
    app.suspend().await.unwrap();
    scramble(&directory.join("safescan.db"));
    assert!(app.repair().await.unwrap().rebuilt);
    app.resume().await.unwrap();
    file_names(&directory, &mut ear);

    app.erase_all_data().await.unwrap();
    app.record_scan(NewScan::of(LINK)).await.unwrap();
    app.shutdown().await.unwrap();
    ear.provoked(app.kv_get("canary-key".into()).await);
    ear.provoked(core.scans.record(NewScan::of(LINK)).await);
    file_names(&directory, &mut ear);

    // The thread that passes the log on ends with the core, and its end of the channel with it.
    drop((app, core));
    let log: Vec<String> = log.iter().collect();
    for (what, times) in [("a call failed", 20), ("files closed", 1), ("rebuilding the database", 1), ("erased", 1)] {
        assert!(log.iter().filter(|record| record.contains(what)).count() >= times, "{what} is missing in {log:?}");
    }
    ear.said.extend(log);
    assert_eq!(ear.leaks(), Vec::<&String>::new());
}

/// Does a bit of everything.
async fn use_it(app: &SafeScan, ear: &mut Ear) -> ScanId {
    let metadata = Some("{\"note\":\"canary-metadata\"}".to_owned());
    let scan = app.record_scan(NewScan { metadata, ..NewScan::of(LINK) }).await.unwrap();
    app.record_scans(vec![NewScan::of(NETWORK), NewScan::of("canary-note")]).await.unwrap();
    let ada = Some("canary-user".to_owned());
    app.submit_vote(NewVote::of(LINK, VoteChoice::Safe)).await.unwrap();
    app.submit_vote(NewVote { user_id: ada.clone(), ..NewVote::of(LINK, VoteChoice::Unsafe) }).await.unwrap();
    app.submit_vote(NewVote::of(NETWORK, VoteChoice::Safe)).await.unwrap();
    app.set_reputation(2.0, ada.clone()).await.unwrap();
    app.watch(vec![CodeRef::text(LINK)]).unwrap();
    app.kv_set("canary-key".into(), "{\"canary\":\"canary-value\"}".into()).await.unwrap();
    app.kv_set("canary-list".into(), "[\"canary\"]".into()).await.unwrap();
    app.cache_set("canary-key".into(), "canary-value".into(), None).unwrap();
    app.circuit_enter("canary-service".into()).unwrap();
    app.update_settings(SettingsUpdate { notifications: Some(false), ..SettingsUpdate::default() }).await.unwrap();
    for user in [None, ada] {
        ear.keep_secret(app.my_vote(CodeRef::text(LINK), user).await.unwrap().unwrap().voter_id);
    }
    ear.keep_secret(scan.id);
    for operation in app.pending_operations(500, None).await.unwrap().operations {
        ear.keep_secret(operation.id);
    }
    scan.id
}

/// Gives every group of calls something it cannot take, with a canary in it.
async fn misuse_it(app: &SafeScan, core: &Core, ear: &mut Ear) {
    let nul = || format!("{LINK}\0");
    let long = || CANARY.repeat(20_000);
    for text in [nul(), long()] {
        ear.provoked(app.record_scan(NewScan::of(&text)).await);
        ear.provoked(app.submit_vote(NewVote::of(&text, VoteChoice::Safe)).await);
        ear.provoked(
            app.submit_vote(NewVote { user_id: Some(text.clone()), ..NewVote::of(LINK, VoteChoice::Safe) }).await,
        );
        ear.provoked(app.rating(CodeRef::text(&text)).await);
        ear.provoked(app.kv_set(text.clone(), "canary-value".into()).await);
        ear.provoked(app.cache_get(text.clone()));
        ear.provoked(app.circuit_enter(text.clone()));
        ear.provoked(core.scans.record(NewScan::of(&text)).await);
        ear.provoked(safescan_core::ffi::hash_qr_data(text));
    }
    ear.provoked(app.record_scan(NewScan { metadata: Some(long()), ..NewScan::of(LINK) }).await);
    ear.provoked(app.scan_history(ScanQuery { cursor: Some("canary-cursor".into()), ..ScanQuery::default() }).await);
    ear.provoked(app.my_votes(VoteQuery { limit: 1, cursor: Some("canary-cursor".into()), user_id: None }).await);
    ear.provoked(app.pending_operations(1, Some("canary-cursor".into())).await);
    ear.provoked(app.kv_merge(vec![KvPair { key: "canary-list".into(), value: "{\"canary\":1}".into() }]).await);
    ear.provoked(app.kv_merge(vec![KvPair { key: "canary-key".into(), value: "{\"canary\":".into() }]).await);
    ear.provoked(app.export_data("canary.jsonl".into()).await);
    ear.provoked(app.export_data("/canary-folder/canary.jsonl".into()).await);
    for config in [
        Config::new("canary-directory"),
        Config::new("/proc/canary-directory"),
        Config { identity_key: Some(CANARY.into()), ..Config::new("/canary") },
        Config { sync: Some(SyncConfig::new(LINK.replace("https", "http"))), ..Config::new("/canary") },
    ] {
        ear.said.push(format!("{config:?}"));
        ear.provoked(SafeScan::open(config.clone()).await.map(drop));
        ear.provoked::<(), Error>(Core::open(config).await.map(drop));
    }
}

/// Changes one byte wherever the content stands in the file.
fn flip(file: &Path, content: &[u8], to: u8) {
    let mut bytes = fs::read(file).unwrap();
    let places: Vec<usize> = (0..bytes.len() - content.len()).filter(|at| bytes[*at..].starts_with(content)).collect();
    assert!(!places.is_empty(), "the content is in the file");
    places.iter().for_each(|at| bytes[*at] = to);
    fs::write(file, bytes).unwrap();
}

/// Breaks the structure: overwrites the head of every page but the first.
fn scramble(file: &Path) {
    const PAGE: usize = 4096;
    let mut bytes = fs::read(file).unwrap();
    bytes.chunks_mut(PAGE).skip(1).for_each(|page| page[..4].fill(0xee));
    fs::write(file, bytes).unwrap();
}

fn file_names(folder: &Path, ear: &mut Ear) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        ear.said.push(entry.file_name().to_string_lossy().into_owned());
        if entry.path().is_dir() {
            file_names(&entry.path(), ear);
        }
    }
}

#[test]
fn a_leak_is_noticed() {
    let mut ear = Ear::default();
    ear.keep_secret(qr::hash_text(LINK));
    ear.hears(Error::Stopped);
    assert!(ear.leaks().is_empty());
    ear.said.extend(["reading CANARY-key".into(), format!("no vote on {}", qr::hash_text(LINK))]);
    assert_eq!(ear.leaks().len(), 2);
}
