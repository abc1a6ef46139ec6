//! Clocks that are wrong, and clocks that are turned.

use safescan_core::{
    model::{NewVote, SettingsUpdate, VoteChoice},
    protocol::Outcome,
};

use crate::{
    server::status,
    world::{HOUR, MINUTE, SECOND, World, YEAR, code, hash, link, operations, own_vote, pass, settle, vote},
};

#[tokio::test(start_paused = true)]
async fn times_are_corrected_by_what_the_server_says() {
    for off in [5 * YEAR, -5 * YEAR, 90 * SECOND] {
        let world = World::new();
        world.clock.turn(off);
        let core = world.open().await;
        core.sync.now().await.unwrap();
        pass(MINUTE).await;
        vote(&core, 1, VoteChoice::Safe).await;
        core.settings.update(SettingsUpdate { notifications: Some(false), ..SettingsUpdate::default() }).await.unwrap();
        let now = world.server.account(|account| account.now());
        core.sync.now().await.unwrap();
        let sent = world.server.syncs().last().unwrap().operations.clone();
        assert_eq!(sent.iter().map(|sent| sent.at).collect::<Vec<_>>(), [now, now], "{off} ms off");
        let mine = core.votes.mine(code(1), None).await.unwrap().unwrap();
        assert_eq!(mine.voted_at, now);
    }
}

#[tokio::test(start_paused = true)]
async fn the_correction_is_known_after_a_restart() {
    let world = World::new();
    world.clock.turn(5 * YEAR);
    let core = world.open().await;
    core.sync.now().await.unwrap();
    core.shutdown().await.unwrap();
    let core = world.open_automatic().await;
    core.sync.set_network(safescan_core::model::NetworkState::Offline);
    settle().await;
    vote(&core, 1, VoteChoice::Safe).await;
    let at = operations(&core).await[0].created_at;
    assert_eq!(at, world.server.account(|account| account.now()));
}

