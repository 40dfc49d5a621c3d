//! The signed-in user of a request. Code that has a Viewer may act for that user only.

use uuid::Uuid;

use crate::auth::Claims;

/// A user whose token was verified and whose session was active when the request arrived.
#[derive(Clone, Debug)]
pub struct Viewer {
    user_id: Uuid,
    session_id: Uuid,
}

impl Viewer {
    /// The user of verified claims. The caller must have checked that the session is active. Only
    /// [`super::Tokens`] creates claims, so there is no Viewer without a token.
    pub(crate) fn authenticated(claims: &Claims) -> Self {
        Self { user_id: claims.user_id(), session_id: claims.session_id() }
    }

    /// The id of the user.
    pub fn user_id(&self) -> Uuid {
        self.user_id
    }

    /// The id of the session that the request uses.
    pub fn session_id(&self) -> Uuid {
        self.session_id
    }
}
