//! What an entry of the old stores says, as far as it says something.
//!
//! Only the votes had a documented shape. Of a scan it is known that it has a `timestamp`; the rest goes by the names
//! that such a field has in one app or another, and the whole entry is kept as the scan's metadata.

use serde_json::{Map, Value};

use crate::{
    limits::{EARLIEST, MAX_KEY_BYTES, MAX_METADATA_BYTES, SCAN_SKEW_MS, VOTE_SKEW_MS, check_name, check_qr_text},
    model::{QrHash, UnixMillis, Verdict, VoteChoice},
    qr,
    storage::scans::Draft,
};

/// Fields that hold a code's text, the likeliest first.
const TEXTS: [&str; 6] = ["qrData", "data", "text", "content", "value", "url"];
/// Fields that say when, in milliseconds since 1970.
const TIMES: [&str; 4] = ["timestamp", "scannedAt", "createdAt", "date"];
/// Fields that say what the app made of it.
const VERDICTS: [&str; 5] = ["verdict", "safetyStatus", "safety", "status", "result"];

/// A vote as it was stored.
pub(super) struct OldVote {
    pub(super) code: OldCode,
    pub(super) choice: VoteChoice,
    pub(super) at: UnixMillis,
    pub(super) user_id: Option<String>,
}

/// How a vote names its code.
pub(super) enum OldCode {
    /// By a hash that is one.
    Full(QrHash),
    /// By 31 bits.
    Legacy(u32),
}

/// An entry as an object.
pub(super) fn object(entry: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(entry).ok()
}

/// The scan that an entry describes, and whether all of the entry went into it.
pub(super) fn scan(entry: &str, fields: &Map<String, Value>, now: UnixMillis) -> Option<(Draft, bool)> {
    let text = TEXTS.iter().find_map(|name| fields.get(*name)?.as_str()).filter(|text| check_qr_text(text).is_ok())?;
    let at = TIMES.iter().find_map(|name| millis(fields.get(*name)?))?;
    let scanned_at = past(at, now, SCAN_SKEW_MS)?;
    let fits = entry.len() <= MAX_METADATA_BYTES;
    let draft = Draft {
        kind: qr::classify(text),
        verdict: verdict(fields),
        scanned_at,
        qr_hash: qr::hash_text(text),
        text: text.to_owned(),
        metadata: fits.then(|| entry.to_owned()),
    };
    Some((draft, fits))
}

/// The vote that an entry describes.
pub(super) fn vote(fields: &Map<String, Value>, now: UnixMillis) -> Option<OldVote> {
    let name = fields.get("qrHash")?.as_str()?;
    let full = QrHash::parse(name.strip_prefix("sha256_").unwrap_or(name)).map(OldCode::Full);
    let code = full.or_else(|| super::legacy_hash::parse(name).map(OldCode::Legacy))?;
    let choice = match fields.get("vote")?.as_str()? {
        "safe" => VoteChoice::Safe,
        "unsafe" => VoteChoice::Unsafe,
        _ => return None,
    };
    let at = past(millis(fields.get("timestamp")?)?, now, VOTE_SKEW_MS)?;
    let user_id = match fields.get("userId") {
        None | Some(Value::Null) => None,
        Some(user) => Some(user.as_str().filter(|user| check_name("user_id", user, MAX_KEY_BYTES).is_ok())?.to_owned()),
    };
    Some(OldVote { code, choice, at, user_id })
}

/// A number of milliseconds, written as a number or as its digits.
fn millis(value: &Value) -> Option<UnixMillis> {
    #[expect(clippy::cast_possible_truncation, reason = "it saturates, and what is out of range is refused later")]
    let number = match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|float| float as i64))?,
        Value::String(digits) => digits.parse().ok()?,
        _ => return None,
    };
    Some(UnixMillis(number))
}

/// A clock that once stood ahead wrote times that are still to come: they count as now. None before there were any.
fn past(at: UnixMillis, now: UnixMillis, skew_ms: i64) -> Option<UnixMillis> {
    if at < EARLIEST {
        return None;
    }
    Some(if at > now.plus(skew_ms).max(EARLIEST) { now.max(EARLIEST) } else { at })
}

