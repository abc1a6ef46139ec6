//! §9: sums, compared with what the votes sent come to.

use safescan_core::{
    model::{DAY_MS, QrHash, UnixMillis, VoteChoice, VoterId},
    protocol::Rating,
    voting::{Ballot, LINE_MS, Reputation, Score, Tally},
};
use serde_json::{Value, json};

use super::paragraphs;
use crate::{
    check::{Check, expect, same},
    kit::Kit,
    phone::Phone,
    text,
};

paragraphs! {
    "a code without votes has no sums", "§9.1", Nothing, nothing;
    "sums are those of the votes", "§9.1", Nothing, sums;
    "sums of many votes give the rating to the last bit", "§9.2", Nothing, to_the_last_bit;
    "a vote of more than 27 days is clamped", "§9.1", Nothing, clamped;
    "a rating is exact for the server's now", "§9.3", Nothing, exact_now;
    "what is retracted leaves nothing behind", "§9.1", Nothing, nothing_left;
    "the extremes are right after a retraction", "§9.1", Nothing, extremes;
    "a changed vote moves to the other side", "§9.1", Nothing, other_side;
    "the revision grows with each change", "§9.1", Nothing, revision;
    "own names every voter of the account", "§9.1", Nothing, own;
    "own is of the asking account only", "§17", TwoAccounts, own_only;
}

/// Votes of voters of their own, and what they come to.
struct Crowd {
    code: QrHash,
    votes: Vec<(VoterId, Ballot)>,
}

impl Crowd {
    /// Voters who vote at these moments, every third for unsafe.
    fn voting_at(moments: impl IntoIterator<Item = UnixMillis>) -> Self {
        let ballot = |(number, at): (usize, UnixMillis)| {
            let choice = if number % 3 == 2 { VoteChoice::Unsafe } else { VoteChoice::Safe };
            (text::voter(), Ballot { choice, at, reputation: Reputation::NEUTRAL })
        };
        Self { code: text::hash(), votes: moments.into_iter().enumerate().map(ballot).collect() }
    }

    async fn cast(&self, phone: &Phone<'_>) -> Check {
        let name = |choice| if choice == VoteChoice::Safe { "safe" } else { "unsafe" };
        let votes: Vec<Value> = self
            .votes
            .iter()
            .map(|(voter, ballot)| phone.vote(&self.code, voter, name(ballot.choice), ballot.at))
            .collect();
        for batch in votes.chunks(20) {
            phone.apply(batch).await?;
        }
        Ok(())
    }

    /// The tally with the line where the server has it.
    fn tally(&self, watermark: Option<UnixMillis>) -> Tally {
        let mut tally = Tally::default();
        if let Some(watermark) = watermark {
            tally.set_watermark(watermark);
        }
        self.votes.iter().for_each(|(_, ballot)| tally.add(ballot));
        tally
    }

    /// Fails unless the server's rating is that of the votes.
    fn check(&self, rating: &Rating) -> Check {
        let tally = rating.tally();
        expect(tally.is_some(), "sums that votes can have made (§9.5)", rating)?;
        let expected = Rating::of(self.code, rating.rev, &self.tally(rating.watermark), rating.own.clone());
        same("the rating", &json!(expected), &json!(rating))
    }
}

async fn nothing(kit: &Kit) -> Check {
    let (phone, code, voter) = (kit.phone(), text::hash(), text::voter());
    phone.apply(&[phone.retraction(&code, &voter, kit.moment())]).await?;
    let rating = phone.rating(&code).await?;
    let empty = json!({"count": 0, "n": 0, "s": "0", "c": 0});
    expect(json!(rating.safe) == empty && json!(rating.unsafe_) == empty, "sums of zero", &rating)?;
    expect(rating.newest.is_none() && rating.exact_until.is_none(), "newest and exactUntil null", &rating)
}

async fn sums(kit: &Kit) -> Check {
    let phone = kit.phone();
    let crowd = Crowd::voting_at([kit.moment(), kit.moment(), kit.moment()]);
    crowd.cast(&phone).await?;
    let rating = phone.rating(&crowd.code).await?;
    expect((rating.safe.count, rating.unsafe_.count) == (2, 1), "two for safe, one for unsafe", &rating)?;
    crowd.check(&rating)
}

async fn to_the_last_bit(kit: &Kit) -> Check {
    let (phone, now) = (kit.phone(), kit.now());
    // Forty votes over sixty days, on both sides of the line.
    let moments = (0_i64..40).map(|number| now.minus(number * 3 * DAY_MS / 2 + number * 977));
    let crowd = Crowd::voting_at(moments);
    crowd.cast(&phone).await?;
    let rating = phone.rating(&crowd.code).await?;
    crowd.check(&rating)?;
    // Twice the same sums read at the same moment: the same digits.
    let (theirs, ours) = (rating.tally().unwrap_or_default(), crowd.tally(rating.watermark));
    let at = kit.now();
    let score = |tally: &Tally| Score::new(tally.weights_as_known(at).weights, tally.count());
    same("the score", &score(&ours), &score(&theirs))
}

