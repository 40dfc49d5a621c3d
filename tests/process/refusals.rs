//! A start that cannot work ends soon, with one sentence that names the option and the remedy.

use std::io::Write;
use std::net::{TcpListener, TcpStream};

use sea_orm::ConnectionTrait;

use crate::support::{Place, PostgresDatabase, SECRET};

const WEAK: &str = "BETTER_AUTH_SECRET is too weak: ";

/// Runs the program, which has to refuse in a sentence with these parts and without anything secret.
pub(super) fn refuses(place: &Place, arguments: &[&str], parts: &[&str]) {
    let run = place.run(arguments);
    assert!(!run.success, "{parts:?}: it succeeded");
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
fn a_value_that_an_option_cannot_have() {
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
        refuses(&Place::new().with(option, value), &[], &parts.each_ref().map(String::as_str));
    }
}

#[test]
fn a_flag_is_refused_like_the_environment() {
    refuses(&Place::new(), &["--port", "abc"], &["PORT must be a whole number"]);
    refuses(&Place::new(), &["migrate", "--port=abc"], &["PORT must be a whole number"]);
}

#[cfg(unix)]
#[test]
fn a_value_that_is_no_text() {
    use std::os::unix::ffi::OsStrExt;
    let place = Place::new();
    let mut command = place.command(&["check"]);
    command.env("BETTER_AUTH_SECRET", std::ffi::OsStr::from_bytes(b"s3cret\xff"));
    let output = command.output().expect("the program can be started");
    let sentence = "taskhold: BETTER_AUTH_SECRET must be text in UTF-8\n";
    assert_eq!((output.status.success(), output.stderr.as_slice()), (false, sentence.as_bytes()));
}

