//! A reference implementation of the list: filters and sorts tasks in memory by the arguments as they are
//! sent.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Query, Value as SqlValue};
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

use crate::support::{Actor, TestApp, Value, json};

pub const STATUSES: [&str; 4] = ["PENDING", "IN_PROGRESS", "BLOCKED", "COMPLETED"];
pub const PRIORITIES: [&str; 4] = ["LOW", "MEDIUM", "HIGH", "CRITICAL"];

/// A row of `tasks`.
#[derive(Clone, Debug)]
pub struct Task {
    pub id: Uuid,
    pub title: String,
    pub description: Option<String>,
    pub objective: Option<String>,
    pub labels: Vec<String>,
    pub status: &'static str,
    pub priority: &'static str,
    pub due_at: Option<DateTime<Utc>>,
    pub completed_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub deleted_at: Option<DateTime<Utc>>,
}

/// Parses an RFC 3339 instant.
pub fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("the text is an RFC 3339 instant")
}

/// Normalizes text for search and labels for comparison: lower case and one Unicode normalization form.
pub fn folded(text: &str) -> String {
    text.to_lowercase().replace('ς', "σ").nfc().collect()
}

impl Task {
    /// A pending task with this number in its title, its id and its time of creation in seconds.
    pub fn numbered(number: u32) -> Self {
        let at = instant("2026-11-21T09:30:00Z") + chrono::TimeDelta::seconds(number.into());
        Self {
            id: Uuid::from_u128(number.into()),
            title: format!("task {number}"),
            description: None,
            objective: None,
            labels: Vec::new(),
            status: "PENDING",
            priority: "MEDIUM",
            due_at: None,
            completed_at: None,
            created_at: at,
            updated_at: at,
            deleted_at: None,
        }
    }

    fn date(&self, field: &str) -> Option<DateTime<Utc>> {
        match field {
            "createdAt" | "CREATED_AT" => Some(self.created_at),
            "updatedAt" | "UPDATED_AT" => Some(self.updated_at),
            "dueAt" | "DUE_AT" => self.due_at,
            "completedAt" | "COMPLETED_AT" => self.completed_at,
            _ => panic!("{field} is not a date"),
        }
    }

    /// The search column of labels: each label between two line breaks; empty without labels.
    fn labels_key(&self) -> String {
        let labels: Vec<String> = self.labels.iter().map(|label| folded(label)).collect();
        if labels.is_empty() { String::new() } else { format!("\n{}\n", labels.join("\n")) }
    }

    fn has_label(&self, label: &str) -> bool {
        self.labels.iter().any(|own| folded(own) == folded(label))
    }

    /// The texts that are searched.
    fn texts(&self) -> impl Iterator<Item = &String> {
        let texts = [Some(&self.title), self.description.as_ref(), self.objective.as_ref()];
        texts.into_iter().flatten().chain(&self.labels)
    }

    /// Whether one of the searched texts contains a word.
    fn contains_word(&self, word: &str) -> bool {
        self.texts().any(|text| folded(text).contains(&folded(word)))
    }

    fn key(&self, field: &str) -> Option<Key> {
        let rank = |names: [&str; 4], name| names.iter().position(|each| *each == name).map(Key::Rank);
        match field {
            "STATUS" => rank(STATUSES, self.status),
            "PRIORITY" => rank(PRIORITIES, self.priority),
            "TITLE" => Some(Key::Text(self.title.to_lowercase().chars().collect())),
            date => self.date(date).map(Key::Instant),
        }
    }
}

/// A sort key of a task.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Rank(usize),
    Instant(DateTime<Utc>),
    Text(Vec<char>),
}

