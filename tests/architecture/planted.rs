//! A planted violation of every rule, in small sources that exist only here: a rule that finds nothing in the
//! real tree has to find these.

use super::rules::{
    circles, documented, function_lengths, headers, imports, libraries, reserved, vocabulary,
};
use super::source::SourceFile;
use super::{CIRCLES, LAYERS, LIBRARIES, RESERVED, WORDS};

fn sources(files: &[(&str, &str)]) -> Vec<SourceFile> {
    files.iter().map(|(path, text)| SourceFile::parse(path, text)).collect()
}

/// Expects one violation for each of `expected`, which it contains, in this order, and no others.
fn assert_reports(violations: &[String], expected: &[&str]) {
    let all = violations.len() == expected.len();
    let found = violations.iter().zip(expected).all(|(violation, expected)| violation.contains(expected));
    assert!(all && found, "expected {expected:#?}, found {violations:#?}");
}

#[test]
fn an_import_from_above_is_reported_however_it_is_written() {
    for code in [
        "use crate::http::Server;",
        "use crate::{domain::Id, http::{self as web}};",
        "use super::super::http::*;",
        "pub(crate) use crate::http;",
        "use taskhold::http::Server;",
        "use crate as root; use root::http::Server;",
        "fn serve() { crate::http::serve(); }",
        "fn serve() { use crate::domain; fn inner(_: Option<crate::http::Server>) {} }",
        "fn serve() { println!(\"{}\", crate::http::NAME); }",
        "macro_rules! serve { () => { use $crate::{domain::Id, http::Server}; }; }",
        "#[derive(crate::http::Server)] struct Row;",
        "fn serve() { select! { found = crate::{domain, http::Server}::found() => found } }",
        "mod inner { use super::super::super::http::Server; }",
        "#[cfg(test)] mod tests { use crate::http::Server; }",
    ] {
        let files = sources(&[("src/db/pool.rs", &format!("\n{code}")), ("src/http/mod.rs", "")]);
        let violations = imports(&files, &LAYERS);
        assert!(violations.len() == 1, "{code}: {violations:?}");
        assert_reports(&violations, &["src/db/pool.rs:2: db imports http"]);
    }
}

#[test]
fn imports_of_lower_layers_and_mere_text_are_not_reported() {
    let code = "//! See crate::http.
        use std::fmt; use anyhow::http; use migration::Migrator; pub(in crate::db) use crate::domain::Id;
        fn pool(http: super::Http) -> &'static str { self::http(http); \"crate::http::serve\" }";
    let others = [("src/domain/mod.rs", ""), ("src/http/mod.rs", ""), ("migration/src/lib.rs", "")];
    let files = sources(&[&[("src/db/pool.rs", code)], others.as_slice()].concat());
    assert_reports(&imports(&files, &LAYERS), &[]);
}

#[test]
fn a_layer_without_a_row_is_reported() {
    let files = sources(&[("src/helpers/text.rs", ""), ("crates/other-crate/src/lib.rs", "")]);
    let expected =
        ["src/helpers/text.rs:1: the layer `helpers` has no row", "the layer `other_crate` has no row"];
    assert_reports(&imports(&files, &LAYERS), &expected);
}

#[test]
fn the_configuration_may_import_only_the_types_of_its_options() {
    let code = "use crate::auth::{SigningSecret, Tokens}; f!(crate::auth::SigningSecret);
        use crate::db::{DatabaseUrl, DatabaseUrls};";
    let files = sources(&[("src/config/mod.rs", code)]);
    let expected = ["mod.rs:1: config imports auth::Tokens", "mod.rs:2: config imports db::DatabaseUrls"];
    assert_reports(&imports(&files, &LAYERS), &expected);
}

#[test]
fn a_crate_of_the_workspace_and_the_migrations_import_no_layer() {
    let files = sources(&[
        ("crates/graphql-guard/src/lib.rs", "use taskhold::domain::Id;"),
        ("migration/src/lib.rs", "use graphql_guard::Limits;"),
        ("src/domain/mod.rs", ""),
    ]);
    let expected = ["graphql_guard imports domain::Id", "migration imports graphql_guard::Limits"];
    assert_reports(&imports(&files, &LAYERS), &expected);
}

/// The files of a folder with two children.
fn folder(parent: &str, first: &str, second: &str) -> Vec<SourceFile> {
    sources(&[("src/db/mod.rs", parent), ("src/db/first.rs", first), ("src/db/second.rs", second)])
}

#[test]
fn files_that_import_each_other_through_re_exports_are_reported() {
    let parent = "mod first; mod second; pub use first::First; pub use second::Second as Other;";
    let files = folder(parent, "use super::Other;", "fn f() -> crate::db::First {}");
    let violations = circles(&files, &CIRCLES);
    assert_reports(&violations, &["2 files"]);
    assert!(violations[0].contains("src/db/first.rs:1: imports src/db/second.rs"), "{violations:?}");
    assert!(violations[0].contains("src/db/second.rs:1: imports src/db/first.rs"), "{violations:?}");
    assert_reports(&circles(&files, &[&["src/db/first.rs", "src/db/second.rs"]]), &[]);
}

#[test]
fn a_folder_that_uses_a_child_which_imports_it_is_reported() {
    let parent = "mod first; pub use first::First; pub struct Pool; fn f(_: First) {}";
    assert_reports(&circles(&folder(parent, "use super::Pool;", ""), &CIRCLES), &["2 files"]);
}

