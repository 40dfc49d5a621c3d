//! Access control: every root field is requested anonymously, with a malformed token, by another user and by
//! the owner. A new root field fails a test until it has a row here.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use futures_util::join;

use crate::support::{Actor, TestApp, Value, code, json, on_both_databases};

/// What another user gets for an operation on the owner's objects.
enum OtherUser {
    /// The operation succeeds, but only with that user's own data or with null.
    OwnDataOnly,
    /// The operation fails with this code.
    Fails(&'static str),
    /// The operation is public.
    Public,
}
use OtherUser::{Fails, OwnDataOnly, Public};

pub struct Row {
    pub field: &'static str,
    /// The operation. `$id` is a task of the owner with the parts `$item`, `$risk` and `$file`, `$list` a task list;
    /// `$other` is another task; `$open` is a list with the live claims `$claim` and `$released`. `$session` is
    /// the owner's session and `$refresh` its refresh token; `$key` is an API key of the owner; `$verify` is the
    /// token of a mail to the owner, and `$reset` of one to another user.
    pub query: &'static str,
    other_user: OtherUser,
}

const NODES: &str = "query($id: ID!, $item: ID!, $risk: ID!, $file: ID!, $list: ID!) {
    nodes(ids: [$id, $item, $risk, $file, $list]) { id } }";