async fn clamped(kit: &Kit) -> Check {
    let (phone, now) = (kit.phone(), kit.now());
    let crowd = Crowd::voting_at([now.minus(40 * DAY_MS), now.minus(28 * DAY_MS), now.minus(26 * DAY_MS)]);
    crowd.cast(&phone).await?;
    let rating = phone.rating(&crowd.code).await?;
    expect(rating.safe.c == 2_000 && rating.safe.n == 0, "the votes of 28 and 40 days clamped", &rating)?;
    expect(rating.unsafe_.n == 1_000 && rating.unsafe_.c == 0, "the vote of 26 days linear", &rating)?;
    crowd.check(&rating)
}

async fn exact_now(kit: &Kit) -> Check {
    let phone = kit.phone();
    let crowd = Crowd::voting_at([kit.now().minus(LINE_MS + 1), kit.now().minus(LINE_MS - 3_600_000)]);
    crowd.cast(&phone).await?;
    let before = kit.now();
    let rating = phone.rating(&crowd.code).await?;
    // A clock's step on the way is not the server's fault.
    let exact = rating.exact_until.is_some_and(|until| until >= before.minus(1_000));
    expect(exact, "exactUntil not before the server's now", &rating)
}

async fn nothing_left(kit: &Kit) -> Check {
    let phone = kit.phone();
    let crowd = Crowd::voting_at([kit.moment(), kit.now().minus(35 * DAY_MS), kit.moment()]);
    crowd.cast(&phone).await?;
    for (voter, ballot) in &crowd.votes {
        phone.apply(&[phone.retraction(&crowd.code, voter, ballot.at.plus(1))]).await?;
    }
    let rating = phone.rating(&crowd.code).await?;
    let empty = json!({"count": 0, "n": 0, "s": "0", "c": 0});
    expect(json!(rating.safe) == empty && json!(rating.unsafe_) == empty, "sums of zero", &rating)?;
    expect(rating.newest.is_none() && rating.exact_until.is_none(), "newest and exactUntil null", &rating)
}

async fn extremes(kit: &Kit) -> Check {
    let phone = kit.phone();
    let mut crowd = Crowd::voting_at([kit.moment(), kit.moment(), kit.moment(), kit.moment()]);
    crowd.cast(&phone).await?;
    // Moments go back: the first is the newest, the last the oldest.
    for at in [crowd.votes.len() - 1, 0] {
        let (voter, ballot) = crowd.votes.remove(at);
        phone.apply(&[phone.retraction(&crowd.code, &voter, ballot.at.plus(1))]).await?;
        crowd.check(&phone.rating(&crowd.code).await?)?;
    }
    Ok(())
}

async fn other_side(kit: &Kit) -> Check {
    let phone = kit.phone();
    let mut crowd = Crowd::voting_at([kit.moment(), kit.moment()]);
    crowd.cast(&phone).await?;
    let (voter, ballot) = &mut crowd.votes[0];
    *ballot = Ballot { choice: VoteChoice::Unsafe, at: ballot.at.plus(7), ..*ballot };
    phone.apply(&[phone.vote(&crowd.code, voter, "unsafe", ballot.at)]).await?;
    crowd.check(&phone.rating(&crowd.code).await?)
}

async fn revision(kit: &Kit) -> Check {
    let (phone, at, code, voter) = (kit.phone(), kit.moment(), text::hash(), text::voter());
    let mut before = 0;
    for (number, vote) in (0..).zip(["safe", "unsafe", "safe"]) {
        phone.apply(&[phone.vote(&code, &voter, vote, at.plus(number))]).await?;
        let rating = phone.rating(&code).await?;
        expect(rating.rev > before, format!("a revision greater than {before}"), &rating)?;
        before = rating.rev;
    }
    Ok(())
}

async fn own(kit: &Kit) -> Check {
    let (phone, at, code) = (kit.phone(), kit.moment(), text::hash());
    let [ann, bob, eve] = [text::voter(), text::voter(), text::voter()];
    phone
        .apply(&[
            phone.vote(&code, &ann, "safe", at),
            phone.vote(&code, &bob, "unsafe", at.plus(1)),
            phone.vote(&code, &eve, "safe", at.plus(2)),
            phone.retraction(&code, &eve, at.plus(3)),
        ])
        .await?;
    let rating = phone.rating(&code).await?;
    let mut own: Vec<_> = rating.own.iter().map(|own| (own.voter, own.vote, own.at)).collect();
    let mut expected =
        vec![(ann, Some(VoteChoice::Safe), at), (bob, Some(VoteChoice::Unsafe), at.plus(1)), (eve, None, at.plus(3))];
    own.sort_unstable();
    expected.sort_unstable();
    expect(own == expected, "three own registers, one of them none", &rating)
}

async fn own_only(kit: &Kit) -> Check {
    let (phone, stranger, at, code) = (kit.phone(), kit.stranger(), kit.moment(), text::hash());
    phone.apply(&[phone.vote(&code, &text::voter(), "safe", at)]).await?;
    let theirs = stranger.rating(&code).await?;
    expect(theirs.own.is_empty(), "an empty `own` for another account", &theirs)?;
    let response = stranger.apply(&[stranger.vote(&code, &text::voter(), "safe", at.plus(1))]).await?;
    let named = crate::phone::rating_in(&response.changes, &code)?;
    expect(named.own.len() == 1 && named.safe.count == 2, "two votes, one of them one's own", named)
}
