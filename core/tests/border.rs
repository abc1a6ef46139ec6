//! What the languages get, as they get it: across the border, not from the engine below.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod support;

use std::{fs, sync::Arc};

use safescan_core::{
    error::SafeScanError,
    ffi::{EventListener, ListenerError, SafeScan},
    model::Event,
};
use support::{Phone, new_scan};
use tokio::sync::mpsc;

#[tokio::test(flavor = "multi_thread")]
async fn readers_are_told_of_the_same_until_they_are_finished() {
    let phone = Phone::new();
    let core = SafeScan::open(phone.config()).await.unwrap();
    let reader = core.event_reader(false);
    let scan = core.record_scan(new_scan(1)).await.unwrap();
    assert_eq!(reader.next(10).await.unwrap(), [Event::ScansAdded { count: 1, latest: scan.id }]);

    // What was told before it came is no news to it.
    let late_reader = core.event_reader(true);
    let waiting = tokio::spawn({
        let reader = Arc::clone(&reader);
        async move { reader.next(10).await }
    });
    reader.finish();
    assert_eq!(waiting.await.unwrap().unwrap(), [], "whoever waits is told of the end");
    core.kv_set("key".into(), "value".into()).await.unwrap();
    assert_eq!(reader.next(10).await.unwrap(), [], "and it stays ended");
    assert_eq!(late_reader.next(10).await.unwrap(), [Event::KeyValueChanged { keys: vec!["key".into()] }]);
    reader.finish();
    core.shutdown().await.unwrap();
}

/// Passes on what it is told.
struct Teller(mpsc::UnboundedSender<Event>);

impl EventListener for Teller {
    fn on_event(&self, event: Event) -> Result<(), ListenerError> {
        self.0.send(event).map_err(|_| ListenerError::Failed { reason: "nobody hears".into() })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_is_told_of_everything_until_another_takes_its_place() {
    let phone = Phone::new();
    let core = SafeScan::open(phone.config()).await.unwrap();
    let (teller, mut told) = mpsc::unbounded_channel();
    core.set_listener(Some(Arc::new(Teller(teller)))).unwrap();
    let scan = core.record_scan(new_scan(1)).await.unwrap();
    assert_eq!(told.recv().await, Some(Event::ScansAdded { count: 1, latest: scan.id }));

    let (teller, mut other) = mpsc::unbounded_channel();
    core.set_listener(Some(Arc::new(Teller(teller)))).unwrap();
    core.kv_set("key".into(), "value".into()).await.unwrap();
    assert_eq!(other.recv().await, Some(Event::KeyValueChanged { keys: vec!["key".into()] }));
    assert_eq!(told.recv().await, None, "the one before is let go, and heard no more");
    core.set_listener(None).unwrap();
    assert_eq!(other.recv().await, None);
    core.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_versions_database_is_refused_and_left_as_it_is() {
    let phone = Phone::new();
    SafeScan::open(phone.config()).await.unwrap().shutdown().await.unwrap();
    let mut newer = fs::read(phone.file("safescan.db")).unwrap();
    // SQLite's user_version: four bytes, big-endian, at offset 60 of the file's header.
    let known = u32::from_be_bytes(newer[60..64].try_into().unwrap());
    newer[60..64].copy_from_slice(&4_711_u32.to_be_bytes());
    fs::write(phone.file("safescan.db"), &newer).unwrap();

    let reason = format!("the database has schema 4711, this version knows up to {known}");
    let refused = SafeScan::open(phone.config()).await.err();
    assert_eq!(refused, Some(SafeScanError::StorageIncompatible { reason }));
    assert_eq!(fs::read(phone.file("safescan.db")).unwrap(), newer);
}
