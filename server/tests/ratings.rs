//! Ratings: the sums that devices get are those of all votes, whatever happened to them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must stop")]

mod support;

use std::collections::BTreeMap;

use safescan_core::{
    model::{DAY_MS, QrHash, UnixMillis, VoteChoice, VoterId},
    voting::LINE_MS,
};
use serde_json::json;
use support::{
    Server,
    device::{Device, code, counts, now, own, ratings, statuses, tally_of, voter},
};

const HOSTS: u32 = 3;
const CODES: u32 = 12;

fn host(number: u32) -> QrHash {
    code(0xf000_0000 + number)
}

/// What every voter has on every subject, kept the simplest way: by going through everything.
#[derive(Default)]
struct Model {
    /// By code and voter: which way, since when, and the place that breaks ties.
    registers: BTreeMap<(QrHash, VoterId), (Option<VoteChoice>, i64, i64)>,
}

impl Model {
    fn put(&mut self, code: QrHash, voter: VoterId, choice: Option<VoteChoice>, at: i64, seq: i64) {
        let standing = self.registers.get(&(code, voter));
        if standing.is_none_or(|(_, old, place)| (*old, *place) < (at, seq)) {
            self.registers.insert((code, voter), (choice, at, seq));
        }
    }

    /// What counts on a code or host.
    fn votes(&self, subject: QrHash) -> Vec<(VoteChoice, i64)> {
        let mut by_voter: BTreeMap<VoterId, (VoteChoice, i64)> = BTreeMap::new();
        for ((code, voter), (choice, at, _)) in &self.registers {
            let Some(choice) = choice else { continue };
            let is_of_host = code.0[0] == 0 && host(u32::from(code.0[3]) % HOSTS) == subject;
            let latest = by_voter.get(voter).is_none_or(|(_, known)| known < at);
            if is_of_host && latest {
                by_voter.insert(*voter, (*choice, *at));
            }
        }
        for ((code, voter), (choice, at, _)) in &self.registers {
            if let Some(choice) = choice.filter(|_| *code == subject) {
                by_voter.insert(*voter, (choice, *at));
            }
        }
        by_voter.into_values().collect()
    }
}

async fn expect_exact(device: &Device, model: &Model) {
    let subjects = (0..CODES).map(code).chain((0..HOSTS).map(host));
    for subject in subjects {
        let Some(rating) = device.rating(subject).await else {
            assert!(model.votes(subject).is_empty());
            continue;
        };
        let sent = rating.tally().expect("devices accept it");
        let mut exact = tally_of(&model.votes(subject), rating.watermark);
        assert_eq!((sent.safe, sent.unsafe_, sent.newest), (exact.safe, exact.unsafe_, exact.newest));
        assert_eq!(sent.exact_until, exact.exact_until);
        // At this moment no vote lies in the wrong drawer.
        exact.set_watermark(sent.watermark);
        assert_eq!(sent.crossing(UnixMillis(now())).watermark(), None, "the line was moved before sending");
    }
}

#[tokio::test]
async fn sums_are_those_of_all_votes_exactly() {
    let server = Server::start();
    let start = now() - 60 * DAY_MS;
    let mut devices: Vec<Device> = (0..4).map(|number| server.device(&format!("device-{number}"))).collect();
    let (mut model, mut random) = (Model::default(), 12_345_u64);
    let mut draw = |below: u32| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((random >> 33) % u64::from(below)).unwrap()
    };
    for round in 0..25 {
        for (number, device) in devices.iter_mut().enumerate() {
            let mut operations = Vec::new();
            for _ in 0..12 {
                // Each device has three voters; times lie anywhere in the last sixty days, in no order.
                let voter = voter(u32::try_from(number).unwrap() * 3 + draw(3));
                let at =
                    start + i64::from(draw(u32::MAX / 2) % 5_184_000) * 1000 % (60 * DAY_MS) + i64::from(draw(1000));
                let (number, seq) = (draw(CODES), device.next);
                let (subject, of_host) =
                    if draw(6) == 0 { (host(draw(HOSTS)), None) } else { (code(number), Some(host(number % HOSTS))) };
                let choice = [Some(VoteChoice::Safe), Some(VoteChoice::Unsafe), None][draw(3) as usize];
                let word = if choice == Some(VoteChoice::Safe) { "safe" } else { "unsafe" };
                operations.push(match (choice, of_host) {
                    (None, _) => device.retract(subject, voter, at),
                    (Some(_), Some(of_host)) => device.vote_with_host(subject, of_host, voter, word, at),
                    (Some(_), None) => device.vote(subject, voter, word, at),
                });
                model.put(subject, voter, choice, at, seq);
            }
            device.send(&operations).await;
        }
        if round % 6 == 0 {
            expect_exact(&devices[0], &model).await;
        }
    }
    expect_exact(&devices[0], &model).await;
    let server = server.kill_and_restart();
    expect_exact(&server.device("device-0"), &model).await;
}

