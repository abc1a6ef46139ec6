//! The folders of each version on Apple systems.

use std::fs;

use safescan_core::{
    error::Error,
    model::{AsyncStorageSource, ImportReport},
};

use crate::{
    files::{App, BUNDLE, import, md5, set, value, whole},
    support::Phone,
};

#[tokio::test]
async fn short_values_in_the_manifest_and_long_ones_beside_it() {
    let (app, phone) = (App::new(), Phone::new());
    let (inline, beside) = ("é".repeat(1024), "é".repeat(1025));
    let folder =
        app.apple(&[("theme", "dark"), ("inline", &inline), ("beside", &beside), ("🔑", &"x".repeat(5 << 20))]);
    // Known from elsewhere.
    assert_eq!(md5("key"), "3c6e0b8a9c15224a8228b9a98ca1531d");
    assert!(folder.join(md5("beside")).exists() && !folder.join(md5("inline")).exists());
    let before = app.content();
    let core = phone.open().await;

    assert_eq!(import(&core, &app).await, ImportReport { key_values: 4, ..whole(1) });

    assert_eq!(value(&core, "theme").await.as_deref(), Some("dark"));
    assert_eq!(value(&core, "inline").await, Some(inline));
    assert_eq!(value(&core, "beside").await, Some(beside));
    assert_eq!(value(&core, "🔑").await.map(|value| value.len()), Some(5 << 20));
    assert_eq!(app.content(), before);
}

#[tokio::test]
async fn what_was_left_in_documents_loses() {
    let app = App::new();
    app.apple(&[("theme", "new")]);
    for old in ["RCTAsyncLocalStorage_V1", "RNCAsyncLocalStorage_V1", "RCTAsyncLocalStorage"] {
        app.folder(&format!("Documents/{old}"), &[("theme", "old"), ("removed since", "x")]);
    }
    let phone = Phone::new();
    let core = phone.open().await;
    assert_eq!(import(&core, &app).await, ImportReport { key_values: 1, ..whole(1) });
    assert_eq!(value(&core, "theme").await.as_deref(), Some("new"));
}

#[tokio::test]
async fn of_what_is_only_in_documents_the_last_changed_counts() {
    let app = App::new();
    app.folder("Documents/RCTAsyncLocalStorage_V1", &[("theme", "older")]);
    let newer = app.folder("Documents/RCTAsyncLocalStorage", &[("theme", "newer")]);
    let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(4_000_000_000);
    fs::File::options().write(true).open(newer.join("manifest.json")).unwrap().set_modified(at).unwrap();
    let phone = Phone::new();
    let core = phone.open().await;
    assert_eq!(import(&core, &app).await, ImportReport { key_values: 1, ..whole(1) });
    assert_eq!(value(&core, "theme").await.as_deref(), Some("newer"));
}

#[tokio::test]
async fn other_apps_folders_are_not_looked_at() {
    let app = App::new();
    app.folder("Library/Application Support/another.app/RCTAsyncLocalStorage_V1", &[("theme", "theirs")]);
    app.apple(&[("theme", "ours")]);
    let phone = Phone::new();
    let core = phone.open().await;
    let without_bundle = AsyncStorageSource { bundle_id: None, ..app.source() };
    assert_eq!(core.import.run(without_bundle).await.unwrap(), whole(0));
    assert_eq!(import(&core, &app).await, ImportReport { key_values: 1, ..whole(1) });
    for bad in ["../another.app", "", "a/b", ".."] {
        let source = AsyncStorageSource { bundle_id: Some(bad.into()), ..app.source() };
        assert!(matches!(core.import.run(source).await, Err(Error::Invalid { field: "bundle_id", .. })), "{bad:?}");
    }
}

#[tokio::test]
async fn named_storages_of_version_three() {
    let app = App::new();
    set(&app.instance(&format!("Library/Application Support/{BUNDLE}"), "session.v1."), &[("token", "t")]);
    let folder = app.path(&format!("Library/Application Support/{BUNDLE}/async-storage/databases/session.v1."));
    // The dot at the end is not part of the file's name.
    fs::rename(folder.join("session.v1..sqlite"), folder.join("session.v1.sqlite")).unwrap();
    fs::rename(folder.join("session.v1..sqlite-wal"), folder.join("session.v1.sqlite-wal")).unwrap();
    let phone = Phone::new();
    let core = phone.open().await;
    assert_eq!(import(&core, &app).await, ImportReport { key_values: 1, ..whole(1) });
}

