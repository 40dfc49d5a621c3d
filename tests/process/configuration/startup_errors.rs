//! Errors at the start: the program ends with one line that names the option and how to correct it.

use std::io::Write;
use std::net::{TcpListener, TcpStream};

use sea_orm::ConnectionTrait;

use crate::support::{PostgresDatabase, SECRET, ServerEnv};

const WEAK: &str = "BETTER_AUTH_SECRET is too weak: ";

/// Runs the program, which must fail with one line that contains these parts and no secret.
pub(in crate::process) fn assert_fails_with(env: &ServerEnv, arguments: &[&str], parts: &[&str]) {
    let run = env.run(arguments);
    assert!(!run.success, "{parts:?}: the program succeeded");
    assert_eq!(run.stderr.lines().count(), 1, "{parts:?}: {}", run.stderr);
    assert!(run.stderr.starts_with("taskhold: "), "{}", run.stderr);
    for part in parts {
        assert!(run.stderr.contains(part), "{part} is not in: {}", run.stderr);
    }
    for hidden in ["s3cret", SECRET] {
        assert!(!run.stderr.contains(hidden) && !run.stdout.contains(hidden), "{}", run.stderr);
    }
    assert!(!run.stdout.contains("ready"), "{}", run.stdout);
}

#[test]
fn an_invalid_option_value() {
    for (option, value, rule) in [
        ("PORT", "abc", "a whole number from 0 to 65535"),
        ("PORT", "65536", "a whole number from 0 to 65535"),
        ("PORT", "-1", "a whole number from 0 to 65535"),
        ("HOST", "localhost", "an IP address like 127.0.0.1 or 0.0.0.0"),
        ("DATABASE_MAX_CONNECTIONS", "0", "a whole number from 1 to 1000"),
        ("JWT_ALGORITHM", "HS512", "HS256"),
        ("JWT_ALGORITHM", "none", "HS256"),
        ("ACCESS_TOKEN_TTL", "soon", "a time like 30s, 15m or 7d"),
        ("ACCESS_TOKEN_TTL", "0s", "a time from 1s to 1000y"),
        ("SESSION_TTL", "1001y", "a time from 1s to 1000y"),
        ("METRICS_BIND", "9464", "an IP address with a port like 127.0.0.1:9464"),
        ("METRICS_BIND", "localhost:9464", "an IP address with a port like 127.0.0.1:9464"),
        ("METRICS_BIND", "127.0.0.1:65536", "an IP address with a port like 127.0.0.1:9464"),
        ("SHUTDOWN_GRACE", "-1s", "a time like 30s, 15m or 7d"),
        ("REQUEST_TIMEOUT", "15", "a time like 30s, 15m or 7d"),
        ("REGISTRATION_OPEN", "maybe", "true or false"),
        ("GRAPHIQL", "1", "true or false"),
        ("LIMIT_CONNECTIONS", "0", "a whole number from 1 to"),
        ("LIMIT_CONNECTIONS_PER_ADDRESS", "-1", "a whole number from 0 to"),
        ("LIMIT_REQUEST_BYTES", "1MB", "a whole number from 1 to"),
        ("LIMIT_QUERY_NESTING", "65", "a whole number from 1 to 64"),
        ("LOG_FORMAT", "xml", "pretty or json"),
        ("RUST_LOG", "taskhold=loud", "error, warn, info, debug, trace"),
        ("CORS_ORIGINS", "app.example.com", "origins like https://app.example.com"),
        ("CORS_ORIGINS", "https://app.example.com/", "origins like https://app.example.com"),
        ("CORS_ORIGINS", "https://*.example.com", "origins like https://app.example.com"),
        ("CORS_ORIGINS", "null", "origins like https://app.example.com"),
    ] {
        let parts = [format!("{option} must be "), rule.to_owned(), format!("not {value:?}")];
        assert_fails_with(&ServerEnv::new().with(option, value), &[], &parts.each_ref().map(String::as_str));
    }
}

#[test]
fn a_flag_is_refused_like_the_environment() {
    assert_fails_with(&ServerEnv::new(), &["--port", "abc"], &["PORT must be a whole number"]);
    assert_fails_with(&ServerEnv::new(), &["migrate", "--port=abc"], &["PORT must be a whole number"]);
}

#[cfg(unix)]
#[test]
fn a_value_that_is_not_utf8() {
    use std::os::unix::ffi::OsStrExt;
    let env = ServerEnv::new();
    let mut command = env.command(&["check"]);
    command.env("BETTER_AUTH_SECRET", std::ffi::OsStr::from_bytes(b"s3cret\xff"));
    let output = command.output().expect("the program can be started");
    let message = "taskhold: BETTER_AUTH_SECRET must be text in UTF-8\n";
    assert_eq!((output.status.success(), output.stderr.as_slice()), (false, message.as_bytes()));
}

