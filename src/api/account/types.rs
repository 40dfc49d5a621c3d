//! The types User and Session.

use async_graphql::parser::types::Field;
use async_graphql::{ComplexObject, Context, ContextSelectionSet, SimpleObject};

use crate::api::account::ApiKeyNode;
use crate::api::context::RequestExt;
use crate::api::scalar::{DateTime, Id};
use crate::api::task::connection::TaskConnection;
use crate::api::task::filter::{TaskFilter, TaskOrder};
use crate::api::task_list::TaskListConnection;
use crate::auth::Viewer;
use crate::domain::{self, PageArguments, Result, Scope, TaskScope, User};
use crate::graphql::direct_json::{DirectJson, FieldWriter, scalar};
use crate::graphql::error::FieldError;
use crate::service::Account;

/// A user account.
#[derive(SimpleObject, DirectJson, Clone)]
#[graphql(name = "User", complex)]
#[direct_json(resolvers = "resolver_writer")]
pub struct UserNode {
    /// The id of the user, a UUID.
    pub id: Id,
    #[graphql(skip)]
    email: String,
    #[graphql(skip)]
    email_verified: bool,
    /// The username, which is unique regardless of case. It was chosen by the user or derived from the e-mail
    /// address.
    username: String,
    /// The display name.
    name: String,
    /// Whether the user may sign in.
    is_active: bool,
    /// The time when the account was created.
    created_at: DateTime,
    /// The time of the last change of the profile.
    updated_at: DateTime,
    #[graphql(skip)]
    viewer: Viewer,
}

impl UserNode {
    /// The user object of `viewer`.
    pub fn new(user: User, viewer: &Viewer) -> Self {
        let User { id, email, email_verified, username, name, is_active, created_at, updated_at } = user;
        Self {
            id: id.into(),
            email,
            email_verified,
            username,
            name,
            is_active,
            created_at: DateTime(created_at),
            updated_at: DateTime(updated_at),
            viewer: viewer.clone(),
        }
    }

    /// The fields that an API key may read only with the scope ACCOUNT.
    fn resolver_writer<'a>(
        field: &'a Field,
        ctx: &'a ContextSelectionSet<'a>,
    ) -> Option<FieldWriter<'a, Self>> {
        if !ctx.request().known_viewer()?.may(Scope::Account) {
            return None;
        }
        match field.name.node.as_str() {
            "email" => scalar(|user: &Self| &user.email),
            "emailVerified" => scalar(|user: &Self| &user.email_verified),
            _ => None,
        }
    }

    /// The user's account. Errors: MissingRight without the scope ACCOUNT.
    fn account<'a>(&'a self, ctx: &Context<'a>) -> Result<Account<'a>, FieldError> {
        let account = ctx.request().services().account(&self.viewer);
        account.map_err(|error| FieldError::at_path(ctx, error))
    }
}

#[ComplexObject]
impl UserNode {
    /// The e-mail address, as the user wrote it. API keys need the scope ACCOUNT.
    async fn email(&self, ctx: &Context<'_>) -> Result<&str, FieldError> {
        self.account(ctx).map(|_| self.email.as_str())
    }

    /// Whether the user has proved that email can be read by them. API keys need the scope ACCOUNT.
    async fn email_verified(&self, ctx: &Context<'_>) -> Result<bool, FieldError> {
        self.account(ctx).map(|_| self.email_verified)
    }

    /// The requested new address that is not verified yet; null when no change is pending. API keys need the scope
    /// ACCOUNT.
    async fn pending_email(&self, ctx: &Context<'_>) -> Result<Option<String>, FieldError> {
        let pending = self.account(ctx)?.pending_email().await;
        pending.map_err(|error| FieldError::at_path(ctx, error))
    }

    /// The user's tasks: the same list as Query.tasks.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a Relay connection")]
    async fn tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of tasks from the start of the list: 1 to 100, by default 20.")]
        first: Option<i32>,
        #[graphql(desc = "Selects only tasks after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of tasks from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Selects only tasks before this cursor.")] before: Option<String>,
        #[graphql(desc = "Selects only tasks that match this filter.")] filter: Option<TaskFilter>,
        #[graphql(
            desc = "Up to 3 keys, the most significant first. By default, the newest task comes first."
        )]
        order_by: Option<Vec<TaskOrder>>,
    ) -> Result<TaskConnection, FieldError> {
        let paging = PageArguments { first, after, last, before };
        // The viewer of this object, who has just signed in if it is part of an AuthPayload.
        let load = async {
            let tasks = ctx.request().services().tasks_read(&self.viewer)?;
            TaskConnection::load(ctx, &tasks, paging, (filter, order_by), None).await
        };
        load.await.map_err(|error| FieldError::at_path(ctx, error))
    }

    /// The task lists of the user: the same connection as Query.taskLists.
    async fn task_lists(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of lists from the start: 1 to 100, by default 20.")] first: Option<i32>,
        #[graphql(desc = "Selects only lists after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of lists from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Selects only lists before this cursor.")] before: Option<String>,
    ) -> Result<TaskListConnection, FieldError> {
        let paging = PageArguments { first, after, last, before };
        // The viewer of this object, as for tasks.
        let load = async {
            let lists = ctx.request().services().lists_read(&self.viewer)?;
            TaskListConnection::load(ctx.request(), &lists, TaskScope::Active, paging).await
        };
        load.await.map_err(|error| FieldError::at_path(ctx, error))
    }

    /// The active sessions of the user, the most recently used first. API keys need the scope ACCOUNT.
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Vec<SessionNode>, FieldError> {
        let sessions = self.account(ctx)?.sessions().await;
        let sessions = sessions.map_err(|error| FieldError::at_path(ctx, error))?;
        Ok(sessions.into_iter().map(SessionNode::from).collect())
    }

    /// The user's API keys, the newest first. Revoked keys are not listed, expired ones for 30 days. API keys need
    /// the scope ACCOUNT.
    async fn api_keys(&self, ctx: &Context<'_>) -> Result<Vec<ApiKeyNode>, FieldError> {
        let keys = self.account(ctx)?.api_keys().await.map_err(|error| FieldError::at_path(ctx, error))?;
        Ok(keys.into_iter().map(|key| ApiKeyNode::new(key, &self.viewer)).collect())
    }
}

/// A session of the viewer, created by a sign-in. It ends when it expires, or by logout, revokeSession or a
/// change of the password.
#[derive(SimpleObject, Clone)]
#[graphql(name = "Session")]
pub struct SessionNode {
    /// The id of the session, a UUID.
    pub id: Id,
    /// Whether this request belongs to the session.
    current: bool,
    /// The User-Agent header of the sign-in, cut to 256 characters; null when it had none.
    user_agent: Option<String>,
    /// The IP address of the client at the sign-in; null when it is unknown.
    ip_address: Option<String>,
    /// The time of the sign-in.
    created_at: DateTime,
    /// The time of the last use, accurate to one minute.
    last_used_at: DateTime,
    /// The time when the session expires.
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
