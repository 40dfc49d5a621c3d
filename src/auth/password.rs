//! Hashes and verifies passwords with Argon2id.

use std::net::IpAddr;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::{Error as HashError, Result as HashResult};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;

use crate::auth::hashing_pool::{Argon2Buffer, HashPermit, HashingPool};
use crate::domain::{Error, NewPassword, Result};

/// Memory in KiB, passes and lanes of new hashes: the OWASP variant of the second recommendation of RFC 9106.
const CURRENT_PARAMS: (u32, u32, u32) = (19_456, 2, 1);
/// A hash with the current parameters that no password matches. It is verified for users who do not exist, so
/// that the time does not reveal them.
const DUMMY_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LW5vYm9keS1u$Vx0MRhJmOqVNnUXB5QX9vOZDlGtDsYxNYjpD2W5XEdk";

/// Hashes and verifies passwords.
#[derive(Clone, Default)]
pub struct Passwords(HashingPool);

/// Permission to verify one password.
pub struct VerifyPermit(HashPermit);

impl Passwords {
    /// Hashes a password that a client network sent; returns the PHC string to store. Errors: Unavailable
    /// when too many passwords wait to be hashed.
    pub async fn hash(&self, password: &NewPassword, network: IpAddr) -> Result<String> {
        self.hash_normalized(SecretString::from(password.expose()), network).await
    }

    /// Hashes a verified password again, with the current parameters. Errors: like [`Self::hash`].
    pub async fn rehash(&self, password: &SecretString, network: IpAddr) -> Result<String> {
        self.hash_normalized(normalized(password), network).await
    }

    async fn hash_normalized(&self, password: SecretString, network: IpAddr) -> Result<String> {
        let hash = self.0.acquire(network).await?.run(move |buffer| {
            let (params, salt) = (current_params(), Salt::generate());
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
            let hash = PasswordHash {
                algorithm: Algorithm::Argon2id.ident(),
                version: Some(Version::V0x13.into()),
                params: ParamsString::try_from(&params)?,
                salt: Some(salt),
                hash: Some(compute_hash(&argon2, buffer, &password, &salt, Params::DEFAULT_OUTPUT_LEN)?),
            };
            Ok(hash.to_string())
        });
        hash.await?.map_err(hashing_error)
    }

    /// Whether a stored hash has the current parameters.
    pub fn is_current(stored: &str) -> bool {
        let (memory_kib, passes, lanes) = CURRENT_PARAMS;
        stored.starts_with(&format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}$"))
    }

    /// Waits for permission to verify a password. A caller should read the stored hash only afterwards, so
    /// that waiting logins do not load the database. Errors: Unavailable when too many passwords wait to be
    /// hashed.
    pub async fn reserve(&self, network: IpAddr) -> Result<VerifyPermit> {
        self.0.acquire(network).await.map(VerifyPermit)
    }
}

impl VerifyPermit {
    /// Whether the password matches the stored hash. Without a stored hash the result is false after the same
    /// work. Errors: Internal when the stored hash is invalid or too expensive.
    pub async fn verify(self, password: &SecretString, stored: Option<&str>) -> Result<bool> {
        let known = stored.is_some();
        let hash =
            PasswordHash::new(stored.unwrap_or(DUMMY_HASH)).map_err(|error| hashing_error(error.into()))?;
        let (argon2, salt, expected) = within_cost_limit(&hash).map_err(hashing_error)?;
        let password = normalized(password);
        let computed =
            self.0.run(move |buffer| compute_hash(&argon2, buffer, &password, &salt, expected.len()));
        // `Output` compares in constant time.
        Ok(computed.await?.map_err(hashing_error)? == expected && known)
    }
}

/// The password in Unicode NFC: keyboards compose the same letters differently.
fn normalized(password: &SecretString) -> SecretString {
    password.expose_secret().nfc().collect::<String>().into()
}

fn hashing_error(error: HashError) -> Error {
    Error::internal(anyhow::anyhow!("password hashing failed: {error}"))
}

fn current_params() -> Params {
    let (memory_kib, passes, lanes) = CURRENT_PARAMS;
    Params::new(memory_kib, passes, lanes, None).expect("the parameters are in range")
}

/// The algorithm, salt and output of a stored hash. Errors: a cost of more than four times the current
/// parameters. taskhold did not create such a hash, and computing it would exhaust the memory.
fn within_cost_limit(hash: &PasswordHash) -> HashResult<(Argon2<'static>, Salt, Output)> {
    let (memory_kib, passes, lanes) = CURRENT_PARAMS;
    let params = Params::try_from(hash)?;
    if params.m_cost() > 4 * memory_kib || params.t_cost() > 4 * passes || params.p_cost() > 4 * lanes {
        return Err(HashError::ParamsInvalid);
    }
    let algorithm = Algorithm::try_from(hash.algorithm.as_str())?;
    let version = hash.version.map_or(Ok(Version::default()), Version::try_from)?;
    let (salt, expected) = hash.salt.zip(hash.hash).ok_or(HashError::EncodingInvalid)?;
    Ok((Argon2::new(algorithm, version, params), salt, expected))
}