const QUERIES: &[Row] = &[
    Row { field: "me", query: "{ me { id tasks { nodes { id title } } } }", other_user: OwnDataOnly },
    Row { field: "currentApiKey", query: "{ currentApiKey { id name start } }", other_user: OwnDataOnly },
    Row {
        field: "task",
        query: "query($id: ID!) { task(id: $id) { id title } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row { field: "tasks", query: "{ tasks { totalCount nodes { id title } } }", other_user: OwnDataOnly },
    Row { field: "trash", query: "{ trash { totalCount nodes { id title } } }", other_user: OwnDataOnly },
    Row {
        field: "taskChanges",
        query: "{ taskChanges { cursor changes { taskId task { id title } } } }",
        other_user: OwnDataOnly,
    },
    Row {
        field: "taskList",
        query: "query($list: ID!) { taskList(id: $list) { id title markdown } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "taskLists",
        query: "{ taskLists(first: 2) { totalCount nodes { id title markdown } } }",
        other_user: OwnDataOnly,
    },
    Row {
        field: "trashedTaskLists",
        query: "{ trashedTaskLists { totalCount nodes { id title } } }",
        other_user: OwnDataOnly,
    },
    Row {
        field: "diagnostics",
        query: "{ diagnostics(kind: TASK_LIST, markdown: \"# Mine\") { code } }",
        other_user: OwnDataOnly,
    },
    Row { field: "node", query: "query($id: ID!) { node(id: $id) { id } }", other_user: OwnDataOnly },
    Row { field: "nodes", query: NODES, other_user: OwnDataOnly },
    Row { field: "serverInfo", query: "{ serverInfo { version } }", other_user: Public },
];

const MUTATIONS: &[Row] = &[
    Row {
        field: "register",
        query: "mutation { register(input: { email: \"new@example.com\", password: \"correct-horse-1\" }) { user { id } } }",
        other_user: Public,
    },
    Row {
        field: "login",
        query: "mutation { login(input: { usernameOrEmail: \"owner\", password: \"correct-horse-1\" }) { user { username } } }",
        other_user: Public,
    },
    Row {
        field: "createTask",
        query: "mutation { createTask(input: { title: \"mine\" }) { task { id } } }",
        other_user: OwnDataOnly,
    },
    Row {
        field: "updateTask",
        query: "mutation($id: ID!) { updateTask(id: $id, input: { title: \"x\" }) { task { id } } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "replaceTask",
        query: "mutation($id: ID!) { replaceTask(id: $id, input: { title: \"x\" }) { task { id } } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "completeTask",
        query: "mutation($id: ID!) { completeTask(id: $id) { task { id } } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "reopenTask",
        query: "mutation($id: ID!) { reopenTask(id: $id) { task { id } } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "toggleTask",
        query: "mutation($id: ID!) { toggleTask(id: $id, expectedVersion: 1) { task { id } } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "deleteTask",
        query: "mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "restoreTask",
        query: "mutation($id: ID!) { restoreTask(id: $id) { task { id } } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "createTasks",
        query: "mutation { createTasks(inputs: [{ title: \"mine\" }]) { tasks { id } } }",
        other_user: OwnDataOnly,
    },
    Row {
        field: "updateTasks",
        query: "mutation($id: ID!) { updateTasks(ids: [$id], input: { title: \"x\" }) { tasks { id } } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "completeTasks",
        query: "mutation($id: ID!) { completeTasks(ids: [$id]) { tasks { id } } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "deleteTasks",
        query: "mutation($id: ID!) { deleteTasks(ids: [$id]) { deletedTaskIds } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "importTask",
        query: "mutation { importTask(input: { markdown: \"# Mine\" }) { task { id } } }",
        other_user: OwnDataOnly,
    },
    Row {
        field: "replaceTaskDocument",
        query: "mutation($id: ID!) { replaceTaskDocument(id: $id, markdown: \"# Mine\", expectedVersion: 1) { task { id } } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "importTaskList",
        query: "mutation { importTaskList(input: { markdown: \"# Mine\" }) { taskList { id } } }",
        other_user: OwnDataOnly,
    },
    Row {
        field: "mergeTaskList",
        query: "mutation($list: ID!) { mergeTaskList(id: $list, input: { markdown: \"# Mine\" }) { taskList { id } } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "updateTaskList",
        query: "mutation($list: ID!) { updateTaskList(id: $list, input: { ordering: EXPLICIT }) { taskList { id } } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "addDependency",
        query: "mutation($id: ID!, $other: ID!) { addDependency(taskId: $id, blockedById: $other) { task { id } } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "removeDependency",
        query: "mutation($id: ID!, $other: ID!) { removeDependency(taskId: $id, blockedById: $other) { task { id } } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "claimNextTask",
        query: "mutation($open: ID!) { claimNextTask(input: { listId: $open, worker: \"x\" }) { claim { id } } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "renewClaim",
        query: "mutation($claim: ID!) { renewClaim(id: $claim) { claim { id } } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "completeClaim",
        query: "mutation($claim: ID!) { completeClaim(id: $claim) { task { id } } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "releaseClaim",
        query: "mutation($released: ID!) { releaseClaim(id: $released) { releasedClaimId } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "deleteTaskList",
        query: "mutation($list: ID!) { deleteTaskList(id: $list) { deletedTaskListId } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "restoreTaskList",
        query: "mutation($list: ID!) { restoreTaskList(id: $list) { taskList { id } } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "addChecklistItem",
        query: "mutation($id: ID!) { addChecklistItem(taskId: $id, input: { section: ACTION, text: \"x\" }) { item { id } } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "updateChecklistItem",
        query: "mutation($item: ID!) { updateChecklistItem(id: $item, input: { done: true }) { item { id } } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "moveChecklistItem",
        query: "mutation($item: ID!) { moveChecklistItem(id: $item) { item { id } } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "removeChecklistItem",
        query: "mutation($item: ID!) { removeChecklistItem(id: $item) { removedId } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "addRisk",
        query: "mutation($id: ID!) { addRisk(taskId: $id, input: { description: \"x\", likelihood: LOW, impact: LOW }) { risk { id } } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "updateRisk",
        query: "mutation($risk: ID!) { updateRisk(id: $risk, input: { impact: HIGH }) { risk { id } } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "removeRisk",
        query: "mutation($risk: ID!) { removeRisk(id: $risk) { removedId } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "addFileChange",
        query: "mutation($id: ID!) { addFileChange(taskId: $id, input: { path: \"x\", kind: CREATED }) { file { id } } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "removeFileChange",
        query: "mutation($file: ID!) { removeFileChange(id: $file) { removedId } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "updateProfile",
        query: "mutation { updateProfile(input: { name: \"Somebody\" }) { user { id } } }",
        other_user: OwnDataOnly,
    },
    Row {
        field: "refreshToken",
        query: "mutation($refresh: String!) { refreshToken(refreshToken: $refresh) { tokenType } }",
        other_user: Public,
    },
    Row {
        field: "revokeSession",
        query: "mutation($session: ID!) { revokeSession(id: $session) { revokedSessionId } }",
        other_user: Fails("FORBIDDEN"),
    },
    Row {
        field: "changePassword",
        query: "mutation { changePassword(input: { currentPassword: \"correct-horse-1\", newPassword: \"better-horse-2\" }) { tokenType } }",
        other_user: OwnDataOnly,
    },
    Row {
        field: "deleteAccount",
        query: "mutation { deleteAccount(password: \"correct-horse-1\") { deletedUserId } }",
        other_user: OwnDataOnly,
    },
    Row { field: "logout", query: "mutation { logout { success } }", other_user: OwnDataOnly },
    Row {
        field: "sendVerificationEmail",
        query: "mutation { sendVerificationEmail { user { id email } } }",
        other_user: OwnDataOnly,
    },
    Row {
        field: "verifyEmail",
        query: "mutation($verify: String!) { verifyEmail(token: $verify) { email } }",
        other_user: Public,
    },
    Row {
        field: "changeEmail",
        query: "mutation { changeEmail(input: { newEmail: \"new@example.com\", currentPassword: \"correct-horse-1\" }) { user { id pendingEmail } } }",
        other_user: OwnDataOnly,
    },
    Row {
        field: "cancelEmailChange",
        query: "mutation { cancelEmailChange { user { id pendingEmail } } }",
        other_user: OwnDataOnly,
    },
    Row {
        field: "requestPasswordReset",
        query: "mutation { requestPasswordReset(usernameOrEmail: \"owner\") { message } }",
        other_user: Public,
    },
    Row {
        field: "resetPassword",
        query: "mutation($reset: String!) { resetPassword(input: { token: $reset, newPassword: \"better-horse-2\" }) { email } }",
        other_user: Public,
    },
    Row {
        field: "createApiKey",
        query: "mutation { createApiKey(input: { name: \"mine\", scopes: [ACCOUNT], currentPassword: \"correct-horse-1\" }) { apiKey { id } } }",
        other_user: OwnDataOnly,
    },
    Row {
        field: "revokeApiKey",
        query: "mutation($key: ID!) { revokeApiKey(id: $key) { revokedApiKeyId } }",
        other_user: Fails("FORBIDDEN"),
    },
];

/// The field names of a root type, from introspection.
pub async fn root_fields(anonymous: &Actor<'_>, root: &str) -> BTreeSet<String> {
    let query = "query($root: String!) { __type(name: $root) { fields { name } } }";
    let data = anonymous.data(query, json!({ "root": root })).await;
    let fields = data["__type"]["fields"].as_array().expect("fields").iter();
    fields.map(|field| field["name"].as_str().expect("a name").to_owned()).collect()
}

/// The row of a root field.
pub fn row(field: &str) -> &'static Row {
    QUERIES.iter().chain(MUTATIONS).find(|row| row.field == field).expect("every root field has a row")
}

