//! The tokens of API keys: a prefix, 36 random letters and digits, and a checksum, so that scanners of source code
//! recognize a key, and a mistyped one is refused without the database.

use secrecy::SecretString;
use sha2::{Digest, Sha256};

use crate::auth::base62;

/// The beginning of every token of an API key.
const PREFIX: &str = "taskhold_key_";
const RANDOM_CHARACTERS: usize = 36;
const CHECKSUM_DIGITS: usize = 6;
/// The prefix and four random characters, which identify a key to its user.
const START_CHARACTERS: usize = PREFIX.len() + 4;

/// The SHA-256 of the token of an API key, by which its row is found.
pub type KeyHash = [u8; 32];

/// A new token of an API key.
pub struct NewKeyToken {
    pub token: SecretString,
    /// The first 17 characters.
    pub start: String,
    pub hash: KeyHash,
}

impl NewKeyToken {
    /// Makes a random token. Errors: the system has no random bytes.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut token = PREFIX.to_owned();
        while token.len() < PREFIX.len() + RANDOM_CHARACTERS {
            let mut bytes = [0; RANDOM_CHARACTERS];
            getrandom::fill(&mut bytes)?;
            // Of 256 values, 248 are distributed evenly over the 62 digits. The others are not used.
            let digits =
                bytes.iter().filter(|byte| **byte < 248).map(|byte| base62::DIGITS[usize::from(byte % 62)]);
            let missing = PREFIX.len() + RANDOM_CHARACTERS - token.len();
            token.extend(digits.take(missing).map(char::from));
        }
        token.push_str(&checksum(&token));
        Ok(Self { start: token[..START_CHARACTERS].to_owned(), hash: hash(&token), token: token.into() })
    }
}

/// Whether a token is meant as that of an API key.
pub fn is_key_token(token: &str) -> bool {
    token.starts_with(PREFIX)
}

/// The hash of a well-formed token; None when the token is malformed or its checksum is wrong.
pub fn key_hash(token: &str) -> Option<KeyHash> {
    let characters = token.strip_prefix(PREFIX)?;
    let is_well_formed = characters.len() == RANDOM_CHARACTERS + CHECKSUM_DIGITS
        && characters.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let (checked, sum) = is_well_formed.then(|| token.split_at(token.len() - CHECKSUM_DIGITS))?;
    (checksum(checked) == sum).then(|| hash(token))
}

fn hash(token: &str) -> KeyHash {
    Sha256::digest(token).into()
}

/// The CRC-32 of a text, as zlib computes it, in base 62.
fn checksum(text: &str) -> String {
    base62::encode(crc32fast::hash(text.as_bytes()).into(), CHECKSUM_DIGITS)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_published_example() {
        let example = "taskhold_key_AbCdEfGhIjKlMnOpQrStUvWxYz01234567894FcdCf";
        assert!(key_hash(example).is_some());
        assert_eq!(key_hash(&example.replace("AbCd", "AbCe")), None);
        assert_eq!(key_hash(&example[..example.len() - 1]), None);
        assert_eq!(key_hash(&format!("{example}0")), None);
        assert_eq!(key_hash(&example.replace("taskhold_key_", "taskhold_kex_")), None);
    }

    #[test]
    fn a_generated_token_is_well_formed_and_no_two_are_equal() {
        let new = NewKeyToken::generate().expect("the system has random bytes");
        let other = NewKeyToken::generate().expect("the system has random bytes");
        let token = new.token.expose_secret();
        assert_eq!(token.len(), 55);
        assert_eq!(key_hash(token), Some(new.hash));
        assert!(token.starts_with(&new.start) && new.start.len() == 17, "{}", new.start);
        assert_ne!(new.hash, other.hash);
    }
}
