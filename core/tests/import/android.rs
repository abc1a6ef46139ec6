//! The databases of each version on Android.

use std::fs;

use safescan_core::model::{AsyncStorageSource, ImportReport};

use crate::{
    files::{App, import, put, set, value, whole},
    support::Phone,
};

#[tokio::test]
async fn keys_of_the_oldest_database() {
    let (app, phone) = (App::new(), Phone::new());
    let database = app.rk_storage();
    set(&database, &[("theme", "dark"), ("empty", ""), ("💡", "{\"a\":[1,{}]}"), ("long", &"v".repeat(100_000))]);
    drop(database);
    let before = app.content();
    let core = phone.open().await;

    let report = import(&core, &app).await;

    assert_eq!(report, ImportReport { key_values: 4, ..whole(1) });
    assert_eq!(value(&core, "theme").await.as_deref(), Some("dark"));
    assert_eq!(value(&core, "empty").await.as_deref(), Some(""));
    assert_eq!(value(&core, "💡").await.as_deref(), Some("{\"a\":[1,{}]}"));
    assert_eq!(value(&core, "long").await.map(|value| value.len()), Some(100_000));
    assert_eq!(app.content(), before, "the originals are as they were");
}

#[tokio::test]
async fn rooms_database_wins_over_the_one_it_left_behind() {
    let (app, phone) = (App::new(), Phone::new());
    set(&app.rk_storage(), &[("theme", "old"), ("removed since", "x")]);
    set(&app.room(), &[("theme", "new"), ("only in the log", "y")]);
    assert!(app.path("databases/AsyncStorage-wal").metadata().unwrap().len() > 0, "or this test proves less");
    let before = app.content();
    let core = phone.open().await;

    assert_eq!(import(&core, &app).await, ImportReport { key_values: 2, ..whole(1) });

    assert_eq!(value(&core, "theme").await.as_deref(), Some("new"));
    assert_eq!(value(&core, "only in the log").await.as_deref(), Some("y"));
    assert_eq!(value(&core, "removed since").await, None);
    assert_eq!(app.content(), before, "the log was not folded in");
}

#[tokio::test]
async fn a_database_that_room_never_came_to_use_does_not_win() {
    let (app, phone) = (App::new(), Phone::new());
    set(&app.rk_storage(), &[("theme", "dark")]);
    fs::write(app.path("databases/AsyncStorage"), "").unwrap();
    let core = phone.open().await;
    assert_eq!(import(&core, &app).await, ImportReport { key_values: 1, ..whole(1) });
    drop(core);

    // A kill between the copying and the migration: the copy has the old table alone.
    fs::copy(app.path("databases/RKStorage"), app.path("databases/AsyncStorage")).unwrap();
    let phone = Phone::new();
    let core = phone.open().await;
    assert_eq!(import(&core, &app).await, ImportReport { key_values: 1, ..whole(1) });
}

#[tokio::test]
async fn every_named_storage_of_version_three() {
    let (app, phone) = (App::new(), Phone::new());
    set(&app.instance("databases", "session"), &[("token", "t"), ("shared", "session's")]);
    set(&app.instance("databases", "feed"), &[("page", "p"), ("shared", "feed's")]);
    set(&app.room(), &[("theme", "dark")]);
    let core = phone.open().await;

    // What is taken first stays: of the named storages the first in the alphabet.
    let expected = ImportReport { key_values: 4, kept: 1, complete: false, ..whole(3) };
    assert_eq!(import(&core, &app).await, expected, "the other one has nowhere to go");
    assert_eq!(value(&core, "shared").await.as_deref(), Some("feed's"));

    // One at a time, under names of their own.
    let phone = Phone::new();
    let core = phone.open().await;
    for name in ["session", "feed"] {
        let (instance, key_prefix) = (Some(name.into()), Some(format!("{name}/")));
        let source = AsyncStorageSource { instance, key_prefix, ..app.source() };
        assert_eq!(core.import.run(source).await.unwrap(), ImportReport { key_values: 2, ..whole(1) });
    }
    assert_eq!(value(&core, "session/shared").await.as_deref(), Some("session's"));
    assert_eq!(value(&core, "feed/shared").await.as_deref(), Some("feed's"));
    assert_eq!(value(&core, "theme").await, None);
}

