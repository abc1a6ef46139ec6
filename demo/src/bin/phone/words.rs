//! What the core says, as the demo's README spells it.

use safescan_core::model::{Health, Rating, SyncReport, VoteOutcome};
use serde_json::{Value, json};

use super::Failure;

pub(crate) fn outcome(outcome: &VoteOutcome) -> &'static str {
    match outcome {
        VoteOutcome::Accepted { .. } => "Accepted",
        VoteOutcome::Updated { .. } => "Updated",
        VoteOutcome::Retracted { .. } => "Retracted",
        VoteOutcome::Unchanged { .. } => "Unchanged",
        VoteOutcome::Throttled { .. } => "Throttled",
        VoteOutcome::NotVotable { .. } => "NotVotable",
    }
}

pub(crate) fn rating(rating: &Rating) -> Value {
    let bits = |number: f64| format!("{:016x}", number.to_bits());
    json!({
        "safe": rating.safe_votes, "unsafe": rating.unsafe_votes, "confidence": bits(rating.confidence),
        "lower": bits(rating.lower), "upper": bits(rating.upper), "source": format!("{:?}", rating.source),
    })
}

pub(crate) fn report(report: &SyncReport) -> Value {
    json!({ "sent": report.sent, "received": report.received, "waiting": report.waiting })
}

pub(crate) fn health(health: &Health) -> Value {
    let states = health
        .services
        .iter()
        .map(|part| (format!("{:?}", part.service), json!([format!("{:?}", part.state), format!("{:?}", part.cause)])));
    json!({ "services": states.collect::<serde_json::Map<_, _>>() })
}

pub(crate) fn bytes(digits: &str) -> Result<Vec<u8>, Failure> {
    let pairs = (0..digits.len()).step_by(2).map(|at| digits.get(at..at + 2).unwrap_or("?"));
    Ok(pairs.map(|pair| u8::from_str_radix(pair, 16)).collect::<Result<_, _>>()?)
}
