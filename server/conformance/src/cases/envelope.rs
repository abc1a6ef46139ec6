//! §2, §3, §4.1, §14, §16: what a request is, and what is answered to it as a whole.

use safescan_core::protocol::{MUST_REFETCH, SYNC_PATH, VERSION, codes, refusals};
use serde_json::{Value, json};

use super::paragraphs;
use crate::{
    check::{Check, expect, same},
    kit::Kit,
    phone::{Ask, applied, rejected},
    text,
};

paragraphs! {
    "a mere question is answered", "§3.2", Nothing, question;
    "every operation has one result", "§3.3", Nothing, one_result_each;
    "a conflict names the key", "§3.4", Nothing, conflict_names_key;
    "unknown fields are passed over", "§2.1", Nothing, unknown_fields;
    "a newer version is answered in the server's", "§16", Nothing, newer_version;
    "a bad operation does not harm its neighbours", "§4.1", Nothing, bad_neighbour;
    "an operation without a readable id refuses the request", "§4.1", Nothing, unreadable_id;
    "an operation whose id is no UUID is rejected alone", "§4.1", Nothing, strange_id;
    "a refused request does nothing at all", "§4.1", Nothing, refused_does_nothing;
    "a body that is no JSON is refused", "§4.1", Nothing, no_json;
    "an array is no object", "§2.1", Nothing, array;
    "a field named twice is refused", "§2.1", Nothing, twice;
    "a device must be named, in visible ASCII", "§3.1", Nothing, device_name;
    "topics are hexadecimal digits", "§3.1", Nothing, topics;
    "too many topics are refused", "§3.1", Nothing, too_many_topics;
    "too many operations are refused", "§11", Nothing, too_many;
    "too many bytes are refused", "§11", Nothing, too_large;
    "a cursor of nobody does not stop operations", "§3.5", Nothing, strange_cursor;
    "a plain request is answered plainly", "§14", Nothing, plain;
    "the server's clock is told", "§3.2", Nothing, clock;
}

async fn question(kit: &Kit) -> Check {
    let response = kit.phone().ask(Ask(json!({"data": []}))).await?;
    same("protocol", &VERSION, &response.protocol)?;
    let quiet = response.results.is_empty() && response.conflicts.is_empty() && response.control.is_empty();
    expect(quiet, "no results, conflicts or control", &response)?;
    expect(response.cursor.is_some(), "a cursor (§8.3)", &response)?;
    let limits = response.limits;
    expect(limits.max_ops > 0 && limits.max_bytes > 1_000, "limits that let something through", &limits)
}

async fn one_result_each(kit: &Kit) -> Check {
    let (phone, at, scan) = (kit.phone(), kit.moment(), text::scan_id());
    let (code, voter) = (text::hash(), text::voter());
    let operations = [
        phone.vote(&code, &voter, "safe", at),
        phone.retraction(&code, &voter, at.plus(1)),
        phone.scan(&scan, "https://example.com/menu", at),
        phone.deletion(&scan, at.plus(1)),
        phone.setting(&text::device(), true, at),
    ];
    let response = phone.apply(&operations).await?;
    same("results", &operations.len(), &response.results.len())?;
    expect(response.conflicts.is_empty(), "no conflicts", &response.conflicts)
}

async fn conflict_names_key(kit: &Kit) -> Check {
    let phone = kit.phone();
    let operation = phone.operation("vote.weigh", kit.moment(), "some-key", &json!({}));
    let response = phone.sync(std::slice::from_ref(&operation)).await?;
    same("refusal", &refusals::UNKNOWN_KIND.to_owned(), &rejected(&response, &operation)?)?;
    expect(response.conflicts[0].key == "some-key", "the key as it was sent", &response.conflicts)?;
    expect(response.conflicts[0].server.is_none(), "no `server` for a rejected operation", &response.conflicts)
}

async fn unknown_fields(kit: &Kit) -> Check {
    let phone = kit.phone();
    let mut operation = phone.setting(&text::device(), 1, kit.moment());
    operation["later"] = json!({"deep": [[1]]});
    operation["body"]["later"] = json!(null);
    let response = phone.ask(Ask::of(std::slice::from_ref(&operation)).with("later", json!([1, {}]))).await?;
    applied(&response, &operation).map(drop)
}

