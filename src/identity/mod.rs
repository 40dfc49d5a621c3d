//! Who is speaking: tokens, passwords, and the [`Viewer`] that only a good token can become.
//! No SQL and no GraphQL enters here.

mod hs256;
mod password;
mod secret;
mod token;
mod viewer;

pub use password::Passwords;
pub use secret::{SigningSecret, WeakSecret};
pub use token::{Claims, Credential, Issued, Refusal, Tokens};
pub use viewer::Viewer;
