//! The documents agree with the program: the GraphQL operations of docs/api.md have the results that it
//! describes, docs/configuration.md lists the options as the command line parser has them, and files and
//! tests that a document names exist. The commands of the README are run by `.ci/readme-session`.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Arg, Command, CommandFactory};
use serde_json::Value;
use taskhold::cli::Cli;

use crate::support::{Actor, json, on_both_databases};

/// The code blocks of docs/api.md in a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let page = include_str!("../docs/api.md");
    let blocks = page.split("```").skip(1).step_by(2);
    blocks.filter_map(|block| block.strip_prefix(language)).collect()
}

on_both_databases! {
    async fn the_operations_of_the_api_page_do_what_it_says(app) {
        let ann = app.user("ann").await;
        let operations = blocks("graphql");
        let [create, list, ref rest @ ..] = operations[..] else { panic!("docs/api.md has other operations") };
        for _ in ["the first call", "the retry"] {
            let task = ann.data(create, json!({})).await["createTask"]["task"].clone();
            assert_eq!(task["progress"], json!({ "done": 1, "total": 5, "percent": 20 }));
        }
        let found = ann.data(list, json!({})).await["tasks"]["nodes"].clone();
        assert_eq!(found.as_array().map(Vec::len), Some(1));
        assert_eq!(found[0]["checklist"][0]["children"][1]["text"], "Keep the last good figures");
        let (lists, claims) = rest.split_at(4);
        the_operations_on_a_list_do_what_they_say(&ann, lists).await;
        the_operations_on_claims_do_what_they_say(&ann, claims).await;
    }
}

async fn the_operations_on_a_list_do_what_they_say(ann: &Actor<'_>, operations: &[&str]) {
    let [import, read, create, merge] = *operations else { panic!("docs/api.md has other operations") };
    let imported = ann.data(import, json!({})).await["importTaskList"].clone();
    assert_eq!(imported["taskList"]["progress"], json!({ "done": 1, "total": 3 }));
    let diagnostic = &imported["diagnostics"][0];
    assert_eq!(imported["diagnostics"].as_array().map(Vec::len), Some(1));
    assert_eq!([&diagnostic["claimed"], &diagnostic["counted"]], [4, 3]);

    let found = ann.data(read, json!({})).await;
    let tasks = &found["taskList"]["tasks"]["nodes"];
    assert_eq!([&tasks[0]["key"], &tasks[0]["paths"][0]], ["T002", "src/tides.rs"]);
    let of_story = json!([{ "key": "T003", "title": "Draw the board in src/board.rs" }]);
    assert_eq!(found["tasks"]["nodes"], of_story);

    let created = ann.data(create, json!({})).await["createTask"]["task"].clone();
    assert_eq!([&created["key"], &created["phase"]["number"]], ["T004", "1"]);

    let rename = "mutation($id: ID!, $title: String!) { updateTask(id: $id, input: { title: $title }) { task { id } } }";
    ann.data(rename, json!({ "id": tasks[0]["id"], "title": "Write the reader of tides" })).await;
    let undecided = merge.replace("onConflict: SERVER", "");
    let undecided = ann.data(&undecided, json!({})).await["mergeTaskList"].clone();
    assert_eq!(undecided["applied"], false);
    let [conflicts, _] = blocks("json")[..] else { panic!("docs/api.md has other results") };
    assert_eq!(undecided["conflicts"], serde_json::from_str::<Value>(conflicts).expect("it is JSON"));

    let merged = ann.data(merge, json!({})).await["mergeTaskList"].clone();
    assert_eq!(merged["applied"], true);
    let changes = merged["changes"].as_array().expect("it is a list").iter();
    let changes: Vec<_> = changes.map(|change| [&change["kind"], &change["key"]]).collect();
    assert_eq!(changes, [["COMPLETED", "T002"], ["KEPT", "T002"]]);
    let export = merged["taskList"]["markdown"].as_str().expect("it has a document");
    let lines =
        "- [x] T002 [P] Write the reader of tides\n- [ ] T004 [P] Test the reader in tests/tides.rs\n";
    assert!(export.contains(lines), "{export}");
}

