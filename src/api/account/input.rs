//! The inputs of mutations of accounts and sessions.

use async_graphql::{Enum, InputObject};
use secrecy::SecretString;

use crate::domain::{
    self, DisplayName, Email, Faults, NewPassword, Problem, ProfileEdit, Registration, Result, Rule, Username,
};
use crate::service::{self, PasswordChange};

/// A new account. Null means the same as an omitted value.
#[derive(InputObject)]
pub struct RegisterInput {
    /// The e-mail address. It is unique regardless of case.
    email: String,
    /// The password. Its rules are in serverInfo.passwordRules.
    #[graphql(secret)]
    password: String,
    /// The password again. If it is present, it must be equal to password.
    #[graphql(secret)]
    confirm_password: Option<String>,
    /// The display name, 1 to 100 characters. The default is username, or without it the part of email before
    /// the @.
    name: Option<String>,
    /// The username: 3 to 32 of the characters a-z, 0-9, _ . - (upper case is converted to lower case). If it
    /// is omitted, the server derives one from email.
    username: Option<String>,
}

impl RegisterInput {
    /// The checked input. Errors: Invalid with all of its faults.
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

/// Credentials to sign in with.
#[derive(InputObject)]
pub struct LoginInput {
    /// The user's e-mail address or username.
    username_or_email: String,
    /// The password.
    #[graphql(secret)]
    password: String,
}

impl LoginInput {
    /// The e-mail address or username, and the password. Errors: Invalid with all faults of the input.
    pub fn parse(self) -> Result<(String, SecretString)> {
        let mut faults = Faults::of("input");
        let username_or_email = faults.check("usernameOrEmail", non_empty(&self.username_or_email));
        let password = password(&mut faults, "password", self.password);
        faults.finish(username_or_email.zip(password))
    }
}

/// The password of an argument, which must not be blank. It is not verified here. Errors: Invalid.
pub fn parse_password(argument: &str, raw: String) -> Result<SecretString> {
    let mut faults = Faults::default();
    let password = password(&mut faults, argument, raw);
    faults.finish(password)
}

/// A password that will be verified, which must not be blank.
pub fn password(faults: &mut Faults, field: &str, raw: String) -> Option<SecretString> {
    let is_blank = raw.trim().is_empty();
    faults.check(field, if is_blank { Err(Problem::required()) } else { Ok(raw.into()) })
}

fn non_empty(raw: &str) -> Result<String, Problem> {
    domain::normalize(raw).and_then(|text| if text.is_empty() { Err(Problem::required()) } else { Ok(text) })
}

/// The changes of a profile. A field that is omitted or null does not change.
#[derive(InputObject)]
pub struct UpdateProfileInput {
    /// The display name, 1 to 100 characters.
    name: Option<String>,
    /// The username: 3 to 32 of the characters a-z, 0-9, _ . - (upper case is converted to lower case).
    username: Option<String>,
}

impl UpdateProfileInput {
    /// The checked input. Errors: Invalid with all of its faults.
    pub fn parse(self) -> Result<ProfileEdit> {
        let mut faults = Faults::of("input");
        let name = self.name.and_then(|raw| faults.check("name", DisplayName::parse(&raw)));
        let username = self.username.and_then(|raw| faults.check("username", Username::parse(&raw)));
        faults.finish(Some(ProfileEdit { name, username }))
    }
}

/// A new password, with the current one as proof of identity.
#[derive(InputObject)]
pub struct ChangePasswordInput {
    /// The current password.
    #[graphql(secret)]
    current_password: String,
    /// The new password. Its rules are in serverInfo.passwordRules.
    #[graphql(secret)]
    new_password: String,
    /// Whether all other sessions of the user are revoked. The default is true.
    #[graphql(default = true)]
    revoke_other_sessions: bool,
    /// Whether the API keys of the user are revoked too. The default is false.
    #[graphql(default = false)]
    revoke_api_keys: bool,
}

impl ChangePasswordInput {
    /// The checked input. Errors: Invalid with all of its faults.
    pub fn parse(self) -> Result<PasswordChange> {
        let mut faults = Faults::of("input");
        let current = password(&mut faults, "currentPassword", self.current_password);
        let new = NewPassword::parse(&mut faults, "newPassword", &self.new_password);
        faults.finish(current.zip(new).map(|(current, new)| PasswordChange {
            current,
            new,
            revoke_other_sessions: self.revoke_other_sessions,
            revoke_api_keys: self.revoke_api_keys,
        }))
    }
}

/// The sessions that logout revokes.
#[derive(Enum, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogoutScope {
    /// The session of this request.
    #[default]
    Current,
    /// All sessions of the user except the one of this request.
    Others,
    /// All sessions of the user.
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
