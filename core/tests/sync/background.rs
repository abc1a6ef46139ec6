//! Sleep and short wakes: what the system allows an app that nobody looks at.

use std::time::Duration;

use safescan_core::{
    error::Error,
    model::{HealthCause, NetworkState, OperationState, Service, ServiceState, VoteChoice},
};

use crate::{
    held::open_files_below,
    server::Fault,
    world::{HEALTHY, HOUR, MINUTE, World, code, hash, health, operations, pass, settle, vote},
};

fn open_files(world: &World) -> Vec<String> {
    open_files_below(world.directory.path())
}

#[tokio::test(start_paused = true)]
async fn a_run_in_the_background_sends_and_leaves_everything_closed() {
    let world = World::new();
    let core = world.open_automatic().await;
    settle().await;
    core.suspend().await.unwrap();
    vote(&core, 1, VoteChoice::Safe).await;
    world.server.forget_seen();
    pass(HOUR).await;
    assert_eq!(world.server.seen().len(), 0, "nothing by itself");

    let rested = world.server.rested();
    let run = core.sync.run_once(Duration::from_secs(20)).await.unwrap();
    assert_eq!((run.finished, run.report.sent, run.report.waiting), (true, 1, 0));
    settle().await;
    assert_eq!(open_files(&world), Vec::<String>::new());
    assert!(world.server.rested() > rested, "connections are given up again");
    world.server.forget_seen();
    core.ratings.rating(code(2)).await.unwrap();
    pass(HOUR).await;
    assert_eq!(world.server.seen().len(), 0, "asleep again");
    core.resume().await.unwrap();
    settle().await;
    assert_eq!((health(&core), world.server.syncs().len()), (HEALTHY, 1));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_passes_leaves_operations_where_they_are() {
    let world = World::new();
    let core = world.open_automatic().await;
    settle().await;
    core.suspend().await.unwrap();
    vote(&core, 1, VoteChoice::Safe).await;
    let id = operations(&core).await[0].id;
    world.server.then(Fault::Silence);
    let before = world.server.elapsed();
    let run = core.sync.run_once(Duration::from_secs(5)).await.unwrap();
    assert_eq!((run.finished, run.report.waiting), (false, 1));
    assert_eq!(world.server.elapsed() - before, 5_000);
    world.server.forget_seen();
    pass(HOUR).await;
    assert_eq!(world.server.seen().len(), 0);

    let run = core.sync.run_once(Duration::from_secs(5)).await.unwrap();
    assert_eq!((run.finished, run.report.sent, run.report.waiting), (true, 1, 0));
    assert_eq!(world.server.account(|account| account.history.clone()), [id]);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_passes_before_the_run_begins_calls_it_off() {
    let world = World::new();
    let core = world.open_automatic().await;
    world.server.account(|account| account.limits.min_interval_ms = 8_000);
    settle().await;
    core.suspend().await.unwrap();
    vote(&core, 1, VoteChoice::Safe).await;
    world.server.forget_seen();
    let run = core.sync.run_once(Duration::from_secs(2)).await.unwrap();
    assert_eq!((run.finished, run.report.waiting), (false, 1));
    pass(HOUR).await;
    assert_eq!(world.server.seen().len(), 0, "the time that the system gave is over");
    assert_eq!(core.sync.run_once(Duration::from_secs(2)).await.unwrap().report.sent, 1);
}

#[tokio::test(start_paused = true)]
async fn suspending_gives_a_run_up_and_resuming_goes_on() {
    for moment in [0, 500, 1_000, 1_500, 2_500] {
        let world = World::new();
        let core = world.open_automatic().await;
        settle().await;
        world.server.set_latency(Duration::from_secs(1));
        vote(&core, 1, VoteChoice::Safe).await;
        let id = operations(&core).await[0].id;
        pass(moment).await;
        core.suspend().await.unwrap();
        assert_eq!(open_files(&world), Vec::<String>::new());
        let before = world.server.seen().len();
        pass(HOUR).await;
        assert_eq!(world.server.seen().len(), before, "no request after {moment} ms");
        assert_eq!(open_files(&world), Vec::<String>::new());

        core.resume().await.unwrap();
        pass(MINUTE).await;
        assert!(operations(&core).await.is_empty());
        assert_eq!(world.server.account(|account| (account.history.clone(), account.effects[&id])), (vec![id], 1));
    }
}

#[tokio::test(start_paused = true)]
async fn resuming_during_a_run_of_the_background_does_not_put_the_core_to_sleep() {
    let world = World::new();
    let core = world.open().await;
    core.suspend().await.unwrap();
    vote(&core, 1, VoteChoice::Safe).await;
    world.server.account(|account| account.stranger_votes(hash(2), VoteChoice::Safe, crate::world::MORNING));
    world.server.set_latency(Duration::from_secs(1));
    let (run, ()) = tokio::join!(core.sync.run_once(Duration::from_secs(20)), async {
        pass(500).await;
        core.resume().await.unwrap();
    });
    assert!(run.unwrap().finished);
    world.server.set_latency(Duration::ZERO);
    let rating = core.ratings.rating(code(2)).await.unwrap();
    assert_eq!((rating.total_votes, world.server.look_ups().len()), (1, 1), "the app is in front: ratings come");
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_run_that_is_given_up_is_told() {
    let world = World::new();
    let core = world.open().await;
    vote(&core, 1, VoteChoice::Safe).await;
    world.server.then(Fault::Silence);
    let (told, ()) = tokio::join!(core.sync.now(), async {
        pass(1_000).await;
        core.suspend().await.unwrap();
    });
    assert!(matches!(told, Err(Error::NoServer { .. })), "{told:?}");
    core.resume().await.unwrap();
    assert_eq!(core.sync.now().await.unwrap().sent, 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_given_up_after_half_a_minute() {
    let world = World::new();
    let core = world.open().await;
    vote(&core, 1, VoteChoice::Safe).await;
    world.server.then(Fault::Silence);
    let before = world.server.elapsed();
    core.sync.now().await.expect_err("silence");
    assert_eq!(world.server.elapsed() - before, 30_000);
    assert_eq!(operations(&core).await[0].state, OperationState::Pending);
}

#[tokio::test(start_paused = true)]
async fn shutting_down_ends_whatever_is_under_way() {
    let world = World::new();
    let core = world.open_automatic().await;
    settle().await;
    vote(&core, 1, VoteChoice::Safe).await;
    world.server.then(Fault::Silence);
    let (told, ()) = tokio::join!(core.sync.now(), async {
        pass(1_000).await;
        core.shutdown().await.unwrap();
    });
    assert!(matches!(told, Err(Error::Stopped)), "{told:?}");
    assert!(matches!(core.sync.now().await, Err(Error::Stopped)));
    world.server.forget_seen();
    pass(HOUR).await;
    assert_eq!((world.server.seen().len(), open_files(&world).len()), (0, 0));

    let core = world.open_automatic().await;
    settle().await;
    assert!(operations(&core).await.is_empty(), "what was in flight is sent");
    assert_eq!(world.server.account(|account| account.history.len()), 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_comes_through_after_the_network_went_does_not_hide_that_it_did() {
    let world = World::new();
    let core = world.open_automatic().await;
    settle().await;
    world.server.set_latency(Duration::from_secs(1));
    vote(&core, 1, VoteChoice::Safe).await;
    pass(500).await;
    core.sync.set_network(NetworkState::Offline);
    pass(MINUTE).await;
    assert_eq!(operations(&core).await.len(), 0, "it came through");
    assert_eq!(health(&core), (ServiceState::Unavailable, HealthCause::Offline));
    core.sync.set_network(NetworkState::Online);
    pass(MINUTE).await;
    assert_eq!(health(&core), HEALTHY);
}

#[tokio::test(start_paused = true)]
async fn why_there_is_no_live_link_is_told_as_it_is() {
    let world = World::new();
    let core = world.open_automatic().await;
    settle().await;
    let live = || {
        let services = core.health().services;
        let realtime = services.iter().find(|service| service.service == Service::Realtime).unwrap();
        (realtime.state, realtime.cause)
    };
    let (offline, asleep) = (HealthCause::Offline, HealthCause::Suspended);
    core.sync.set_network(NetworkState::Offline);
    settle().await;
    assert_eq!(live(), (ServiceState::Unavailable, offline));
    core.suspend().await.unwrap();
    assert_eq!(live(), (ServiceState::Unavailable, asleep));
    core.resume().await.unwrap();
    assert_eq!(live(), (ServiceState::Unavailable, offline), "it is awake, and there is still no network");
}