#[test]
fn declarations_re_exports_and_unit_tests_make_no_circle() {
    let parent =
        "mod first; mod second; pub use first::First; pub struct Pool; fn f() { let first = 1; first; }
        #[cfg(test)] mod tests { use super::*; use super::first::First; }";
    let files = folder(parent, "use super::{Pool, second};", "use super::Pool;");
    assert_reports(&circles(&files, &CIRCLES), &[]);
}

#[test]
fn a_library_in_another_layer_is_reported() {
    let files = sources(&[
        ("src/db/mod.rs", "use sea_orm::sqlx;\nfn router() -> ::axum::Router {}"),
        ("src/service/mod.rs", "use sea_orm as orm;\nuse orm::sqlx::Row;"),
        ("src/domain/mod.rs", "fn f() { log!(sea_orm::sqlx::Row); } // axum::Router"),
    ]);
    let expected = [
        "src/db/mod.rs:2: uses axum;",
        "src/service/mod.rs:2: uses sea_orm::sqlx;",
        "src/domain/mod.rs:1: uses sea_orm;",
        "src/domain/mod.rs:1: uses sea_orm::sqlx;",
    ];
    assert_reports(&libraries(&files, "", &LIBRARIES), &expected);
}

#[test]
fn a_dependency_without_a_row_is_reported() {
    let manifest = "
[package]
name = \"x\"
[dependencies]
# A comment = yes
axum = \"1\"
left-pad.workspace = true
migration = { path = \"migration\" }
[target.'cfg(unix)'.dependencies]
nice = \"1\"
[dev-dependencies]
syn = \"3\"";
    assert_reports(&libraries(&[], manifest, &LIBRARIES), &["Cargo.toml: left_pad", "Cargo.toml: nice"]);
}

#[test]
fn a_reserved_name_in_another_file_is_reported() {
    let files = sources(&[
        ("src/service/sessions/mod.rs", "use crate::auth::Viewer;\nfn f() { Viewer::authenticated() }"),
        ("src/service/sessions/api_key.rs", "use crate::auth::Viewer;\nfn f() { Viewer::of_api_key() }"),
        ("src/service/tasks/mod.rs", "use crate::db::entity::task::Column;\nfn f() { Column::OwnerId; }"),
        ("src/api/context.rs", "use crate::auth::Viewer as V;\nfn f() { map(V::authenticated) }"),
    ]);
    assert_reports(&reserved(&files, &RESERVED), &["src/api/context.rs:2: names Viewer::authenticated"]);
    assert_reports(&reserved(&[], &RESERVED), &["correct its row"; 3]);
}

#[test]
fn a_header_that_is_missing_or_too_long_is_reported() {
    let files = sources(&[
        ("src/a.rs", "use std::fmt;"),
        ("tests/b.rs", &"//! Line.\n".repeat(6)),
        ("src/c.rs", &"//! Line.\n".repeat(5)),
    ]);
    assert_reports(&headers(&files), &["src/a.rs:1: has 0", "tests/b.rs:1: has 6"]);
}

#[test]
fn a_function_of_71_lines_is_reported() {
    let function = |lines: usize| format!("\nasync fn long() {{{}}}\n", "\n".repeat(lines - 1));
    let method = format!("impl A {{ {} }} trait B {{ {} }}", function(71), function(71));
    let files = sources(&[("src/a.rs", &function(71)), ("src/b.rs", &function(70)), ("src/c.rs", &method)]);
    let expected =
        ["src/a.rs:2: long has 71 lines", "src/c.rs:2: long has 71 lines", "src/c.rs:74: long has 71"];
    assert_reports(&function_lengths(&files), &expected);
}

#[test]
fn a_word_of_the_old_vocabulary_is_reported_in_comments_texts_and_documents() {
    let code = r###"//! The Door of it.
/// So
/// many rooms.
fn f<'a>() { '"'; "a \" crowd"; r#""wish""# } // nobody
/* riddle */ fn door() {} // indoor, believable, "so" and many"###;
    let files = sources(&[("src/a.rs", code), ("tests/b.rs", "// a \"house\"\nconst A: &str = \"room\";")]);
    let documents = [("docs/c.md".to_owned(), "# The walls\nWhoever, meanwhile".to_owned())];
    let expected = [
        "src/a.rs:1: says \"door\"",
        "src/a.rs:2: says \"so many\"",
        "src/a.rs:3: says \"room\"",
        "src/a.rs:4: says \"crowd\"",
        "src/a.rs:4: says \"wish\"",
        "src/a.rs:4: says \"nobody\"",
        "src/a.rs:5: says \"riddle\"",
        "tests/b.rs:1: says \"house\"",
        "docs/c.md:1: says \"walls\"",
        "docs/c.md:2: says \"whoever\"",
        "docs/c.md:2: says \"meanwhile\"",
    ];
    assert_reports(&vocabulary(&files, &documents, &WORDS), &expected);
}

#[test]
fn a_layer_that_the_document_does_not_name_is_reported() {
    let document = LAYERS.iter().filter(|(layer, _)| *layer != "db").map(|(layer, _)| format!("`{layer}`"));
    assert_reports(&documented(&document.collect::<String>(), &LAYERS), &["does not name `db`"]);
}
