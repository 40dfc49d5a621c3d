//! Accounts: the rules for e-mail addresses, usernames, display names and passwords.

use email_address::{EmailAddress, Options};
use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

use crate::domain::{Faults, Instant, Problem, Result, Rule, text};

/// An account as its owner sees it. It does not contain the password hash, which only the service layer uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: Uuid,
    pub email: String,
    /// Whether a token that was mailed to `email` came back.
    pub email_verified: bool,
    pub username: String,
    pub name: String,
    pub is_active: bool,
    pub created_at: Instant,
    pub updated_at: Instant,
}

/// A session of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: Uuid,
    /// Whether the request belongs to this session.
    pub current: bool,
    pub user_agent: Option<String>,
    pub ip_address: Option<String>,
    pub created_at: Instant,
    /// Accurate to the minute.
    pub last_used_at: Instant,
    pub expires_at: Instant,
}

/// An e-mail address as the user wrote it. It is unique by [`Email::key`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Accepts one address with a dotted domain and at most 254 characters (RFC 5321, 4.5.3.1.3).
    pub fn parse(raw: &str) -> Result<Self, Problem> {
        let address = text::non_empty(raw, 254)?;
        let strict = Options::default().with_required_tld().without_domain_literal().without_display_text();
        let valid =
            address.matches('@').count() == 1 && EmailAddress::parse_with_options(&address, strict).is_ok();
        if valid {
            Ok(Self(address))
        } else {
            Err(Problem::new(Rule::Invalid, "is not a valid e-mail address"))
        }
    }

    /// The address as the user wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address in lower case. Two addresses that differ only in case are the same.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }

    /// The part before the @.
    pub fn local_part(&self) -> &str {
        self.0.split_once('@').map_or(self.0.as_str(), |(local, _)| local)
    }
}

/// A username: 3 to 32 of a-z, 0-9, `_`, `.` and `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username(String);

impl Username {
    const LENGTH: std::ops::RangeInclusive<usize> = 3..=32;

    /// Converts to lower case and checks the rules.
    pub fn parse(raw: &str) -> Result<Self, Problem> {
        let name = text::normalize(raw)?.to_lowercase();
        let problem = |rule, message| Err(Problem::new(rule, message));
        match name.chars().count() {
            0 => Err(Problem::required()),
            n if n < *Self::LENGTH.start() => problem(Rule::TooShort, "must have at least 3 characters"),
            n if n > *Self::LENGTH.end() => problem(Rule::TooLong, "must have at most 32 characters"),
            _ if !name.chars().all(Self::allows) => {
                problem(Rule::Invalid, "may contain only a-z, 0-9, _ . and -")
            }
            _ => Ok(Self(name)),
        }
    }

    /// Derives a username from an e-mail address. `suffix` makes it different from existing ones.
    pub fn derive(email: &Email, suffix: Option<u32>) -> Self {
        let local = email.local_part().to_lowercase();
        let allowed = local.chars().map(|c| if Self::allows(c) { c } else { '-' });
        // A leading hyphen would be parsed as an option on the command line.
        let mut name: String = allowed.skip_while(|c| !c.is_ascii_alphanumeric()).take(24).collect();
        if name.len() < *Self::LENGTH.start() {
            name.push_str(if name.is_empty() { "user" } else { "-user" });
        }
        if let Some(number) = suffix {
            name.push_str(&format!("-{number}"));
            name.truncate(*Self::LENGTH.end());
        }
        Self(name)
    }

    fn allows(letter: char) -> bool {
        matches!(letter, 'a'..='z' | '0'..='9' | '_' | '.' | '-')
    }

    /// The username in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A display name of 1 to 100 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayName(String);

impl DisplayName {
    /// Accepts 1 to 100 characters.
    pub fn parse(raw: &str) -> Result<Self, Problem> {
        text::non_empty(raw, text::MAX_NAME).map(Self)
    }

