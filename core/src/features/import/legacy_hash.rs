//! The name that a code had: `sha256_` and the digits of a 31-bit hash, which is no SHA-256.

/// The hash of a code's text, as it was computed in JavaScript over the text's UTF-16 units.
pub(super) fn of(text: &str) -> u32 {
    let step = |hash: i32, unit: u16| hash.wrapping_shl(5).wrapping_sub(hash).wrapping_add(i32::from(unit));
    text.encode_utf16().fold(0, step).unsigned_abs()
}

/// Reads such a name.
pub(super) fn parse(name: &str) -> Option<u32> {
    let digits = name.strip_prefix("sha256_")?;
    let plain = digits.len() <= 8 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if plain { u32::from_str_radix(digits, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed by the function in a JavaScript engine.
    const KNOWN: [(&str, &str); 5] = [
        ("", "sha256_0"),
        ("https://example.com/", "sha256_6ea7eadf"),
        ("https://example.com/Aa", "sha256_6458a6df"),
        ("https://example.com/BB", "sha256_6458a6df"),
        ("Grüße, 世界 🌍", "sha256_242ab490"),
    ];

    #[test]
    fn known_answers() {
        for (text, name) in KNOWN {
            assert_eq!(Some(of(text)), parse(name), "{text:?}");
        }
    }

    #[test]
    fn other_names_are_none() {
        for name in ["", "sha256_", "3dcd4428", "sha256_xyz", "sha256_123456789", "sha256_+1", "sha256_-1"] {
            assert_eq!(parse(name), None, "{name:?}");
        }
    }
}
