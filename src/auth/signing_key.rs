//! The secrets that tokens are signed with, and what makes one too weak to be it.

use std::collections::HashSet;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;

/// The secret in .env.example, which everybody knows.
const EXAMPLE_SECRET: &[u8] = b"replace-me-with-the-output-of-openssl-rand-hex-32";

/// A secret that is long and varied enough to sign with.
#[derive(Clone, Debug)]
pub struct SigningSecret(SecretSlice<u8>);

/// Why a secret was refused. It never shows the secret.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WeakSecret {
    #[error("it is shorter than 32 bytes")]
    Short,
    #[error("it has fewer than 10 different bytes")]
    LowEntropy,
    #[error("it is the one from .env.example, which everybody knows")]
    Example,
}

impl SigningSecret {
    /// Takes the bytes as they are.
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

    /// A fresh one: 256 random bits, as text that fits in a file or an environment variable.
    pub fn generate() -> Result<String, getrandom::Error> {
        use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    pub(super) fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }

    /// A key for one purpose alone: what is made with it proves nothing elsewhere.
    pub(super) fn derive(&self, purpose: &str) -> Hmac<Sha256> {
        let derived = hmac_with_key(self.expose()).chain_update(purpose).finalize().into_bytes();
        hmac_with_key(&derived)
    }
}

fn hmac_with_key(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// The secrets of a server: the first signs, all verify, so that one can follow another.
#[derive(Clone, Debug)]
pub struct SigningSecrets {
    keys: Vec<(Option<String>, SigningSecret)>,
}

impl SigningSecrets {
    /// Secrets under their names, newest first. There has to be one at least.
    pub fn named(keys: Vec<(String, SigningSecret)>) -> Option<Self> {
        let names: HashSet<&String> = keys.iter().map(|(name, _)| name).collect();
        let is_valid = !keys.is_empty() && names.len() == keys.len();
        is_valid.then(|| Self { keys: keys.into_iter().map(|(name, secret)| (Some(name), secret)).collect() })
    }

    /// Each with the name that its tokens carry.
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