async fn newer_version(kit: &Kit) -> Check {
    let response = kit.phone().ask(Ask(json!({"data": [], "protocol": 7}))).await?;
    expect((1..=7).contains(&response.protocol), "a version from 1 to 7", &response)
}

async fn bad_neighbour(kit: &Kit) -> Check {
    let (phone, at) = (kit.phone(), kit.moment());
    let before = phone.setting(&text::device(), 1, at);
    let bad = json!({"id": text::operation_id(), "seq": "two", "kind": 3});
    let after = phone.setting(&text::device(), 2, at);
    let response = phone.sync(&[before.clone(), bad.clone(), after.clone()]).await?;
    applied(&response, &before)?;
    applied(&response, &after)?;
    same("refusal", &refusals::MALFORMED.to_owned(), &rejected(&response, &bad)?)
}

async fn unreadable_id(kit: &Kit) -> Check {
    let phone = kit.phone();
    let good = phone.setting(&text::device(), 1, kit.moment());
    for id in [json!(null), json!(17), json!(["17"])] {
        let mut bad = good.clone();
        bad["id"] = id;
        phone.ask_raw(Ask::of(&[bad])).await?.refused(400, codes::MALFORMED)?;
    }
    for bad in [json!(7), json!("x"), json!([]), json!({})] {
        phone.ask_raw(Ask::of(&[bad])).await?.refused(400, codes::MALFORMED)?;
    }
    Ok(())
}

async fn strange_id(kit: &Kit) -> Check {
    let phone = kit.phone();
    let (good, mut bad) = (phone.setting(&text::device(), 1, kit.moment()), phone.setting("a", 1, kit.moment()));
    bad["id"] = "17".into();
    let answer = phone.ask_raw(Ask::of(&[bad, good.clone()])).await?;
    expect(answer.status == 200, "status 200", &answer.shown())?;
    let results = &answer.shown()["body"]["results"];
    let of = |id: &Value| results.as_array().and_then(|all| all.iter().find(|result| result["id"] == *id)).cloned();
    let (bad, good) = (of(&json!("17")).unwrap_or_default(), of(&good["id"]).unwrap_or_default());
    expect(bad["status"] == "rejected" && bad["error"]["code"] == refusals::MALFORMED, "17 rejected", results)?;
    expect(good["status"] == "applied", "its neighbour applied", results)
}

async fn refused_does_nothing(kit: &Kit) -> Check {
    let phone = kit.phone();
    let good = phone.setting(&text::device(), 1, kit.moment());
    phone.ask_raw(Ask::of(&[good.clone(), json!({"id": 1})])).await?.refused(400, codes::MALFORMED)?;
    // It would be a duplicate if it had taken effect.
    applied(&phone.sync(std::slice::from_ref(&good)).await?, &good).map(drop)
}

async fn no_json(kit: &Kit) -> Check {
    let phone = kit.phone();
    for body in ["", "null", "data=1", "{\"data\":[],\"timestamp\":1", "{\"data\":[],\"timestamp\":NaN}", "\u{0}"] {
        phone.post(body.to_owned()).await?.refused(400, codes::MALFORMED)?;
    }
    let token = phone.token.as_deref();
    let not_utf8 = b"{\"data\":[],\"timestamp\":1,\"protocol\":1,\"device\":\"\xff\"}".to_vec();
    kit.post(SYNC_PATH, not_utf8, token).await?.refused(400, codes::MALFORMED)
}

async fn array(kit: &Kit) -> Check {
    let phone = kit.phone();
    let body = json!([[], 1, 1, phone.device, null, null, [], null]);
    phone.post(body.to_string()).await?.refused(400, codes::MALFORMED)
}

