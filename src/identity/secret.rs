//! The secret that tokens are signed with, and what makes one too weak to be it.

use std::collections::HashSet;

use secrecy::{ExposeSecret, SecretSlice};

/// The secret in .env.example, which everybody knows.
const EXAMPLE: &[u8] = b"replace-me-with-the-output-of-openssl-rand-hex-32";

/// A secret that is long and varied enough to sign with.
#[derive(Clone, Debug)]
pub struct SigningSecret(SecretSlice<u8>);

/// Why a secret was refused. It never shows the secret.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WeakSecret {
    #[error("it is shorter than 32 bytes")]
    Short,
    #[error("it has fewer than 10 different bytes")]
    Monotonous,
    #[error("it is the one from .env.example, which everybody knows")]
    Example,
}

impl SigningSecret {
    /// Takes the bytes as they are.
    pub fn new(bytes: Vec<u8>) -> Result<Self, WeakSecret> {
        if bytes == EXAMPLE {
            Err(WeakSecret::Example)
        } else if bytes.len() < 32 {
            Err(WeakSecret::Short)
        } else if bytes.iter().collect::<HashSet<_>>().len() < 10 {
            Err(WeakSecret::Monotonous)
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_secrets_are_refused() {
        let refusal = |bytes: &[u8]| SigningSecret::new(bytes.to_vec()).err();
        assert_eq!(refusal(b""), Some(WeakSecret::Short));
        assert_eq!(refusal(b"0123456789abcdefghijklmnopqrstu"), Some(WeakSecret::Short));
        assert_eq!(refusal(&[7; 64]), Some(WeakSecret::Monotonous));
        assert_eq!(refusal(EXAMPLE), Some(WeakSecret::Example));
        assert_eq!(refusal(b"0123456789abcdefghijklmnopqrstuv"), None);
    }

    #[test]
    fn the_example_file_holds_the_refused_example() {
        let file = include_str!("../../.env.example");
        let example = str::from_utf8(EXAMPLE).expect("the example is text");
        assert!(file.contains(&format!("BETTER_AUTH_SECRET={example}")));
    }

    #[test]
    fn a_generated_secret_is_accepted() {
        let secret = SigningSecret::generate().expect("the system has random bytes");
        assert!(SigningSecret::new(secret.into_bytes()).is_ok());
    }
}
