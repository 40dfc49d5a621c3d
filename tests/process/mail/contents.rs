//! The bytes of the mails of each kind as a mail server receives them, and what the log says about them.

use super::{attempts, execute, header, mailing_to, on_both_databases, url_with_login, wait_for_mails};
use crate::support::{
    LOGIN, MailServer, PASSWORD, ReceivedMail, Reply, SERVER_TEXT, Server, Step, Value, json, wait_until,
};

const HEADERS: [&str; 11] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "X-Taskhold-Mail",
];

/// The kinds in the order of [`every_kind`], each with its recipient.
const KINDS: [(&str, &str); 12] = [
    ("verify-email", "zebra@example.com"),
    ("verify-email", "okapi@example.com"),
    ("address-in-use", "okapi@example.com"),
    ("email-change-requested", "zebra@example.com"),
    ("confirm-email", "Heron@Example.com"),
    ("email-change-requested", "zebra@example.com"),
    ("email-changed", "zebra@example.com"),
    ("reset-password", "Heron@Example.com"),
    ("password-changed", "Heron@Example.com"),
    ("api-key-created", "Heron@Example.com"),
    ("api-key-expiring", "Heron@Example.com"),
    ("account-deleted", "Heron@Example.com"),
];

/// The token in the link of a mail.
fn token(mail: &ReceivedMail) -> String {
    let (_, rest) = mail.text.split_once("#token=").expect("the mail has a link");
    rest.lines().next().expect("a token").to_owned()
}

/// Posts an operation that must succeed, with a user agent that no mail may name.
fn data(server: &Server, token: &str, query: &str, input: &Value) -> Value {
    let response = server.post_with("user-agent: narwhal", token, query, &json!({ "input": input }));
    assert!(!response.body.contains("\"errors\""), "{query}: {}", response.body);
    response.json()["data"].clone()
}

/// Has a mail of each kind sent, one after the other.
fn every_kind(server: &Server, mails: &MailServer, url: &str) -> Vec<ReceivedMail> {
    let mut count = 0;
    let mut more = |number: usize| {
        count += number;
        wait_for_mails(mails, count).split_off(count - number)
    };
    let register = "mutation($input: RegisterInput!) { register(input: $input) { accessToken } }";
    let input = |name: &str| json!({ "email": format!("{name}@example.com"), "password": PASSWORD, "name": "Quagga" });
    let mut session = data(server, "", register, &input("zebra"))["register"]["accessToken"].take();
    let mut all = more(1);
    data(server, "", register, &input("okapi"));
    all.extend(more(1));
    let access = session.as_str().expect("a token").to_owned();
    let change = "mutation($input: ChangeEmailInput!) { changeEmail(input: $input) { user { id } } }";
    for address in ["okapi@example.com", "Heron@Example.com"] {
        data(server, &access, change, &json!({ "newEmail": address, "currentPassword": PASSWORD }));
        let mut both = more(2);
        both.sort_by_key(|mail| header(mail, "X-Taskhold-Mail") == "email-change-requested");
        all.extend(both);
    }
    let verify = "mutation($input: String!) { verifyEmail(token: $input) { email } }";
    data(server, "", verify, &json!(token(&all[4])));
    all.extend(more(1));
    let request = "mutation($input: String!) { requestPasswordReset(usernameOrEmail: $input) { message } }";
    data(server, "", request, &json!("heron@example.com"));
    all.extend(more(1));
    let reset = "mutation($input: ResetPasswordInput!) { resetPassword(input: $input) { email } }";
    let input = json!({ "token": token(&all[7]), "newPassword": "better-horse-2" });
    data(server, "", reset, &input);
    all.extend(more(1));
    let login = "mutation($input: LoginInput!) { login(input: $input) { accessToken } }";
    let input = json!({ "usernameOrEmail": "heron@example.com", "password": "better-horse-2" });
    session = data(server, "", login, &input)["login"]["accessToken"].take();
    let access = session.as_str().expect("a token");
    let create = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id } } }";
    let input = json!({ "name": "Gecko", "scopes": ["TASKS_READ"], "currentPassword": "better-horse-2" });
    data(server, access, create, &input);
    all.extend(more(1));
    execute(
        url,
        "INSERT INTO mails (id, kind, recipient, event_at, key_start, created_at, due_at, attempts, gives_up_at)
         SELECT id, 'api-key-expiring', 'Heron@Example.com', expires_at, start, created_at, created_at, 0,
             expires_at FROM api_keys",
    );
    all.extend(more(1));
    let delete = "mutation($input: String!) { deleteAccount(password: $input) { deletedUserId } }";
    data(server, access, delete, &json!("better-horse-2"));
    all.extend(more(1));
    all
}

