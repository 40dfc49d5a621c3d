//! The payloads of the mutations of accounts and sessions.

use async_graphql::SimpleObject;

use crate::api::account::UserNode;
use crate::api::scalar::{DateTime, Id};
use crate::service::SignedIn;

/// A new pair of tokens, with the signed-in user.
#[derive(SimpleObject)]
pub struct AuthPayload {
    /// The access token: a JWT for the header `Authorization: Bearer …`.
    access_token: String,
    /// The type of the access token, always Bearer.
    token_type: &'static str,
    /// The time when accessToken expires.
    expires_at: DateTime,
    /// An opaque token for a single use: the mutation refreshToken exchanges it for a new pair.
    refresh_token: String,
    /// The signed-in user.
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

/// The result of revokeSession.
#[derive(SimpleObject)]
pub struct RevokeSessionPayload {
    /// The id of the revoked session.
    pub revoked_session_id: Id,
}

/// The result of deleteAccount.
#[derive(SimpleObject)]
pub struct DeleteAccountPayload {
    /// The id of the deleted user.
    pub deleted_user_id: Id,
}

/// The result of logout.
#[derive(SimpleObject)]
pub struct LogoutPayload {
    /// Always true, since a failure is reported as an error.
    pub success: bool,
    /// A sentence that can be shown to the user.
    pub message: &'static str,
}

/// The result of updateProfile.
#[derive(SimpleObject)]
pub struct UpdateProfilePayload {
    /// The user after the change.
    pub user: UserNode,
}