fn verdict(fields: &Map<String, Value>) -> Verdict {
    if let Some(safe) = fields.get("isSafe").and_then(Value::as_bool) {
        return if safe { Verdict::Safe } else { Verdict::Unsafe };
    }
    let word = VERDICTS.iter().find_map(|name| fields.get(*name)?.as_str()).unwrap_or_default();
    match word.to_ascii_lowercase().as_str() {
        "safe" | "trusted" => Verdict::Safe,
        "suspicious" | "warning" | "caution" => Verdict::Suspicious,
        "unsafe" | "dangerous" | "danger" | "malicious" => Verdict::Unsafe,
        _ => Verdict::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    fn read_scan(value: &Value) -> Option<(Draft, bool)> {
        let entry = value.to_string();
        scan(&entry, &object(&entry)?, NOW)
    }

    fn read_vote(value: &Value) -> Option<OldVote> {
        vote(&object(&value.to_string())?, NOW)
    }

    #[test]
    fn a_scan_by_any_name() {
        for name in TEXTS {
            let (draft, whole) =
                read_scan(&json!({ name: "https://a.example/", "timestamp": 1_700_000_000_000_i64 })).unwrap();
            assert!(whole && draft.text == "https://a.example/" && draft.scanned_at.0 == 1_700_000_000_000, "{name}");
        }
        let (draft, _) = read_scan(&json!({ "data": "x", "timestamp": "1700000000000", "status": "SAFE" })).unwrap();
        assert_eq!((draft.verdict, draft.scanned_at.0), (Verdict::Safe, 1_700_000_000_000));
        let (draft, _) = read_scan(&json!({ "data": "x", "timestamp": 1.7e12, "isSafe": false })).unwrap();
        assert_eq!(draft.verdict, Verdict::Unsafe);
    }

    #[test]
    fn times_to_come_are_now_and_times_before_all_are_none() {
        let at = |at: i64| read_scan(&json!({ "data": "x", "timestamp": at })).map(|(draft, _)| draft.scanned_at);
        assert_eq!(at(NOW.0 + 1), Some(NOW.plus(1)), "clocks differ a little");
        assert_eq!(at(i64::MAX), Some(NOW));
        assert_eq!((at(0), at(1_700_000_000), at(i64::MIN)), (None, None, None));
        assert!(
            read_scan(&json!({ "data": "x", "timestamp": 1e300 })).is_some_and(|(draft, _)| draft.scanned_at == NOW)
        );
    }

    #[test]
    fn what_describes_no_scan() {
        for entry in [
            json!({ "timestamp": NOW.0 }),
            json!({ "data": "x" }),
            json!({ "data": 5, "timestamp": NOW.0 }),
            json!({ "data": "", "timestamp": NOW.0 }),
            json!({ "data": "a\0b", "timestamp": NOW.0 }),
            json!({ "data": "x".repeat(5_000), "timestamp": NOW.0 }),
            json!({ "data": "x", "timestamp": null }),
        ] {
            assert!(read_scan(&entry).is_none(), "{entry}");
        }
        let long = json!({ "data": "x", "timestamp": NOW.0, "more": "y".repeat(MAX_METADATA_BYTES) });
        assert!(read_scan(&long).is_some_and(|(draft, whole)| draft.metadata.is_none() && !whole));
    }

    #[test]
    fn votes() {
        let at = 1_700_000_000_000_i64;
        let good = json!({ "userId": "u", "qrHash": "sha256_1f", "vote": "unsafe", "timestamp": at });
        let vote = read_vote(&good).unwrap();
        assert!(matches!(vote.code, OldCode::Legacy(0x1f)) && vote.choice == VoteChoice::Unsafe && vote.at.0 == at);
        let full = format!("sha256_{}", "ab".repeat(32));
        let vote = read_vote(&json!({ "qrHash": full, "vote": "safe", "timestamp": at })).unwrap();
        assert!(matches!(vote.code, OldCode::Full(hash) if hash.0 == [0xab; 32]) && vote.user_id.is_none());
        for (field, bad) in
            [("qrHash", json!("md5")), ("vote", json!("maybe")), ("timestamp", json!(1)), ("userId", json!(7))]
        {
            let mut vote = good.clone();
            vote[field] = bad;
            assert!(read_vote(&vote).is_none(), "{field}");
        }
    }
}
