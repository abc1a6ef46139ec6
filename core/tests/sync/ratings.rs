//! What the community thinks, as a phone shows it: the server's sums, its own votes in them exactly once, and no word of
//! what a person merely looks at.

use std::time::Duration;

use safescan_core::{
    engine::Core,
    model::{CodeRef, Event, NewVote, OperationState, Rating, RatingSource, UnixMillis, VoteChoice},
    net::Failure,
    protocol::{self, RatingsResponse},
    voting::Score,
};

use crate::{
    server::{Fault, json, refusal},
    world::{
        DAY, HOUR, MINUTE, MORNING, SECOND, World, YEAR, code, events, hash, host, link, pass, retract, settle, vote,
    },
};

async fn rating(core: &Core, number: usize) -> Rating {
    core.ratings.rating(code(number)).await.unwrap()
}

async fn on_host(core: &Core, number: usize) -> Rating {
    core.ratings.rating(CodeRef::Hash { qr_hash: host(number) }).await.unwrap()
}

fn votes(rating: &Rating) -> (u32, u32) {
    (rating.safe_votes, rating.unsafe_votes)
}

/// Strangers' votes on a code, spread over the last days.
fn strangers(world: &World, number: usize, safe: i64, not: i64) {
    world.server.account(|account| {
        let now = account.now();
        for day in 0..safe {
            account.stranger_votes(hash(number), VoteChoice::Safe, now.minus(day * DAY + 17));
        }
        for day in 0..not {
            account.stranger_votes(hash(number), VoteChoice::Unsafe, now.minus(day * DAY + 4_711));
        }
    });
}

#[tokio::test(start_paused = true)]
async fn a_look_up_names_four_digits_and_no_more() {
    let world = World::new();
    let core = world.open().await;
    strangers(&world, 1, 2, 1);
    let found = rating(&core, 1).await;
    assert_eq!((votes(&found), found.source), ((2, 1), RatingSource::Live));
    let look_ups = world.server.look_ups();
    assert_eq!(look_ups.len(), 1);
    assert_eq!(look_ups[0].prefix(), &hash(1).to_string()[..4]);
    let query = look_ups[0].path.split_once('?').unwrap().1;
    assert!(query.starts_with("device=") && !query.contains('&'), "{query}");
    assert_eq!(world.server.syncs().len(), 0, "a look-up is no run");
}

