//! The five documents of hand-written services become what they meant.

use safescan_core::{
    config::{Config, SyncConfig},
    engine::Core,
    model::{
        AsyncStorageSource, CodeRef, Event, ImportReport, KvPair, NewVote, OperationKind, SettingsUpdate, Verdict,
        VoteChoice,
    },
    qr,
};
use serde_json::{Value, json};

use crate::{
    files::{App, FIRST, import, legacy_hash, old_history, old_scan, old_vote, set, state, value, whole},
    support::{MORNING, Phone, history, link},
};

const WIFI: &str = "WIFI:T:WPA;S:home;P:secret;;";

async fn choice(core: &Core, text: &str) -> Option<VoteChoice> {
    core.votes.mine(CodeRef::text(text), None).await.unwrap().map(|vote| vote.choice)
}

#[tokio::test]
async fn a_history_becomes_scans_with_everything_that_was_kept() {
    let (app, phone) = (App::new(), Phone::new());
    set(&app.rk_storage(), &[("@safe_scan_history", &old_history(2_500)), ("theme", "dark")]);
    let core = phone.open().await;

    assert_eq!(import(&core, &app).await, ImportReport { scans: 2_500, key_values: 1, ..whole(1) });

    let scans = history(&core).await;
    assert_eq!(scans.len(), 2_500);
    for (number, scan) in scans.iter().rev().enumerate() {
        let at = FIRST + i64::try_from(number).unwrap() * 1000;
        assert_eq!((scan.text.as_str(), scan.scanned_at.0), (link(number).as_str(), at));
        assert_eq!(scan.verdict, if number.is_multiple_of(3) { Verdict::Unsafe } else { Verdict::Safe });
        let kept: Value = serde_json::from_str(scan.metadata.as_ref().unwrap()).unwrap();
        assert_eq!(kept, old_scan(number));
    }
    assert_eq!(value(&core, "@safe_scan_history").await, None, "what became rows is not there twice");
}

#[tokio::test]
async fn votes_find_their_codes_in_the_history() {
    let (app, phone) = (App::new(), Phone::new());
    // These two are one to the old hash.
    let (aa, bb) = ("https://example.com/Aa", "https://example.com/BB");
    let scan = |text: &str| json!({ "qrData": text, "timestamp": FIRST });
    let mut scans = vec![old_scan(0), old_scan(1), scan(aa), scan(bb), scan(WIFI)];
    // Another spelling of the same link is the same code, whatever the old hash says.
    scans.push(scan("HTTPS://shop-1.example/item/1?from=poster#top"));
    let full = json!({ "qrHash": qr::hash_text(&link(2)).to_string(), "vote": "safe", "timestamp": FIRST });
    let votes = [
        old_vote(&link(0), true, FIRST),
        old_vote(&link(1), false, FIRST + 1),
        full.clone(),
        old_vote("https://never-scanned.example/", true, FIRST),
        old_vote(aa, true, FIRST),
        old_vote(WIFI, true, FIRST),
        json!("junk"),
        json!({ "qrHash": 5 }),
    ];
    let database = app.rk_storage();
    set(&database, &[("@safe_scan_history", &json!(scans).to_string())]);
    set(&database, &[("@safe_scan_user_votes", &json!(votes).to_string())]);
    drop(database);
    let core = phone.open().await;
    // The votes are of two: one without a user id, which is the owner's.
    let source = AsyncStorageSource { owner: Some("user_sha256_1a2b3".into()), ..app.source() };

    let report = core.import.run(source).await.unwrap();

    assert_eq!(report, ImportReport { scans: 6, votes: 3, legacy_votes: 5, ..whole(1) });
    assert_eq!(choice(&core, &link(0)).await, Some(VoteChoice::Safe));
    assert_eq!(choice(&core, &link(1)).await, Some(VoteChoice::Unsafe));
    assert_eq!(choice(&core, &link(2)).await, Some(VoteChoice::Safe));
    assert_eq!((choice(&core, aa).await, choice(&core, bb).await), (None, None), "nobody can tell which it was");
    let rating = core.ratings.rating(CodeRef::text(link(1))).await.unwrap();
    assert_eq!((rating.unsafe_votes, rating.last_updated.map(|at| at.0)), (1, Some(FIRST + 1)));
    let left: Value = serde_json::from_str(&value(&core, "@safe_scan_user_votes").await.unwrap()).unwrap();
    assert_eq!(left, json!(votes[3..]), "as they were");
}

