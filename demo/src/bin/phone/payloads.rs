//! The first act: works through the payloads alone.

use std::fs;

use safescan_core::{
    config::Config,
    engine::Core,
    model::{CodeRef, DAY_MS, NewScan, NewVote, ScanQuery, UnixMillis, VoteChoice, VoteOutcome},
};
use serde::Deserialize;
use serde_json::json;

use super::{Failure, option, say};

#[derive(Deserialize)]
struct Payload {
    text: String,
    kind: String,
}

pub(crate) async fn run() -> Result<(), Failure> {
    let payloads = fs::read_to_string(option("--payloads")?)?;
    let payloads = payloads.lines().map(serde_json::from_str).collect::<Result<Vec<Payload>, _>>()?;
    let now = UnixMillis(option("--now")?.parse()?);
    let config = Config { votes_per_minute: Some(10_000), ..Config::new(option("--directory")?) };
    let core = Core::open(config).await?;

    let recorded = usize::try_from(core.statistics().await?.scans)?;
    let mut votable = Vec::new();
    for (i, payload) in payloads.iter().enumerate() {
        if i >= recorded {
            let scanned_at = Some(now.minus(DAY_MS).plus(i64::try_from(i)?));
            core.scans.record(NewScan { scanned_at, ..NewScan::of(&payload.text) }).await?;
        }
        if i + 1 >= recorded {
            vote(&core, i, &payload.text, now).await?;
            say(&json!({ "done": i }))?;
        }
        if payload.kind == "web_link" {
            votable.push(i);
        }
    }

    let (pages, wrong_kinds) = look_through(&core, &payloads).await?;
    for i in &votable {
        let rating = core.ratings.rating(CodeRef::text(&payloads[*i].text)).await?;
        let bits = |number: f64| format!("{:016x}", number.to_bits());
        say(&json!({
            "rating": i, "safe": rating.safe_votes, "unsafe": rating.unsafe_votes,
            "confidence": bits(rating.confidence), "lower": bits(rating.lower), "upper": bits(rating.upper),
        }))?;
    }
    let intact = core.upkeep.check_integrity().await?.intact;
    core.shutdown().await?;
    say(&json!({
        "summary": true, "scans": payloads.len(), "pages": pages, "notVotable": payloads.len() - votable.len(),
        "wrongKinds": wrong_kinds, "intact": intact, "resumedAt": recorded,
    }))
}

async fn vote(core: &Core, i: usize, text: &str, now: UnixMillis) -> Result<(), Failure> {
    let side = |says_unsafe: bool| if says_unsafe { VoteChoice::Unsafe } else { VoteChoice::Safe };
    let days = |count: usize| i64::try_from(count).map(|count| count * DAY_MS);
    let mut votes = vec![("ada", side(i.is_multiple_of(4)), now)];
    if i.is_multiple_of(2) {
        votes.push(("bob", side(i.is_multiple_of(3)), now.minus(days(i % 40)?)));
    }
    if i.is_multiple_of(3) {
        votes.push(("cyd", VoteChoice::Safe, now.minus(days(i % 29)?).minus(12_345)));
    }
    for (user, choice, at) in votes {
        let vote = NewVote { user_id: Some(user.into()), voted_at: Some(at), ..NewVote::of(text, choice) };
        if let VoteOutcome::NotVotable { .. } = core.votes.submit(vote).await? {
            return Ok(());
        }
    }
    if i.is_multiple_of(14) {
        core.votes.retract(CodeRef::text(text), Some("bob".into())).await?;
    }
    Ok(())
}

/// Pages through the history; how many pages it took, and how many kinds were not as the payload says.
async fn look_through(core: &Core, payloads: &[Payload]) -> Result<(usize, usize), Failure> {
    let mut query = ScanQuery::default();
    let (mut pages, mut wrong_kinds) = (0, 0);
    let mut expected = payloads.iter().rev();
    loop {
        let page = core.scans.page(query.clone()).await?;
        pages += 1;
        for scan in page.scans {
            let payload = expected.next().ok_or("the history is longer than the payloads")?;
            if payload.text != scan.text {
                return Err("the history is not in order".into());
            }
            let kind = format!("{:?}", scan.kind).to_lowercase();
            wrong_kinds += usize::from(kind != payload.kind.replace('_', ""));
        }
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => break,
        }
    }
    match expected.next() {
        Some(_) => Err("the history is shorter than the payloads".into()),
        None => Ok((pages, wrong_kinds)),
    }
}
