//! The results of mutations of accounts and sessions.

use async_graphql::SimpleObject;

use crate::api::account::UserNode;
use crate::api::scalar::{DateTime, Id};
use crate::service::SignedIn;

/// A fresh sign-in.
#[derive(SimpleObject)]
pub struct AuthPayload {
    /// A JWT for the header `Authorization: Bearer …`.
    access_token: String,
    /// Always Bearer.
    token_type: &'static str,
    /// When accessToken stops working.
    expires_at: DateTime,
    /// Opaque, single use: exchange it for a new pair with refreshToken.
    refresh_token: String,
    /// Who is signed in.
    user: UserNode,
}

impl From<SignedIn> for AuthPayload {
    fn from(signed_in: SignedIn) -> Self {
        let SignedIn { access_token, refresh_token, expires_at, user, viewer } = signed_in;
        Self {
            access_token,
            token_type: "Bearer",
            expires_at: DateTime(expires_at),
            refresh_token,
            user: UserNode::new(user, &viewer),
        }
    }
}

/// The end of a session.
#[derive(SimpleObject)]
pub struct RevokeSessionPayload {
    /// The session's id.
    pub revoked_session_id: Id,
}

/// The end of an account.
#[derive(SimpleObject)]
pub struct DeleteAccountPayload {
    /// The user's id.
    pub deleted_user_id: Id,
}

/// The end of one or more sessions.
#[derive(SimpleObject)]
pub struct LogoutPayload {
    /// Always true: a failure is an error.
    pub success: bool,
    /// A sentence to show.
    pub message: &'static str,
}

/// A changed profile.
#[derive(SimpleObject)]
pub struct UpdateProfilePayload {
    /// The account after the change.
    pub user: UserNode,
}
