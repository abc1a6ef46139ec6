//! An app's own directory, with what AsyncStorage leaves in it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use md5::{Digest, Md5};
use rusqlite::{Connection, config::DbConfig, params};
use safescan_core::{
    engine::Core,
    model::{AsyncStorageSource, ImportReport, Scan, VoteQuery},
};
use serde_json::{Map, Value, json};

use crate::support::history;

pub(crate) const BUNDLE: &str = "example.app";
/// 2023-11-14, the time of the first scan and vote.
pub(crate) const FIRST: i64 = 1_700_000_000_000;

pub(crate) struct App {
    directory: tempfile::TempDir,
}

impl App {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    pub(crate) fn source(&self) -> AsyncStorageSource {
        let directory = self.directory.path().to_str().unwrap();
        AsyncStorageSource { bundle_id: Some(BUNDLE.into()), ..AsyncStorageSource::in_directory(directory) }
    }

    /// As versions 1 and 2 make it on Android: the table lets keys be NULL.
    pub(crate) fn rk_storage(&self) -> Connection {
        let connection = self.database("databases/RKStorage");
        connection
            .execute_batch(
                "PRAGMA journal_mode = TRUNCATE; PRAGMA user_version = 1; CREATE TABLE android_metadata (locale TEXT); \
                 INSERT INTO android_metadata VALUES ('en_US'); \
                 CREATE TABLE catalystLocalStorage (key TEXT PRIMARY KEY, value TEXT NOT NULL);",
            )
            .unwrap();
        connection
    }

    /// As version 2 makes it with Room: out of a copy of the one before, with a log that is not folded in.
    pub(crate) fn room(&self) -> Connection {
        let connection = self.database("databases/AsyncStorage");
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA user_version = 2; \
                 CREATE TABLE catalystLocalStorage (key TEXT PRIMARY KEY, value TEXT NOT NULL); \
                 CREATE TABLE Storage (`key` TEXT NOT NULL, `value` TEXT, PRIMARY KEY(`key`)); \
                 CREATE TABLE room_master_table (id INTEGER PRIMARY KEY, identity_hash TEXT); \
                 INSERT INTO room_master_table VALUES (42, 'd41d8cd98f00b204e9800998ecf8427e');",
            )
            .unwrap();
        connection
    }

    /// As version 3 makes it, below the folder of the databases.
    pub(crate) fn instance(&self, home: &str, name: &str) -> Connection {
        let connection = self.database(&format!("{home}/async-storage/databases/{name}/{name}.sqlite"));
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA user_version = 1; \
                 CREATE TABLE entries (`key` TEXT NOT NULL, `value` TEXT, PRIMARY KEY(`key`)); \
                 CREATE TABLE room_master_table (id INTEGER PRIMARY KEY, identity_hash TEXT); \
                 INSERT INTO room_master_table VALUES (42, '33b0559bdc8fe1befd1a1927fc3f3caa');",
            )
            .unwrap();
        connection
    }

    /// As versions 1 and 2 make it on Apple systems: long values in files of their own.
    pub(crate) fn folder(&self, below: &str, entries: &[(&str, &str)]) -> PathBuf {
        let folder = self.path(below);
        fs::create_dir_all(&folder).unwrap();
        let mut manifest = Map::new();
        for (key, value) in entries {
            let inline = value.encode_utf16().count() <= 1024;
            if !inline {
                fs::write(folder.join(md5(key)), value).unwrap();
            }
            manifest.insert((*key).to_owned(), if inline { json!(value) } else { Value::Null });
        }
        fs::write(folder.join("manifest.json"), Value::Object(manifest).to_string()).unwrap();
        folder
    }

    /// Where they lie today.
    pub(crate) fn apple(&self, entries: &[(&str, &str)]) -> PathBuf {
        self.folder(&format!("Library/Application Support/{BUNDLE}/RCTAsyncLocalStorage_V1"), entries)
    }

    /// Every file's content, but for the index that SQLite shares between processes, which holds none.
    pub(crate) fn content(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut content = BTreeMap::new();
        collect(self.directory.path(), &mut content);
        content
    }

    fn database(&self, below: &str) -> Connection {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let connection = Connection::open(path).unwrap();
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
        connection
    }
}

