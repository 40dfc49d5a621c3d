//! The types of accounts: users and their sessions.

use async_graphql::{ComplexObject, Context, SimpleObject};

use crate::api::context::RequestExt;
use crate::api::scalar::{DateTime, Id};
use crate::api::task::connection::{PagingArguments, TaskConnection};
use crate::api::task::filter::{TaskFilter, TaskOrder};
use crate::auth::Viewer;
use crate::domain::{self, Result, User};
use crate::graphql::direct_json::DirectJson;
use crate::graphql::error::FieldError;

/// An account.
#[derive(SimpleObject, DirectJson, Clone)]
#[graphql(name = "User", complex)]
pub struct UserNode {
    /// A UUID.
    pub id: Id,
    /// The e-mail address, as it was written at registration.
    email: String,
    /// Unique regardless of case. Chosen at registration, or derived from the e-mail address.
    username: String,
    /// Display name.
    name: String,
    /// Whether the account may sign in.
    is_active: bool,
    /// When the account was made.
    created_at: DateTime,
    /// When the profile last changed.
    updated_at: DateTime,
    #[graphql(skip)]
    viewer: Viewer,
}

impl UserNode {
    /// The account of `viewer`.
    pub fn new(user: User, viewer: &Viewer) -> Self {
        let User { id, email, username, name, is_active, created_at, updated_at } = user;
        Self {
            id: id.into(),
            email,
            username,
            name,
            is_active,
            created_at: DateTime(created_at),
            updated_at: DateTime(updated_at),
            viewer: viewer.clone(),
        }
    }
}

#[ComplexObject]
impl UserNode {
    /// The same list as Query.tasks.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a Relay connection")]
    async fn tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many tasks, from the beginning: 1 to 100, 20 when left out.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only tasks after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many tasks, from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only tasks before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only tasks that meet it.")] filter: Option<TaskFilter>,
        #[graphql(desc = "Up to three keys; newest first when left out.")] order_by: Option<Vec<TaskOrder>>,
    ) -> Result<TaskConnection, FieldError> {
        let paging = PagingArguments { first, after, last, before };
        let loaded = TaskConnection::load(ctx, &self.viewer, paging, filter, order_by).await;
        loaded.map_err(|error| FieldError::at_path(ctx, error))
    }

    /// Where the viewer is signed in, newest activity first.
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Vec<SessionNode>, FieldError> {
        let sessions = ctx.request().services().sessions().list(&self.viewer).await;
        let sessions = sessions.map_err(|error| FieldError::at_path(ctx, error))?;
        Ok(sessions.into_iter().map(SessionNode::from).collect())
    }
}

/// One sign-in. Ends by logout, by revokeSession, by a password change, or when it expires.
#[derive(SimpleObject, Clone)]
#[graphql(name = "Session")]
pub struct SessionNode {
    /// A UUID.
    pub id: Id,
    /// The session that this request is made with.
    current: bool,
    /// What the client said of itself at the sign-in.
    user_agent: Option<String>,
    /// The address that the sign-in came from.
    ip_address: Option<String>,
    /// When the sign-in was.
    created_at: DateTime,
    /// When it was used last, to the minute.
    last_used_at: DateTime,
    /// When it ends at the latest.
    expires_at: DateTime,
}

impl From<domain::Session> for SessionNode {
    fn from(session: domain::Session) -> Self {
        let domain::Session { id, current, user_agent, ip_address, created_at, last_used_at, expires_at } =
            session;
        Self {
            id: id.into(),
            current,
            user_agent,
            ip_address,
            created_at: DateTime(created_at),
            last_used_at: DateTime(last_used_at),
            expires_at: DateTime(expires_at),
        }
    }
}
