//! Signs and verifies tokens. An access token is a JWT signed with HS256 (RFC 7519), whose expiry is checked
//! without leeway. A refresh token contains its session and the number of refreshes, authenticated by a
//! separate key, so the database stores nothing that could be used as a token.

use std::sync::Arc;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use chrono::{DateTime, TimeDelta};
use hmac::{Hmac, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use moka::sync::Cache;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::auth::api_key::is_key_token;
use crate::auth::signing_key::SigningSecret;
use crate::auth::{SigningSecrets, hs256};
use crate::domain::{Instant, User};

/// The maximum length of a token: longer ones are refused without parsing, since taskhold issues none.
const MAX_TOKEN_BYTES: usize = 4096;
/// How far the clocks of two instances may differ: a token that was issued further in the future is invalid.
const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::seconds(60);

/// How many verified tokens are cached, whose signatures are then not verified again.
const CLAIMS_CACHE_SIZE: u64 = 20_000;

/// The claims of a verified token. Only [`Tokens`] can create them.
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
    /// The user of the token.
    pub fn user_id(&self) -> Uuid {
        self.sub
    }

    /// The session that the token belongs to.
    pub fn session_id(&self) -> Uuid {
        self.sid
    }

    /// From when on the token is not valid.
    pub fn expires_at(&self) -> Instant {
        DateTime::from_timestamp(self.exp, 0).unwrap_or(DateTime::UNIX_EPOCH)
    }
}

/// Why a token was refused.
#[derive(Clone, Debug)]
pub enum TokenError {
    /// The signature is valid but the token has expired; the claims still identify its session.
    Expired(Claims),
    /// Every other reason; details would help an attacker.
    Invalid,
}

/// The credential of a request.
#[derive(Clone, Debug, Default)]
pub enum Credential {
    #[default]
    None,
    /// Clones share the token, so that each event of a subscription does not copy it.
    Bearer(Arc<secrecy::SecretString>),
}

impl Credential {
    /// Whether the credential is meant as an API key, valid or not.
    pub fn is_api_key(&self) -> bool {
        match self {
            Self::None => false,
            Self::Bearer(token) => is_key_token(token.expose_secret()),
        }
    }
}

/// A session after a number of refreshes. Its tokens are determined by this alone, so a repeated refresh
/// returns the same tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    pub session_id: Uuid,
    /// How many times the session has been refreshed.
    pub count: i32,
}

/// The tokens of a session, and when the access token expires.
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
    /// The claims of tokens whose signature was verified, by the SHA-256 of the token.
    claims_cache: Cache<[u8; 32], Claims>,
}

/// The keys that are derived from one secret.
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
    /// Access tokens are valid for `lifetime` after they were issued.
    pub fn new(secrets: &SigningSecrets, lifetime: TimeDelta) -> Self {
        hs256::install();
        let keys = secrets.keys().iter().map(Key::new).collect();
        Self { keys, lifetime, claims_cache: Cache::new(CLAIMS_CACHE_SIZE) }
    }

    fn signing(&self) -> &Key {
        self.keys.first().expect("there is at least one secret")
    }

    /// Issues the tokens of a session of `user` after `refresh`. No token outlives `session_ends`.
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

    /// The claims of a token with a valid signature that has not expired. Its session may have been revoked.
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

    /// The content of a refresh token with a valid signature. It may have been used already.
    pub fn verify_refresh(&self, token: &str) -> Option<RefreshToken> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
        let (refresh, mac) = bytes.split_at_checked(RefreshToken::LENGTH)?;
        let is_valid = |key: &Key| key.refresh.clone().chain_update(refresh).verify_slice(mac).is_ok();
        self.keys.iter().any(is_valid).then(|| RefreshToken::from_bytes(refresh))?
    }

    /// The claims of a token with a valid signature. They are cached, since a client sends the same token
    /// with each request.
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

    /// Checks format and signature. The caller checks the times, with the clock of the service.
    fn decode(&self, token: &str) -> Option<Claims> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        // RFC 7515, 4.1.11: a token with a critical extension that is not understood is invalid. The library
        // ignores `crit`.
        if header.crit.is_some() {
            return None;
        }
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        // A token without `kid` was signed before its secret had a name, so every key is tried.
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