#[tokio::test(start_paused = true)]
async fn what_is_private_is_never_looked_up() {
    let world = World::new();
    let core = world.open().await;
    for text in ["WIFI:S:home;P:secret;;", "BEGIN:VCARD\nFN:Me\nEND:VCARD", "otpauth://totp/x?secret=ABC", "just text"]
    {
        let found = core.ratings.rating(CodeRef::text(text)).await.unwrap();
        assert_eq!((votes(&found), found.source), ((0, 0), RatingSource::Neutral), "{text}");
        core.ratings.watch(&[CodeRef::text(text)]).unwrap();
    }
    assert_eq!(world.server.seen().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_fresh_is_not_looked_up_again_within_a_minute() {
    let world = World::new();
    let core = world.open().await;
    strangers(&world, 1, 1, 0);
    for _ in 0..6 {
        assert_eq!(rating(&core, 1).await.source, RatingSource::Live);
        pass(14 * SECOND).await;
    }
    assert_eq!(world.server.look_ups().len(), 2, "at 0 s and at 70 s");
    core.ratings.ratings(vec![code(1), code(1), code(2)]).await.unwrap();
    let after = world.server.look_ups();
    assert!(after.len() <= 4, "one beginning is looked up once in a call");
}

#[tokio::test(start_paused = true)]
async fn where_nobody_voted_the_rating_is_neutral() {
    let world = World::new();
    let core = world.open().await;
    let found = rating(&core, 1).await;
    assert_eq!((votes(&found), found.source, found.confidence), ((0, 0), RatingSource::Neutral, 0.5));
}

#[tokio::test(start_paused = true)]
async fn sources_say_how_good_a_rating_is() {
    let world = World::new();
    let core = world.open().await;
    strangers(&world, 1, 3, 1);
    assert_eq!(rating(&core, 1).await.source, RatingSource::Live);
    world.server.always(|_| Fault::Fail(Failure::Offline));
    pass(2 * MINUTE).await;
    let cached = rating(&core, 1).await;
    assert_eq!((votes(&cached), cached.source), ((3, 1), RatingSource::Cached));
    core.shutdown().await.unwrap();

    let core = world.open().await;
    assert_eq!(rating(&core, 1).await.source, RatingSource::Cached, "after a restart, too");
    // Past the 27 days of the oldest vote nobody but the server knows which votes to clamp.
    pass(26 * DAY).await;
    let stale = rating(&core, 1).await;
    assert_eq!((votes(&stale), stale.source), ((3, 1), RatingSource::Stale));
    world.server.oblige();
    pass(MINUTE).await;
    assert_eq!(rating(&core, 1).await.source, RatingSource::Live);
}

#[tokio::test(start_paused = true)]
async fn an_own_vote_counts_once_at_every_moment_of_its_way() {
    let world = World::new();
    let core = world.open().await;
    strangers(&world, 1, 2, 0);
    let all = async |safe, not, moment: &str| {
        assert_eq!(votes(&rating(&core, 1).await), (safe, not), "{moment}");
        // Strangers named no host: the own vote is the only one on it.
        let on_host = on_host(&core, 1).await;
        assert_eq!(votes(&on_host), (safe - 2, not), "on the host, {moment}");
    };
    all(2, 0, "before").await;
    vote(&core, 1, VoteChoice::Unsafe).await;
    all(2, 1, "not sent").await;
    world.server.then(Fault::Fail(Failure::Interrupted));
    core.sync.now().await.expect_err("it does not arrive");
    all(2, 1, "lost on the way there").await;
    world.server.then(Fault::LoseAnswer(Failure::Interrupted));
    core.sync.now().await.expect_err("no answer");
    pass(MINUTE).await;
    all(2, 1, "counted by the server, and the answer lost").await;
    assert_eq!(world.server.account(|account| account.tally(hash(1)).count()), 3);
    core.sync.now().await.unwrap();
    all(2, 1, "settled").await;
    pass(MINUTE).await;
    all(2, 1, "looked up again").await;

    vote(&core, 1, VoteChoice::Safe).await;
    all(3, 0, "changed, not sent").await;
    world.server.then(Fault::LoseAnswer(Failure::TimedOut));
    core.sync.now().await.expect_err("no answer");
    pass(MINUTE).await;
    retract(&core, 1).await;
    all(2, 0, "taken back while the change may have arrived").await;
    core.sync.now().await.unwrap();
    all(2, 0, "settled").await;
    pass(MINUTE).await;
    all(2, 0, "looked up again").await;
}

#[tokio::test(start_paused = true)]
async fn an_own_vote_counts_once_while_it_is_in_flight() {
    let world = World::new();
    let core = world.open().await;
    strangers(&world, 1, 2, 0);
    vote(&core, 1, VoteChoice::Unsafe).await;
    world.server.set_latency(Duration::from_secs(2));
    let (report, ()) = tokio::join!(core.sync.now(), async {
        // The server counts it after two seconds, and its answer is there after four.
        pass(2_500).await;
        world.server.set_latency(Duration::from_millis(100));
        assert_eq!(votes(&rating(&core, 1).await), (2, 1));
        assert_eq!(crate::world::operations(&core).await[0].state, OperationState::InFlight);
    });
    assert_eq!(report.unwrap().sent, 1);
    assert_eq!(votes(&rating(&core, 1).await), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn several_people_on_one_phone_count_once_each() {
    let world = World::new();
    for unlinkable in [false, true] {
        let core = world.open_with(|config| config.unlinkable_votes = unlinkable).await;
        let number = 10 + usize::from(unlinkable);
        for (person, choice) in [("ann", VoteChoice::Safe), ("bob", VoteChoice::Unsafe), ("eve", VoteChoice::Safe)] {
            let vote = NewVote { user_id: Some(person.into()), ..NewVote::of(link(number), choice) };
            core.votes.submit(vote).await.unwrap();
            assert!(rating(&core, number).await.total_votes > 0);
        }
        assert_eq!(votes(&rating(&core, number).await), (2, 1));
        world.server.then(Fault::LoseAnswer(Failure::Interrupted));
        core.sync.now().await.expect_err("no answer");
        pass(MINUTE).await;
        assert_eq!(votes(&rating(&core, number).await), (2, 1));
        core.sync.now().await.unwrap();
        pass(MINUTE).await;
        assert_eq!((votes(&rating(&core, number).await), votes(&on_host(&core, number).await)), ((2, 1), (2, 1)));
        core.shutdown().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_phone_and_the_server_compute_the_same_to_the_last_bit() {
    for off in [0, 3 * YEAR, -3 * YEAR, 12_345] {
        let world = World::new();
        world.clock.turn(off);
        let core = world.open().await;
        strangers(&world, 1, 40, 3);
        core.sync.now().await.unwrap();
        vote(&core, 1, VoteChoice::Unsafe).await;
        core.sync.now().await.unwrap();
        for wait in [0, 7 * SECOND, 5 * MINUTE, 11 * HOUR, 3 * DAY + 1] {
            pass(wait).await;
            let shown = rating(&core, 1).await;
            let there = world.server.account(|account| {
                let tally = account.tally(hash(1));
                Score::new(tally.weights(account.now()), tally.count())
            });
            assert_eq!((votes(&shown), shown.source), ((40, 4), RatingSource::Live));
            let bits = |a: f64, b: f64, c: f64, d: f64| [a, b, c, d].map(f64::to_bits);
            assert_eq!(
                bits(shown.confidence, shown.lower, shown.upper, shown.effective_votes),
                bits(there.confidence, there.lower, there.upper, there.effective_votes),
                "after {wait} ms, with a clock {off} ms off"
            );
            assert_eq!(shown.assessment, there.assessment);
        }
    }
}

fn answer(ratings: Vec<protocol::Rating>, server_time: UnixMillis) -> Fault {
    Fault::Answer(json(&RatingsResponse { ratings, server_time, next: None }))
}

#[tokio::test(start_paused = true)]
async fn an_older_word_never_takes_the_place_of_a_newer_one() {
    let world = World::new();
    let core = world.open().await;
    strangers(&world, 1, 1, 0);
    let older = world.server.account(|account| account.rating(hash(1)));
    strangers(&world, 1, 3, 0);
    assert_eq!(votes(&rating(&core, 1).await), (4, 0));
    pass(MINUTE).await;
    world.server.then_on_look_up(answer(vec![older], MORNING));
    assert_eq!(votes(&rating(&core, 1).await), (4, 0));
    core.shutdown().await.unwrap();
    let core = world.open().await;
    world.server.then_on_look_up(Fault::Fail(Failure::Offline));
    assert_eq!(votes(&rating(&core, 1).await), (4, 0), "after a restart, too");
}

#[tokio::test(start_paused = true)]
async fn ratings_that_cannot_be_are_passed_over_and_those_beside_them_are_not() {
    let world = World::new();
    let core = world.open().await;
    strangers(&world, 1, 2, 1);
    let sound = world.server.account(|account| account.rating(hash(1)));
    let spoils: [fn(&mut protocol::Rating); 6] = [
        |rating| rating.safe.n = i64::MAX,
        |rating| rating.safe.count = u32::MAX,
        |rating| rating.safe.s = i128::MAX,
        |rating| rating.unsafe_.c = -1,
        |rating| rating.newest = None,
        |rating| rating.exact_until = Some(UnixMillis(i64::MAX)),
    ];
    for spoil in spoils {
        let mut bad = protocol::Rating { rev: i64::MAX, ..sound.clone() };
        spoil(&mut bad);
        // Nobody asked for this one.
        let other = protocol::Rating { qr_hash: hash(2), ..sound.clone() };
        world.server.then_on_look_up(answer(vec![bad, sound.clone(), other], MORNING));
        assert_eq!(votes(&rating(&core, 1).await), (2, 1));
        pass(MINUTE).await;
    }
    world.server.then_on_look_up(answer(Vec::new(), MORNING));
    assert_eq!(votes(&rating(&core, 2).await), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_reader_waits_three_seconds_and_then_gets_what_is_known() {
    let world = World::new();
    let core = world.open().await;
    strangers(&world, 1, 2, 0);
    rating(&core, 1).await;
    pass(2 * MINUTE).await;
    world.server.then_on_look_up(Fault::Silence);
    let before = world.server.elapsed();
    let found = rating(&core, 1).await;
    assert_eq!((votes(&found), found.source), ((2, 0), RatingSource::Cached));
    assert_eq!(world.server.elapsed() - before, 3_000);
}

#[tokio::test(start_paused = true)]
async fn watched_codes_are_told_of_when_the_server_counts_others() {
    let world = World::new();
    let core = world.open().await;
    core.ratings.watch(&[code(1)]).unwrap();
    core.sync.now().await.unwrap();
    strangers(&world, 1, 1, 0);
    strangers(&world, 2, 1, 0);
    events(&core).await;
    core.sync.now().await.unwrap();
    let topics = world.server.syncs().last().unwrap().sync.as_ref().unwrap().topics.clone();
    assert_eq!(topics, [hash(1).to_string()[..4].to_owned()]);
    let changed: Vec<_> = events(&core)
        .await
        .into_iter()
        .filter_map(|event| match event {
            Event::RatingChanged { rating } => Some((rating.qr_hash, votes(&rating))),
            _ => None,
        })
        .collect();
    assert_eq!(changed, [(hash(1), (1, 0))]);
}

#[tokio::test(start_paused = true)]
async fn the_server_hears_of_no_private_code_that_is_watched() {
    let world = World::new();
    let core = world.open().await;
    let private = CodeRef::text("WIFI:T:WPA;S:Guest;P:secret;;");
    core.ratings.watch(&[private.clone(), code(1)]).unwrap();
    core.sync.now().await.unwrap();
    let topics = || world.server.syncs().last().unwrap().sync.as_ref().unwrap().topics.clone();
    assert_eq!(topics(), [hash(1).to_string()[..4].to_owned()]);
    core.ratings.unwatch(&[private, code(1)]).unwrap();
    core.sync.now().await.unwrap();
    assert!(topics().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_vote_is_shown_as_soon_as_it_is_cast_wherever_others_stand() {
    let world = World::new();
    let core = world.open().await;
    strangers(&world, 1, 5, 0);
    rating(&core, 1).await;
    let outcome = core.votes.submit(NewVote::of(link(1), VoteChoice::Unsafe)).await.unwrap();
    let safescan_core::model::VoteOutcome::Accepted { rating: shown } = outcome else { panic!("{outcome:?}") };
    assert_eq!((votes(&shown), shown.own_vote), ((5, 1), Some(VoteChoice::Unsafe)));
    let cached = core.ratings.cached(&code(1)).unwrap().unwrap();
    assert_eq!(votes(&cached), (5, 1));
}

#[tokio::test(start_paused = true)]
async fn look_ups_leave_a_server_alone_that_asks_for_it() {
    let world = World::new();
    let core = world.open().await;
    world.server.then_on_look_up(refusal(429, "rate_limited", Some(120_000)));
    rating(&core, 1).await;
    for number in 2..6 {
        rating(&core, number).await;
        settle().await;
    }
    assert_eq!(world.server.look_ups().len(), 1);
    pass(2 * MINUTE).await;
    rating(&core, 1).await;
    assert_eq!(world.server.look_ups().len(), 2);
}
