//! The tokens of links in mails. A token is the id of its row, and a keyed hash of that id, in base 62. The
//! database stores nothing that a token could be made from without the secret.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use uuid::Uuid;

use crate::auth::{SigningSecrets, base62};

/// The digits of each half: the id, and the first 128 bits of the hash.
const HALF_DIGITS: usize = 22;

/// Makes and verifies the tokens of links.
pub struct LinkTokens {
    /// The first makes tokens, all verify.
    keys: Vec<Hmac<Sha256>>,
}

impl LinkTokens {
    pub fn new(secrets: &SigningSecrets) -> Self {
        let derive = |(_, secret): &(_, super::SigningSecret)| secret.derive("taskhold link token");
        Self { keys: secrets.keys().iter().map(derive).collect() }
    }

    /// The token of a row: 44 letters and digits, the same at each call.
    pub fn issue(&self, id: Uuid) -> String {
        let key = self.keys.first().expect("there is at least one secret");
        let hash = key.clone().chain_update(id.as_bytes()).finalize().into_bytes();
        let hash = u128::from_be_bytes(hash[..16].try_into().expect("16 of 32 bytes"));
        base62::encode(id.as_u128(), HALF_DIGITS) + &base62::encode(hash, HALF_DIGITS)
    }

    /// The id of the row of a token; None when the token was not made here. The row may have ended.
    pub fn verify(&self, token: &str) -> Option<Uuid> {
        if token.len() != 2 * HALF_DIGITS || !token.is_ascii() {
            return None;
        }
        let (id, hash) = token.split_at(HALF_DIGITS);
        let (id, hash) = (Uuid::from_u128(base62::decode(id)?), base62::decode(hash)?.to_be_bytes());
        let is_valid =
            |key: &Hmac<Sha256>| key.clone().chain_update(id.as_bytes()).verify_truncated_left(&hash).is_ok();
        self.keys.iter().any(is_valid).then_some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::SigningSecret;

    fn secret(seed: &str) -> SigningSecret {
        SigningSecret::new(format!("{seed}-0123456789abcdefghijklmnopqrstuv").into_bytes())
            .expect("it is long")
    }

    #[test]
    fn a_token_leads_to_its_row_and_a_changed_one_to_none() {
        let (tokens, id) = (LinkTokens::new(&secret("a").into()), crate::domain::new_id());
        let token = tokens.issue(id);
        assert!(token.len() == 44 && token.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{token}");
        assert_eq!(tokens.verify(&token), Some(id));
        for position in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[position] = if changed[position] == b'x' { b'y' } else { b'x' };
            let changed = String::from_utf8(changed).expect("it is ASCII");
            assert_eq!(tokens.verify(&changed), None, "position {position}");
        }
        for malformed in ["", "x", &token[1..], &format!("{token}0"), "ä".repeat(22).as_str()] {
            assert_eq!(tokens.verify(malformed), None, "{malformed}");
        }
        assert_eq!(LinkTokens::new(&secret("b").into()).verify(&token), None);
    }

    #[test]
    fn the_tokens_of_an_old_secret_work_while_it_is_still_configured() {
        let id = crate::domain::new_id();
        let token = LinkTokens::new(&secret("old").into()).issue(id);
        let both = vec![("2".to_owned(), secret("new")), ("1".to_owned(), secret("old"))];
        let both = LinkTokens::new(&SigningSecrets::named(both).expect("the names differ"));
        assert_eq!(both.verify(&token), Some(id));
        assert_ne!(both.issue(id), token);
    }
}
