//! A mail in the form that is sent: headers and text. Everything in it is ASCII except a local part of an address.

use anyhow::{Result, ensure};
use lettre::Address;
use lettre::address::Envelope;
use lettre::message::header::{
    ContentTransferEncoding, ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0,
};
use lettre::message::{Body, Mailbox};
use secrecy::ExposeSecret;
use uuid::Uuid;

use super::error::SendError;
use super::links::Links;
use super::texts;
use super::values::Mail;
use crate::domain::{Instant, StoredEnum};

/// The maximum length of a line in a mail (RFC 5322, 2.1.1).
const MAX_LINE_BYTES: usize = 998;

/// The mailbox that mails are from.
#[derive(Clone, Debug)]
pub struct Sender(Mailbox);

impl Sender {
    /// Parses one mailbox with or without a name. The error continues the name of an option: "must …".
    pub fn parse(text: &str) -> Result<Self> {
        const FORM: &str = "must be one mailbox like tasks@example.com or Tasks <tasks@example.com>";
        ensure!(!text.chars().any(char::is_control), FORM);
        let parsed = text.trim().parse::<Mailbox>().ok();
        let parsed = parsed.and_then(|Mailbox { name, email }| {
            Some(Mailbox::new(name, parse_address(email.user(), email.domain())?))
        });
        // Most mail servers refuse a sender whose local part is not ASCII, so no mail would ever be delivered.
        let parsed = parsed.filter(|mailbox| mailbox.email.user().is_ascii());
        parsed.map(Self).ok_or_else(|| anyhow::anyhow!(FORM))
    }

    /// The domain of the address.
    pub fn domain(&self) -> &str {
        self.0.email.domain()
    }
}

/// The form of an address to which its mails are sent: with the domain in ASCII. None when it cannot be mailed to.
pub fn mailed_address(address: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    parse_address(local, domain).map(|address| address.to_string())
}

/// An address with its domain in ASCII; None when it cannot be mailed to.
fn parse_address(local: &str, domain: &str) -> Option<Address> {
    // An ASCII domain stays as it was typed.
    let domain = if domain.is_ascii() { domain.to_owned() } else { idna::domain_to_ascii(domain).ok()? };
    let is_plain = |text: &str| !text.chars().any(char::is_control);
    Address::new(local, domain).ok().filter(|address| is_plain(address.as_ref()))
}

/// A mail that is ready to be sent.
pub struct Message {
    pub envelope: Envelope,
    /// Headers and text, with a line break at the end.
    pub bytes: Vec<u8>,
    /// The name of its file.
    pub file_name: String,
}

/// The text as it is sent; None when it is not what every mail server accepts. The library itself would encode a
/// line of more than 76 characters as quoted-printable, which breaks the link in two.
fn seven_bit(text: &str) -> Option<Body> {
    let is_sendable = |line: &str| {
        line.len() <= MAX_LINE_BYTES && line.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
    };
    let is_sendable = text.lines().all(is_sendable);
    let bytes = || text.replace('\n', "\r\n").into_bytes();
    is_sendable.then(|| Body::dangerous_pre_encoded(bytes(), ContentTransferEncoding::SevenBit))
}

/// What the headers of a mail are made from.
struct Head<'a> {
    id: Uuid,
    kind: &'static str,
    subject: &'static str,
    recipient: &'a str,
    created_at: Instant,
}

impl Message {
    /// Puts a mail together. Errors are final.
    pub fn of(mail: &Mail, sender: &Sender, links: &Links) -> Result<Self, SendError> {
        let link = mail.token.as_ref().and_then(|token| links.of(mail.kind, token.token.expose_secret()));
        let head = Head {
            id: mail.id,
            kind: mail.kind.name(),
            subject: texts::subject(mail.kind),
            recipient: &mail.recipient,
            created_at: mail.created_at,
        };
        Self::build(&head, texts::body(mail, link.as_deref(), links), sender)
    }

    /// Puts a mail together that only shows that mails arrive. Errors are final.
    pub fn test(
        recipient: &str,
        id: Uuid,
        now: Instant,
        sender: &Sender,
        links: &Links,
    ) -> Result<Self, SendError> {
        let head = Head { id, kind: "test", subject: "Test of the mail server", recipient, created_at: now };
        Self::build(&head, texts::test(now, links), sender)
    }