async fn twice(kit: &Kit) -> Check {
    let phone = kit.phone();
    let body = format!(r#"{{"data":[],"timestamp":1,"timestamp":2,"protocol":1,"device":"{}"}}"#, phone.device);
    phone.post(body).await?.refused(400, codes::MALFORMED)
}

async fn device_name(kit: &Kit) -> Check {
    let phone = kit.phone();
    for bad in [json!(""), json!("a b"), json!("é"), json!("tab\t"), json!("d".repeat(129)), json!(7), json!(null)] {
        let answer = phone.ask_raw(Ask(json!({"data": []})).with("device", bad)).await?;
        answer.refused(400, codes::MALFORMED)?;
    }
    let longest = format!("{:~<128}", phone.device);
    phone.ask(Ask(json!({"data": []})).with("device", longest)).await.map(drop)
}

async fn topics(kit: &Kit) -> Check {
    let phone = kit.phone();
    for bad in ["", "9", "9f8x", "é9", &"a".repeat(65)] {
        let ask = Ask(json!({"data": [], "topics": [bad]}));
        phone.ask_raw(ask).await?.refused(400, codes::MALFORMED)?;
    }
    let good: Vec<String> = vec!["9f".into(), "9F8".into(), text::hash().to_string()];
    phone.ask(Ask(json!({"data": [], "topics": good}))).await.map(drop)
}

async fn too_many_topics(kit: &Kit) -> Check {
    let phone = kit.phone();
    let topics = |count: u32| -> Vec<String> { (0..count).map(|topic| format!("{topic:04x}")).collect() };
    phone.ask(Ask(json!({"data": [], "topics": topics(256)}))).await?;
    phone.ask_raw(Ask(json!({"data": [], "topics": topics(257)}))).await?.refused(400, codes::MALFORMED)
}

async fn too_many(kit: &Kit) -> Check {
    let (phone, at) = (kit.phone(), kit.moment());
    let most = kit.limits().max_ops.min(2_000);
    let deletions = |count: u32| -> Vec<Value> { (0..count).map(|_| phone.deletion(&text::scan_id(), at)).collect() };
    if kit.limits().max_ops > most {
        return Ok(());
    }
    phone.ask_raw(Ask::of(&deletions(most + 1))).await?.refused(413, codes::TOO_MANY_OPS)?;
    phone.apply(&deletions(most)).await.map(drop)
}

async fn too_large(kit: &Kit) -> Check {
    let phone = kit.phone();
    let bytes = usize::try_from(kit.limits().max_bytes).unwrap_or(usize::MAX);
    if bytes > 8 * 1024 * 1024 {
        return Ok(());
    }
    let ask = Ask(json!({"data": [], "later": "x".repeat(bytes)}));
    phone.ask_raw(ask).await?.refused(413, codes::TOO_LARGE)
}

async fn strange_cursor(kit: &Kit) -> Check {
    let phone = kit.phone();
    let operation = phone.setting(&text::device(), 1, kit.moment());
    let ask = Ask::of(std::slice::from_ref(&operation)).with("cursor", "a-cursor-of-nobody");
    let response = phone.ask(ask).await?;
    applied(&response, &operation)?;
    let told = response.control.iter().any(|control| control == MUST_REFETCH);
    expect(told, format!("control with {MUST_REFETCH}"), &response.control)?;
    expect(response.cursor.is_none() && !response.has_more, "cursor null and hasMore false", &response)
}

async fn plain(kit: &Kit) -> Check {
    let item = json!({"operation": "sync", "timestamp": 1, "id": "1700000000000k3j2h1g4f"});
    for data in [json!([]), json!([item]), json!([{"qrHash": "sha256_1a2b", "vote": "safe"}])] {
        let phone = kit.phone();
        let answer = phone.post(json!({"data": data, "timestamp": 1}).to_string()).await?;
        expect(answer.status == 200, "status 200", &answer.shown())?;
        let body = &answer.shown()["body"];
        expect(body["conflicts"] == json!([]), "empty conflicts", body)?;
    }
    Ok(())
}

async fn clock(kit: &Kit) -> Check {
    let response = kit.phone().ask(Ask(json!({"data": []}))).await?;
    let apart = response.server_time.0.abs_diff(kit.now().0);
    expect(apart < 60_000, "a clock that goes on steadily", &response.server_time)
}
