//! Invalid values, for each kind of value and for each input.

use super::list_rows;
use crate::support::{PASSWORD, Value, json};

/// A path in the arguments, an invalid value for it, and the rule that it breaks. A rule may begin with a
/// relative path to the fault inside the value.
pub type Row = (String, Value, &'static str);

/// Rows of values that break the same rule at the same path.
pub fn rows(path: &str, values: &[Value], rule: &'static str) -> Vec<Row> {
    values.iter().map(|value| (path.to_owned(), value.clone(), rule)).collect()
}

/// Texts that are one character too long, in several scripts.
fn too_long(path: &str, max: usize) -> Vec<Row> {
    let texts = ["a", "𝒳", "e\u{301}"].map(|text| json!(text.repeat(max + 1)));
    rows(path, &texts, "too_long")
}

/// Texts of this number of characters, in several scripts.
pub fn longest(length: usize) -> [String; 4] {
    let padded = format!("\u{3000} {}\n", "b".repeat(length));
    ["a".repeat(length), "𝒳".repeat(length), "e\u{301}".repeat(length), padded]
}

/// Values that are not strings, and strings that the databases cannot store.
pub fn no_text(path: &str) -> Vec<Row> {
    let values = [json!(5), json!(0.5), json!(true), json!(["a", "b"]), json!({ "a": 1 }), json!("a\0b")];
    rows(path, &values, "invalid")
}

/// Invalid values of a required text.
pub fn filled_text(path: &str, max: usize) -> Vec<Row> {
    let blank = [json!(""), json!(" \t\n"), json!("\u{3000}\u{a0}"), Value::Null];
    [no_text(path), rows(path, &blank, "required"), too_long(path, max)].concat()
}

/// Malformed ids of 36 and other lengths.
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

/// This number of valid ids.
pub fn good_ids(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("00000000-0000-7000-8000-{n:012}")).collect()
}

/// Values that are not of the type ID.
pub fn no_ids(path: &str) -> Vec<Row> {
    let none = [json!(0.5), json!(true), json!(["x"]), json!({ "id": "x" })];
    [rows(path, &none, "invalid"), rows(path, &[Value::Null], "required")].concat()
}

/// Invalid values of a nullable id.
pub fn maybe_ids(path: &str) -> Vec<Row> {
    let malformed: Vec<Value> = bad_ids().into_iter().map(Value::from).chain([json!(5)]).collect();
    let none = [json!(0.5), json!(true), json!(["x"]), json!({ "id": "x" })];
    rows(path, &[&none[..], &malformed].concat(), "invalid")
}

/// Invalid values of a required id.
pub fn ids(path: &str) -> Vec<Row> {
    [maybe_ids(path), rows(path, &[Value::Null], "required")].concat()
}

/// Invalid ids of a sibling or parent item.
pub fn neighbours(path: &str) -> Vec<Row> {
    [maybe_ids(path), rows(path, &[json!(good_ids(1)[0])], "invalid")].concat()
}

