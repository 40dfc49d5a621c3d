//! Access tokens: JWTs signed with HS256 (RFC 7519), checked without any tolerance.

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::{Instant, User};
use crate::identity::{SigningSecret, hs256};

/// A token that is longer was not made here; it is refused before it is looked at.
const MAX_LENGTH: usize = 4096;
/// How far the clocks of two instances may be apart before a token counts as made in the future.
const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(60);

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
pub enum Refusal {
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

/// A signed token and when it stops working.
#[derive(Debug)]
pub struct Issued {
    pub token: String,
    pub claims: Claims,
    pub expires_at: Instant,
}

/// Signs and verifies access tokens.
pub struct Tokens {
    signing: EncodingKey,
    verifying: DecodingKey,
    lifetime: TimeDelta,
}

impl Tokens {
    /// Tokens that are good for `lifetime` after they were issued.
    pub fn new(secret: &SigningSecret, lifetime: TimeDelta) -> Self {
        hs256::install();
        Self {
            signing: EncodingKey::from_secret(secret.expose()),
            verifying: DecodingKey::from_secret(secret.expose()),
            lifetime,
        }
    }

    /// A token for one session of `user`, which it does not outlive.
    pub fn issue(&self, user: &User, session_id: Uuid, session_ends: Instant, now: Instant) -> Issued {
        let expires_at = (now + self.lifetime).min(session_ends);
        let claims = Claims {
            sub: user.id,
            email: user.email.clone(),
            iat: now.timestamp(),
            exp: expires_at.timestamp(),
            sid: session_id,
            jti: Uuid::new_v4(),
        };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing)
            .expect("claims serialize and an HMAC key signs anything");
        let expires_at = DateTime::<Utc>::from_timestamp(claims.exp, 0).unwrap_or(expires_at);
        Issued { token, claims, expires_at }
    }

    /// The claims of a genuine token that has not expired. Its session may have ended all the same.
    pub fn verify(&self, token: &str, now: Instant) -> Result<Claims, Refusal> {
        let claims = self.decode(token).ok_or(Refusal::Invalid)?;
        if claims.iat > (now + CLOCK_SKEW).timestamp() {
            Err(Refusal::Invalid)
        } else if claims.exp <= now.timestamp() {
            Err(Refusal::Expired(claims))
        } else {
            Ok(claims)
        }
    }

    /// Checks form and signature. Times are compared by the caller, on the service's clock.
    fn decode(&self, token: &str) -> Option<Claims> {
        if token.len() > MAX_LENGTH {
            return None;
        }
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        let data = jsonwebtoken::decode::<Claims>(token, &self.verifying, &validation).ok()?;
        // RFC 7515, 4.1.11: an extension that is marked critical and not understood makes a token
        // invalid. The library ignores the mark. No key has a name either, yet.
        (data.header.crit.is_none() && data.header.kid.is_none()).then_some(data.claims)
    }
}
