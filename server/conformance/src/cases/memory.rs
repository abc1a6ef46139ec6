//! §5.3: the same operation again.

use safescan_core::protocol::{Outcome, SyncResponse, refusals};
use serde_json::{Value, json};

use super::paragraphs;
use crate::{
    check::{Check, Failure, expect, same, show},
    kit::Kit,
    phone::{Ask, applied, gave_way, outcome, rejected, superseded},
    text,
};

paragraphs! {
    "what was applied is a duplicate the next time", "§5.3", Nothing, duplicate;
    "a duplicate does nothing", "§5.3", Nothing, duplicate_does_nothing;
    "a duplicate that no longer stands names what does", "§5.3", Nothing, duplicate_that_gave_way;
    "what was superseded is a duplicate of that", "§5.3", Nothing, duplicate_of_superseded;
    "an id that occurs twice in a request is answered twice", "§3.3", Nothing, twice_in_one;
    "what was rejected is judged anew", "§5.3", Nothing, rejected_anew;
    "a device remembers its own operations only", "§5.3", Nothing, by_device;
    "below the floor what stands is a duplicate", "§5.3", Nothing, below_stands;
    "below the floor the older is superseded", "§5.3", Nothing, below_older;
    "below the floor the newer is applied", "§5.3", Nothing, below_newer;
    "below the floor a time after now does not win again", "§5.3", Nothing, below_future;
    "below the floor a deletion is a duplicate", "§5.3", Nothing, below_deletion;
    "without anything pending the floor is above all seen", "§5.3", Nothing, nothing_pending;
    "a parked operation keeps the memory", "§5.3", Nothing, parked;
}

/// The answer to an operation that must be a duplicate of an applied one.
fn duplicate_of_applied(response: &SyncResponse, operation: &Value) -> Check<i64> {
    match outcome(response, operation)? {
        Outcome::Duplicate { of, at, .. } if of == "applied" => Ok(at.0),
        other => Err(Failure::new(format!("duplicate of applied: {operation}"), show(other))),
    }
}

async fn duplicate(kit: &Kit) -> Check {
    let (phone, at, id) = (kit.phone(), kit.moment(), text::scan_id());
    let (code, voter) = (text::hash(), text::voter());
    let operations = [
        phone.vote(&code, &voter, "safe", at),
        phone.retraction(&text::hash(), &voter, at.plus(1)),
        phone.scan(&id, "x", at),
        phone.deletion(&text::scan_id(), at.plus(1)),
        phone.setting(&text::device(), 1, at),
    ];
    let first = phone.apply(&operations).await?;
    let second = phone.sync(&operations).await?;
    for operation in &operations {
        let (at, rev) = applied(&first, operation)?;
        match outcome(&second, operation)? {
            Outcome::Duplicate { of, at: again, rev: rev_again } => {
                same("of, at, rev", &("applied", at, rev), &(of.as_str(), *again, *rev_again))?;
            }
            other => return Err(Failure::new("duplicate", show(other))),
        }
    }
    expect(second.conflicts.is_empty(), "no conflicts", &second.conflicts)
}

async fn duplicate_does_nothing(kit: &Kit) -> Check {
    let (phone, at, code, voter) = (kit.phone(), kit.moment(), text::hash(), text::voter());
    let vote = phone.vote(&code, &voter, "safe", at);
    phone.apply(std::slice::from_ref(&vote)).await?;
    phone.apply(&[phone.retraction(&code, &voter, at.plus(1))]).await?;
    let before = phone.rating(&code).await?;
    duplicate_of_applied(&phone.sync(std::slice::from_ref(&vote)).await?, &vote)?;
    same("the rating", &before, &phone.rating(&code).await?)?;
    expect(before.safe.count == 0, "the vote stays retracted", &before)
}

async fn duplicate_that_gave_way(kit: &Kit) -> Check {
    let (phone, at, id) = (kit.phone(), kit.moment(), text::scan_id());
    let (code, voter, name) = (text::hash(), text::voter(), text::device());
    let first = [phone.vote(&code, &voter, "safe", at), phone.scan(&id, "x", at), phone.setting(&name, "old", at)];
    phone.apply(&first).await?;
    let later = at.plus(5);
    phone
        .apply(&[
            phone.vote(&code, &voter, "unsafe", later),
            phone.deletion(&id, later),
            phone.setting(&name, "new", later),
        ])
        .await?;
    let again = phone.sync(&first).await?;
    for operation in &first {
        duplicate_of_applied(&again, operation)?;
        same("the time of what stands", &later, &gave_way(&again, operation)?.at)?;
    }
    same("the vote that stands", &Some("unsafe".to_owned()), &gave_way(&again, &first[0])?.vote)?;
    expect(gave_way(&again, &first[1])?.body.is_none(), "no body of a deleted scan", &again.conflicts)?;
    same("the setting that stands", &Some(json!({ "value": "new" })), &gave_way(&again, &first[2])?.body)
}

async fn duplicate_of_superseded(kit: &Kit) -> Check {
    let (phone, at, name) = (kit.phone(), kit.moment(), text::device());
    phone.apply(&[phone.setting(&name, "new", at.plus(5))]).await?;
    let old = phone.setting(&name, "old", at);
    superseded(&phone.sync(std::slice::from_ref(&old)).await?, &old)?;
    let again = phone.sync(std::slice::from_ref(&old)).await?;
    match outcome(&again, &old)? {
        Outcome::Duplicate { of, .. } if of == "superseded" => superseded(&again, &old).map(drop),
        other => Err(Failure::new("duplicate of superseded", show(other))),
    }
}

