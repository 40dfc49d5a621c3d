//! Mails: their kinds, and what the tokens of their links are for.

use chrono::TimeDelta;

use crate::domain::stored_enum::stored_enum;

stored_enum! {
    /// The kind of a mail.
    MailKind {
        VerifyEmail = "verify-email",
        ConfirmEmail = "confirm-email",
        AddressInUse = "address-in-use",
        ResetPassword = "reset-password",
        PasswordChanged = "password-changed",
        EmailChangeRequested = "email-change-requested",
        EmailChanged = "email-changed",
        ApiKeyCreated = "api-key-created",
        ApiKeyExpiring = "api-key-expiring",
        AccountDeleted = "account-deleted",
    }

    /// What the token of a link may be used for.
    TokenPurpose {
        Verify = "VERIFY",
        Confirm = "CONFIRM",
        Reset = "RESET",
    }
}

impl MailKind {
    /// Whether the mail belongs to a request for a link. All others are notices.
    pub fn is_link(self) -> bool {
        self.token_purpose().is_some()
    }

    /// What the token of the mail is for; None for a notice. The token of a mail about an address that is in use
    /// is not usable.
    pub fn token_purpose(self) -> Option<TokenPurpose> {
        match self {
            Self::VerifyEmail => Some(TokenPurpose::Verify),
            Self::ConfirmEmail | Self::AddressInUse => Some(TokenPurpose::Confirm),
            Self::ResetPassword => Some(TokenPurpose::Reset),
            _ => None,
        }
    }

    /// How long the delivery is tried.
    pub fn gives_up_after(self) -> TimeDelta {
        match self {
            Self::ResetPassword => TimeDelta::hours(1),
            kind if kind.is_link() => TimeDelta::hours(24),
            _ => TimeDelta::hours(72),
        }
    }
}

/// The lifetimes of the tokens of links, from the last attempt to send their mail.
#[derive(Clone, Copy, Debug)]
pub struct TokenLifetimes {
    pub reset: TimeDelta,
    /// Also of the tokens that confirm a new address.
    pub verify: TimeDelta,
}

impl TokenLifetimes {
    /// The lifetime of a token.
    pub fn of(self, purpose: TokenPurpose) -> TimeDelta {
        match purpose {
            TokenPurpose::Reset => self.reset,
            TokenPurpose::Verify | TokenPurpose::Confirm => self.verify,
        }
    }
}
