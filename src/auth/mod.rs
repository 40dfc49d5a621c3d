//! Who is speaking: tokens, passwords, and the [`Viewer`] that only a good token can become.
//! No SQL and no GraphQL enters here.

mod client;
mod hashing_pool;
mod hs256;
mod password;
mod rate_limit;
mod signing_key;
mod token;
mod viewer;

pub use client::{ClientInfo, counted_address};
pub use password::{Passwords, VerifyPermit};
pub use rate_limit::IpRateLimiter;
pub use signing_key::{SigningSecret, SigningSecrets, WeakSecret};
pub use token::{Claims, Credential, RefreshToken, TokenError, TokenPair, Tokens};
pub use viewer::Viewer;