fn names(rows: &[Row]) -> BTreeSet<String> {
    rows.iter().map(|row| row.field.to_owned()).collect()
}

/// Registers an owner. Returns the owner, the ids used in the operations, and the owner's rows.
async fn owner(app: &TestApp) -> (Actor<'_>, Value, Vec<String>) {
    let owner = app.user("owner").await;
    let mut ids = create_objects(&owner).await;
    ids["verify"] = json!(app.link_token("VERIFY", &owner.email).await);
    ids["reset"] = json!(app.new_link_token("RESET", &app.user("forgetful").await.email).await);
    // A token that verifies an address has an effect only once.
    app.anonymous().data(row("verifyEmail").query, ids.clone()).await;
    let stored = rows_of(app, &owner).await;
    (owner, ids, stored)
}

/// All rows with data of the owner.
async fn rows_of(app: &TestApp, owner: &Actor<'_>) -> Vec<String> {
    let mut rows = Vec::new();
    for table in
        ["users", "api_keys", "tasks", "checklist_items", "risks", "file_changes", "task_lists", "claims"]
    {
        let is_mine = |row: &String| row.contains(&owner.email) || row.contains("the owner's secret");
        let mine: Vec<String> = app.rows(table).await.into_iter().filter(is_mine).collect();
        assert!(!mine.is_empty(), "{table}");
        rows.extend(mine);
    }
    rows
}

