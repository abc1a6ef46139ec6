//! §6: whose voters are whose, and what follows on hosts.

use safescan_core::{
    model::{QrHash, UnixMillis, VoterId},
    protocol::{Rating, refusals},
};
use serde_json::Value;

use super::paragraphs;
use crate::{
    check::{Check, Failure, expect, same, show},
    kit::Kit,
    phone::{Phone, applied, rating_in, rejected},
    text,
};

paragraphs! {
    "a voter belongs to the first account that used it", "§6.2", TwoAccounts, voter_taken;
    "a voter on a host belongs to an account as well", "§6.2", TwoAccounts, host_voter_taken;
    "a rejected vote claims no voter", "§6.2", TwoAccounts, nothing_claimed;
    "a vote counts for the host", "§6.3", Nothing, host_counts;
    "a host has one register for each voter", "§6.3", Nothing, one_register;
    "a host follows the latest vote", "§6.3", Nothing, latest_vote;
    "a retraction lets the vote before speak again", "§6.3", Nothing, retraction_on_host;
    "a vote on the host itself comes first", "§6.3", Nothing, direct_vote;
    "a vote with another host leaves the first", "§6.3", Nothing, moved;
    "a vote without a host leaves the first", "§6.3", Nothing, without_host;
    "a vote whose host is its own key counts once", "§4", Nothing, own_host;
    "the host's rating comes with the answer", "§8.2", Nothing, named_host;
    "the host's rating comes with a retraction", "§8.2", Nothing, named_by_retraction;
}

async fn voter_taken(kit: &Kit) -> Check {
    let (phone, stranger, at) = (kit.phone(), kit.stranger(), kit.moment());
    let (code, voter) = (text::hash(), text::voter());
    phone.apply(&[phone.vote(&code, &voter, "safe", at)]).await?;
    for operation in [
        stranger.vote(&code, &voter, "unsafe", at.plus(5)),
        stranger.retraction(&code, &voter, at.plus(6)),
        stranger.vote(&text::hash(), &voter, "unsafe", at.plus(7)),
    ] {
        let response = stranger.sync(std::slice::from_ref(&operation)).await?;
        same("refusal", &refusals::VOTER_TAKEN.to_owned(), &rejected(&response, &operation)?)?;
    }
    let rating = phone.rating(&code).await?;
    expect((rating.safe.count, rating.unsafe_.count) == (1, 0), "the first account's vote alone", &rating)
}

async fn host_voter_taken(kit: &Kit) -> Check {
    let (phone, stranger, at) = (kit.phone(), kit.stranger(), kit.moment());
    let (host, host_voter) = (text::hash(), text::voter());
    let on =
        |phone: &Phone<'_>, at| phone.vote_with_host((&text::hash(), &text::voter()), (&host, &host_voter), "safe", at);
    phone.apply(&[on(&phone, at)]).await?;
    let theirs = on(&stranger, at.plus(1));
    let response = stranger.sync(std::slice::from_ref(&theirs)).await?;
    same("refusal", &refusals::VOTER_TAKEN.to_owned(), &rejected(&response, &theirs)?).map(drop)
}

async fn nothing_claimed(kit: &Kit) -> Check {
    let (phone, stranger, at) = (kit.phone(), kit.stranger(), kit.moment());
    let (code, mine, fresh) = (text::hash(), text::voter(), text::voter());
    phone.apply(&[phone.vote(&code, &mine, "safe", at)]).await?;
    // Of a fresh voter, on a host by a taken one: nothing of it takes effect.
    let theirs = stranger.vote_with_host((&code, &fresh), (&text::hash(), &mine), "unsafe", at.plus(1));
    rejected(&stranger.sync(std::slice::from_ref(&theirs)).await?, &theirs)?;
    phone.apply(&[phone.vote(&code, &fresh, "safe", at.plus(2))]).await.map(drop)
}

/// Two codes of one host, and a voter with a name on each.
struct Neighbours<'a> {
    phone: Phone<'a>,
    codes: [(QrHash, VoterId); 2],
    host: (QrHash, VoterId),
    at: UnixMillis,
}

impl<'a> Neighbours<'a> {
    fn new(kit: &'a Kit) -> Self {
        let code = || (text::hash(), text::voter());
        Self { phone: kit.phone(), codes: [code(), code()], host: code(), at: kit.moment() }
    }

    fn vote(&self, code: usize, vote: &str, after: i64) -> Value {
        let ((code, voter), (host, host_voter)) = (&self.codes[code], &self.host);
        self.phone.vote_with_host((code, voter), (host, host_voter), vote, self.at.plus(after))
    }

    fn retraction(&self, code: usize, after: i64) -> Value {
        let (code, voter) = &self.codes[code];
        self.phone.retraction(code, voter, self.at.plus(after))
    }

    /// The host must have one vote, this one, which is one's own.
    async fn host_says(&self, vote: &str, after: i64) -> Check<Rating> {
        let rating = self.phone.rating(&self.host.0).await?;
        let counts = if vote == "safe" { (1, 0) } else { (0, 1) };
        let at = self.at.plus(after);
        let expected = format!("one vote on the host, {vote} of {}", at.0);
        expect((rating.safe.count, rating.unsafe_.count) == counts, expected.as_str(), &rating)?;
        expect(rating.newest == Some(at), expected, &rating)?;
        let own = serde_json::json!([{"voter": self.host.1.to_string(), "vote": vote, "at": at.0}]);
        expect(serde_json::json!(rating.own) == own, format!("`own` {own} (§9.1)"), &rating)?;
        Ok(rating)
    }

