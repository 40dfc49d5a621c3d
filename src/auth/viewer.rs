//! The signed-in user of a request. Code that has a Viewer may act for that user only.

use uuid::Uuid;

use crate::auth::Claims;
use crate::domain::{Error, Required, Result, Scope, Scopes};

/// A user whose token was verified and whose session or API key was active when the request arrived.
#[derive(Clone, Debug)]
pub struct Viewer {
    user_id: Uuid,
    admitted_by: AdmittedBy,
}

/// What a request was admitted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdmittedBy {
    /// The access token of a session, which has every right.
    Session(Uuid),
    /// An API key, which has the rights of its scopes.
    ApiKey { id: Uuid, scopes: Scopes },
}

impl Viewer {
    /// The user of verified claims. The caller must have checked that the session is active. Only
    /// [`super::Tokens`] creates claims, so there is no Viewer without a token.
    pub(crate) fn authenticated(claims: &Claims) -> Self {
        Self { user_id: claims.user_id(), admitted_by: AdmittedBy::Session(claims.session_id()) }
    }

    /// The user of an API key. The caller must have found the key by its token, and checked that it is active.
    pub(crate) fn of_api_key(user_id: Uuid, id: Uuid, scopes: Scopes) -> Self {
        Self { user_id, admitted_by: AdmittedBy::ApiKey { id, scopes } }
    }

    /// The id of the user.
    pub fn user_id(&self) -> Uuid {
        self.user_id
    }

    /// What the request was admitted with.
    pub fn admitted_by(&self) -> AdmittedBy {
        self.admitted_by
    }

    /// The id of the session or the API key.
    pub fn credential_id(&self) -> Uuid {
        let (AdmittedBy::Session(id) | AdmittedBy::ApiKey { id, .. }) = self.admitted_by;
        id
    }

    /// The id of the session, unless the request was made with an API key.
    pub fn session_id(&self) -> Option<Uuid> {
        match self.admitted_by {
            AdmittedBy::Session(id) => Some(id),
            AdmittedBy::ApiKey { .. } => None,
        }
    }

    /// The id of the API key that the request was made with.
    pub fn api_key_id(&self) -> Option<Uuid> {
        match self.admitted_by {
            AdmittedBy::Session(_) => None,
            AdmittedBy::ApiKey { id, .. } => Some(id),
        }
    }

    /// Whether the viewer may do what a scope allows.
    pub fn may(&self, scope: Scope) -> bool {
        match self.admitted_by {
            AdmittedBy::Session(_) => true,
            AdmittedBy::ApiKey { scopes, .. } => scopes.allow(scope),
        }
    }

    /// Errors: MissingRight when the viewer may not do what a scope allows.
    pub fn require(&self, scope: Scope) -> Result<()> {
        if self.may(scope) { Ok(()) } else { Err(Error::MissingRight(Required::Scope(scope))) }
    }

    /// The id of the session. Errors: MissingRight when the request was made with an API key.
    pub fn require_session(&self) -> Result<Uuid> {
        self.session_id().ok_or(Error::MissingRight(Required::Session))
    }
}
