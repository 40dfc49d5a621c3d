//! The signed-in user. Whoever holds a Viewer may act for that user and for nobody else.

use uuid::Uuid;

use crate::auth::Claims;

/// A user whose token was genuine and whose session was alive when the request came in.
#[derive(Clone, Debug)]
pub struct Viewer {
    user_id: Uuid,
    session_id: Uuid,
}

impl Viewer {
    /// Admits the bearer of a genuine token. To be called only when its session has been seen to be
    /// alive; claims can be had from [`super::Tokens`] alone, so nobody is admitted without a token.
    pub(crate) fn authenticated(claims: &Claims) -> Self {
        Self { user_id: claims.user_id(), session_id: claims.session_id() }
    }

    /// Who it is.
    pub fn user_id(&self) -> Uuid {
        self.user_id
    }

    /// The session that the request was made with.
    pub fn session_id(&self) -> Uuid {
        self.session_id
    }
}
