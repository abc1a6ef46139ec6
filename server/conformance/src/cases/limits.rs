//! §7: how many votes are too many.

use safescan_core::{
    model::{MINUTE_MS, QrHash, VoterId},
    protocol::Outcome,
};
use serde_json::Value;

use super::paragraphs;
use crate::{
    check::{Check, Failure, expect, show},
    kit::Kit,
    phone::{Phone, outcome},
    text,
};

paragraphs! {
    "a backlog of a week passes at once", "§7", Nothing, backlog;
    "the sixth change of a code within a minute is deferred", "§7", Nothing, sixth_change;
    "what is deferred does not count", "§7", Nothing, deferred_does_not_count;
    "what was deferred is rated by its receipt", "§7", Nothing, rated_by_receipt;
    "changes a minute apart are no crowd", "§7", Nothing, slow_changes;
    "scans and settings are never deferred", "§7", Nothing, no_limit;
}

async fn backlog(kit: &Kit) -> Check {
    let (phone, voter) = (kit.phone(), text::voter());
    let votes: Vec<Value> = (0..30).map(|_| phone.vote(&text::hash(), &voter, "safe", kit.moment())).collect();
    phone.apply(&votes).await.map(drop)
}

/// Six changes of one code within a minute; the last one is deferred.
async fn change_six_times(phone: &Phone<'_>, code: &QrHash, voter: &VoterId) -> Check<Value> {
    let at = phone.kit.moment();
    let vote =
        |number: i64| phone.vote(code, voter, if number % 2 == 0 { "safe" } else { "unsafe" }, at.plus(number * 1_000));
    let votes: Vec<Value> = (0..5).map(vote).collect();
    phone.apply(&votes).await?;
    let sixth = vote(5);
    match phone.try_one(&sixth).await? {
        Outcome::Deferred { retry_after_ms } => {
            expect((1..=120_000).contains(&retry_after_ms), "a wait of at most two minutes", &retry_after_ms)?;
            Ok(sixth)
        }
        other => Err(Failure::new("deferred, for the sixth change within a minute", show(&other))),
    }
}

async fn sixth_change(kit: &Kit) -> Check {
    change_six_times(&kit.phone(), &text::hash(), &text::voter()).await.map(drop)
}

async fn deferred_does_not_count(kit: &Kit) -> Check {
    let (phone, code, voter) = (kit.phone(), text::hash(), text::voter());
    change_six_times(&phone, &code, &voter).await?;
    let rating = phone.rating(&code).await?;
    // The fifth said safe, the sixth unsafe.
    expect((rating.safe.count, rating.unsafe_.count) == (1, 0), "the fifth change", &rating)
}

async fn rated_by_receipt(kit: &Kit) -> Check {
    let (phone, code, voter) = (kit.phone(), text::hash(), text::voter());
    let sixth = change_six_times(&phone, &code, &voter).await?;
    // The others are days old: by its receipt it stands alone.
    let response = phone.sync(std::slice::from_ref(&sixth)).await?;
    match outcome(&response, &sixth)? {
        Outcome::Applied { at, .. } => expect(Some(at.0) == sixth["at"].as_i64(), "its own time", at),
        other => Err(Failure::new("applied: by its receipt it comes alone", show(other))),
    }
}

async fn slow_changes(kit: &Kit) -> Check {
    let (phone, at, code, voter) = (kit.phone(), kit.moment(), text::hash(), text::voter());
    // Within the ten minutes that a case has: seven changes, four of them in any minute.
    for number in 0..7 {
        let vote = phone.vote(&code, &voter, "safe", at.plus(number * MINUTE_MS / 4));
        phone.apply(&[vote]).await?;
    }
    Ok(())
}

async fn no_limit(kit: &Kit) -> Check {
    let (phone, at) = (kit.phone(), kit.moment());
    let name = text::device();
    let count = usize::try_from(kit.limits().max_ops).unwrap_or(50).min(100);
    let settings: Vec<Value> = (0..).take(count).map(|value| phone.setting(&name, value, at.plus(value))).collect();
    phone.apply(&settings).await.map(drop)
}
