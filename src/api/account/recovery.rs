//! The mutations for the e-mail address and for a forgotten password.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use secrecy::SecretString;

use crate::api::account::UserNode;
use crate::api::account::input::password;
use crate::api::context::{Nullable, RequestContext, RequestExt, nullable};
use crate::domain::{Email, Faults, NewPassword, Problem, Result, Rule, User, normalize};
use crate::service::PasswordReset;

/// The longest name of an account, in characters: that of an e-mail address.
const MAX_LOGIN: usize = 254;

/// A new e-mail address, with the current password as proof of identity.
#[derive(InputObject)]
pub struct ChangeEmailInput {
    /// The new e-mail address.
    new_email: String,
    /// The current password of the account. A wrong one counts as a failed login.
    #[graphql(secret)]
    current_password: String,
}

impl ChangeEmailInput {
    /// The checked input. Errors: Invalid with all of its faults.
    fn parse(self) -> Result<(Email, SecretString)> {
        let mut faults = Faults::of("input");
        let new = faults.check("newEmail", Email::parse(&self.new_email));
        let current = password(&mut faults, "currentPassword", self.current_password);
        faults.finish(new.zip(current))
    }
}

/// A new password, set with the token of a mail.
#[derive(InputObject)]
pub struct ResetPasswordInput {
    /// The token of the link in the mail.
    #[graphql(secret)]
    token: String,
    /// The new password. Its rules are in serverInfo.passwordRules. A password that breaks a rule does not use up the
    /// token.
    #[graphql(secret)]
    new_password: String,
    /// Whether the API keys of the account are revoked too. The default is true. They are revoked in any case when the
    /// e-mail address was not verified before.
    #[graphql(default = true)]
    revoke_api_keys: bool,
}

impl ResetPasswordInput {
    /// The checked input. Errors: Invalid with all of its faults.
    fn parse(self) -> Result<PasswordReset> {
        let mut faults = Faults::of("input");
        let new = NewPassword::parse(&mut faults, "newPassword", &self.new_password);
        let Self { token, revoke_api_keys, .. } = self;
        faults.finish(new.map(|new| PasswordReset { token, new, revoke_api_keys }))
    }
}

/// The result of sendVerificationEmail.
#[derive(SimpleObject)]
pub struct SendVerificationEmailPayload {
    /// The account.
    user: UserNode,
}

/// The result of verifyEmail.
#[derive(SimpleObject)]
pub struct VerifyEmailPayload {
    /// The e-mail address that is verified now. It is the address of the account.
    email: String,
}

/// The result of changeEmail.
#[derive(SimpleObject)]
pub struct ChangeEmailPayload {
    /// The account, with pendingEmail.
    user: UserNode,
}

/// The result of cancelEmailChange.
#[derive(SimpleObject)]
pub struct CancelEmailChangePayload {
    /// The account, without pendingEmail.
    user: UserNode,
}

/// The result of requestPasswordReset, the same for every request.
#[derive(SimpleObject)]
pub struct RequestPasswordResetPayload {
    /// A sentence that can be shown to the user.
    message: &'static str,
}

/// The result of resetPassword.
#[derive(SimpleObject)]
pub struct ResetPasswordPayload {
    /// The e-mail address of the account, for a login form.
    email: String,
}

/// The fields of Mutation for the e-mail address and for a forgotten password.
#[derive(Default)]
pub struct RecoveryMutation;

#[Object]
impl RecoveryMutation {
    /// Sends a new mail with a link that verifies the e-mail address of the account. Sends nothing when the address is
    /// verified. Needs a session. Error RATE_LIMITED when a mail was sent within the last minute.
    async fn send_verification_email(&self, ctx: &Context<'_>) -> Nullable<SendVerificationEmailPayload> {
        nullable(async {
            let request = ctx.request();
            let credentials = request.rate_limited_credentials().await?;
            let user = credentials.send_verification(request.client()).await?;
            Ok(SendVerificationEmailPayload { user: user_node(request, user).await? })
        })
        .await
    }