pub(crate) fn md5(key: &str) -> String {
    Md5::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sets keys in whichever table the database has for them.
pub(crate) fn set(connection: &Connection, entries: &[(&str, &str)]) {
    for (key, value) in entries {
        put(connection, &Some(*key), &Some(*value));
    }
}

/// The same with whatever a column can hold.
pub(crate) fn put(connection: &Connection, key: &dyn rusqlite::ToSql, value: &dyn rusqlite::ToSql) {
    let sql = "SELECT name FROM sqlite_schema WHERE name IN ('Storage', 'entries', 'catalystLocalStorage') \
               ORDER BY name = 'catalystLocalStorage'";
    let table: String = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    connection
        .execute(&format!("INSERT OR REPLACE INTO {table} (key, value) VALUES (?1, ?2)"), params![key, value])
        .unwrap();
}

/// The old hash of a code's text.
pub(crate) fn legacy_hash(text: &str) -> String {
    let hash = text.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    format!("sha256_{:x}", hash.unsigned_abs())
}

/// A scan as an app may have stored it.
pub(crate) fn old_scan(number: usize) -> Value {
    json!({
        "id": format!("scan-{number}"),
        "qrData": crate::support::link(number),
        "safetyStatus": if number.is_multiple_of(3) { "unsafe" } else { "safe" },
        "timestamp": FIRST + i64::try_from(number).unwrap() * 1000,
        "nested": { "tags": ["a", 1, null], "deep": { "er": [[[]]] } },
    })
}

pub(crate) fn old_vote(text: &str, safe: bool, at: i64) -> Value {
    json!({
        "userId": "user_sha256_1a2b3",
        "qrHash": legacy_hash(text),
        "vote": if safe { "safe" } else { "unsafe" },
        "timestamp": at,
    })
}

/// Newest first, as it was stored.
pub(crate) fn old_history(count: usize) -> String {
    Value::Array((0..count).rev().map(old_scan).collect()).to_string()
}

/// Everything that can be seen of a core's content, without the names that it makes up.
#[derive(Debug, PartialEq)]
pub(crate) struct State {
    pub(crate) scans: Vec<(String, String, i64, Option<String>)>,
    pub(crate) votes: Vec<(String, String, i64)>,
    pub(crate) values: BTreeMap<String, Option<String>>,
    pub(crate) settings: safescan_core::model::Settings,
    pub(crate) counted: (u32, u32, u32),
}

pub(crate) async fn state(core: &Core) -> State {
    let mut scans: Vec<_> = history(core)
        .await
        .into_iter()
        .map(|Scan { text, verdict, scanned_at, metadata, .. }| (text, format!("{verdict:?}"), scanned_at.0, metadata))
        .collect();
    scans.sort();
    let mut votes = Vec::new();
    let mut cursor = None;
    loop {
        let page = core.votes.page(VoteQuery { limit: 500, cursor, user_id: None }).await.unwrap();
        votes.extend(
            page.votes.iter().map(|vote| (vote.qr_hash.to_string(), format!("{:?}", vote.choice), vote.voted_at.0)),
        );
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    votes.sort();
    let keys = core.key_value.keys().await.unwrap();
    let mut values = BTreeMap::new();
    for keys in keys.chunks(1000) {
        let found = core.key_value.find_all(keys.to_vec()).await.unwrap();
        values.extend(found.into_iter().map(|entry| (entry.key, entry.value)));
    }
    let settings = core.settings.read().await.unwrap();
    let statistics = core.statistics().await.unwrap();
    let counted = (statistics.scans, statistics.votes, statistics.kv_entries);
    State { scans, votes, values, settings, counted }
}

pub(crate) async fn value(core: &Core, key: &str) -> Option<String> {
    core.key_value.find(key.into()).await.unwrap()
}

pub(crate) async fn import(core: &Core, app: &App) -> ImportReport {
    core.import.run(app.source()).await.unwrap()
}

/// A report in which everything was taken.
pub(crate) fn whole(storages: u32) -> ImportReport {
    ImportReport { storages, complete: true, ..ImportReport::default() }
}

fn collect(folder: &Path, content: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, content);
        } else if !path.to_str().unwrap().ends_with("-shm") {
            content.insert(path.clone(), fs::read(path).unwrap());
        }
    }
}
