use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Refused;
use crate::{config::AuthConfig, rules::Account};

/// A list of tokens. Their digests are compared, each with each, so that the time it takes tells nothing of how far a
/// guess was right, and the tokens themselves do not stay in memory.
pub struct Tokens(Vec<([u8; 32], Account)>);

impl Tokens {
    pub(super) fn new(config: &AuthConfig) -> Result<Self, String> {
        let known = |token: &str, account: &str| (digest(token), Account::of_token(account));
        let mut tokens: Vec<_> = config.tokens.iter().map(|entry| known(&entry.token, &entry.account)).collect();
        if let Some(path) = &config.tokens_file {
            let text = std::fs::read_to_string(path)
                .map_err(|error| format!("the tokens {} cannot be read: {error}", path.display()))?;
            for (number, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
                if line.is_empty() || line.starts_with('#') {
                    continue;
                }
                let pair = line.split_once(char::is_whitespace).map(|(token, account)| (token, account.trim()));
                // The line itself holds a token: it is not repeated.
                let (token, account) = pair.ok_or_else(|| format!("{}:{number}: not TOKEN ACCOUNT", path.display()))?;
                tokens.push(known(token, account));
            }
        }
        Ok(Self(tokens))
    }

    pub(super) fn account(&self, token: &str) -> Result<Account, Refused> {
        let asked = digest(token);
        let mut found = None;
        for (known, account) in &self.0 {
            if bool::from(known.ct_eq(&asked)) {
                found = Some(account);
            }
        }
        found.cloned().ok_or(Refused)
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TokenConfig;

    #[test]
    fn only_the_very_token_is_known() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "# who has which\n\nbeta  bert\ngamma carl the second\n").expect("written");
        let listed = TokenConfig { token: "alpha".into(), account: "anna".into() };
        let config =
            AuthConfig { tokens: vec![listed], tokens_file: Some(file.path().to_owned()), ..AuthConfig::default() };
        let tokens = Tokens::new(&config).expect("readable");
        assert_eq!(tokens.account("alpha"), Ok(Account::of_token("anna")));
        assert_eq!(tokens.account("gamma"), Ok(Account::of_token("carl the second")));
        assert_eq!(tokens.account("beta"), Ok(Account::of_token("bert")));
        for bad in ["", "alph", "alphabeta", "Alpha"] {
            assert_eq!(tokens.account(bad), Err(Refused), "{bad}");
        }
        std::fs::write(file.path(), "beta").expect("written");
        assert!(Tokens::new(&config).is_err_and(|why| why.ends_with(":1: not TOKEN ACCOUNT")));
    }
}
