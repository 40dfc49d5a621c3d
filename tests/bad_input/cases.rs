//! The root fields that take arguments, each with good ones and the rows that make them bad.

use super::rows::{self, Row};
use crate::support::{PASSWORD, Value, json};

/// A root field, arguments that it takes, and values that make them bad.
pub struct Case {
    kind: &'static str,
    pub field: &'static str,
    /// The arguments in the words of a document's variables: `id: ID!`.
    arguments: &'static [&'static str],
    selection: &'static str,
    pub good: Value,
    pub rows: Vec<Row>,
}

impl Case {
    /// Whether the id among its arguments is a task's.
    pub fn takes_task(&self) -> bool {
        self.good.get("id").is_some() && self.field != "revokeSession"
    }

    /// The operation with a variable for each argument.
    pub fn by_variables(&self) -> String {
        let names: Vec<&str> = self.arguments.iter().filter_map(|it| Some(it.split_once(':')?.0)).collect();
        let uses: Vec<String> = names.iter().map(|name| format!("{name}: ${name}")).collect();
        let definitions: Vec<String> = self.arguments.iter().map(|it| format!("${it}")).collect();
        let Self { kind, field, selection, .. } = self;
        format!("{kind}({}) {{ {field}({}) {selection} }}", definitions.join(", "), uses.join(", "))
    }

    /// The operation with the arguments in its text.
    pub fn by_literals(&self, arguments: &Value) -> String {
        let Self { kind, field, selection, .. } = self;
        let literal = literal(arguments, "");
        format!("{kind} {{ {field}({}) {selection} }}", &literal[1..literal.len() - 1])
    }
}

/// A JSON value as a GraphQL document has it: names for enums, no quotes around keys.
fn literal(value: &Value, key: &str) -> String {
    let is_enum = ["status", "priority", "scope", "field", "direction", "nulls"].contains(&key);
    match value {
        Value::String(name)
            if is_enum && !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic()) =>
        {
            name.clone()
        }
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

/// Every root field that takes arguments; `id` is a task that is there.
pub fn cases(id: &str) -> Vec<Case> {
    let by_id = json!({ "id": id });
    let edit = json!({ "id": id, "input": { "title": "x" } });
    let simple = |field, selection| Case {
        kind: "mutation",
        field,
        arguments: &["id: ID!"],
        selection,
        good: by_id.clone(),
        rows: rows::id_rows(),
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
        query("task", &["id: ID!"], "{ id }", by_id.clone(), rows::id_rows()),
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
        simple("revokeSession", "{ revokedSessionId }"),
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
        mutation(
            "createTask",
            &["input: CreateTaskInput!"],
            "{ task { id } }",
            json!({ "input": { "title": "x" } }),
            rows::create(),
        ),
        mutation(
            "updateTask",
            &["id: ID!", "input: UpdateTaskInput!", "expectedVersion: Int"],
            "{ task { id } }",
            edit.clone(),
            rows::update(),
        ),
        mutation(
            "replaceTask",
            &["id: ID!", "input: ReplaceTaskInput!", "expectedVersion: Int"],
            "{ task { id } }",
            edit,
            rows::replace(),
        ),
        simple("completeTask", "{ task { id } }"),
        simple("reopenTask", "{ task { id } }"),
        mutation(
            "toggleTask",
            &["id: ID!", "expectedVersion: Int"],
            "{ task { id } }",
            by_id.clone(),
            [rows::id_rows(), rows::versions()].concat(),
        ),
        simple("deleteTask", "{ deletedTaskId }"),
    ]
}
