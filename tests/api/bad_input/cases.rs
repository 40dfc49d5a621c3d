//! The root fields with arguments, each with valid arguments and the rows of invalid values.

use super::list_rows;
use super::rows::{self, Row};
use crate::support::{PASSWORD, Value, json};

/// A root field with valid arguments and the invalid values for them.
pub struct Case {
    kind: &'static str,
    pub field: &'static str,
    /// The arguments as variable definitions without `$`: `id: ID!`.
    arguments: &'static [&'static str],
    selection: &'static str,
    pub good: Value,
    pub rows: Vec<Row>,
}

impl Case {
    /// The path of the argument that identifies a task or a part (`id`, `taskId`, `ids.0`), and its value.
    pub fn target(&self) -> Option<(&'static str, &str)> {
        let paths = [("/id", "id"), ("/taskId", "taskId"), ("/ids/0", "ids.0")];
        let named = |(pointer, path)| Some((path, self.good.pointer(pointer)?.as_str()?));
        paths.into_iter().find_map(named).filter(|_| !["revokeSession", "revokeApiKey"].contains(&self.field))
    }

    /// The operation with a variable for each argument.
    pub fn by_variables(&self) -> String {
        let names: Vec<&str> = self.arguments.iter().filter_map(|it| Some(it.split_once(':')?.0)).collect();
        let uses: Vec<String> = names.iter().map(|name| format!("{name}: ${name}")).collect();
        let definitions: Vec<String> = self.arguments.iter().map(|it| format!("${it}")).collect();
        let Self { kind, field, selection, .. } = self;
        let parenthesized = |list: &[String]| match list {
            [] => String::new(),
            list => format!("({})", list.join(", ")),
        };
        format!("{kind}{} {{ {field}{} {selection} }}", parenthesized(&definitions), parenthesized(&uses))
    }

    /// The operation with its arguments as literals.
    pub fn by_literals(&self, arguments: &Value) -> String {
        let Self { kind, field, selection, .. } = self;
        let literal = literal(arguments, "");
        format!("{kind} {{ {field}({}) {selection} }}", &literal[1..literal.len() - 1])
    }
}

