//! The rules of docs/architecture.md, checked on every source file: who imports whom, who uses which library,
//! how long functions are, and which words comments use. Each rule has a planted violation in planted.rs.

mod planted;
mod rules;
mod source;
mod text;

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use self::rules::{LayerRule, LibraryRule, ReservedRule, WordRule};
use self::source::SourceFile;

/// The layers from the entry point down. `migration` and the `crates` are layers like the folders of `src`.
const LAYERS: [LayerRule; 19] = [
    ("main", &["cli"]),
    ("lib", &[]),
    (
        "cli",
        &[
            "app",
            "api",
            "config",
            "db::Database",
            "domain",
            "service::Operator",
            "service::WaitingMails",
            "telemetry",
        ],
    ),
    (
        "app",
        &[
            "api",
            "auth",
            "config",
            "db",
            "domain",
            "graphql",
            "graphql_guard",
            "http",
            "mail",
            "service",
            "telemetry",
        ],
    ),
    // The values of auth are those that it passes to api.
    (
        "http",
        &["api", "auth::ClientInfo", "auth::Credential", "auth::Viewer", "auth::counted_address", "graphql"],
    ),
    ("api", &["api_macros", "graphql", "json_text", "service", "auth", "domain"]),
    ("graphql", &["api_macros", "graphql_guard", "json_text", "domain"]),
    ("api_macros", &["json_text"]),
    ("graphql_guard", &[]),
    ("json_text", &[]),
    ("task_documents", &[]),
    ("service", &["db", "auth", "mail", "domain", "task_documents"]),
    ("db", &["domain", "migration"]),
    ("migration", &[]),
    ("auth", &["domain"]),
    ("mail", &["domain"]),
    ("domain", &[]),
    // The types of options that the layers themselves define.
    (
        "config",
        &[
            "auth::SigningSecret",
            "auth::SigningSecrets",
            "db::DatabaseUrl",
            "graphql::TrustedDocuments",
            "graphql::guard::Limits",
            "mail::Destination",
            "mail::LinkTemplate",
            "mail::Links",
            "mail::Security",
            "mail::Sender",
            "mail::SmtpServer",
            "telemetry::LogFormat",
            "telemetry::validate_filter",
        ],
    ),
    ("telemetry", &["json_text"]),
];

/// Layers, and the libraries that no others may use.
const LIBRARIES: [LibraryRule; 31] = [
    (&["main"], &["mimalloc"]),
    (&["cli", "http"], &["rustix"]),
    (&["cli", "config", "telemetry"], &["clap"]),
    (&["config"], &["dotenvy", "percent_encoding"]),
    (&["cli", "config"], &["humantime"]),
    (&["config", "mail"], &["idna", "url"]),
    (&["mail"], &["lettre"]),
    (&["config", "http"], &["ipnet"]),
    (&["http"], &["axum"]),
    (
        &["http"],
        &["async_graphql_axum", "flate2", "http_body_util", "hyper", "hyper_util", "prometheus_client"],
    ),
    (&["http"], &["tokio_tungstenite", "tower_http", "tower_service"]),
    (&["http", "api", "graphql"], &["async_graphql"]),
    (&["http", "graphql"], &["bytes"]),
    (&["http", "graphql", "telemetry", "db"], &["serde_json"]),
    (&["http", "graphql", "service", "auth"], &["sha2"]),
    (&["graphql"], &["async_graphql_value", "indexmap"]),
    (&["http", "graphql", "service"], &["tokio_util"]),
    (&["graphql", "service", "auth"], &["moka"]),
    (&["service", "db"], &["sea_orm"]),
    (&["db"], &["deadpool", "sea_orm::sqlx", "sea_query_sqlx"]),
    (&["http", "db"], &["form_urlencoded"]),
    (&["http", "service", "db", "auth"], &["futures_util"]),
    (&["auth"], &["argon2", "crc32fast", "getrandom", "hmac", "jsonwebtoken", "signature"]),
    (&["http", "auth", "domain"], &["base64"]),
    (&["auth", "domain", "task_documents"], &["unicode_normalization"]),
    (&["task_documents"], &["pulldown_cmark", "regex"]),
    (&["domain"], &["email_address", "postcard"]),
    (&["telemetry"], &["tracing_subscriber"]),
    // Not `domain`: it does no I/O, starts no background task and logs nothing.
    (&["app", "api", "auth", "cli", "db", "graphql", "http", "mail", "service"], &["tokio"]),
    (&["app", "cli", "db", "graphql", "http", "service", "telemetry"], &["tracing"]),
    // All layers.
    (&[], &["anyhow", "chrono", "secrecy", "serde", "thiserror", "uuid"]),
];

