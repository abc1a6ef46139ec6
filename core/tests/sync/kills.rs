//! The process ends at any moment: whatever was half done is done, once, by the next one.

use std::{collections::BTreeSet, sync::Arc, sync::atomic::Ordering::SeqCst, time::Duration};

use safescan_core::{
    engine::Core,
    model::{NewScan, SettingsUpdate, VoteChoice},
};
use serde_json::json;

use crate::world::{MINUTE, World, code, hash, link, operations, own_vote, pass, retract, settle, vote};

/// A core with work in both directions: something of each kind to send, and pages to fetch.
async fn busy(world: &World) -> Arc<Core> {
    let core = world.open().await;
    vote(&core, 0, VoteChoice::Safe).await;
    core.sync.now().await.unwrap();
    world.server.account(|account| {
        (account.page, account.limits.max_ops) = (2, 3);
        account.stranger_votes(hash(1), VoteChoice::Safe, crate::world::MORNING);
        for number in 0..4 {
            let body = json!({ "text": link(number), "verdict": "safe" });
            account.scan_elsewhere(&format!("{number:016x}"), Some(body));
        }
    });
    pass(MINUTE).await;
    retract(&core, 0).await;
    vote(&core, 1, VoteChoice::Unsafe).await;
    vote(&core, 2, VoteChoice::Safe).await;
    let scan = core.scans.record(NewScan::of(link(3))).await.unwrap();
    core.scans.record(NewScan::of(link(4))).await.unwrap();
    core.scans.delete(scan.id).await.unwrap();
    core.settings.update(SettingsUpdate { notifications: Some(false), ..SettingsUpdate::default() }).await.unwrap();
    core
}

/// Everything is where it belongs, each thing once.
async fn settled(world: &World, core: &Core, moment: &str) {
    assert_eq!(operations(core).await.len(), 0, "{moment}");
    let (effects, standing, scans) = world.server.account(|account| {
        let effects: BTreeSet<u32> = account.effects.values().copied().collect();
        (effects, account.standing().len(), account.scans().len())
    });
    assert_eq!((effects, standing, scans), (BTreeSet::from([1]), 2, 5), "{moment}");
    // One before, and then six: a vote and a scan that came and went were never told.
    let told = world.server.account(|account| account.effects.len());
    assert_eq!(told, 6, "{moment}");
    assert_eq!(core.statistics().await.unwrap().scans, 5, "{moment}");
    let own = (own_vote(core, 0).await, own_vote(core, 1).await, own_vote(core, 2).await);
    assert_eq!(own, (None, Some(VoteChoice::Unsafe), Some(VoteChoice::Safe)), "{moment}");
    let rating = core.ratings.rating(code(1)).await.unwrap();
    assert_eq!((rating.safe_votes, rating.unsafe_votes), (1, 1), "{moment}");
    assert_eq!(core.statistics().await.unwrap().votes, 2, "{moment}");
    let seqs: Vec<(i64, _)> =
        world.server.syncs().iter().flat_map(|sync| &sync.operations).map(|o| (o.seq, o.id)).collect();
    let (places, names): (BTreeSet<_>, BTreeSet<_>) = seqs.iter().copied().unzip();
    assert_eq!((places.len(), names.len()), (6, 6), "names and places stay together: {moment}");
}

#[tokio::test(start_paused = true)]
async fn a_kill_while_something_is_awaited_costs_a_repetition_and_nothing_else() {
    let mut before_the_end = 0;
    for moment in 0..40 {
        let world = World::new();
        let core = busy(&world).await;
        let asking = Arc::clone(&core);
        let asker = tokio::spawn(async move { asking.sync.now().await });
        for _ in 0..moment {
            tokio::task::yield_now().await;
        }
        before_the_end += u32::from(!asker.is_finished());
        core.test_kill();
        asker.abort();
        drop(core);
        let core = world.open().await;
        core.sync.now().await.unwrap();
        settled(&world, &core, &format!("killed after {moment} steps")).await;
    }
    assert!(before_the_end > 8 && before_the_end < 40, "{before_the_end} moments lay within the run");
}

#[tokio::test(start_paused = true)]
async fn a_kill_on_the_way_there_or_back_costs_a_repetition_and_nothing_else() {
    for moment in (0..12).map(|quarter| quarter * 250 + 10) {
        let world = World::new();
        let core = busy(&world).await;
        world.server.set_latency(Duration::from_millis(500));
        let asking = Arc::clone(&core);
        let asker = tokio::spawn(async move { asking.sync.now().await });
        pass(moment).await;
        core.test_kill();
        asker.abort();
        drop(core);
        let core = world.open_automatic().await;
        pass(MINUTE).await;
        settled(&world, &core, &format!("killed after {moment} ms")).await;
    }
}

/// Between two awaits, too: each reading of the clock lies somewhere between two steps of a run.
#[tokio::test(start_paused = true)]
async fn a_break_at_any_step_of_a_run_costs_a_repetition_and_nothing_else() {
    for killed in [true, false] {
        let mut broken = 0;
        for moment in 0.. {
            let world = World::new();
            let core = busy(&world).await;
            world.clock.breaks_in.store(moment, SeqCst);
            let asking = Arc::clone(&core);
            let asker = tokio::spawn(async move { asking.sync.now().await });
            settle().await;
            let whole = world.clock.breaks_in.swap(-1, SeqCst) >= 0;
            let core = if killed {
                core.test_kill();
                asker.abort();
                drop(core);
                world.open().await
            } else {
                // The bug was one of the moment: the core goes on.
                pass(MINUTE).await;
                assert!(asker.is_finished(), "whoever asked is answered, broken at {moment}");
                core
            };
            drop(core.sync.now().await);
            core.sync.now().await.unwrap();
            settled(&world, &core, &format!("broken at reading {moment}, killed: {killed}")).await;
            if whole {
                break;
            }
            broken += 1;
        }
        assert!(broken > 20, "{broken} moments lay within the run");
    }
}

#[tokio::test(start_paused = true)]
async fn two_lives_of_a_phone_are_one_device() {
    let world = World::new();
    for number in 0..3 {
        let core = world.open().await;
        vote(&core, number, VoteChoice::Safe).await;
        core.sync.now().await.unwrap();
        core.test_kill();
    }
    let devices: BTreeSet<_> = world.server.syncs().into_iter().map(|sync| sync.sync.unwrap().device).collect();
    assert_eq!(devices.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_phone_restored_from_a_backup_is_another_device_and_repeats_nothing() {
    let world = World::new();
    let core = world.open().await;
    vote(&core, 1, VoteChoice::Safe).await;
    world.server.then(crate::server::Fault::LoseAnswer(safescan_core::net::Failure::Interrupted));
    core.sync.now().await.expect_err("lost");
    core.shutdown().await.unwrap();
    // A backup holds what exists nowhere else, and not the cache.
    for file in std::fs::read_dir(world.directory.path()).unwrap() {
        let path = file.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("cache") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let core = world.open().await;
    assert_eq!(core.sync.now().await.unwrap().waiting, 0);
    let devices: BTreeSet<_> = world.server.syncs().into_iter().map(|sync| sync.sync.unwrap().device).collect();
    assert_eq!(devices.len(), 2);
    assert_eq!(world.server.account(|account| account.standing().len()), 1);
}