async fn twice_in_one(kit: &Kit) -> Check {
    let phone = kit.phone();
    let setting = phone.setting(&text::device(), 1, kit.moment());
    let response = phone.sync(&[setting.clone(), setting.clone()]).await?;
    let outcomes: Vec<_> = response.results.iter().map(|result| &result.outcome).collect();
    let right = matches!(outcomes.as_slice(), [Outcome::Applied { .. }, Outcome::Duplicate { .. }]);
    expect(right, "applied and duplicate", &response.results)
}

async fn rejected_anew(kit: &Kit) -> Check {
    let phone = kit.phone();
    let good = phone.setting(&text::device(), 1, kit.moment());
    let mut bad = good.clone();
    bad["body"] = json!({});
    let response = phone.sync(std::slice::from_ref(&bad)).await?;
    same("refusal", &refusals::MALFORMED.to_owned(), &rejected(&response, &bad)?)?;
    phone.apply(&[good]).await.map(drop)
}

async fn by_device(kit: &Kit) -> Check {
    let (phone, other, at) = (kit.phone(), kit.phone(), kit.moment());
    let setting = phone.setting(&text::device(), 1, at);
    phone.apply(std::slice::from_ref(&setting)).await?;
    let mut theirs = setting;
    theirs["key"] = text::device().into();
    other.apply(&[theirs]).await.map(drop)
}

/// Says that everything up to and with this operation is settled.
fn above(operations: &[Value], settled: &Value) -> Ask {
    Ask::of(operations).with("oldestPending", settled["seq"].as_i64().unwrap_or_default() + 1)
}

async fn below_stands(kit: &Kit) -> Check {
    let (phone, at, code) = (kit.phone(), kit.moment(), text::hash());
    let vote = phone.vote(&code, &text::voter(), "safe", at);
    phone.apply(std::slice::from_ref(&vote)).await?;
    let response = phone.ask(above(std::slice::from_ref(&vote), &vote)).await?;
    same("at", &at.0, &duplicate_of_applied(&response, &vote)?)?;
    let rating = phone.rating(&code).await?;
    expect(rating.safe.count == 1, "one vote", &rating)
}

async fn below_older(kit: &Kit) -> Check {
    let (phone, at, name) = (kit.phone(), kit.moment(), text::device());
    let (old, new) = (phone.setting(&name, 1, at), phone.setting(&name, 2, at.plus(1)));
    phone.apply(&[old.clone(), new.clone()]).await?;
    let response = phone.ask(above(std::slice::from_ref(&old), &new)).await?;
    superseded(&response, &old).map(drop)
}

async fn below_newer(kit: &Kit) -> Check {
    let (phone, at, name) = (kit.phone(), kit.moment(), text::device());
    let (kept, standing) = (phone.setting(&name, 2, at.plus(1)), phone.setting(&name, 1, at));
    phone.apply(std::slice::from_ref(&standing)).await?;
    let response = phone.ask(above(std::slice::from_ref(&kept), &standing)).await?;
    applied(&response, &kept).map(drop)
}

async fn below_future(kit: &Kit) -> Check {
    let (phone, name) = (kit.phone(), text::device());
    let ahead = phone.setting(&name, 1, kit.now().plus(86_400_000));
    phone.apply(std::slice::from_ref(&ahead)).await?;
    let later = phone.setting(&name, 2, kit.now().plus(86_400_001));
    phone.apply(std::slice::from_ref(&later)).await?;
    let response = phone.ask(above(std::slice::from_ref(&ahead), &later)).await?;
    superseded(&response, &ahead).map(drop)
}

async fn below_deletion(kit: &Kit) -> Check {
    let (phone, at, id) = (kit.phone(), kit.moment(), text::scan_id());
    let (scan, deletion) = (phone.scan(&id, "x", at), phone.deletion(&id, at.plus(1)));
    phone.apply(&[scan.clone(), deletion.clone()]).await?;
    let response = phone.ask(above(&[scan.clone(), deletion.clone()], &deletion)).await?;
    superseded(&response, &scan)?;
    duplicate_of_applied(&response, &deletion).map(drop)
}

async fn nothing_pending(kit: &Kit) -> Check {
    let (phone, at, name) = (kit.phone(), kit.moment(), text::device());
    let ask = |operation: &Value| Ask::of(std::slice::from_ref(operation)).with("oldestPending", Value::Null);
    let first = phone.setting(&name, 1, at);
    applied(&phone.ask(ask(&first)).await?, &first)?;
    duplicate_of_applied(&phone.ask(ask(&first)).await?, &first)?;
    let second = phone.setting(&name, 2, at.plus(1));
    applied(&phone.ask(ask(&second)).await?, &second)?;
    superseded(&phone.ask(ask(&first)).await?, &first).map(drop)
}

async fn parked(kit: &Kit) -> Check {
    let (phone, at, name) = (kit.phone(), kit.moment(), text::device());
    let first = phone.setting(&name, 1, at);
    phone.apply(std::slice::from_ref(&first)).await?;
    // Later ones are settled, but the first place is still pending.
    for value in 2..6 {
        phone.apply(&[phone.setting(&name, value, at.plus(value))]).await?;
    }
    let response = phone.sync(std::slice::from_ref(&first)).await?;
    duplicate_of_applied(&response, &first).map(drop)
}
