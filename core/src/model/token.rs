use std::fmt;

/// What shows the server for whom requests are made. It does not show itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// As long as any gateway takes a header.
    pub const MAX_BYTES: usize = 8 * 1024;

    /// Takes a token that can stand in a header: visible ASCII without spaces. Anything else is `None`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        let fits =
            !text.is_empty() && text.len() <= Self::MAX_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then_some(Self(text))
    }

    /// The text, for the one header and the one frame that carry it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Hides the value.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_fits_a_header() {
        let token = Token::new("abc.DEF-123_~").expect("a usual one");
        assert_eq!((token.reveal(), format!("{token:?}").as_str()), ("abc.DEF-123_~", "Token(…)"));
        for bad in ["", "a b", "a\r\nX-Evil: 1", "é", "a\0", &"x".repeat(Token::MAX_BYTES + 1)] {
            assert_eq!(Token::new(bad), None);
        }
    }
}
