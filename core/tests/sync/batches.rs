//! How much goes into a request, and how what nobody takes is found among what everybody takes.

use safescan_core::{
    model::{Event, NewScan, OperationState, ParkedReason, VoteChoice},
    protocol::Limits,
};

use crate::{
    server::status,
    server::{Fault, Seen},
    world::{HEALTHY, World, events, health, link, operations, vote},
};

async fn vote_on(core: &safescan_core::engine::Core, codes: std::ops::Range<usize>) {
    for number in codes {
        vote(core, number, VoteChoice::Safe).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_holds_as_many_operations_as_the_server_takes() {
    let world = World::new();
    let core = world.open().await;
    world.server.account(|account| account.limits = Limits { max_ops: 10, ..account.limits });
    vote_on(&core, 0..75).await;
    assert_eq!(core.sync.now().await.unwrap().sent, 75);
    let sizes: Vec<_> = world.server.syncs().iter().map(|sync| sync.operations.len()).collect();
    assert_eq!(sizes, [50, 10, 10, 5], "what a server takes that says nothing, then what it says");
    let order: Vec<_> = world.server.syncs().iter().flat_map(Seen::ids).collect();
    assert_eq!(world.server.account(|account| account.history.clone()), order);
}

#[tokio::test(start_paused = true)]
async fn a_request_is_no_larger_than_the_server_takes() {
    let world = World::new();
    let core = world.open().await;
    world.server.account(|account| account.limits = Limits { max_bytes: 16 * 1024, ..account.limits });
    core.sync.now().await.unwrap();
    world.server.forget_seen();
    for number in 0..10 {
        let text = format!("{}?{}", link(number), "x".repeat(4_000));
        core.scans.record(NewScan::of(text)).await.unwrap();
    }
    assert_eq!(core.sync.now().await.unwrap().sent, 10);
    let syncs = world.server.syncs();
    assert!(syncs.iter().all(|sync| sync.bytes <= 16 * 1024), "{:?}", syncs.iter().map(|s| s.bytes));
    assert!(syncs.len() <= 5, "{} requests for 40 KiB", syncs.len());
}

#[tokio::test(start_paused = true)]
async fn what_can_never_fit_is_parked_and_does_not_hold_up_others() {
    let world = World::new();
    let core = world.open().await;
    world.server.account(|account| account.limits = Limits { max_bytes: 8 * 1024, ..account.limits });
    core.sync.now().await.unwrap();
    let scan = NewScan { metadata: Some("x".repeat(8 * 1024)), ..NewScan::of(link(1)) };
    core.scans.record(scan).await.unwrap();
    vote(&core, 2, VoteChoice::Safe).await;
    let large = operations(&core).await[0].id;
    events(&core).await;

    let report = core.sync.now().await.unwrap();
    assert_eq!((report.sent, report.parked, report.waiting), (1, 1, 0));
    let left = operations(&core).await;
    assert_eq!((left.len(), left[0].id, left[0].state), (1, large, OperationState::Parked));
    assert_eq!((left[0].parked_reason, left[0].attempts), (Some(ParkedReason::Poison), 0));
    assert!(events(&core).await.contains(&Event::OperationParked { id: large, reason: ParkedReason::Poison }));
    assert!(world.server.syncs().iter().all(|sync| !sync.ids().contains(&large)), "it was never sent");
    let oldest = world.server.syncs().last().unwrap().sync.as_ref().unwrap().oldest_pending;
    assert!(oldest.is_some(), "what is parked counts as not settled");
}

#[tokio::test(start_paused = true)]
async fn the_one_that_the_server_does_not_understand_is_found_and_parked() {
    for (refusal, reason) in [(400, ParkedReason::Schema), (422, ParkedReason::Schema), (413, ParkedReason::Poison)] {
        for place in [0, 1, 24, 49] {
            let world = World::new();
            let core = world.open().await;
            vote_on(&core, 0..50).await;
            let bad = operations(&core).await[place].id;
            world.server.always(move |seen| if seen.ids().contains(&bad) { status(refusal) } else { Fault::None });
            events(&core).await;

            let report = core.sync.now().await.unwrap();
            assert_eq!((report.sent, report.parked, report.waiting), (49, 1, 0), "{refusal} at {place}");
            let left = operations(&core).await;
            assert_eq!((left.len(), left[0].id, left[0].parked_reason), (1, bad, Some(reason)));
            assert!(events(&core).await.contains(&Event::OperationParked { id: bad, reason }));
            let effects = world.server.account(|account| account.effects.clone());
            assert!(effects.len() == 49 && effects.values().all(|times| *times == 1), "each once");
            // Down by halves, up by doubles: three for each halving of fifty, and one without any operation.
            let requests = world.server.syncs().len();
            assert!(requests <= 20, "{requests} requests for {refusal} at {place}");
            assert_eq!(health(&core), HEALTHY);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn several_bad_ones_are_all_found() {
    let world = World::new();
    let core = world.open().await;
    vote_on(&core, 0..40).await;
    let all = operations(&core).await;
    let bad: Vec<_> = [3, 4, 17, 39].iter().map(|at: &usize| all[*at].id).collect();
    let refused = bad.clone();
    world.server.always(
        move |seen| {
            if seen.ids().iter().any(|id| refused.contains(id)) { status(400) } else { Fault::None }
        },
    );
    let report = core.sync.now().await.unwrap();
    assert_eq!((report.sent, report.parked), (36, 4));
    assert_eq!(operations(&core).await.iter().map(|operation| operation.id).collect::<Vec<_>>(), bad);
    let requests = world.server.syncs().len();
    assert!(requests <= 4 * 20, "{requests} requests");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_understands_nothing_parks_nothing() {
    let world = World::new();
    let core = world.open().await;
    vote_on(&core, 0..50).await;
    world.server.always(|_| status(400));
    core.sync.now().await.expect_err("not even the empty request");
    let left = operations(&core).await;
    assert!(left.iter().all(|operation| operation.state == OperationState::Pending), "it is not about them");
    assert!(world.server.syncs().len() <= 10);
    world.server.oblige();
    assert_eq!(core.sync.now().await.unwrap().sent, 50);
}
