//! §8, §10.2: what changed, page by page.

use std::time::Duration;

use safescan_core::protocol::{Change, SyncResponse, codes};
use serde_json::{Value, json};

use super::paragraphs;
use crate::{
    check::{Check, Failure, expect, same, show},
    clock::Stopwatch,
    kit::Kit,
    phone::{Ask, rating_in},
    text,
};

paragraphs! {
    "everything of the account comes from the beginning", "§8.1", Nothing, from_the_beginning;
    "after the cursor only what is new comes", "§8.1", Nothing, after_the_cursor;
    "what changed often comes once", "§8.1", Nothing, present_state;
    "a retracted vote comes as none", "§8.1", Nothing, retracted;
    "a deleted scan comes as a tombstone", "§8.1", Nothing, tombstone;
    "what one device stores its account's other devices learn", "§8.1", OneAccount, other_device;
    "nothing of others comes", "§17", TwoAccounts, nothing_of_others;
    "ratings of codes that one voted on are followed", "§8.1", TwoAccounts, followed;
    "ratings of codes that one retracted are followed", "§8.1", TwoAccounts, followed_after_retraction;
    "ratings of topics come if they are new", "§8.1", TwoAccounts, topics;
    "a topic brings nothing from before the cursor", "§8.1", TwoAccounts, topic_from_now_on;
    "pages are as small as asked for and miss nothing", "§8.3", Nothing, pages;
    "a page asked for with limit 0 has one change", "§8.3", Nothing, smallest_page;
    "a cursor can be used again", "§8.3", Nothing, twice;
    "GET brings what POST brings", "§10.2", Nothing, by_get;
    "GET refuses a cursor of nobody", "§10.2", Nothing, strange_cursor;
    "GET refuses what it cannot read", "§10.2", Nothing, strange_query;
    "a held request ends when something changes", "§10.2", TwoAccounts, held;
    "a held request ends in time", "§10.2", Nothing, held_in_time;
    "a request without cursor is not held", "§10.2", Nothing, not_held;
}

/// Changes of votes, scans and settings, each with its register.
fn of_registers(changes: &[Change]) -> Vec<(String, &Change)> {
    let register = |change: &Change| match change {
        Change::Vote(vote) => Some(vote.qr_hash.to_string()),
        Change::Scan(register) | Change::ScanDeleted(register) | Change::Setting(register) => {
            Some(register.key.clone())
        }
        Change::Rating(_) | Change::Unknown => None,
    };
    changes.iter().filter_map(|change| Some((register(change)?, change))).collect()
}

/// The one change of a register.
fn change_of<'c>(changes: &'c [Change], key: &str) -> Check<&'c Change> {
    let found: Vec<_> = of_registers(changes).into_iter().filter(|(register, _)| register == key).collect();
    match found.as_slice() {
        [(_, change)] => Ok(change),
        _ => Err(Failure::new(format!("one change of {key}"), show(&changes))),
    }
}

async fn from_the_beginning(kit: &Kit) -> Check {
    let (phone, at) = (kit.phone(), kit.moment());
    let (code, voter, id, name) = (text::hash(), text::voter(), text::scan_id(), text::device());
    phone
        .apply(&[
            phone.vote(&code, &voter, "unsafe", at),
            phone.scan(&id, "https://example.com/menu", at.plus(1)),
            phone.setting(&name, json!({"a": [1, null]}), at.plus(2)),
        ])
        .await?;
    let (changes, _) = phone.pull(None, &[]).await?;
    match change_of(&changes, &code.to_string())? {
        Change::Vote(vote) => {
            let came = (vote.voter, vote.vote, vote.at);
            same("the vote", &(voter, Some(safescan_core::model::VoteChoice::Unsafe), at), &came)?;
        }
        other => return Err(Failure::new("a vote", show(other))),
    }
    match change_of(&changes, &id)? {
        Change::Scan(scan) => {
            let body = json!({"text": "https://example.com/menu", "verdict": "safe", "metadata": null});
            expect(scan.at == at.plus(1) && scan.body == Some(body), "the scan with its body", scan)?;
        }
        other => return Err(Failure::new("a scan", show(other))),
    }
    match change_of(&changes, &name)? {
        Change::Setting(setting) => {
            let body = json!({"value": {"a": [1, null]}});
            expect(setting.body == Some(body), "the setting with its body", setting)?;
        }
        other => return Err(Failure::new("a setting", show(other))),
    }
    rating_in(&changes, &code).map(drop)
}

