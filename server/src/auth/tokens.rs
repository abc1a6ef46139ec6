use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Refused;
use crate::{config::TokenConfig, rules::Account};

/// A list of tokens. Their digests are compared, each with each, so that the time it takes tells nothing of how far a
/// guess was right, and the tokens themselves do not stay in memory.
pub struct Tokens(Vec<([u8; 32], Account)>);

impl Tokens {
    pub(super) fn new(tokens: &[TokenConfig]) -> Self {
        Self(tokens.iter().map(|known| (digest(&known.token), Account::of_token(&known.account))).collect())
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

    #[test]
    fn only_the_very_token_is_known() {
        let known = |token: &str, account: &str| TokenConfig { token: token.into(), account: account.into() };
        let tokens = Tokens::new(&[known("alpha", "anna"), known("beta", "bert")]);
        assert_eq!(tokens.account("beta"), Ok(Account::of_token("bert")));
        for bad in ["", "alph", "alphabeta", "Alpha"] {
            assert_eq!(tokens.account(bad), Err(Refused), "{bad}");
        }
    }
}