    fn build(head: &Head<'_>, text: String, Sender(from): &Sender) -> Result<Self, SendError> {
        const BAD_ADDRESS: SendError = SendError::permanent("the address cannot be mailed to");
        const BAD_TEXT: SendError = SendError::permanent("the mail cannot be put together");
        let Head { id, kind, subject, recipient, created_at } = *head;
        let to = recipient.rsplit_once('@').and_then(|(local, domain)| parse_address(local, domain));
        let to = to.ok_or(BAD_ADDRESS)?;
        let envelope = Envelope::new(Some(from.email.clone()), vec![to.clone()]).map_err(|_| BAD_ADDRESS)?;
        let body = seven_bit(&text).ok_or(BAD_TEXT)?;
        let content_type = ContentType::parse("text/plain; charset=us-ascii").map_err(|_| BAD_TEXT)?;
        let header =
            |name, value: &str| HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned());
        let message = lettre::Message::builder()
            .from(from.clone())
            .to(to.into())
            .subject(subject)
            .date(created_at.into())
            .message_id(Some(format!("<{id}@{}>", from.email.domain())))
            .header(MIME_VERSION_1_0)
            .header(content_type)
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("X-Auto-Response-Suppress", "All"))
            .raw_header(header("X-Taskhold-Mail", kind))
            .envelope(envelope)
            .body(body)
            .map_err(|_| BAD_TEXT)?;
        let digits = id.simple().to_string();
        let time = created_at.format("%Y%m%dT%H%M%S%.3fZ");
        Ok(Self {
            envelope: message.envelope().clone(),
            bytes: message.formatted(),
            file_name: format!("{time}-{kind}-{}.eml", &digits[digits.len() - 8..]),
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use secrecy::SecretString;

    use super::*;
    use crate::domain::MailKind;
    use crate::mail::{LinkTemplate, LinkToken};

    fn text_of(kind: MailKind, recipient: &str, template: &str) -> Result<String, SendError> {
        let template = LinkTemplate::parse(template).expect("it is valid");
        let public_url = Some("https://tasks.example.com".to_owned());
        let links = Links { public_url, reset: template.clone(), verify: template };
        let at = "2026-11-21T09:30:00.123Z".parse().expect("it is a time");
        let token = LinkToken { token: SecretString::from("Ab9".repeat(15)), lifetime: TimeDelta::hours(1) };
        let mail = Mail {
            id: Uuid::nil(),
            kind,
            recipient: recipient.to_owned(),
            created_at: at,
            event_at: at,
            ip_address: Some("2001:db8:1111:2222:3333:4444:5555:6666".to_owned()),
            key_start: Some("taskhold_key_AbCdEf".to_owned()),
            token: kind.is_link().then_some(token),
        };
        let sender = Sender::parse("Tasks <tasks@example.com>").expect("it is valid");
        let message = Message::of(&mail, &sender, &links)?;
        Ok(String::from_utf8(message.bytes).expect("it is UTF-8"))
    }

    #[test]
    fn every_mail_is_ascii_in_short_lines_with_the_link_whole_on_one() {
        let template = format!("https://app.example.com/{}?token={{token}}", "x".repeat(400));
        for kind in MailKind::ALL {
            let text = text_of(*kind, "ann+x@example.com", &template).expect("it can be put together");
            assert!(
                text.is_ascii() && text.ends_with("\r\n") && !text.replace("\r\n", "").contains(['\r', '\n'])
            );
            let long: Vec<_> = text.lines().filter(|line| line.len() > 78).collect();
            let link = template.replace("{token}", &"Ab9".repeat(15));
            let has_link = kind.is_link() && *kind != MailKind::AddressInUse;
            assert_eq!(long, if has_link { vec![link.as_str()] } else { Vec::new() }, "{kind:?}");
            assert_eq!(text.contains("The link works for 1 hour."), has_link, "{text}");
            assert_eq!(
                text.matches("you can ignore").count() > 0,
                kind.is_link() || *kind == MailKind::ApiKeyExpiring,
                "{text}"
            );
            for part in [
                "From: Tasks <tasks@example.com>\r\n",
                "To: ann+x@example.com\r\n",
                "Date: Sat, 21 Nov 2026 09:30:00 +0000\r\n",
                "Message-ID: <00000000-0000-0000-0000-000000000000@example.com>\r\n",
                "MIME-Version: 1.0\r\n",
                "Content-Type: text/plain; charset=us-ascii\r\n",
                "Content-Transfer-Encoding: 7bit\r\n",
                "Auto-Submitted: auto-generated\r\n",
                "X-Auto-Response-Suppress: All\r\n",
                &format!("X-Taskhold-Mail: {}\r\n", kind.name()),
                &format!("Subject: {}\r\n", texts::subject(*kind)),
                "\r\nTime: 2026-11-21 09:30:00 UTC\r\n",
                "\r\nIP address: 2001:db8:1111:2222:3333:4444:5555:6666\r\n",
                "\r\nService: https://tasks.example.com\r\n",
            ] {
                assert!(text.contains(part), "{part}: {text}");
            }
        }
    }

    #[test]
    fn a_domain_is_written_in_ascii_and_a_local_part_is_never_changed() {
        for (recipient, to) in [
            ("Ann+X@Example.COM", "Ann+X@Example.COM"),
            ("ann@bücher.example", "ann@xn--bcher-kva.example"),
            ("jörg@example.com", "jörg@example.com"),
        ] {
            let text = text_of(MailKind::EmailChanged, recipient, "https://x/{token}").expect("it is valid");
            assert!(text.contains(&format!("\r\nTo: {to}\r\n")), "{text}");
        }
        for recipient in [
            "",
            "ann",
            "ann@",
            "@example.com",
            "a b@example.com",
            "ann@exa mple.com",
            "ann@example.com\r\nBcc: bob@example.com",
            "\"a\r\nb\"@example.com",
            "ann@example.com,bob@example.com",
            "<ann@example.com>",
            "ann@example.com> SIZE=1",
        ] {
            let error = text_of(MailKind::EmailChanged, recipient, "https://x/{token}").expect_err(recipient);
            assert!(error.is_final, "{recipient}");
        }
    }

    #[test]
    fn the_sender_is_one_mailbox() {
        for (text, domain) in [
            ("tasks@example.com", "example.com"),
            ("Tasks <tasks@example.com>", "example.com"),
            ("\"Tasks, and more\" <tasks@example.com>", "example.com"),
            ("Aufgäben <tasks@bücher.example>", "xn--bcher-kva.example"),
            ("taskhold <taskhold@localhost>", "localhost"),
        ] {
            assert_eq!(Sender::parse(text).expect(text).domain(), domain);
        }
        for text in [
            "",
            "Tasks",
            "a@example.com, b@example.com",
            "Tasks <a@example.com> <b@example.com>",
            "Tasks\r\nBcc: b@example.com <a@example.com>",
            "a@example.com b",
            "jörg@example.com",
        ] {
            let error = Sender::parse(text).expect_err(text).to_string();
            assert!(error.starts_with("must be one mailbox"), "{error}");
        }
    }
}
