//! The sources of options: flags, the environment and the file .env. In each of them an empty value counts as
//! not set.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::ErrorKind;

use anyhow::{Context, Result, anyhow};
use clap::builder::Resettable;
use clap::{Arg, ArgMatches, Command};

/// The file in the working directory that can contain options.
const ENV_FILE: &str = ".env";

/// Loads the variables of .env, if the file exists, into the environment. A variable that is set there
/// already and is not empty keeps its value.
pub fn load_env_file() -> Result<()> {
    let lines = match dotenvy::from_path_iter(ENV_FILE) {
        Err(dotenvy::Error::Io(error)) if error.kind() == ErrorKind::NotFound => return Ok(()),
        lines => lines.map_err(unreadable)?,
    };
    let mut missing = String::new();
    for line in lines {
        let (name, value) = line.map_err(unreadable)?;
        if !value.is_empty() && env::var_os(&name).is_none_or(|value| value.is_empty()) {
            // The first line of a name has precedence, but the loader lets the last one override.
            let value = value.replace('\\', r"\\").replace('"', r#"\""#).replace('$', r"\$");
            missing.insert_str(0, &format!("{name}=\"{value}\"\n"));
        }
    }
    dotenvy::from_read_override(missing.as_bytes()).context(".env cannot be loaded")
}

fn unreadable(error: dotenvy::Error) -> anyhow::Error {
    let dotenvy::Error::LineParse(line, _) = error else {
        return anyhow!(error).context(".env must be a readable file, or not exist");
    };
    // The line is not shown, since it may contain a secret.
    let text = fs::read_to_string(ENV_FILE).unwrap_or_default();
    let before = text.split(&line).next().unwrap_or_default();
    let number = before.matches('\n').count() + 1;
    anyhow!(".env: line {number} must be NAME=value, the value in '…' if it has spaces or any of # $ \" \\")
}

/// Parses a command line, with the environment for options without a flag.
pub fn parse(
    command: Command,
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<ArgMatches, clap::Error> {
    let arguments = without_empty_options(&command, arguments);
    let is_empty = |arg: &Arg| arg.get_env().and_then(env::var_os).is_some_and(|value| value.is_empty());
    let without_variable = |arg: Arg| arg.env(Resettable::<clap::builder::OsStr>::Reset);
    let command = command.mut_args(|arg| if is_empty(&arg) { without_variable(arg) } else { arg });
    command.try_get_matches_from(arguments)
}

/// The arguments without the options that have an empty value: `--port=`, or `--port` and an empty argument.
fn without_empty_options(command: &Command, arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let options = command.get_arguments().filter(|arg| arg.get_env().is_some());
    let flags: Vec<String> = options.filter_map(Arg::get_long).map(|name| format!("--{name}")).collect();
    let is_flag = |argument: &OsStr| flags.iter().any(|flag| argument == flag.as_str());
    let is_empty_flag = |argument: &OsStr| {
        argument.to_str().and_then(|text| text.strip_suffix('=')).is_some_and(|text| is_flag(text.as_ref()))
    };
    let mut kept: Vec<OsString> = Vec::new();
    let mut arguments = arguments.into_iter();
    for argument in arguments.by_ref() {
        if argument == "--" {
            kept.push(argument);
            break;
        }
        if argument.is_empty() && kept.last().is_some_and(|flag| is_flag(flag)) {
            kept.pop();
        } else if !is_empty_flag(&argument) {
            kept.push(argument);
        }
    }
    kept.extend(arguments);
    kept
}