/// A JSON value as a GraphQL literal: enum values without quotes, keys without quotes.
fn literal(value: &Value, key: &str) -> String {
    let enums = [
        "status",
        "priority",
        "scope",
        "scopes",
        "field",
        "direction",
        "nulls",
        "section",
        "kind",
        "likelihood",
        "impact",
        "use",
        "onConflict",
        "ordering",
    ];
    let is_name = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    match value {
        Value::String(name) if enums.contains(&key) && !name.is_empty() && is_name(name) => name.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| literal(item, key)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{name}: {}", literal(value, name))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

/// A document that says what [`Actor::full_task`](crate::support::Actor::full_task) with the text `one` makes.
const SAME_DOCUMENT: &str = "# one\n\n## Plan\n\n- [ ] one\n\n## Risks\n\n| Risk | Likelihood | Impact |\n\
    |---|---|---|\n| one | Low | High |\n\n## Files\n\n- **Created**:\n  - `one`\n";

/// Every root field with arguments, and every mutation. `things` contains the ids of an existing task (`id`) and of its `item`,
/// `risk` and `file`, of another task (`other`), of a task list (`list`), and of a list (`open`) with two live claims
/// (`claim` and `released`). The cases can run in this order: removals and deletions are last.
pub fn cases(things: &Value) -> Vec<Case> {
    let id = &things["id"];
    let by_id = json!({ "id": id });
    let step = json!({ "section": "ACTION", "text": "a step" });
    let phase = json!({ "section": "ACTION", "text": "a phase", "children": [step] });
    let risk = json!({ "description": "x", "likelihood": "LOW", "impact": "HIGH" });
    let file = json!({ "path": "x", "kind": "CREATED" });
    let whole = json!({ "title": "x", "checklist": [phase], "risks": [risk], "files": [file] });
    let mut in_list = whole.clone();
    in_list["list"] = json!({ "listId": things["list"] });
    let document = "# TASK: One";
    let paging: &[&str] = &["first: Int", "after: String", "last: Int", "before: String"];
    let simple = |field, thing: &str, selection| Case {
        kind: "mutation",
        field,
        arguments: &["id: ID!"],
        selection,
        good: json!({ "id": things[thing] }),
        rows: rows::ids("id"),
    };
    let many = |field, selection| Case {
        kind: "mutation",
        field,
        arguments: &["ids: [ID!]!"],
        selection,
        good: json!({ "ids": [id] }),
        rows: rows::bulk_ids(id),
    };
    let query = |field, arguments, selection, good, rows| Case {
        kind: "query",
        field,
        arguments,
        selection,
        good,
        rows,
    };
    let mutation = |field, arguments, selection, good, rows| Case {
        kind: "mutation",
        field,
        arguments,
        selection,
        good,
        rows,
    };
    vec![
        query("task", &["id: ID!"], "{ id }", by_id.clone(), rows::ids("id")),
        query("node", &["id: ID!"], "{ id }", by_id.clone(), rows::no_ids("id")),
        query("nodes", &["ids: [ID!]!"], "{ id }", json!({}), rows::nodes()),
        query(
            "tasks",
            &[
                "first: Int",
                "after: String",
                "last: Int",
                "before: String",
                "filter: TaskFilter",
                "orderBy: [TaskOrder!]",
            ],
            "{ totalCount }",
            json!({ "orderBy": [{ "field": "TITLE" }] }),
            rows::tasks(),
        ),
        query("trash", paging, "{ totalCount }", json!({}), rows::pages()),
        query("taskList", &["id: ID!"], "{ id }", json!({ "id": things["list"] }), rows::ids("id")),
        query("taskLists", paging, "{ totalCount }", json!({}), rows::pages()),
        query("trashedTaskLists", paging, "{ totalCount }", json!({}), rows::pages()),
        query(
            "diagnostics",
            &["kind: DocumentKind!", "markdown: String!"],
            "{ code }",
            json!({ "kind": "TASK", "markdown": document }),
            list_rows::diagnostics(),
        ),
        query("taskChanges", &["after: String", "first: Int"], "{ hasMore }", json!({}), rows::changes()),
        mutation(
            "register",
            &["input: RegisterInput!"],
            "{ tokenType }",
            json!({ "input": { "email": "new@example.com", "password": PASSWORD } }),
            rows::register(),
        ),
        mutation(
            "login",
            &["input: LoginInput!"],
            "{ tokenType }",
            json!({ "input": { "usernameOrEmail": "ann", "password": PASSWORD } }),
            rows::login(),
        ),
        mutation(
            "refreshToken",
            &["refreshToken: String!"],
            "{ tokenType }",
            json!({ "refreshToken": "x" }),
            rows::secret("refreshToken"),
        ),
        simple("revokeSession", "id", "{ revokedSessionId }"),
        mutation(
            "changePassword",
            &["input: ChangePasswordInput!"],
            "{ tokenType }",
            json!({ "input": { "currentPassword": PASSWORD, "newPassword": "better-horse-2" } }),
            rows::change_password(),
        ),
        mutation(
            "deleteAccount",
            &["password: String!"],
            "{ deletedUserId }",
            json!({ "password": PASSWORD }),
            rows::delete_account(),
        ),
        mutation(
            "logout",
            &["scope: LogoutScope!"],
            "{ success }",
            json!({}),
            rows::options("scope", &[Value::Null]),
        ),
        mutation(
            "updateProfile",
            &["input: UpdateProfileInput!"],
            "{ user { id } }",
            json!({ "input": {} }),
            rows::profile(),
        ),
        mutation("sendVerificationEmail", &[], "{ user { id } }", json!({}), Vec::new()),
        mutation(
            "verifyEmail",
            &["token: String!"],
            "{ email }",
            json!({ "token": "x" }),
            rows::secret("token"),
        ),
        mutation(
            "changeEmail",
            &["input: ChangeEmailInput!"],
            "{ user { id } }",
            json!({ "input": { "newEmail": "new@example.com", "currentPassword": PASSWORD } }),
            rows::change_email(),
        ),
        mutation("cancelEmailChange", &[], "{ user { id } }", json!({}), Vec::new()),
        mutation(
            "requestPasswordReset",
            &["usernameOrEmail: String!"],
            "{ message }",
            json!({ "usernameOrEmail": "ann" }),
            rows::request_password_reset(),
        ),
        mutation(
            "resetPassword",
            &["input: ResetPasswordInput!"],
            "{ email }",
            json!({ "input": { "token": "x", "newPassword": "better-horse-2" } }),
            rows::reset_password(),
        ),
        mutation(
            "createApiKey",
            &["input: CreateApiKeyInput!"],
            "{ apiKey { name scopes } }",
            json!({ "input": { "name": "x", "scopes": ["ACCOUNT"], "currentPassword": PASSWORD } }),
            rows::create_api_key(),
        ),
        simple("revokeApiKey", "id", "{ revokedApiKeyId }"),
        mutation(
            "replaceTaskDocument",
            &["id: ID!", "markdown: String!", "expectedVersion: Int!"],
            "{ task { id } }",
            json!({ "id": id, "markdown": SAME_DOCUMENT, "expectedVersion": 1 }),
            list_rows::replace_document(),
        ),
        mutation(
            "createTask",
            &["input: CreateTaskInput!"],
            "{ task { id } }",
            json!({ "input": in_list }),
            rows::create(),
        ),
        mutation(
            "createTasks",
            &["inputs: [CreateTaskInput!]!"],
            "{ tasks { id } }",
            json!({ "inputs": [{ "title": "x" }, in_list] }),
            rows::create_many(),
        ),
        mutation(
            "updateTask",
            &["id: ID!", "input: UpdateTaskInput!", "expectedVersion: Int"],
            "{ task { id } }",
            json!({ "id": id, "input": { "title": "x" } }),
            rows::update(),
        ),
        mutation(
            "updateTasks",
            &["ids: [ID!]!", "input: UpdateTaskInput!"],
            "{ tasks { id } }",
            json!({ "ids": [id], "input": { "title": "x" } }),
            rows::update_many(id),
        ),
        simple("completeTask", "id", "{ task { id } }"),
        many("completeTasks", "{ tasks { id } }"),
        simple("reopenTask", "id", "{ task { id } }"),
        mutation(
            "toggleTask",
            &["id: ID!", "expectedVersion: Int"],
            "{ task { id } }",
            by_id.clone(),
            [rows::ids("id"), rows::versions()].concat(),
        ),
        mutation(
            "addChecklistItem",
            &["taskId: ID!", "input: ChecklistItemInput!"],
            "{ task { id } }",
            json!({ "taskId": id, "input": phase }),
            rows::add_item(),
        ),
        mutation(
            "addChecklistItem",
            &["taskId: ID!", "input: ChecklistItemInput!", "parentId: ID", "before: ID"],
            "{ task { id } }",
            json!({ "taskId": id, "input": step, "parentId": things["item"] }),
            rows::add_step(),
        ),
        mutation(
            "updateChecklistItem",
            &["id: ID!", "input: UpdateChecklistItemInput!"],
            "{ item { id } }",
            json!({ "id": things["item"], "input": { "text": "x" } }),
            rows::update_item(),
        ),
        mutation(
            "moveChecklistItem",
            &["id: ID!", "before: ID"],
            "{ item { id } }",
            json!({ "id": things["item"] }),
            rows::move_item(),
        ),
        mutation(
            "addRisk",
            &["taskId: ID!", "input: RiskInput!"],
            "{ task { id } }",
            json!({ "taskId": id, "input": risk }),
            rows::add_risk(),
        ),
        mutation(
            "updateRisk",
            &["id: ID!", "input: UpdateRiskInput!"],
            "{ risk { id } }",
            json!({ "id": things["risk"], "input": { "description": "x" } }),
            rows::update_risk(),
        ),
        mutation(
            "addFileChange",
            &["taskId: ID!", "input: FileChangeInput!"],
            "{ task { id } }",
            json!({ "taskId": id, "input": file }),
            rows::add_file(),
        ),
        simple("removeChecklistItem", "item", "{ removedId }"),
        simple("removeRisk", "risk", "{ removedId }"),
        simple("removeFileChange", "file", "{ removedId }"),
        mutation(
            "replaceTask",
            &["id: ID!", "input: ReplaceTaskInput!", "expectedVersion: Int"],
            "{ task { id } }",
            json!({ "id": id, "input": whole }),
            rows::replace(),
        ),
        mutation(
            "importTask",
            &["input: ImportTaskInput!"],
            "{ task { id } }",
            json!({ "input": { "markdown": document } }),
            list_rows::import(),
        ),
        mutation(
            "importTaskList",
            &["input: ImportTaskListInput!"],
            "{ taskList { title } }",
            json!({ "input": { "markdown": document } }),
            list_rows::import_list(),
        ),
        mutation(
            "mergeTaskList",
            &["id: ID!", "input: MergeTaskListInput!"],
            "{ applied taskList { id } }",
            json!({ "id": things["list"], "input": { "markdown": document } }),
            list_rows::merge(),
        ),
        mutation(
            "updateTaskList",
            &["id: ID!", "input: UpdateTaskListInput!", "expectedVersion: Int"],
            "{ taskList { ordering } }",
            json!({ "id": things["list"], "input": {} }),
            list_rows::update(),
        ),
        mutation(
            "addDependency",
            &["taskId: ID!", "blockedById: ID!"],
            "{ task { id } }",
            json!({ "taskId": id, "blockedById": things["other"] }),
            list_rows::add_dependency(id),
        ),
        mutation(
            "removeDependency",
            &["taskId: ID!", "blockedById: ID!"],
            "{ task { id } }",
            json!({ "taskId": id, "blockedById": things["other"] }),
            list_rows::dependency(),
        ),
        mutation(
            "claimNextTask",
            &["input: ClaimNextTaskInput!"],
            "{ claim { worker } reason }",
            json!({ "input": { "listId": things["open"], "worker": "x" } }),
            list_rows::claim(),
        ),
        mutation(
            "renewClaim",
            &["id: ID!", "ttlSeconds: Int!"],
            "{ claim { id } }",
            json!({ "id": things["claim"], "ttlSeconds": 60 }),
            [rows::ids("id"), list_rows::seconds("ttlSeconds")].concat(),
        ),
        simple("completeClaim", "claim", "{ task { id } }"),
        simple("releaseClaim", "released", "{ releasedClaimId }"),
        simple("deleteTaskList", "list", "{ deletedTaskListId }"),
        simple("restoreTaskList", "list", "{ taskList { id } }"),
        simple("deleteTask", "id", "{ deletedTaskId }"),
        simple("restoreTask", "id", "{ task { id } }"),
        many("deleteTasks", "{ deletedTaskIds }"),
    ]
}
