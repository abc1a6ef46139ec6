//! An import that is made again changes nothing, whatever happened in between.

use safescan_core::model::{CodeRef, ImportReport, ScanQuery};
use serde_json::json;

use crate::{
    files::{App, FIRST, State, import, old_history, old_scan, old_vote, set, state, value, whole},
    support::{Phone, link},
};

fn fill(app: &App) {
    let database = app.rk_storage();
    set(&database, &[("theme", "dark"), ("user", "ada"), ("@safe_scan_history", &old_history(50))]);
    let votes =
        json!([old_vote(&link(0), true, FIRST), old_vote(&link(1), false, FIRST), old_vote("gone", true, FIRST)]);
    set(&database, &[("@safe_scan_user_votes", &votes.to_string()), ("@safe_scan_settings", "{\"autoSync\":false}")]);
}

const TAKEN: ImportReport = ImportReport {
    storages: 1,
    scans: 50,
    votes: 2,
    settings: 1,
    key_values: 2,
    kept: 0,
    legacy_votes: 1,
    left_over: 0,
    dropped: 0,
    altered: 0,
    refused: 0,
    lost: 0,
    complete: true,
};

#[tokio::test]
async fn twice_is_once() {
    let (app, phone) = (App::new(), Phone::new());
    fill(&app);
    let core = phone.open().await;
    assert_eq!(import(&core, &app).await, TAKEN);
    let after = state(&core).await;
    assert_eq!(import(&core, &app).await, TAKEN, "the same report");
    assert_eq!(state(&core).await, after);

    core.shutdown().await.unwrap();
    drop(core);
    let core = phone.open().await;
    assert_eq!(import(&core, &app).await, TAKEN, "by another process too");
    assert_eq!(state(&core).await, after);
}

/// What the user does with what was taken over.
async fn use_it(core: &safescan_core::engine::Core) -> State {
    let latest = core.scans.page(ScanQuery::default()).await.unwrap().scans[0].id;
    core.scans.delete(latest).await.unwrap();
    core.votes.retract(CodeRef::text(link(0)), None).await.unwrap();
    core.key_value.remove_all(vec!["theme".into()]).await.unwrap();
    let settings = safescan_core::model::SettingsUpdate { auto_sync: Some(true), ..Default::default() };
    core.settings.update(settings).await.unwrap();
    state(core).await
}

#[tokio::test]
async fn what_was_deleted_here_does_not_come_back() {
    let (app, phone) = (App::new(), Phone::new());
    fill(&app);
    let core = phone.open().await;
    import(&core, &app).await;
    let used = use_it(&core).await;

    assert_eq!(import(&core, &app).await, TAKEN);
    assert_eq!(state(&core).await, used);

    // Not even when the old app writes on: only what is new comes in.
    let database = rusqlite::Connection::open(app.path("databases/RKStorage")).unwrap();
    set(&database, &[("fresh", "x"), ("user", "bob"), ("@safe_scan_history", &old_history(51))]);
    drop(database);
    let report = import(&core, &app).await;
    assert_eq!(report, ImportReport { scans: 51, key_values: 2, kept: 1, ..TAKEN });
    let now = state(&core).await;
    assert_eq!(now.scans.len(), used.scans.len() + 1);
    assert_eq!(now.votes, used.votes);
    assert_eq!(now.settings, used.settings);
    assert_eq!((value(&core, "theme").await, value(&core, "user").await), (None, Some("ada".into())));
    assert_eq!(value(&core, "fresh").await.as_deref(), Some("x"));
}

#[tokio::test]
async fn two_at_once_take_everything_once() {
    let (app, phone) = (App::new(), Phone::new());
    fill(&app);
    let core = phone.open().await;
    let (first, second) = tokio::join!(import(&core, &app), import(&core, &app));
    assert_eq!((first, second), (TAKEN, TAKEN));
    assert_eq!(state(&core).await.scans.len(), 50);
}

#[tokio::test]
async fn what_does_not_fit_comes_when_there_is_room() {
    let (app, phone) = (App::new(), Phone::new());
    let database = app.rk_storage();
    (0..20).for_each(|number| set(&database, &[(&format!("key {number:02}"), &"v".repeat(5_000))]));
    drop(database);
    let small = safescan_core::config::Config {
        max_storage: Some(safescan_core::model::ByteCount(64 * 1024)),
        ..phone.config()
    };
    let core = phone.open_with(small).await.unwrap();
    assert_eq!(core.import.run(app.source()).await, Err(safescan_core::error::Error::QuotaExceeded));
    assert!(core.import.confirm().await.is_err(), "it has not ended");
    core.shutdown().await.unwrap();
    drop(core);
    let core = phone.open().await;
    assert_eq!(import(&core, &app).await, ImportReport { key_values: 20, ..whole(1) });
}

#[tokio::test]
async fn the_same_scan_twice_in_a_history_is_one() {
    let (app, phone) = (App::new(), Phone::new());
    let history = json!([old_scan(1), old_scan(0), old_scan(0)]);
    set(&app.rk_storage(), &[("@safe_scan_history", &history.to_string())]);
    let core = phone.open().await;
    assert_eq!(import(&core, &app).await.scans, 3, "each entry is a scan now");
    assert_eq!(state(&core).await.scans.len(), 2);
}
