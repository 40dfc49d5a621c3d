//! The inputs of mutations of accounts and sessions.

use async_graphql::{Enum, InputObject};
use secrecy::SecretString;

use crate::domain::{
    self, DisplayName, Email, Faults, NewPassword, Problem, ProfileEdit, Registration, Result, Rule, Username,
};
use crate::service::{self};

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
