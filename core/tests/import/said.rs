//! Nothing of what an import comes across is said: not in an error, not in the log, not in the name of a file.

use std::{
    fs,
    sync::{Arc, mpsc},
};

use safescan_core::{
    ffi::{ListenerError, LogSink, SafeScan},
    log::Level,
};
use serde_json::json;

use crate::{
    files::{App, FIRST, set},
    support::Phone,
};

struct Sink(mpsc::Sender<String>);

impl LogSink for Sink {
    fn log(&self, level: Level, target: String, text: String) -> Result<(), ListenerError> {
        self.0.send(format!("{level:?} {target} {text}")).map_err(|_| ListenerError::Failed { reason: String::new() })
    }
}

#[tokio::test]
async fn no_key_and_no_value() {
    let (app, phone) = (App::new(), Phone::new());
    let core = SafeScan::open(phone.config()).await.unwrap();
    let (sink, log) = mpsc::channel();
    core.set_log_sink(Level::Trace, Some(Arc::new(Sink(sink)))).unwrap();
    let mut said = Vec::new();

    let scan = json!([{ "qrData": "https://canary.example/", "timestamp": FIRST }]).to_string();
    let database = app.rk_storage();
    set(&database, &[("canary-key", "canary-value"), ("@safe_scan_history", &scan), ("canary\0", "canary")]);
    drop(database);
    let folder = app.apple(&[("canary-key", "canary-value")]);
    fs::write(folder.join("manifest.json"), "{\"canary-key\":\"canary-val").unwrap();
    said.push(format!("{:?}", core.import_async_storage(app.source()).await.unwrap_err()));

    // And with a database that is broken as well.
    let mut bytes = fs::read(app.path("databases/RKStorage")).unwrap();
    bytes[..100].fill(0xee);
    fs::write(app.path("databases/RKStorage"), bytes).unwrap();
    said.push(format!("{:?}", core.import_async_storage(app.source()).await.unwrap_err()));
    said.push(format!("{:?}", core.confirm_import().await.unwrap_err()));
    let elsewhere = safescan_core::model::AsyncStorageSource { instance: Some("canary/..".into()), ..app.source() };
    said.push(format!("{elsewhere:?} {:?}", core.import_async_storage(elsewhere.clone()).await.unwrap_err()));
    for entry in fs::read_dir(phone.directory.path()).unwrap() {
        said.push(entry.unwrap().file_name().into_string().unwrap());
    }

    core.shutdown().await.unwrap();
    drop(core);
    said.extend(log.iter());
    assert!(said.len() > 6, "something was said");
    let directory = app.path("");
    for text in &said {
        assert!(!text.contains("canary") && !text.contains(directory.to_str().unwrap()), "{text}");
    }
}
