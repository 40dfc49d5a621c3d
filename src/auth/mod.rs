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

pub use client::{Client, counted_address};
pub use password::{Passwords, Verification};
pub use rate_limit::AddressLimit;
pub use signing_key::{SigningSecret, SigningSecrets, WeakSecret};
pub use token::{Claims, Credential, Issued, Refresh, Refusal, Tokens};
pub use viewer::Viewer;