fn assert_is_well_formed(mail: &ReceivedMail, kind: &str, recipient: &str) {
    let text = &mail.text;
    assert_eq!(header(mail, "X-Taskhold-Mail"), kind, "{text}");
    assert_eq!((mail.from.as_str(), &mail.to), ("<tasks@example.com>", &vec![format!("<{recipient}>")]));
    for (name, value) in [
        ("From", "Tasks <tasks@example.com>"),
        ("To", recipient),
        ("MIME-Version", "1.0"),
        ("Content-Type", "text/plain; charset=us-ascii"),
        ("Content-Transfer-Encoding", "7bit"),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
    ] {
        assert_eq!(header(mail, name), value, "{name}: {text}");
    }
    let (head, body) = text.split_once("\r\n\r\n").expect("headers and text");
    let mut names: Vec<_> =
        head.split("\r\n").map(|line| line.split(": ").next().unwrap_or_default()).collect();
    let mut expected = HEADERS;
    names.sort_unstable();
    expected.sort_unstable();
    assert_eq!(names, expected, "{text}");

    assert!(text.is_ascii() && !text.replace("\r\n", "").contains(['\r', '\n']), "{text}");
    let links: Vec<_> = body.lines().filter(|line| line.contains("#token=")).collect();
    let page = match kind {
        "verify-email" | "confirm-email" => Some("verify-email"),
        "reset-password" => Some("reset-password"),
        _ => None,
    };
    assert_eq!(links.len(), usize::from(page.is_some()), "{text}");
    for (link, page) in links.iter().zip(page) {
        let link = link.strip_prefix(&format!("https://tasks.example.com/account/{page}#token="));
        let token = link.expect("the link stands alone");
        assert!(token.len() >= 32 && token.len() <= 64, "{text}");
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{text}");
    }
    assert!(text.lines().all(|line| line.len() <= 78 || links.contains(&line)), "{text}");
    // Nothing that a user typed, and no other address.
    assert!(!body.contains('@'), "{body}");
    for typed in ["zebra", "okapi", "heron", "Quagga", "Gecko", "narwhal", PASSWORD] {
        assert!(!body.to_lowercase().contains(&typed.to_lowercase()), "{typed}: {body}");
    }
    assert_eq!(body.contains("taskhold_key_"), kind.starts_with("api-key-"), "{body}");
    assert_eq!(body.contains("IP address: 127.0.0.1"), kind != "api-key-expiring", "{body}");
}

on_both_databases! {
    /// The first attempt fails, so that the log has what the mail server says.
    fn each_kind_of_mail_is_well_formed_and_the_log_does_not_show_it(env, url) {
        let mails = MailServer::with(|reached| match (reached.step, reached.count) {
            (Step::Rcpt, 1) => Reply::Code(450),
            _ => Reply::Ok,
        });
        let env = mailing_to(env, &url_with_login("smtp", &mails, ""));
        let server = env.with("RUST_LOG", "trace").start(&[]);
        let all = every_kind(&server, &mails, url);
        assert_eq!(all.len(), KINDS.len());
        for (mail, (kind, recipient)) in all.iter().zip(KINDS) {
            assert_is_well_formed(mail, kind, recipient);
        }
        wait_until("all attempts are logged", || attempts(&server).len() == KINDS.len() + 1);
        for line in attempts(&server) {
            assert!(line["duration_ms"].is_u64() && line["mail_id"].is_string(), "{line}");
        }
        let log = server.stop();
        let login = format!("\0{}\0{}", LOGIN.0, LOGIN.1);
        let login = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, login);
        let mut hidden = vec![LOGIN.1.to_owned(), "s3%2F".to_owned(), login, SERVER_TEXT.to_owned()];
        hidden.extend(["zebra@", "okapi@", "heron@", "tasks@", "open this link"].map(str::to_owned));
        hidden.extend(all.iter().filter(|mail| mail.text.contains("#token=")).map(token));
        for hidden in hidden {
            assert!(!log.to_lowercase().contains(&hidden.to_lowercase()), "{hidden}");
        }
    }
}