async fn after_the_cursor(kit: &Kit) -> Check {
    let (phone, at) = (kit.phone(), kit.moment());
    let (old, new) = (text::device(), text::device());
    phone.apply(&[phone.setting(&old, 1, at)]).await?;
    let cursor = phone.cursor().await?;
    phone.apply(&[phone.setting(&new, 2, at)]).await?;
    let (changes, _) = phone.pull(Some(cursor), &[]).await?;
    change_of(&changes, &new)?;
    let names = of_registers(&changes);
    expect(!names.iter().any(|(name, _)| *name == old), "only what is new", &changes)
}

async fn present_state(kit: &Kit) -> Check {
    let (phone, at, code, voter) = (kit.phone(), kit.moment(), text::hash(), text::voter());
    let cursor = phone.cursor().await?;
    for (number, vote) in (0..).zip(["safe", "unsafe", "safe"]) {
        phone.apply(&[phone.vote(&code, &voter, vote, at.plus(number))]).await?;
    }
    let (changes, _) = phone.pull(Some(cursor), &[]).await?;
    match change_of(&changes, &code.to_string())? {
        Change::Vote(vote) => same("its time", &at.plus(2), &vote.at)?,
        other => return Err(Failure::new("a vote", show(other))),
    }
    let ratings = changes.iter().filter(|change| matches!(change, Change::Rating(rating) if rating.qr_hash == code));
    same("ratings of the code", &1, &ratings.count())
}

async fn retracted(kit: &Kit) -> Check {
    let (phone, at, code, voter) = (kit.phone(), kit.moment(), text::hash(), text::voter());
    let cursor = phone.cursor().await?;
    phone.apply(&[phone.vote(&code, &voter, "safe", at), phone.retraction(&code, &voter, at.plus(1))]).await?;
    let (changes, _) = phone.pull(Some(cursor), &[]).await?;
    match change_of(&changes, &code.to_string())? {
        Change::Vote(vote) if vote.vote.is_none() && vote.at == at.plus(1) => Ok(()),
        other => Err(Failure::new("none, at the time of the retraction", show(other))),
    }
}

async fn tombstone(kit: &Kit) -> Check {
    let (phone, at, id) = (kit.phone(), kit.moment(), text::scan_id());
    let cursor = phone.cursor().await?;
    phone.apply(&[phone.scan(&id, "x", at), phone.deletion(&id, at.plus(1))]).await?;
    let (changes, _) = phone.pull(Some(cursor), &[]).await?;
    match change_of(&changes, &id)? {
        Change::ScanDeleted(scan) if scan.body.is_none() => Ok(()),
        other => Err(Failure::new("scan.deleted without a body", show(other))),
    }
}

async fn other_device(kit: &Kit) -> Check {
    let (phone, tablet, at) = (kit.phone(), kit.phone(), kit.moment());
    let cursor = tablet.cursor().await?;
    let (code, voter, id, name) = (text::hash(), text::voter(), text::scan_id(), text::device());
    phone
        .apply(&[phone.vote(&code, &voter, "safe", at), phone.scan(&id, "x", at), phone.setting(&name, 1, at)])
        .await?;
    let (changes, _) = tablet.pull(Some(cursor), &[]).await?;
    for key in [code.to_string(), id, name] {
        change_of(&changes, &key)?;
    }
    let own = &rating_in(&changes, &code)?.own;
    expect(own.len() == 1, "`own` names the account's vote, by whichever device", own)
}

async fn nothing_of_others(kit: &Kit) -> Check {
    let (phone, stranger, at) = (kit.phone(), kit.stranger(), kit.moment());
    let cursor = stranger.cursor().await?;
    let code = text::hash();
    let (id, name) = (text::scan_id(), text::device());
    phone
        .apply(&[phone.vote(&code, &text::voter(), "safe", at), phone.scan(&id, "x", at), phone.setting(&name, 1, at)])
        .await?;
    let (changes, _) = stranger.pull(Some(cursor), &[text::topic(&code)]).await?;
    let of_others = of_registers(&changes).iter().any(|(key, _)| [&id, &name, &code.to_string()].contains(&key));
    expect(!of_others, "nothing of another account", &changes)?;
    let rating = rating_in(&changes, &code)?;
    expect(rating.own.is_empty(), "an empty `own`", rating)
}