async fn the_operations_on_claims_do_what_they_say(ann: &Actor<'_>, operations: &[&str]) {
    let [import, claim, complete, board, add] = *operations else {
        panic!("docs/api.md has other operations")
    };
    let list = ann.data(import, json!({})).await["importTaskList"]["taskList"].clone();
    let second = json!({ "number": "2", "open": false, "dependsOn": [{ "number": "1" }] });
    assert_eq!([&list["ordering"], &list["phases"][1]], [&json!("MARKED"), &second]);
    let keys = |tasks: &Value| -> Vec<Value> {
        tasks.as_array().expect("it is a list").iter().map(|task| task["key"].clone()).collect()
    };
    let tasks = list["tasks"]["nodes"].as_array().expect("it is a list");
    let waiting = tasks.iter().map(|task| (&task["ready"], keys(&task["waitsFor"])));
    let [ready, waits] = [json!(true), json!(false)];
    let of_phase_two = || (&waits, vec![json!("T001")]);
    let of_last = (&waits, vec![json!("T001"), json!("T002"), json!("T003")]);
    assert_eq!(waiting.collect::<Vec<_>>(), [(&ready, vec![]), of_phase_two(), of_phase_two(), of_last]);
    assert_eq!(keys(&tasks[3]["blockedBy"]), ["T002", "T003"]);

    let mut claims = Vec::new();
    for _ in ["the first call", "the retry"] {
        claims.push(ann.data(claim, json!({})).await["claimNextTask"]["claim"].clone());
    }
    assert_eq!(claims[0], claims[1]);
    assert_eq!([&claims[0]["task"]["key"], &claims[0]["paths"][0]], ["T001", "src/main.rs"]);
    let without_id = claim.replace("id: \"01930000-0000-7000-8000-000000000004\"", "");
    let refused = ann.data(&without_id, json!({})).await["claimNextTask"].clone();
    assert_eq!([&refused["reason"], &refused["retryAt"]], [&json!("WAITING"), &claims[0]["expiresAt"]]);

    let completed = ann.data(complete, json!({})).await["completeClaim"]["task"].clone();
    assert_eq!(completed, json!({ "key": "T001", "status": "COMPLETED" }));
    let next = ann.data(&without_id, json!({})).await["claimNextTask"]["claim"]["task"]["key"].clone();
    assert_eq!(next, "T002");
    let busy = ann.data(&without_id, json!({})).await["claimNextTask"].clone();
    assert_eq!([&busy["claim"], &busy["reason"]], [&Value::Null, &json!("FILES_BUSY")]);
    let shown = ann.data(board, json!({})).await["taskList"].clone();
    assert_eq!(shown["progress"], json!({ "done": 1, "total": 4 }));
    assert_eq!(
        [keys(&shown["readyTasks"]["nodes"]), vec![shown["claims"][0]["task"]["key"].clone()]],
        [[json!("T003")], [json!("T002")]]
    );

    let pair = json!({ "taskId": tasks[2]["id"], "blockedById": tasks[1]["id"] });
    let added = ann.data(add, pair).await["addDependency"].clone();
    let waiting = json!({ "key": "T003", "version": 2, "ready": false, "blockedBy": [{ "key": "T002" }] });
    let blocking = json!({ "key": "T002", "blocks": [{ "key": "T003" }, { "key": "T004" }] });
    assert_eq!([&added["task"], &added["blockedBy"]], [&waiting, &blocking]);
}

/// The lines around the generated part of docs/configuration.md.
const GENERATED: [&str; 2] = ["<!-- generated: begin -->\n", "<!-- generated: end -->\n"];

