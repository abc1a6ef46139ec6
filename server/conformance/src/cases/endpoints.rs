//! §10, §11: look-ups, health, and what is refused.

use reqwest::Method;
use safescan_core::protocol::{CHANGES_PATH, RATINGS_PATH, SYNC_PATH, codes};
use serde_json::json;

use super::paragraphs;
use crate::{
    check::{Check, expect, same},
    kit::Kit,
    phone::Ask,
    text,
};

paragraphs! {
    "a look-up brings all codes of a prefix", "§10.1", Nothing, prefix;
    "a look-up of a whole hash brings one code", "§10.1", Nothing, whole_hash;
    "a look-up of nothing is empty", "§10.1", Nothing, nobody_voted;
    "a look-up in capitals is the same", "§10.1", Nothing, capitals;
    "a look-up needs no device", "§10.1", Nothing, without_device;
    "a look-up that cannot be read is refused", "§10.1", Nothing, strange_prefix;
    "there is health", "§10.3", Nothing, health;
    "an unknown path is not found", "§11", Nothing, not_found;
    "an unknown method is refused", "§11", Nothing, wrong_method;
    "without a token nothing is told", "§11", OneAccount, without_token;
    "an unknown token is refused", "§11", OneAccount, strange_token;
}

async fn prefix(kit: &Kit) -> Check {
    let (phone, at, code) = (kit.phone(), kit.moment(), text::hash());
    let neighbour = text::neighbour(&code);
    let (voter, other) = (text::voter(), text::voter());
    phone.apply(&[phone.vote(&code, &voter, "safe", at), phone.vote(&neighbour, &other, "unsafe", at.plus(1))]).await?;
    for digits in [2, 3, 4] {
        let prefix = &code.to_string()[..digits];
        let ratings = phone.look_up(prefix).await?;
        let hashes: Vec<String> = ratings.iter().map(|rating| rating.qr_hash.to_string()).collect();
        expect(hashes.iter().all(|hash| hash.starts_with(prefix)), "hashes that begin so", &hashes)?;
        expect(hashes.is_sorted(), "in the order of their hashes", &hashes)?;
        let both = [code, neighbour].iter().all(|hash| hashes.contains(&hash.to_string()));
        expect(both, "both codes", &hashes)?;
    }
    Ok(())
}

async fn whole_hash(kit: &Kit) -> Check {
    let (phone, code) = (kit.phone(), text::hash());
    phone.apply(&[phone.vote(&code, &text::voter(), "safe", kit.moment())]).await?;
    let ratings = phone.look_up(&code.to_string()).await?;
    expect(ratings.len() == 1 && ratings[0].qr_hash == code, "one rating", &ratings)
}

async fn nobody_voted(kit: &Kit) -> Check {
    let ratings = kit.phone().look_up(&text::hash().to_string()).await?;
    expect(ratings.is_empty(), "no ratings", &ratings)
}

async fn capitals(kit: &Kit) -> Check {
    let (phone, code) = (kit.phone(), text::hash());
    phone.apply(&[phone.vote(&code, &text::voter(), "safe", kit.moment())]).await?;
    let (upper, lower) = (code.to_string().to_uppercase(), code.to_string());
    same("the ratings", &phone.look_up(&lower).await?, &phone.look_up(&upper).await?)
}

async fn without_device(kit: &Kit) -> Check {
    let phone = kit.phone();
    let path = format!("{RATINGS_PATH}{}", text::topic(&text::hash()));
    let answer = phone.get(&path, &[]).await?;
    expect(answer.status == 200, "status 200", &answer.shown())
}

async fn strange_prefix(kit: &Kit) -> Check {
    let phone = kit.phone();
    for prefix in ["9", "9f8x", "zz", "%20%20", &"a".repeat(65)] {
        phone.get(&format!("{RATINGS_PATH}{prefix}"), &[]).await?.refused(400, codes::MALFORMED)?;
    }
    let path = format!("{RATINGS_PATH}9f80");
    phone.get(&path, &[("next", "nowhere")]).await?.refused(400, codes::MALFORMED)?;
    phone.get(&path, &[("device", "a b")]).await?.refused(400, codes::MALFORMED)
}

async fn health(kit: &Kit) -> Check {
    let answer = kit.get("/healthz", &[], None).await?;
    expect(answer.status == 200, "status 200, without a token", &answer.shown())
}

async fn not_found(kit: &Kit) -> Check {
    let phone = kit.phone();
    for path in ["/api/nothing", "/api/sync/nothing", "/api/ratings/prefix"] {
        phone.get(path, &[]).await?.refused(404, codes::NOT_FOUND)?;
    }
    Ok(())
}

async fn wrong_method(kit: &Kit) -> Check {
    let phone = kit.phone();
    let token = phone.token.as_deref();
    for (method, path) in [
        (Method::GET, SYNC_PATH),
        (Method::DELETE, SYNC_PATH),
        (Method::POST, CHANGES_PATH),
        (Method::PUT, "/api/ratings/prefix/9f80"),
    ] {
        kit.send(method, path, &[], None, token).await?.refused(405, codes::METHOD_NOT_ALLOWED)?;
    }
    Ok(())
}

async fn without_token(kit: &Kit) -> Check {
    let mut phone = kit.phone();
    phone.token = None;
    phone.ask_raw(Ask(json!({"data": []}))).await?.refused(401, codes::AUTH)?;
    phone.changes(&[]).await?.refused(401, codes::AUTH)?;
    phone.get(&format!("{RATINGS_PATH}9f80"), &[("device", &phone.device)]).await?.refused(401, codes::AUTH)
}

async fn strange_token(kit: &Kit) -> Check {
    let mut phone = kit.phone();
    phone.token = Some(text::device());
    phone.ask_raw(Ask(json!({"data": []}))).await?.refused(401, codes::AUTH)
}
