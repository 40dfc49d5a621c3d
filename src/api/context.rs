//! The context of a request for its resolvers: the services, the credential, and the viewer.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::anyhow;
use async_graphql::ContextBase;
use tokio::sync::{Mutex, OnceCell};
use uuid::Uuid;

use crate::api::dependency::loader::WaitingLoader;
use crate::api::event_read::EventRead;
use crate::api::task_list::loader::ListLoader;
use crate::auth::{ClientInfo, Credential, Viewer};
use crate::domain::{Error, Required, Result, User};
use crate::graphql::error::FieldError;
use crate::graphql::{AttributeResponse, ResponseShare};
use crate::service::{Account, Accounts, Credentials, Services, TaskLists, Tasks, WaitingSeeds};

/// The maximum number of objects that the fields of one request find through dependencies.
const MAX_RELATED: usize = 10_000;

/// One request's access to the services. The token is verified when the first field needs the viewer, so that
/// public fields work with an invalid token.
pub struct RequestContext {
    services: Arc<Services>,
    credential: Credential,
    client: ClientInfo,
    viewer: OnceCell<Result<Viewer>>,
    /// The viewer's account, once a field has read or changed it.
    account: Mutex<Option<User>>,
    lists: std::sync::Mutex<HashMap<Uuid, Arc<ListLoader>>>,
    share: Arc<ResponseShare>,
    /// The number of objects that fields without pages have found through dependencies.
    related: AtomicUsize,
    /// The event of a subscription; None for every other request.
    event: Option<Box<EventRead>>,
}

impl RequestContext {
    /// The context of a request with this credential from this client, or of an event of a subscription.
    pub fn new(
        services: Arc<Services>,
        credential: Credential,
        client: ClientInfo,
        share: Arc<ResponseShare>,
        event: Option<Box<EventRead>>,
    ) -> Self {
        let (viewer, account) = (OnceCell::new(), Mutex::new(None));
        let lists = std::sync::Mutex::default();
        Self {
            services,
            credential,
            client,
            viewer,
            account,
            lists,
            share,
            related: AtomicUsize::new(0),
            event,
        }
    }

    /// The event of a subscription that the request reads.
    pub fn event(&self) -> Option<&EventRead> {
        self.event.as_deref()
    }

    /// The response's share of the response budget.
    pub fn share(&self) -> &Arc<ResponseShare> {
        &self.share
    }

    /// Counts objects that a field without pages has found through dependencies: nested in each other, few such fields
    /// could find very many. Errors: TooManyRelated.
    pub fn count_related(&self, count: usize) -> Result<()> {
        let counted = self.related.fetch_add(count, Ordering::Relaxed) + count;
        if counted > MAX_RELATED { Err(Error::TooManyRelated { limit: MAX_RELATED }) } else { Ok(()) }
    }

    /// The services, for operations that need no sign-in.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// The token of the request, if it has one.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// The client that sent the request.
    pub fn client(&self) -> &ClientInfo {
        &self.client
    }

    /// The account operations that verify or set a password. Errors: RateLimited when the client's address
    /// has made too many such requests in this minute.
    pub fn rate_limited_accounts(&self) -> Result<&Accounts> {
        let accounts = self.services.accounts();
        accounts.check_address(&self.client)?;
        Ok(accounts)
    }

    /// The signed-in user, with any session or API key. Errors: Unauthenticated without a valid token, Unavailable.
    pub async fn viewer(&self) -> Result<&Viewer> {
        let authenticate = || async {
            let viewer = self.services.sessions().authenticate(&self.credential, &self.client).await?;
            self.share.belongs_to(viewer.user_id());
            Ok(viewer)
        };
        let viewer = self.viewer.get_or_init(authenticate).await.as_ref().map_err(Error::clone)?;
        // An earlier field of the same request may have revoked the session or the API key.
        self.services.sessions().check(viewer).await?;
        Ok(viewer)
    }

    /// The viewer, if a field has needed it and the token was valid.
    pub fn known_viewer(&self) -> Option<&Viewer> {
        self.viewer.get()?.as_ref().ok()
    }

    /// The viewer of a change that was just committed. It does not check whether the session was revoked
    /// since then: the client must learn that the change was made. Errors: Internal before [`Self::viewer`].
    pub fn authenticated_viewer(&self) -> Result<&Viewer> {
        self.known_viewer().ok_or_else(|| Error::internal(anyhow!("a change was made without a viewer")))
    }

