//! The log: one line per request, without secrets or contents of requests.

use std::fs;

use crate::process::observability::recovery::{assert_database_has_no_token, recovery_lifecycle};
use crate::process::{login, refresh, tokens};
use crate::support::{
    PASSWORD, PostgresDatabase, SECRET, Server, ServerEnv, Value, json, operation, wait_until,
};

const ME: &str = "query Me { me { id } }";

/// Waits for this number of request lines and returns them.
fn request_lines(server: &Server, count: usize) -> Vec<Value> {
    let lines = || -> Vec<Value> {
        let log = server.log();
        let lines = log.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let lines = lines.map(|line| serde_json::from_str(line).expect("every line is JSON"));
        lines.filter(|line: &Value| line["message"] == "request").collect()
    };
    wait_until("the requests are logged", || lines().len() >= count);
    assert_eq!(lines().len(), count);
    lines()
}

#[test]
fn a_request_whose_client_disconnects_is_logged_in_one_line() {
    let server = ServerEnv::new().start(&[]);
    let mut client = server.connect();
    client.send("POST /graphql HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{");
    drop(client);
    let line = request_lines(&server, 1).remove(0);
    assert!(line["request_id"].is_string() && line["duration_ms"].is_number(), "{line}");
    assert_eq!(line["path"], "/graphql");
}

#[test]
fn a_request_is_logged_in_one_line() {
    let server = ServerEnv::new().start(&[]);
    let token = server.register("ann");
    let mut client = server.connect();
    let request = operation(&token, ME, &json!({}));
    client.send(&request.replacen("host: test", "host: test\r\nx-request-id: mine", 1));
    let id = client.read_response().json()["data"]["me"]["id"].clone();
    server.post("", ME, &json!({}));
    server.post("", "{ nothing }", &json!({}));
    server.get("/nowhere?token=hidden");

    let lines = request_lines(&server, 5);
    let register = &lines[0];
    assert_eq!(
        (&register["operation"], &register["operation_type"]),
        (&json!("Register"), &json!("mutation"))
    );
    let me = &lines[1];
    assert_eq!((&me["request_id"], &me["status"]), (&json!("mine"), &json!(200)));
    assert_eq!((&me["operation"], &me["operation_type"]), (&json!("Me"), &json!("query")));
    assert_eq!(me["user_id"], id);
    assert!(
        me["session_id"].is_string() && me["duration_ms"].is_number() && me.get("code").is_none(),
        "{me}"
    );
    let document = me["document"].as_str().unwrap_or_default();
    assert!(document.len() == 16 && document.bytes().all(|byte| byte.is_ascii_hexdigit()), "{me}");

    let refused = &lines[2];
    assert_eq!((&refused["status"], &refused["code"]), (&json!(401), &json!("UNAUTHENTICATED")));
    assert_eq!(refused["document"], me["document"]);
    assert!(refused.get("user_id").is_none() && refused["request_id"].is_string(), "{refused}");
    assert_eq!((&lines[3]["status"], &lines[3]["code"]), (&json!(200), &json!("BAD_REQUEST")));
    assert_eq!((&lines[4]["status"], &lines[4]["path"]), (&json!(404), &json!("/nowhere")));
    assert!(!server.stop().contains("hidden"));
}

#[test]
fn a_request_for_a_document_is_logged_with_its_user() {
    let server = ServerEnv::new().start(&[]);
    let token = server.register("ann");
    let mut client = server.connect();
    let mut send = |request: &str, document: &str| {
        client.send(&format!(
            "{request} HTTP/1.1\r\nhost: test\r\nauthorization: Bearer {token}\r\ncontent-type: text/markdown\r\n\
             content-length: {}\r\n\r\n{document}",
            document.len()
        ));
        client.read_response()
    };
    let location = send("POST /lists", "# Hidden\n\n- [ ] T001 hidden\n").header("location").to_owned();
    assert_eq!(send(&format!("GET {location}"), "").body, "# Hidden\n\n- [ ] T001 hidden\n");
    assert_eq!(send("GET /lists/1.md", "").status, 400);

    let lines = request_lines(&server, 4);
    let user = &lines[1]["user_id"];
    let line = |line: &Value| (line["path"].clone(), line["status"].clone(), line["code"].clone());
    assert_eq!(line(&lines[1]), (json!("/lists"), json!(201), Value::Null));
    assert_eq!(line(&lines[2]), (json!(location), json!(200), Value::Null));
    assert_eq!(line(&lines[3]), (json!("/lists/1.md"), json!(400), json!("BAD_USER_INPUT")));
    assert!(user.is_string() && lines[1..].iter().all(|line| line["user_id"] == *user), "{lines:#?}");
    assert!(!server.stop().to_lowercase().contains("hidden"));
}

