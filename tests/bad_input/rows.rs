//! What is tried: values that break a rule, for each kind of value and for each input.

use crate::support::{PASSWORD, Value, json};

/// A place in the arguments, the value that is put there, and the rule that it breaks; a rule with a
/// path in front is told further inside.
pub type Row = (String, Value, &'static str);

/// Values that break the same rule in the same place.
fn rows(place: &str, values: &[Value], rule: &'static str) -> Vec<Row> {
    values.iter().map(|value| (place.to_owned(), value.clone(), rule)).collect()
}

/// Text of a length that is one too long, in several scripts.
fn too_long(place: &str, max: usize) -> Vec<Row> {
    let texts = ["a", "𝒳", "e\u{301}"].map(|text| json!(text.repeat(max + 1)));
    rows(place, &texts, "too_long")
}

/// Text of just a length, in several scripts.
pub fn longest(length: usize) -> [String; 4] {
    let padded = format!("\u{3000} {}\n", "b".repeat(length));
    ["a".repeat(length), "𝒳".repeat(length), "e\u{301}".repeat(length), padded]
}

/// What is no text, and text that no database can keep.
fn no_text(place: &str) -> Vec<Row> {
    let values = [json!(5), json!(0.5), json!(true), json!(["a", "b"]), json!({ "a": 1 }), json!("a\0b")];
    rows(place, &values, "invalid")
}

/// What is no text that has to be there.
fn filled_text(place: &str, max: usize) -> Vec<Row> {
    let blank = [json!(""), json!(" \t\n"), json!("\u{3000}\u{a0}"), Value::Null];
    [no_text(place), rows(place, &blank, "required"), too_long(place, max)].concat()
}

/// Ids of 36 and other lengths that are none.
pub fn bad_ids() -> [&'static str; 10] {
    [
        "",
        " ",
        "x",
        "\0",
        "{00000000-0000-7000-8000-000000000000}",
        "urn:uuid:00000000-0000-7000-8000-000000000000",
        "00000000000070008000000000000000",
        "00000000-0000-7000-8000-00000000000g",
        " 0000000-0000-7000-8000-000000000000",
        "00000000-0000-7000-8000-000000000000 ",
    ]
}

/// As many ids as asked for.
pub fn good_ids(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("00000000-0000-7000-8000-{n:012}")).collect()
}

/// What is no ID at all.
pub fn no_ids(place: &str) -> Vec<Row> {
    let none = [json!(0.5), json!(true), json!(["x"]), json!({ "id": "x" })];
    [rows(place, &none, "invalid"), rows(place, &[Value::Null], "required")].concat()
}

pub fn id_rows() -> Vec<Row> {
    let malformed: Vec<Value> = bad_ids().into_iter().map(Value::from).chain([json!(5)]).collect();
    [no_ids("id"), rows("id", &malformed, "invalid")].concat()
}

pub fn nodes() -> Vec<Row> {
    let inside = |value, rule| ("ids".to_owned(), json!(["x", value]), rule);
    [
        rows("ids", &[Value::Null], "required"),
        rows("ids", &[json!(0.5), json!(true), json!({})], "invalid"),
        rows("ids", &[json!(good_ids(101))], "too_many"),
        vec![
            inside(Value::Null, "1 required"),
            inside(json!(true), "1 invalid"),
            inside(json!(["x"]), "1 invalid"),
        ],
    ]
    .concat()
}

/// What is no value of an enum; `null` where it may not stand.
pub fn options(place: &str, null: &[Value]) -> Vec<Row> {
    let none = [json!("NOPE"), json!("pending"), json!(""), json!(0), json!(true), json!({})];
    [rows(place, &none, "invalid"), rows(place, null, "required")].concat()
}

fn booleans(place: &str, null: &[Value]) -> Vec<Row> {
    let none = [json!("true"), json!(1), json!([true]), json!({})];
    [rows(place, &none, "invalid"), rows(place, null, "required")].concat()
}

fn instants(place: &str) -> Vec<Row> {
    let none = [
        json!(""),
        json!("soon"),
        json!("2026-11-21"),
        json!("2026-11-21T09:30:00"),
        json!("2026-11-21 09:30"),
        json!("2026-02-29T00:00:00Z"),
        json!("2026-13-01T00:00:00Z"),
        json!("2026-11-21T24:00:00Z"),
        json!("2026-11-21T09:30:00+25:00"),
        json!("2026-11-21T09:30:00Z\0"),
        json!("0000-12-31T23:59:59Z"),
        json!("0001-01-01T00:00:00+14:00"),
        json!("9999-12-31T23:59:59-01:00"),
        json!("10000-01-01T00:00:00Z"),
        json!("+12026-11-21T09:30:00Z"),
        json!("-0001-11-21T09:30:00Z"),
        json!(1_763_717_400),
        json!(true),
    ];
    rows(place, &none, "invalid")
}

