//! Password hashing with Argon2id, beside the request threads: a hash takes 19 MiB and some
//! milliseconds, so only a few are computed at once and only so many may wait for their turn.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;

use crate::domain::{Error, NewPassword, Result};

/// The second recommendation of RFC 9106 in the OWASP reading: 19 MiB, two passes, one lane.
const PARAMS: (u32, u32, u32) = (19_456, 2, 1);
/// A hash with the present parameters that no password fits: the work for a user who does not exist.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LW5vYm9keS1u$Vx0MRhJmOqVNnUXB5QX9vOZDlGtDsYxNYjpD2W5XEdk";
const MAX_WAITING: usize = 64;
const MAX_WAIT: Duration = Duration::from_secs(2);

/// Hashes and verifies passwords.
#[derive(Clone)]
pub struct Passwords {
    /// One permit for each hash that is being computed.
    running: Arc<Semaphore>,
    /// One permit for each hash that is computed or waited for.
    admitted: Arc<Semaphore>,
}

impl Default for Passwords {
    /// Leaves one core to everything else.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let at_once = (cores - 1).max(1);
        Self {
            running: Arc::new(Semaphore::new(at_once)),
            admitted: Arc::new(Semaphore::new(at_once + MAX_WAITING)),
        }
    }
}

impl Passwords {
    /// The PHC string to store for a password.
    pub async fn hash(&self, password: &NewPassword) -> Result<String> {
        self.hash_text(SecretString::from(password.expose())).await
    }

    /// Hashes a password that has been verified, under the present parameters.
    pub async fn hash_known(&self, password: &SecretString) -> Result<String> {
        let password: SecretString = password.expose_secret().nfc().collect::<String>().into();
        self.hash_text(password).await
    }

    async fn hash_text(&self, password: SecretString) -> Result<String> {
        self.run(move || {
            let hash: PasswordHash = argon2().hash_password(password.expose_secret().as_bytes())?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether a stored hash was made with the present parameters.
    pub fn is_current(stored: &str) -> bool {
        let (memory_kib, passes, lanes) = PARAMS;
        stored.starts_with(&format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}$"))
    }

    /// Whether the password fits the stored hash. Without one the same work is done, and it does not.
    pub async fn verify(&self, password: &SecretString, stored: Option<&str>) -> Result<bool> {
        let known = stored.is_some();
        let stored = stored.unwrap_or(NOBODY).to_owned();
        let password: SecretString = password.expose_secret().nfc().collect::<String>().into();
        self.run(move || {
            let hash = PasswordHash::new(&stored)?;
            if !is_bearable(&hash) {
                return Err(argon2::password_hash::Error::ParamsInvalid);
            }
            let fits = argon2().verify_password(password.expose_secret().as_bytes(), &hash).is_ok();
            Ok(known && fits)
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> argon2::password_hash::Result<T> + Send + 'static,
    ) -> Result<T> {
        let busy = |_| Error::unavailable(anyhow::anyhow!("too many passwords wait to be hashed"));
        let admitted = self.admitted.clone().try_acquire_owned().map_err(busy)?;
        let turn = tokio::time::timeout(MAX_WAIT, self.running.clone().acquire_owned());
        let running =
            turn.await.map_err(|_| Error::unavailable(anyhow::anyhow!("no turn to hash in time")))?;
        let result = tokio::task::spawn_blocking(move || {
            // Held by the work itself: a caller that goes away does not make room that is not there.
            let _held = (admitted, running);
            work()
        });
        let result = result.await.map_err(Error::internal)?;
        result.map_err(|error| Error::internal(anyhow::anyhow!("password hashing failed: {error}")))
    }
}

/// Whether a stored hash can be computed at no more than four times the present cost. What asks for
/// more was not made here, and would take the memory of everything else.
fn is_bearable(hash: &PasswordHash) -> bool {
    let (memory_kib, passes, lanes) = PARAMS;
    Params::try_from(hash).is_ok_and(|params| {
        params.m_cost() <= 4 * memory_kib && params.t_cost() <= 4 * passes && params.p_cost() <= 4 * lanes
    })
}

fn argon2() -> Argon2<'static> {
    let (memory_kib, passes, lanes) = PARAMS;
    let params = Params::new(memory_kib, passes, lanes, None).expect("the parameters are in range");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Faults;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_and_no_other() {
        let passwords = Passwords::default();
        let password = NewPassword::parse(&mut Faults::default(), "", "correct horse 1").expect("strong");
        let hash = passwords.hash(&password).await.expect("there is room to hash");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let fits = |word: &'static str, stored| {
            let passwords = passwords.clone();
            async move { passwords.verify(&word.into(), stored).await.expect("there is room to hash") }
        };
        assert!(fits("correct horse 1", Some(hash.as_str())).await);
        assert!(!fits("correct horse 2", Some(hash.as_str())).await);
        assert!(!fits("correct horse 1", None).await);
    }
}
