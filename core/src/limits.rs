//! The sizes the core accepts, and the checks that hold them. Every argument passes here before anything is done.

use crate::{
    error::{Error, Problem, Result},
    model::{DAY_MS, UnixMillis},
};

/// Characters in a code's text: 4,296 is what the largest QR code (version 40-L) holds in alphanumeric mode. (In bytes it
/// holds 2,953, in digits 7,089; a text of digits that long is no use to anybody.)
pub const MAX_QR_CHARS: usize = 4_296;
/// Bytes of what the app keeps with a scan: enough for a page of JSON, too little to make a file store of the history.
pub const MAX_METADATA_BYTES: usize = 16 * 1024;
/// Bytes in a key, a user id, a setting's or a service's name: longer than any sensible one, short enough to index.
pub const MAX_KEY_BYTES: usize = 1024;
/// Bytes in a value: AsyncStorage on Android could not read back more than 2 MB; one write should not fill a disk.
pub const MAX_VALUE_BYTES: usize = 16 * 1024 * 1024;
/// Rows in a page: what a screen can show, and what crosses the language border in well under a millisecond.
pub const MAX_PAGE: u32 = 500;
/// Items in one batch: one transaction of this size holds others up for some tens of milliseconds at the most.
pub const MAX_BATCH: usize = 10_000;
/// The first instant taken for a time (2001-09-09): before it, seconds were given for milliseconds.
pub const EARLIEST: UnixMillis = UnixMillis(1_000_000_000_000);
/// How far ahead of the device's clock a scan may be dated: another device's clock may be a time zone off.
pub const SCAN_SKEW_MS: i64 = DAY_MS;
/// How far ahead of the device's clock a vote may be dated: clocks differ by minutes, and a future date weighs more.
pub const VOTE_SKEW_MS: i64 = 5 * 60 * 1000;

/// A text that must be there, within `max_bytes`, without NUL.
pub(crate) fn check_name(field: &'static str, text: &str, max_bytes: usize) -> Result<()> {
    if text.is_empty() {
        return Err(Error::invalid(field, Problem::Empty));
    }
    check_no_nul(field, text)?;
    check_bytes(field, text, max_bytes)
}

/// A code's text.
pub(crate) fn check_qr_text(text: &str) -> Result<()> {
    check_no_nul("text", text)?;
    if text.trim().is_empty() {
        return Err(Error::invalid("text", Problem::Empty));
    }
    // A character has at most four bytes: only texts that may be too long are counted.
    if text.len() > MAX_QR_CHARS && text.chars().count() > MAX_QR_CHARS {
        return Err(Error::invalid("text", Problem::TooLong { limit: MAX_QR_CHARS as u64, unit: "characters" }));
    }
    Ok(())
}

/// A text of at most `max` bytes; it may be empty.
pub(crate) fn check_bytes(field: &'static str, text: &str, max: usize) -> Result<()> {
    if text.len() > max {
        return Err(Error::invalid(field, Problem::TooLong { limit: max as u64, unit: "bytes" }));
    }
    Ok(())
}

/// The size of a page.
pub(crate) fn check_page(limit: u32) -> Result<()> {
    check_range("limit", i64::from(limit), 1, i64::from(MAX_PAGE))
}

/// The size of a batch.
pub(crate) fn check_batch(field: &'static str, len: usize) -> Result<()> {
    if len > MAX_BATCH {
        return Err(Error::invalid(field, Problem::TooLong { limit: MAX_BATCH as u64, unit: "items" }));
    }
    Ok(())
}

/// An instant between [`EARLIEST`] and `skew_ms` after `now`.
pub(crate) fn check_instant(field: &'static str, at: UnixMillis, now: UnixMillis, skew_ms: i64) -> Result<()> {
    // A device whose clock stands before 2001 still scans.
    let latest = now.plus(skew_ms).max(EARLIEST);
    check_range(field, at.0, EARLIEST.0, latest.0)
}

/// A number between `min` and `max`.
pub(crate) fn check_range(field: &'static str, number: i64, min: i64, max: i64) -> Result<()> {
    if (min..=max).contains(&number) { Ok(()) } else { Err(Error::invalid(field, Problem::OutOfRange { min, max })) }
}

fn check_no_nul(field: &'static str, text: &str) -> Result<()> {
    if text.contains('\0') { Err(Error::invalid(field, Problem::HasNul)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_codes() {
        assert!(check_qr_text(&"1".repeat(MAX_QR_CHARS)).is_ok());
        assert!(check_qr_text(&"語".repeat(MAX_QR_CHARS)).is_ok(), "characters are counted, not bytes");
        assert!(check_qr_text(&"1".repeat(MAX_QR_CHARS + 1)).is_err());
        for bad in ["", "  \n", "a\0b"] {
            assert!(check_qr_text(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_pages_and_times() {
        assert!(check_name("key", &"k".repeat(MAX_KEY_BYTES), MAX_KEY_BYTES).is_ok());
        for bad in ["", "a\0", &"k".repeat(MAX_KEY_BYTES + 1)] {
            assert!(check_name("key", bad, MAX_KEY_BYTES).is_err());
        }
        assert!(check_page(1).is_ok() && check_page(500).is_ok());
        assert!(check_page(0).is_err() && check_page(501).is_err());
        let now = UnixMillis(1_700_000_000_000);
        assert!(check_instant("t", now, now, 0).is_ok());
        for bad in [now.plus(1), UnixMillis(-1), UnixMillis(i64::MAX), UnixMillis(1_700_000_000)] {
            assert!(check_instant("t", bad, now, 0).is_err(), "{bad:?}");
        }
    }
}
