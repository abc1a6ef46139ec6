//! §5.1, §5.2: which change of a register stands.

use safescan_core::{model::UnixMillis, protocol::Outcome};

use super::paragraphs;
use crate::{
    check::{Check, Failure, expect, same, show},
    kit::Kit,
    phone::{applied, outcome, superseded},
    text,
};

paragraphs! {
    "the later vote stands, whatever comes later", "§5.1", Nothing, later_vote;
    "of two votes at one time the later place stands", "§5.1", Nothing, later_place;
    "of two devices at one time the larger stands", "§5.1", OneAccount, larger_device;
    "a retraction outlives an older vote", "§5.1", Nothing, retraction_stays;
    "a retraction of nothing is remembered", "§5.1", Nothing, retraction_of_nothing;
    "a vote after a retraction counts", "§5.1", Nothing, vote_after_retraction;
    "a deleted scan stays deleted", "§5.1", Nothing, deletion_wins;
    "of two deletions the later stands", "§5.1", Nothing, two_deletions;
    "the later scan stands", "§5.1", Nothing, later_scan;
    "the later setting stands", "§5.1", Nothing, later_setting;
    "scans and settings of others are out of reach", "§17", TwoAccounts, others_settings;
    "a time after now counts as now", "§5.2", Nothing, future;
    "a time before 1970 counts as 1970", "§5.2", Nothing, past;
    "ids in capitals are the same ids", "§2.2", Nothing, capitals;
    "operations of one request are judged in their order", "§5", Nothing, order;
}

async fn later_vote(kit: &Kit) -> Check {
    let (phone, at, code, voter) = (kit.phone(), kit.moment(), text::hash(), text::voter());
    phone.apply(&[phone.vote(&code, &voter, "safe", at)]).await?;
    phone.apply(&[phone.vote(&code, &voter, "unsafe", at.plus(5))]).await?;
    let late = phone.vote(&code, &voter, "safe", at.plus(3));
    let standing = superseded(&phone.sync(std::slice::from_ref(&late)).await?, &late)?;
    same("what stands", &(Some("unsafe".to_owned()), at.plus(5)), &(standing.vote, standing.at))?;
    let rating = phone.rating(&code).await?;
    expect((rating.safe.count, rating.unsafe_.count) == (0, 1), "one vote, for unsafe", &rating)
}

async fn later_place(kit: &Kit) -> Check {
    let (phone, at, code, voter) = (kit.phone(), kit.moment(), text::hash(), text::voter());
    let (first, second) = (phone.vote(&code, &voter, "safe", at), phone.vote(&code, &voter, "unsafe", at));
    phone.apply(std::slice::from_ref(&second)).await?;
    let standing = superseded(&phone.sync(std::slice::from_ref(&first)).await?, &first)?;
    same("what stands", &Some("unsafe".to_owned()), &standing.vote)?;
    let third = phone.vote(&code, &voter, "safe", at);
    phone.apply(&[third]).await.map(drop)
}

async fn larger_device(kit: &Kit) -> Check {
    let (at, name) = (kit.moment(), text::device());
    let (mut small, mut large) = (kit.phone(), kit.phone());
    small.device.insert_str(0, "a-");
    large.device.insert_str(0, "b-");
    // A place is told apart after the device only: the smaller one has the greater.
    small.apply(&[small.setting(&text::device(), 0, at)]).await?;
    large.apply(&[large.setting(&name, "large", at)]).await?;
    let lost = small.setting(&name, "small", at);
    let standing = superseded(&small.sync(std::slice::from_ref(&lost)).await?, &lost)?;
    expect(standing.body == Some(serde_json::json!({"value": "large"})), "the larger device's", &standing)
}

async fn retraction_stays(kit: &Kit) -> Check {
    let (phone, at, code, voter) = (kit.phone(), kit.moment(), text::hash(), text::voter());
    phone.apply(&[phone.vote(&code, &voter, "safe", at)]).await?;
    phone.apply(&[phone.retraction(&code, &voter, at.plus(9))]).await?;
    let old = phone.vote(&code, &voter, "unsafe", at.plus(8));
    let standing = superseded(&phone.sync(std::slice::from_ref(&old)).await?, &old)?;
    same("what stands", &(Some("none".to_owned()), at.plus(9)), &(standing.vote, standing.at))
}

async fn retraction_of_nothing(kit: &Kit) -> Check {
    let (phone, at, code, voter) = (kit.phone(), kit.moment(), text::hash(), text::voter());
    phone.apply(&[phone.retraction(&code, &voter, at)]).await?;
    let old = phone.vote(&code, &voter, "safe", at.minus(1));
    let standing = superseded(&phone.sync(std::slice::from_ref(&old)).await?, &old)?;
    same("what stands", &Some("none".to_owned()), &standing.vote)
}

async fn vote_after_retraction(kit: &Kit) -> Check {
    let (phone, at, code, voter) = (kit.phone(), kit.moment(), text::hash(), text::voter());
    phone.apply(&[phone.vote(&code, &voter, "safe", at)]).await?;
    phone.apply(&[phone.retraction(&code, &voter, at.plus(1))]).await?;
    phone.apply(&[phone.vote(&code, &voter, "unsafe", at.plus(2))]).await?;
    let rating = phone.rating(&code).await?;
    expect((rating.safe.count, rating.unsafe_.count) == (0, 1), "one vote, for unsafe", &rating)
}

