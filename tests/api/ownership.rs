//! Nobody sees or touches what is somebody else's: every root field of the schema is tried by nobody,
//! by a broken token, by a stranger and by the owner. A new root field fails here until it has a row.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use futures_util::join;

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
    /// The operation; `$id` is a task of the owner's and `$item`, `$risk` and `$file` are in it, `$session`
    /// is the owner's session, `$refresh` its refresh token.
    query: &'static str,
    stranger: Stranger,
}

const NODES: &str =
    "query($id: ID!, $item: ID!, $risk: ID!, $file: ID!) { nodes(ids: [$id, $item, $risk, $file]) { id } }";

const QUERIES: &[Row] = &[
    Row { field: "me", query: "{ me { id tasks { nodes { id title } } } }", stranger: SeesOwn },
    Row {
        field: "task",
        query: "query($id: ID!) { task(id: $id) { id title } }",
        stranger: Gets("FORBIDDEN"),
    },
    Row { field: "tasks", query: "{ tasks { totalCount nodes { id title } } }", stranger: SeesOwn },
    Row { field: "trash", query: "{ trash { totalCount nodes { id title } } }", stranger: SeesOwn },
    Row { field: "node", query: "query($id: ID!) { node(id: $id) { id } }", stranger: SeesOwn },
    Row { field: "nodes", query: NODES, stranger: SeesOwn },
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
        field: "restoreTask",
        query: "mutation($id: ID!) { restoreTask(id: $id) { task { id } } }",
        stranger: Gets("FORBIDDEN"),
    },
    Row {
        field: "createTasks",
        query: "mutation { createTasks(inputs: [{ title: \"mine\" }]) { tasks { id } } }",
        stranger: SeesOwn,
    },
    Row {
        field: "updateTasks",
        query: "mutation($id: ID!) { updateTasks(ids: [$id], input: { title: \"x\" }) { tasks { id } } }",
        stranger: Gets("FORBIDDEN"),
    },
    Row {
        field: "completeTasks",
        query: "mutation($id: ID!) { completeTasks(ids: [$id]) { tasks { id } } }",
        stranger: Gets("FORBIDDEN"),
    },
    Row {
        field: "deleteTasks",
        query: "mutation($id: ID!) { deleteTasks(ids: [$id]) { deletedTaskIds } }",
        stranger: Gets("FORBIDDEN"),
    },
    Row {
        field: "addChecklistItem",
        query: "mutation($id: ID!) { addChecklistItem(taskId: $id, input: { section: ACTION, text: \"x\" }) { item { id } } }",
        stranger: Gets("FORBIDDEN"),
    },
    Row {
        field: "updateChecklistItem",
        query: "mutation($item: ID!) { updateChecklistItem(id: $item, input: { done: true }) { item { id } } }",
        stranger: Gets("FORBIDDEN"),
    },
    Row {
        field: "moveChecklistItem",
        query: "mutation($item: ID!) { moveChecklistItem(id: $item) { item { id } } }",
        stranger: Gets("FORBIDDEN"),
    },
    Row {
        field: "removeChecklistItem",
        query: "mutation($item: ID!) { removeChecklistItem(id: $item) { removedId } }",
        stranger: Gets("FORBIDDEN"),
    },
    Row {
        field: "addRisk",
        query: "mutation($id: ID!) { addRisk(taskId: $id, input: { description: \"x\", likelihood: LOW, impact: LOW }) { risk { id } } }",
        stranger: Gets("FORBIDDEN"),
    },
    Row {
        field: "updateRisk",
        query: "mutation($risk: ID!) { updateRisk(id: $risk, input: { impact: HIGH }) { risk { id } } }",
        stranger: Gets("FORBIDDEN"),
    },
    Row {
        field: "removeRisk",
        query: "mutation($risk: ID!) { removeRisk(id: $risk) { removedId } }",
        stranger: Gets("FORBIDDEN"),
    },
    Row {
        field: "addFileChange",
        query: "mutation($id: ID!) { addFileChange(taskId: $id, input: { path: \"x\", kind: CREATED }) { file { id } } }",
        stranger: Gets("FORBIDDEN"),
    },
    Row {
        field: "removeFileChange",
        query: "mutation($file: ID!) { removeFileChange(id: $file) { removedId } }",
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
async fn root_fields(anonymous: &Actor<'_>, root: &str) -> BTreeSet<String> {
    let query = "query($root: String!) { __type(name: $root) { fields { name } } }";
    let data = anonymous.data(query, json!({ "root": root })).await;
    let fields = data["__type"]["fields"].as_array().expect("fields").iter();
    fields.map(|field| field["name"].as_str().expect("a name").to_owned()).collect()
}

fn names(rows: &[Row]) -> BTreeSet<String> {
    rows.iter().map(|row| row.field.to_owned()).collect()
}

/// An owner, what operations name of the owner's, and all of it as it is stored.
async fn owner(app: &TestApp) -> (Actor<'_>, Value, Vec<String>) {
    let owner = app.user("owner").await;
    let things = things_of(&owner).await;
    let stored = of_owner(app, &owner).await;
    (owner, things, stored)
}

/// Every row that holds something of the owner's.
async fn of_owner(app: &TestApp, owner: &Actor<'_>) -> Vec<String> {
    let mut rows = Vec::new();
    for table in ["users", "tasks", "checklist_items", "risks", "file_changes"] {
        let is_mine = |row: &String| row.contains(&owner.email) || row.contains("the owner's secret");
        let mine: Vec<String> = app.rows(table).await.into_iter().filter(is_mine).collect();
        assert!(!mine.is_empty(), "{table}");
        rows.extend(mine);
    }
    rows
}

/// What the operations name of the owner's: a task with something in it, and the session.
async fn things_of(owner: &Actor<'_>) -> Value {
    let mut things = owner.full_task("the owner's secret").await;
    things["session"] = json!(owner.session_id());
    things["refresh"] = json!(owner.refresh_token);
    things
}

/// Whether anything of the owner's stands in an answer.
fn betrays(response: &Value, owner: &Actor<'_>, things: &Value) -> bool {
    let text = response.to_string();
    let ids = things.as_object().expect("things").values().filter_map(Value::as_str);
    ids.chain(["secret", &owner.id]).any(|thing| text.contains(thing))
}

/// The rows whose operations name a task, or something in it.
fn on_tasks() -> impl Iterator<Item = &'static Row> {
    let named = |row: &&Row| ["$id", "$item", "$risk", "$file"].iter().any(|name| row.query.contains(name));
    QUERIES.iter().chain(MUTATIONS).filter(named)
}

