//! What a message may cost before anything is made of it.

use serde::de::DeserializeOwned;

/// Levels of objects and arrays in a message. The protocol itself needs six; the rest is for what apps keep in settings.
pub const MAX_DEPTH: usize = 64;
/// Levels in an operation's body, so that it can be sent back within any message.
pub const MAX_BODY_DEPTH: usize = 32;
/// Values in a message. A page full of ratings has some 25,000; in memory each takes up to a hundred bytes.
pub const MAX_VALUES: usize = 65_536;

/// Why a message cannot be read. It does not say what the message holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// More levels than [`MAX_DEPTH`].
    #[error("too deep")]
    TooDeep,
    /// More values than [`MAX_VALUES`].
    #[error("too many values")]
    TooManyValues,
    /// No JSON, or a field is missing or of another kind.
    #[error("not of the expected shape")]
    Shape,
}

/// Reads a message that comes from the other side. What it may cost is known before memory is taken for it.
///
/// # Errors
/// See [`Unreadable`].
pub fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, Unreadable> {
    let size = measure(json);
    if size.depth > MAX_DEPTH {
        return Err(Unreadable::TooDeep);
    }
    if size.values > MAX_VALUES {
        return Err(Unreadable::TooManyValues);
    }
    serde_json::from_slice(json).map_err(|_| Unreadable::Shape)
}

/// How large something would be in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Levels of objects and arrays.
    pub depth: usize,
    /// Values, at most: names of fields count as well.
    pub values: usize,
}

/// Measures JSON in one pass without taking memory. What is no JSON gets some number.
#[must_use]
pub fn measure(json: &[u8]) -> Size {
    let mut size = Size { depth: 0, values: 1 };
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in json {
        if in_text {
            in_text = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'[' | b'{' => {
                depth += 1;
                size.depth = size.depth.max(depth);
                size.values += 1;
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' => size.values += 1,
            _ => {}
        }
    }
    size
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_values_are_counted_outside_of_texts() {
        let size = |json: &str| {
            let size = measure(json.as_bytes());
            (size.depth, size.values)
        };
        assert_eq!(size("7"), (0, 1));
        assert_eq!(size("[]"), (1, 2));
        assert_eq!(size(r#"{"a":[1,2,{"b":3}],"c":4}"#), (3, 7));
        assert_eq!(size(r#"["[[[,,,\"[[[,","\\",1]"#), (1, 4), "brackets in texts are none");
        assert_eq!(size("]]]["), (1, 2), "no JSON, and no harm");
    }

    #[test]
    fn what_would_cost_too_much_is_not_read() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(read::<serde_json::Value>(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert_eq!(read::<serde_json::Value>(nested(MAX_DEPTH + 1).as_bytes()), Err(Unreadable::TooDeep));
        let many = |values: usize| format!("[{}0]", "0,".repeat(values - 1));
        assert!(read::<serde_json::Value>(many(MAX_VALUES - 2).as_bytes()).is_ok());
        assert_eq!(read::<serde_json::Value>(many(MAX_VALUES).as_bytes()), Err(Unreadable::TooManyValues));
        assert_eq!(read::<u32>(b"nothing"), Err(Unreadable::Shape));
    }
}