/// The ids of the active tasks that meet `filter`, in the order of `orderBy`.
pub fn list(tasks: &[Task], filter: &Value, order_by: &[Value]) -> Vec<String> {
    let newest_first = [json!({ "field": "CREATED_AT", "direction": "DESC" })];
    let order = if order_by.is_empty() { &newest_first } else { order_by };
    let mut shown: Vec<&Task> =
        tasks.iter().filter(|task| task.deleted_at.is_none() && meets(task, filter)).collect();
    shown.sort_by(|a, b| {
        let by_keys = order.iter().map(|key| compare(key, a, b)).find(|ordering| ordering.is_ne());
        by_keys.unwrap_or_else(|| directed(&order[order.len() - 1], a.id.cmp(&b.id)))
    });
    shown.iter().map(|task| task.id.to_string()).collect()
}

fn directed(key: &Value, ordering: Ordering) -> Ordering {
    if key["direction"] == "DESC" { ordering.reverse() } else { ordering }
}

fn compare(key: &Value, a: &Task, b: &Task) -> Ordering {
    let field = key["field"].as_str().expect("a key has a field");
    let without = if key["nulls"] == "FIRST" { Ordering::Less } else { Ordering::Greater };
    match (a.key(field), b.key(field)) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => without,
        (Some(_), None) => without.reverse(),
        (Some(a), Some(b)) => directed(key, a.cmp(&b)),
    }
}

/// Whether a task meets a filter. Conditions that are null are ignored.
pub fn meets(task: &Task, filter: &Value) -> bool {
    let Some(conditions) = filter.as_object() else { return true };
    let any = |names: &Value, name: &str| items(names).iter().any(|each| *each == name);
    conditions.iter().filter(|(_, value)| !value.is_null()).all(|(name, value)| match name.as_str() {
        "and" => items(value).iter().all(|filter| meets(task, filter)),
        "or" => items(value).iter().any(|filter| meets(task, filter)),
        "not" => !meets(task, value),
        "completed" => *value == (task.status == "COMPLETED"),
        "status" => any(value, task.status),
        "priority" => any(value, task.priority),
        "labels" => items(value).iter().filter_map(Value::as_str).all(|label| task.has_label(label)),
        "text" => {
            value.as_str().into_iter().flat_map(str::split_whitespace).all(|word| task.contains_word(word))
        }
        date => within(task.date(date), value),
    })
}

/// The items of a list; any other value counts as a list of one item.
fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

fn within(date: Option<DateTime<Utc>>, range: &Value) -> bool {
    let bound = |name: &str| range[name].as_str().map(instant);
    bound("from").is_none_or(|from| date.is_some_and(|date| date >= from))
        && bound("before").is_none_or(|before| date.is_some_and(|date| date < before))
        && range["isNull"].as_bool().is_none_or(|is_null| is_null == date.is_none())
}

/// Inserts rows directly, because the API does not let clients set the times.
pub async fn insert(app: &TestApp, owner: &Actor<'_>, tasks: &[Task]) {
    let owner_id: Uuid = owner.id.parse().expect("an id is a UUID");
    for tasks in tasks.chunks(100) {
        let mut insert = Query::insert();
        insert.into_table("tasks").columns([
            "id",
            "owner_id",
            "title",
            "title_key",
            "description",
            "objective",
            "labels",
            "labels_key",
            "search_key",
            "status",
            "priority",
            "due_at",
            "completed_at",
            "created_at",
            "updated_at",
            "deleted_at",
            "version",
        ]);
        for task in tasks.iter().cloned() {
            let values: [SqlValue; 17] = [
                task.id.into(),
                owner_id.into(),
                task.title.clone().into(),
                task.title.to_lowercase().into(),
                task.description.clone().into(),
                task.objective.clone().into(),
                task.labels.join("\n").into(),
                task.labels_key().into(),
                task.texts().map(|text| folded(text)).collect::<Vec<_>>().join("\n").into(),
                task.status.into(),
                task.priority.into(),
                task.due_at.into(),
                task.completed_at.into(),
                task.created_at.into(),
                task.updated_at.into(),
                task.deleted_at.into(),
                1.into(),
            ];
            insert.values_panic(values.map(Into::into));
        }
        app.connection().execute(&insert).await.expect("the rows fit the table");
    }
}