async fn refused(actor: Actor<'_>, row: &Row, things: &Value, message: &str) {
    let response = actor.execute(row.query, things.clone()).await;
    assert_eq!(response.status, 401, "{}: {:#}", row.field, response.body);
    assert_eq!(response.body.get("data"), None, "{}", row.field);
    let error = response.error();
    assert_eq!(
        (code(&error).as_str(), &error["message"]),
        ("UNAUTHENTICATED", &json!(message)),
        "{}",
        row.field
    );
}

on_both_databases! {
    async fn every_root_field_has_a_row_here(app) {
        assert_eq!(root_fields(&app.anonymous(), "Query").await, names(QUERIES));
        assert_eq!(root_fields(&app.anonymous(), "Mutation").await, names(MUTATIONS));
    }

    async fn nobody_and_a_broken_token_get_nothing_but_what_is_public(app) {
        let (owner, things, stored) = owner(app).await;
        let broken = format!("{}x", owner.token());
        for row in QUERIES.iter().chain(MUTATIONS) {
            match row.stranger {
                Public => {
                    app.with_token(&broken).data(row.query, things.clone()).await;
                }
                SeesOwn | Gets(_) => {
                    refused(app.anonymous(), row, &things, "Authentication required").await;
                    refused(app.with_token(&broken), row, &things, "Invalid token").await;
                    refused(app.with_token(""), row, &things, "Invalid token").await;
                }
            }
        }
        assert_eq!(of_owner(app, &owner).await, stored);
    }

    async fn a_stranger_cannot_see_or_touch_the_owners_things(app) {
        let (owner, things, stored) = owner(app).await;
        for row in QUERIES.iter().chain(MUTATIONS) {
            // A user of its own for each row: a logout must not refuse the rows after it.
            let stranger = app.user(&format!("stranger-{}", row.field.to_lowercase())).await;
            let response = stranger.execute(row.query, things.clone()).await;
            match row.stranger {
                Public => continue,
                SeesOwn => assert!(response.body.get("errors").is_none(), "{}: {:#}", row.field, response.body),
                Gets(expected) => {
                    assert_eq!(response.code(), expected, "{}", row.field);
                    assert_eq!(response.body["data"][row.field], Value::Null, "{}", row.field);
                }
            }
            assert!(!betrays(&response.body, &owner, &things), "{}: {:#}", row.field, response.body);
        }
        assert_eq!(of_owner(app, &owner).await, stored);
    }

    async fn the_owner_may_do_all_of_it(app) {
        for row in QUERIES.iter().chain(MUTATIONS) {
            if let Public = row.stranger { continue }
            let owner = app.user(&format!("owner-{}", row.field.to_lowercase())).await;
            owner.data(row.query, things_of(&owner).await).await;
        }
    }

    async fn a_node_of_somebody_elses_is_none(app) {
        let (owner, things, _) = owner(app).await;
        let stranger = app.user("stranger").await;
        let node = "query($id: ID!) { node(id: $id) { __typename id } }";
        for (name, kind) in [("id", "Task"), ("item", "ChecklistItem"), ("risk", "Risk"), ("file", "FileChange")] {
            let id = &things[name];
            let own = owner.data(node, json!({ "id": id })).await;
            assert_eq!(own["node"], json!({ "__typename": kind, "id": id }));
            assert_eq!(stranger.data(node, json!({ "id": id })).await["node"], Value::Null, "{kind}");
        }
        assert_eq!(owner.data(NODES, things.clone()).await["nodes"].as_array().map(Vec::len), Some(4));
        assert_eq!(stranger.data(NODES, things).await["nodes"], json!([null, null, null, null]));
    }

    async fn in_the_trash_a_task_is_forbidden_to_strangers_and_gone_for_its_owner(app) {
        let (owner, things, _) = owner(app).await;
        let stranger = app.user("stranger").await;
        owner.data("mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }", things.clone()).await;
        let stored = of_owner(app, &owner).await;
        for row in on_tasks() {
            let theirs = stranger.execute(row.query, things.clone()).await;
            assert!(!betrays(&theirs.body, &owner, &things), "{}: {:#}", row.field, theirs.body);
            match row.stranger {
                Gets(expected) => assert_eq!(theirs.code(), expected, "{}", row.field),
                SeesOwn | Public => assert!(theirs.body.get("errors").is_none(), "{}: {:#}", row.field, theirs.body),
            }
            match row.field {
                "restoreTask" => {}
                "node" => assert_eq!(owner.data(row.query, things.clone()).await["node"], Value::Null),
                "nodes" => assert_eq!(owner.data(row.query, things.clone()).await["nodes"], json!([null, null, null, null])),
                field => assert_eq!(owner.execute(row.query, things.clone()).await.code(), "NOT_FOUND", "{field}"),
            }
        }
        assert_eq!(of_owner(app, &owner).await, stored);
        let trash = "{ trash { totalCount nodes { title } } }";
        let secret = json!({ "trash": { "totalCount": 1, "nodes": [{ "title": "the owner's secret" }] } });
        assert_eq!(owner.data(trash, json!({})).await, secret);
        assert_eq!(stranger.data(trash, json!({})).await["trash"]["totalCount"], 0);
        owner.data("mutation($id: ID!) { restoreTask(id: $id) { task { id } } }", things.clone()).await;
        assert_eq!(owner.data(NODES, things).await["nodes"].as_array().map(|nodes| nodes.iter().all(Value::is_object)), Some(true));
    }

    async fn what_nobody_has_is_not_found_in_the_trash_either(app) {
        let ann = app.user("ann").await;
        let none = json!("00000000-0000-7000-8000-000000000000");
        let things = json!({ "id": none, "item": none, "risk": none, "file": none });
        for row in on_tasks().filter(|row| matches!(row.stranger, Gets(_))) {
            assert_eq!(ann.execute(row.query, things.clone()).await.code(), "NOT_FOUND", "{}", row.field);
        }
    }

    async fn of_many_at_once_each_gets_what_is_theirs(app) {
        let (ann, bob, eve) = (app.user("ann").await, app.user("bob").await, app.user("eve").await);
        eve.task("gone").await;
        app.execute_sql("DELETE FROM users WHERE username = 'eve'").await;
        let anns = &ann.task("ann's").await;
        let create = "mutation($title: String!) { createTask(input: { title: $title }) { task { title } } }";
        join_all((0..30).map(async |n| {
            let task = "query($id: ID!) { task(id: $id) { title } me { username } }";
            let (title, id) = (json!({ "title": format!("new {n}") }), json!({ "id": anns }));
            let (made, bobs, eves, own, foreign) = join!(
                ann.data(create, title.clone()), bob.data(create, title.clone()), eve.execute(create, title.clone()),
                ann.data(task, id.clone()), bob.execute(task, id.clone()),
            );
            assert_eq!(made["createTask"]["task"], title);
            assert_eq!(bobs["createTask"]["task"], title);
            assert_eq!((eves.status.as_u16(), eves.code().as_str()), (401, "UNAUTHENTICATED"));
            assert_eq!(own, json!({ "task": { "title": "ann's" }, "me": { "username": "ann" } }));
            assert_eq!((foreign.code().as_str(), &foreign.body["data"]["task"]), ("FORBIDDEN", &Value::Null));
            assert_eq!(foreign.body["data"]["me"]["username"], "bob");
        })).await;
        for (actor, count) in [(ann, 31), (bob, 30)] {
            assert_eq!(actor.data("{ tasks { totalCount } }", json!({})).await["tasks"]["totalCount"], count);
        }
    }
}
