//! What every database must do, whichever it is. A new implementation adds one line at the end.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must stop")]

mod support;

use std::{path::Path, sync::Arc};

use safescan_core::{
    model::{DAY_MS, OperationId, QrHash, UnixMillis, VoteChoice},
    protocol::{Change, Outcome, Rating},
    voting::LINE_MS,
};
use safescan_server::{
    rules::{Account, Action, Applied, Batch, Command, Item, ItemKind, VoteLimits},
    storage::{ChangesAsk, ChangesPage, Prefix, PrefixAsk, RatingsAsk, Storage, sqlite::Sqlite},
};
use support::device::{code, tally_of, voter};

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
const FREE: VoteLimits = VoteLimits {
    voter_per_minute: 0,
    account_per_minute: 0,
    changes_per_code: 0,
    voter_per_day: 0,
    account_per_day: 0,
};

type Open = fn(&Path) -> Arc<dyn Storage>;

fn account() -> Account {
    Account::of_device("d")
}

fn item(seq: i64, at: UnixMillis, action: Action) -> Item {
    let mut id = [7; 16];
    id[..8].copy_from_slice(&seq.to_be_bytes());
    Item { id: OperationId(id), key: String::new(), command: Command { seq, at, action } }
}

fn vote(seq: i64, number: u32, person: u32, choice: Option<VoteChoice>, at: UnixMillis) -> Item {
    item(seq, at, Action::Vote { code: code(number), voter: voter(person), choice, host: None })
}