#[test]
fn a_line_break_in_a_value_is_escaped_in_the_message() {
    assert_fails_with(&ServerEnv::new().with("PORT", "a\nb"), &[], &[r#"not "a\nb""#]);
}

#[test]
fn a_weak_secret() {
    let remedy = "; make one with `openssl rand -hex 32`";
    for (secret, reason) in [
        ("s3cret", "it is shorter than 32 bytes"),
        ("s3crets3crets3crets3crets3crets3cret", "it has fewer than 10 different bytes"),
        ("replace-me-with-the-output-of-openssl-rand-hex-32", "it is the one from .env.example"),
    ] {
        let env = ServerEnv::new().with("BETTER_AUTH_SECRET", secret);
        assert_fails_with(&env, &[], &[WEAK, reason, remedy]);
        assert_fails_with(&env, &["check"], &[WEAK, reason, remedy]);
        assert!(!env.path("data/taskhold.db").exists(), "the database was created");
    }
}

#[test]
fn a_weak_secret_in_the_data_folder() {
    let env = ServerEnv::new();
    assert!(env.run(&["migrate"]).success);
    std::fs::create_dir_all(env.path("data")).expect("the folder can be created");
    env.write("data/secret", "s3cret\n");
    assert_fails_with(
        &env,
        &[],
        &["DATA_DIR", "./data/secret is too weak", "shorter than 32 bytes; remove the file"],
    );
}

#[test]
fn postgres_without_a_secret() {
    let env = ServerEnv::new().with("DATABASE_URL", "postgres://ann:s3cret@127.0.0.1:1/tasks");
    let parts = ["BETTER_AUTH_SECRET must be set with PostgreSQL", "make one with `openssl rand -hex 32`"];
    assert_fails_with(&env, &[], &parts);
    assert_fails_with(&env.with("BETTER_AUTH_SECRET", ""), &["check"], &parts);
}

fn with_database(url: &str) -> ServerEnv {
    ServerEnv::new().with("DATABASE_URL", url).with("BETTER_AUTH_SECRET", SECRET)
}

#[test]
fn an_invalid_database_url() {
    let schemes = "DATABASE_URL cannot be used: it starts with neither postgres:// nor sqlite://";
    for url in ["mysql://ann:s3cret@db/tasks", "tasks.db", "ann:s3cret@db", "POSTGRES//s3cret"] {
        assert_fails_with(&with_database(url), &[], &[schemes]);
    }
    let shape = "DATABASE_URL cannot be used: it must be like postgres://user:password@host/name";
    for url in
        ["postgres://ann:s3cret@[::", "postgres://ann:12/s3cret@db/tasks", "postgres://ann:s3cret@db:x/t"]
    {
        assert_fails_with(&with_database(url), &[], &[shape]);
    }
}

#[test]
fn a_postgres_that_is_not_running() {
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let address = closed.expect("there is a free port");
    let env = with_database(&format!("postgres://ann:s3cret@{address}/tasks"));
    let parts = [
        "DATABASE_URL: ",
        &format!("PostgreSQL at {address}/tasks: Connection refused"),
        "check that it runs",
    ];
    assert_fails_with(&env, &[], &parts);
    assert_fails_with(&env, &["check"], &parts);
    assert_fails_with(&env, &["migrate"], &parts);
}

#[test]
fn a_postgres_that_does_not_accept_the_connection() {
    // The listener never accepts, so connections stay in its backlog.
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = listener.local_addr().expect("the listener has an address");
    let env = with_database(&format!("postgres://ann:s3cret@{address}/tasks"));
    assert_fails_with(&env, &[], &["DATABASE_URL: ", &address.to_string(), "no answer within 3s"]);
}

#[test]
fn a_postgres_that_stops_responding_during_the_handshake() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = listener.local_addr().expect("the listener has an address");
    std::thread::spawn(move || {
        let decline_tls = |stream: std::io::Result<TcpStream>| {
            let mut stream = stream.expect("the server connects");
            // `N` declines TLS; the start-up message that follows gets no response.
            stream.write_all(b"N").expect("the server reads");
            stream
        };
        listener.incoming().map(decline_tls).collect::<Vec<_>>()
    });
    let env = with_database(&format!("postgres://ann:s3cret@{address}/tasks"));
    assert_fails_with(&env, &[], &["DATABASE_URL: ", &address.to_string(), "no answer within "]);
    assert_fails_with(&env, &["check"], &["DATABASE_URL: ", &address.to_string(), "no answer within "]);
}

#[test]
fn a_postgres_at_an_ipv6_address() {
    // Not every machine has IPv6.
    let Ok(closed) = TcpListener::bind("[::1]:0").and_then(|listener| listener.local_addr()) else { return };
    let env = with_database(&format!("postgres://ann:s3cret@{closed}/tasks"));
    assert_fails_with(&env, &["check"], &[&format!("PostgreSQL at {closed}/tasks: Connection refused")]);
}

#[test]
fn an_invalid_parameter_of_the_database_url() {
    for parameter in ["sslmode", "port", "hostaddr", "statement-cache-capacity"] {
        let env = with_database(&format!("postgres://ann@db/tasks?{parameter}=s3cret"));
        let message =
            format!("DATABASE_URL cannot be used: its parameter {parameter} has a value that is not valid");
        assert_fails_with(&env, &[], &[&message]);
    }
}

#[test]
fn a_password_in_a_parameter_of_the_database_url_is_not_shown() {
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let address = closed.expect("there is a free port");
    for parameters in
        ["password=s3cret", "options=-c%20a.b%3Ds3cret", "options[a.b]=s3cret", "sslpassword=s3cret"]
    {
        let env = with_database(&format!("postgres://ann@{address}/tasks?{parameters}"));
        assert_fails_with(&env, &["check"], &["Connection refused"]);
    }
}

#[test]
fn an_sqlite_file_that_another_program_has_locked() {
    let env = ServerEnv::new();
    assert!(env.run(&["migrate"]).success);
    let url = format!("sqlite://{}", env.path("data/taskhold.db").display());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be created");
    let _holder = runtime.block_on(async {
        let holder = sea_orm::Database::connect(url).await.expect("the file can be opened");
        for sql in ["PRAGMA locking_mode = EXCLUSIVE", "PRAGMA journal_mode = DELETE", "BEGIN EXCLUSIVE"] {
            holder.execute_unprepared(sql).await.expect("the statement is valid");
        }
        holder
    });
    assert_fails_with(&env, &[], &["DATA_DIR: cannot open SQLite at ./data/taskhold.db: "]);
}

#[test]
fn a_missing_postgres_database() {
    let Some(database) = PostgresDatabase::new() else { return };
    assert_fails_with(
        &with_database(&format!("{}_other", database.url)),
        &[],
        &["DATABASE_URL: ", "_other\" does not exist"],
    );
}

#[test]
fn a_folder_that_cannot_be_written_to() {
    let env = ServerEnv::new().with("DATA_DIR", "./file/data");
    env.write("file", "");
    assert_fails_with(&env, &[], &["DATA_DIR must be a readable and writable folder; ./file/data is not: "]);
    let env = with_database("sqlite://./file/tasks.db");
    env.write("file", "");
    assert_fails_with(
        &env,
        &[],
        &["DATABASE_URL: cannot open SQLite at ./file/tasks.db: ", "; it must be an SQLite database"],
    );
}

#[test]
fn a_file_that_is_not_a_database() {
    let env = with_database("sqlite://notes.txt");
    env.write("notes.txt", &"These are notes. ".repeat(100));
    assert_fails_with(
        &env,
        &[],
        &["DATABASE_URL: cannot open SQLite at notes.txt: ", "file is not a database"],
    );
}

#[test]
fn a_port_in_use() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = listener.local_addr().expect("the listener has an address");
    let env = ServerEnv::new().with("PORT", &address.port().to_string());
    assert_fails_with(
        &env,
        &[],
        &["HOST and PORT: cannot listen on ", &address.to_string(), "; choose others"],
    );
}

