//! What waits on the device: its names, its order, what is merged and what is not.

use safescan_core::{
    model::{NetworkState, NewScan, OperationKind, OperationState, SettingsUpdate, VoteChoice},
    net::Failure,
    protocol::{Outcome, kind_name},
};

use crate::{
    server::Fault,
    world::{HEALTHY, World, events, hash, health, link, operations, own_vote, pass, retract, settle, vote},
};

#[tokio::test(start_paused = true)]
async fn what_was_done_offline_is_sent_once_and_in_order_when_the_network_returns() {
    let world = World::new();
    let core = world.open_automatic().await;
    core.sync.set_network(NetworkState::Offline);
    settle().await;
    world.server.forget_seen();

    vote(&core, 1, VoteChoice::Safe).await;
    let scan = core.scans.record(NewScan::of(link(2))).await.unwrap();
    core.settings.update(SettingsUpdate { notifications: Some(false), ..SettingsUpdate::default() }).await.unwrap();
    vote(&core, 3, VoteChoice::Unsafe).await;
    let queued = operations(&core).await;
    let kinds: Vec<_> = queued.iter().map(|operation| operation.kind).collect();
    assert_eq!(
        kinds,
        [OperationKind::VoteSet, OperationKind::ScanPut, OperationKind::SettingPut, OperationKind::VoteSet]
    );
    pass(60_000).await;
    assert_eq!(world.server.seen().len(), 0, "nothing is tried offline");

    core.sync.set_network(NetworkState::Online);
    settle().await;
    let syncs = world.server.syncs();
    assert_eq!(syncs.len(), 1);
    let sent = &syncs[0].operations;
    assert_eq!(syncs[0].ids(), queued.iter().map(|operation| operation.id).collect::<Vec<_>>());
    assert!(sent.windows(2).all(|pair| pair[0].seq < pair[1].seq));
    assert_eq!(syncs[0].sync.as_ref().unwrap().oldest_pending, Some(sent[0].seq));
    for (sent, queued) in sent.iter().zip(&queued) {
        assert_eq!((sent.kind.as_str(), sent.at), (kind_name(queued.kind), queued.created_at));
    }
    assert!(operations(&core).await.is_empty());
    assert_eq!(health(&core), HEALTHY);
    let kept = world.server.account(|account| (account.standing().len(), account.scans(), account.history.len()));
    assert_eq!(kept, (2, vec![scan.id.to_string()], 4));
    assert_eq!(world.server.account(|account| account.setting("notifications")), Some(false.into()));

    pass(60_000).await;
    assert_eq!(world.server.syncs().len(), 1, "and not again");
}