async fn followed(kit: &Kit) -> Check {
    let (phone, stranger, at, code) = (kit.phone(), kit.stranger(), kit.moment(), text::hash());
    phone.apply(&[phone.vote(&code, &text::voter(), "safe", at)]).await?;
    let cursor = phone.cursor().await?;
    stranger.apply(&[stranger.vote(&code, &text::voter(), "unsafe", at)]).await?;
    let (changes, _) = phone.pull(Some(cursor), &[]).await?;
    let rating = rating_in(&changes, &code)?;
    expect((rating.safe.count, rating.unsafe_.count) == (1, 1), "both votes", rating)
}

async fn followed_after_retraction(kit: &Kit) -> Check {
    let (phone, stranger, at, code) = (kit.phone(), kit.stranger(), kit.moment(), text::hash());
    let voter = text::voter();
    phone.apply(&[phone.vote(&code, &voter, "safe", at), phone.retraction(&code, &voter, at.plus(1))]).await?;
    let cursor = phone.cursor().await?;
    stranger.apply(&[stranger.vote(&code, &text::voter(), "unsafe", at)]).await?;
    let (changes, _) = phone.pull(Some(cursor), &[]).await?;
    let rating = rating_in(&changes, &code)?;
    expect((rating.safe.count, rating.unsafe_.count) == (0, 1), "the other's vote", rating)
}

async fn topics(kit: &Kit) -> Check {
    let (phone, stranger, at, code) = (kit.phone(), kit.stranger(), kit.moment(), text::hash());
    let cursor = phone.cursor().await?;
    stranger.apply(&[stranger.vote(&code, &text::voter(), "unsafe", at)]).await?;
    let (without, _) = phone.pull(Some(cursor.clone()), &[]).await?;
    expect(rating_in(&without, &code).is_err(), "nothing of a topic that is not named", &without)?;
    let (with, cursor) = phone.pull(Some(cursor), &[text::topic(&code).to_uppercase()]).await?;
    rating_in(&with, &code)?;
    let (again, _) = phone.pull(Some(cursor), &[text::topic(&code)]).await?;
    expect(rating_in(&again, &code).is_err(), "nothing that came already", &again)
}

async fn topic_from_now_on(kit: &Kit) -> Check {
    let (phone, stranger, at, code) = (kit.phone(), kit.stranger(), kit.moment(), text::hash());
    stranger.apply(&[stranger.vote(&code, &text::voter(), "safe", at)]).await?;
    let (changes, _) = phone.pull(None, &[text::topic(&code)]).await?;
    expect(rating_in(&changes, &code).is_err(), "nothing from before", &changes)
}

async fn pages(kit: &Kit) -> Check {
    let (phone, at) = (kit.phone(), kit.moment());
    let start = phone.cursor().await?;
    let names: Vec<String> = (0..7).map(|_| text::device()).collect();
    let settings: Vec<Value> = names.iter().map(|name| phone.setting(name, 1, at)).collect();
    phone.apply(&settings).await?;
    let (mut cursor, mut came, mut revs) = (start, Vec::new(), Vec::new());
    for _ in 0..50 {
        let ask = Ask(json!({"data": [], "cursor": cursor, "limit": 2}));
        let page = phone.ask(ask).await?;
        expect(page.changes.len() <= 2, "at most two changes", &page.changes)?;
        expect(!page.has_more || !page.changes.is_empty(), "a change in a page that has more", &page)?;
        for change in &page.changes {
            if let Change::Setting(setting) = change {
                came.push(setting.key.clone());
                revs.push(setting.rev);
            }
        }
        let Some(next) = page.cursor else { return Err(Failure::new("a cursor", show(&page))) };
        cursor = next;
        if !page.has_more {
            break;
        }
    }
    expect(revs.is_sorted(), "changes in the order of `rev`", &revs)?;
    let of_this: Vec<_> = came.into_iter().filter(|key| names.contains(key)).collect();
    let (mut expected, mut got) = (names, of_this);
    expected.sort_unstable();
    got.sort_unstable();
    same("what came, each once", &expected, &got)
}