/// Files that may import each other, because the types of the public schema refer to each other.
const CIRCLES: [&[&str]; 1] = [&[
    "src/api/account/types.rs",
    "src/api/claim/types.rs",
    "src/api/task/connection.rs",
    "src/api/task/types.rs",
    "src/api/task_list/connection.rs",
    "src/api/task_list/phase.rs",
    "src/api/task_list/types.rs",
]];

/// What only certain files may name.
const RESERVED: [ReservedRule; 3] = [
    ("Viewer::authenticated", &["src/service/sessions/mod.rs"], "verify a token through Sessions"),
    ("Viewer::of_api_key", &["src/service/sessions/api_key.rs"], "verify a token through Sessions"),
    (
        "Column::OwnerId",
        &[
            "src/service/tasks/mod.rs",
            "src/service/tasks/create.rs",
            "src/service/tasks/trash.rs",
            "src/service/task_lists/mod.rs",
            "src/service/task_lists/claims.rs",
            "src/service/task_lists/import.rs",
            "src/service/coalesced.rs",
            "src/service/deleted_accounts.rs",
        ],
        "filter with mine()",
    ),
];

/// Words that have no technical meaning here, and what a comment says in their place.
const WORDS: [WordRule; 18] = [
    ("at once", "\"immediately\" or \"at the same time\""),
    ("believe", "what is verified, cached or assumed"),
    ("crowd", "the number of connections or requests"),
    ("door", "the endpoint, listener or function"),
    ("house", "the process, crate or repository"),
    ("meanwhile", "the period that is meant"),
    ("news", "the event or message"),
    ("nobody", "who is meant: no client, no user, no caller"),
    ("patience", "the timeout"),
    ("riddle", "the question"),
    ("room", "the layer, the buffer or the capacity"),
    ("so many", "the name of the quantity"),
    ("so much", "the name of the quantity"),
    ("somebody", "who is meant: a client, a user, a caller"),
    ("walls", "the limits or boundaries"),
    ("whatever", "what is meant, or leave it out"),
    ("whoever", "who is meant: the client, the user, the caller"),
    ("wish", "the request or the input"),
];

/// Every Rust file. Only those of `src`, `crates` and `migration` are parsed: in the others only the header
/// and the comments are checked, since the longest functions of tests are tables of cases.
static SOURCES: LazyLock<Vec<SourceFile>> = LazyLock::new(|| {
    let folders = ["src", "crates", "migration/src", "tests", "benches", "fuzz/fuzz_targets"];
    let files = folders.iter().flat_map(|folder| texts(folder, ".rs"));
    files.map(|(path, text)| SourceFile::parse(&path, &text)).collect()
});

/// The files in a folder and below it, or a single file, each with its path from the root of the repository.
fn texts(path: &str, extension: &str) -> Vec<(String, String)> {
    let absolute = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if let Ok(entries) = fs::read_dir(&absolute) {
        let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
        names.retain(|name| name != "node_modules" && name != "target");
        names.sort();
        return names
            .iter()
            .flat_map(|name| texts(&format!("{path}/{}", name.display()), extension))
            .collect();
    }
    let text = if path.ends_with(extension) { fs::read_to_string(absolute).ok() } else { None };
    text.map(|text| (path.to_owned(), text)).into_iter().collect()
}

fn read(path: &str) -> String {
    texts(path, path).into_iter().map(|(_, text)| text).collect()
}

fn check(violations: &[String]) {
    assert!(violations.is_empty(), "{} violations:\n{}", violations.len(), violations.join("\n"));
}

#[test]
fn a_layer_imports_only_the_layers_that_its_row_names() {
    check(&rules::imports(&SOURCES, &LAYERS));
}

#[test]
fn no_files_import_each_other() {
    check(&rules::circles(&SOURCES, &CIRCLES));
}

#[test]
fn a_library_is_used_only_by_its_own_layers() {
    check(&rules::libraries(&SOURCES, &read("Cargo.toml"), &LIBRARIES));
}

#[test]
fn only_token_verification_makes_a_viewer_and_only_the_owner_filter_names_the_owner_column() {
    check(&rules::reserved(&SOURCES, &RESERVED));
}

#[test]
fn every_file_says_what_it_is_for() {
    check(&rules::headers(&SOURCES));
}

#[test]
fn no_function_is_longer_than_70_lines() {
    check(&rules::function_lengths(&SOURCES));
}

#[test]
fn comments_and_documents_use_the_standard_terms() {
    let documents = ["README.md", "docs", "fuzz", "benches"].iter().flat_map(|path| texts(path, ".md"));
    let documents: Vec<_> = documents.chain(texts(".env.example", "")).collect();
    check(&rules::vocabulary(&SOURCES, &documents, &WORDS));
}

#[test]
fn the_architecture_document_names_every_layer() {
    check(&rules::documented(&read("docs/architecture.md"), &LAYERS));
}
