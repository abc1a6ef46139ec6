//! Pages, cursors, servers that forget, and servers that speak the plain protocol only.

use safescan_core::{
    error::Error,
    model::{HealthCause, NewScan, OperationState, ParkedReason, RatingSource, ServiceState, VoteChoice},
    protocol::{MUST_REFETCH, codes},
};
use serde_json::json;

use crate::{
    server::{Fault, body, edit, refusal},
    world::{HEALTHY, MINUTE, MORNING, World, code, hash, health, link, operations, own_vote, pass, settle, vote},
};

#[tokio::test(start_paused = true)]
async fn changes_come_page_by_page_and_each_once() {
    let world = World::new();
    let core = world.open().await;
    world.server.account(|account| {
        account.page = 3;
        for number in 0..10 {
            let body = json!({ "text": link(number), "verdict": "safe" });
            account.scan_elsewhere(&format!("{number:016x}"), Some(body));
        }
    });
    core.sync.now().await.unwrap();
    assert_eq!(core.statistics().await.unwrap().scans, 10);
    let cursors: Vec<_> = world.server.syncs().into_iter().map(|sync| sync.sync.unwrap().cursor).collect();
    let cursor = |text: &str| Some(text.to_owned());
    assert_eq!(cursors, [None, cursor("3"), cursor("6"), cursor("9")]);

    world.server.forget_seen();
    core.shutdown().await.unwrap();
    let core = world.open().await;
    core.sync.now().await.unwrap();
    let syncs = world.server.syncs();
    assert_eq!((syncs.len(), syncs[0].sync.as_ref().unwrap().cursor.clone()), (1, cursor("10")), "it is remembered");
}

#[tokio::test(start_paused = true)]
async fn pages_and_batches_go_in_the_same_requests() {
    let world = World::new();
    let core = world.open().await;
    world.server.account(|account| {
        (account.page, account.limits.max_ops) = (2, 10);
        for number in 0..8 {
            let body = json!({ "text": link(number), "verdict": "safe" });
            account.scan_elsewhere(&format!("{number:016x}"), Some(body));
        }
    });
    for number in 0..20 {
        vote(&core, number, VoteChoice::Safe).await;
    }
    assert_eq!(core.sync.now().await.unwrap().sent, 20);
    assert_eq!(core.statistics().await.unwrap().scans, 8);
    assert!(operations(&core).await.is_empty());
}

/// A core with a vote, a rating and a scan that the server has, and a vote and a scan that it does not have.
async fn half_sent(world: &World) -> std::sync::Arc<safescan_core::engine::Core> {
    let core = world.open().await;
    vote(&core, 1, VoteChoice::Safe).await;
    core.scans.record(NewScan::of(link(1))).await.unwrap();
    let earlier = MORNING.minus(MINUTE);
    world.server.account(|account| account.stranger_votes(hash(1), VoteChoice::Unsafe, earlier));
    core.sync.now().await.unwrap();
    let rating = core.ratings.rating(code(1)).await.unwrap();
    assert_eq!((rating.safe_votes, rating.unsafe_votes), (1, 1));
    pass(2 * MINUTE).await;
    core.scans.record(NewScan::of(link(2))).await.unwrap();
    vote(&core, 2, VoteChoice::Unsafe).await;
    world.server.forget_seen();
    core
}

async fn whole(core: &safescan_core::engine::Core) {
    assert_eq!(own_vote(core, 1).await, Some(VoteChoice::Safe));
    assert_eq!(own_vote(core, 2).await, Some(VoteChoice::Unsafe));
    assert_eq!(core.statistics().await.unwrap().scans, 2);
}

#[tokio::test(start_paused = true)]
async fn must_refetch_drops_what_can_be_had_again_and_fetches_it() {
    let world = World::new();
    let core = half_sent(&world).await;
    world.server.account(|account| account.forget_cursors());
    let report = core.sync.now().await.unwrap();
    assert_eq!((report.sent, report.waiting), (2, 0));
    let cursors: Vec<_> = world.server.syncs().into_iter().map(|sync| sync.sync.unwrap().cursor).collect();
    assert_eq!(
        (cursors.len(), cursors[0].is_some(), cursors[1].clone()),
        (2, true, None),
        "fetched from the beginning"
    );
    whole(&core).await;
    // Nobody is asked here: what is known came with the changes.
    world.server.always(|_| Fault::Fail(safescan_core::net::Failure::Offline));
    let rating = core.ratings.rating(code(1)).await.unwrap();
    assert_eq!((rating.safe_votes, rating.unsafe_votes, rating.source), (1, 1, RatingSource::Cached));
    world.server.oblige();
    assert_eq!(health(&core), HEALTHY);
}