#[tokio::test]
async fn whose_votes_they_are() {
    let vote = |user: Value, number: usize| json!({ "userId": user, "qrHash": qr::hash_text(&link(number)).to_string(), "vote": "safe", "timestamp": FIRST });
    let mine = |votes: Vec<Value>, owner: Option<&str>| {
        let (app, owner) = (App::new(), owner.map(str::to_owned));
        set(&app.rk_storage(), &[("@safe_scan_user_votes", &json!(votes).to_string())]);
        async move {
            let phone = Phone::new();
            let core = phone.open().await;
            core.import.run(AsyncStorageSource { owner, ..app.source() }).await.unwrap();
            let mine = async |user: Option<&str>, number| {
                let user = user.map(str::to_owned);
                core.votes.mine(CodeRef::text(link(number)), user).await.unwrap().is_some()
            };
            (mine(None, 0).await, mine(Some("ada"), 0).await, mine(None, 1).await, mine(Some("bob"), 1).await)
        }
    };
    let (ada, bob) = (vote("ada".into(), 0), vote("bob".into(), 1));
    assert_eq!(mine(vec![ada.clone()], None).await, (true, false, false, false), "one person's phone");
    assert_eq!(mine(vec![ada.clone(), bob.clone()], None).await, (false, true, false, true));
    assert_eq!(mine(vec![ada.clone(), bob], Some("bob")).await, (false, true, true, false));
    assert_eq!(mine(vec![ada], Some("nobody")).await, (false, true, false, false));
}

#[tokio::test]
async fn settings_and_what_they_did_not_name() {
    let (app, phone) = (App::new(), Phone::new());
    let settings = json!({ "notifications": false, "autoSync": false, "language": "de", "nested": { "a": [1] } });
    set(&app.rk_storage(), &[("@safe_scan_settings", &settings.to_string())]);
    let core = phone.open().await;
    // What was chosen here counts more.
    core.settings.update(SettingsUpdate { auto_sync: Some(true), ..SettingsUpdate::default() }).await.unwrap();

    let report = import(&core, &app).await;

    assert_eq!(report, ImportReport { settings: 1, kept: 1, left_over: 2, ..whole(1) });
    let settings = core.settings.read().await.unwrap();
    assert_eq!((settings.notifications, settings.auto_sync), (false, true));
    let left: Value = serde_json::from_str(&value(&core, "@safe_scan_settings").await.unwrap()).unwrap();
    assert_eq!(left, json!({ "language": "de", "nested": { "a": [1] } }));
}

#[tokio::test]
async fn the_cache_goes_and_the_queue_means_what_it_carries() {
    let (app, phone) = (App::new(), Phone::new());
    let queued =
        |operation: &str, data: Value| json!({ "operation": operation, "data": data, "queuedAt": FIRST, "id": "x1" });
    let unheard_of = queued("reticulate", json!({ "splines": 3 }));
    let undone = queued("deleteScan", old_scan(9));
    let queue = [
        queued("vote", old_vote(&link(0), true, FIRST)),
        queued("sync", json!([old_scan(0), old_scan(1), old_vote(&link(1), false, FIRST)])),
        unheard_of.clone(),
        undone.clone(),
    ];
    let database = app.rk_storage();
    set(&database, &[("@safe_scan_cache", "{\"rating_1\":{\"expires\":1}}")]);
    set(&database, &[("@safe_scan_history", &json!([old_scan(0), old_scan(1)]).to_string())]);
    set(&database, &[("@safe_scan_sync_queue", &json!(queue).to_string())]);
    drop(database);
    let core = phone.open().await;

    let report = import(&core, &app).await;

    let expected = ImportReport { scans: 4, votes: 2, left_over: 2, dropped: 1, ..whole(1) };
    assert_eq!(report, expected, "the queue's scans are in the history as well");
    assert_eq!(history(&core).await.len(), 2);
    assert_eq!(choice(&core, &link(1)).await, Some(VoteChoice::Unsafe));
    let left: Value = serde_json::from_str(&value(&core, "@safe_scan_sync_queue").await.unwrap()).unwrap();
    assert_eq!(left, json!([unheard_of, undone]));
    assert_eq!(core.statistics().await.unwrap().pending_operations, 0, "there is no server");
}