#[test]
fn a_metrics_port_in_use() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = listener.local_addr().expect("the listener has an address").to_string();
    let env = ServerEnv::new().with("METRICS_BIND", &address);
    assert_fails_with(&env, &[], &["METRICS_BIND: cannot listen on ", &address, "; choose another"]);
    assert!(!env.path("data/taskhold.db").exists(), "the database was created");
}

#[test]
fn all_cors_origins_on_a_non_loopback_address() {
    let env = ServerEnv::new().with("CORS_ORIGINS", "*");
    assert!(env.run(&["check"]).stdout.contains("configuration: ok"));
    let env = ServerEnv::new().with("CORS_ORIGINS", "*").with("HOST", "0.0.0.0");
    assert_fails_with(
        &env,
        &[],
        &["CORS_ORIGINS may be * only while HOST is a loopback address; name the origins"],
    );
    assert!(!env.path("data/taskhold.db").exists(), "the database was created");
}

#[test]
fn a_cors_origin_with_a_password() {
    let env = ServerEnv::new().with("CORS_ORIGINS", "https://ann:s3cret@app.example.com");
    assert_fails_with(
        &env,
        &[],
        &["CORS_ORIGINS must be origins like https://app.example.com, not one with a user name"],
    );
}

#[test]
fn a_broken_env_file() {
    for text in [
        "PORT=0\n\nBETTER AUTH SECRET=s3cret\n",
        "# a\n\nBETTER_AUTH_SECRET=\"s3cret\nPORT=0\n",
        "\n\ns3cret",
    ] {
        let env = ServerEnv::new();
        env.write(".env", text);
        assert_fails_with(&env, &[], &[".env: line 3 must be NAME=value"]);
    }
    let env = ServerEnv::new();
    std::fs::create_dir(env.path(".env")).expect("the folder can be created");
    assert_fails_with(&env, &[], &[".env must be a readable file"]);
}