async fn smallest_page(kit: &Kit) -> Check {
    let (phone, at) = (kit.phone(), kit.moment());
    let cursor = phone.cursor().await?;
    phone.apply(&[phone.setting(&text::device(), 1, at), phone.setting(&text::device(), 2, at)]).await?;
    let page = phone.ask(Ask(json!({"data": [], "cursor": cursor, "limit": 0}))).await?;
    expect(page.changes.len() == 1 && page.has_more, "one change, and more", &page)
}

async fn twice(kit: &Kit) -> Check {
    let (phone, name) = (kit.phone(), text::device());
    let cursor = phone.cursor().await?;
    phone.apply(&[phone.setting(&name, 1, kit.moment())]).await?;
    for _ in 0..2 {
        let (changes, _) = phone.pull(Some(cursor.clone()), &[]).await?;
        change_of(&changes, &name)?;
    }
    Ok(())
}

async fn by_get(kit: &Kit) -> Check {
    let (phone, at, code) = (kit.phone(), kit.moment(), text::hash());
    let cursor = phone.cursor().await?;
    phone.apply(&[phone.vote(&code, &text::voter(), "safe", at), phone.setting(&text::device(), 1, at)]).await?;
    let by_post = phone.pull(Some(cursor.clone()), &[]).await?;
    let topic = text::topic(&code);
    let query = [("cursor", cursor.as_str()), ("topics", &topic), ("limit", "500")];
    let by_get: SyncResponse = phone.changes(&query).await?.read(200)?;
    expect(by_get.results.is_empty() && by_get.conflicts.is_empty(), "neither results nor conflicts", &by_get)?;
    same("changes", &show(&by_post.0), &show(&by_get.changes))
}

async fn strange_cursor(kit: &Kit) -> Check {
    let phone = kit.phone();
    for query in [vec![("cursor", "a-cursor-of-nobody")], vec![("cursor", "x"), ("live", "1")]] {
        phone.changes(&query).await?.refused(410, codes::CURSOR_INVALID)?;
    }
    Ok(())
}

async fn strange_query(kit: &Kit) -> Check {
    let phone = kit.phone();
    for query in [[("topics", "9f80,zz")], [("limit", "many")], [("limit", "-1")]] {
        phone.changes(&query).await?.refused(400, codes::MALFORMED)?;
    }
    let path = safescan_core::protocol::CHANGES_PATH;
    phone.get(path, &[("device", "a b")]).await?.refused(400, codes::MALFORMED)?;
    if phone.token.is_none() {
        phone.get(path, &[]).await?.refused(400, codes::MALFORMED)?;
    }
    Ok(())
}

async fn held(kit: &Kit) -> Check {
    let (phone, stranger, at, code) = (kit.phone(), kit.stranger(), kit.moment(), text::hash());
    let (cursor, topic) = (phone.cursor().await?, text::topic(&code));
    let query = [("cursor", cursor.as_str()), ("topics", topic.as_str()), ("live", "1")];
    let vote = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        stranger.apply(&[stranger.vote(&code, &text::voter(), "safe", at)]).await
    };
    let watch = Stopwatch::start();
    let (answer, voted) = tokio::join!(phone.changes(&query), vote);
    voted?;
    let response: SyncResponse = answer?.read(200)?;
    rating_in(&response.changes, &code)?;
    expect(watch.elapsed() < Duration::from_secs(10), "an end soon after the change", &watch.elapsed())
}

async fn held_in_time(kit: &Kit) -> Check {
    let phone = kit.phone();
    let name = text::device();
    phone.apply(&[phone.setting(&name, 1, kit.moment())]).await?;
    let cursor = phone.cursor().await?;
    let watch = Stopwatch::start();
    let response: SyncResponse = phone.changes(&[("cursor", &cursor), ("live", "1")]).await?.read(200)?;
    // With a token others of the account may have done something.
    if phone.token.is_none() {
        expect(response.changes.is_empty(), "no changes", &response.changes)?;
    }
    expect(watch.elapsed() < Duration::from_secs(20), "an end after at most 15 s", &watch.elapsed())?;
    expect(response.cursor.is_some(), "a cursor", &response)
}

async fn not_held(kit: &Kit) -> Check {
    let watch = Stopwatch::start();
    let response: SyncResponse = kit.phone().changes(&[("live", "1")]).await?.read(200)?;
    expect(watch.elapsed() < Duration::from_secs(5), "an answer at once", &watch.elapsed())?;
    expect(response.cursor.is_some(), "a cursor", &response)
}