/// Invalid lists of one to a hundred task ids; `id` is a valid one.
pub fn bulk_ids(id: &Value) -> Vec<Row> {
    let inside = |value| json!([id, value]);
    let malformed = bad_ids().map(|id| inside(json!(id)));
    [
        rows("ids", &[Value::Null], "required"),
        rows("ids", &[json!(0.5), json!(true), json!({})], "invalid"),
        rows("ids", &[json!([])], "too_short"),
        rows("ids", &[json!(good_ids(101))], "too_many"),
        rows("ids", &malformed, "1 invalid"),
        rows("ids", &[inside(json!(5)), inside(json!(true)), inside(json!([id]))], "1 invalid"),
        rows("ids", &[inside(Value::Null)], "1 required"),
    ]
    .concat()
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

/// Invalid enum values, and `null` values that are not allowed here.
pub fn options(path: &str, null: &[Value]) -> Vec<Row> {
    let none = [json!("NOPE"), json!("pending"), json!(""), json!(0), json!(true), json!({})];
    [rows(path, &none, "invalid"), rows(path, null, "required")].concat()
}

pub fn booleans(path: &str, null: &[Value]) -> Vec<Row> {
    let none = [json!("true"), json!(1), json!([true]), json!({})];
    [rows(path, &none, "invalid"), rows(path, null, "required")].concat()
}

fn instants(path: &str) -> Vec<Row> {
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
    rows(path, &none, "invalid")
}

fn days(path: &str) -> Vec<Row> {
    let none = [
        "",
        " ",
        "today",
        "2026",
        "2026-11",
        "2026-11-21T09:30:00Z",
        "2026-11-21T00:00:00.000Z",
        "2026-11-21Z",
        "2026-1-1",
        "2026-01-1",
        "2026-02-30",
        "2027-02-29",
        "2026-13-01",
        "2026-00-10",
        "2026-11-00",
        "20261121",
        "2026/11/21",
        "21.11.2026",
        "2026-W47-6",
        "2026-325",
        " 2026-11-21",
        "2026-11-21 ",
        "2026-11-21\0",
        "0000-01-01",
        "10000-01-01",
        "+2026-11-21",
        "-0001-11-21",
        "２０２６-11-21",
        "26-11-21",
    ];
    let no_text = [json!(20_261_121), json!(2026), json!(0.5), json!(true), json!(["2026-11-21"]), json!({})];
    [rows(path, &none.map(Value::from), "invalid"), rows(path, &no_text, "invalid")].concat()
}

fn integers(path: &str) -> Vec<Row> {
    let none = [json!("1"), json!(0.5), json!(-1.5), json!(true), json!([1]), json!({})];
    let beyond = [
        json!(2_147_483_648_u32),
        json!(2_147_483_648.0),
        json!(-2_147_483_649_i64),
        json!(-2_147_483_649.0),
        json!(u64::MAX),
        json!(1e18),
        json!(1e300),
    ];
    [rows(path, &none, "invalid"), rows(path, &beyond, "out_of_range")].concat()
}

pub fn versions() -> Vec<Row> {
    integers("expectedVersion")
}

pub fn no_input(path: &str) -> Vec<Row> {
    let none = [json!(5), json!("x"), json!([]), json!([{}])];
    [rows(path, &none, "invalid"), rows(path, &[Value::Null], "required")].concat()
}

/// Invalid paging arguments.
pub fn pages() -> Vec<Row> {
    let sizes = [json!(0), json!(-1), json!(101), json!(i32::MAX), json!(i32::MIN)];
    let cursors = [json!(""), json!("x"), json!("\0"), json!("e30"), json!("MjA"), json!(5), json!(["x"])];
    [
        integers("first"),
        integers("last"),
        rows("first", &sizes, "out_of_range"),
        rows("last", &sizes, "out_of_range"),
        rows("after", &cursors, "invalid"),
        rows("before", &cursors, "invalid"),
    ]
    .concat()
}

pub fn changes() -> Vec<Row> {
    let without_backward = |row: &Row| !matches!(row.0.as_str(), "last" | "before");
    pages().into_iter().filter(without_backward).collect()
}

pub fn tasks() -> Vec<Row> {
    let nested = |depth| (0..depth).fold(json!({}), |inner, _| json!({ "not": inner }));
    let key = json!({ "field": "TITLE" });
    let mut all = [
        pages(),
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
        rows("filter.labels", &[json!(5), json!(0.5), json!(true), json!({ "a": 1 })], "invalid"),
        rows("filter.labels", &[json!(["x", 5]), json!(["x", ["y"]])], "1 invalid"),
        rows("filter.labels", &[json!(["x", null])], "1 required"),
        no_text("filter.text"),
        rows("filter.status", &[json!(["PENDING", "DONE"])], "1 invalid"),
        rows("filter.priority", &[json!(["LOW", null])], "1 required"),
        list_rows::filter(),
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
        let path = format!("filter.{date}");
        all.extend(rows(&path, &[json!(5), json!("2026-11-21T09:30:00Z"), json!([{}])], "invalid"));
        all.extend(instants(&format!("{path}.from")));
        all.extend(instants(&format!("{path}.before")));
        all.extend(booleans(&format!("{path}.isNull"), &[]));
        all.extend(rows(&format!("{path}.after"), &[json!("2026-11-21T09:30:00Z")], "invalid"));
    }
    all
}

/// Invalid e-mail addresses.
fn email(path: &str) -> Vec<Row> {
    let domain = format!("{}.{}.{}.com", "b".repeat(63), "c".repeat(63), "d".repeat(58));
    let addresses =
        ["ann", "ann@", "@example.com", "ann@localhost", "a@b@c.de", "a b@c.de", "<a@b.de>", "a@[127.0.0.1]"];
    [
        no_text(path),
        rows(path, &[json!(""), json!(" \u{3000}"), Value::Null], "required"),
        rows(path, &addresses.map(Value::from), "invalid"),
        rows(path, &[json!(format!("{}@{domain}", "a".repeat(64)))], "too_long"),
    ]
    .concat()
}

pub fn register() -> Vec<Row> {
    let username = "input.username";
    [
        no_input("input"),
        rows("input", &[json!({ "email": "new@example.com" })], "password required"),
        rows("input", &[json!({ "password": PASSWORD })], "email required"),
        rows("input.isActive", &[json!(true), Value::Null], "invalid"),
        email("input.email"),
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

/// Invalid new passwords.
fn new_password(path: &str) -> Vec<Row> {
    let short = [json!("abcde-1"), json!("🔑🔑🔑🔑🔑a1"), json!("e\u{301}e\u{301}-1234")];
    let long = [format!("a1{}", "🔑".repeat(127)), format!("a1-{}", "e\u{301}".repeat(126))].map(Value::from);
    let no_text = [json!("correct\0horse-1"), json!(5), json!(true), json!([PASSWORD])];
    [
        rows(path, &[json!(""), Value::Null], "required"),
        rows(path, &short, "too_short"),
        rows(path, &[json!("correct-horse"), json!("12345-67"), json!("correcthorse1")], "weak"),
        rows(path, &long, "too_long"),
        rows(path, &no_text, "invalid"),
    ]
    .concat()
}

/// Invalid values of a password or token that is compared with a stored one.
pub fn secret(path: &str) -> Vec<Row> {
    let none = [json!(5), json!(0.5), json!(true), json!([PASSWORD]), json!({ "a": 1 })];
    [rows(path, &none, "invalid"), rows(path, &[Value::Null], "required")].concat()
}

pub fn change_password() -> Vec<Row> {
    [
        no_input("input"),
        rows("input", &[json!({ "currentPassword": PASSWORD })], "newPassword required"),
        current_password("input.currentPassword"),
        new_password("input.newPassword"),
        booleans("input.revokeOtherSessions", &[Value::Null]),
        booleans("input.revokeApiKeys", &[Value::Null]),
    ]
    .concat()
}

/// Invalid values of the current password.
fn current_password(path: &str) -> Vec<Row> {
    [secret(path), rows(path, &[json!(""), json!(" \u{3000}")], "required")].concat()
}

pub fn change_email() -> Vec<Row> {
    [
        no_input("input"),
        rows("input", &[json!({ "newEmail": "new@example.com" })], "currentPassword required"),
        email("input.newEmail"),
        // The address of the account.
        rows("input.newEmail", &[json!("ann@example.com"), json!(" ann@example.com\n")], "duplicate"),
        current_password("input.currentPassword"),
    ]
    .concat()
}

pub fn request_password_reset() -> Vec<Row> {
    let path = "usernameOrEmail";
    [secret(path), rows(path, &[json!(""), json!(" \u{3000}")], "required"), too_long(path, 254)].concat()
}

pub fn reset_password() -> Vec<Row> {
    [
        no_input("input"),
        rows("input", &[json!({ "newPassword": "better-horse-2" })], "token required"),
        secret("input.token"),
        new_password("input.newPassword"),
        booleans("input.revokeApiKeys", &[Value::Null]),
    ]
    .concat()
}

pub fn create_api_key() -> Vec<Row> {
    let (scopes, end) = ("input.scopes", "input.expiresAt");
    [
        no_input("input"),
        rows("input", &[json!({ "scopes": ["ACCOUNT"], "currentPassword": PASSWORD })], "name required"),
        filled_text("input.name", 100),
        rows(scopes, &[json!([]), Value::Null], "required"),
        rows(scopes, &[json!(5), json!(true), json!("NOPE"), json!({})], "invalid"),
        rows(scopes, &[json!(["ACCOUNT", "NOPE"]), json!(["ACCOUNT", "account"])], "1 invalid"),
        rows(scopes, &[json!(["ACCOUNT", null])], "1 required"),
        instants(end),
        rows(end, &[json!("2026-11-21T09:30:00Z"), json!("9999-12-31T23:59:59.999Z")], "out_of_range"),
        current_password("input.currentPassword"),
    ]
    .concat()
}

pub fn delete_account() -> Vec<Row> {
    [secret("password"), rows("password", &[json!(""), json!("  ")], "required")].concat()
}

pub fn login() -> Vec<Row> {
    [
        no_input("input"),
        rows("input", &[json!({ "usernameOrEmail": "ann" })], "password required"),
        rows("input.email", &[json!("ann@example.com")], "invalid"),
        no_text("input.usernameOrEmail"),
        rows("input.usernameOrEmail", &[json!(""), json!(" \u{3000}"), Value::Null], "required"),
        rows("input.password", &[json!(""), json!(" \n"), Value::Null], "required"),
        rows("input.password", &[json!(5), json!(true), json!([PASSWORD])], "invalid"),
    ]
    .concat()
}

pub fn profile() -> Vec<Row> {
    let username = "input.username";
    [
        no_input("input"),
        rows("input.email", &[json!("new@example.com")], "invalid"),
        no_text("input.name"),
        rows("input.name", &[json!(""), json!(" \u{a0}")], "required"),
        too_long("input.name", 100),
        no_text(username),
        rows(username, &[json!(""), json!("  ")], "required"),
        rows(username, &[json!("ab"), json!("𝒳𝒳")], "too_short"),
        rows(username, &[json!("a".repeat(33)), json!("𝒳".repeat(33))], "too_long"),
        rows(username, &[json!("a b"), json!("ann@example.com"), json!("änn")], "invalid"),
    ]
    .concat()
}

/// Lists whose first label is valid and whose second is not.
fn labels(path: &str) -> Vec<Row> {
    let inside = |label: &str| json!(["good", label]);
    let breaks = ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
    let broken = breaks.map(|end| inside(&format!("a{end}b")));
    let long = ["a", "𝒳", "e\u{301}"].map(|text| inside(&text.repeat(51)));
    [
        rows(path, &[json!(5), json!(0.5), json!(true), json!({ "a": 1 })], "invalid"),
        rows(path, &[json!(["good", 5]), json!(["good", ["x"]]), inside("a\0b")], "1 invalid"),
        rows(path, &[json!(["good", null]), inside(""), inside(" \n"), inside("\u{3000}")], "1 required"),
        rows(path, &broken, "1 invalid"),
        rows(path, &long, "1 too_long"),
    ]
    .concat()
}

fn too_many_labels(path: &str) -> Vec<Row> {
    let many: Vec<String> = (0..21).map(|n| format!("label {n}")).collect();
    rows(path, &[json!(many)], "too_many")
}

/// Invalid lists of at most `max` task parts; `good` is a valid one.
fn parts(path: &str, good: &Value, max: usize) -> Vec<Row> {
    [
        rows(path, &[json!(5), json!(true), json!("x")], "invalid"),
        rows(path, &[json!([good, null])], "1 required"),
        rows(path, &[json!([good, 5]), json!([good, [good]])], "1 invalid"),
        rows(path, &[json!(vec![good; max + 1])], "too_many"),
    ]
    .concat()
}

/// Invalid checklist items with children.
fn item(input_path: &str) -> Vec<Row> {
    let step = json!({ "section": "ACTION", "text": "a step" });
    let children = format!("{input_path}.children");
    let other_sections = ["IN_SCOPE", "OUT_OF_SCOPE", "DELIVERABLE", "ACCEPTANCE"];
    let parents =
        other_sections.map(|section| json!({ "section": section, "text": "x", "children": [step] }));
    [
        no_input(input_path),
        rows(input_path, &[json!({ "section": "ACTION" })], "text required"),
        rows(input_path, &[json!({ "text": "x" })], "section required"),
        rows(input_path, &parents, "children invalid"),
        filled_text(&format!("{input_path}.text"), 1_000),
        options(&format!("{input_path}.section"), &[Value::Null]),
        booleans(&format!("{input_path}.done"), &[Value::Null]),
        rows(&format!("{input_path}.id"), &[json!(good_ids(1)[0])], "invalid"),
        rows(&children, &[json!(5), json!(true), json!("x")], "invalid"),
        rows(&children, &[json!([step, null])], "1 required"),
        rows(&children, &[json!([step, 5])], "1 invalid"),
        filled_text(&format!("{children}.0.text"), 1_000),
        booleans(&format!("{children}.0.done"), &[Value::Null]),
        rows(&format!("{children}.0.section"), &other_sections.map(Value::from), "invalid"),
        rows(&format!("{children}.0.children"), &[json!([step])], "invalid"),
    ]
    .concat()
}

fn risk(input_path: &str) -> Vec<Row> {
    [
        no_input(input_path),
        filled_text(&format!("{input_path}.description"), 1_000),
        options(&format!("{input_path}.likelihood"), &[Value::Null]),
        options(&format!("{input_path}.impact"), &[Value::Null]),
        no_text(&format!("{input_path}.mitigation")),
        too_long(&format!("{input_path}.mitigation"), 2_000),
        rows(&format!("{input_path}.id"), &[json!(good_ids(1)[0])], "invalid"),
    ]
    .concat()
}

fn new_risk(input_path: &str) -> Vec<Row> {
    [
        risk(input_path),
        rows(input_path, &[json!({ "likelihood": "LOW", "impact": "LOW" })], "description required"),
        rows(input_path, &[json!({ "description": "x", "impact": "LOW" })], "likelihood required"),
        rows(input_path, &[json!({ "description": "x", "likelihood": "LOW" })], "impact required"),
    ]
    .concat()
}

fn file(input_path: &str) -> Vec<Row> {
    [
        no_input(input_path),
        rows(input_path, &[json!({ "kind": "CREATED" })], "path required"),
        rows(input_path, &[json!({ "path": "x" })], "kind required"),
        filled_text(&format!("{input_path}.path"), 500),
        options(&format!("{input_path}.kind"), &[Value::Null]),
        rows(&format!("{input_path}.id"), &[json!(good_ids(1)[0])], "invalid"),
    ]
    .concat()
}

pub fn add_item() -> Vec<Row> {
    [ids("taskId"), item("input")].concat()
}

/// Invalid arguments for a sub-item.
pub fn add_step() -> Vec<Row> {
    let step = json!({ "section": "ACTION", "text": "a step" });
    [neighbours("parentId"), neighbours("before"), rows("input.children", &[json!([step])], "invalid")]
        .concat()
}

pub fn update_item() -> Vec<Row> {
    [
        ids("id"),
        no_input("input"),
        filled_text("input.text", 1_000),
        booleans("input.done", &[Value::Null]),
        rows("input.section", &[json!("ACTION")], "invalid"),
    ]
    .concat()
}

pub fn move_item() -> Vec<Row> {
    [ids("id"), neighbours("before")].concat()
}

pub fn add_risk() -> Vec<Row> {
    [ids("taskId"), new_risk("input")].concat()
}

pub fn update_risk() -> Vec<Row> {
    [ids("id"), risk("input")].concat()
}

pub fn add_file() -> Vec<Row> {
    [ids("taskId"), file("input")].concat()
}

/// The rows that creating, updating and replacing a task have in common.
fn task(input_path: &str) -> Vec<Row> {
    let path = |field: &str| format!("{input_path}.{field}");
    let optional = |field: &str, max| [no_text(&path(field)), too_long(&path(field), max)].concat();
    [
        no_input(input_path),
        filled_text(&path("title"), 200),
        optional("description", 20_000),
        optional("ownerLabel", 200),
        optional("objective", 1_000),
        optional("rationale", 10_000),
        options(&path("status"), &[]),
        rows(&path("status"), &[json!(["PENDING"])], "invalid"),
        options(&path("priority"), &[]),
        labels(&path("labels")),
        too_many_labels(&path("labels")),
        instants(&path("dueAt")),
        days(&path("date")),
        rows(&path("owner"), &[json!("x"), Value::Null], "invalid"),
        rows(&path("ownerId"), &[json!(good_ids(1)[0])], "invalid"),
        rows(&path("version"), &[json!(7)], "invalid"),
    ]
    .concat()
}

/// The rows of inputs that set a whole task.
fn whole(input_path: &str) -> Vec<Row> {
    let path = |field: &str| format!("{input_path}.{field}");
    let step = json!({ "section": "ACTION", "text": "a step" });
    let phase = json!({ "section": "ACTION", "text": "a phase", "children": vec![step.clone(); 250] });
    let boxes = json!([phase, phase, { "section": "ACTION", "text": "one more" }]);
    [
        task(input_path),
        rows(input_path, &[json!({})], "title required"),
        parts(&path("checklist"), &step, 500),
        rows(&path("checklist"), &[boxes], "too_many"),
        item(&path("checklist.0")),
        parts(&path("risks"), &json!({ "description": "x", "likelihood": "LOW", "impact": "HIGH" }), 100),
        new_risk(&path("risks.0")),
        parts(&path("files"), &json!({ "path": "x", "kind": "CREATED" }), 500),
        file(&path("files.0")),
    ]
    .concat()
}

fn new_task(input_path: &str) -> Vec<Row> {
    let path = |field: &str| format!("{input_path}.{field}");
    let completed = rows(&path("completed"), &[json!(true), json!(false)], "invalid");
    [whole(input_path), completed, maybe_ids(&path("id")), list_rows::place(&path("list"))].concat()
}

pub fn create() -> Vec<Row> {
    new_task("input")
}

pub fn create_many() -> Vec<Row> {
    let input = json!({ "title": "x" });
    [
        new_task("inputs.1"),
        rows("inputs", &[Value::Null], "required"),
        rows("inputs", &[json!(5), json!(true), json!("x")], "invalid"),
        rows("inputs", &[json!([])], "too_short"),
        rows("inputs", &[json!(vec![input; 101])], "too_many"),
    ]
    .concat()
}

/// Null for fields of an update that cannot be cleared.
fn nulls(input_path: &str, fields: &[&str]) -> Vec<Row> {
    fields.iter().map(|field| (format!("{input_path}.{field}"), Value::Null, "required")).collect()
}

fn edit() -> Vec<Row> {
    let disagreeing = [
        json!({ "status": "COMPLETED", "completed": false }),
        json!({ "status": "BLOCKED", "completed": true }),
    ];
    let both = [
        json!({ "labels": ["a"], "addLabels": ["b"] }),
        json!({ "labels": [], "removeLabels": [] }),
        json!({ "labels": ["a"], "addLabels": ["a"], "removeLabels": ["b"] }),
    ];
    [
        task("input"),
        booleans("input.completed", &[]),
        nulls("input", &["status", "completed", "priority", "labels", "addLabels", "removeLabels"]),
        rows("input", &disagreeing, "completed conflicting"),
        labels("input.addLabels"),
        too_many_labels("input.addLabels"),
        labels("input.removeLabels"),
        rows("input", &both, "labels conflicting"),
        rows(
            "input",
            &[json!({ "addLabels": ["a", "É"], "removeLabels": ["e\u{301}"] })],
            "removeLabels conflicting",
        ),
        rows(
            "input",
            &[json!({ "addLabels": ["ΟΔΟΣ"], "removeLabels": ["b", "οδος"] })],
            "removeLabels conflicting",
        ),
        rows("input.checklist", &[json!([])], "invalid"),
        rows("input.id", &[json!(good_ids(1)[0])], "invalid"),
    ]
    .concat()
}

pub fn update() -> Vec<Row> {
    [ids("id"), edit(), versions()].concat()
}

pub fn update_many(id: &Value) -> Vec<Row> {
    [bulk_ids(id), edit()].concat()
}

pub fn replace() -> Vec<Row> {
    let disagreeing = [
        json!({ "title": "x", "status": "COMPLETED", "completed": false }),
        json!({ "title": "x", "status": "PENDING", "completed": true }),
    ];
    [
        ids("id"),
        whole("input"),
        versions(),
        booleans("input.completed", &[]),
        rows("input", &disagreeing, "completed conflicting"),
    ]
    .concat()
}
