//! The sources of options and their precedence, and the two lists of all options: help and .env.example.

use std::collections::BTreeMap;

use crate::support::ServerEnv;

const EXAMPLE: &str = include_str!("../../../.env.example");

/// The data folder that `taskhold check` created, if it is exactly one of these.
fn data_dir(env: &ServerEnv, arguments: &[&str]) -> Option<&'static str> {
    env.run(&[&["check"], arguments].concat());
    let created = ["data", "from-file", "from-environment", "from-flag"].into_iter();
    let mut created = created.filter(|name| env.path(name).exists());
    created.next().filter(|_| created.next().is_none())
}

#[test]
fn flags_override_the_environment_which_overrides_the_env_file() {
    let env = |options: &[&str]| {
        let env = ServerEnv::new();
        env.write(".env", "DATA_DIR=./from-file");
        options.iter().fold(env, |env, folder| env.with("DATA_DIR", folder))
    };
    assert_eq!(data_dir(&ServerEnv::new(), &[]), Some("data"));
    assert_eq!(data_dir(&env(&[]), &[]), Some("from-file"));
    assert_eq!(data_dir(&env(&["./from-environment"]), &[]), Some("from-environment"));
    let flag = ["--data-dir", "./from-flag"];
    assert_eq!(data_dir(&env(&["./from-environment"]), &flag), Some("from-flag"));
}

#[test]
fn a_server_reads_options_from_the_env_file() {
    let env = ServerEnv::new();
    env.write(".env", "# ours\nREGISTRATION_OPEN=false\nexport LOG_FORMAT='pretty'\n");
    let server = env.start(&[]);
    let info = server.post("", "{ serverInfo { registrationOpen } }", &serde_json::Value::Null).json();
    assert_eq!(info["data"]["serverInfo"]["registrationOpen"], false);
    assert!(server.log().contains(" INFO "), "{}", server.log());
}

#[test]
fn a_value_in_single_quotes_is_taken_literally() {
    let env = ServerEnv::new();
    env.write(".env", r##"DATA_DIR='./a $HOME "b" # c \d'"'""##);
    assert!(env.run(&["migrate"]).success);
    assert!(env.path(r#"a $HOME "b" # c \d'"#).is_dir());
}

#[test]
fn an_env_file_in_the_parent_folder_is_ignored() {
    let env = ServerEnv::new();
    env.write("../.env", "DATA_DIR=./from-file");
    assert_eq!(data_dir(&env, &[]), Some("data"));
}

/// The name of every option.
fn names() -> Vec<String> {
    from_help().into_keys().collect()
}

#[test]
fn an_empty_variable_counts_as_not_set_for_every_option() {
    let env = names().iter().fold(ServerEnv::new(), |env, option| env.with(option, ""));
    let run = env.run(&["check", "--port=0"]);
    assert!(run.stdout.starts_with("configuration: ok"), "{}", run.stderr);
    assert!(env.path("data").is_dir());
}

#[test]
fn an_empty_line_of_the_env_file_counts_as_not_set_for_every_option() {
    let env = ServerEnv::new();
    env.write(".env", &names().iter().map(|option| format!("{option}=\n")).collect::<String>());
    let run = env.run(&["check"]);
    assert!(run.stdout.starts_with("configuration: ok"), "{}", run.stderr);
    assert!(env.path("data").is_dir());
}

#[test]
fn an_empty_flag_counts_as_not_set_for_every_option() {
    let flags: Vec<String> =
        names().iter().map(|option| format!("--{}=", option.to_lowercase().replace('_', "-"))).collect();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    for arguments in [[&["check"][..], &flags].concat(), [&flags, &["check"][..]].concat()] {
        let env = ServerEnv::new();
        let run = env.run(&arguments);
        assert!(run.stdout.starts_with("configuration: ok"), "{}", run.stderr);
        assert!(env.path("data").is_dir());
    }
}

#[test]
fn an_empty_value_falls_back_to_the_next_source() {
    let env = || {
        let env = ServerEnv::new();
        env.write(".env", "DATA_DIR=\nDATA_DIR=./from-file\nDATA_DIR=./data\n");
        env
    };
    assert_eq!(data_dir(&env().with("DATA_DIR", ""), &[]), Some("from-file"));
    for flag in [&["--data-dir="][..], &["--data-dir", ""]] {
        assert_eq!(data_dir(&env().with("DATA_DIR", "./from-environment"), flag), Some("from-environment"));
        assert_eq!(data_dir(&env(), flag), Some("from-file"));
        assert_eq!(data_dir(&ServerEnv::new(), flag), Some("data"));
    }
}

/// Options and their defaults; `None` for an option without a default value.
type Options = BTreeMap<String, Option<String>>;

fn from_help() -> Options {
    let help = ServerEnv::new().run(&["--help"]).stdout;
    let bracketed =
        |line: &str, start: &str| Some(line.trim().strip_prefix(start)?.strip_suffix(']')?.to_owned());
    let mut options = Options::new();
    let mut last = String::new();
    for line in help.lines() {
        if let Some(option) = bracketed(line, "[env: ") {
            last = option.split('=').next().unwrap_or_default().to_owned();
            options.insert(last.clone(), None);
        } else if let Some(default) = bracketed(line, "[default: ") {
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
    assert!(help.len() > 20, "the help could not be parsed: {help:?}");
    assert!(help.keys().eq(example.keys()), "help: {:?}\nexample: {:?}", help.keys(), example.keys());
    for (option, default) in help.iter().filter(|(_, default)| default.is_some()) {
        assert_eq!(&example[option], default, "{option}");
    }
}

#[test]
fn the_example_file_can_be_used_as_it_is() {
    let env = ServerEnv::new();
    env.write(".env", EXAMPLE);
    let run = env.run(&["migrate"]);
    assert!(run.success, "{}", run.stderr);
}

#[test]
fn every_value_of_the_example_file_is_valid() {
    let needs_real_value = |option: &str| ["DATABASE_URL", "BETTER_AUTH_SECRET"].contains(&option);
    let lines = from_example().into_iter().filter(|(option, _)| !needs_real_value(option));
    let lines = lines.map(|(option, value)| format!("{option}={}\n", value.unwrap_or_default()));
    let env = ServerEnv::new();
    env.write(".env", &lines.collect::<String>());
    let run = env.run(&["migrate"]);
    assert!(run.success, "{}", run.stderr);
}

#[test]
fn help_shows_no_secret_that_is_set() {
    let env = ServerEnv::new()
        .with("BETTER_AUTH_SECRET", "s3cret")
        .with("DATABASE_URL", "postgres://ann:s3cret@db/tasks");
    for flag in ["-h", "--help"] {
        let run = env.run(&[flag]);
        assert!(run.success && !run.stdout.contains("s3cret"), "{}", run.stdout);
    }
}