/// The help text of a command or of an option as one cell of a table.
fn cell(help: impl ToString) -> String {
    help.to_string().split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn option_row(option: &Arg) -> Option<String> {
    let (variable, flag) = (option.get_env()?.to_str()?, option.get_long()?);
    let value = option.get_value_names()?.first()?;
    let defaults = option.get_default_values().iter().filter_map(|value| value.to_str());
    let default: Vec<_> =
        defaults.filter(|value| !value.is_empty()).map(|value| format!("`{value}`")).collect();
    let default = if default.is_empty() { "none".to_owned() } else { default.join(", ") };
    let meaning = cell(option.get_long_help().or(option.get_help())?);
    Some(format!("| `{variable}`<br>`--{flag} {value}` | {default} | {meaning} |\n"))
}

fn options_table(cli: &Command) -> String {
    let mut page = String::new();
    let mut heading = None;
    for option in cli.get_arguments() {
        let Some(row) = option_row(option) else { continue };
        if option.get_help_heading() != heading {
            heading = option.get_help_heading();
            let heading = heading.unwrap_or_default();
            write!(page, "\n### {heading}\n\n| variable, flag | default | meaning |\n| --- | --- | --- |\n")
                .expect("a string can be written to");
        }
        page.push_str(&row);
    }
    page
}

fn commands_table(cli: &Command) -> String {
    let mut table = String::from("| command | what it does |\n| --- | --- |\n");
    for command in cli.get_subcommands() {
        let children: Vec<_> = command.get_subcommands().collect();
        let rows = if children.is_empty() { vec![command] } else { children };
        let parent = if rows[0].get_name() == command.get_name() { "" } else { command.get_name() };
        for row in rows {
            let words = ["taskhold", parent, row.get_name()].into_iter().filter(|word| !word.is_empty());
            let mut usage = words.collect::<Vec<_>>().join(" ");
            for argument in row.get_arguments().filter(|argument| argument.get_env().is_none()) {
                let name = argument.get_id().as_str().to_uppercase();
                let values = argument.get_possible_values();
                let values = values.iter().map(|value| value.get_name()).collect::<Vec<_>>();
                match argument.get_long() {
                    Some(flag) if argument.get_action().takes_values() => write!(usage, " [--{flag} {name}]"),
                    Some(flag) => write!(usage, " [--{flag}]"),
                    None if values.is_empty() => write!(usage, " {name}"),
                    None => write!(usage, " [{}]", values.join(r"\|")),
                }
                .expect("a string can be written to");
            }
            writeln!(table, "| `{usage}` | {} |", cell(row.get_about().expect("it has a description")))
                .expect("a string can be written to");
        }
    }
    table
}

#[test]
fn the_configuration_page_is_what_the_command_line_parser_has() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
    let page = fs::read_to_string(&path).expect("the page can be read");
    let [begin, end] = GENERATED;
    let (before, rest) = page.split_once(begin).expect("the page has a generated part");
    let (_, after) = rest.split_once(end).expect("the generated part ends");
    let cli = Cli::command();
    let generated =
        format!("\n## Commands\n\n{}\n## Options\n{}\n", commands_table(&cli), options_table(&cli));
    let expected = [before, begin, &generated, end, after].concat();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, expected).expect("the page can be written");
        return;
    }
    assert!(
        page == expected,
        "docs/configuration.md is stale: run `UPDATE_DOCS=1 cargo test configuration_page`"
    );
}

/// The files below a folder whose names end with this extension.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder can be read").flatten();
    entries
        .flat_map(|entry| match entry.path() {
            path if path.is_dir() && !path.ends_with("node_modules") => files(&path, extension),
            path if path.extension().is_some_and(|found| found == extension) => vec![path],
            _ => Vec::new(),
        })
        .collect()
}

/// The documents for people, with their text.
fn documents() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"].map(|name| root.join(name));
    let pages = pages.into_iter().chain(files(&root.join("docs"), "md"));
    pages.map(|page| (page.clone(), fs::read_to_string(&page).expect("the page can be read"))).collect()
}

#[test]
fn every_file_that_a_document_links_to_exists() {
    for (page, text) in documents() {
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        // Links that leave the repository lead to the site that it is published on.
        let is_file =
            |link: &&str| !link.contains("://") && !link.starts_with('#') && !link.contains("/actions/");
        for link in links.filter(is_file) {
            let target = link.split('#').next().unwrap_or_default();
            let path = page.parent().expect("a page has a folder").join(target);
            assert!(path.exists(), "{} links to {link}", page.display());
        }
    }
}

#[test]
fn every_test_that_a_document_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // The last one has the settings of Patroni.
    let sources = [("src", "rs"), ("crates", "rs"), ("tests", "rs"), ("tests/cluster", "yml")];
    let sources = sources.into_iter().flat_map(|(folder, extension)| files(&root.join(folder), extension));
    let sources: String = sources.map(|file| fs::read_to_string(file).expect("it is text")).collect();
    for (page, text) in documents() {
        // Tests have sentences as names; shorter names are those of columns, metrics and types.
        let names = text.split('`').filter(|code| code.matches('_').count() > 2);
        let is_name = |code: &&str| {
            code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        };
        for name in names.filter(is_name).filter(|name| !name.starts_with("taskhold_")) {
            assert!(sources.contains(name), "{} names {name}", page.display());
        }
    }
}
