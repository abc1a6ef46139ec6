//! What the account's other devices do: their changes come, and where both changed the same thing the later one stands.

use safescan_core::{
    model::{Event, KvPair, NewScan, OperationKind, ScanId, ScanQuery, SettingsUpdate, Verdict, VoteChoice, VoterId},
    protocol::{Change, RegisterChange},
};
use serde_json::{Value, json};

use crate::{
    server::edit,
    world::{MINUTE, SECOND, World, YEAR, code, events, hash, link, operations, own_vote, pass, retract, vote},
};

/// The owner's name on a code, as the server knows it.
async fn voter(core: &safescan_core::engine::Core, number: usize) -> VoterId {
    core.votes.mine(code(number), None).await.unwrap().unwrap().voter_id
}

fn superseded(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event, Event::OperationSuperseded { .. })).count()
}

/// A core whose vote on code 1 the server knows.
async fn voted(world: &World) -> (std::sync::Arc<safescan_core::engine::Core>, VoterId) {
    let core = world.open().await;
    vote(&core, 1, VoteChoice::Safe).await;
    core.sync.now().await.unwrap();
    let voter = voter(&core, 1).await;
    events(&core).await;
    (core, voter)
}

#[tokio::test(start_paused = true)]
async fn what_gives_way_to_a_later_change_is_told_and_the_later_one_is_taken_over() {
    let world = World::new();
    let (core, voter) = voted(&world).await;
    pass(MINUTE).await;
    vote(&core, 1, VoteChoice::Safe).await;
    let id = operations(&core).await[0].id;
    pass(MINUTE).await;
    world.server.account(|account| account.vote_elsewhere(hash(1), voter, Some(VoteChoice::Unsafe)));
    // The conflict says what stands; the change itself may come with a later page.
    world.server.then(edit(|response| response.changes.clear()));
    events(&core).await;

    let report = core.sync.now().await.unwrap();
    assert_eq!((report.sent, report.superseded, report.waiting), (0, 1, 0));
    let happened = events(&core).await;
    assert!(happened.contains(&Event::OperationSuperseded { id, kind: OperationKind::VoteSet }));
    assert!(happened.contains(&Event::VoteChanged { qr_hash: hash(1) }));
    assert_eq!(own_vote(&core, 1).await, Some(VoteChoice::Unsafe));
    assert!(operations(&core).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_came_while_an_own_change_had_no_answer_is_learnt_with_the_answer() {
    let world = World::new();
    let (core, voter) = voted(&world).await;
    pass(MINUTE).await;
    vote(&core, 1, VoteChoice::Safe).await;
    core.settings.update(SettingsUpdate { notifications: Some(true), ..SettingsUpdate::default() }).await.unwrap();
    world.server.then(crate::server::Fault::LoseAnswer(safescan_core::net::Failure::Interrupted));
    core.sync.now().await.expect_err("the answer is lost");

    pass(MINUTE).await;
    world.server.account(|account| {
        account.vote_elsewhere(hash(1), voter, Some(VoteChoice::Unsafe));
        account.setting_elsewhere("notifications", false.into());
    });
    // The others' changes come first, with an answer that says nothing of our own.
    world.server.then(edit(|response| {
        response.results.clear();
        response.conflicts.clear();
    }));
    drop(core.sync.now().await);
    assert_eq!(own_vote(&core, 1).await, Some(VoteChoice::Safe), "nobody knows yet which of the two holds");
    assert_eq!(operations(&core).await.len(), 2);

    pass(MINUTE).await;
    events(&core).await;
    core.sync.now().await.unwrap();
    assert_eq!(own_vote(&core, 1).await, Some(VoteChoice::Unsafe));
    assert!(!core.settings.read().await.unwrap().notifications);
    assert!(operations(&core).await.is_empty());
    assert_eq!(superseded(&events(&core).await), 2, "the app is told");
    let effects = world.server.account(|account| account.effects.clone());
    assert!(effects.values().all(|times| *times == 1), "{effects:?}");
}

#[tokio::test(start_paused = true)]
async fn giving_way_to_the_very_same_value_is_no_conflict() {
    let world = World::new();
    let (core, voter) = voted(&world).await;
    pass(MINUTE).await;
    let scan = core.scans.record(NewScan::of(link(9))).await.unwrap();
    core.sync.now().await.unwrap();
    core.settings.update(SettingsUpdate { notifications: Some(false), ..SettingsUpdate::default() }).await.unwrap();
    vote(&core, 1, VoteChoice::Unsafe).await;
    assert!(core.scans.delete(scan.id).await.unwrap());
    pass(MINUTE).await;
    world.server.account(|account| {
        account.vote_elsewhere(hash(1), voter, Some(VoteChoice::Unsafe));
        account.setting_elsewhere("notifications", false.into());
        account.scan_elsewhere(&scan.id.to_string(), None);
    });
    events(&core).await;
    let report = core.sync.now().await.unwrap();
    assert_eq!((report.sent, report.superseded), (3, 0));
    assert_eq!(superseded(&events(&core).await), 0);
    assert_eq!(own_vote(&core, 1).await, Some(VoteChoice::Unsafe));
    assert!(!core.settings.read().await.unwrap().notifications);
}

#[tokio::test(start_paused = true)]
async fn a_retraction_elsewhere_and_one_here_agree() {
    let world = World::new();
    let (core, voter) = voted(&world).await;
    pass(MINUTE).await;
    retract(&core, 1).await;
    pass(MINUTE).await;
    world.server.account(|account| account.vote_elsewhere(hash(1), voter, None));
    events(&core).await;
    assert_eq!(core.sync.now().await.unwrap().superseded, 0);
    assert_eq!((superseded(&events(&core).await), own_vote(&core, 1).await), (0, None));
    assert_eq!(core.statistics().await.unwrap().votes, 0);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_what_gave_way_is_told_once_it_comes() {
    let world = World::new();
    let (core, voter) = voted(&world).await;
    pass(MINUTE).await;
    vote(&core, 1, VoteChoice::Safe).await;
    pass(MINUTE).await;
    world.server.account(|account| account.vote_elsewhere(hash(1), voter, None));
    world.server.then(crate::server::Fault::LoseAnswer(safescan_core::net::Failure::Interrupted));
    core.sync.now().await.expect_err("lost");
    assert_eq!(own_vote(&core, 1).await, Some(VoteChoice::Safe), "nobody said otherwise");
    events(&core).await;
    assert_eq!(core.sync.now().await.unwrap().superseded, 1);
    assert_eq!((superseded(&events(&core).await), own_vote(&core, 1).await), (1, None));
}

#[tokio::test(start_paused = true)]
async fn votes_of_other_devices_come_and_go() {
    for unlinkable in [false, true] {
        let world = World::new();
        let core = world.open_with(|config| config.unlinkable_votes = unlinkable).await;
        vote(&core, 1, VoteChoice::Safe).await;
        vote(&core, 2, VoteChoice::Safe).await;
        core.sync.now().await.unwrap();
        let (first, second) = (voter(&core, 1).await, voter(&core, 2).await);
        assert_eq!(first == second, !unlinkable);
        pass(SECOND).await;
        world.server.account(|account| {
            account.vote_elsewhere(hash(1), first, Some(VoteChoice::Unsafe));
            account.vote_elsewhere(hash(2), second, None);
            // Somebody of the account whom this device has never heard of.
            account.vote_elsewhere(hash(3), VoterId([7; 16]), Some(VoteChoice::Safe));
        });
        events(&core).await;
        core.sync.now().await.unwrap();
        assert_eq!(own_vote(&core, 1).await, Some(VoteChoice::Unsafe));
        assert_eq!((own_vote(&core, 2).await, own_vote(&core, 3).await), (None, None));
        let happened = events(&core).await;
        for number in [1, 2] {
            assert!(happened.contains(&Event::VoteChanged { qr_hash: hash(number) }), "{happened:?}");
        }
        assert!(operations(&core).await.is_empty(), "what comes is not sent back");
        core.sync.now().await.unwrap();
        assert_eq!(superseded(&events(&core).await), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_waiting_change_is_not_overwritten_by_what_comes() {
    let world = World::new();
    let (core, voter) = voted(&world).await;
    pass(SECOND).await;
    retract(&core, 1).await;
    core.settings.update(SettingsUpdate { notifications: Some(false), ..SettingsUpdate::default() }).await.unwrap();
    // Even if what comes is later: the server has not said yet which of the two holds.
    pass(SECOND).await;
    world.server.account(|account| {
        account.vote_elsewhere(hash(1), voter, Some(VoteChoice::Unsafe));
        account.setting_elsewhere("notifications", true.into());
        // What waits here is not decided by this answer.
        account.decide(|_| Some(safescan_core::protocol::Outcome::Deferred { retry_after_ms: 60_000 }));
    });
    core.sync.now().await.unwrap();
    assert_eq!(own_vote(&core, 1).await, None);
    assert!(!core.settings.read().await.unwrap().notifications);

    world.server.account(|account| account.verdict = None);
    pass(MINUTE).await;
    assert_eq!(core.sync.now().await.unwrap().superseded, 2);
    assert_eq!(own_vote(&core, 1).await, Some(VoteChoice::Unsafe));
    assert!(core.settings.read().await.unwrap().notifications);
}

#[tokio::test(start_paused = true)]
async fn scans_and_settings_of_other_devices_come_and_go() {
    let world = World::new();
    let core = world.open().await;
    let (kept, gone) = (ScanId(1_799_000_000_000 << 20), ScanId(1_799_000_001_000 << 20));
    world.server.account(|account| {
        let body = json!({ "text": link(1), "verdict": "suspicious", "metadata": "from the tablet" });
        account.scan_elsewhere(&kept.to_string(), Some(body));
        account.scan_elsewhere(&gone.to_string(), Some(json!({ "text": link(3), "verdict": "of tomorrow" })));
        account.setting_elsewhere("scanRetentionDays", 30.into());
    });
    core.sync.now().await.unwrap();
    let scan = core.scans.find(kept).await.unwrap().unwrap();
    assert_eq!((scan.text, scan.verdict, scan.scanned_at.0), (link(1), Verdict::Suspicious, 1_799_000_000_000));
    assert_eq!(scan.metadata.as_deref(), Some("from the tablet"));
    assert_eq!(core.scans.find(gone).await.unwrap().unwrap().verdict, Verdict::Unknown);
    assert_eq!(core.settings.read().await.unwrap().scan_retention_days, 30);
    let happened = events(&core).await;
    assert!(happened.contains(&Event::ScansAdded { count: 2, latest: gone }), "{happened:?}");
    assert!(happened.contains(&Event::SettingsChanged));

    world.server.account(|account| account.scan_elsewhere(&gone.to_string(), None));
    core.sync.now().await.unwrap();
    assert_eq!(core.scans.find(gone).await.unwrap(), None);
    assert!(events(&core).await.contains(&Event::ScansRemoved { count: 1 }));
    assert!(operations(&core).await.is_empty(), "what comes is not sent back");
    let next = core.scans.record(NewScan::of(link(2))).await.unwrap();
    assert!(next.id > kept);
}

#[tokio::test(start_paused = true)]
async fn a_scan_that_was_deleted_elsewhere_does_not_rise_again() {
    let world = World::new();
    let core = world.open().await;
    let scan = core.scans.record(NewScan::of(link(1))).await.unwrap();
    world.server.account(|account| account.scan_elsewhere(&scan.id.to_string(), None));
    let report = core.sync.now().await.unwrap();
    assert_eq!((report.superseded, report.waiting), (1, 0));
    assert_eq!(core.scans.find(scan.id).await.unwrap(), None);
    assert_eq!(world.server.account(|account| account.scans()), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_has_no_business_here_is_passed_over() {
    let world = World::new();
    let core = world.open().await;
    let id = |number: i64| ScanId((1_799_000_000_000 + number) << 20).to_string();
    let scan = |text: Value| json!({ "text": text, "verdict": "safe" });
    let scans = vec![
        (id(1), Some(scan("WIFI:S:home;P:secret;;".into()))),
        (id(2), Some(scan("otpauth://totp/x?secret=ABC".into()))),
        (id(3), Some(scan("".into()))),
        (id(4), Some(scan("x".repeat(5_000).into()))),
        (id(5), Some(scan(17.into()))),
        (id(6), Some(Value::Null)),
        (id(7), Some(json!({ "text": link(7), "verdict": "safe", "metadata": "x".repeat(100_000) }))),
        (id(8), None),
        ("no id".to_owned(), Some(scan(link(9).into()))),
        ("8000000000000000".to_owned(), Some(scan(link(9).into()))),
        (id(10), Some(scan(link(10).into()))),
    ];
    let settings = [("", json!({"value": 1})), ("notifications", json!({})), ("autoSync", json!("off"))];
    let register = |key: &str, body| RegisterChange { key: key.to_owned(), rev: 1, at: world_time(), body };
    let mut changes: Vec<Change> = scans.into_iter().map(|(key, body)| Change::Scan(register(&key, body))).collect();
    changes.extend(settings.map(|(key, body)| Change::Setting(register(key, Some(body)))));
    changes.push(Change::ScanDeleted(register(&id(99), None)));
    changes.push(Change::Unknown);
    world.server.then(edit(move |response| response.changes = changes));
    core.sync.now().await.unwrap();

    let page = core.scans.page(ScanQuery::default()).await.unwrap();
    assert_eq!(page.scans.iter().map(|scan| scan.id.to_string()).collect::<Vec<_>>(), [id(10)]);
    assert_eq!(core.settings.read().await.unwrap(), safescan_core::model::Settings::default());
    // A value of another type is one of a later version: kept, and counted as not there.
    world.server.account(|account| account.setting_elsewhere("notifications", json!([1, 2])));
    core.sync.now().await.unwrap();
    assert!(core.settings.read().await.unwrap().notifications);
}

fn world_time() -> safescan_core::model::UnixMillis {
    crate::world::MORNING
}

#[tokio::test(start_paused = true)]
async fn a_page_that_comes_late_changes_nothing_that_is_newer() {
    let world = World::new();
    let (core, voter) = voted(&world).await;
    let late = Change::Vote(safescan_core::protocol::VoteChange {
        qr_hash: hash(1),
        voter,
        vote: Some(VoteChoice::Unsafe),
        at: world_time().minus(YEAR),
        rev: 1,
    });
    world.server.then(edit(move |response| response.changes.push(late)));
    core.sync.now().await.unwrap();
    assert_eq!(own_vote(&core, 1).await, Some(VoteChoice::Safe));
}

#[tokio::test(start_paused = true)]
async fn storage_that_is_full_does_not_hold_up_what_is_sent() {
    let world = World::new();
    let core = world.open_with(|config| config.max_storage = Some(safescan_core::model::ByteCount(16 * 1024))).await;
    // Nothing of this gives way, and little room is left.
    for number in 0..5 {
        core.key_value.set_all(vec![KvPair { key: format!("key {number}"), value: "x".repeat(3_000) }]).await.unwrap();
    }
    vote(&core, 1, VoteChoice::Safe).await;
    world.server.account(|account| {
        for number in 0..10 {
            let id = ScanId((1_799_000_000_000 + number) << 20).to_string();
            account.scan_elsewhere(&id, Some(json!({ "text": "x".repeat(3_000), "verdict": "safe" })));
        }
    });
    let report = core.sync.now().await.expect("what does not fit is not kept");
    assert_eq!((report.sent, report.waiting), (1, 0));
    core.sync.now().await.unwrap();
}