#[tokio::test(start_paused = true)]
async fn must_refetch_without_operations_is_obeyed_as_well() {
    let world = World::new();
    let core = half_sent(&world).await;
    core.sync.now().await.unwrap();
    world.server.forget_seen();
    world.server.account(|account| account.forget_cursors());
    core.sync.now().await.unwrap();
    let cursors: Vec<_> = world.server.syncs().into_iter().map(|sync| sync.sync.unwrap().cursor).collect();
    assert_eq!((cursors.len(), cursors[1].clone()), (2, None));
    whole(&core).await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_cursor_is_forgotten_and_nothing_else() {
    for status in [409, 410] {
        let world = World::new();
        let core = half_sent(&world).await;
        world.server.then(refusal(status, codes::CURSOR_INVALID, None));
        let report = core.sync.now().await.unwrap();
        assert_eq!((report.sent, report.waiting), (2, 0));
        let syncs = world.server.syncs();
        assert_eq!((syncs.len(), syncs[1].sync.as_ref().unwrap().cursor.clone()), (2, None));
        assert_eq!(syncs[0].ids(), syncs[1].ids());
        whole(&core).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_every_cursor_is_not_asked_for_ever() {
    let rules: [fn() -> Fault; 2] = [
        || refusal(410, codes::CURSOR_INVALID, None),
        || {
            edit(|response| {
                response.control.push(MUST_REFETCH.into());
                response.cursor = None;
            })
        },
    ];
    for rule in rules {
        let world = World::new();
        world.server.always(move |_| rule());
        let core = world.open_automatic().await;
        settle().await;
        vote(&core, 1, VoteChoice::Safe).await;
        pass(MINUTE).await;
        let tries = world.server.syncs().len();
        assert!(tries <= 130, "{tries} requests in a minute");
        assert_eq!(own_vote(&core, 1).await, Some(VoteChoice::Safe));
    }
}

#[tokio::test(start_paused = true)]
async fn a_plain_server_takes_what_it_does_not_call_a_conflict() {
    let world = World::new();
    let core = world.open().await;
    for number in 0..3 {
        vote(&core, number, VoteChoice::Safe).await;
    }
    core.scans.record(NewScan::of(link(1))).await.unwrap();
    let queued = operations(&core).await;
    let answer = json!({ "conflicts": [queued[0].id.to_string(), { "id": queued[2].id.to_string(), "mine": 1 }, 17] });
    world.server.then(body(true, answer.to_string()));
    let report = core.sync.now().await.unwrap();
    assert_eq!((report.sent, report.parked, report.plain_server), (2, 2, true));
    assert_eq!(health(&core), (ServiceState::Degraded, HealthCause::PlainServer));
    let left = operations(&core).await;
    assert_eq!(left.iter().map(|left| left.id).collect::<Vec<_>>(), [queued[0].id, queued[2].id]);
    for left in &left {
        assert_eq!((left.state, left.parked_reason), (OperationState::Parked, Some(ParkedReason::Rejected)));
    }
    assert_eq!(world.server.syncs().len(), 1, "there is nothing to fetch");
    assert!(!core.votes.mine(code(1), None).await.unwrap().unwrap().pending);

    core.sync.now().await.unwrap();
    assert_eq!(health(&core), HEALTHY, "it learnt the protocol");
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_this_protocol_that_is_broken_is_not_taken_for_a_plain_one() {
    let world = World::new();
    let core = world.open().await;
    vote(&core, 1, VoteChoice::Safe).await;
    for text in [
        r#"{"protocol":1,"conflicts":[]}"#,
        r#"{"protocol":1,"serverTime":5}"#,
        r#"{"protocol":null,"conflicts":null}"#,
        r#"{"conflicts":{}}"#,
        r#"{"conflicts":[],"protocol":"1","serverTime":5}"#,
    ] {
        world.server.then(body(true, text));
        assert!(matches!(core.sync.now().await, Err(Error::NoServer { .. })), "{text}");
        assert_eq!(operations(&core).await.len(), 1, "{text}");
        pass(MINUTE).await;
    }
}
