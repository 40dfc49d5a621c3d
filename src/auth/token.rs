//! Tokens. An access token is a JWT signed with HS256 (RFC 7519), checked without any tolerance. A
//! refresh token names its session and how often that was refreshed, under a key of its own, so the
//! database holds nothing that a thief could use.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use chrono::{DateTime, TimeDelta};
use hmac::{Hmac, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::auth::signing_key::SigningSecret;
use crate::auth::{SigningSecrets, hs256};
use crate::domain::{Instant, User};

/// A token that is longer was not made here; it is refused before it is looked at.
const MAX_TOKEN_BYTES: usize = 4096;
/// How far the clocks of two instances may be apart before a token counts as made in the future.
const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::seconds(60);

/// So many genuine tokens are known again without another look at their signatures.
const CLAIMS_CACHE_SIZE: u64 = 20_000;

/// What a genuine token says. Only [`Tokens`] can make one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    sub: Uuid,
    email: String,
    iat: i64,
    exp: i64,
    sid: Uuid,
    jti: Uuid,
}

impl Claims {
    /// Whose token it is.
    pub fn user_id(&self) -> Uuid {
        self.sub
    }

    /// The session that the token belongs to.
    pub fn session_id(&self) -> Uuid {
        self.sid
    }
}

/// Why a token was refused.
#[derive(Clone, Debug)]
pub enum TokenError {
    /// It was genuine once; its claims still name the session that it belonged to.
    Expired(Claims),
    /// Anything else: a clue would only help whoever forges.
    Invalid,
}

/// What a request brought to show who is speaking.
#[derive(Clone, Debug, Default)]
pub enum Credential {
    #[default]
    None,
    Bearer(secrecy::SecretString),
}

/// A session at one refresh of it; its tokens follow from this alone, so the same refresh asked for
/// twice gets the same answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    pub session_id: Uuid,
    /// How often the session was refreshed.
    pub count: i32,
}

/// The tokens of a session, and when the access token stops working.
#[derive(Debug)]
pub struct TokenPair {
    pub access_token: String,
    pub refresh_token: String,
    pub claims: Claims,
    pub expires_at: Instant,
}

/// Signs and verifies tokens.
pub struct Tokens {
    /// The first signs, all verify.
    keys: Vec<Key>,
    lifetime: TimeDelta,
    /// What tokens say whose signature was good, by their SHA-256.
    claims_cache: Cache<[u8; 32], Claims>,
}

/// What follows from one secret.
struct Key {
    name: Option<String>,
    signing: EncodingKey,
    verifying: DecodingKey,
    refresh: Hmac<Sha256>,
    token_id: Hmac<Sha256>,
}

impl Key {
    fn new((name, secret): &(Option<String>, SigningSecret)) -> Self {
        Self {
            name: name.clone(),
            signing: EncodingKey::from_secret(secret.expose()),
            verifying: DecodingKey::from_secret(secret.expose()),
            refresh: secret.derive("taskhold refresh token"),
            token_id: secret.derive("taskhold token id"),
        }
    }
}

impl Tokens {
    /// Access tokens that are good for `lifetime` after they were issued.
    pub fn new(secrets: &SigningSecrets, lifetime: TimeDelta) -> Self {
        hs256::install();
        let keys = secrets.keys().iter().map(Key::new).collect();
        Self { keys, lifetime, claims_cache: Cache::new(CLAIMS_CACHE_SIZE) }
    }

    fn signing(&self) -> &Key {
        self.keys.first().expect("there is a secret at least")
    }

    /// The tokens of one refresh of a session of `user`, which ends at `session_ends`.
    pub fn issue(
        &self,
        user: &User,
        refresh: RefreshToken,
        session_ends: Instant,
        now: Instant,
    ) -> TokenPair {
        let key = self.signing();
        let id = key.token_id.clone().chain_update(refresh.bytes()).finalize().into_bytes();
        let exp = (now + self.lifetime).min(session_ends).timestamp();
        let claims = Claims {
            sub: user.id,
            email: user.email.clone(),
            iat: now.timestamp(),
            exp,
            sid: refresh.session_id,
            jti: uuid::Builder::from_random_bytes(id[..16].try_into().expect("16 of 32 bytes")).into_uuid(),
        };
        let mut header = Header::new(Algorithm::HS256);
        header.kid.clone_from(&key.name);
        TokenPair {
            access_token: jsonwebtoken::encode(&header, &claims, &key.signing)
                .expect("claims serialize and an HMAC key signs anything"),
            refresh_token: refresh.sign(&key.refresh),
            expires_at: DateTime::from_timestamp(exp, 0).unwrap_or(session_ends),
            claims,
        }
    }

    /// The claims of a genuine token that has not expired. Its session may have ended all the same.
    pub fn verify(&self, token: &str, now: Instant) -> Result<Claims, TokenError> {
        let claims = self.verify_signature(token).ok_or(TokenError::Invalid)?;
        if claims.iat > (now + MAX_CLOCK_SKEW).timestamp() {
            Err(TokenError::Invalid)
        } else if claims.exp <= now.timestamp() {
            Err(TokenError::Expired(claims))
        } else {
            Ok(claims)
        }
    }

    /// The refresh that a genuine refresh token stands for. It may have been exchanged already.
    pub fn verify_refresh(&self, token: &str) -> Option<RefreshToken> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
        let (refresh, mac) = bytes.split_at_checked(RefreshToken::LENGTH)?;
        let is_valid = |key: &Key| key.refresh.clone().chain_update(refresh).verify_slice(mac).is_ok();
        self.keys.iter().any(is_valid).then(|| RefreshToken::from_bytes(refresh))?
    }

    /// What a token says, if it is genuine. A client sends the same one with each request.
    fn verify_signature(&self, token: &str) -> Option<Claims> {
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let hash = Sha256::digest(token).into();
        if let Some(claims) = self.claims_cache.get(&hash) {
            return Some(claims);
        }
        let claims = self.decode(token)?;
        self.claims_cache.insert(hash, claims.clone());
        Some(claims)
    }

    /// Checks form and signature. Times are compared by the caller, on the service's clock.
    fn decode(&self, token: &str) -> Option<Claims> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        // RFC 7515, 4.1.11: an extension that is marked critical and not understood makes a token
        // invalid. The library ignores the mark.
        if header.crit.is_some() {
            return None;
        }
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        // A token without a name was signed before its secret got one: any of them may fit.
        let keys = self.keys.iter().filter(|key| header.kid.is_none() || header.kid == key.name);
        keys.map(|key| jsonwebtoken::decode(token, &key.verifying, &validation))
            .find_map(|data| Some(data.ok()?.claims))
    }
}

impl RefreshToken {
    const LENGTH: usize = 20;

    fn bytes(self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        bytes[..16].copy_from_slice(self.session_id.as_bytes());
        bytes[16..].copy_from_slice(&self.count.to_be_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (session_id, count) = bytes.split_at_checked(16)?;
        Some(Self {
            session_id: Uuid::from_slice(session_id).ok()?,
            count: i32::from_be_bytes(count.try_into().ok()?),
        })
    }

    fn sign(self, key: &Hmac<Sha256>) -> String {
        let mac = key.clone().chain_update(self.bytes()).finalize().into_bytes();
        BASE64_URL_SAFE_NO_PAD.encode([self.bytes().as_slice(), mac.as_slice()].concat())
    }
}