#[tokio::test]
async fn what_a_server_is_to_know_is_queued_but_nothing_private() {
    let (app, phone) = (App::new(), Phone::new());
    let history = json!([old_scan(0), { "qrData": WIFI, "timestamp": FIRST }]);
    let votes = json!([old_vote(&link(0), true, FIRST), old_vote(WIFI, true, FIRST)]);
    let database = app.rk_storage();
    set(&database, &[("@safe_scan_history", &history.to_string()), ("@safe_scan_user_votes", &votes.to_string())]);
    set(&database, &[("@safe_scan_settings", "{\"notifications\":false}")]);
    drop(database);
    let server = SyncConfig::new("https://api.example");
    let sync = SyncConfig { share_scans: true, share_settings: true, only_when_asked: true, ..server };
    let core = phone.open_with(Config { sync: Some(sync), ..phone.config() }).await.unwrap();

    assert_eq!(
        import(&core, &app).await,
        ImportReport { scans: 2, votes: 1, legacy_votes: 1, settings: 1, ..whole(1) }
    );

    let queued: Vec<_> = core.operations.page(500, None).await.unwrap().operations.iter().map(|it| it.kind).collect();
    assert_eq!(queued, [OperationKind::ScanPut, OperationKind::VoteSet, OperationKind::SettingPut]);
}

#[tokio::test]
async fn what_was_done_here_counts_more() {
    let (app, phone) = (App::new(), Phone::new());
    let database = app.rk_storage();
    set(&database, &[("theme", "old"), ("removed", "old")]);
    set(&database, &[("@safe_scan_history", &json!([old_scan(0), old_scan(1), old_scan(2)]).to_string())]);
    let votes = json!([old_vote(&link(0), true, FIRST), old_vote(&link(1), true, MORNING.0 - 1000)]);
    set(&database, &[("@safe_scan_user_votes", &votes.to_string())]);
    drop(database);
    let core = phone.open().await;
    core.key_value.set_all(vec![KvPair { key: "theme".into(), value: "new".into() }]).await.unwrap();
    core.votes.submit(NewVote::of(link(0), VoteChoice::Unsafe)).await.unwrap();
    let earlier = Some(MORNING.minus(5_000));
    core.votes.submit(NewVote { voted_at: earlier, ..NewVote::of(link(1), VoteChoice::Unsafe) }).await.unwrap();

    let report = import(&core, &app).await;

    assert_eq!(report, ImportReport { scans: 3, votes: 1, key_values: 1, kept: 2, ..whole(1) });
    assert_eq!(value(&core, "theme").await.as_deref(), Some("new"));
    assert_eq!(choice(&core, &link(0)).await, Some(VoteChoice::Unsafe), "cast later");
    assert_eq!(choice(&core, &link(1)).await, Some(VoteChoice::Safe), "cast earlier");
}

