//! Passwords under Argon2id: how they are hashed, and whether one fits a hash.

use std::net::IpAddr;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::{Error as HashError, Result as HashResult};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;

use crate::auth::hashing_pool::{Argon2Buffer, HashPermit, HashingPool};
use crate::domain::{Error, NewPassword, Result};

/// The second recommendation of RFC 9106 in the OWASP reading: 19 MiB, two passes, one lane.
const CURRENT_PARAMS: (u32, u32, u32) = (19_456, 2, 1);
/// A hash with the present parameters that no password fits: the work for a user who does not exist.
const DUMMY_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LW5vYm9keS1u$Vx0MRhJmOqVNnUXB5QX9vOZDlGtDsYxNYjpD2W5XEdk";

/// Hashes and verifies passwords.
#[derive(Clone, Default)]
pub struct Passwords(HashingPool);

/// The permission to verify one password.
pub struct VerifyPermit(HashPermit);

impl Passwords {
    /// The PHC string to store for a password, which comes from a client network. Errors: Unavailable when
    /// too many passwords wait to be hashed.
    pub async fn hash(&self, password: &NewPassword, network: IpAddr) -> Result<String> {
        self.hash_normalized(SecretString::from(password.expose()), network).await
    }

    /// Hashes a password that has been verified, under the present parameters.
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

    /// Whether a stored hash was made with the present parameters.
    pub fn is_current(stored: &str) -> bool {
        let (memory_kib, passes, lanes) = CURRENT_PARAMS;
        stored.starts_with(&format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}$"))
    }

    /// Waits until a password may be verified. A caller that looks up only then what to verify keeps the
    /// database free for others, however many want to sign in. Errors: Unavailable when too many passwords
    /// wait to be hashed.
    pub async fn reserve(&self, network: IpAddr) -> Result<VerifyPermit> {
        self.0.acquire(network).await.map(VerifyPermit)
    }
}

impl VerifyPermit {
    /// Whether the password fits the stored hash. Without one the same work is done, and it does not.
    pub async fn verify(self, password: &SecretString, stored: Option<&str>) -> Result<bool> {
        let known = stored.is_some();
        let hash =
            PasswordHash::new(stored.unwrap_or(DUMMY_HASH)).map_err(|error| hashing_error(error.into()))?;
        let (argon2, salt, expected) = within_cost_limit(&hash).map_err(hashing_error)?;
        let password = normalized(password);
        let computed =
            self.0.run(move |buffer| compute_hash(&argon2, buffer, &password, &salt, expected.len()));
        // Outputs are compared in constant time.
        Ok(computed.await?.map_err(hashing_error)? == expected && known)
    }
}

/// The text that is hashed, however the keyboard composes its letters.
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

/// What a stored hash is computed with, if that costs no more than four times the present. What asks
/// for more was not made here, and would take the memory of everything else.
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
    // What a larger hash once took is not kept.
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

    /// A stored hash of `password`, made elsewhere.
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
        let hash = passwords.hash(&password, HERE).await.expect("there is room to hash");
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && Passwords::is_current(&hash),
            "{hash}"
        );
        assert!(fits(&passwords, "correct horse 1", Some(&hash)).await.expect("there is room"));
        assert!(!fits(&passwords, "correct horse 2", Some(&hash)).await.expect("there is room"));
        assert!(!fits(&passwords, "correct horse 1", None).await.expect("there is room"));
    }

    #[tokio::test]
    async fn hashes_with_other_parameters_fit_one_after_the_other() {
        let passwords = Passwords::default();
        for parameters in [(19_456, 2, 1), (65_536, 3, 4), (1_024, 1, 2), (19_456, 2, 1)] {
            let hash = stored("correct horse 1", parameters);
            assert_eq!(Passwords::is_current(&hash), parameters == CURRENT_PARAMS);
            assert!(fits(&passwords, "correct horse 1", Some(&hash)).await.expect("there is room"), "{hash}");
            assert!(
                !fits(&passwords, "correct horse 2", Some(&hash)).await.expect("there is room"),
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
        assert!(!fits(&passwords, "x", None).await.expect("there is room again"));
    }
}
