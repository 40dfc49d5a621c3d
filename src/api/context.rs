//! What a request carries to its resolvers: the services, and who is speaking.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::anyhow;
use async_graphql::parser::types::Field;
use async_graphql::{ContextBase, ContextSelectionSet, Positioned, ServerError};
use tokio::sync::{Mutex, OnceCell, Semaphore};

use crate::auth::{ClientInfo, Credential, Viewer};
use crate::domain::{Error, Result, User};
use crate::graphql::error::FieldError;
use crate::graphql::response_budget::ResponseShare;
use crate::service::{Account, Accounts, Services, Tasks};

/// What is in tasks may make up so much of an answer: the boxes of some forty full tasks.
pub const MAX_RESPONSE_TEXT_BYTES: usize = 32 << 20;
/// Root fields of a request that run at once, so that one request does not take all database connections.
const CONCURRENT_ROOT_FIELDS: usize = 2;
/// A mutation's answer has about this many bytes for each unit of its document's complexity, at most.
const RESPONSE_BYTES_PER_COMPLEXITY: usize = 16 << 10;

/// One request's view of the service. The viewer is looked up when the first field asks for it, so a
/// bad token does not stand in the way of the public fields.
pub struct RequestContext {
    services: Arc<Services>,
    credential: Credential,
    client: ClientInfo,
    viewer: OnceCell<Result<Viewer>>,
    /// Bytes of what is in tasks that the answer has so far.
    charged: AtomicUsize,
    me: Mutex<Option<User>>,
    /// Whether objects may be written as JSON at once: the document does not ask for parts of the same one.
    at_once: bool,
    share: Arc<ResponseShare>,
    /// None: the request has no more root fields than may run at once.
    root_fields: Option<Semaphore>,
}

impl RequestContext {
    pub fn new(
        services: Arc<Services>,
        credential: Credential,
        client: ClientInfo,
        at_once: bool,
        share: Arc<ResponseShare>,
        root_fields: usize,
    ) -> Self {
        let is_limited = root_fields > CONCURRENT_ROOT_FIELDS;
        Self {
            services,
            credential,
            client,
            viewer: OnceCell::new(),
            charged: AtomicUsize::new(0),
            me: Mutex::new(None),
            at_once,
            share,
            root_fields: is_limited.then(|| Semaphore::new(CONCURRENT_ROOT_FIELDS)),
        }
    }

    /// What the answer takes of the memory for answers.
    pub fn share(&self) -> &Arc<ResponseShare> {
        &self.share
    }

    /// Limits how many root fields run at once, if the request has many.
    pub fn root_fields(&self) -> Option<&Semaphore> {
        self.root_fields.as_ref()
    }

    /// Whether a mutation of this complexity may start. Errors: Unavailable while its user has too many
    /// answers that are not taken.
    pub async fn begin_mutation(&self, complexity: usize) -> Result<()> {
        let bytes = complexity.saturating_mul(RESPONSE_BYTES_PER_COMPLEXITY).min(MAX_RESPONSE_TEXT_BYTES);
        if !self.share.is_mutation_free(bytes) {
            // A bad token is told by the fields that need a good one.
            let _ = self.viewer().await;
        }
        self.share.begin_mutation(bytes)
    }

    pub fn services(&self) -> &Services {
        &self.services
    }

    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Whether objects may be written as JSON at once.
    pub fn allows_direct_json(&self) -> bool {
        self.at_once
    }

    /// Where the request comes from.
    pub fn client(&self) -> &ClientInfo {
        &self.client
    }

    /// Accounts, for an operation that checks or sets a password: each address has so many a minute.
    pub fn rate_limited_accounts(&self) -> Result<&Accounts> {
        let accounts = self.services.accounts();
        accounts.check_address(&self.client)?;
        Ok(accounts)
    }

    /// The signed-in user, or why there is none.
    pub async fn viewer(&self) -> Result<&Viewer> {
        let admit = || async {
            let viewer = self.services.sessions().authenticate(&self.credential).await?;
            self.share.belongs_to(viewer.user_id());
            Ok(viewer)
        };
        let viewer = self.viewer.get_or_init(admit).await.as_ref().map_err(Error::clone)?;
        // A field before this one may have ended the session.
        self.services.sessions().check(viewer)?;
        Ok(viewer)
    }

