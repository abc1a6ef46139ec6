//! Who asks.

mod jwt;
mod tokens;

use crate::{
    config::{AuthConfig, AuthMode},
    rules::Account,
};

/// How requests are told apart.
pub enum Auth {
    /// Each device is an account.
    None,
    /// By a list.
    Tokens(tokens::Tokens),
    /// By signature.
    Jwt(Box<jwt::Jwt>),
}

/// The token is missing, unknown or expired. Which of these is not told: it would help only who guesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

impl Auth {
    /// Prepares what the configuration asks for.
    ///
    /// # Errors
    /// In a line: what is wrong with it.
    pub fn new(config: &AuthConfig) -> Result<Self, String> {
        Ok(match config.mode {
            AuthMode::None => Self::None,
            AuthMode::Tokens => Self::Tokens(tokens::Tokens::new(config)?),
            AuthMode::Jwt => Self::Jwt(Box::new(jwt::Jwt::new(config)?)),
        })
    }

    /// The account on whose behalf is asked; `None` where there are no tokens and no device is named either.
    ///
    /// # Errors
    /// A token is needed, and this is none.
    pub fn account(&self, token: Option<&str>, device: &str) -> Result<Option<Account>, Refused> {
        match self {
            Self::None => Ok((!device.is_empty()).then(|| Account::of_device(device))),
            Self::Tokens(tokens) => tokens.account(token.ok_or(Refused)?).map(Some),
            Self::Jwt(jwt) => jwt.account(token.ok_or(Refused)?).map(Some),
        }
    }
}

/// The token in an `Authorization` header.
#[must_use]
pub fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bearers() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        for bad in ["", "abc", "Basic abc", "Bearer", "Bearer  "] {
            assert_eq!(bearer(bad), None, "{bad}");
        }
    }
}