#[test]
fn the_pretty_format_is_not_json() {
    let server = ServerEnv::new().with("LOG_FORMAT", "pretty").start(&[]);
    server.get("/healthz");
    let log = server.stop();
    assert!(log.contains("INFO request ") && log.contains("status=200") && !log.contains('{'), "{log}");
}

/// All log levels, also of the libraries that log SQL, queries and headers.
const TRACE: &str = "trace,sqlx=trace,sqlx::query=trace,sqlx_core=trace,sqlx_postgres=trace,sqlx_sqlite=trace,\
                     sea_orm=trace,sea_orm::driver=trace,sea_orm::database=trace,sea_orm_migration=trace,\
                     async_graphql=trace,async_graphql::graphql=trace,hyper=trace,hyper::proto=trace,axum=trace,\
                     axum::rejection=trace,tower_http=trace,taskhold=trace";

/// Executes all account operations from registration to deletion, including their failures. Returns the
/// tokens and signatures that must not be logged.
fn account_lifecycle(server: &Server) -> Vec<String> {
    let (password, better) = ("hush-Password-1", "hush-Password-2");
    let register =
        "mutation($input: RegisterInput!) { register(input: $input) { accessToken refreshToken } }";
    let input = json!({ "email": "hush@example.com", "password": password, "name": "Hush Hush" });
    let registered = server.post("", register, &json!({ "input": input }));
    server.post("", register, &json!({ "input": input }));
    let weak = json!({ "email": "hush-weak", "password": "hush-weak" });
    server.post("", register, &json!({ "input": weak }));
    login(server, "hush@example.com", "hush-guess");
    let [one, two] = [(); 2].map(|()| tokens(&login(server, "hush@example.com", password), "login"));
    let refreshed = refresh(server, &one.refresh);
    refresh(server, &format!("{}hush", one.refresh));
    let refreshed = tokens(&refreshed, "refreshToken");
    let change = "mutation($current: String!, $new: String!) {
        changePassword(input: { currentPassword: $current, newPassword: $new }) { accessToken refreshToken } }";
    server.post(&refreshed.access, change, &json!({ "current": "hush-guess", "new": better }));
    server.post(&refreshed.access, change, &json!({ "current": password, "new": "hush-weak" }));
    let change = server.post(&refreshed.access, change, &json!({ "current": password, "new": better }));
    let changed = tokens(&change, "changePassword");
    // This token has been used before, so the server treats it as stolen.
    refresh(server, &one.refresh);
    let last = tokens(&login(server, "hush@example.com", better), "login");
    let literal =
        "mutation { login(input: { usernameOrEmail: \"hush@example.com\", password: \"hush-Password-2\" }) {
        accessToken refreshToken } }";
    let from_literal = tokens(&server.post("", literal, &json!({})), "login");
    server.post(&from_literal.access, "mutation { logout { success } }", &json!({}));
    server.post(&from_literal.access, ME, &json!({}));
    let delete = "mutation($password: String!) { deleteAccount(password: $password) { deletedUserId } }";
    server.post(&last.access, delete, &json!({ "password": "hush-guess" }));
    let deleted = server.post(&last.access, delete, &json!({ "password": better })).json();
    assert!(deleted["data"]["deleteAccount"]["deletedUserId"].is_string(), "{deleted}");

    let all = [tokens(&registered, "register"), one, two, refreshed, changed, last, from_literal];
    let signatures = all.iter().filter_map(|pair| Some(pair.access.rsplit_once('.')?.1.to_owned()));
    signatures.chain(all.iter().map(|pair| pair.refresh.clone())).collect()
}

