//! `taskhold user …`: accounts, for an operator who has no SQL at hand.

use super::{code, learns_of_the_end, login, refresh, sign_in, tokens, whose};
use crate::support::{PASSWORD, Place, PostgresDatabase, Run};

const NEW_PASSWORD: &str = "better-horse-2";

/// Runs `taskhold user …`, which never tells anything secret.
fn user(place: &Place, arguments: &[&str], input: &str) -> Run {
    let run = place.run_with(&[&["user"], arguments].concat(), input);
    for hidden in [PASSWORD, NEW_PASSWORD, "$argon2"] {
        assert!(!run.stdout.contains(hidden) && !run.stderr.contains(hidden), "{}{}", run.stdout, run.stderr);
    }
    run
}

/// What a command says that has to succeed.
fn done(place: &Place, arguments: &[&str], input: &str) -> String {
    let run = user(place, arguments, input);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    run.stdout
}

/// The sentence of a command that has to fail.
fn refusal(place: &Place, arguments: &[&str], input: &str) -> String {
    let run = user(place, arguments, input);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{arguments:?}");
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    run.stderr.trim_end().strip_prefix("taskhold: ").expect("the program says who speaks").to_owned()
}

fn create(place: &Place, arguments: &[&str]) -> String {
    done(place, &[&["create"], arguments].concat(), &format!("{PASSWORD}\n"))
}

#[test]
fn accounts_are_listed_in_columns_oldest_first() {
    let place = Place::new();
    assert_eq!(done(&place, &["list"], ""), "");
    let made = [
        create(&place, &["Ann@example.com", "--name", "Ann", "--username", "Annette"]),
        create(&place, &["bob@example.com"]),
    ];
    done(&place, &["deactivate", "bob"], "");
    let listed = done(&place, &["list"], "");
    let ids: Vec<&str> = made.iter().map(|line| &line[..36]).collect();
    let expected = [
        format!("{}  active    annette  Ann@example.com\n", ids[0]),
        format!("{}  inactive  bob      bob@example.com\n", ids[1]),
    ];
    assert_eq!(listed, expected.concat());
}

fn an_account_can_be_made_while_registration_is_closed(place: Place) {
    let place = place.with("REGISTRATION_OPEN", "false");
    let server = place.start(&[]);
    create(&place, &["ann@example.com"]);
    assert_eq!(whose(&server, &sign_in(&server, "ann").access), "ann");
    assert_eq!(whose(&server, &sign_in(&server, "ANN@example.com").access), "ann");
}

#[test]
fn an_account_can_be_made_on_sqlite_while_registration_is_closed() {
    an_account_can_be_made_while_registration_is_closed(Place::new());
}

#[test]
fn an_account_can_be_made_on_postgres_while_registration_is_closed() {
    let Some(database) = PostgresDatabase::new() else { return };
    an_account_can_be_made_while_registration_is_closed(Place::on(&database));
}

fn a_running_server_learns_what_was_done(place: &Place) {
    let server = place.start(&[]);
    server.register("ann");
    let [ann, other] = [sign_in(&server, "ann"), sign_in(&server, "ann")];
    for session in [&ann, &other] {
        assert_eq!(whose(&server, &session.access), "ann");
    }
    done(place, &["set-password", "ann"], NEW_PASSWORD);
    learns_of_the_end(&server, &ann.access);
    assert_eq!(whose(&server, &other.access), "");
    assert_eq!(code(&refresh(&server, &ann.refresh)), "INVALID_CREDENTIALS");
    assert_eq!(code(&login(&server, "ann", PASSWORD)), "INVALID_CREDENTIALS");

    let ann = tokens(&login(&server, "ann", NEW_PASSWORD), "login");
    assert_eq!(whose(&server, &ann.access), "ann");
    let kept_out = done(place, &["deactivate", "ann"], "");
    assert!(kept_out.contains(" inactive "), "{kept_out}");
    learns_of_the_end(&server, &ann.access);
    assert_eq!(code(&refresh(&server, &ann.refresh)), "INVALID_CREDENTIALS");
    assert_eq!(code(&login(&server, "ann", NEW_PASSWORD)), "INVALID_CREDENTIALS");

    done(place, &["activate", "ann"], "");
    assert_eq!(whose(&server, &ann.access), "", "an ended session came back");
    let ann = tokens(&login(&server, "ann", NEW_PASSWORD), "login");
    assert_eq!(whose(&server, &ann.access), "ann");
}

