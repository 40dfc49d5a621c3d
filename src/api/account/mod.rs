//! Accounts on the wire: users, and what register, login and the profile take and give.

mod mutation;

pub use mutation::AccountMutation;

use async_graphql::{ComplexObject, Context, Enum, InputObject, SimpleObject};
use secrecy::SecretString;

use crate::api::context::RequestExt;
use crate::api::scalar::{DateTime, Id};
use crate::api::task::connection::{PagingArguments, TaskConnection};
use crate::api::task::filter::{TaskFilter, TaskOrder};
use crate::auth::Viewer;
use crate::domain::{
    self, DisplayName, Email, Faults, NewPassword, Problem, ProfileEdit, Registration, Result, Rule, User,
    Username,
};
use crate::graphql::direct_json::DirectJson;
use crate::graphql::error::FieldError;
use crate::service::{self, SignedIn};

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

/// A fresh sign-in.
#[derive(SimpleObject)]
pub struct AuthPayload {
    /// A JWT for the header `Authorization: Bearer …`.
    access_token: String,
    /// Always Bearer.
    token_type: &'static str,
    /// When accessToken stops working.
    expires_at: DateTime,
    /// Opaque, single use: exchange it for a new pair with refreshToken.
    refresh_token: String,
    /// Who is signed in.
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

/// What an account is made of. Null is the same as left out.
#[derive(InputObject)]
pub struct RegisterInput {
    /// The e-mail address; unique regardless of case.
    email: String,
    /// See serverInfo.passwordRules.
    #[graphql(secret)]
    password: String,
    /// Checked against password when sent.
    #[graphql(secret)]
    confirm_password: Option<String>,
    /// Defaults to username, else to the part of email before the @.
    name: Option<String>,
    /// 3 to 32 of a-z, 0-9, _ . - (case is ignored). Derived from email when left out.
    username: Option<String>,
}

impl RegisterInput {
    pub fn parse(self) -> Result<Registration> {
        let mut faults = Faults::of("input");
        let email = faults.check("email", Email::parse(&self.email));
        let password = NewPassword::parse(&mut faults, "password", &self.password);
        if self.confirm_password.is_some_and(|confirmation| confirmation != self.password) {
            let problem = Problem::new(Rule::Mismatch, "is not the same as password");
            faults.push("confirmPassword", problem);
        }
        let username = self.username.as_deref().map(|raw| faults.check("username", Username::parse(raw)));
        let name = match (&self.name, &username, &email) {
            (Some(name), _, _) => faults.check("name", DisplayName::parse(name)),
            (None, Some(Some(username)), _) => faults.check("name", DisplayName::parse(username.as_str())),
            (None, _, Some(email)) => faults.check("name", DisplayName::parse(email.local_part())),
            (None, _, None) => None,
        };
        let registration = email.zip(password).zip(name).map(|((email, password), name)| Registration {
            email,
            password,
            name,
            username: username.flatten(),
        });
        faults.finish(registration)
    }
}

/// Who wants in.
#[derive(InputObject)]
pub struct LoginInput {
    /// The user's e-mail address or username.
    username_or_email: String,
    /// The password.
    #[graphql(secret)]
    password: String,
}

impl LoginInput {
    pub fn parse(self) -> Result<(String, SecretString)> {
        let mut faults = Faults::of("input");
        let who = faults.check("usernameOrEmail", non_empty(&self.username_or_email));
        let password = password(&mut faults, "password", self.password);
        faults.finish(who.zip(password))
    }
}

/// The password in an argument; whether it fits is for others to say.
pub fn parse_password(argument: &str, given: String) -> Result<SecretString> {
    let mut faults = Faults::default();
    let password = password(&mut faults, argument, given);
    faults.finish(password)
}

/// A password that is to be compared with the right one. A blank text is none.
fn password(faults: &mut Faults, field: &str, given: String) -> Option<SecretString> {
    let is_blank = given.trim().is_empty();
    faults.check(field, if is_blank { Err(Problem::required()) } else { Ok(given.into()) })
}

fn non_empty(raw: &str) -> Result<String, Problem> {
    domain::normalize(raw).and_then(|text| if text.is_empty() { Err(Problem::required()) } else { Ok(text) })
}

/// Left out or null: unchanged.
#[derive(InputObject)]
pub struct UpdateProfileInput {
    /// Display name, 1 to 100 characters.
    name: Option<String>,
    /// 3 to 32 of a-z, 0-9, _ . - (case is ignored).
    username: Option<String>,
}

impl UpdateProfileInput {
    pub fn parse(self) -> Result<ProfileEdit> {
        let mut faults = Faults::of("input");
        let name = self.name.and_then(|raw| faults.check("name", DisplayName::parse(&raw)));
        let username = self.username.and_then(|raw| faults.check("username", Username::parse(&raw)));
        faults.finish(Some(ProfileEdit { name, username }))
    }
}

/// A new password, and the proof that it is one's own account.
#[derive(InputObject)]
pub struct ChangePasswordInput {
    /// The password that is to be replaced.
    #[graphql(secret)]
    current_password: String,
    /// See serverInfo.passwordRules.
    #[graphql(secret)]
    new_password: String,
    /// Ends every other session of the user. True when left out.
    #[graphql(default = true)]
    revoke_other_sessions: bool,
}

impl ChangePasswordInput {
    /// The current password, the new one, and whether other sessions end.
    pub fn parse(self) -> Result<(SecretString, NewPassword, bool)> {
        let mut faults = Faults::of("input");
        let current = password(&mut faults, "currentPassword", self.current_password);
        let new = NewPassword::parse(&mut faults, "newPassword", &self.new_password);
        faults.finish(current.zip(new).map(|(current, new)| (current, new, self.revoke_other_sessions)))
    }
}

/// The end of a session.
#[derive(SimpleObject)]
pub struct RevokeSessionPayload {
    /// The session's id.
    pub revoked_session_id: Id,
}

/// The end of an account.
#[derive(SimpleObject)]
pub struct DeleteAccountPayload {
    /// The user's id.
    pub deleted_user_id: Id,
}

/// Which sessions a logout ends.
#[derive(Enum, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogoutScope {
    /// The session of this request.
    #[default]
    Current,
    /// Every other session of the user.
    Others,
    /// Every session of the user.
    All,
}

impl From<LogoutScope> for service::LogoutScope {
    fn from(scope: LogoutScope) -> Self {
        match scope {
            LogoutScope::Current => Self::Current,
            LogoutScope::Others => Self::Others,
            LogoutScope::All => Self::All,
        }
    }
}

/// The end of one or more sessions.
#[derive(SimpleObject)]
pub struct LogoutPayload {
    /// Always true: a failure is an error.
    pub success: bool,
    /// A sentence to show.
    pub message: &'static str,
}

/// A changed profile.
#[derive(SimpleObject)]
pub struct UpdateProfilePayload {
    /// The account after the change.
    pub user: UserNode,
}
