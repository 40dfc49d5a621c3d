//! What a request carries to its resolvers: the services, the credential, and the viewer.

use std::sync::Arc;

use anyhow::anyhow;
use async_graphql::ContextBase;
use tokio::sync::{Mutex, OnceCell};

use crate::auth::{ClientInfo, Credential, Viewer};
use crate::domain::{Error, Result, User};
use crate::graphql::error::FieldError;
use crate::graphql::{RequesterContext, ResponseShare};
use crate::service::{Account, Accounts, Services, Tasks};

/// One request's access to the services. The viewer is looked up when the first field needs it, so that a
/// bad token does not make the public fields fail.
pub struct RequestContext {
    services: Arc<Services>,
    credential: Credential,
    client: ClientInfo,
    viewer: OnceCell<Result<Viewer>>,
    /// The viewer's account, once a field has read or changed it.
    account: Mutex<Option<User>>,
    share: Arc<ResponseShare>,
}

impl RequestContext {
    /// The context of a request with this credential from this client.
    pub fn new(
        services: Arc<Services>,
        credential: Credential,
        client: ClientInfo,
        share: Arc<ResponseShare>,
    ) -> Self {
        let (viewer, account) = (OnceCell::new(), Mutex::new(None));
        Self { services, credential, client, viewer, account, share }
    }

    /// The response's share of the memory for responses.
    pub fn share(&self) -> &Arc<ResponseShare> {
        &self.share
    }

    /// The services, for what needs no sign-in.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// What the request proves its user with.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Where the request comes from.
    pub fn client(&self) -> &ClientInfo {
        &self.client
    }

    /// Accounts, for an operation that checks or sets a password. Errors: RateLimited when the client's
    /// address has made too many such operations in this minute.
    pub fn rate_limited_accounts(&self) -> Result<&Accounts> {
        let accounts = self.services.accounts();
        accounts.check_address(&self.client)?;
        Ok(accounts)
    }

    /// The signed-in user. Errors: Unauthenticated without a valid token, Unavailable.
    pub async fn viewer(&self) -> Result<&Viewer> {
        let authenticate = || async {
            let viewer = self.services.sessions().authenticate(&self.credential).await?;
            self.share.belongs_to(viewer.user_id());
            Ok(viewer)
        };
        let viewer = self.viewer.get_or_init(authenticate).await.as_ref().map_err(Error::clone)?;
        // An earlier field of the same request may have revoked the session.
        self.services.sessions().check(viewer)?;
        Ok(viewer)
    }

    /// The viewer, if a field has asked for it and the token was valid.
    pub fn known_viewer(&self) -> Option<&Viewer> {
        self.viewer.get()?.as_ref().ok()
    }

    /// The viewer of a change that has just been made. The session may have been revoked since; the change
    /// is reported nevertheless.
    pub fn authenticated_viewer(&self) -> Result<&Viewer> {
        self.known_viewer().ok_or_else(|| Error::internal(anyhow!("a change was made without a viewer")))
    }

    /// The viewer's tasks. Errors: as [`Self::viewer`].
    pub async fn tasks(&self) -> Result<Tasks<'_>> {
        Ok(self.services.tasks(self.viewer().await?))
    }

    /// The viewer's account. Errors: as [`Self::viewer`].
    pub async fn account(&self) -> Result<Account<'_>> {
        Ok(self.services.account(self.viewer().await?))
    }

    /// The account of `viewer`, which is read once in a request, however many tasks select their owner.
    pub async fn account_of(&self, viewer: &Viewer) -> Result<User> {
        let mut account = self.account.lock().await;
        match &*account {
            Some(user) if user.id == viewer.user_id() => Ok(user.clone()),
            _ => Ok(account.insert(self.services.account(viewer).get().await?).clone()),
        }
    }

    /// The account of the viewer, if it has been read already.
    pub fn cached_account(&self) -> Option<User> {
        let viewer = self.known_viewer()?;
        self.account.try_lock().ok()?.clone().filter(|user| user.id == viewer.user_id())
    }

    /// Makes later fields of the same request see a changed account.
    pub async fn cache_account(&self, user: &User) {
        *self.account.lock().await = Some(user.clone());
    }
}

impl RequesterContext for RequestContext {
    async fn attribute_response(&self) {
        // The fields that need a viewer report the error of a bad token.
        let _ = self.viewer().await;
    }
}

/// Finds the context of the request that a resolver works for.
pub trait RequestExt<'a> {
    /// The context of the request that the resolver works for.
    fn request(&self) -> &'a RequestContext;
}

impl<'a, T> RequestExt<'a> for ContextBase<'a, T> {
    fn request(&self) -> &'a RequestContext {
        self.data_unchecked::<Arc<RequestContext>>()
    }
}

/// The value of a nullable field: its error makes that field null, and its siblings stay.
pub type Nullable<T> = Option<Result<T, FieldError>>;

/// Runs the body of a nullable field.
pub async fn nullable<T>(body: impl Future<Output = Result<T>>) -> Nullable<T> {
    Some(body.await.map_err(FieldError::from))
}