#[tokio::test]
async fn what_android_could_not_read_back() {
    let (app, phone) = (App::new(), Phone::new());
    let five_megabytes = "5".repeat(5 * 1024 * 1024);
    set(&app.rk_storage(), &[("large", &five_megabytes), ("small", "x")]);
    let core = phone.open().await;
    assert_eq!(import(&core, &app).await, ImportReport { key_values: 2, ..whole(1) });
    assert!(value(&core, "large").await == Some(five_megabytes), "all of it");
}

#[tokio::test]
async fn a_transaction_that_a_kill_cut_short_is_not_taken() {
    let (app, phone) = (App::new(), Phone::new());
    let database = app.rk_storage();
    set(&database, &[("theme", "before")]);
    for number in 0..500 {
        set(&database, &[(&format!("key {number}"), &"v".repeat(500))]);
    }
    // Pages are written before the end of the transaction, and the journal knows what they held.
    database.execute_batch("PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN;").unwrap();
    database.execute("UPDATE catalystLocalStorage SET value = 'half' || value", []).unwrap();
    let kept = |name: &str| fs::read(app.path(name)).unwrap();
    let (main, journal) = (kept("databases/RKStorage"), kept("databases/RKStorage-journal"));
    assert!(String::from_utf8_lossy(&main).contains("halfvvv"), "or this test proves nothing");
    database.execute_batch("ROLLBACK").unwrap();
    drop(database);
    fs::write(app.path("databases/RKStorage"), &main).unwrap();
    fs::write(app.path("databases/RKStorage-journal"), &journal).unwrap();
    let before = app.content();
    let core = phone.open().await;

    assert_eq!(import(&core, &app).await, ImportReport { key_values: 501, ..whole(1) });

    assert_eq!(value(&core, "theme").await.as_deref(), Some("before"));
    assert_eq!(value(&core, "key 499").await, Some("v".repeat(500)));
    assert_eq!(app.content(), before, "not even the journal was touched");
    assert!(!phone.file("import").exists(), "the copy is gone");
}

#[tokio::test]
async fn keys_and_values_that_are_none() {
    let (app, phone) = (App::new(), Phone::new());
    let database = app.rk_storage();
    for value in ["one", "two"] {
        put(&database, &rusqlite::types::Null, &value);
    }
    put(&database, &"number", &7);
    put(&database, &"bytes", &b"caf\xc3\xa9".as_slice());
    database
        .execute("INSERT INTO catalystLocalStorage VALUES ('not text', CAST(x'61ff62eda0bd' AS TEXT))", [])
        .unwrap();
    database.execute("INSERT INTO catalystLocalStorage VALUES (CAST(x'6bff' AS TEXT), 'v')", []).unwrap();
    set(&database, &[("", "no name"), ("with\0nul", "v"), (&"k".repeat(1025), "v"), (&"k".repeat(1024), "v")]);
    set(&database, &[("too long", &"x".repeat(16 * 1024 * 1024 + 1)), ("longest", &"x".repeat(16 * 1024 * 1024))]);
    drop(database);
    let room = App::new();
    let database = room.room();
    put(&database, &"nothing", &rusqlite::types::Null);
    drop(database);
    let core = phone.open().await;

    let report = import(&core, &app).await;

    let expected = ImportReport { key_values: 5, dropped: 2, altered: 1, refused: 5, complete: false, ..whole(1) };
    assert_eq!(report, expected);
    assert_eq!(value(&core, "number").await.as_deref(), Some("7"));
    assert_eq!(value(&core, "bytes").await.as_deref(), Some("café"));
    assert!(value(&core, "not text").await.is_some_and(|value| value.starts_with("a\u{fffd}b\u{fffd}")));
    assert_eq!(value(&core, "longest").await.map(|value| value.len()), Some(16 * 1024 * 1024));
    assert_eq!(import(&core, &room).await, ImportReport { dropped: 1, ..whole(1) });
}

#[tokio::test]
async fn nothing_is_found_where_there_is_nothing() {
    let (app, phone) = (App::new(), Phone::new());
    let core = phone.open().await;
    assert_eq!(import(&core, &app).await, whole(0));
    fs::create_dir_all(app.path("databases/async-storage/databases/empty")).unwrap();
    drop(app.rk_storage());
    assert_eq!(import(&core, &app).await, whole(1), "a storage without a key");
    assert!(core.import.confirm().await.unwrap());
}
