//! The originals stay until the app says so, and go only when nothing of them is lost with them.

use std::fs;

use safescan_core::{error::Error, model::ImportReport};

use crate::{
    files::{App, import, set, state, value, whole},
    support::Phone,
};

#[tokio::test]
async fn everything_goes_when_everything_was_taken() {
    let (app, phone) = (App::new(), Phone::new());
    set(&app.rk_storage(), &[("theme", "stale")]);
    set(&app.room(), &[("theme", "dark")]);
    set(&app.instance("databases", "session"), &[("token", "t")]);
    app.apple(&[("user", "ada"), ("long", &"x".repeat(2000))]);
    app.folder("Documents/RCTAsyncLocalStorage_V1", &[("user", "stale")]);
    fs::write(app.path("Documents/photo.jpg"), "not ours").unwrap();
    let core = phone.open().await;
    import(&core, &app).await;
    let taken = state(&core).await;
    assert!(app.content().len() > 8, "until then they stay");

    assert!(core.import.confirm().await.unwrap());

    assert_eq!(app.content().into_keys().collect::<Vec<_>>(), [app.path("Documents/photo.jpg")]);
    assert_eq!(import(&core, &app).await, whole(0), "there is nothing any more");
    assert_eq!(state(&core).await, taken);
}

#[tokio::test]
async fn what_was_not_taken_whole_stays() {
    let (app, phone) = (App::new(), Phone::new());
    set(&app.rk_storage(), &[("theme", "dark"), ("too long", &"x".repeat(17 << 20))]);
    set(&app.instance("databases", "session"), &[("token", "t")]);
    let core = phone.open().await;
    let report = import(&core, &app).await;
    assert_eq!(report, ImportReport { key_values: 2, refused: 1, complete: false, ..whole(2) });

    assert!(!core.import.confirm().await.unwrap());

    assert!(app.path("databases/RKStorage").exists());
    assert!(!app.path("databases/async-storage/databases/session/session.sqlite").exists());
    // And what was taken of it is still known.
    core.key_value.remove_all(vec!["theme".into()]).await.unwrap();
    assert_eq!(import(&core, &app).await, ImportReport { key_values: 1, refused: 1, complete: false, ..whole(1) });
    assert_eq!(value(&core, "theme").await, None);
}

#[tokio::test]
async fn nothing_goes_without_an_import_or_after_a_change() {
    let (app, phone) = (App::new(), Phone::new());
    set(&app.rk_storage(), &[("theme", "dark")]);
    set(&app.instance("databases", "session"), &[("token", "t")]);
    let core = phone.open().await;
    assert!(matches!(core.import.confirm().await, Err(Error::Invalid { field: "confirm_import", .. })));

    import(&core, &app).await;
    let database = rusqlite::Connection::open(app.path("databases/RKStorage")).unwrap();
    set(&database, &[("written since", "x")]);
    drop(database);
    let before = app.content();
    assert!(matches!(core.import.confirm().await, Err(Error::Invalid { field: "confirm_import", .. })));
    assert_eq!(app.content(), before, "nothing at all");

    import(&core, &app).await;
    assert!(core.import.confirm().await.unwrap());
    assert_eq!(app.content().len(), 0);
    assert_eq!(value(&core, "written since").await.as_deref(), Some("x"));
    assert!(core.import.confirm().await.is_err(), "once");
}

#[tokio::test]
async fn after_a_restart_an_import_that_has_nothing_to_do_is_enough() {
    let (app, phone) = (App::new(), Phone::new());
    app.apple(&[("theme", "dark")]);
    let core = phone.open().await;
    import(&core, &app).await;
    core.shutdown().await.unwrap();
    drop(core);
    let core = phone.open().await;
    assert!(core.import.confirm().await.is_err(), "what is there was not looked at");
    import(&core, &app).await;
    assert!(core.import.confirm().await.unwrap());
    assert_eq!(app.content().len(), 0);
}
