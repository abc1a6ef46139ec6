use std::str::FromStr;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;

use super::Refused;
use crate::{config::AuthConfig, rules::Account};

/// Clocks of issuer and server may differ by so many seconds.
const LEEWAY_SECONDS: u64 = 30;

/// Signed tokens. Only signatures by a public key: with a shared secret the server could make tokens itself.
pub struct Jwt {
    key: DecodingKey,
    validation: Validation,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
}

impl Jwt {
    pub(super) fn new(config: &AuthConfig) -> Result<Self, String> {
        let path = config.jwt_public_key_file.as_deref().ok_or("auth.jwt_public_key_file is missing")?;
        let pem = std::fs::read(path).map_err(|error| format!("the key {} cannot be read: {error}", path.display()))?;
        let names: Vec<&str> = match config.jwt_algorithms.as_slice() {
            [] => vec!["EdDSA"],
            names => names.iter().map(String::as_str).collect(),
        };
        let mut algorithms = Vec::new();
        for name in names {
            let algorithm = Algorithm::from_str(name).ok().filter(|algorithm| is_asymmetric(*algorithm));
            algorithms.push(algorithm.ok_or_else(|| format!("auth.jwt_algorithms: \"{name}\" is not accepted"))?);
        }
        let first = *algorithms.first().expect("there is at least the default");
        let key = match first {
            Algorithm::EdDSA => DecodingKey::from_ed_pem(&pem),
            Algorithm::ES256 | Algorithm::ES384 => DecodingKey::from_ec_pem(&pem),
            _ => DecodingKey::from_rsa_pem(&pem),
        };
        let key = key.map_err(|_| format!("{} holds no public key for {first:?}", path.display()))?;
        let mut validation = Validation::new(first);
        validation.algorithms = algorithms;
        validation.leeway = LEEWAY_SECONDS;
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "sub"]);
        match &config.jwt_audience {
            Some(audience) => validation.set_audience(&[audience]),
            None => validation.validate_aud = false,
        }
        if let Some(issuer) = &config.jwt_issuer {
            validation.set_issuer(&[issuer]);
            validation.set_required_spec_claims(&["exp", "sub", "iss"]);
        }
        Ok(Self { key, validation })
    }

    pub(super) fn account(&self, token: &str) -> Result<Account, Refused> {
        let decoded = decode::<Claims>(token, &self.key, &self.validation).map_err(|_| Refused)?;
        if decoded.claims.sub.is_empty() { Err(Refused) } else { Ok(Account::of_token(&decoded.claims.sub)) }
    }
}

fn is_asymmetric(algorithm: Algorithm) -> bool {
    !matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512)
}