#[tokio::test]
async fn a_manifest_that_is_not_whole_means_later() {
    let (app, phone) = (App::new(), Phone::new());
    let folder = app.apple(&[("theme", "dark"), ("user", "ada")]);
    let manifest = fs::read(folder.join("manifest.json")).unwrap();
    let core = phone.open().await;
    let halves: [&[u8]; 6] = [b"", b"{", &manifest[..manifest.len() - 1], b"null", b"[]", b"\xff{}"];
    for half in halves {
        fs::write(folder.join("manifest.json"), half).unwrap();
        let before = app.content();
        let failed = core.import.run(app.source()).await.unwrap_err();
        assert!(matches!(failed, Error::Io { .. }), "{failed}");
        assert!(matches!(failed.report().1, safescan_core::error::SafeScanError::StorageUnavailable { .. }));
        assert_eq!(core.key_value.keys().await.unwrap(), Vec::<String>::new(), "nothing was taken");
        assert!(core.import.confirm().await.is_err(), "and nothing is removed");
        assert_eq!(app.content(), before);
    }
    fs::write(folder.join("manifest.json"), manifest).unwrap();
    assert_eq!(import(&core, &app).await, ImportReport { key_values: 2, ..whole(1) }, "later");
}

#[tokio::test]
async fn a_manifest_that_may_not_be_read_means_later_and_holds_nobody_else_up() {
    let (app, phone) = (App::new(), Phone::new());
    set(&app.instance("databases", "session"), &[("token", "t")]);
    let folder = app.apple(&[]);
    fs::remove_file(folder.join("manifest.json")).unwrap();
    // A directory in its place cannot be read as a file, whoever asks.
    fs::create_dir(folder.join("manifest.json")).unwrap();
    let core = phone.open().await;
    assert!(matches!(core.import.run(app.source()).await, Err(Error::Io { .. })));
    assert_eq!(value(&core, "token").await.as_deref(), Some("t"));
}

#[tokio::test]
async fn junk_in_the_manifest() {
    let (app, phone) = (App::new(), Phone::new());
    let folder = app.apple(&[]);
    let manifest = r#"{"twice":"first","list":[1,{"a":null}],"number":5,"twice":"last","no file":null,"":"no name","emoji\ud83d\udd11":"v"}"#;
    fs::write(folder.join("manifest.json"), manifest).unwrap();
    fs::write(folder.join("somebody else's"), "x").unwrap();
    let core = phone.open().await;

    let report = import(&core, &app).await;

    let expected = ImportReport { key_values: 4, altered: 2, lost: 1, refused: 1, complete: false, ..whole(1) };
    assert_eq!(report, expected);
    assert_eq!(value(&core, "twice").await.as_deref(), Some("last"));
    assert_eq!(value(&core, "list").await.as_deref(), Some(r#"[1,{"a":null}]"#));
    assert_eq!(value(&core, "number").await.as_deref(), Some("5"));
    assert_eq!(value(&core, "emoji🔑").await.as_deref(), Some("v"));
}

#[tokio::test]
async fn a_value_beside_the_manifest_that_is_no_text_or_too_long() {
    let (app, phone) = (App::new(), Phone::new());
    let folder = app.apple(&[("torn", &"x".repeat(2000)), ("huge", &"x".repeat(2000))]);
    fs::write(folder.join(md5("torn")), b"good \xff\xfe end").unwrap();
    fs::write(folder.join(md5("huge")), vec![b'x'; 16 * 1024 * 1024 + 1]).unwrap();
    let core = phone.open().await;
    let expected = ImportReport { key_values: 1, altered: 1, refused: 1, complete: false, ..whole(1) };
    assert_eq!(import(&core, &app).await, expected);
    assert_eq!(value(&core, "torn").await.as_deref(), Some("good \u{fffd}\u{fffd} end"));
}
