//! The commands `taskhold user …`, with which an operator manages accounts.

use crate::process::{assert_revoked_soon, code, login, refresh, sign_in, tokens, username_of};
use crate::support::{PASSWORD, PostgresDatabase, Run, ServerEnv};

pub const NEW_PASSWORD: &str = "better-horse-2";

/// Runs `taskhold user …` and asserts that the output contains no secret.
fn user(env: &ServerEnv, arguments: &[&str], input: &str) -> Run {
    let run = env.run_with(&[&["user"], arguments].concat(), input);
    for hidden in [PASSWORD, NEW_PASSWORD, "$argon2"] {
        assert!(!run.stdout.contains(hidden) && !run.stderr.contains(hidden), "{}{}", run.stdout, run.stderr);
    }
    run
}

/// Runs a command that must succeed and returns its output.
pub fn succeed(env: &ServerEnv, arguments: &[&str], input: &str) -> String {
    let run = user(env, arguments, input);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    run.stdout
}

/// Runs a command that must fail and returns its message.
pub fn fail(env: &ServerEnv, arguments: &[&str], input: &str) -> String {
    let run = user(env, arguments, input);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{arguments:?}");
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    run.stderr
        .trim_end()
        .strip_prefix("taskhold: ")
        .expect("the message begins with the program name")
        .to_owned()
}

/// Creates an account with the password of the tests, and returns the line that describes it.
pub fn create(env: &ServerEnv, arguments: &[&str]) -> String {
    succeed(env, &[&["create"], arguments].concat(), &format!("{PASSWORD}\n"))
}

#[test]
fn accounts_are_listed_in_columns_oldest_first() {
    let env = ServerEnv::new();
    assert_eq!(succeed(&env, &["list"], ""), "");
    let made = [
        create(&env, &["Ann@example.com", "--name", "Ann", "--username", "Annette"]),
        create(&env, &["bob@example.com"]),
    ];
    succeed(&env, &["deactivate", "bob"], "");
    let listed = succeed(&env, &["list"], "");
    let ids: Vec<&str> = made.iter().map(|line| &line[..36]).collect();
    let expected = [
        format!("{}  active    annette  Ann@example.com\n", ids[0]),
        format!("{}  inactive  bob      bob@example.com\n", ids[1]),
    ];
    assert_eq!(listed, expected.concat());
}

fn an_account_can_be_created_while_registration_is_closed(env: ServerEnv) {
    let env = env.with("REGISTRATION_OPEN", "false");
    let server = env.start(&[]);
    create(&env, &["ann@example.com"]);
    assert_eq!(username_of(&server, &sign_in(&server, "ann").access), "ann");
    assert_eq!(username_of(&server, &sign_in(&server, "ANN@example.com").access), "ann");
}

#[test]
fn an_account_can_be_created_on_sqlite_while_registration_is_closed() {
    an_account_can_be_created_while_registration_is_closed(ServerEnv::new());
}

#[test]
fn an_account_can_be_created_on_postgres_while_registration_is_closed() {
    let Some(database) = PostgresDatabase::new() else { return };
    an_account_can_be_created_while_registration_is_closed(ServerEnv::on(&database));
}

fn a_running_server_applies_changes_of_user_commands(env: &ServerEnv) {
    let server = env.start(&[]);
    server.register("ann");
    let [ann, other] = [sign_in(&server, "ann"), sign_in(&server, "ann")];
    for session in [&ann, &other] {
        assert_eq!(username_of(&server, &session.access), "ann");
    }
    succeed(env, &["set-password", "ann"], NEW_PASSWORD);
    assert_revoked_soon(&server, &ann.access);
    assert_eq!(username_of(&server, &other.access), "");
    assert_eq!(code(&refresh(&server, &ann.refresh)), "INVALID_CREDENTIALS");
    assert_eq!(code(&login(&server, "ann", PASSWORD)), "INVALID_CREDENTIALS");

    let ann = tokens(&login(&server, "ann", NEW_PASSWORD), "login");
    assert_eq!(username_of(&server, &ann.access), "ann");
    let deactivated = succeed(env, &["deactivate", "ann"], "");
    assert!(deactivated.contains(" inactive "), "{deactivated}");
    assert_revoked_soon(&server, &ann.access);
    assert_eq!(code(&refresh(&server, &ann.refresh)), "INVALID_CREDENTIALS");
    assert_eq!(code(&login(&server, "ann", NEW_PASSWORD)), "INVALID_CREDENTIALS");

    succeed(env, &["activate", "ann"], "");
    assert_eq!(username_of(&server, &ann.access), "", "a revoked session became active again");
    let ann = tokens(&login(&server, "ann", NEW_PASSWORD), "login");
    assert_eq!(username_of(&server, &ann.access), "ann");
}