/// Sends requests that are refused before the operation is executed.
fn bad_requests(server: &Server) {
    for (header, body) in [
        ("authorization: Basic hush-basic", "{ me { id } }"),
        ("authorization: Bearer hush-one\r\nauthorization: Bearer hush-two", "{ me { id } }"),
        ("authorization: Bearer\r\ncookie: session=hush-cookie", "{ me { id } }"),
        ("user-agent: ", "{ me(hush: \"hush-argument\") { hushField } }"),
        ("accept: text/hush", "mutation { register(input: { email: \"hush-half"),
        ("x-request-id: hush/id", "{ task(id: \"hush-id\") { id } }"),
    ] {
        server.post_with(header, "", body, &json!({ "hush-name": "hush-value" }));
    }
    for body in ["{\"query\": \"hush", "hush", "[\"hush\"]", "{\"query\": {\"hush\": 1}}"] {
        let mut client = server.connect();
        let head = "POST /graphql HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\n";
        client.send(&format!("{head}content-length: {}\r\n\r\n{body}", body.len()));
        client.read_response();
    }
    server.connect().send("POST /graphql HTTP/1.1\r\nauthorization Bearer hush-broken\r\n\r\n");
}

/// Sends requests that contain secrets, then calls `break_database` and lets one more fail. Returns the
/// complete output of the server and the secrets.
fn output_and_secrets(env: &ServerEnv, break_database: impl FnOnce()) -> (String, Vec<String>) {
    let server = env.start(&[]);
    let mut hidden = account_lifecycle(&server);
    hidden.extend(recovery_lifecycle(&server, env));
    bad_requests(&server);
    let token = server.register("hush-name");
    let create = "mutation($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }";
    let input = json!({ "title": "hush-title", "description": "hush-description" });
    let made = server.post(&token, create, &json!({ "input": input })).json();
    assert!(made["data"]["createTask"]["task"]["id"].is_string(), "{made}");
    let literal = r#"mutation { createTask(input: { title: "hush-literal" }) { task { title } } }"#;
    server.post(&token, literal, &json!({}));
    let login = "mutation($input: LoginInput!) { login(input: $input) { accessToken } }";
    server.post("", login, &json!({ "input": { "usernameOrEmail": "hush-name", "password": "hush-guess" } }));
    server.post("hush-token", ME, &json!({}));
    server.post(&token, "{ me { \"hush-broken\" } }", &json!({ "hush-variable": 1 }));
    server.get("/graphql?query=%7Bme%7Bid%7D%7D&variables=%7B%22a%22:%22hush-query%22%7D");

    break_database();
    let input = json!({ "title": "hush-failing", "description": "hush-description" });
    let failed = server.post(&token, create, &json!({ "input": input }));
    assert!(!failed.body.contains("hush"), "{}", failed.body);
    hidden.extend(token.rsplit_once('.').map(|(_, signature)| signature.to_owned()));
    (server.stop(), hidden)
}

fn assert_no_secret(output: &str, secrets: &[String]) {
    let always = ["hush", "$argon2", PASSWORD, SECRET, "Bearer"].map(str::to_owned);
    for secret in always.iter().chain(secrets) {
        let line = output.lines().find(|line| line.contains(secret.as_str()));
        assert!(line.is_none(), "{secret} is in the line: {}", line.unwrap_or_default());
    }
}

#[test]
fn on_sqlite_no_secret_is_logged() {
    let env = ServerEnv::new().with("RUST_LOG", TRACE);
    let (output, mut hidden) = output_and_secrets(&env, || {});
    assert_database_has_no_token(&env, &hidden);
    hidden.push(fs::read_to_string(env.path("data/secret")).expect("the secret was created"));
    assert_no_secret(&output, &hidden);
}

#[test]
fn on_postgres_no_secret_is_logged() {
    let Some(database) = PostgresDatabase::new() else { return };
    // The test server accepts any password.
    let url = database.url.replacen("postgres@", "postgres:hush-url@", 1);
    // Unknown parameters, and a second password in a parameter that the driver supports.
    let more =
        "password=hush-password&application_type=hush-type&sslcrl=hush-crl&channel_binding=prefer&hush-part";
    let url = format!("{url}{}{more}", if url.contains('?') { '&' } else { '?' });
    let env = ServerEnv::on(&database).with("DATABASE_URL", &url).with("RUST_LOG", TRACE);
    // PostgreSQL's message about a row that violates a constraint contains the whole row.
    let break_database =
        || database.execute_sql("ALTER TABLE tasks ADD CONSTRAINT none CHECK (title <> 'hush-failing')");
    let (output, hidden) = output_and_secrets(&env, break_database);
    assert!(output.contains("an operation failed"), "the row was not refused");
    assert!(
        output.contains(r#""parameters":"application_type, sslcrl, (not a name)""#),
        "no warning: {output}"
    );
    assert_eq!(output.matches("application_type").count(), 1);
    assert_no_secret(&output, &hidden);
}