#[tokio::test(start_paused = true)]
async fn names_and_places_stay_the_same_however_often_they_are_sent() {
    let world = World::new();
    let core = world.open_automatic().await;
    settle().await;
    world.server.forget_seen();
    for failure in [Failure::Interrupted, Failure::Offline, Failure::TimedOut] {
        world.server.then(Fault::Fail(failure));
    }
    vote(&core, 1, VoteChoice::Safe).await;
    let queued = operations(&core).await;
    pass(60_000).await;
    let syncs = world.server.syncs();
    assert_eq!(syncs.len(), 4);
    for sync in &syncs {
        assert_eq!(sync.ids(), [queued[0].id]);
        let same = |at: usize| syncs[at].operations[0].clone();
        let (sent, first) = (sync.operations[0].clone(), same(0));
        assert_eq!((sent.seq, sent.at, sent.body.get()), (first.seq, first.at, first.body.get()));
    }
    assert!(operations(&core).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn places_go_on_where_the_outbox_was_emptied() {
    let world = World::new();
    let core = world.open().await;
    vote(&core, 1, VoteChoice::Safe).await;
    core.sync.now().await.unwrap();
    vote(&core, 2, VoteChoice::Safe).await;
    core.sync.now().await.unwrap();
    let syncs = world.server.syncs();
    assert!(syncs[0].operations[0].seq < syncs[1].operations[0].seq);
    assert_eq!(syncs[0].sync.as_ref().unwrap().device, syncs[1].sync.as_ref().unwrap().device);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_costs_a_repetition_and_nothing_else() {
    for failure in [Failure::Interrupted, Failure::TimedOut] {
        let world = World::new();
        let core = world.open().await;
        vote(&core, 1, VoteChoice::Safe).await;
        core.scans.record(NewScan::of(link(1))).await.unwrap();
        let ids: Vec<_> = operations(&core).await.iter().map(|operation| operation.id).collect();
        world.server.then(Fault::LoseAnswer(failure));
        core.sync.now().await.expect_err("the answer is lost");
        assert_eq!(operations(&core).await.len(), 2);

        let report = core.sync.now().await.unwrap();
        assert_eq!((report.sent, report.waiting), (2, 0));
        let syncs = world.server.syncs();
        assert_eq!(syncs[0].ids(), ids);
        // After a failure in smaller portions.
        assert_eq!(syncs[1..].iter().flat_map(crate::server::Seen::ids).collect::<Vec<_>>(), ids);
        let effects = world.server.account(|account| account.effects.values().copied().collect::<Vec<_>>());
        assert_eq!(effects, [1, 1]);
        assert!(operations(&core).await.is_empty());
        let happened = format!("{:?}", events(&core).await);
        assert!(!happened.contains("Superseded") && !happened.contains("Parked"), "{happened}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_what_was_never_tried_is_merged() {
    let world = World::new();
    let core = world.open().await;
    vote(&core, 1, VoteChoice::Safe).await;
    vote(&core, 1, VoteChoice::Unsafe).await;
    let merged = operations(&core).await;
    assert_eq!(merged.len(), 1, "two votes are the last one");

    vote(&core, 2, VoteChoice::Safe).await;
    retract(&core, 2).await;
    assert_eq!(operations(&core).await, merged, "a vote and its retraction are nothing");

    world.server.then(Fault::Fail(Failure::Offline));
    core.sync.now().await.expect_err("offline");
    vote(&core, 1, VoteChoice::Safe).await;
    let both = operations(&core).await;
    assert_eq!(both.len(), 2, "the first may have arrived");
    retract(&core, 1).await;
    let last = operations(&core).await;
    assert_eq!(last.len(), 2, "the second was not tried");
    assert_eq!((last[0].id, last[1].kind), (both[0].id, OperationKind::VoteRetract));
    assert_ne!(last[1].id, both[1].id, "another change has another name");

    core.sync.now().await.unwrap();
    assert_eq!(world.server.account(|account| account.standing()), []);
    assert_eq!((own_vote(&core, 1).await, operations(&core).await.len()), (None, 0));
}

#[tokio::test(start_paused = true)]
async fn a_change_made_while_an_earlier_one_is_on_its_way_is_sent_after_it() {
    let world = World::new();
    let core = world.open().await;
    vote(&core, 1, VoteChoice::Safe).await;
    world.server.set_latency(std::time::Duration::from_secs(2));
    let (report, ()) = tokio::join!(core.sync.now(), async {
        pass(1_000).await;
        assert_eq!(operations(&core).await[0].state, OperationState::InFlight);
        vote(&core, 1, VoteChoice::Unsafe).await;
        assert_eq!(operations(&core).await.len(), 2);
    });
    assert_eq!(report.unwrap().sent, 2, "in the same run");
    let sent: Vec<_> = world.server.syncs().iter().map(|sync| sync.operations.len()).collect();
    assert_eq!(sent, [1, 1]);
    assert_eq!(world.server.account(|account| account.standing()[0].2), VoteChoice::Unsafe);
    assert_eq!(own_vote(&core, 1).await, Some(VoteChoice::Unsafe));
}

#[tokio::test(start_paused = true)]
async fn while_one_is_deferred_later_ones_of_its_register_wait_and_others_do_not() {
    let world = World::new();
    let core = world.open().await;
    vote(&core, 1, VoteChoice::Safe).await;
    let deferred = operations(&core).await[0].id;
    world.server.account(|account| {
        let mut once = Some(Outcome::Deferred { retry_after_ms: 30_000 });
        account.decide(move |_| once.take());
    });
    let report = core.sync.now().await.unwrap();
    assert_eq!((report.deferred, report.waiting), (1, 1));

    vote(&core, 1, VoteChoice::Unsafe).await;
    vote(&core, 2, VoteChoice::Safe).await;
    let report = core.sync.now().await.unwrap();
    assert_eq!((report.sent, report.waiting), (1, 2));
    assert_eq!(world.server.syncs()[1].operations[0].key, hash(2).to_string());

    pass(30_000).await;
    let report = core.sync.now().await.unwrap();
    assert_eq!((report.sent, report.waiting), (2, 0));
    let syncs = world.server.syncs();
    assert_eq!(syncs[2].ids(), [deferred], "the earlier one first, and alone");
    assert_eq!(syncs[3].operations[0].key, hash(1).to_string());
    assert_eq!(own_vote(&core, 1).await, Some(VoteChoice::Unsafe));
}