#[test]
fn a_running_server_on_sqlite_applies_changes_of_user_commands() {
    a_running_server_applies_changes_of_user_commands(&ServerEnv::new());
}

#[test]
fn a_running_server_on_postgres_applies_changes_of_user_commands() {
    let Some(database) = PostgresDatabase::new() else { return };
    a_running_server_applies_changes_of_user_commands(&ServerEnv::on(&database));
}

#[test]
fn a_user_is_named_by_address_username_or_id_in_any_case() {
    let env = ServerEnv::new();
    let ann = create(&env, &["Ann@example.com"]);
    // This username is also a valid id.
    let digits = "0123456789abcdef0123456789abcdef";
    let bob = create(&env, &["bob@example.com", "--username", digits]);
    let id = &ann[..36];
    for who in ["ann", "ANN", "ann@example.com", "ANN@Example.Com", " ann ", id, &id.to_uppercase()] {
        assert_eq!(succeed(&env, &["activate", who], ""), ann, "{who}");
    }
    assert_eq!(succeed(&env, &["activate", digits], ""), bob);
    for who in ["bob", "bob@example.org", "00000000-0000-7000-8000-000000000000", "", "%"] {
        assert_eq!(fail(&env, &["deactivate", who], ""), "There is no such user.", "{who}");
    }
    assert_eq!(fail(&env, &["set-password", "bob"], NEW_PASSWORD), "There is no such user.");
}

#[test]
fn a_taken_email_or_username_is_reported_in_one_line() {
    let env = ServerEnv::new();
    let ann = create(&env, &["ann@example.com"]);
    let again = |arguments: &[&str]| fail(&env, &[&["create"], arguments].concat(), PASSWORD);
    assert_eq!(again(&["ANN@example.com"]), "Email is taken.");
    assert_eq!(again(&["bob@example.com", "--username", "Ann"]), "Username is taken.");
    assert_eq!(again(&["ann@example.com", "--username", "ann"]), "Email is taken. Username is taken.");
    assert_eq!(succeed(&env, &["list"], ""), ann);
    // A derived username gets a suffix if it is taken.
    let other = create(&env, &["ann@example.org"]);
    assert!(other.contains("  ann-"), "{other}");
}

#[test]
fn a_weak_password_is_refused_with_every_rule_that_it_breaks() {
    let env = ServerEnv::new();
    let ann = create(&env, &["ann@example.com"]);
    let weak = "Password must have at least 8 characters. Password must contain a letter, a digit and another character.";
    for arguments in [["create", "bob@example.com"], ["set-password", "ann"]] {
        assert_eq!(fail(&env, &arguments, "abc\n"), weak);
        assert_eq!(fail(&env, &arguments, "\n"), "Password must not be empty.");
        assert_eq!(
            fail(&env, &arguments, ""),
            "there is no password on standard input; it is read as one line"
        );
    }
    let both = fail(&env, &["create", "bob", "--username", "b", "--name", " "], PASSWORD);
    assert_eq!(
        both,
        "Email is not a valid e-mail address. Username must have at least 3 characters. Name must not be empty."
    );
    assert_eq!(succeed(&env, &["list"], ""), ann);
}

#[test]
fn a_password_is_the_first_line_and_keeps_its_spaces() {
    let env = ServerEnv::new();
    create(&env, &["ann@example.com"]);
    let server = env.start(&[]);
    for input in [" better-horse-2 \n", " better-horse-2 \r\nanother line\n", " better-horse-2 "] {
        succeed(&env, &["set-password", "ann"], input);
        assert_eq!(code(&login(&server, "ann", NEW_PASSWORD)), "INVALID_CREDENTIALS");
        tokens(&login(&server, "ann", &format!(" {NEW_PASSWORD} ")), "login");
    }
}

#[test]
fn help_explains_the_user_argument_and_the_password_input() {
    let env = ServerEnv::new();
    let help = env.run(&["user", "--help"]).stdout;
    for part in
        ["WHO is an e-mail address, a username or an id", "one line from standard input", "deactivate"]
    {
        assert!(help.contains(part), "{help}");
    }
    assert!(env.run(&["user", "deactivate", "-h"]).stdout.contains("E-mail address, username or id"));
    assert!(!env.path("data").exists(), "the command created a folder");
}
