//! The mutations of accounts and sessions.

use async_graphql::{Context, ID, Object};

use crate::api::account::UserNode;
use crate::api::account::input::{
    ChangePasswordInput, LoginInput, LogoutScope, RegisterInput, UpdateProfileInput, parse_password,
};
use crate::api::account::payload::{
    AuthPayload, DeleteAccountPayload, LogoutPayload, RevokeSessionPayload, UpdateProfilePayload,
};
use crate::api::context::{Nullable, RequestExt, nullable};
use crate::api::scalar::parse_id;

/// The fields of Mutation for accounts and sessions.
#[derive(Default)]
pub struct AccountMutation;

#[Object]
impl AccountMutation {
    /// Creates an account and signs in its user. Public: it needs no sign-in. Error FORBIDDEN when
    /// registration is closed.
    async fn register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new account.")] input: RegisterInput,
    ) -> Nullable<AuthPayload> {
        let request = ctx.request();
        nullable(async {
            let accounts = request.rate_limited_accounts()?;
            Ok(accounts.register(input.parse()?, request.client()).await?.into())
        })
        .await
    }

    /// Signs in a user. Public: it needs no sign-in. Error INVALID_CREDENTIALS, with the same message for
    /// every cause.
    async fn login(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The credentials to sign in with.")] input: LoginInput,
    ) -> Nullable<AuthPayload> {
        nullable(async {
            let request = ctx.request();
            let accounts = request.rate_limited_accounts()?;
            let (username_or_email, password) = input.parse()?;
            Ok(accounts.login(&username_or_email, &password, request.client()).await?.into())
        })
        .await
    }

    /// Exchanges a refresh token for a new pair of tokens. Public: it needs no sign-in. Error
    /// INVALID_CREDENTIALS when the token is unknown, expired or already used.
    async fn refresh_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The refresh token of the latest pair.", secret)] refresh_token: String,
    ) -> Nullable<AuthPayload> {
        nullable(async {
            let request = ctx.request();
            request.rate_limited_accounts()?;
            Ok(request.services().sessions().refresh(&refresh_token).await?.into())
        })
        .await
    }

    /// Revokes sessions. An expired access token can still revoke its own session, with the scope CURRENT.
    async fn logout(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The sessions to revoke, by default the current one.", default)] scope: LogoutScope,
    ) -> Nullable<LogoutPayload> {
        nullable(async {
            let request = ctx.request();
            request
                .services()
                .accounts()
                .logout(request.credential(), scope.into(), request.client())
                .await?;
            let message = match scope {
                LogoutScope::Current => "You are signed out.",
                LogoutScope::Others => "You are signed out everywhere else.",
                LogoutScope::All => "You are signed out everywhere.",
            };
            Ok(LogoutPayload { success: true, message })
        })
        .await
    }

    /// Revokes one session of the viewer.
    async fn revoke_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the session.")] id: ID,
    ) -> Nullable<RevokeSessionPayload> {
        nullable(async {
            let request = ctx.request();
            let credentials = request.credentials().await?;
            let id = parse_id("id", &id)?;
            credentials.revoke_session(id).await?;
            Ok(RevokeSessionPayload { revoked_session_id: id.into() })
        })
        .await
    }

    /// Changes the password and returns a new pair of tokens for the session of this request.
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The current and the new password.")] input: ChangePasswordInput,
    ) -> Nullable<AuthPayload> {
        nullable(async {
            let request = ctx.request();
            let credentials = request.rate_limited_credentials().await?;
            Ok(credentials.change_password(&input.parse()?, request.client()).await?.into())
        })
        .await
    }

    /// Deletes the viewer's account and all of its data permanently.
    async fn delete_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The current password of the account.", secret)] password: String,
    ) -> Nullable<DeleteAccountPayload> {
        nullable(async {
            let request = ctx.request();
            let credentials = request.credentials().await?;
            let password = parse_password("password", password)?;
            credentials.delete(&password, request.client()).await?;
            Ok(DeleteAccountPayload { deleted_user_id: credentials.user_id().into() })
        })
        .await
    }

    /// Changes the viewer's display name or username.
    async fn update_profile(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The changes.")] input: UpdateProfileInput,
    ) -> Nullable<UpdateProfilePayload> {
        nullable(async {
            let request = ctx.request();
            let user = request.account().await?.edit(input.parse()?).await?;
            request.cache_account(&user).await;
            Ok(UpdateProfilePayload { user: UserNode::new(user, request.authenticated_viewer()?) })
        })
        .await
    }
}