fn integers(place: &str) -> Vec<Row> {
    let none = [json!("1"), json!(0.5), json!(true), json!([1]), json!({})];
    let beyond = [json!(2_147_483_648_u32), json!(-2_147_483_649_i64), json!(u64::MAX), json!(1e300)];
    [rows(place, &none, "invalid"), rows(place, &beyond, "out_of_range")].concat()
}

pub fn versions() -> Vec<Row> {
    integers("expectedVersion")
}

fn no_input(place: &str) -> Vec<Row> {
    let none = [json!(5), json!("x"), json!([]), json!([{}])];
    [rows(place, &none, "invalid"), rows(place, &[Value::Null], "required")].concat()
}

pub fn tasks() -> Vec<Row> {
    let nested = |depth| (0..depth).fold(json!({}), |inner, _| json!({ "not": inner }));
    let sizes = [json!(0), json!(-1), json!(101), json!(i32::MAX), json!(i32::MIN)];
    let cursors = [json!(""), json!("x"), json!("\0"), json!("e30"), json!("MjA"), json!(5), json!(["x"])];
    let key = json!({ "field": "TITLE" });
    let mut all = [
        integers("first"),
        integers("last"),
        rows("first", &sizes, "out_of_range"),
        rows("last", &sizes, "out_of_range"),
        rows("after", &cursors, "invalid"),
        rows("before", &cursors, "invalid"),
        rows("filter", &[json!(5), json!("x"), json!([]), json!([{}])], "invalid"),
        rows("filter", &[nested(6)], "not.not.not.not.not.not too_many"),
        rows("filter.and", &[json!([{}, null])], "1 required"),
        rows("filter.or", &[json!([{}, 5])], "1 invalid"),
        rows("filter.or", &[json!("x"), json!(5)], "invalid"),
        rows("filter.not", &[json!(5), json!([{}])], "invalid"),
        rows("filter.owner", &[json!("x"), Value::Null], "invalid"),
        rows("filter.not.owner", &[json!("x")], "invalid"),
        booleans("filter.completed", &[]),
        options("filter.status", &[]),
        options("filter.priority", &[]),
        rows("filter.status", &[json!(["PENDING", "DONE"])], "1 invalid"),
        rows("filter.priority", &[json!(["LOW", null])], "1 required"),
        rows("orderBy", &[json!([key, key, key, key])], "too_many"),
        rows("orderBy", &[json!(5), json!("TITLE")], "invalid"),
        rows("orderBy", &[json!([key, null])], "1 required"),
        rows("orderBy", &[json!([key, {}])], "1.field required"),
        options("orderBy.0.field", &[Value::Null]),
        options("orderBy.0.direction", &[Value::Null]),
        options("orderBy.0.nulls", &[Value::Null]),
        rows("orderBy.0.desc", &[json!(true)], "invalid"),
    ]
    .concat();
    for date in ["dueAt", "createdAt", "updatedAt", "completedAt"] {
        let place = format!("filter.{date}");
        all.extend(rows(&place, &[json!(5), json!("2026-11-21T09:30:00Z"), json!([{}])], "invalid"));
        all.extend(instants(&format!("{place}.from")));
        all.extend(instants(&format!("{place}.before")));
        all.extend(booleans(&format!("{place}.isNull"), &[]));
        all.extend(rows(&format!("{place}.after"), &[json!("2026-11-21T09:30:00Z")], "invalid"));
    }
    all
}

pub fn register() -> Vec<Row> {
    let domain = format!("{}.{}.{}.com", "b".repeat(63), "c".repeat(63), "d".repeat(58));
    let addresses =
        ["ann", "ann@", "@example.com", "ann@localhost", "a@b@c.de", "a b@c.de", "<a@b.de>", "a@[127.0.0.1]"];
    let username = "input.username";
    [
        no_input("input"),
        rows("input", &[json!({ "email": "new@example.com" })], "password required"),
        rows("input", &[json!({ "password": PASSWORD })], "email required"),
        rows("input.isActive", &[json!(true), Value::Null], "invalid"),
        no_text("input.email"),
        rows("input.email", &[json!(""), json!(" \u{3000}"), Value::Null], "required"),
        rows("input.email", &addresses.map(Value::from), "invalid"),
        rows("input.email", &[json!(format!("{}@{domain}", "a".repeat(64)))], "too_long"),
        new_password("input.password"),
        rows("input.confirmPassword", &[json!("other"), json!(""), json!("Correct-horse-1")], "mismatch"),
        rows("input.confirmPassword", &[json!(5), json!([PASSWORD])], "invalid"),
        no_text("input.name"),
        rows("input.name", &[json!(""), json!(" \u{a0}")], "required"),
        too_long("input.name", 100),
        no_text(username),
        rows(username, &[json!(""), json!("  ")], "required"),
        rows(username, &[json!("ab"), json!("𝒳𝒳"), json!(" ab ")], "too_short"),
        rows(username, &[json!("a".repeat(33)), json!("𝒳".repeat(33))], "too_long"),
        rows(username, &[json!("a b"), json!("ann@example.com"), json!("änn"), json!("abc\n𝒳")], "invalid"),
    ]
    .concat()
}