fn compute_hash(
    argon2: &Argon2,
    buffer: &mut Argon2Buffer,
    password: &SecretString,
    salt: &Salt,
    length: usize,
) -> HashResult<Output> {
    buffer.resize(argon2.params().block_count(), Block::new());
    // A larger hash may have grown the buffer; that memory is not kept.
    buffer.shrink_to_fit();
    let mut output = [0; Output::MAX_LENGTH];
    let output = output.get_mut(..length).ok_or(HashError::OutputSize)?;
    let password = password.expose_secret().as_bytes();
    argon2.hash_password_into_with_memory(password, salt, output, buffer)?;
    Ok(Output::new(output)?)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::domain::Faults;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    async fn fits(passwords: &Passwords, password: &str, stored: Option<&str>) -> Result<bool> {
        passwords.reserve(HERE).await?.verify(&password.into(), stored).await
    }

    /// A stored hash of `password` with other parameters.
    fn stored(password: &str, parameters: (u32, u32, u32)) -> String {
        use argon2::PasswordHasher;
        let (memory_kib, passes, lanes) = parameters;
        let params = Params::new(memory_kib, passes, lanes, None).expect("parameters in range");
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2.hash_password(password.as_bytes()).expect("it can be hashed").to_string()
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_and_no_other() {
        let passwords = Passwords::default();
        let password = NewPassword::parse(&mut Faults::default(), "", "correct horse 1").expect("strong");
        let hash = passwords.hash(&password, HERE).await.expect("the queue is not full");
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && Passwords::is_current(&hash),
            "{hash}"
        );
        assert!(fits(&passwords, "correct horse 1", Some(&hash)).await.expect("the queue is not full"));
        assert!(!fits(&passwords, "correct horse 2", Some(&hash)).await.expect("the queue is not full"));
        assert!(!fits(&passwords, "correct horse 1", None).await.expect("the queue is not full"));
    }

    #[tokio::test]
    async fn hashes_with_other_parameters_fit_one_after_the_other() {
        let passwords = Passwords::default();
        for parameters in [(19_456, 2, 1), (65_536, 3, 4), (1_024, 1, 2), (19_456, 2, 1)] {
            let hash = stored("correct horse 1", parameters);
            assert_eq!(Passwords::is_current(&hash), parameters == CURRENT_PARAMS);
            assert!(
                fits(&passwords, "correct horse 1", Some(&hash)).await.expect("the queue is not full"),
                "{hash}"
            );
            assert!(
                !fits(&passwords, "correct horse 2", Some(&hash)).await.expect("the queue is not full"),
                "{hash}"
            );
        }
    }

    #[tokio::test]
    async fn a_hash_that_would_cost_absurdly_much_is_refused_at_once() {
        let passwords = Passwords::default();
        let start = Instant::now();
        for parameters in
            ["m=4194304,t=2,p=1", "m=19456,t=4294967295,p=1", "m=19456,t=2,p=64", "m=77825,t=2,p=1"]
        {
            let hash = DUMMY_HASH.replace("m=19456,t=2,p=1", parameters);
            let outcome = fits(&passwords, "correct horse 1", Some(&hash)).await;
            assert!(matches!(outcome, Err(Error::Internal(_))), "{parameters}: {outcome:?}");
        }
        assert!(start.elapsed() < Duration::from_secs(1), "they were computed");
    }

    #[tokio::test]
    async fn of_very_many_at_once_the_last_are_refused() {
        let passwords = Passwords::default();
        let threads = std::thread::available_parallelism().map_or(1, usize::from).max(2) - 1;
        let at_once = threads + crate::auth::hashing_pool::PREFETCHED_PERMITS;
        let begun: Vec<_> = (0..threads + 64 + 5).map(|_| passwords.reserve(HERE)).collect();
        let mut begun = futures_util::future::join_all(begun).await;
        let refused = |begun: &Result<_>| matches!(begun, Err(Error::Unavailable(_)));
        assert!(begun[at_once..].iter().all(refused), "no permit was given back within two seconds");
        begun.truncate(at_once);
        assert!(!begun.iter().any(refused));
        drop(begun);
        assert!(!fits(&passwords, "x", None).await.expect("the queue is empty again"));
    }
}
