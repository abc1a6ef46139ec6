//! A server that fails, a portal in between, a network that is not there: nothing is lost, and nobody is pestered.

use safescan_core::{
    error::Error,
    model::{HealthCause, NetworkState, OperationState, ServiceState, VoteChoice},
    net::{Answer, Failure},
};

use crate::{
    server::{Fault, body, status},
    world::{DAY, HEALTHY, HOUR, MINUTE, SECOND, World, health, operations, pass, settle, vote},
};

/// What went wrong, and how.
type Mishap = (&'static str, fn() -> Fault);

/// All that a server, or something in between, can do that may be over the next time.
fn failures() -> Vec<Mishap> {
    vec![
        ("500", || status(500)),
        ("502", || status(502)),
        ("503", || status(503)),
        ("408", || status(408)),
        ("425", || status(425)),
        ("520", || status(520)),
        ("529", || status(529)),
        ("a portal's page", || body(false, "<html>log in</html>")),
        ("a portal's page that claims to be JSON", || body(true, "<html>log in</html>")),
        ("JSON that breaks off", || body(true, r#"{"conflicts":[],"protocol":1,"serverTi"#)),
        ("JSON of another shape", || body(true, r#"{"message":"Hello"}"#)),
        ("a list", || body(true, "[]")),
        ("this protocol without a time", || body(true, r#"{"conflicts":[],"protocol":1}"#)),
        ("nothing", || body(true, "")),
        ("204", || Fault::Answer(Answer { status: 204, retry_after_ms: None, is_json: false, body: Vec::new() })),
        ("a broken connection", || Fault::LoseAnswer(Failure::Interrupted)),
        ("an answer too large", || Fault::LoseAnswer(Failure::TooLarge)),
        ("no HTTP", || Fault::Fail(Failure::Refused(None))),
    ]
}

#[tokio::test(start_paused = true)]
async fn whatever_the_server_does_nothing_is_lost() {
    for (name, fault) in failures() {
        let world = World::new();
        let core = world.open().await;
        vote(&core, 1, VoteChoice::Safe).await;
        vote(&core, 2, VoteChoice::Unsafe).await;
        let before = operations(&core).await;
        world.server.then(fault());
        let error = core.sync.now().await.expect_err(name);
        assert!(matches!(error, Error::NoServer { .. }), "{name}: {error:?}");
        assert_eq!(health(&core), (ServiceState::Unavailable, HealthCause::ServerFailing), "{name}");
        let waiting = operations(&core).await;
        assert_eq!(waiting.len(), 2, "{name}");
        for (waiting, before) in waiting.iter().zip(&before) {
            assert_eq!(
                (waiting.id, waiting.state, waiting.attempts),
                (before.id, OperationState::Pending, 1),
                "{name}"
            );
            assert!(waiting.last_error.is_some(), "{name}");
        }

        assert_eq!(core.sync.now().await.unwrap().waiting, 0, "{name}");
        assert_eq!(health(&core), HEALTHY, "{name}");
        let effects = world.server.account(|account| account.effects.values().copied().collect::<Vec<_>>());
        assert_eq!(effects, [1, 1], "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn waits_between_tries_grow_are_drawn_and_stay_within_their_bounds() {
    let mut firsts = Vec::new();
    for seed in 0..8 {
        let world = World::seeded(seed);
        // Far enough apart not to open the breaker.
        let core = world.open_automatic().await;
        settle().await;
        world.server.forget_seen();
        world.server.always(|_| status(500));
        vote(&core, 1, VoteChoice::Safe).await;
        pass(10 * MINUTE).await;
        let instants: Vec<i64> = world.server.syncs().iter().map(|sync| sync.at).collect();
        let waits: Vec<i64> = instants.windows(2).map(|pair| pair[1] - pair[0]).collect();
        // A wait ends at a whole millisecond; an open breaker adds its minute.
        for (attempt, wait) in waits.iter().enumerate() {
            let longest = (SECOND << attempt.min(5)).min(30 * SECOND);
            let broken = MINUTE + 30 * SECOND;
            assert!(*wait <= longest + 1 || (attempt >= 4 && (MINUTE..=broken + 1).contains(wait)), "{waits:?}");
        }
        assert!((8..=60).contains(&instants.len()), "{} tries in ten minutes", instants.len());
        firsts.push(waits[0]);

        world.server.oblige();
        pass(2 * MINUTE).await;
        assert_eq!((health(&core), operations(&core).await.len()), (HEALTHY, 0));
    }
    firsts.sort_unstable();
    firsts.dedup();
    assert!(firsts.len() >= 6, "devices do not come back together: {firsts:?}");
}

#[tokio::test(start_paused = true)]
async fn the_breaker_opens_after_five_failures_and_lets_one_probe_through_after_a_minute() {
    let world = World::new();
    let core = world.open().await;
    vote(&core, 1, VoteChoice::Safe).await;
    world.server.always(|_| status(503));
    for _ in 0..8 {
        core.sync.now().await.expect_err("it fails");
    }
    assert_eq!(world.server.syncs().len(), 5, "then nobody is sent any more");
    assert_eq!(health(&core), (ServiceState::Unavailable, HealthCause::ServerFailing));
    pass(MINUTE - SECOND).await;
    core.sync.now().await.expect_err("not yet");
    assert_eq!(world.server.syncs().len(), 5);
    pass(SECOND).await;
    for _ in 0..3 {
        core.sync.now().await.expect_err("it fails still");
    }
    assert_eq!(world.server.syncs().len(), 6, "one probe");
    pass(MINUTE).await;
    world.server.oblige();
    core.sync.now().await.unwrap();
    assert_eq!((health(&core), operations(&core).await.len()), (HEALTHY, 0));
}

#[tokio::test(start_paused = true)]
async fn a_missing_network_is_not_the_server_s_fault() {
    let world = World::new();
    let core = world.open().await;
    vote(&core, 1, VoteChoice::Safe).await;
    for failure in [Failure::Offline, Failure::Untrusted] {
        world.server.always(move |_| Fault::Fail(failure));
        world.server.forget_seen();
        for _ in 0..20 {
            core.sync.now().await.expect_err("there is no way");
        }
        assert_eq!(world.server.syncs().len(), 20, "the breaker stays closed");
    }
    assert_eq!(health(&core), (ServiceState::Unavailable, HealthCause::Untrusted));
    world.server.oblige();
    assert_eq!(core.sync.now().await.unwrap().sent, 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_network_nothing_is_tried_and_with_one_it_begins_at_once() {
    let world = World::new();
    world.server.always(|_| Fault::Fail(Failure::Offline));
    let core = world.open_automatic().await;
    core.sync.set_network(NetworkState::Offline);
    settle().await;
    world.server.forget_seen();
    vote(&core, 1, VoteChoice::Safe).await;
    pass(DAY).await;
    assert_eq!(world.server.seen().len(), 0);
    assert_eq!(operations(&core).await.len(), 1);

    world.server.oblige();
    core.sync.set_network(NetworkState::Online);
    settle().await;
    assert_eq!((world.server.syncs().len(), operations(&core).await.len()), (1, 0));
    assert_eq!(health(&core), HEALTHY);
}

#[tokio::test(start_paused = true)]
async fn a_network_that_returns_forgives_what_failed_before() {
    let world = World::new();
    world.server.always(|_| status(500));
    let core = world.open_automatic().await;
    vote(&core, 1, VoteChoice::Safe).await;
    pass(5 * MINUTE).await;
    world.server.oblige();
    world.server.forget_seen();
    core.sync.set_network(NetworkState::Online);
    settle().await;
    assert_eq!(world.server.syncs().len(), 1, "neither a wait nor the breaker stands in the way");
    assert!(operations(&core).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_set_up_wrongly_is_asked_seldom_and_loses_nothing() {
    for code in [301, 302, 307, 308, 404, 405, 403, 406, 409, 410, 451] {
        let world = World::new();
        world.server.always(move |_| status(code));
        let core = world.open_automatic().await;
        vote(&core, 1, VoteChoice::Safe).await;
        pass(12 * HOUR).await;
        assert_eq!(health(&core), (ServiceState::Unavailable, HealthCause::ServerMisconfigured), "{code}");
        let tries: Vec<i64> = world.server.syncs().iter().map(|sync| sync.at).collect();
        let often_enough = tries.windows(2).all(|pair| pair[1] - pair[0] <= 16 * MINUTE);
        assert!(often_enough && tries.len() <= 75, "{code}: {} tries in twelve hours", tries.len());
        assert_eq!(operations(&core).await[0].state, OperationState::Pending, "{code}");
        let told = core.sync.now().await;
        assert!(matches!(told, Err(Error::NoServer { status: Some(status), .. }) if status == code), "{told:?}");

        world.server.oblige();
        pass(16 * MINUTE).await;
        assert_eq!((health(&core), operations(&core).await.len()), (HEALTHY, 0), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_middle_of_a_run_ends_the_run_and_not_synchronisation() {
    let world = World::new();
    let core = world.open_automatic().await;
    settle().await;
    world.server.then(Fault::Panic);
    vote(&core, 1, VoteChoice::Safe).await;
    settle().await;
    core.suspend().await.unwrap();
    core.resume().await.unwrap();
    pass(MINUTE).await;
    assert!(operations(&core).await.is_empty(), "it goes on by itself");

    vote(&core, 2, VoteChoice::Safe).await;
    settle().await;
    assert!(operations(&core).await.is_empty());
    world.server.then(Fault::Panic);
    let told = tokio::time::timeout(std::time::Duration::from_secs(300), core.sync.now()).await;
    assert!(told.is_ok(), "whoever asked is answered");
}

#[tokio::test(start_paused = true)]
async fn a_storage_that_fails_is_not_taken_for_a_network_that_does() {
    let world = World::new();
    let core = world.open_automatic().await;
    settle().await;
    vote(&core, 1, VoteChoice::Safe).await;
    core.test_fail_storage(true);
    settle().await;
    pass(5 * MINUTE).await;
    let (state, cause) = health(&core);
    assert_eq!((state, cause), HEALTHY, "the server is well");
    let tries = world.server.syncs().len();
    core.test_fail_storage(false);
    pass(MINUTE).await;
    assert!(operations(&core).await.is_empty(), "it goes on by itself");
    let effects = world.server.account(|account| account.effects.values().copied().collect::<Vec<_>>());
    assert_eq!((effects, world.server.syncs().len() - tries <= 2), (vec![1], true));
}