    /// The name as it is displayed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The rules that [`NewPassword`] enforces, for display to users.
pub const PASSWORD_RULES: [&str; 4] = [
    "At least 8 and at most 128 characters.",
    "At least one letter.",
    "At least one digit.",
    "At least one character that is neither a letter nor a digit.",
];

/// A password that satisfies the rules. It is compared in NFC (RFC 8265, 4.2), so that the result does not
/// depend on how a keyboard composes accents. Spaces are significant.
#[derive(Clone, Debug)]
pub struct NewPassword(SecretString);

impl NewPassword {
    /// Checks the rules and adds a fault at `field` for each broken one.
    pub fn parse(faults: &mut Faults, field: &str, raw: &str) -> Option<Self> {
        let password: String = raw.nfc().collect();
        let mut broken = Vec::new();
        match password.chars().count() {
            0 => broken.push(Problem::required()),
            1..8 => broken.push(Problem::new(Rule::TooShort, "must have at least 8 characters")),
            129.. => broken.push(Problem::new(Rule::TooLong, "must have at most 128 characters")),
            _ => {}
        }
        if !password.is_empty() && !Self::is_mixed(&password) {
            let message = "must contain a letter, a digit and another character";
            broken.push(Problem::new(Rule::Weak, message));
        }
        if password.contains('\0') {
            broken.push(Problem::new(Rule::Invalid, "must not contain the character U+0000"));
        }
        let is_valid = broken.is_empty();
        broken.into_iter().for_each(|problem| faults.push(field, problem));
        is_valid.then(|| Self(password.into()))
    }

    fn is_mixed(password: &str) -> bool {
        let other = |c: char| !c.is_alphabetic() && !c.is_numeric();
        password.contains(char::is_alphabetic)
            && password.contains(char::is_numeric)
            && password.contains(other)
    }

    /// The password in plain text, for hashing.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// A validated registration.
#[derive(Clone, Debug)]
pub struct Registration {
    pub email: Email,
    pub password: NewPassword,
    pub name: DisplayName,
    /// None: an unused username is derived from the e-mail address.
    pub username: Option<Username>,
}

/// A validated edit of a profile. None leaves a field unchanged.
#[derive(Clone, Debug, Default)]
pub struct ProfileEdit {
    pub name: Option<DisplayName>,
    pub username: Option<Username>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_has_one_at_sign_and_a_dotted_domain() {
        for good in ["ann@example.com", " Ann+x@Sub.Example.com ", "ä@exämple.de"] {
            assert!(Email::parse(good).is_ok(), "{good} was refused");
        }
        for bad in [
            "",
            "ann",
            "ann@",
            "@example.com",
            "ann@localhost",
            "a@b@c.de",
            "a b@c.de",
            "<a@b.de>",
            "a@[127.0.0.1]",
            "a@b..de",
        ] {
            assert!(Email::parse(bad).is_err(), "{bad} was accepted");
        }
    }

    #[test]
    fn a_derived_username_always_keeps_the_rules() {
        let long = format!("{}@example.com", "a".repeat(64));
        let odd =
            ["_ann@example.com", "-@example.com", "ä@example.com", "äöü_1@example.com", "'{ann}@example.com"];
        for address in ["x@example.com", "Ännchen+shopping@example.com", &long].into_iter().chain(odd) {
            let email = Email::parse(address).expect("a valid address");
            for suffix in [None, Some(u32::MAX)] {
                let derived = Username::derive(&email, suffix);
                assert_eq!(Username::parse(derived.as_str()), Ok(derived.clone()));
                assert!(derived.as_str().starts_with(|c: char| c.is_ascii_alphanumeric()), "{derived:?}");
            }
        }
    }

    #[test]
    fn every_broken_password_rule_is_reported() {
        let mut faults = Faults::of("input");
        assert!(NewPassword::parse(&mut faults, "password", "abc").is_none());
        let Err(crate::domain::Error::Invalid(found)) = faults.into_result() else {
            panic!("faults were expected")
        };
        let rules: Vec<_> = found.iter().map(|fault| fault.problem.rule).collect();
        assert_eq!(rules, [Rule::TooShort, Rule::Weak]);
    }
}
