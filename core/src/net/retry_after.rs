//! `Retry-After`, in both its forms. A server may ask for patience, but not for ever.

use std::time::UNIX_EPOCH;

use crate::model::{DAY_MS, UnixMillis};

/// The longest wait that is obeyed: whoever wants a phone to stay away for longer can say so again tomorrow.
const MAX_MS: i64 = DAY_MS;

/// Milliseconds from `now`, at most a day. Nothing if the text says neither seconds nor a date.
pub(super) fn read(text: &str, now: UnixMillis) -> Option<u32> {
    let text = text.trim();
    let millis = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number holds are still a number, and a large one.
        text.parse::<i64>().unwrap_or(i64::MAX).saturating_mul(1000)
    } else {
        let date = httpdate::parse_http_date(text).ok()?;
        // Dates of HTTP begin in 1970.
        let since = date.duration_since(UNIX_EPOCH).ok()?;
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX).saturating_sub(now.0)
    };
    u32::try_from(millis.clamp(0, MAX_MS)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    // 1994-11-06T08:49:37Z
    const NOW: UnixMillis = UnixMillis(784_111_777_000);

    #[test]
    fn seconds() {
        assert_eq!(read("0", NOW), Some(0));
        assert_eq!(read(" 120 ", NOW), Some(120_000));
        let day = u32::try_from(DAY_MS).ok();
        for huge in ["86401", "9999999999999999", "99999999999999999999999999999999999999"] {
            assert_eq!(read(huge, NOW), day, "{huge}");
        }
    }

    #[test]
    fn dates() {
        assert_eq!(read("Sun, 06 Nov 1994 08:50:07 GMT", NOW), Some(30_000));
        assert_eq!(read("Sunday, 06-Nov-94 08:50:07 GMT", NOW), Some(30_000), "an old form");
        assert_eq!(read("Sun, 06 Nov 1994 08:49:36 GMT", NOW), Some(0), "a second ago");
        assert_eq!(read("Fri, 31 Dec 9999 23:59:59 GMT", NOW), u32::try_from(DAY_MS).ok());
        assert_eq!(read("Sun, 06 Nov 1994 08:50:07 GMT", UnixMillis(i64::MIN)), u32::try_from(DAY_MS).ok());
        assert_eq!(read("Sun, 06 Nov 1994 08:50:07 GMT", UnixMillis(i64::MAX)), Some(0));
    }

    #[test]
    fn anything_else_says_nothing() {
        for bad in ["", "-1", "1.5", "+5", "soon", "１２", "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994"] {
            assert_eq!(read(bad, NOW), None, "{bad}");
        }
    }
}
