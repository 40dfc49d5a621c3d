//! API keys: their type and scopes, and the mutations that create and revoke them.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use secrecy::{ExposeSecret, SecretString};

use crate::api::account::input::password;
use crate::api::context::{Nullable, RequestExt, nullable};
use crate::api::scalar::{DateTime, Id, parse_id};
use crate::auth::Viewer;
use crate::domain::{ApiKey, Faults, KeyExpiry, KeyName, NewApiKey, Problem, Result, Scope};

/// A token for scripts. It acts for the user who created it, within its scopes.
#[derive(SimpleObject, Clone)]
#[graphql(name = "ApiKey")]
pub struct ApiKeyNode {
    /// The id of the API key, a UUID.
    pub id: Id,
    /// The name that the user has given it.
    name: String,
    /// What the key may do, without repetitions, in the order of ApiKeyScope.
    scopes: Vec<ApiKeyScope>,
    /// The first 17 characters of the token: the prefix and four characters. They identify a key, and are not
    /// enough to use it.
    start: String,
    /// Whether this request is made with the key.
    current: bool,
    /// The time when the key was created.
    created_at: DateTime,
    /// The time when the key stops working.
    expires_at: DateTime,
    /// The time of the last use, accurate to one minute; null when the key was never used.
    last_used_at: Option<DateTime>,
    /// The IP address of the last use; null when the key was never used.
    last_used_ip_address: Option<String>,
}

impl ApiKeyNode {
    /// A key of `viewer`.
    pub fn new(key: ApiKey, viewer: &Viewer) -> Self {
        Self {
            id: key.id.into(),
            name: key.name,
            scopes: key.scopes.chosen().map(ApiKeyScope::from).collect(),
            start: key.start,
            current: viewer.api_key_id() == Some(key.id),
            created_at: DateTime(key.created_at),
            expires_at: DateTime(key.expires_at),
            last_used_at: key.last_used_at.map(DateTime),
            last_used_ip_address: key.last_used_ip_address,
        }
    }
}

/// What an API key may do. Every field that is not described with a scope needs a session.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum ApiKeyScope {
    /// Read tasks.
    TasksRead,
    /// Create, change and delete tasks. Includes TASKS_READ.
    TasksWrite,
    /// Read the account, its sessions and its API keys, and change name and username. Never credentials.
    Account,
}

impl From<Scope> for ApiKeyScope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::TasksRead => Self::TasksRead,
            Scope::TasksWrite => Self::TasksWrite,
            Scope::Account => Self::Account,
        }
    }
}

impl From<ApiKeyScope> for Scope {
    fn from(scope: ApiKeyScope) -> Self {
        match scope {
            ApiKeyScope::TasksRead => Self::TasksRead,
            ApiKeyScope::TasksWrite => Self::TasksWrite,
            ApiKeyScope::Account => Self::Account,
        }
    }
}

/// A new API key, with the current password as proof of identity.
#[derive(InputObject)]
pub struct CreateApiKeyInput {
    /// The name of the key, 1 to 100 characters. Two keys may have the same name.
    name: String,
    /// What the key may do: at least one scope. Repetitions are merged.
    scopes: Vec<ApiKeyScope>,
    /// The time when the key stops working, at most serverInfo.limits.apiKeyDays from now. The default is 90 days
    /// from now.
    expires_at: Option<DateTime>,
    /// The current password of the account. A wrong one counts as a failed login.
    #[graphql(secret)]
    current_password: String,
}

impl CreateApiKeyInput {
    /// The checked input. Errors: Invalid with all of its faults.
    fn parse(self, expiry: KeyExpiry) -> Result<(NewApiKey, SecretString)> {
        let mut faults = Faults::of("input");
        let name = faults.check("name", KeyName::parse(&self.name));
        if self.scopes.is_empty() {
            faults.push("scopes", Problem::required());
        }
        let scopes = self.scopes.into_iter().map(Scope::from).collect();
        let expires_at = self.expires_at.map(|DateTime(time)| time);
        let expires_at = faults.check("expiresAt", expiry.parse(expires_at));
        let current = password(&mut faults, "currentPassword", self.current_password);
        let parsed = name.zip(expires_at).zip(current);
        let new = |((name, expires_at), current)| (NewApiKey { name, scopes, expires_at }, current);
        faults.finish(parsed.map(new))
    }
}

/// The result of createApiKey.
#[derive(SimpleObject)]
pub struct CreateApiKeyPayload {
    /// The new API key.
    api_key: ApiKeyNode,
    /// The token, for the header `Authorization: Bearer …`. It begins with taskhold_key_, and is returned only here.
    token: String,
}

/// The result of revokeApiKey.
#[derive(SimpleObject)]
pub struct RevokeApiKeyPayload {
    /// The id of the revoked API key.
    revoked_api_key_id: Id,
}

/// The fields of Mutation for API keys.
#[derive(Default)]
pub struct ApiKeyMutation;

#[Object]
impl ApiKeyMutation {
    /// Creates an API key. Its token is returned here and nowhere else. Needs a session.
    async fn create_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The name, the scopes and the end of the key, and the current password.")]
        input: CreateApiKeyInput,
    ) -> Nullable<CreateApiKeyPayload> {
        nullable(async {
            let request = ctx.request();
            let credentials = request.rate_limited_credentials().await?;
            request.require_verified_email().await?;
            let expiry = request.services().accounts().api_key_expiry();
            let (new, password) = input.parse(expiry)?;
            let created = credentials.create_api_key(&new, &password, request.client()).await?;
            Ok(CreateApiKeyPayload {
                api_key: ApiKeyNode::new(created.key, request.authenticated_viewer()?),
                token: created.token.expose_secret().to_owned(),
            })
        })
        .await
    }

    /// Revokes an API key. Needs a session, or the key itself: a key can revoke itself with any scope. Error
    /// NOT_FOUND when there is no such key, FORBIDDEN when it belongs to another user.
    async fn revoke_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the API key.")] id: ID,
    ) -> Nullable<RevokeApiKeyPayload> {
        nullable(async {
            let request = ctx.request();
            let viewer = request.viewer().await?;
            let id = parse_id("id", &id);
            // A missing right is reported even if the id is malformed.
            if id.as_ref().ok().copied() != viewer.api_key_id() {
                viewer.require_session()?;
            }
            let id = id?;
            request.services().sessions().revoke_key(viewer, id).await?;
            Ok(RevokeApiKeyPayload { revoked_api_key_id: id.into() })
        })
        .await
    }
}
