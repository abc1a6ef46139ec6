//! Tokens, versions, refusals: what only a person can mend is told, kept, and gone on with once it is mended.

use safescan_core::{
    error::Error,
    model::{Event, HealthCause, OperationState, ParkedReason, ServiceState, Token, VoteChoice},
    protocol::{Outcome, Refusal, UPGRADE_REQUIRED},
};

use crate::{
    server::{Fault, Seen, edit, refusal, status},
    world::{HEALTHY, HOUR, MINUTE, World, events, health, link, operations, own_vote, pass, settle, vote},
};

fn token(text: &str) -> Option<Token> {
    Some(Token::new(text).unwrap())
}

/// Lets only requests with this token through.
fn only(wanted: &'static str, code: u16) -> impl FnMut(&Seen) -> Fault + Send + 'static {
    move |seen| match (seen.token.as_deref() == Some(wanted), code) {
        (true, _) => Fault::None,
        (false, 403) => refusal(403, "auth", None),
        (false, code) => status(code),
    }
}

fn wanted(events: &[Event]) -> usize {
    events.iter().filter(|event| **event == Event::TokenWanted).count()
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_asked_for_once_and_nothing_is_sent_before_it_comes() {
    for code in [401, 403] {
        let world = World::new();
        world.server.always(only("good", code));
        let core = world.open_automatic().await;
        vote(&core, 1, VoteChoice::Safe).await;
        settle().await;
        assert_eq!(wanted(&events(&core).await), 1);
        assert_eq!(health(&core), (ServiceState::Unavailable, HealthCause::Unauthorized));
        world.server.forget_seen();
        vote(&core, 2, VoteChoice::Safe).await;
        pass(HOUR).await;
        assert_eq!(world.server.seen().len(), 0, "nothing is tried with a token that was refused");
        assert_eq!(core.sync.now().await, Err(Error::Unauthorized), "whoever asks is told");
        assert_eq!(wanted(&events(&core).await), 0, "once is enough");
        assert!(operations(&core).await.iter().all(|operation| operation.state == OperationState::Pending));

        core.sync.set_token(token("good")).await.unwrap();
        settle().await;
        assert_eq!((operations(&core).await.len(), health(&core)), (0, HEALTHY));
        assert_eq!(world.server.account(|account| account.standing().len()), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_refusal_parks_everything_and_the_next_token_sets_it_free() {
    let world = World::new();
    world.server.always(only("good", 401));
    let core = world.open_automatic().await;
    settle().await;
    vote(&core, 1, VoteChoice::Safe).await;
    vote(&core, 2, VoteChoice::Unsafe).await;
    events(&core).await;
    core.sync.set_token(token("bad")).await.unwrap();
    settle().await;

    let parked = operations(&core).await;
    assert_eq!(parked.len(), 2);
    let happened = events(&core).await;
    for operation in &parked {
        assert_eq!((operation.state, operation.parked_reason), (OperationState::Parked, Some(ParkedReason::Auth)));
        assert!(happened.contains(&Event::OperationParked { id: operation.id, reason: ParkedReason::Auth }));
    }
    assert_eq!(wanted(&happened), 1, "the app is asked again");
    world.server.forget_seen();
    pass(HOUR).await;
    assert_eq!(world.server.seen().len(), 0);

    core.sync.set_token(token("good")).await.unwrap();
    settle().await;
    assert_eq!((operations(&core).await.len(), health(&core)), (0, HEALTHY));
    assert_eq!(world.server.account(|account| account.history.clone()), [parked[0].id, parked[1].id]);

    // From here on it is as if nothing had been: a refusal asks once again.
    world.server.always(only("newer", 401));
    vote(&core, 3, VoteChoice::Safe).await;
    settle().await;
    assert_eq!(wanted(&events(&core).await), 1);
    assert_eq!(operations(&core).await[0].state, OperationState::Pending);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_comes_while_an_older_one_is_refused_leaves_nothing_parked() {
    let world = World::new();
    world.server.always(only("good", 401));
    let core = world.open_automatic().await;
    vote(&core, 1, VoteChoice::Safe).await;
    settle().await;
    world.server.set_latency(std::time::Duration::from_secs(1));
    core.sync.set_token(token("bad")).await.unwrap();
    pass(500).await;
    core.sync.set_token(token("good")).await.unwrap();
    pass(MINUTE).await;
    assert_eq!((operations(&core).await.len(), health(&core)), (0, HEALTHY));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_laid_to_the_token_that_was_shown() {
    let world = World::new();
    world.server.always(only("good", 401));
    world.server.set_latency(std::time::Duration::from_secs(1));
    let core = world.open_automatic().await;
    vote(&core, 1, VoteChoice::Safe).await;
    // The first request is on its way without a token.
    pass(500).await;
    core.sync.set_token(token("good")).await.unwrap();
    pass(MINUTE).await;
    assert_eq!((operations(&core).await.len(), health(&core)), (0, HEALTHY));
    assert_eq!(wanted(&events(&core).await), 0, "it was given before anybody had to ask");
}

#[tokio::test(start_paused = true)]
async fn whoever_only_reads_is_asked_for_another_token_as_well() {
    let world = World::new();
    let core = world.open_automatic().await;
    core.sync.set_token(token("one")).await.unwrap();
    settle().await;
    world.server.always(only("other", 401));
    for number in 0..3 {
        let rating = core.ratings.rating(crate::world::code(number)).await.unwrap();
        assert_eq!(rating.source, safescan_core::model::RatingSource::Neutral);
        settle().await;
    }
    assert_eq!(wanted(&events(&core).await), 1, "once");
    assert_eq!(health(&core), (ServiceState::Unavailable, HealthCause::Unauthorized));
    core.sync.set_token(token("other")).await.unwrap();
    settle().await;
    assert_eq!(health(&core), HEALTHY);
    let looked_up = world.server.look_ups().len();
    core.ratings.rating(crate::world::code(7)).await.unwrap();
    assert_eq!(world.server.look_ups().len(), looked_up + 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_taken_after_all_may_be_refused_again() {
    let world = World::new();
    let core = world.open_automatic().await;
    core.sync.set_token(token("one")).await.unwrap();
    settle().await;
    for round in 0..3 {
        world.server.always(only("other", 401));
        vote(&core, round, VoteChoice::Safe).await;
        settle().await;
        assert_eq!(wanted(&events(&core).await), 1, "{round}");
        world.server.oblige();
        core.sync.now().await.unwrap();
        assert_eq!((operations(&core).await.len(), health(&core)), (0, HEALTHY), "{round}");
    }
}

#[tokio::test(start_paused = true)]
async fn parked_for_a_token_survives_a_restart() {
    let world = World::new();
    world.server.always(only("good", 401));
    let core = world.open_automatic().await;
    vote(&core, 1, VoteChoice::Safe).await;
    settle().await;
    core.sync.set_token(token("bad")).await.unwrap();
    settle().await;
    assert_eq!(operations(&core).await[0].state, OperationState::Parked);
    core.shutdown().await.unwrap();

    let core = world.open_automatic().await;
    core.sync.set_token(token("good")).await.unwrap();
    settle().await;
    assert!(operations(&core).await.is_empty());
    assert_eq!(own_vote(&core, 1).await, Some(VoteChoice::Safe));
}

#[tokio::test(start_paused = true)]
async fn a_version_too_old_keeps_its_changes_and_goes_on_reading() {
    let world = World::new();
    let core = world.open().await;
    core.sync.now().await.unwrap();
    vote(&core, 1, VoteChoice::Safe).await;
    world.server.then(status(426));
    core.sync.now().await.expect_err("too old");
    assert_eq!(health(&core), (ServiceState::Degraded, HealthCause::UpgradeRequired));
    let parked = operations(&core).await;
    assert_eq!((parked.len(), parked[0].parked_reason), (1, Some(ParkedReason::Schema)));
    assert!(events(&core).await.contains(&Event::OperationParked { id: parked[0].id, reason: ParkedReason::Schema }));

    vote(&core, 2, VoteChoice::Safe).await;
    world.server.account(|account| account.setting_elsewhere("notifications", false.into()));
    world.server.forget_seen();
    core.sync.now().await.unwrap();
    assert!(world.server.syncs().iter().all(|sync| sync.operations.is_empty()), "nothing is sent");
    assert!(!core.settings.read().await.unwrap().notifications, "but read");
    assert_eq!(health(&core), (ServiceState::Degraded, HealthCause::UpgradeRequired), "it is not well again by that");
    assert_eq!(operations(&core).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_retry_is_tried_whatever_the_server_said_of_the_version() {
    let world = World::new();
    let core = world.open().await;
    core.sync.now().await.unwrap();
    vote(&core, 1, VoteChoice::Safe).await;
    vote(&core, 2, VoteChoice::Safe).await;
    world.server.then(status(426));
    core.sync.now().await.expect_err("too old");
    let parked = operations(&core).await;
    assert!(core.operations.retry(parked[0].id).await.unwrap());
    world.server.then(status(426));
    world.server.forget_seen();
    core.sync.now().await.expect_err("still too old");
    let tried = |seen: Vec<crate::server::Seen>| seen.iter().map(|sync| sync.operations.len()).sum::<usize>();
    assert_eq!(tried(world.server.syncs()), 1, "once");
    assert!(operations(&core).await.iter().all(|parked| parked.parked_reason == Some(ParkedReason::Schema)));

    // The server takes it after all.
    assert!(core.operations.retry(parked[0].id).await.unwrap());
    assert_eq!(core.sync.now().await.unwrap().sent, 1);
    assert_eq!(health(&core), HEALTHY);
    assert_eq!(operations(&core).await.len(), 1, "the other one stays where it is");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_an_upgrade_is_read_to_the_end() {
    let world = World::new();
    let core = world.open().await;
    world.server.account(|account| {
        account.page = 2;
        for number in 0..7 {
            account.scan_elsewhere(&format!("{number:016x}"), Some(scan_body(number)));
        }
    });
    vote(&core, 1, VoteChoice::Safe).await;
    vote(&core, 2, VoteChoice::Safe).await;
    world.server.then(edit(|response| {
        response.control.push(UPGRADE_REQUIRED.into());
        response.results.clear();
    }));
    drop(core.sync.now().await);
    assert_eq!(health(&core), (ServiceState::Degraded, HealthCause::UpgradeRequired));
    let parked = operations(&core).await;
    assert!(parked.len() == 2 && parked.iter().all(|parked| parked.parked_reason == Some(ParkedReason::Schema)));
    assert_eq!(core.statistics().await.unwrap().scans, 7, "reading goes on");
    core.sync.now().await.unwrap();
    assert_eq!(health(&core), (ServiceState::Degraded, HealthCause::UpgradeRequired));
    core.shutdown().await.unwrap();

    // The app itself is not newer: what is parked stays parked, what is new is tried.
    let core = world.open().await;
    vote(&core, 3, VoteChoice::Safe).await;
    core.sync.now().await.unwrap();
    assert_eq!((operations(&core).await.len(), health(&core)), (2, HEALTHY));
    for operation in operations(&core).await {
        assert!(core.operations.retry(operation.id).await.unwrap());
    }
    assert_eq!(core.sync.now().await.unwrap().waiting, 0);
}

fn scan_body(number: usize) -> serde_json::Value {
    serde_json::json!({ "text": link(number), "verdict": "safe" })
}

#[tokio::test(start_paused = true)]
async fn what_is_rejected_waits_for_the_app() {
    let world = World::new();
    let core = world.open().await;
    vote(&core, 1, VoteChoice::Safe).await;
    vote(&core, 2, VoteChoice::Safe).await;
    let rejected = operations(&core).await[0].id;
    let refuse = |code: &'static str| {
        move |operation: &safescan_core::protocol::Operation| {
            let error = Refusal { code: code.into(), detail: "Nobody's business\u{7}".into() };
            (operation.id == rejected).then_some(Outcome::Rejected { error })
        }
    };
    world.server.account(|account| account.decide(refuse("voting_not_allowed")));
    events(&core).await;
    let report = core.sync.now().await.unwrap();
    assert_eq!((report.sent, report.parked, report.waiting), (1, 1, 0));
    assert!(events(&core).await.contains(&Event::OperationParked { id: rejected, reason: ParkedReason::Rejected }));
    let parked = operations(&core).await;
    assert_eq!((parked.len(), parked[0].parked_reason), (1, Some(ParkedReason::Rejected)));
    assert_eq!(parked[0].last_error.as_deref(), Some("voting_not_allowed"));
    assert_eq!(health(&core), HEALTHY, "one operation is no illness");
    core.sync.now().await.unwrap();
    assert!(world.server.syncs()[1..].iter().all(|sync| sync.operations.is_empty()));

    // A code that is no word of the protocol is not shown.
    world.server.account(|account| account.decide(refuse("<b>Call +1 900 now</b>")));
    assert!(core.operations.retry(rejected).await.unwrap());
    core.sync.now().await.unwrap();
    assert_eq!(operations(&core).await[0].last_error.as_deref(), Some("rejected"));

    world.server.account(|account| account.verdict = None);
    assert!(core.operations.retry(rejected).await.unwrap());
    assert_eq!(core.sync.now().await.unwrap().sent, 1);
    assert_eq!(world.server.account(|account| account.standing().len()), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_discarded_is_gone() {
    let world = World::new();
    let core = world.open().await;
    vote(&core, 1, VoteChoice::Safe).await;
    let id = operations(&core).await[0].id;
    world.server.account(|account| {
        account.decide(|_| {
            Some(Outcome::Rejected { error: Refusal { code: "voter_taken".into(), detail: String::new() } })
        });
    });
    core.sync.now().await.unwrap();
    assert!(core.operations.discard(id).await.unwrap());
    assert!(!core.operations.discard(id).await.unwrap());
    world.server.account(|account| account.verdict = None);
    world.server.forget_seen();
    core.sync.now().await.unwrap();
    let sync = world.server.syncs()[0].sync.clone().unwrap();
    assert_eq!((sync.data.len(), sync.oldest_pending), (0, None));
}

#[tokio::test(start_paused = true)]
async fn an_answer_about_what_was_discarded_meanwhile_concerns_nobody() {
    let world = World::new();
    let core = world.open().await;
    vote(&core, 1, VoteChoice::Safe).await;
    let id = operations(&core).await[0].id;
    world.server.set_latency(std::time::Duration::from_secs(1));
    let (report, ()) = tokio::join!(core.sync.now(), async {
        pass(500).await;
        assert!(core.operations.discard(id).await.unwrap());
    });
    assert_eq!((report.unwrap().waiting, operations(&core).await.len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn without_a_token_in_the_core_requests_carry_none() {
    let world = World::new();
    let core = world.open().await;
    core.sync.now().await.unwrap();
    core.sync.set_token(token("one")).await.unwrap();
    core.sync.now().await.unwrap();
    core.sync.set_token(None).await.unwrap();
    core.sync.now().await.unwrap();
    let tokens: Vec<_> = world.server.syncs().into_iter().map(|sync| sync.token).collect();
    assert_eq!(tokens, [None, Some("one".to_owned()), None]);
}

#[tokio::test(start_paused = true)]
async fn a_core_without_a_server_says_so() {
    let world = World::new();
    let core = world.open_alone().await;
    assert!(matches!(core.sync.now().await, Err(Error::Invalid { field: "sync", .. })));
    assert!(matches!(core.sync.set_token(None).await, Err(Error::Invalid { field: "sync", .. })));
}
