//! Authentication: tokens, passwords, and the [`Viewer`] that only a verified token can become. It contains
//! no SQL and no GraphQL.

mod api_key;
mod base62;
mod client;
mod hashing_pool;
mod hs256;
mod link_token;
mod password;
mod rate_limit;
mod signing_key;
mod token;
mod viewer;

pub use api_key::{KeyHash, NewKeyToken, key_hash};
pub use client::{ClientInfo, counted_address};
pub use link_token::LinkTokens;
pub use password::{Passwords, VerifyPermit};
pub use rate_limit::IpRateLimiter;
pub use signing_key::{SigningSecret, SigningSecrets, WeakSecret};
pub use token::{Claims, Credential, RefreshToken, TokenError, TokenPair, Tokens};
pub use viewer::{AdmittedBy, Viewer};