#[tokio::test]
async fn documents_that_are_none_stay_what_they_were() {
    for junk in ["", "undefined", "null", "{\"a\":", "[1,2", "\"text\"", "{}", &"[".repeat(100_000)] {
        let (app, phone) = (App::new(), Phone::new());
        let database = app.rk_storage();
        let documents = ["@safe_scan_history", "@safe_scan_user_votes", "@safe_scan_sync_queue"];
        documents.iter().for_each(|key| set(&database, &[(*key, junk)]));
        drop(database);
        let core = phone.open().await;
        let report = import(&core, &app).await;
        assert!(report.complete && report.scans == 0 && report.votes == 0, "{report:?}");
        for key in documents {
            assert_eq!(value(&core, key).await.as_deref(), Some(junk), "{key}");
        }
    }
}

#[tokio::test]
async fn a_history_that_breaks_off_gives_what_it_holds_and_stays() {
    let (app, phone) = (App::new(), Phone::new());
    let whole_history = old_history(10);
    let half = &whole_history[..whole_history.len() - 40];
    set(&app.rk_storage(), &[("@safe_scan_history", half)]);
    let core = phone.open().await;
    assert_eq!(import(&core, &app).await, ImportReport { scans: 9, left_over: 1, ..whole(1) });
    assert_eq!(value(&core, "@safe_scan_history").await.as_deref(), Some(half));
}

#[tokio::test]
async fn entries_without_a_place_stay_under_the_old_key() {
    let (app, phone) = (App::new(), Phone::new());
    let odd = [
        json!(null),
        json!("https://example.com/"),
        json!({ "qrData": "", "timestamp": FIRST }),
        json!({ "qrData": "https://example.com/seconds", "timestamp": FIRST / 1000 }),
        json!({ "qrData": "x".repeat(5_000), "timestamp": FIRST }),
        json!([old_scan(3)]),
    ];
    let mut all = odd.to_vec();
    all.insert(0, old_scan(0));
    all.push(json!({ "qrData": "https://example.com/future", "timestamp": MORNING.0 * 2 }));
    set(&app.rk_storage(), &[("@safe_scan_history", &json!(all).to_string())]);
    let core = phone.open().await;

    assert_eq!(import(&core, &app).await, ImportReport { scans: 2, left_over: 6, ..whole(1) });

    assert_eq!(history(&core).await[0].scanned_at, MORNING, "a clock that stood ahead");
    let left: Value = serde_json::from_str(&value(&core, "@safe_scan_history").await.unwrap()).unwrap();
    assert_eq!(left, json!(odd));
}

#[tokio::test]
async fn the_app_is_told() {
    let (app, phone) = (App::new(), Phone::new());
    let database = app.rk_storage();
    set(&database, &[("@safe_scan_history", &old_history(1_500)), ("theme", "dark")]);
    set(&database, &[("@safe_scan_user_votes", &json!([old_vote(&link(0), true, FIRST)]).to_string())]);
    drop(database);
    let core = phone.open().await;
    import(&core, &app).await;
    let events = core.next_events(500).await.unwrap();

    let told = |wanted: &dyn Fn(&Event) -> bool| events.iter().filter(|event| wanted(event)).count();
    let added = |event: &Event| if let Event::ScansAdded { count, .. } = event { *count } else { 0 };
    assert_eq!(events.iter().map(added).sum::<u32>(), 1_500);
    assert_eq!(told(&|event| *event == Event::KeyValueChanged { keys: vec!["theme".into()] }), 1);
    assert_eq!(told(&|event| matches!(event, Event::VoteChanged { .. })), 1);
    let progress = events.iter().filter_map(|event| match event {
        Event::ImportProgress { done, total } => Some((done.0, total.0)),
        _ => None,
    });
    let progress: Vec<(i64, i64)> = progress.collect();
    assert!((2..=101).contains(&progress.len()), "{} steps", progress.len());
    assert!(progress.is_sorted() && progress.iter().all(|(done, total)| done <= total));
    assert!(progress.last().is_some_and(|(done, total)| done == total && *total > 0), "to the end");
    assert_eq!(legacy_hash("https://example.com/"), "sha256_6ea7eadf", "as in JavaScript");
    assert_eq!(state(&core).await.counted, (1_500, 1, 1));
}