    /// The viewer, if some field has asked for it and it was admitted.
    pub fn known_viewer(&self) -> Option<&Viewer> {
        self.viewer.get()?.as_ref().ok()
    }

    /// The viewer of what has just been done for them. Their session may have ended since; what was done is
    /// answered all the same.
    pub fn authenticated_viewer(&self) -> Result<&Viewer> {
        self.known_viewer().ok_or_else(|| Error::internal(anyhow!("something was done for no viewer")))
    }

    /// The viewer's tasks.
    pub async fn tasks(&self) -> Result<Tasks<'_>> {
        Ok(self.services.tasks(self.viewer().await?))
    }

    /// The viewer's account.
    pub async fn account(&self) -> Result<Account<'_>> {
        Ok(self.services.account(self.viewer().await?))
    }

    /// The account of `viewer`, read once a request however many tasks ask for their owner.
    pub async fn account_of(&self, viewer: &Viewer) -> Result<User> {
        let mut me = self.me.lock().await;
        match &*me {
            Some(user) if user.id == viewer.user_id() => Ok(user.clone()),
            _ => Ok(me.insert(self.services.account(viewer).get().await?).clone()),
        }
    }

    /// Counts a text into the answer, as long as it is in JSON.
    pub fn charge_text(&self, text: &str) -> Result<()> {
        let escapes = text.bytes().map(|byte| match byte {
            b'"' | b'\\' | 8 | b'\t' | b'\n' | 12 | b'\r' => 1,
            0..b' ' => 5,
            _ => 0,
        });
        self.charge(text.len() + escapes.sum::<usize>())
    }

    /// Counts what an answer takes in: aliases and repeated ids can ask for the same large list many times.
    pub fn charge(&self, bytes: usize) -> Result<()> {
        self.share.take(bytes)?;
        let before = self.charged.fetch_add(bytes, Ordering::Relaxed);
        if before + bytes > MAX_RESPONSE_TEXT_BYTES {
            Err(Error::TooLarge { limit: MAX_RESPONSE_TEXT_BYTES })
        } else {
            Ok(())
        }
    }

    /// What the answer takes in so far, in bytes.
    pub fn charged(&self) -> usize {
        self.charged.load(Ordering::Relaxed)
    }

    /// Counts from an earlier state again.
    pub fn reset_charged_to(&self, charged: usize) {
        let after = self.charged.swap(charged, Ordering::Relaxed);
        self.share.give_back(after - charged);
    }

    /// The account of the viewer, if it has been read already.
    pub fn cached_account(&self) -> Option<User> {
        let viewer = self.known_viewer()?;
        self.me.try_lock().ok()?.clone().filter(|user| user.id == viewer.user_id())
    }

    /// Makes later fields of the same request see a changed account.
    pub async fn cache_account(&self, user: &User) {
        *self.me.lock().await = Some(user.clone());
    }
}

/// The request's session, as the schema's resolvers find it.
pub struct SessionData(pub Arc<RequestContext>);

/// Finds the request that a resolver works for.
pub trait RequestExt<'a> {
    /// The request that the resolver works for.
    fn request(&self) -> &'a RequestContext;
}

impl<'a, T> RequestExt<'a> for ContextBase<'a, T> {
    fn request(&self) -> &'a RequestContext {
        &self.data_unchecked::<SessionData>().0
    }
}

/// The error of a field whose answer is refused while it is written.
pub fn refused(ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>, error: Error) -> ServerError {
    let error = async_graphql::Error::from(FieldError::at_path(ctx, error));
    ctx.set_error_path(error.into_server_error(field.pos))
}

/// What a nullable field resolves to: an error nulls that field alone, and its siblings stay.
pub type Nullable<T> = Option<Result<T, FieldError>>;

/// Runs the body of a nullable field.
pub async fn nullable<T>(body: impl Future<Output = Result<T>>) -> Nullable<T> {
    Some(body.await.map_err(FieldError::from))
}