/// What is no password for an account.
fn new_password(place: &str) -> Vec<Row> {
    let short = [json!("abcde-1"), json!("🔑🔑🔑🔑🔑a1"), json!("e\u{301}e\u{301}-1234")];
    let long = [format!("a1{}", "🔑".repeat(127)), format!("a1-{}", "e\u{301}".repeat(126))].map(Value::from);
    let no_text = [json!("correct\0horse-1"), json!(5), json!(true), json!([PASSWORD])];
    [
        rows(place, &[json!(""), Value::Null], "required"),
        rows(place, &short, "too_short"),
        rows(place, &[json!("correct-horse"), json!("12345-67"), json!("correcthorse1")], "weak"),
        rows(place, &long, "too_long"),
        rows(place, &no_text, "invalid"),
    ]
    .concat()
}

/// What is no secret that could be compared with one.
pub fn secret(place: &str) -> Vec<Row> {
    let none = [json!(5), json!(0.5), json!(true), json!([PASSWORD]), json!({ "a": 1 })];
    [rows(place, &none, "invalid"), rows(place, &[Value::Null], "required")].concat()
}

pub fn change_password() -> Vec<Row> {
    [
        no_input("input"),
        rows("input", &[json!({ "currentPassword": PASSWORD })], "newPassword required"),
        secret("input.currentPassword"),
        rows("input.currentPassword", &[json!("")], "required"),
        new_password("input.newPassword"),
        booleans("input.revokeOtherSessions", &[Value::Null]),
    ]
    .concat()
}

pub fn delete_account() -> Vec<Row> {
    [secret("password"), rows("password", &[json!("")], "required")].concat()
}

pub fn login() -> Vec<Row> {
    [
        no_input("input"),
        rows("input", &[json!({ "usernameOrEmail": "ann" })], "password required"),
        rows("input.email", &[json!("ann@example.com")], "invalid"),
        no_text("input.usernameOrEmail"),
        rows("input.usernameOrEmail", &[json!(""), json!(" \u{3000}"), Value::Null], "required"),
        rows("input.password", &[json!(""), Value::Null], "required"),
        rows("input.password", &[json!(5), json!(true), json!([PASSWORD])], "invalid"),
    ]
    .concat()
}

pub fn profile() -> Vec<Row> {
    let username = "input.username";
    [
        no_input("input"),
        rows("input.email", &[json!("new@example.com")], "invalid"),
        filled_text("input.name", 100),
        no_text(username),
        rows(username, &[json!(""), json!("  "), Value::Null], "required"),
        rows(username, &[json!("ab"), json!("𝒳𝒳")], "too_short"),
        rows(username, &[json!("a".repeat(33)), json!("𝒳".repeat(33))], "too_long"),
        rows(username, &[json!("a b"), json!("ann@example.com"), json!("änn")], "invalid"),
    ]
    .concat()
}

/// The rows that making, changing and replacing a task have in common.
fn task() -> Vec<Row> {
    [
        no_input("input"),
        filled_text("input.title", 200),
        no_text("input.description"),
        too_long("input.description", 20_000),
        options("input.status", &[Value::Null]),
        rows("input.status", &[json!(["PENDING"])], "invalid"),
        options("input.priority", &[Value::Null]),
        instants("input.dueAt"),
        rows("input.owner", &[json!("x"), Value::Null], "invalid"),
        rows("input.ownerId", &[json!(good_ids(1)[0])], "invalid"),
        rows("input.version", &[json!(7)], "invalid"),
    ]
    .concat()
}

pub fn create() -> Vec<Row> {
    let completed = rows("input.completed", &[json!(true), json!(false)], "invalid");
    [task(), completed, rows("input", &[json!({})], "title required")].concat()
}

pub fn update() -> Vec<Row> {
    let disagreeing = [
        json!({ "status": "COMPLETED", "completed": false }),
        json!({ "status": "BLOCKED", "completed": true }),
    ];
    [
        id_rows(),
        task(),
        versions(),
        booleans("input.completed", &[Value::Null]),
        rows("input", &disagreeing, "completed conflicting"),
    ]
    .concat()
}

pub fn replace() -> Vec<Row> {
    let disagreeing = [
        json!({ "title": "x", "status": "COMPLETED", "completed": false }),
        json!({ "title": "x", "status": "PENDING", "completed": true }),
    ];
    [
        id_rows(),
        task(),
        versions(),
        booleans("input.completed", &[Value::Null]),
        rows("input", &disagreeing, "completed conflicting"),
        rows("input", &[json!({})], "title required"),
    ]
    .concat()
}