    /// Takes the token of a mail, and marks the e-mail address as verified, or completes a change of the address.
    /// Public: it needs no sign-in, and does not sign in. The same token succeeds again for as long as it is valid.
    /// Error INVALID_CREDENTIALS when the token is not valid, CONFLICT when another account has taken the new address.
    async fn verify_email(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token of the link in the mail.", secret)] token: String,
    ) -> Nullable<VerifyEmailPayload> {
        nullable(async {
            let request = ctx.request();
            let accounts = request.rate_limited_accounts()?;
            let email = accounts.verify_email(&token, request.client()).await?;
            request.forget_account().await;
            Ok(VerifyEmailPayload { email })
        })
        .await
    }

    /// Asks for another e-mail address. The present address stays until verifyEmail gets the token that is mailed to
    /// the new one. Replaces an earlier request. The result does not tell whether another account has the address.
    /// Needs a session.
    async fn change_email(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new address and the current password.")] input: ChangeEmailInput,
    ) -> Nullable<ChangeEmailPayload> {
        nullable(async {
            let request = ctx.request();
            let credentials = request.rate_limited_credentials().await?;
            let (new, password) = input.parse()?;
            let user = credentials.change_email(&new, &password, request.client()).await?;
            Ok(ChangeEmailPayload { user: user_node(request, user).await? })
        })
        .await
    }

    /// Cancels a requested change of the e-mail address: the token that was mailed stops working. Idempotent. Needs a
    /// session.
    async fn cancel_email_change(&self, ctx: &Context<'_>) -> Nullable<CancelEmailChangePayload> {
        nullable(async {
            let request = ctx.request();
            let user = request.credentials().await?.cancel_email_change().await?;
            Ok(CancelEmailChangePayload { user: user_node(request, user).await? })
        })
        .await
    }

    /// Asks for a mail with a link that sets a new password. Public. The result and its time are the same whether there
    /// is such an account or not.
    async fn request_password_reset(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The e-mail address or the username of the account. The mail goes to the address of the account."
        )]
        username_or_email: String,
    ) -> Nullable<RequestPasswordResetPayload> {
        nullable(async {
            let request = ctx.request();
            let accounts = request.rate_limited_accounts()?;
            let login = parse_login(&username_or_email)?;
            accounts.request_password_reset(&login, request.client()).await?;
            let message = "If there is such an account, a mail with a link is on its way.";
            Ok(RequestPasswordResetPayload { message })
        })
        .await
    }

    /// Sets a new password with the token of a mail. Public: it needs no sign-in, and does not sign in. Ends all
    /// sessions of the account. Error INVALID_CREDENTIALS when the token is unknown, used, expired or replaced.
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token of the mail and the new password.")] input: ResetPasswordInput,
    ) -> Nullable<ResetPasswordPayload> {
        nullable(async {
            let request = ctx.request();
            let accounts = request.rate_limited_accounts()?;
            let email = accounts.reset_password(&input.parse()?, request.client()).await?;
            request.forget_account().await;
            Ok(ResetPasswordPayload { email })
        })
        .await
    }
}

/// The viewer's account after a change, which later fields of the request return too.
async fn user_node(request: &RequestContext, user: User) -> Result<UserNode> {
    request.cache_account(&user).await;
    Ok(UserNode::new(user, request.authenticated_viewer()?))
}

/// The name of an account in an argument. Errors: Invalid when it is blank or too long.
fn parse_login(raw: &str) -> Result<String> {
    let mut faults = Faults::default();
    // No account has a name with U+0000, and the database could not store it.
    let login = match normalize(raw) {
        Ok(login) if login.is_empty() => Err(Problem::required()),
        Ok(login) if login.chars().count() > MAX_LOGIN => {
            Err(Problem::new(Rule::TooLong, format!("must have at most {MAX_LOGIN} characters")))
        }
        Ok(login) => Ok(login),
        Err(_) => Ok("\u{FFFD}".to_owned()),
    };
    let login = faults.check("usernameOrEmail", login);
    faults.finish(login)
}