#[tokio::test(start_paused = true)]
async fn what_is_done_right_after_a_restart_comes_after_what_was_done_before() {
    let world = World::new();
    world.clock.turn(-5 * HOUR);
    let core = world.open().await;
    core.sync.now().await.unwrap();
    vote(&core, 1, VoteChoice::Safe).await;
    core.sync.now().await.unwrap();
    pass(SECOND).await;
    // The server keeps the time of the retraction, this device does not.
    crate::world::retract(&core, 1).await;
    core.sync.now().await.unwrap();
    core.shutdown().await.unwrap();
    pass(SECOND).await;

    let core = world.open().await;
    vote(&core, 1, VoteChoice::Unsafe).await;
    let now = world.server.account(|account| account.now());
    assert_eq!(operations(&core).await[0].created_at, now);
    assert_eq!(core.sync.now().await.unwrap().sent, 1);
    assert_eq!(own_vote(&core, 1).await, Some(VoteChoice::Unsafe));
    core.shutdown().await.unwrap();

    let core = world.open().await;
    core.settings.update(SettingsUpdate { notifications: Some(false), ..SettingsUpdate::default() }).await.unwrap();
    assert_eq!(operations(&core).await[0].created_at, now);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_turned_back_without_a_network_loses_no_vote() {
    for restart in [false, true] {
        let world = World::new();
        let mut core = world.open().await;
        vote(&core, 1, VoteChoice::Safe).await;
        core.sync.now().await.unwrap();
        pass(SECOND).await;
        crate::world::retract(&core, 1).await;
        core.sync.now().await.unwrap();
        pass(SECOND).await;

        world.clock.turn(-HOUR);
        if restart {
            core.shutdown().await.unwrap();
            core = world.open().await;
        }
        vote(&core, 1, VoteChoice::Unsafe).await;
        assert_eq!(core.sync.now().await.unwrap().sent, 1, "the later word is the later one");
        assert_eq!(world.server.account(|account| account.standing()[0].2), VoteChoice::Unsafe);
        assert_eq!(own_vote(&core, 1).await, Some(VoteChoice::Unsafe));
    }
}

#[tokio::test(start_paused = true)]
async fn a_vote_from_before_the_first_word_of_the_server_gets_the_server_s_time() {
    let world = World::new();
    world.clock.turn(5 * YEAR);
    let core = world.open().await;
    vote(&core, 1, VoteChoice::Safe).await;
    core.sync.now().await.unwrap();
    let now = world.server.account(|account| account.now());
    assert_eq!(core.votes.mine(code(1), None).await.unwrap().unwrap().voted_at, now);
    pass(SECOND).await;
    vote(&core, 1, VoteChoice::Unsafe).await;
    assert_eq!(core.sync.now().await.unwrap().sent, 1);
    assert_eq!(world.server.account(|account| account.standing()[0].2), VoteChoice::Unsafe);
}

#[tokio::test(start_paused = true)]
async fn times_of_one_register_grow_however_the_clock_is_turned() {
    let world = World::new();
    let core = world.open().await;
    core.sync.now().await.unwrap();
    for (turn, choice) in [(0, VoteChoice::Safe), (-YEAR, VoteChoice::Unsafe), (-YEAR, VoteChoice::Safe)] {
        world.clock.turn(turn);
        world.server.then(crate::server::Fault::Fail(safescan_core::net::Failure::Offline));
        vote(&core, 1, choice).await;
        core.sync.now().await.expect_err("so that they are not merged");
    }
    let times: Vec<_> = operations(&core).await.iter().map(|operation| operation.created_at).collect();
    // The second never had its turn, and gave way to the third.
    assert!(times.len() == 2 && times[0] < times[1], "{times:?}");
    core.sync.now().await.unwrap();
    assert_eq!(world.server.account(|account| account.standing()[0].2), VoteChoice::Safe);
    assert_eq!(own_vote(&core, 1).await, Some(VoteChoice::Safe));
}

#[tokio::test(start_paused = true)]
async fn a_deferral_is_over_in_time_however_the_clock_is_turned() {
    for turn in [-3 * YEAR, -2 * HOUR, -8 * SECOND, 2 * HOUR, 3 * YEAR] {
        let world = World::new();
        let core = world.open_automatic().await;
        settle().await;
        world.server.account(|account| {
            let mut once = Some(Outcome::Deferred { retry_after_ms: 60_000 });
            account.decide(move |_| once.take());
        });
        vote(&core, 1, VoteChoice::Safe).await;
        pass(10 * SECOND).await;
        assert_eq!(operations(&core).await.len(), 1);
        world.clock.turn(turn);
        pass(MINUTE).await;
        assert!(operations(&core).await.is_empty(), "the clock was turned by {turn} ms");
        assert!(world.server.syncs().len() <= 6);
    }
}

#[tokio::test(start_paused = true)]
async fn a_deferral_from_before_the_clock_was_put_right_is_over_after_a_restart() {
    let world = World::new();
    world.clock.turn(5 * YEAR);
    let core = world.open().await;
    world.server.account(|account| {
        let mut once = Some(Outcome::Deferred { retry_after_ms: 60_000 });
        account.decide(move |_| once.take());
    });
    vote(&core, 1, VoteChoice::Safe).await;
    core.sync.now().await.unwrap();
    core.shutdown().await.unwrap();
    world.clock.turn(-5 * YEAR);
    let core = world.open_automatic().await;
    settle().await;
    assert!(operations(&core).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn failures_are_waited_out_however_the_clock_is_turned() {
    for turn in [-3 * YEAR, 3 * YEAR] {
        let world = World::new();
        world.server.always(|_| status(500));
        let core = world.open_automatic().await;
        vote(&core, 1, VoteChoice::Safe).await;
        for _ in 0..5 {
            pass(20 * SECOND).await;
            world.clock.turn(turn);
        }
        let tries = world.server.syncs().len();
        assert!((3..=40).contains(&tries), "{tries}");
        world.server.oblige();
        pass(2 * MINUTE).await;
        assert!(operations(&core).await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn votes_from_before_there_was_a_server_are_queued_once() {
    let world = World::new();
    let core = world.open_alone().await;
    for number in 0..250 {
        vote(&core, number, VoteChoice::Safe).await;
    }
    crate::world::retract(&core, 7).await;
    let anns = NewVote { user_id: Some("ann".into()), ..NewVote::of(link(1), VoteChoice::Unsafe) };
    core.votes.submit(anns).await.unwrap();
    assert!(operations(&core).await.is_empty());
    core.shutdown().await.unwrap();

    let core = world.open().await;
    assert_eq!(core.sync.now().await.unwrap().sent, 250);
    let (standing, hosts) =
        world.server.account(|account| (account.standing().len(), account.tally(crate::world::host(1)).count()));
    assert_eq!((standing, hosts), (250, 2), "hosts as well");
    assert!(operations(&core).await.is_empty());
    core.shutdown().await.unwrap();

    let core = world.open().await;
    assert_eq!(core.sync.now().await.unwrap().sent, 0);
    assert_eq!(world.server.account(|account| account.effects.len()), 250);
    assert!(!core.votes.mine(code(1), None).await.unwrap().unwrap().pending);
    let rating = core.ratings.rating(code(1)).await.unwrap();
    assert_eq!((rating.safe_votes, rating.unsafe_votes), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_the_app_gave_up_is_not_queued_again_by_a_restart() {
    let world = World::new();
    let core = world.open_alone().await;
    vote(&core, 1, VoteChoice::Safe).await;
    core.shutdown().await.unwrap();
    world.server.always(|_| status(500));
    let core = world.open().await;
    core.sync.now().await.expect_err("it is queued, and not sent");
    assert!(core.operations.discard(operations(&core).await[0].id).await.unwrap());
    core.shutdown().await.unwrap();
    world.server.oblige();
    let core = world.open().await;
    assert_eq!(core.sync.now().await.unwrap().sent, 0);
    assert_eq!(own_vote(&core, 1).await, Some(VoteChoice::Safe), "it is this phone's own affair now");
}

#[tokio::test(start_paused = true)]
async fn with_names_for_every_code_only_the_owner_s_votes_can_be_queued_later() {
    let world = World::new();
    let core = world.open_with(|config| (config.sync, config.unlinkable_votes) = (None, true)).await;
    vote(&core, 1, VoteChoice::Safe).await;
    let anns = NewVote { user_id: Some("ann".into()), ..NewVote::of(link(1), VoteChoice::Unsafe) };
    core.votes.submit(anns).await.unwrap();
    let name = core.votes.mine(code(1), None).await.unwrap().unwrap().voter_id;
    core.shutdown().await.unwrap();
    let core = world.open_with(|config| config.unlinkable_votes = true).await;
    assert_eq!(core.sync.now().await.unwrap().sent, 1);
    assert_eq!(world.server.account(|account| account.standing()), [(hash(1), name, VoteChoice::Safe)]);
}
