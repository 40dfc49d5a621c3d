//! Nobody sees or touches what is somebody else's: every root field of the schema is tried by nobody,
//! by a broken token, by a stranger and by the owner. A new root field fails here until it has a row.

use std::collections::BTreeSet;

use crate::support::{Actor, TestApp, Value, code, json, on_both_databases};

/// What a stranger gets who asks for the owner's things.
enum Stranger {
    /// The field says nothing of others: it succeeds, with the stranger's own or with nothing.
    SeesOwn,
    /// It fails with this code.
    Gets(&'static str),
    /// Anybody may ask.
    Public,
}
use Stranger::{Gets, Public, SeesOwn};

struct Row {
    field: &'static str,
    /// The operation; `$id` is a task of the owner's, `$session` the owner's session, `$refresh` its refresh token.
    query: &'static str,
    stranger: Stranger,
}

const QUERIES: &[Row] = &[
    Row { field: "me", query: "{ me { id tasks { nodes { id title } } } }", stranger: SeesOwn },
    Row {
        field: "task",
        query: "query($id: ID!) { task(id: $id) { id title } }",
        stranger: Gets("FORBIDDEN"),
    },
    Row { field: "tasks", query: "{ tasks { totalCount nodes { id title } } }", stranger: SeesOwn },
    Row { field: "node", query: "query($id: ID!) { node(id: $id) { id } }", stranger: SeesOwn },
    Row { field: "nodes", query: "query($id: ID!) { nodes(ids: [$id]) { id } }", stranger: SeesOwn },
    Row { field: "serverInfo", query: "{ serverInfo { version } }", stranger: Public },
];

const MUTATIONS: &[Row] = &[
    Row {
        field: "register",
        query: "mutation { register(input: { email: \"new@example.com\", password: \"correct-horse-1\" }) { user { id } } }",
        stranger: Public,
    },
    Row {
        field: "login",
        query: "mutation { login(input: { usernameOrEmail: \"owner\", password: \"correct-horse-1\" }) { user { username } } }",
        stranger: Public,
    },
    Row {
        field: "createTask",
        query: "mutation { createTask(input: { title: \"mine\" }) { task { id } } }",
        stranger: SeesOwn,
    },
    Row {
        field: "updateTask",
        query: "mutation($id: ID!) { updateTask(id: $id, input: { title: \"x\" }) { task { id } } }",
        stranger: Gets("FORBIDDEN"),
    },
    Row {
        field: "replaceTask",
        query: "mutation($id: ID!) { replaceTask(id: $id, input: { title: \"x\" }) { task { id } } }",
        stranger: Gets("FORBIDDEN"),
    },
    Row {
        field: "completeTask",
        query: "mutation($id: ID!) { completeTask(id: $id) { task { id } } }",
        stranger: Gets("FORBIDDEN"),
    },
    Row {
        field: "reopenTask",
        query: "mutation($id: ID!) { reopenTask(id: $id) { task { id } } }",
        stranger: Gets("FORBIDDEN"),
    },
    Row {
        field: "toggleTask",
        query: "mutation($id: ID!) { toggleTask(id: $id, expectedVersion: 1) { task { id } } }",
        stranger: Gets("FORBIDDEN"),
    },
    Row {
        field: "deleteTask",
        query: "mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }",
        stranger: Gets("FORBIDDEN"),
    },
    Row {
        field: "updateProfile",
        query: "mutation { updateProfile(input: { name: \"Somebody\" }) { user { id } } }",
        stranger: SeesOwn,
    },
    Row {
        field: "refreshToken",
        query: "mutation($refresh: String!) { refreshToken(refreshToken: $refresh) { tokenType } }",
        stranger: Public,
    },
    Row {
        field: "revokeSession",
        query: "mutation($session: ID!) { revokeSession(id: $session) { revokedSessionId } }",
        stranger: Gets("FORBIDDEN"),
    },
    Row {
        field: "changePassword",
        query: "mutation { changePassword(input: { currentPassword: \"correct-horse-1\", newPassword: \"better-horse-2\" }) { tokenType } }",
        stranger: SeesOwn,
    },
    Row {
        field: "deleteAccount",
        query: "mutation { deleteAccount(password: \"correct-horse-1\") { deletedUserId } }",
        stranger: SeesOwn,
    },
    Row { field: "logout", query: "mutation { logout { success } }", stranger: SeesOwn },
];

/// The names of a root type's fields, from the schema itself.
async fn root_fields(nobody: &Actor<'_>, root: &str) -> BTreeSet<String> {
    let query = "query($root: String!) { __type(name: $root) { fields { name } } }";
    let data = nobody.data(query, json!({ "root": root })).await;
    let fields = data["__type"]["fields"].as_array().expect("fields").iter();
    fields.map(|field| field["name"].as_str().expect("a name").to_owned()).collect()
}

fn names(rows: &[Row]) -> BTreeSet<String> {
    rows.iter().map(|row| row.field.to_owned()).collect()
}

/// The owner with one task, and everything of the owner's as it is stored.
async fn owner(app: &TestApp) -> (Actor<'_>, String, [Vec<String>; 2]) {
    let owner = app.user("owner").await;
    let id = owner.task("the owner's secret").await;
    let stored = of_owner(app, &owner).await;
    (owner, id, stored)
}

async fn of_owner(app: &TestApp, owner: &Actor<'_>) -> [Vec<String>; 2] {
    let mine = |rows: Vec<String>| {
        rows.into_iter()
            .filter(|row| row.contains(&owner.email) || row.contains("the owner's secret"))
            .collect()
    };
    [mine(app.rows("users").await), mine(app.rows("tasks").await)]
}

/// What the operations name of the owner's.
fn things_of(owner: &Actor<'_>, id: &str) -> Value {
    json!({ "id": id, "session": owner.session(), "refresh": owner.refresh_token })
}

async fn refused(actor: Actor<'_>, row: &Row, things: &Value, message: &str) {
    let answer = actor.ask(row.query, things.clone()).await;
    assert_eq!(answer.status, 401, "{}: {:#}", row.field, answer.body);
    assert_eq!(answer.body.get("data"), None, "{}", row.field);
    let error = answer.error();
    assert_eq!(
        (code(&error).as_str(), &error["message"]),
        ("UNAUTHENTICATED", &json!(message)),
        "{}",
        row.field
    );
}

on_both_databases! {
    async fn every_root_field_has_a_row_here(app) {
        assert_eq!(root_fields(&app.nobody(), "Query").await, names(QUERIES));
        assert_eq!(root_fields(&app.nobody(), "Mutation").await, names(MUTATIONS));
    }

    async fn nobody_and_a_broken_token_get_nothing_but_what_is_public(app) {
        let (owner, id, stored) = owner(app).await;
        let broken = format!("{}x", owner.token());
        for row in QUERIES.iter().chain(MUTATIONS) {
            match row.stranger {
                Public => {
                    app.bearer(&broken).data(row.query, things_of(&owner, &id)).await;
                }
                SeesOwn | Gets(_) => {
                    refused(app.nobody(), row, &things_of(&owner, &id), "Authentication required").await;
                    refused(app.bearer(&broken), row, &things_of(&owner, &id), "Invalid token").await;
                    refused(app.bearer(""), row, &things_of(&owner, &id), "Invalid token").await;
                }
            }
        }
        assert_eq!(of_owner(app, &owner).await, stored);
    }

    async fn a_stranger_cannot_see_or_touch_the_owners_things(app) {
        let (owner, id, stored) = owner(app).await;
        for row in QUERIES.iter().chain(MUTATIONS) {
            // A user of its own for each row: a logout must not refuse the rows after it.
            let stranger = app.user(&format!("stranger-{}", row.field.to_lowercase())).await;
            let answer = stranger.ask(row.query, things_of(&owner, &id)).await;
            match row.stranger {
                Public => {}
                SeesOwn => {
                    assert!(answer.body.get("errors").is_none(), "{}: {:#}", row.field, answer.body);
                    let text = answer.body.to_string();
                    assert!(!text.contains(&id) && !text.contains("secret") && !text.contains(&owner.id), "{text}");
                }
                Gets(expected) => {
                    assert_eq!(answer.code(), expected, "{}", row.field);
                    let data = answer.body["data"][row.field].clone();
                    assert_eq!(data, Value::Null, "{}", row.field);
                    assert!(!answer.body.to_string().contains("secret"), "{:#}", answer.body);
                }
            }
        }
        assert_eq!(of_owner(app, &owner).await, stored);
    }

    async fn the_owner_may_do_all_of_it(app) {
        for row in QUERIES.iter().chain(MUTATIONS) {
            if let Public = row.stranger { continue }
            let owner = app.user(&format!("owner-{}", row.field.to_lowercase())).await;
            let id = owner.task("mine").await;
            owner.data(row.query, things_of(&owner, &id)).await;
        }
    }

    async fn somebody_elses_task_is_forbidden_in_the_trash_too(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let id = ann.task("one").await;
        ann.data("mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }", json!({ "id": id })).await;
        let task = "query($id: ID!) { task(id: $id) { id } }";
        assert_eq!(code(&bob.error(task, json!({ "id": id })).await), "FORBIDDEN");
        let none = "00000000-0000-7000-8000-000000000000";
        assert_eq!(code(&bob.error(task, json!({ "id": none })).await), "NOT_FOUND");
    }
}
