//! A server that means harm, or is broken in ways that nobody thought of: it costs a bounded number of requests, and
//! nothing else.

use safescan_core::{
    engine::Core,
    model::{OperationId, OperationState, UnixMillis, VoteChoice},
    protocol::{Limits, OperationResult, Outcome, SyncResponse},
};
use serde_json::json;

use crate::{
    server::{Fault, body, edit},
    world::{MINUTE, World, code, hash, operations, own_vote, pass, settle, vote},
};

/// Lets a server do its worst for a minute, and then behave; tells how many requests that minute took.
async fn endure(worst: impl Fn(usize) -> Fault + Send + 'static) -> usize {
    let world = World::new();
    let core = world.open_automatic().await;
    settle().await;
    vote(&core, 1, VoteChoice::Safe).await;
    vote(&core, 2, VoteChoice::Unsafe).await;
    let (core, requests) = suffer(&world, core, worst).await;
    assert_eq!(own_vote(&core, 1).await, Some(VoteChoice::Safe));
    assert_eq!(own_vote(&core, 2).await, Some(VoteChoice::Unsafe));
    requests
}

async fn suffer(
    world: &World,
    core: std::sync::Arc<Core>,
    worst: impl Fn(usize) -> Fault + Send + 'static,
) -> (std::sync::Arc<Core>, usize) {
    world.server.forget_seen();
    let mut number = 0;
    world.server.always(move |seen| {
        if !seen.is_sync() {
            return Fault::None;
        }
        number += 1;
        worst(number)
    });
    pass(MINUTE).await;
    let requests = world.server.syncs().len();
    world.server.oblige();
    pass(10 * MINUTE).await;
    assert!(operations(&core).await.is_empty(), "what waits is sent when it can be");
    (core, requests)
}