    async fn host_is_silent(&self) -> Check {
        let rating = self.phone.rating(&self.host.0).await?;
        let silent = rating.safe.count + rating.unsafe_.count == 0 && rating.newest.is_none();
        expect(silent, "no vote on the host", &rating)?;
        let gone = rating.own.iter().all(|own| own.vote.is_none());
        expect(gone, "`own` none (§9.1)", &rating)
    }
}

async fn host_counts(kit: &Kit) -> Check {
    let at = Neighbours::new(kit);
    at.phone.apply(&[at.vote(0, "unsafe", 0)]).await?;
    at.host_says("unsafe", 0).await.map(drop)
}

async fn one_register(kit: &Kit) -> Check {
    let at = Neighbours::new(kit);
    at.phone.apply(&[at.vote(0, "safe", 0), at.vote(1, "safe", 5)]).await?;
    at.host_says("safe", 5).await.map(drop)
}

async fn latest_vote(kit: &Kit) -> Check {
    let at = Neighbours::new(kit);
    at.phone.apply(&[at.vote(0, "unsafe", 9)]).await?;
    // Earlier, and comes later.
    at.phone.apply(&[at.vote(1, "safe", 4)]).await?;
    at.host_says("unsafe", 9).await?;
    at.phone.apply(&[at.vote(1, "safe", 12)]).await?;
    at.host_says("safe", 12).await.map(drop)
}

async fn retraction_on_host(kit: &Kit) -> Check {
    let at = Neighbours::new(kit);
    at.phone.apply(&[at.vote(0, "unsafe", 0), at.vote(1, "safe", 5)]).await?;
    at.phone.apply(&[at.retraction(1, 6)]).await?;
    at.host_says("unsafe", 0).await?;
    at.phone.apply(&[at.retraction(0, 7)]).await?;
    at.host_is_silent().await
}

async fn direct_vote(kit: &Kit) -> Check {
    let at = Neighbours::new(kit);
    let (host, voter) = &at.host;
    at.phone.apply(&[at.vote(0, "safe", 0)]).await?;
    at.phone.apply(&[at.phone.vote(host, voter, "unsafe", at.at.plus(1))]).await?;
    at.host_says("unsafe", 1).await?;
    at.phone.apply(&[at.vote(1, "safe", 2)]).await?;
    at.host_says("unsafe", 1).await?;
    at.phone.apply(&[at.phone.retraction(host, voter, at.at.plus(3))]).await?;
    at.host_says("safe", 2).await.map(drop)
}

async fn moved(kit: &Kit) -> Check {
    let at = Neighbours::new(kit);
    at.phone.apply(&[at.vote(0, "safe", 0)]).await?;
    let other = Neighbours { host: (text::hash(), text::voter()), codes: at.codes, phone: kit.phone(), at: at.at };
    // The same phone, for it is its voter.
    at.phone
        .apply(&[at.phone.vote_with_host(
            (&at.codes[0].0, &at.codes[0].1),
            (&other.host.0, &other.host.1),
            "unsafe",
            at.at.plus(1),
        )])
        .await?;
    at.host_is_silent().await?;
    let rating = at.phone.rating(&other.host.0).await?;
    expect((rating.safe.count, rating.unsafe_.count) == (0, 1), "the vote on the other host", &rating)
}

async fn without_host(kit: &Kit) -> Check {
    let at = Neighbours::new(kit);
    let (code, voter) = &at.codes[0];
    at.phone.apply(&[at.vote(0, "safe", 0)]).await?;
    at.phone.apply(&[at.phone.vote(code, voter, "safe", at.at.plus(1))]).await?;
    at.host_is_silent().await
}

async fn own_host(kit: &Kit) -> Check {
    let (phone, at, code, voter) = (kit.phone(), kit.moment(), text::hash(), text::voter());
    phone.apply(&[phone.vote_with_host((&code, &voter), (&code, &voter), "safe", at)]).await?;
    let rating = phone.rating(&code).await?;
    expect(rating.safe.count == 1, "one vote", &rating)?;
    phone.apply(&[phone.retraction(&code, &voter, at.plus(1))]).await?;
    let rating = phone.rating(&code).await?;
    expect(rating.safe.count == 0, "no vote", &rating)
}

async fn named_host(kit: &Kit) -> Check {
    let at = Neighbours::new(kit);
    let vote = at.vote(0, "safe", 0);
    let response = at.phone.apply(std::slice::from_ref(&vote)).await?;
    let (code, host) = (rating_in(&response.changes, &at.codes[0].0)?, rating_in(&response.changes, &at.host.0)?);
    same("`rev` of result and rating (§3.3)", &Some(code.rev), &applied(&response, &vote)?.1)?;
    same("the looked-up rating", code, &at.phone.rating(&at.codes[0].0).await?)?;
    same("the looked-up rating of the host", host, &at.phone.rating(&at.host.0).await?)?;
    // A duplicate brings it as well.
    let again = at.phone.sync(&[vote]).await?;
    rating_in(&again.changes, &at.codes[0].0)?;
    rating_in(&again.changes, &at.host.0).map(drop)
}

async fn named_by_retraction(kit: &Kit) -> Check {
    let at = Neighbours::new(kit);
    at.phone.apply(&[at.vote(0, "safe", 0)]).await?;
    let response = at.phone.apply(&[at.retraction(0, 1)]).await?;
    let host = rating_in(&response.changes, &at.host.0)?;
    if host.safe.count == 0 { Ok(()) } else { Err(Failure::new("the host without the vote", show(host))) }
}
