//! The texts of the mails: fixed sentences in ASCII, one function for each kind. No text that a user chose is in
//! a mail.

use chrono::TimeDelta;

use super::links::Links;
use super::values::Mail;
use crate::domain::{Instant, MailKind};

/// A line has at most 78 characters, except a link.
const MAX_LINE_CHARS: usize = 78;

/// The subject of a mail.
pub fn subject(kind: MailKind) -> &'static str {
    match kind {
        MailKind::VerifyEmail => "Verify your e-mail address",
        MailKind::ConfirmEmail => "Confirm your new e-mail address",
        MailKind::AddressInUse => "This e-mail address already has an account",
        MailKind::ResetPassword => "Reset your password",
        MailKind::PasswordChanged => "Your password was changed",
        MailKind::EmailChangeRequested => "A change of your e-mail address was requested",
        MailKind::EmailChanged => "Your e-mail address was changed",
        MailKind::ApiKeyCreated => "An API key was created",
        MailKind::ApiKeyExpiring => "An API key expires soon",
        MailKind::AccountDeleted => "Your account was deleted",
    }
}

/// The text of a mail, with a line break at its end.
pub fn body(mail: &Mail, link: Option<&str>, links: &Links) -> String {
    let link = link.unwrap_or_default();
    let text = match mail.kind {
        MailKind::VerifyEmail => verify_email(mail, link),
        MailKind::ConfirmEmail => confirm_email(mail, link),
        MailKind::AddressInUse => address_in_use(),
        MailKind::ResetPassword => reset_password(mail, link),
        MailKind::PasswordChanged => password_changed(),
        MailKind::EmailChangeRequested => email_change_requested(),
        MailKind::EmailChanged => email_changed(),
        MailKind::ApiKeyCreated => api_key_created(mail),
        MailKind::ApiKeyExpiring => api_key_expiring(mail),
        MailKind::AccountDeleted => account_deleted(),
    };
    format!("{text}\n{}", details(mail, links))
}

/// The text of a mail that only shows that mails arrive.
pub fn test(now: Instant, links: &Links) -> String {
    format!(
        "This mail was sent with the command \"taskhold mail test\". Mails of this\n\
         server arrive at this address.\n\
         \n\
         {}{}",
        time(now),
        service(links)
    )
}

fn verify_email(mail: &Mail, link: &str) -> String {
    format!(
        "An account was registered with this e-mail address, or a new link was asked\n\
         for. To verify that the address is yours, open this link:\n\n{link}\n\n{}\
         If you did not ask for this mail, you can ignore it.\n",
        works_for(mail)
    )
}

fn confirm_email(mail: &Mail, link: &str) -> String {
    format!(
        "An account asked to use this e-mail address as its new address. To confirm\n\
         the change, open this link:\n\n{link}\n\n{}\
         If you did not ask for this mail, you can ignore it. Then nothing changes.\n",
        works_for(mail)
    )
}

fn address_in_use() -> String {
    "A user asked to change the e-mail address of an account to this address. It\n\
     already belongs to an account, so nothing was changed.\n\n\
     If it was you, sign in with this address, or ask for a new password for it.\n\
     If it was not you, you can ignore this mail.\n"
        .to_owned()
}

fn reset_password(mail: &Mail, link: &str) -> String {
    format!(
        "A new password was asked for your account. To choose it, open this link:\n\n{link}\n\n{}\
         If you did not ask for this mail, you can ignore it. Your password stays the\nsame.\n",
        works_for(mail)
    )
}

fn password_changed() -> String {
    "The password of your account was changed.\n\n\
     If it was not you, ask for a new password now. That ends all sessions of your\naccount.\n"
        .to_owned()
}

fn email_change_requested() -> String {
    "A change of the e-mail address of your account was requested. The present\n\
     address stays until the new one is confirmed.\n\n\
     If it was not you, another person knows your password. Ask for a new password\n\
     now. That also cancels the change.\n"
        .to_owned()
}

fn email_changed() -> String {
    "The e-mail address of your account was changed. Mails of your account now go\n\
     to the new address, and no longer to this one.\n\n\
     If it was not you, write to the operator of the service.\n"
        .to_owned()
}

fn api_key_created(mail: &Mail) -> String {
    format!(
        "An API key was created for your account. It begins with:\n\n{}\n\n\
         If it was not you, revoke the key and change your password now.\n",
        key_start(mail)
    )
}

fn api_key_expiring(mail: &Mail) -> String {
    format!(
        "An API key of your account expires within 7 days. It begins with:\n\n{}\n\n\
         It stops working at the time below. If you still need it, create a new key\n\
         and replace this one. Otherwise you can ignore this mail.\n",
        key_start(mail)
    )
}

fn account_deleted() -> String {
    "Your account was deleted, together with its tasks. This cannot be undone.\n\n\
     If it was not you, write to the operator of the service.\n"
        .to_owned()
}

fn key_start(mail: &Mail) -> &str {
    mail.key_start.as_deref().unwrap_or_default()
}

/// For how long the link works, as a sentence.
fn works_for(mail: &Mail) -> String {
    let lifetime = mail.token.as_ref().map_or(TimeDelta::zero(), |token| token.lifetime);
    format!("The link works for {}.\n", in_words(lifetime))
}

/// A duration in the largest unit that expresses it exactly: `24 hours`, `7 days`, `90 minutes`.
fn in_words(duration: TimeDelta) -> String {
    let seconds = duration.num_seconds();
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    // One day is more precise as 24 hours.
    let fits = |(length, name): &(i64, &str)| seconds % length == 0 && (*name != "day" || seconds > *length);
    let (length, name) = units.into_iter().filter(|_| seconds > 0).find(fits).unwrap_or((1, "second"));
    let number = seconds / length;
    format!("{number} {name}{}", if number == 1 { "" } else { "s" })
}

/// When and from where the reported event happened, and where the service is.
fn details(mail: &Mail, links: &Links) -> String {
    let from = match &mail.ip_address {
        Some(address) => format!("IP address: {address}\n"),
        None if mail.kind == MailKind::ApiKeyExpiring => String::new(),
        None => "By: the operator of the service\n".to_owned(),
    };
    format!("{}{from}{}", time(mail.event_at), service(links))
}

fn time(at: Instant) -> String {
    format!("Time: {}\n", at.format("%Y-%m-%d %H:%M:%S UTC"))
}

fn service(links: &Links) -> String {
    let line = links.public_url.as_ref().map(|url| format!("Service: {url}\n"));
    line.filter(|line| line.len() <= MAX_LINE_CHARS).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_written_in_words() {
        for (seconds, words) in [
            (1, "1 second"),
            (5, "5 seconds"),
            (60, "1 minute"),
            (3_600, "1 hour"),
            (5_400, "90 minutes"),
            (86_400, "24 hours"),
            (2 * 86_400, "2 days"),
            (7 * 86_400, "7 days"),
            (90_061, "90061 seconds"),
        ] {
            assert_eq!(in_words(TimeDelta::seconds(seconds)), words);
        }
    }
}