fn doing(what: impl Fn(&mut SyncResponse, usize) + Clone + Send + 'static) -> impl Fn(usize) -> Fault + Send + 'static {
    move |number| {
        let what = what.clone();
        edit(move |response| what(response, number))
    }
}

fn stranger(number: usize) -> OperationResult {
    let mut id = [0xee; 16];
    id[..8].copy_from_slice(&number.to_le_bytes());
    OperationResult { id: OperationId(id), outcome: Outcome::Applied { at: UnixMillis(5), rev: None } }
}

#[tokio::test(start_paused = true)]
async fn results_of_what_was_never_sent_mean_nothing() {
    let requests = endure(doing(|response, _| response.results.extend((0..500).map(stranger)))).await;
    assert!(requests <= 3, "{requests}");
}

#[tokio::test(start_paused = true)]
async fn results_that_are_missing_leave_operations_where_they_are() {
    let requests = endure(doing(|response, _| response.results.clear())).await;
    assert!((3..=30).contains(&requests), "{requests}");
}

#[tokio::test(start_paused = true)]
async fn a_status_that_is_not_known_leaves_operations_where_they_are() {
    let requests = endure(doing(|response, _| {
        response.results.iter_mut().for_each(|result| result.outcome = Outcome::Unknown);
    }))
    .await;
    assert!((3..=30).contains(&requests), "{requests}");
}

#[tokio::test(start_paused = true)]
async fn one_that_is_never_decided_does_not_hold_up_others_nor_is_it_tried_for_ever() {
    let world = World::new();
    let core = world.open_automatic().await;
    settle().await;
    vote(&core, 1, VoteChoice::Safe).await;
    let never = operations(&core).await[0].id;
    world.server.account(|account| {
        account.decide(move |operation| (operation.id == never).then_some(Outcome::Unknown));
    });
    pass(10 * MINUTE).await;
    vote(&core, 2, VoteChoice::Safe).await;
    pass(2 * MINUTE).await;
    assert_eq!(operations(&core).await.iter().map(|operation| operation.id).collect::<Vec<_>>(), [never]);
    world.server.forget_seen();
    pass(24 * 60 * MINUTE).await;
    let tries = world.server.syncs().len();
    assert!(tries <= 120, "{tries} tries in a day");
    assert_eq!(operations(&core).await[0].state, OperationState::Pending);
}

#[tokio::test(start_paused = true)]
async fn the_same_page_again_and_again_is_fetched_once() {
    let requests = endure(doing(|response, _| {
        (response.has_more, response.cursor) = (true, Some("5".into()));
    }))
    .await;
    assert!(requests <= 10, "{requests}");
}

#[tokio::test(start_paused = true)]
async fn pages_without_end_are_read_with_a_breath_in_between() {
    let requests = endure(doing(|response, number| {
        (response.has_more, response.cursor) = (true, Some(number.to_string()));
    }))
    .await;
    // Two hundred in a run, and a second in between.
    assert!(requests <= 61 * 200, "{requests}");
    let idle = endure(doing(|response, _| {
        (response.has_more, response.cursor) = (true, None);
    }))
    .await;
    assert!(idle <= 10, "{idle}");
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_results_are_not_read() {
    let requests = endure(doing(|response, _| response.results.extend((0..100_000).map(stranger)))).await;
    assert!((2..=30).contains(&requests), "{requests}");
}

#[tokio::test(start_paused = true)]
async fn answers_too_deep_or_too_full_are_not_read() {
    let texts = [
        format!("{}{}", "[".repeat(500_000), "]".repeat(500_000)),
        format!(r#"{{"conflicts":[],"protocol":1,"serverTime":5,"x":{}{}}}"#, "[".repeat(100), "]".repeat(100)),
        format!(r#"{{"conflicts":[],"x":[{}0]}}"#, "0,".repeat(400_000)),
        format!(r#"{{"conflicts":[],"protocol":1,"serverTime":5,"x":[{}0]}}"#, "{},".repeat(300_000)),
    ];
    for text in texts {
        let requests = endure(move |_| body(true, text.clone())).await;
        assert!((3..=30).contains(&requests), "{requests}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_huge_cursor_is_not_sent_back() {
    let world = World::new();
    let core = world.open_automatic().await;
    settle().await;
    vote(&core, 1, VoteChoice::Safe).await;
    let worst = doing(|response, _| response.cursor = Some("c".repeat(900_000)));
    suffer(&world, core, worst).await;
    assert!(world.server.syncs().iter().all(|sync| sync.bytes < 64 * 1024));
}

#[tokio::test(start_paused = true)]
async fn times_from_the_ends_of_time_are_borne() {
    for time in [i64::MIN, -1, 0, i64::MAX] {
        let world = World::new();
        let core = world.open_automatic().await;
        settle().await;
        vote(&core, 1, VoteChoice::Safe).await;
        let worst = doing(move |response, _| {
            response.server_time = UnixMillis(time);
            for result in &mut response.results {
                result.outcome = Outcome::Applied { at: UnixMillis(time), rev: Some(time) };
            }
        });
        world.server.always(move |seen| if seen.is_sync() { worst(1) } else { Fault::None });
        pass(MINUTE).await;
        vote(&core, 1, VoteChoice::Unsafe).await;
        vote(&core, 2, VoteChoice::Safe).await;
        pass(MINUTE).await;
        core.ratings.ratings(vec![code(1), code(2)]).await.unwrap();
        world.server.oblige();
        core.sync.now().await.unwrap();
        pass(MINUTE).await;
        // From here on everything is as it should be.
        vote(&core, 1, VoteChoice::Safe).await;
        vote(&core, 3, VoteChoice::Safe).await;
        pass(MINUTE).await;
        assert!(operations(&core).await.is_empty(), "{time}");
        let stands = |number| {
            world.server.account(|account| {
                account.standing().iter().any(|(code, _, choice)| (*code, *choice) == (hash(number), VoteChoice::Safe))
            })
        };
        assert!(stands(3), "{time}");
        assert!(stands(1), "{time}");
        let now = world.server.account(|account| account.now());
        let shown = core.votes.mine(code(3), None).await.unwrap().unwrap();
        assert!((now.0 - shown.voted_at.0).abs() <= 3 * MINUTE, "{time}");
    }
}

#[tokio::test(start_paused = true)]
async fn limits_that_let_nothing_through_are_not_believed() {
    for (max_ops, max_bytes) in [(0, 0), (0, u32::MAX), (u32::MAX, 0), (u32::MAX, u32::MAX)] {
        let requests = endure(doing(move |response, _| {
            response.limits = Limits { max_ops, max_bytes, min_interval_ms: 0 };
        }))
        .await;
        assert!(requests <= 5, "{requests}");
    }
}

#[tokio::test(start_paused = true)]
async fn results_that_contradict_each_other_settle_an_operation_once() {
    let requests = endure(doing(|response, _| {
        let again = response.results.clone();
        response.results.extend(
            again
                .into_iter()
                .map(|result| OperationResult { outcome: Outcome::Deferred { retry_after_ms: 1 }, ..result }),
        );
    }))
    .await;
    assert!(requests <= 3, "{requests}");
}

#[tokio::test(start_paused = true)]
async fn a_page_that_is_too_full_is_asked_for_in_smaller_pieces() {
    let world = World::new();
    let core = world.open_automatic().await;
    world.server.account(|account| {
        for number in 0..6 {
            account.setting_elsewhere(&format!("of a later version {number}"), json!(vec![0; 20_000]));
        }
        account.setting_elsewhere("notifications", false.into());
    });
    pass(10 * MINUTE).await;
    assert!(!core.settings.read().await.unwrap().notifications, "it comes in the end");
}