fn scan(seq: i64, key: &str) -> Item {
    let body = Some(r#"{"text":"t","verdict":"safe"}"#.to_owned());
    item(seq, NOW, Action::Put { kind: ItemKind::Scan, key: key.into(), body })
}

fn batch(items: Vec<Item>, now: UnixMillis) -> Batch {
    let oldest_pending = items.first().map(|item| item.command.seq);
    Batch { account: account(), device: "d".into(), oldest_pending, items, now, limits: FREE }
}

async fn apply(storage: &dyn Storage, items: Vec<Item>, now: UnixMillis) -> Applied {
    storage.apply(batch(items, now)).await.unwrap()
}

async fn changes(storage: &dyn Storage, cursor: Option<String>, limit: usize) -> ChangesPage {
    let ask = ChangesAsk {
        account: account(),
        cursor,
        topics: Vec::new(),
        named: Vec::new(),
        limit,
        max_bytes: 100_000,
        now: NOW,
    };
    storage.changes(ask).await.unwrap()
}

async fn rating(storage: &dyn Storage, hash: QrHash, now: UnixMillis) -> Option<Rating> {
    let ask = RatingsAsk { account: Some(account()), hashes: vec![hash], now };
    storage.ratings(ask).await.unwrap().pop()
}

async fn what_is_answered_is_there_after_opening_again(open: Open, directory: &Path) {
    let storage = open(directory);
    let applied = apply(&*storage, vec![vote(1, 1, 1, Some(VoteChoice::Safe), NOW), scan(2, "s")], NOW).await;
    let before = (rating(&*storage, code(1), NOW).await, changes(&*storage, None, 10).await);
    storage.stop().await.unwrap();
    assert!(storage.apply(batch(vec![scan(3, "t")], NOW)).await.is_err(), "it is closed");
    let storage = open(directory);
    let after = (rating(&*storage, code(1), NOW).await, changes(&*storage, None, 10).await);
    assert_eq!((before.0, before.1.changes, before.1.cursor), (after.0, after.1.changes, after.1.cursor));
    let again = apply(&*storage, vec![vote(1, 1, 1, Some(VoteChoice::Safe), NOW)], NOW).await;
    let Outcome::Applied { at, rev } = applied.results[0].outcome else { panic!() };
    assert_eq!(again.results[0].outcome, Outcome::Duplicate { of: "applied".into(), at, rev });
    let new = apply(&*storage, vec![scan(9, "u")], NOW).await;
    assert!(
        matches!(new.results[0].outcome, Outcome::Applied { rev: Some(new), .. } if Some(new) > rev),
        "revisions grow on"
    );
}

async fn cursors_bring_everything_once_in_order(open: Open, directory: &Path) {
    let storage = open(directory);
    for seq in 0..20 {
        let items = vec![
            scan(2 * seq, &format!("s{seq}")),
            vote(2 * seq + 1, u32::try_from(seq).unwrap() % 7, 1, Some(VoteChoice::Safe), NOW.plus(seq)),
        ];
        apply(&*storage, items, NOW.plus(100)).await;
    }
    let rev = |change: &Change| match change {
        Change::Rating(rating) => rating.rev,
        Change::Vote(vote) => vote.rev,
        Change::Scan(scan) => scan.rev,
        other => panic!("{other:?}"),
    };
    for limit in [1, 3, 100] {
        let (mut cursor, mut revs) = (None, Vec::new());
        loop {
            let page = changes(&*storage, cursor, limit).await;
            assert!(page.changes.len() <= limit);
            revs.extend(page.changes.iter().map(rev));
            cursor = page.cursor;
            if !page.has_more {
                break;
            }
        }
        assert_eq!(revs.len(), 20 + 7 + 7, "scans, registers and ratings as they stand");
        assert!(revs.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(changes(&*storage, cursor, limit).await.changes.is_empty());
    }
}

async fn batches_at_once_do_not_mix(open: Open, directory: &Path) {
    let storage = open(directory);
    let mut tasks = Vec::new();
    for task in 0..16_u32 {
        let storage = Arc::clone(&storage);
        tasks.push(tokio::spawn(async move {
            for step in 0..20_i64 {
                let device = format!("device-{task}");
                let items = vec![vote(
                    step,
                    1,
                    100 + task,
                    [Some(VoteChoice::Safe), Some(VoteChoice::Unsafe)][usize::try_from(step % 2).unwrap()],
                    NOW.plus(step),
                )];
                let batch = Batch { account: Account::of_device(&device), device, ..batch(items, NOW.plus(100)) };
                storage.apply(batch).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let rating = rating(&*storage, code(1), NOW.plus(100)).await.unwrap();
    let exact = tally_of(&[(VoteChoice::Unsafe, NOW.0 + 19); 16], None);
    assert_eq!(rating.tally(), Some(exact));
    let figures = storage.probe().await.unwrap();
    assert_eq!(figures.batches, 320);
    assert!(figures.commits < figures.batches, "{figures:?}: what waits together is committed together");
}

async fn votes_cross_the_line_by_themselves_and_back(open: Open, directory: &Path) {
    let storage = open(directory);
    let votes: Vec<Item> = (0..30_i64)
        .map(|day| vote(day, 1, u32::try_from(day).unwrap(), Some(VoteChoice::Safe), NOW.plus(day * DAY_MS)))
        .collect();
    let end = NOW.plus(30 * DAY_MS);
    apply(&*storage, votes, end).await;
    let cast: Vec<_> = (0..30).map(|day| (VoteChoice::Safe, NOW.0 + day * DAY_MS)).collect();
    // Forwards, twice at each moment so that what was stored is read, and then the clock goes back.
    for days in [30, 31, 31, 45, 45, 90, 90, 31, 31, 57] {
        let now = NOW.plus(days * DAY_MS);
        let rating = rating(&*storage, code(1), now).await.unwrap();
        let tally = rating.tally().unwrap();
        assert_eq!(tally.crossing(now).watermark(), None, "{days} days");
        assert_eq!(tally, tally_of(&cast, rating.watermark), "{days} days");
        let clamped = cast.iter().filter(|(_, at)| UnixMillis(*at) <= tally.line_at(now)).count();
        assert!(tally.safe.c <= 1000 * clamped as i128, "{days} days");
    }
    let retracted = vote(99, 1, 3, None, NOW.plus(57 * DAY_MS));
    apply(&*storage, vec![retracted], NOW.plus(57 * DAY_MS)).await;
    let left: Vec<_> = cast.iter().copied().filter(|(_, at)| *at != NOW.0 + 3 * DAY_MS).collect();
    let rating = rating(&*storage, code(1), NOW.plus(57 * DAY_MS)).await.unwrap();
    assert_eq!(rating.tally().unwrap(), tally_of(&left, rating.watermark));
    assert_eq!(
        rating.exact_until,
        left.iter().map(|(_, at)| UnixMillis(*at)).find(|at| Some(*at) > rating.watermark).map(|at| at.plus(LINE_MS))
    );
}

async fn prefixes_are_ranges(open: Open, directory: &Path) {
    let storage = open(directory);
    let numbers = [0x0fff_ffff, 0x1000_0000, 0x1000_ffff, 0x1001_0000, 0x10ff_ffff, 0x1100_0000];
    let votes =
        numbers.iter().zip(1..).map(|(number, seq)| vote(seq, *number, 1, Some(VoteChoice::Safe), NOW)).collect();
    apply(&*storage, votes, NOW).await;
    for (prefix, expected) in
        [("10", &numbers[1..5]), ("1000", &numbers[1..3]), ("1000ffff", &numbers[2..3]), ("12", &[])]
    {
        for max_bytes in [1, 100_000] {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let prefix = Prefix::parse(prefix).unwrap();
                let ask = PrefixAsk { account: None, prefix, after, max_bytes, now: NOW };
                let page = storage.ratings_by_prefix(ask).await.unwrap();
                found.extend(page.ratings.iter().map(|rating| rating.qr_hash));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(found, expected.iter().map(|number| code(*number)).collect::<Vec<_>>(), "{prefix} {max_bytes}");
        }
    }
}

async fn a_request_without_operations_costs_no_commit(open: Open, directory: &Path) {
    let storage = open(directory);
    apply(&*storage, vec![scan(1, "s")], NOW).await;
    let commits = async || storage.probe().await.unwrap().commits;
    let before = commits().await;
    let empty = |oldest_pending| Batch { oldest_pending, ..batch(Vec::new(), NOW) };
    storage.apply(empty(Some(1))).await.unwrap();
    assert_eq!(commits().await, before);
    storage.apply(empty(None)).await.unwrap();
    assert_eq!(commits().await, before + 1, "the floor rose");
    storage.apply(empty(None)).await.unwrap();
    assert_eq!(commits().await, before + 1);
    let stranger = Batch { account: Account::of_device("e"), device: "e".into(), ..empty(None) };
    storage.apply(stranger).await.unwrap();
    assert_eq!(commits().await, before + 1, "who only reads leaves no trace");
}

macro_rules! behaviours {
    ($implementation:ident, $open:expr, [$($behaviour:ident),* $(,)?]) => {
        mod $implementation {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $behaviour() {
                    let directory = tempfile::tempdir().unwrap();
                    super::$behaviour($open, directory.path()).await;
                }
            )*
        }
    };
}

behaviours!(
    sqlite,
    |directory| std::sync::Arc::new(super::Sqlite::open(directory).unwrap()),
    [
        what_is_answered_is_there_after_opening_again,
        cursors_bring_everything_once_in_order,
        batches_at_once_do_not_mix,
        votes_cross_the_line_by_themselves_and_back,
        prefixes_are_ranges,
        a_request_without_operations_costs_no_commit,
    ]
);
