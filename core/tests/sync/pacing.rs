//! When a run begins: what the server wants, what callers want, and what nobody needs.

use std::time::Duration;

use safescan_core::{
    error::Error,
    model::{HealthCause, NetworkState, ServiceState, SettingsUpdate, VoteChoice},
    protocol::{Limits, Outcome},
};
use tokio::runtime::Handle;

use crate::{
    server::{Fault, edit, refusal},
    world::{DAY, HEALTHY, HOUR, MINUTE, SECOND, World, health, operations, pass, settle, sync, vote},
};

/// The instants at which `/api/sync` was asked.
fn instants(world: &World) -> Vec<i64> {
    world.server.syncs().iter().map(|sync| sync.at).collect()
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_obeyed_on_a_refusal() {
    let world = World::new();
    let core = world.open_automatic().await;
    settle().await;
    world.server.forget_seen();
    world.server.then(refusal(429, "rate_limited", Some(120_000)));
    vote(&core, 1, VoteChoice::Safe).await;
    settle().await;
    assert_eq!(health(&core), (ServiceState::Degraded, HealthCause::RateLimited));
    pass(MINUTE).await;
    vote(&core, 2, VoteChoice::Safe).await;
    core.sync.set_network(NetworkState::Online);
    core.suspend().await.unwrap();
    core.resume().await.unwrap();
    pass(2 * MINUTE).await;
    let instants = instants(&world);
    assert_eq!(instants.len(), 2, "neither work nor a new network changes what the server wants");
    let wait = instants[1] - instants[0];
    assert!((120_000..=121_001).contains(&wait), "{wait}");
    assert_eq!((health(&core), operations(&core).await.len()), (HEALTHY, 0));
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_obeyed_on_any_answer() {
    let faults: [fn() -> Fault; 4] = [
        || refusal(503, "draining", Some(90_000)),
        || refusal(500, "internal", Some(90_000)),
        || refusal(404, "not_found", Some(90_000)),
        || Fault::RetryAfter(90_000),
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let world = World::new();
        let core = world.open().await;
        world.server.then(fault());
        drop(core.sync.now().await);
        vote(&core, 1, VoteChoice::Safe).await;
        let told = core.sync.now().await;
        let Err(Error::RateLimited { retry_after_ms }) = told else { panic!("fault {number}: {told:?}") };
        assert!((89_900..=90_000).contains(&retry_after_ms), "{retry_after_ms}");
        assert_eq!(world.server.syncs().len(), 1);
        pass(90_000).await;
        assert_eq!(core.sync.now().await.unwrap().sent, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_wants_a_year_gets_a_day() {
    let wishes: [fn() -> Fault; 3] = [
        || refusal(429, "rate_limited", Some(u32::MAX)),
        || edit(|response| response.backoff_ms = u32::MAX),
        || edit(|response| response.limits.min_interval_ms = u32::MAX),
    ];
    for wish in wishes {
        let world = World::new();
        let core = world.open_automatic().await;
        settle().await;
        world.server.then(wish());
        vote(&core, 1, VoteChoice::Safe).await;
        settle().await;
        vote(&core, 2, VoteChoice::Safe).await;
        world.server.forget_seen();
        pass(DAY - MINUTE).await;
        assert_eq!(world.server.syncs().len(), 0);
        pass(2 * MINUTE).await;
        assert!(operations(&core).await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn the_pause_between_runs_is_kept_and_not_between_the_requests_of_one() {
    let world = World::new();
    world.server.account(|account| account.limits = Limits { max_ops: 10, min_interval_ms: 5_000, ..account.limits });
    let core = world.open_automatic().await;
    settle().await;
    for number in 0..25 {
        vote(&core, number, VoteChoice::Safe).await;
    }
    pass(5_000).await;
    let instants = instants(&world);
    assert_eq!(instants.len(), 4);
    assert!(instants[1] - instants[0] >= 5_000);
    assert_eq!(instants[1], instants[3]);
}

#[tokio::test(start_paused = true)]
async fn backoff_on_a_good_answer_is_obeyed_at_once() {
    let world = World::new();
    world.server.account(|account| {
        account.limits.max_ops = 10;
        account.backoff_ms = 30_000;
    });
    let core = world.open_automatic().await;
    settle().await;
    for number in 0..25 {
        vote(&core, number, VoteChoice::Safe).await;
    }
    pass(5 * MINUTE).await;
    let instants = instants(&world);
    assert!(instants.windows(2).all(|pair| pair[1] - pair[0] >= 30_000), "{instants:?}");
    assert!(operations(&core).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_waits_a_moment_for_the_server_and_is_told_if_it_takes_longer() {
    for (pause, waits) in [(8_000, true), (10_000, true), (11_000, false)] {
        let world = World::new();
        let core = world.open().await;
        world.server.account(|account| account.limits.min_interval_ms = pause);
        core.sync.now().await.unwrap();
        vote(&core, 1, VoteChoice::Safe).await;
        let before = world.server.elapsed();
        let told = core.sync.now().await;
        let waited = world.server.elapsed() - before;
        if waits {
            assert_eq!(told.unwrap().sent, 1);
            assert!((i64::from(pause) - 10..=i64::from(pause) + 10).contains(&waited), "{waited}");
        } else {
            assert!(matches!(told, Err(Error::RateLimited { retry_after_ms }) if retry_after_ms > 10_000), "{told:?}");
            assert_eq!(waited, 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_deferred_is_sent_again_at_its_time_and_not_before() {
    let world = World::new();
    let core = world.open_automatic().await;
    settle().await;
    world.server.account(|account| {
        let mut once = Some(Outcome::Deferred { retry_after_ms: 90_000 });
        account.decide(move |_| once.take());
    });
    world.server.forget_seen();
    vote(&core, 1, VoteChoice::Safe).await;
    pass(89_900).await;
    assert_eq!(world.server.syncs().len(), 1);
    assert_eq!(health(&core), HEALTHY);
    pass(200).await;
    let instants = instants(&world);
    assert_eq!(instants.len(), 2);
    assert!((90_000..=90_100).contains(&(instants[1] - instants[0])), "{instants:?}");
    assert!(operations(&core).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn deferrals_of_any_length_rush_nobody() {
    for retry_after_ms in [0, 1, 3 * 24 * 3_600_000, u32::MAX] {
        let world = World::new();
        let core = world.open_automatic().await;
        settle().await;
        world.server.forget_seen();
        world.server.account(|account| account.decide(move |_| Some(Outcome::Deferred { retry_after_ms })));
        vote(&core, 1, VoteChoice::Safe).await;
        pass(MINUTE).await;
        let tries = world.server.syncs().len();
        assert!((1..=61).contains(&tries), "{tries} tries in a minute after {retry_after_ms}");
        world.server.account(|account| account.verdict = None);
        pass(DAY).await;
        assert!(operations(&core).await.is_empty(), "and it is not put off for ever");
    }
}

#[tokio::test(start_paused = true)]
async fn callers_at_the_same_time_share_a_run_that_began_after_their_calls() {
    let world = World::new();
    let core = world.open().await;
    world.server.set_latency(Duration::from_secs(1));
    vote(&core, 1, VoteChoice::Safe).await;
    let (first, second, third) = tokio::join!(core.sync.now(), core.sync.now(), async {
        pass(500).await;
        vote(&core, 2, VoteChoice::Safe).await;
        core.sync.now().await
    });
    assert_eq!(first, second);
    let sent = (first.unwrap().sent, third.unwrap().sent);
    // The third came while the run was under way: it gets the next one, which begins when the first has ended.
    assert_eq!(sent.0 + sent.1, 2);
    let runs = events_of_runs(&core).await;
    assert_eq!(runs, 2);
    assert!(operations(&core).await.is_empty());
}

async fn events_of_runs(core: &safescan_core::engine::Core) -> usize {
    let events = crate::world::events(core).await;
    events.iter().filter(|event| matches!(event, safescan_core::model::Event::SyncFinished { .. })).count()
}

#[tokio::test(start_paused = true)]
async fn an_asker_who_goes_away_leaves_nothing_behind() {
    let world = World::new();
    let core = world.open().await;
    world.server.set_latency(Duration::from_secs(5));
    let left = tokio::time::timeout(Duration::from_secs(1), core.sync.now()).await;
    assert!(left.is_err());
    assert_eq!(core.sync.now().await.unwrap().waiting, 0);
}

#[tokio::test(start_paused = true)]
async fn whoever_has_nothing_to_do_does_nothing() {
    let world = World::new();
    let core = world.open().await;
    for number in 0..20 {
        vote(&core, number, VoteChoice::Safe).await;
    }
    core.sync.now().await.unwrap();
    settle().await;
    world.server.forget_seen();
    let metrics = Handle::current().metrics();
    let (reads, parks) = (world.clock.reads.load(std::sync::atomic::Ordering::SeqCst), metrics.worker_park_count(0));
    pass(HOUR).await;
    assert_eq!(world.server.seen().len(), 0);
    assert_eq!(world.clock.reads.load(std::sync::atomic::Ordering::SeqCst), reads, "nobody looks at the clock");
    let parks = metrics.worker_park_count(0) - parks;
    // Tokio's own wheel of timers turns a handful of times in an hour.
    assert!(parks <= 6, "time jumps over the hour at once, there is no timer in it: {parks} stops");
}

#[tokio::test(start_paused = true)]
async fn an_automatic_core_asks_nothing_in_an_idle_hour() {
    let world = World::new();
    let core = world.open_automatic().await;
    vote(&core, 1, VoteChoice::Safe).await;
    settle().await;
    assert!(operations(&core).await.is_empty());
    world.server.forget_seen();
    pass(HOUR).await;
    assert_eq!(world.server.seen().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_user_who_wants_no_synchronisation_gets_none_until_it_is_wanted_again() {
    let world = World::new();
    // Settings stay on the phone here: they are not what is sent.
    let core = world.open_with(|config| {
        sync(config).only_when_asked = false;
        sync(config).share_settings = false;
    });
    let core = core.await;
    settle().await;
    let wanted = |auto_sync| SettingsUpdate { auto_sync: Some(auto_sync), ..SettingsUpdate::default() };
    core.settings.update(wanted(false)).await.unwrap();
    world.server.forget_seen();
    vote(&core, 1, VoteChoice::Safe).await;
    pass(HOUR).await;
    assert_eq!(world.server.seen().len(), 0);
    assert_eq!(core.sync.now().await.unwrap().sent, 1, "but whoever asks is served");
    core.settings.update(wanted(true)).await.unwrap();
    vote(&core, 2, VoteChoice::Safe).await;
    pass(SECOND).await;
    assert!(operations(&core).await.is_empty());
}