#[test]
fn a_line_break_in_a_value_does_not_make_two_lines() {
    refuses(&Place::new().with("PORT", "a\nb"), &[], &[r#"not "a\nb""#]);
}

#[test]
fn a_weak_secret() {
    let remedy = "; make one with `openssl rand -hex 32`";
    for (secret, reason) in [
        ("s3cret", "it is shorter than 32 bytes"),
        ("s3crets3crets3crets3crets3crets3cret", "it has fewer than 10 different bytes"),
        ("replace-me-with-the-output-of-openssl-rand-hex-32", "it is the one from .env.example"),
    ] {
        let place = Place::new().with("BETTER_AUTH_SECRET", secret);
        refuses(&place, &[], &[WEAK, reason, remedy]);
        refuses(&place, &["check"], &[WEAK, reason, remedy]);
        assert!(!place.path("data/taskhold.db").exists(), "the database was touched");
    }
}

#[test]
fn a_kept_secret_that_has_become_weak() {
    let place = Place::new();
    assert!(place.run(&["migrate"]).success);
    std::fs::create_dir_all(place.path("data")).expect("the folder can be made");
    place.write("data/secret", "s3cret\n");
    refuses(
        &place,
        &[],
        &["DATA_DIR", "./data/secret is too weak", "shorter than 32 bytes; remove the file"],
    );
}

#[test]
fn postgres_without_a_secret() {
    let place = Place::new().with("DATABASE_URL", "postgres://ann:s3cret@127.0.0.1:1/tasks");
    let parts = ["BETTER_AUTH_SECRET must be set with PostgreSQL", "make one with `openssl rand -hex 32`"];
    refuses(&place, &[], &parts);
    refuses(&place.with("BETTER_AUTH_SECRET", ""), &["check"], &parts);
}

fn with_database(url: &str) -> Place {
    Place::new().with("DATABASE_URL", url).with("BETTER_AUTH_SECRET", SECRET)
}

#[test]
fn a_database_url_that_is_none() {
    let schemes = "DATABASE_URL cannot be used: it starts with neither postgres:// nor sqlite://";
    for url in ["mysql://ann:s3cret@db/tasks", "tasks.db", "ann:s3cret@db", "POSTGRES//s3cret"] {
        refuses(&with_database(url), &[], &[schemes]);
    }
    let shape = "DATABASE_URL cannot be used: it must be like postgres://user:password@host/name";
    for url in
        ["postgres://ann:s3cret@[::", "postgres://ann:12/s3cret@db/tasks", "postgres://ann:s3cret@db:x/t"]
    {
        refuses(&with_database(url), &[], &[shape]);
    }
}

#[test]
fn a_postgres_that_is_not_there() {
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let address = closed.expect("there is a free port");
    let place = with_database(&format!("postgres://ann:s3cret@{address}/tasks"));
    let parts =
        ["DATABASE_URL: ", &format!("PostgreSQL at {address}/tasks: Connection refused"), "see that it runs"];
    refuses(&place, &[], &parts);
    refuses(&place, &["check"], &parts);
    refuses(&place, &["migrate"], &parts);
}

#[test]
fn a_postgres_that_does_not_answer() {
    // Connections wait in the backlog for ever.
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = listener.local_addr().expect("the listener has an address");
    let place = with_database(&format!("postgres://ann:s3cret@{address}/tasks"));
    refuses(&place, &[], &["DATABASE_URL: ", &address.to_string(), "no answer within 3s"]);
}

#[test]
fn a_postgres_that_falls_silent() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = listener.local_addr().expect("the listener has an address");
    std::thread::spawn(move || {
        let answered = |stream: std::io::Result<TcpStream>| {
            let mut stream = stream.expect("it connects");
            // No TLS; the start-up message that follows gets no answer.
            stream.write_all(b"N").expect("it reads");
            stream
        };
        listener.incoming().map(answered).collect::<Vec<_>>()
    });
    let place = with_database(&format!("postgres://ann:s3cret@{address}/tasks"));
    refuses(&place, &[], &["DATABASE_URL: ", &address.to_string(), "no answer within "]);
    refuses(&place, &["check"], &["DATABASE_URL: ", &address.to_string(), "no answer within "]);
}

#[test]
fn a_postgres_at_an_ipv6_address() {
    // Not every machine has IPv6.
    let Ok(closed) = TcpListener::bind("[::1]:0").and_then(|listener| listener.local_addr()) else { return };
    let place = with_database(&format!("postgres://ann:s3cret@{closed}/tasks"));
    refuses(&place, &["check"], &[&format!("PostgreSQL at {closed}/tasks: Connection refused")]);
}

#[test]
fn a_parameter_of_the_url_with_a_value_that_is_not_valid() {
    for parameter in ["sslmode", "port", "hostaddr", "statement-cache-capacity"] {
        let place = with_database(&format!("postgres://ann@db/tasks?{parameter}=s3cret"));
        let sentence =
            format!("DATABASE_URL cannot be used: its parameter {parameter} has a value that is not valid");
        refuses(&place, &[], &[&sentence]);
    }
}

#[test]
fn a_password_in_a_parameter_of_the_url_is_not_shown() {
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let address = closed.expect("there is a free port");
    for parameters in
        ["password=s3cret", "options=-c%20a.b%3Ds3cret", "options[a.b]=s3cret", "sslpassword=s3cret"]
    {
        let place = with_database(&format!("postgres://ann@{address}/tasks?{parameters}"));
        refuses(&place, &["check"], &["Connection refused"]);
    }
}

#[test]
fn an_sqlite_file_that_another_program_holds() {
    let place = Place::new();
    assert!(place.run(&["migrate"]).success);
    let url = format!("sqlite://{}", place.path("data/taskhold.db").display());
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    let _holder = runtime.block_on(async {
        let holder = sea_orm::Database::connect(url).await.expect("the file can be opened");
        for sql in ["PRAGMA locking_mode = EXCLUSIVE", "PRAGMA journal_mode = DELETE", "BEGIN EXCLUSIVE"] {
            holder.execute_unprepared(sql).await.expect("the statement is valid");
        }
        holder
    });
    refuses(&place, &[], &["DATA_DIR: cannot open SQLite at ./data/taskhold.db: "]);
}

#[test]
fn a_postgres_without_the_database() {
    let Some(database) = PostgresDatabase::new() else { return };
    refuses(
        &with_database(&format!("{}_other", database.url)),
        &[],
        &["DATABASE_URL: ", "_other\" does not exist"],
    );
}

#[test]
fn a_folder_that_cannot_be_written_to() {
    let place = Place::new().with("DATA_DIR", "./file/data");
    place.write("file", "");
    refuses(&place, &[], &["DATA_DIR must be a readable and writable folder; ./file/data is not: "]);
    let place = with_database("sqlite://./file/tasks.db");
    place.write("file", "");
    refuses(
        &place,
        &[],
        &["DATABASE_URL: cannot open SQLite at ./file/tasks.db: ", "; it must be a database in"],
    );
}

#[test]
fn a_file_that_is_no_database() {
    let place = with_database("sqlite://notes.txt");
    place.write("notes.txt", &"These are notes. ".repeat(100));
    refuses(&place, &[], &["DATABASE_URL: cannot open SQLite at notes.txt: ", "file is not a database"]);
}

#[test]
fn a_port_that_is_taken() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = listener.local_addr().expect("the listener has an address");
    let place = Place::new().with("PORT", &address.port().to_string());
    refuses(&place, &[], &["HOST and PORT: cannot listen on ", &address.to_string(), "; choose others"]);
}

#[test]
fn a_port_for_metrics_that_is_taken() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = listener.local_addr().expect("the listener has an address").to_string();
    let place = Place::new().with("METRICS_BIND", &address);
    refuses(&place, &[], &["METRICS_BIND: cannot listen on ", &address, "; choose another"]);
    assert!(!place.path("data/taskhold.db").exists(), "the database was touched");
}

#[test]
fn all_origins_while_the_network_can_reach_the_server() {
    let place = Place::new().with("CORS_ORIGINS", "*");
    assert!(place.run(&["check"]).stdout.contains("configuration: ok"));
    let place = Place::new().with("CORS_ORIGINS", "*").with("HOST", "0.0.0.0");
    refuses(&place, &[], &["CORS_ORIGINS may be * only while HOST is a loopback address; name the origins"]);
    assert!(!place.path("data/taskhold.db").exists(), "the database was touched");
}

#[test]
fn an_origin_with_a_password() {
    let place = Place::new().with("CORS_ORIGINS", "https://ann:s3cret@app.example.com");
    refuses(
        &place,
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
        let place = Place::new();
        place.write(".env", text);
        refuses(&place, &[], &[".env: line 3 must be NAME=value"]);
    }
    let place = Place::new();
    std::fs::create_dir(place.path(".env")).expect("the folder can be made");
    refuses(&place, &[], &[".env must be a readable file"]);
}
