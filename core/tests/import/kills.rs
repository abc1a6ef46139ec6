//! A process that is killed while it imports, over and over, comes to the same end as one that is left in peace.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
};

use safescan_core::{
    config::Config,
    engine::Core,
    model::{AsyncStorageSource, Event},
};
use serde_json::{Value, json};

use crate::{
    files::{App, BUNDLE, FIRST, import, old_history, old_vote, set, state},
    support::{Phone, link},
};

/// Names the directories for the child; a test run without them has nothing to do there.
const CORE: &str = "SAFESCAN_IMPORT_TEST_CORE";
const APP: &str = "SAFESCAN_IMPORT_TEST_APP";
const KILLS: usize = 20;

/// Not a test of its own but the process that is killed: says how far it is.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let (Ok(directory), Ok(app)) = (std::env::var(CORE), std::env::var(APP)) else { return };
    let core = Core::open(Config::new(directory)).await.unwrap();
    let source = AsyncStorageSource { bundle_id: Some(BUNDLE.into()), ..AsyncStorageSource::in_directory(app) };
    let mut importing = std::pin::pin!(core.import.run(source));
    writeln!(std::io::stdout(), "begun").unwrap();
    let report = loop {
        tokio::select! {
            biased;
            events = core.next_events(1) => {
                if events.unwrap().iter().any(|event| matches!(event, Event::ImportProgress { .. })) {
                    writeln!(std::io::stdout(), "further").unwrap();
                }
            }
            report = &mut importing => break report.unwrap(),
        }
    };
    assert!(report.complete);
}

fn fill(app: &App) {
    let database = app.rk_storage();
    database.execute_batch("BEGIN").unwrap();
    for number in 0..8_000 {
        set(&database, &[(&format!("key {number}"), &format!("value {number}"))]);
    }
    let votes: Vec<Value> = (0..500).map(|number| old_vote(&link(number), number % 2 == 0, FIRST)).collect();
    set(&database, &[("@safe_scan_history", &old_history(12_000)), ("large", &"5".repeat(5 << 20))]);
    set(
        &database,
        &[("@safe_scan_user_votes", &json!(votes).to_string()), ("@safe_scan_settings", "{\"autoSync\":false}")],
    );
    database.execute_batch("COMMIT").unwrap();
    let entries: Vec<(String, String)> =
        (0..3_000).map(|number| (format!("folder {number}"), "v".repeat(number % 1500))).collect();
    app.apple(&entries.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_kills_change_nothing() {
    let app = App::new();
    fill(&app);
    let before = app.content();
    let peaceful = Phone::new();
    let core = Core::open(peaceful.config()).await.unwrap();
    let report = import(&core, &app).await;
    let expected = state(&core).await;
    assert_eq!((report.scans, report.votes, report.settings, report.key_values), (12_000, 500, 1, 11_001));

    let phone = Phone::new();
    let mut cut_short = 0;
    for kill in 0..KILLS {
        let mut child = start(&phone, &app);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // At another place each time, later and later; the kill comes at whatever instant the child is at.
        let mut until_kill = 1 + kill + (kill * 7919) % 5;
        for line in lines.map_while(Result::ok).filter(|line| line == "begun" || line == "further") {
            until_kill -= 1;
            if until_kill == 0 {
                cut_short += usize::from(line == "further");
                child.kill().unwrap();
                break;
            }
        }
        child.wait().unwrap();
    }
    assert!(cut_short >= KILLS / 2, "or this test proves nothing: {cut_short}");

    let core = Core::open(phone.config()).await.unwrap();
    assert_eq!(import(&core, &app).await, report);
    assert_eq!(state(&core).await, expected);
    assert!(core.upkeep.check_integrity().await.unwrap().intact);
    assert_eq!(app.content(), before, "the originals are as they were");
    assert!(core.import.confirm().await.unwrap());
    assert_eq!(app.content().len(), 0);
}

fn start(phone: &Phone, app: &App) -> Child {
    Command::new(std::env::current_exe().expect("this program has a file"))
        .args(["--exact", "kills::child", "--nocapture", "--test-threads=1"])
        .env(CORE, phone.directory.path())
        .env(APP, app.path(""))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("this program starts")
}