    /// The viewer's tasks, to read them. Errors: as [`Self::viewer`]; MissingRight without the scope TASKS_READ.
    pub async fn tasks_read(&self) -> Result<Tasks<'_>> {
        self.services.tasks_read(self.viewer().await?)
    }

    /// The viewer's tasks, to change them. Errors: as [`Self::viewer`]; MissingRight without the scope TASKS_WRITE,
    /// or when the viewer has to verify the e-mail address first.
    pub async fn tasks_write(&self) -> Result<Tasks<'_>> {
        let tasks = self.services.tasks_write(self.viewer().await?)?;
        self.require_verified_email().await?;
        self.lists.lock().expect("no holder panics").clear();
        Ok(tasks)
    }

    /// The viewer's task lists, to read them. Errors: as [`Self::tasks_read`].
    pub async fn lists_read(&self) -> Result<TaskLists<'_>> {
        self.services.lists_read(self.viewer().await?)
    }

    /// The viewer's task lists, to change them. Errors: as [`Self::tasks_write`].
    pub async fn lists_write(&self) -> Result<TaskLists<'_>> {
        self.tasks_write().await.map(TaskLists::new)
    }

    /// The loader of a task list of `viewer`. It is the same for all tasks of the list, until a field changes tasks.
    pub fn list_loader(&self, list: Uuid, viewer: &Viewer) -> Arc<ListLoader> {
        let mut loaders = self.lists.lock().expect("no holder panics");
        let loader = || Arc::new(ListLoader::new(list, viewer, &self.services, &self.share));
        loaders.entry(list).or_insert_with(loader).clone()
    }

    /// A loader of what tasks of `viewer` wait for.
    pub fn waiting_loader(&self, seeds: WaitingSeeds, viewer: &Viewer) -> Arc<WaitingLoader> {
        Arc::new(WaitingLoader::new(seeds, viewer, &self.services, &self.share))
    }

    /// The viewer's account. Errors: as [`Self::viewer`]; MissingRight without the scope ACCOUNT.
    pub async fn account(&self) -> Result<Account<'_>> {
        self.services.account(self.viewer().await?)
    }

    /// The viewer's credentials. Errors: as [`Self::viewer`]; MissingRight with an API key.
    pub async fn credentials(&self) -> Result<Credentials<'_>> {
        self.services.credentials(self.viewer().await?)
    }

    /// The viewer's credentials, for operations that the rate limit of the client's address counts. Errors: as
    /// [`Self::credentials`]; RateLimited.
    pub async fn rate_limited_credentials(&self) -> Result<Credentials<'_>> {
        let credentials = self.credentials().await?;
        self.rate_limited_accounts()?;
        Ok(credentials)
    }

    /// Errors: MissingRight when users must verify their e-mail address first, and the viewer has not.
    pub async fn require_verified_email(&self) -> Result<()> {
        if !self.services.accounts().verified_email_required() {
            return Ok(());
        }
        // Boxed to keep the futures of all changes of tasks small: it is rarely needed and large.
        let user = Box::pin(async { self.account_of(self.viewer().await?).await }).await?;
        if user.email_verified { Ok(()) } else { Err(Error::MissingRight(Required::VerifiedEmail)) }
    }

    /// The account of `viewer`. It is read once per request, even if many tasks select their owner.
    pub async fn account_of(&self, viewer: &Viewer) -> Result<User> {
        let mut account = self.account.lock().await;
        match &*account {
            Some(user) if user.id == viewer.user_id() => Ok(user.clone()),
            _ => Ok(account.insert(self.services.user(viewer).await?).clone()),
        }
    }

    /// The viewer's account, if it has been read already.
    pub fn cached_account(&self) -> Option<User> {
        let viewer = self.known_viewer()?;
        self.account.try_lock().ok()?.clone().filter(|user| user.id == viewer.user_id())
    }

    /// Replaces the cached account, so that later fields of the request return the changed one.
    pub async fn cache_account(&self, user: &User) {
        *self.account.lock().await = Some(user.clone());
    }

    /// Removes the cached account, after a field has changed an account that need not be the viewer's.
    pub async fn forget_account(&self) {
        *self.account.lock().await = None;
    }
}

impl AttributeResponse for RequestContext {
    async fn attribute_response(&self) {
        // The fields that need the viewer report the error of an invalid token.
        let _ = self.viewer().await;
    }
}

/// Gives resolvers access to the context of their request.
pub trait RequestExt<'a> {
    /// The context of the request that the resolver belongs to.
    fn request(&self) -> &'a RequestContext;
}

impl<'a, T> RequestExt<'a> for ContextBase<'a, T> {
    fn request(&self) -> &'a RequestContext {
        self.data_unchecked::<Arc<RequestContext>>()
    }
}

/// The result of a nullable field: an error makes only this field null, not its siblings.
pub type Nullable<T> = Option<Result<T, FieldError>>;

/// Executes the body of a nullable field. The body is boxed, so that the future of the root type does not have
/// the size of its largest field, which would be copied for each of its fields.
pub async fn nullable<T>(body: impl Future<Output = Result<T>>) -> Nullable<T> {
    Some(Box::pin(body).await.map_err(FieldError::from))
}
