//! The secrets that sign tokens, and the checks against weak ones.

use std::collections::HashSet;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;

/// The secret in .env.example, which is public.
const EXAMPLE_SECRET: &[u8] = b"replace-me-with-the-output-of-openssl-rand-hex-32";

/// A secret that has passed the checks of its length and variety.
#[derive(Clone, Debug)]
pub struct SigningSecret(SecretSlice<u8>);

/// Why a secret was refused. The messages never contain the secret.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WeakSecret {
    #[error("it is shorter than 32 bytes")]
    Short,
    #[error("it has fewer than 10 different bytes")]
    LowEntropy,
    #[error("it is the one from .env.example, which is public")]
    Example,
}

impl SigningSecret {
    /// Checks a secret. Errors: shorter than 32 bytes, fewer than 10 different bytes, or the published
    /// example.
    pub fn new(bytes: Vec<u8>) -> Result<Self, WeakSecret> {
        if bytes == EXAMPLE_SECRET {
            Err(WeakSecret::Example)
        } else if bytes.len() < 32 {
            Err(WeakSecret::Short)
        } else if bytes.iter().collect::<HashSet<_>>().len() < 10 {
            Err(WeakSecret::LowEntropy)
        } else {
            Ok(Self(bytes.into()))
        }
    }

    /// Generates a secret of 256 random bits, encoded as base64url.
    pub fn generate() -> Result<String, getrandom::Error> {
        use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    pub(super) fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }

    /// Derives a key for one purpose, so that a value made for one purpose is not valid for another.
    pub(super) fn derive(&self, purpose: &str) -> Hmac<Sha256> {
        let derived = hmac_with_key(self.expose()).chain_update(purpose).finalize().into_bytes();
        hmac_with_key(&derived)
    }
}

fn hmac_with_key(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// The signing secrets of a server: the first signs, all verify, so that a secret can be replaced.
#[derive(Clone, Debug)]
pub struct SigningSecrets {
    keys: Vec<(Option<String>, SigningSecret)>,
}

impl SigningSecrets {
    /// Named secrets, the newest first. None when there is no secret, or two have the same name.
    pub fn named(keys: Vec<(String, SigningSecret)>) -> Option<Self> {
        let names: HashSet<&String> = keys.iter().map(|(name, _)| name).collect();
        let is_valid = !keys.is_empty() && names.len() == keys.len();
        is_valid.then(|| Self { keys: keys.into_iter().map(|(name, secret)| (Some(name), secret)).collect() })
    }

    /// Each secret with the name that its tokens carry (`kid`), if it has one.
    pub(super) fn keys(&self) -> &[(Option<String>, SigningSecret)] {
        &self.keys
    }
}

impl From<SigningSecret> for SigningSecrets {
    fn from(secret: SigningSecret) -> Self {
        Self { keys: vec![(None, secret)] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_secrets_are_refused() {
        let refusal = |bytes: &[u8]| SigningSecret::new(bytes.to_vec()).err();
        assert_eq!(refusal(b""), Some(WeakSecret::Short));
        assert_eq!(refusal(b"0123456789abcdefghijklmnopqrstu"), Some(WeakSecret::Short));
        assert_eq!(refusal(&[7; 64]), Some(WeakSecret::LowEntropy));
        assert_eq!(refusal(EXAMPLE_SECRET), Some(WeakSecret::Example));
        assert_eq!(refusal(b"0123456789abcdefghijklmnopqrstuv"), None);
    }

    #[test]
    fn the_example_file_holds_the_refused_example() {
        let file = include_str!("../../.env.example");
        let example = str::from_utf8(EXAMPLE_SECRET).expect("the example is text");
        assert!(file.contains(&format!("BETTER_AUTH_SECRET={example}")));
    }

    #[test]
    fn a_generated_secret_is_accepted() {
        let secret = SigningSecret::generate().expect("the system has random bytes");
        assert!(SigningSecret::new(secret.into_bytes()).is_ok());
    }
}