#[tokio::test]
async fn a_host_s_register_follows_the_latest_standing_vote() {
    let server = Server::start();
    let (mut device, at, me) = (server.device("d"), now() - 10_000, voter(1));
    let on_host = |answer: &safescan_core::protocol::SyncResponse| {
        let rating = ratings(&answer.changes).into_iter().find(|rating| rating.qr_hash == host(0)).unwrap().clone();
        (counts(&rating), rating.own)
    };
    let first = device.vote_with_host(code(1), host(0), me, "safe", at);
    assert_eq!(on_host(&device.send(&[first]).await), ((1, 0), vec![own(me, Some(VoteChoice::Safe), at)]));
    let second = device.vote_with_host(code(2), host(0), me, "unsafe", at + 10);
    assert_eq!(on_host(&device.send(&[second]).await), ((0, 1), vec![own(me, Some(VoteChoice::Unsafe), at + 10)]));
    let older = device.vote_with_host(code(3), host(0), me, "safe", at + 5);
    assert_eq!(on_host(&device.send(&[older]).await).0, (0, 1), "the latest, not the last that came");
    let retracted = device.retract(code(2), me, at + 20);
    assert_eq!(on_host(&device.send(&[retracted]).await), ((1, 0), vec![own(me, Some(VoteChoice::Safe), at + 5)]));
    // What is said of the host itself outranks what follows from its codes, later or not.
    let direct = device.vote(host(0), me, "unsafe", at);
    assert_eq!(on_host(&device.send(&[direct]).await), ((0, 1), vec![own(me, Some(VoteChoice::Unsafe), at)]));
    let later = device.vote_with_host(code(4), host(0), me, "safe", at + 30);
    assert_eq!(on_host(&device.send(&[later]).await).0, (0, 1));
    let back = device.retract(host(0), me, at + 40);
    assert_eq!(on_host(&device.send(&[back]).await), ((1, 0), vec![own(me, Some(VoteChoice::Safe), at + 30)]));
    let all = [
        device.retract(code(1), me, at + 50),
        device.retract(code(3), me, at + 50),
        device.retract(code(4), me, at + 60),
    ];
    assert_eq!(on_host(&device.send(&all).await), ((0, 0), vec![own(me, None, at + 60)]), "taken out, and told so");
}

#[tokio::test]
async fn a_vote_that_moves_to_another_host_leaves_the_first() {
    let server = Server::start();
    let (mut device, at) = (server.device("d"), now() - 10_000);
    let first = device.vote_with_host(code(1), host(0), voter(1), "safe", at);
    device.send(&[first]).await;
    let moved = device.vote_with_host(code(1), host(1), voter(1), "safe", at + 1);
    device.send(&[moved]).await;
    assert_eq!(counts(&device.rating(host(0)).await.unwrap()), (0, 0));
    assert_eq!(counts(&device.rating(host(1)).await.unwrap()), (1, 0));
    let nowhere = device.vote(code(1), voter(1), "safe", at + 2);
    device.send(&[nowhere]).await;
    assert_eq!(counts(&device.rating(host(1)).await.unwrap()), (0, 0));
}

#[tokio::test]
async fn old_votes_are_clamped_before_they_are_sent() {
    let server = Server::start();
    let (mut device, now) = (server.device("d"), now());
    let votes: Vec<_> = [40, 28, 26, 1]
        .iter()
        .zip(1..)
        .map(|(days, person)| device.vote(code(1), voter(person), "safe", now - days * DAY_MS))
        .collect();
    let answer = device.send(&votes).await;
    let rating = ratings(&answer.changes)[0];
    assert_eq!((rating.safe.count, rating.safe.n, rating.safe.c), (4, 2000, 2000));
    assert_eq!(rating.newest, Some(UnixMillis(now - DAY_MS)));
    assert_eq!(rating.exact_until, Some(UnixMillis(now - 26 * DAY_MS + LINE_MS)));
    assert!(rating.watermark.is_some());
}

#[tokio::test]
async fn a_code_without_votes_is_zeros() {
    let server = Server::start();
    let mut device = server.device("d");
    assert!(device.rating(code(1)).await.is_none(), "nobody ever voted");
    let retracted = device.retract(code(1), voter(1), now() - 1000);
    let answer = device.send(&[retracted]).await;
    let rating = serde_json::to_value(ratings(&answer.changes)[0]).unwrap();
    assert_eq!(rating["safe"], json!({ "count": 0, "n": 0, "s": "0", "c": 0 }));
    assert_eq!(
        (&rating["newest"], &rating["watermark"], &rating["exactUntil"]),
        (&json!(null), &json!(null), &json!(null))
    );
}

#[tokio::test]
async fn look_ups_come_in_pages() {
    let server = Server::start();
    let (mut device, at) = (server.device("d"), now() - 1_000_000);
    for batch in 0..8 {
        let votes: Vec<_> = (0..200)
            .map(|number| device.vote(code(0xabcd_0000 + batch * 200 + number), voter(1), "safe", at))
            .collect();
        assert!(statuses(&device.send(&votes).await).iter().all(|status| status == "applied"));
    }
    let found: Vec<QrHash> = device.look_up("abcd").await.iter().map(|rating| rating.qr_hash).collect();
    assert_eq!(found, (0..1600).map(|number| code(0xabcd_0000 + number)).collect::<Vec<_>>());
    assert_eq!(device.look_up("abcd0001").await.len(), 1);
    assert_eq!(device.look_up("ABCD000").await.len(), 16);
    assert!(device.look_up("abce").await.is_empty());
    for bad in ["a", "xy", &"a".repeat(65), "abcd?next=7"] {
        let response = server.client.get(format!("{}/api/ratings/prefix/{bad}", server.base)).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 400, "{bad}");
    }
}
