//! Where options come from, and the two places that list them all.

use std::collections::BTreeMap;

use crate::support::Place;

const EXAMPLE: &str = include_str!("../../.env.example");

/// The only folder of these that `taskhold check` has made.
fn data_dir(place: &Place, arguments: &[&str]) -> Option<&'static str> {
    place.run(&[&["check"], arguments].concat());
    let made = ["data", "from-file", "from-environment", "from-flag"].into_iter();
    let mut made = made.filter(|name| place.path(name).exists());
    made.next().filter(|_| made.next().is_none())
}

#[test]
fn a_flag_beats_the_environment_which_beats_the_file() {
    let place = |options: &[&str]| {
        let place = Place::new();
        place.write(".env", "DATA_DIR=./from-file");
        options.iter().fold(place, |place, folder| place.with("DATA_DIR", folder))
    };
    assert_eq!(data_dir(&Place::new(), &[]), Some("data"));
    assert_eq!(data_dir(&place(&[]), &[]), Some("from-file"));
    assert_eq!(data_dir(&place(&["./from-environment"]), &[]), Some("from-environment"));
    let flag = ["--data-dir", "./from-flag"];
    assert_eq!(data_dir(&place(&["./from-environment"]), &flag), Some("from-flag"));
}

#[test]
fn a_server_takes_its_options_from_the_file() {
    let place = Place::new();
    place.write(".env", "# ours\nREGISTRATION_OPEN=false\nexport LOG_FORMAT='pretty'\n");
    let server = place.start(&[]);
    let info = server.post("", "{ serverInfo { registrationOpen } }", &serde_json::Value::Null).json();
    assert_eq!(info["data"]["serverInfo"]["registrationOpen"], false);
    assert!(server.log().contains(" INFO "), "{}", server.log());
}

#[test]
fn a_value_in_single_quotes_is_taken_as_it_is() {
    let place = Place::new();
    place.write(".env", r##"DATA_DIR='./a $HOME "b" # c \d'"'""##);
    assert!(place.run(&["migrate"]).success);
    assert!(place.path(r#"a $HOME "b" # c \d'"#).is_dir());
}

#[test]
fn a_file_in_the_folder_above_is_none_of_ours() {
    let place = Place::new();
    place.write("../.env", "DATA_DIR=./from-file");
    assert_eq!(data_dir(&place, &[]), Some("data"));
}

/// The name of every option.
fn names() -> Vec<String> {
    from_help().into_keys().collect()
}

#[test]
fn an_empty_variable_counts_as_not_set_for_every_option() {
    let place = names().iter().fold(Place::new(), |place, option| place.with(option, ""));
    let run = place.run(&["check", "--port=0"]);
    assert!(run.stdout.starts_with("configuration: ok"), "{}", run.stderr);
    assert!(place.path("data").is_dir());
}

#[test]
fn an_empty_line_of_the_file_counts_as_not_set_for_every_option() {
    let place = Place::new();
    place.write(".env", &names().iter().map(|option| format!("{option}=\n")).collect::<String>());
    let run = place.run(&["check"]);
    assert!(run.stdout.starts_with("configuration: ok"), "{}", run.stderr);
    assert!(place.path("data").is_dir());
}

#[test]
fn an_empty_flag_counts_as_not_set_for_every_option() {
    let flags: Vec<String> =
        names().iter().map(|option| format!("--{}=", option.to_lowercase().replace('_', "-"))).collect();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    for arguments in [[&["check"][..], &flags].concat(), [&flags, &["check"][..]].concat()] {
        let place = Place::new();
        let run = place.run(&arguments);
        assert!(run.stdout.starts_with("configuration: ok"), "{}", run.stderr);
        assert!(place.path("data").is_dir());
    }
}

#[test]
fn what_is_empty_in_one_place_is_taken_from_the_next() {
    let place = || {
        let place = Place::new();
        place.write(".env", "DATA_DIR=\nDATA_DIR=./from-file\nDATA_DIR=./data\n");
        place
    };
    assert_eq!(data_dir(&place().with("DATA_DIR", ""), &[]), Some("from-file"));
    for flag in [&["--data-dir="][..], &["--data-dir", ""]] {
        assert_eq!(data_dir(&place().with("DATA_DIR", "./from-environment"), flag), Some("from-environment"));
        assert_eq!(data_dir(&place(), flag), Some("from-file"));
        assert_eq!(data_dir(&Place::new(), flag), Some("data"));
    }
}

/// Options and their defaults; none where the default is not a value.
type Options = BTreeMap<String, Option<String>>;

fn from_help() -> Options {
    let help = Place::new().run(&["--help"]).stdout;
    let inside =
        |line: &str, start: &str| Some(line.trim().strip_prefix(start)?.strip_suffix(']')?.to_owned());
    let mut options = Options::new();
    let mut last = String::new();
    for line in help.lines() {
        if let Some(option) = inside(line, "[env: ") {
            last = option.split('=').next().unwrap_or_default().to_owned();
            options.insert(last.clone(), None);
        } else if let Some(default) = inside(line, "[default: ") {
            options.insert(last.clone(), Some(default));
        }
    }
    options
}

fn from_example() -> Options {
    let option = |line: &str| {
        let (name, value) = line.strip_prefix("# ").unwrap_or(line).split_once('=')?;
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        is_name.then(|| (name.to_owned(), Some(value.to_owned())))
    };
    EXAMPLE.lines().filter_map(option).collect()
}

#[test]
fn the_example_file_has_every_option_with_its_default() {
    let (help, example) = (from_help(), from_example());
    assert!(help.len() > 20, "the help was not understood: {help:?}");
    assert!(help.keys().eq(example.keys()), "help: {:?}\nexample: {:?}", help.keys(), example.keys());
    for (option, default) in help.iter().filter(|(_, default)| default.is_some()) {
        assert_eq!(&example[option], default, "{option}");
    }
}

#[test]
fn the_example_file_can_be_used_as_it_is() {
    let place = Place::new();
    place.write(".env", EXAMPLE);
    let run = place.run(&["migrate"]);
    assert!(run.success, "{}", run.stderr);
}

#[test]
fn every_value_of_the_example_file_is_valid() {
    let own = |option: &str| ["DATABASE_URL", "BETTER_AUTH_SECRET"].contains(&option);
    let lines = from_example().into_iter().filter(|(option, _)| !own(option));
    let lines = lines.map(|(option, value)| format!("{option}={}\n", value.unwrap_or_default()));
    let place = Place::new();
    place.write(".env", &lines.collect::<String>());
    let run = place.run(&["migrate"]);
    assert!(run.success, "{}", run.stderr);
}

#[test]
fn help_shows_no_secret_that_is_set() {
    let place = Place::new()
        .with("BETTER_AUTH_SECRET", "s3cret")
        .with("DATABASE_URL", "postgres://ann:s3cret@db/tasks");
    for flag in ["-h", "--help"] {
        let run = place.run(&[flag]);
        assert!(run.success && !run.stdout.contains("s3cret"), "{}", run.stdout);
    }
}