/// Creates a task with parts and an API key. Returns the ids that the operations use, also those of the session.
pub async fn create_objects(owner: &Actor<'_>) -> Value {
    let mut ids = owner.things("the owner's secret").await;
    ids["session"] = json!(owner.session_id());
    ids["refresh"] = json!(owner.refresh_token);
    ids["key"] = json!(owner.api_key(&["TASKS_READ"]).await.1);
    ids
}

/// Whether a response contains data of the owner.
fn contains_owner_data(response: &Value, owner: &Actor<'_>, ids: &Value) -> bool {
    let text = response.to_string();
    let values = ids.as_object().expect("ids").values().filter_map(Value::as_str);
    values.chain(["secret", &owner.id]).any(|thing| text.contains(thing))
}

/// The rows of operations on a task or a part.
fn task_rows() -> impl Iterator<Item = &'static Row> {
    let named = |row: &&Row| ["$id", "$item", "$risk", "$file"].iter().any(|name| row.query.contains(name));
    QUERIES.iter().chain(MUTATIONS).filter(named)
}

async fn refused(actor: Actor<'_>, row: &Row, ids: &Value, message: &str) {
    let response = actor.execute(row.query, ids.clone()).await;
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
    async fn every_root_field_has_a_row(app) {
        assert_eq!(root_fields(&app.anonymous(), "Query").await, names(QUERIES));
        assert_eq!(root_fields(&app.anonymous(), "Mutation").await, names(MUTATIONS));
    }

    #[flags("--limit-credentials-per-minute", "0")]
    async fn without_a_valid_token_only_public_fields_succeed(app) {
        let (owner, ids, stored) = owner(app).await;
        let broken = format!("{}x", owner.token());
        for row in QUERIES.iter().chain(MUTATIONS) {
            match row.other_user {
                Public => {
                    app.with_token(&broken).data(row.query, ids.clone()).await;
                }
                OwnDataOnly | Fails(_) => {
                    refused(app.anonymous(), row, &ids, "Authentication required").await;
                    refused(app.with_token(&broken), row, &ids, "Invalid token").await;
                    refused(app.with_token(""), row, &ids, "Invalid token").await;
                }
            }
        }
        assert_eq!(rows_of(app, &owner).await, stored);
    }

    #[flags("--limit-credentials-per-minute", "0", "--limit-mails-per-hour", "0")]
    async fn other_users_cannot_read_or_change_the_owners_data(app) {
        let (owner, ids, stored) = owner(app).await;
        for row in QUERIES.iter().chain(MUTATIONS) {
            // Each row has its own user, because a logout would make the following rows fail.
            let other_user = app.user(&format!("stranger-{}", row.field.to_lowercase())).await;
            let response = other_user.execute(row.query, ids.clone()).await;
            match row.other_user {
                Public => continue,
                OwnDataOnly => assert!(response.body.get("errors").is_none(), "{}: {:#}", row.field, response.body),
                Fails(expected) => {
                    assert_eq!(response.code(), expected, "{}", row.field);
                    assert_eq!(response.body["data"][row.field], Value::Null, "{}", row.field);
                }
            }
            assert!(!contains_owner_data(&response.body, &owner, &ids), "{}: {:#}", row.field, response.body);
        }
        assert_eq!(rows_of(app, &owner).await, stored);
    }

    #[flags("--limit-credentials-per-minute", "0", "--limit-mails-per-hour", "0")]
    async fn the_owner_may_execute_all_operations(app) {
        for row in QUERIES.iter().chain(MUTATIONS) {
            if let Public = row.other_user { continue }
            let owner = app.user(&format!("owner-{}", row.field.to_lowercase())).await;
            owner.data(row.query, create_objects(&owner).await).await;
        }
    }

    async fn nodes_of_other_users_are_null(app) {
        let (owner, ids, _) = owner(app).await;
        let other_user = app.user("stranger").await;
        let node = "query($id: ID!) { node(id: $id) { __typename id } }";
        for (name, kind) in [("id", "Task"), ("item", "ChecklistItem"), ("risk", "Risk"), ("file", "FileChange"), ("list", "TaskList"), ("claim", "Claim"), ("session", "Session"), ("key", "ApiKey")] {
            let id = &ids[name];
            let own = owner.data(node, json!({ "id": id })).await;
            assert_eq!(own["node"], json!({ "__typename": kind, "id": id }));
            assert_eq!(other_user.data(node, json!({ "id": id })).await["node"], Value::Null, "{kind}");
        }
        assert_eq!(owner.data(NODES, ids.clone()).await["nodes"].as_array().map(Vec::len), Some(5));
        assert_eq!(other_user.data(NODES, ids).await["nodes"], json!([null, null, null, null, null]));
    }

    async fn a_task_in_the_trash_is_forbidden_for_others_and_not_found_for_its_owner(app) {
        let (owner, ids, _) = owner(app).await;
        let other_user = app.user("stranger").await;
        owner.data("mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }", ids.clone()).await;
        let stored = rows_of(app, &owner).await;
        for row in task_rows() {
            let other_response = other_user.execute(row.query, ids.clone()).await;
            assert!(!contains_owner_data(&other_response.body, &owner, &ids), "{}: {:#}", row.field, other_response.body);
            match row.other_user {
                Fails(expected) => assert_eq!(other_response.code(), expected, "{}", row.field),
                OwnDataOnly | Public => assert!(other_response.body.get("errors").is_none(), "{}: {:#}", row.field, other_response.body),
            }
            match row.field {
                "restoreTask" => {}
                "node" => assert_eq!(owner.data(row.query, ids.clone()).await["node"], Value::Null),
                "nodes" => {
                    let list = json!({ "id": ids["list"] });
                    assert_eq!(owner.data(row.query, ids.clone()).await["nodes"], json!([null, null, null, null, list]));
                }
                field => assert_eq!(owner.execute(row.query, ids.clone()).await.code(), "NOT_FOUND", "{field}"),
            }
        }
        assert_eq!(rows_of(app, &owner).await, stored);
        let trash = "{ trash { totalCount nodes { title } } }";
        let secret = json!({ "trash": { "totalCount": 1, "nodes": [{ "title": "the owner's secret" }] } });
        assert_eq!(owner.data(trash, json!({})).await, secret);
        assert_eq!(other_user.data(trash, json!({})).await["trash"]["totalCount"], 0);
        owner.data("mutation($id: ID!) { restoreTask(id: $id) { task { id } } }", ids.clone()).await;
        assert_eq!(owner.data(NODES, ids).await["nodes"].as_array().map(|nodes| nodes.iter().all(Value::is_object)), Some(true));
    }

    async fn unknown_ids_are_not_found_in_the_trash_either(app) {
        let ann = app.user("ann").await;
        let none = json!("00000000-0000-7000-8000-000000000000");
        let ids = json!({ "id": none, "item": none, "risk": none, "file": none, "list": none, "other": none });
        for row in task_rows().filter(|row| matches!(row.other_user, Fails(_))) {
            assert_eq!(ann.execute(row.query, ids.clone()).await.code(), "NOT_FOUND", "{}", row.field);
        }
    }

    async fn concurrent_users_only_get_their_own_data(app) {
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