async fn deletion_wins(kit: &Kit) -> Check {
    let (phone, at, id) = (kit.phone(), kit.moment(), text::scan_id());
    phone.apply(&[phone.scan(&id, "https://example.com/a", at.plus(100))]).await?;
    // Older than the scan, and wins.
    phone.apply(&[phone.deletion(&id, at)]).await?;
    let again = phone.scan(&id, "https://example.com/b", at.plus(200));
    let standing = superseded(&phone.sync(std::slice::from_ref(&again)).await?, &again)?;
    expect(standing.body.is_none() && standing.vote.is_none(), "a tombstone: neither vote nor body", &standing)
}

async fn two_deletions(kit: &Kit) -> Check {
    let (phone, at, id) = (kit.phone(), kit.moment(), text::scan_id());
    phone.apply(&[phone.deletion(&id, at)]).await?;
    phone.apply(&[phone.deletion(&id, at.plus(5))]).await?;
    let older = phone.deletion(&id, at.plus(3));
    let standing = superseded(&phone.sync(std::slice::from_ref(&older)).await?, &older)?;
    same("the time of what stands", &at.plus(5), &standing.at)
}

async fn later_scan(kit: &Kit) -> Check {
    let (phone, at, id) = (kit.phone(), kit.moment(), text::scan_id());
    phone.apply(&[phone.scan(&id, "https://example.com/new", at.plus(5))]).await?;
    let older = phone.scan(&id, "https://example.com/old", at);
    let standing = superseded(&phone.sync(std::slice::from_ref(&older)).await?, &older)?;
    let body = standing.body.clone().unwrap_or_default();
    expect(body["text"] == "https://example.com/new", "the body that stands", &standing)
}

async fn later_setting(kit: &Kit) -> Check {
    let (phone, at, name) = (kit.phone(), kit.moment(), text::device());
    phone.apply(&[phone.setting(&name, "new", at.plus(5))]).await?;
    let older = phone.setting(&name, "old", at);
    let standing = superseded(&phone.sync(std::slice::from_ref(&older)).await?, &older)?;
    same("the time of what stands", &at.plus(5), &standing.at)?;
    expect(standing.body == Some(serde_json::json!({"value": "new"})), "the body that stands", &standing)
}

async fn others_settings(kit: &Kit) -> Check {
    let (phone, stranger, at) = (kit.phone(), kit.stranger(), kit.moment());
    let (name, id) = (text::device(), text::scan_id());
    phone.apply(&[phone.setting(&name, "mine", at.plus(5)), phone.scan(&id, "mine", at.plus(5))]).await?;
    // Of the same names, and older: other registers all the same.
    stranger.apply(&[stranger.setting(&name, "theirs", at), stranger.deletion(&id, at)]).await.map(drop)
}

async fn future(kit: &Kit) -> Check {
    let (phone, code, voter) = (kit.phone(), text::hash(), text::voter());
    for at in [kit.now().plus(3_600_000), UnixMillis(i64::MAX)] {
        let operation = phone.vote(&code, &voter, "safe", at);
        let response = phone.sync(std::slice::from_ref(&operation)).await?;
        let (clamped, _) = applied(&response, &operation)?;
        expect(clamped <= response.server_time, "`at` not after `serverTime`", &response)?;
        expect(clamped.0 > kit.now().0 - 60_000, "`at` about now", &response)?;
    }
    let rating = phone.rating(&code).await?;
    expect(rating.safe.count == 1, "one vote", &rating)
}

async fn past(kit: &Kit) -> Check {
    let (phone, code) = (kit.phone(), text::hash());
    for at in [-1, i64::MIN] {
        let operation = phone.vote(&code, &text::voter(), "safe", UnixMillis(at));
        let response = phone.sync(std::slice::from_ref(&operation)).await?;
        same("at", &UnixMillis(0), &applied(&response, &operation)?.0)?;
    }
    let rating = phone.rating(&code).await?;
    expect(rating.tally().is_some() && rating.safe.c == 2_000, "two clamped votes", &rating)
}

async fn capitals(kit: &Kit) -> Check {
    let (phone, at, code, voter) = (kit.phone(), kit.moment(), text::hash(), text::voter());
    phone.apply(&[phone.vote(&code, &voter, "safe", at)]).await?;
    let mut again = phone.vote(&code, &voter, "unsafe", at.plus(1));
    again["key"] = code.to_string().to_uppercase().into();
    again["body"]["voter"] = voter.to_string().to_uppercase().into();
    phone.apply(std::slice::from_ref(&again)).await?;
    let mut same_id = again.clone();
    same_id["id"] = again["id"].as_str().unwrap_or_default().to_uppercase().into();
    let response = phone.sync(&[same_id]).await?;
    match outcome(&response, &again)? {
        Outcome::Duplicate { .. } => {}
        other => return Err(Failure::new("duplicate, for it is the same id", show(other))),
    }
    let rating = phone.rating(&code).await?;
    expect((rating.safe.count, rating.unsafe_.count) == (0, 1), "one vote of one voter", &rating)
}

async fn order(kit: &Kit) -> Check {
    let (phone, at, name) = (kit.phone(), kit.moment(), text::device());
    let (new, old) = (phone.setting(&name, 2, at.plus(1)), phone.setting(&name, 1, at));
    let response = phone.sync(&[new.clone(), old.clone()]).await?;
    applied(&response, &new)?;
    superseded(&response, &old).map(drop)
}
