//! Writing about accounts and sessions.

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

#[derive(Default)]
pub struct AccountMutation;

#[Object]
impl AccountMutation {
    /// Create an account and sign in. Public.
    async fn register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The account.")] input: RegisterInput,
    ) -> Nullable<AuthPayload> {
        let request = ctx.request();
        nullable(async {
            let accounts = request.rate_limited_accounts()?;
            Ok(accounts.register(input.parse()?, request.client()).await?.into())
        })
        .await
    }

    /// Sign in. Public. Error INVALID_CREDENTIALS, worded the same whatever was wrong.
    async fn login(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who wants in.")] input: LoginInput,
    ) -> Nullable<AuthPayload> {
        nullable(async {
            let request = ctx.request();
            let accounts = request.rate_limited_accounts()?;
            let (who, password) = input.parse()?;
            Ok(accounts.login(&who, &password, request.client()).await?.into())
        })
        .await
    }

    /// Exchange a refresh token for a new pair. Public.
    async fn refresh_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The refresh token of the last pair.", secret)] refresh_token: String,
    ) -> Nullable<AuthPayload> {
        nullable(async {
            let request = ctx.request();
            request.rate_limited_accounts()?;
            Ok(request.services().sessions().refresh(&refresh_token).await?.into())
        })
        .await
    }

    /// End sessions. Works with an expired token too, for its own session.
    async fn logout(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which sessions.", default)] scope: LogoutScope,
    ) -> Nullable<LogoutPayload> {
        nullable(async {
            let request = ctx.request();
            request.services().accounts().logout(request.credential(), scope.into()).await?;
            let message = match scope {
                LogoutScope::Current => "You are signed out.",
                LogoutScope::Others => "You are signed out everywhere else.",
                LogoutScope::All => "You are signed out everywhere.",
            };
            Ok(LogoutPayload { success: true, message })
        })
        .await
    }

    /// End one session.
    async fn revoke_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session's id.")] id: ID,
    ) -> Nullable<RevokeSessionPayload> {
        nullable(async {
            let request = ctx.request();
            let viewer = request.viewer().await?;
            let id = parse_id("id", &id)?;
            request.services().sessions().revoke(viewer, id).await?;
            Ok(RevokeSessionPayload { revoked_session_id: id.into() })
        })
        .await
    }

    /// Returns a fresh pair of tokens for this session.
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The old and the new password.")] input: ChangePasswordInput,
    ) -> Nullable<AuthPayload> {
        nullable(async {
            let request = ctx.request();
            let profile = request.account().await?;
            request.rate_limited_accounts()?;
            let (current, new, revoke_others) = input.parse()?;
            let signed_in = profile.change_password(&current, &new, revoke_others, request.client()).await?;
            Ok(signed_in.into())
        })
        .await
    }

    /// Delete the account and everything in it, for good.
    async fn delete_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The account's password.", secret)] password: String,
    ) -> Nullable<DeleteAccountPayload> {
        nullable(async {
            let request = ctx.request();
            let viewer = request.viewer().await?;
            let profile = request.account().await?;
            let password = parse_password("password", password)?;
            profile.delete(&password, request.client()).await?;
            Ok(DeleteAccountPayload { deleted_user_id: viewer.user_id().into() })
        })
        .await
    }

    /// Change name or username.
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
