//! Writing about accounts and sessions.

use async_graphql::{Context, ID, Object};

use crate::api::account::{
    AuthPayload, ChangePasswordInput, DeleteAccountPayload, LoginInput, LogoutPayload, LogoutScope,
    RegisterInput, RevokeSessionPayload, UpdateProfileInput, UpdateProfilePayload, UserNode, parse_password,
};
use crate::api::context::{Outcome, attempt, session};
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
    ) -> Outcome<AuthPayload> {
        let session = session(ctx);
        attempt(async {
            let accounts = session.credentials()?;
            Ok(accounts.register(input.parse()?, session.client()).await?.into())
        })
        .await
    }

    /// Sign in. Public. Error INVALID_CREDENTIALS, worded the same whatever was wrong.
    async fn login(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who wants in.")] input: LoginInput,
    ) -> Outcome<AuthPayload> {
        attempt(async {
            let session = session(ctx);
            let accounts = session.credentials()?;
            let (who, password) = input.parse()?;
            Ok(accounts.login(&who, &password, session.client()).await?.into())
        })
        .await
    }

    /// Exchange a refresh token for a new pair. Public.
    async fn refresh_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The refresh token of the last pair.", secret)] refresh_token: String,
    ) -> Outcome<AuthPayload> {
        attempt(async {
            let session = session(ctx);
            session.credentials()?;
            Ok(session.services().sessions().refresh(&refresh_token).await?.into())
        })
        .await
    }

    /// End sessions. Works with an expired token too, for its own session.
    async fn logout(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which sessions.", default)] scope: LogoutScope,
    ) -> Outcome<LogoutPayload> {
        attempt(async {
            let session = session(ctx);
            session.services().accounts().logout(session.credential(), scope.into()).await?;
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
    ) -> Outcome<RevokeSessionPayload> {
        attempt(async {
            let session = session(ctx);
            let viewer = session.viewer().await?;
            let id = parse_id("id", &id)?;
            session.services().sessions().revoke(viewer, id).await?;
            Ok(RevokeSessionPayload { revoked_session_id: id.into() })
        })
        .await
    }

    /// Returns a fresh pair of tokens for this session.
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The old and the new password.")] input: ChangePasswordInput,
    ) -> Outcome<AuthPayload> {
        attempt(async {
            let session = session(ctx);
            let profile = session.profile().await?;
            session.credentials()?;
            let (current, new, revoke_others) = input.parse()?;
            let signed_in = profile.change_password(&current, &new, revoke_others, session.client()).await?;
            Ok(signed_in.into())
        })
        .await
    }

    /// Delete the account and everything in it, for good.
    async fn delete_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The account's password.", secret)] password: String,
    ) -> Outcome<DeleteAccountPayload> {
        attempt(async {
            let session = session(ctx);
            let viewer = session.viewer().await?;
            let profile = session.profile().await?;
            let password = parse_password("password", password)?;
            profile.delete(&password, session.client()).await?;
            Ok(DeleteAccountPayload { deleted_user_id: viewer.user_id().into() })
        })
        .await
    }

    /// Change name or username.
    async fn update_profile(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The changes.")] input: UpdateProfileInput,
    ) -> Outcome<UpdateProfilePayload> {
        attempt(async {
            let session = session(ctx);
            let user = session.profile().await?.edit(input.parse()?).await?;
            session.remember(&user).await;
            Ok(UpdateProfilePayload { user: UserNode::new(user, session.admitted_viewer()?) })
        })
        .await
    }
}