#[test]
fn a_running_server_on_sqlite_learns_what_was_done() {
    a_running_server_learns_what_was_done(&Place::new());
}

#[test]
fn a_running_server_on_postgres_learns_what_was_done() {
    let Some(database) = PostgresDatabase::new() else { return };
    a_running_server_learns_what_was_done(&Place::on(&database));
}

#[test]
fn a_user_is_named_by_address_username_or_id_in_any_case() {
    let place = Place::new();
    let ann = create(&place, &["Ann@example.com"]);
    // It could be an id as well.
    let digits = "0123456789abcdef0123456789abcdef";
    let bob = create(&place, &["bob@example.com", "--username", digits]);
    let id = &ann[..36];
    for who in ["ann", "ANN", "ann@example.com", "ANN@Example.Com", " ann ", id, &id.to_uppercase()] {
        assert_eq!(done(&place, &["activate", who], ""), ann, "{who}");
    }
    assert_eq!(done(&place, &["activate", digits], ""), bob);
    for who in ["bob", "bob@example.org", "00000000-0000-7000-8000-000000000000", "", "%"] {
        assert_eq!(refusal(&place, &["deactivate", who], ""), "There is no such user.", "{who}");
    }
    assert_eq!(refusal(&place, &["set-password", "bob"], NEW_PASSWORD), "There is no such user.");
}

#[test]
fn what_is_taken_is_said_in_one_sentence() {
    let place = Place::new();
    let ann = create(&place, &["ann@example.com"]);
    let again = |arguments: &[&str]| refusal(&place, &[&["create"], arguments].concat(), PASSWORD);
    assert_eq!(again(&["ANN@example.com"]), "Email is taken.");
    assert_eq!(again(&["bob@example.com", "--username", "Ann"]), "Username is taken.");
    assert_eq!(again(&["ann@example.com", "--username", "ann"]), "Email is taken. Username is taken.");
    assert_eq!(done(&place, &["list"], ""), ann);
    // A username that was not asked for gives way.
    let other = create(&place, &["ann@example.org"]);
    assert!(other.contains("  ann-"), "{other}");
}

#[test]
fn a_weak_password_is_refused_with_every_rule_that_it_breaks() {
    let place = Place::new();
    let ann = create(&place, &["ann@example.com"]);
    let weak = "Password must have at least 8 characters. Password must contain a letter, a digit and another character.";
    for arguments in [["create", "bob@example.com"], ["set-password", "ann"]] {
        assert_eq!(refusal(&place, &arguments, "abc\n"), weak);
        assert_eq!(refusal(&place, &arguments, "\n"), "Password must not be empty.");
        assert_eq!(
            refusal(&place, &arguments, ""),
            "there is no password on standard input; it is read as one line"
        );
    }
    let both = refusal(&place, &["create", "bob", "--username", "b", "--name", " "], PASSWORD);
    assert_eq!(
        both,
        "Email is not a valid e-mail address. Username must have at least 3 characters. Name must not be empty."
    );
    assert_eq!(done(&place, &["list"], ""), ann);
}

#[test]
fn a_password_is_the_first_line_and_keeps_its_spaces() {
    let place = Place::new();
    create(&place, &["ann@example.com"]);
    let server = place.start(&[]);
    for input in [" better-horse-2 \n", " better-horse-2 \r\nanother line\n", " better-horse-2 "] {
        done(&place, &["set-password", "ann"], input);
        assert_eq!(code(&login(&server, "ann", NEW_PASSWORD)), "INVALID_CREDENTIALS");
        tokens(&login(&server, "ann", &format!(" {NEW_PASSWORD} ")), "login");
    }
}

#[test]
fn help_tells_who_is_meant_and_where_a_password_comes_from() {
    let place = Place::new();
    let help = place.run(&["user", "--help"]).stdout;
    for part in
        ["WHO is an e-mail address, a username or an id", "one line from standard input", "deactivate"]
    {
        assert!(help.contains(part), "{help}");
    }
    assert!(place.run(&["user", "deactivate", "-h"]).stdout.contains("E-mail address, username or id"));
    assert!(!place.path("data").exists(), "it made a folder");
}
