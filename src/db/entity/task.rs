//! A row of `tasks`.

use std::collections::HashMap;
use std::sync::LazyLock;

use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::entity::prelude::*;
use sea_orm::{IdenStatic, Iterable};

use crate::db::entity::stored::{StoredInstant, StoredName};
use crate::db::entity::{ColumnSet, partial_row};
use crate::domain::{
    Labels, ListEntry, StoredEnum, Task, TaskDetails, TaskPriority, TaskStatus, Title, fold,
};

#[sea_orm::model]
#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "tasks")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub owner_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub title: String,
    #[sea_orm(column_type = "Text")]
    pub title_key: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub description: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub status: String,
    #[sea_orm(column_type = "Text")]
    pub priority: String,
    #[sea_orm(column_type = "Text", default_value = "")]
    pub labels: String,
    #[sea_orm(column_type = "Text", default_value = "")]
    pub labels_key: String,
    #[sea_orm(column_type = "Text", default_value = "")]
    pub search_key: String,
    pub due_at: Option<DateTimeUtc>,
    pub completed_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    pub version: i32,
    pub date: Option<Date>,
    #[sea_orm(column_type = "Text", nullable)]
    pub owner_label: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub objective: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub rationale: Option<String>,
    /// The position of the last change in the order of the owner's changes. Triggers write it.
    #[sea_orm(default_value = 0)]
    pub position: i64,
    pub list_id: Option<Uuid>,
    #[sea_orm(column_type = "Text", nullable)]
    pub key: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub text: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub details: Option<String>,
    pub parallel: Option<bool>,
    /// The keys of the stories, each between two line feeds.
    #[sea_orm(column_type = "Text", nullable)]
    pub stories: Option<String>,
    pub phase_id: Option<Uuid>,
    #[sea_orm(column_type = "Text", nullable)]
    pub phase_number: Option<String>,
    #[sea_orm(default_value = 0)]
    pub list_position: i64,
    pub base_version: Option<i32>,
    pub deleted_with_list: Option<bool>,
    pub claim_id: Option<Uuid>,
    #[sea_orm(belongs_to, from = "owner_id", to = "id", on_delete = "Cascade")]
    pub owner: HasOne<super::user::Entity>,
    #[sea_orm(belongs_to, from = "list_id", to = "id", on_delete = "Cascade")]
    pub list: HasOne<super::task_list::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

partial_row! {
    /// The columns of a task, without the keys that only filters and orders use. After the semicolon: the
    /// columns that a list reads only when they are selected, or when it is ordered by them.
    pub struct TaskRow {
        pub id: Uuid;
        pub owner_id: Uuid,
        pub title: String,
        pub status: StoredName<TaskStatus>,
        pub priority: StoredName<TaskPriority>,
        pub description: Option<String>,
        pub labels: String,
        pub due_at: Option<StoredInstant>,
        pub completed_at: Option<StoredInstant>,
        pub created_at: StoredInstant,
        pub updated_at: StoredInstant,
        pub deleted_at: Option<StoredInstant>,
        pub version: i32,
        pub date: Option<Date>,
        pub owner_label: Option<String>,
        pub objective: Option<String>,
        pub rationale: Option<String>,
        pub list_id: Option<Uuid>,
        pub key: Option<String>,
        pub text: Option<String>,
        pub details: Option<String>,
        pub parallel: Option<bool>,
        pub stories: Option<String>,
        pub phase_id: Option<Uuid>,
        pub phase_number: Option<String>,
        pub list_position: Option<i64>,
        pub base_version: Option<i32>,
        pub deleted_with_list: Option<bool>,
        pub claim_id: Option<Uuid>,
    }
}

/// What the fields of a task in a list show, besides the columns with the same names.
const LIST_FIELDS: [(&str, &[&str]); 13] = [
    ("list", &["list_id"]),
    ("key", &["list_id", "key"]),
    ("text", &["list_id", "text"]),
    ("details", &["list_id", "details"]),
    ("parallel", &["list_id", "parallel"]),
    ("phase", &["list_id", "phase_id"]),
    ("stories", &["list_id", "stories"]),
    ("paths", &["list_id", "text", "details"]),
    ("blockedBy", &["list_id"]),
    ("blocks", &["list_id"]),
    ("waitsFor", &["list_id"]),
    ("ready", &["list_id"]),
    ("claim", &["list_id"]),
];

/// The columns that a list of tasks reads.
#[derive(Clone, Copy)]
pub struct TaskColumns(ColumnSet);

impl TaskColumns {
    /// The columns that these fields of the schema show: `dueAt` shows `due_at`, and `completed` shows `status`.
    /// Other names are ignored.
    pub fn shown_by<'a>(fields: impl IntoIterator<Item = &'a str>) -> Self {
        static SHOWN_BY: LazyLock<HashMap<String, ColumnSet>> = LazyLock::new(|| {
            let shown = |column: &str| ColumnSet::of(column, TaskRow::NAMES);
            let columns = TaskRow::NAMES.iter().map(|column| (camel_case(column), shown(column)));
            let of_list = LIST_FIELDS.iter().map(|(field, columns)| {
                let columns = columns.iter().map(|column| shown(column));
                ((*field).to_owned(), columns.reduce(ColumnSet::union).expect("each field shows a column"))
            });
            columns.chain(of_list).chain([("completed".to_owned(), shown("status"))]).collect()
        });
        let shown = fields.into_iter().filter_map(|field| SHOWN_BY.get(field));
        Self(shown.fold(TaskRow::REQUIRED, |columns, column| columns.union(*column)))
    }

    /// The columns, and the one that a list ordered by `column` needs for its cursors.
    pub fn with_ordered_by(self, column: Column) -> Self {
        let columns: &[Column] = match column {
            Column::TitleKey => &[Column::Title],
            Column::ListPosition => &[Column::ListId, Column::ListPosition],
            _ => &[column],
        };
        let of = |column: &Column| ColumnSet::of(column.as_str(), TaskRow::NAMES);
        Self(columns.iter().map(of).fold(self.0, ColumnSet::union))
    }

    /// The set for [`TaskRow::find_columns`] and [`TaskRow::all_columns`].
    pub fn set(self) -> ColumnSet {
        self.0
    }
}

/// The name of the field that shows a column.
fn camel_case(column: &str) -> String {
    let mut words = column.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
}

impl From<&Task> for ActiveModel {
    fn from(task: &Task) -> Self {
        Self::without_keys(task).with_keys(task)
    }
}

impl ActiveModel {
    fn without_keys(task: &Task) -> Self {
        let Task {
            id,
            owner_id,
            title,
            description,
            status,
            priority,
            labels,
            due_at,
            completed_at,
            created_at,
            updated_at,
            deleted_at,
            version,
            details: TaskDetails { date, owner_label, objective, rationale },
            entry,
        } = task.clone();
        let row = Self {
            id: Set(id),
            owner_id: Set(owner_id),
            title: Set(title),
            description: Set(description),
            status: Set(status.name().to_owned()),
            priority: Set(priority.name().to_owned()),
            labels: Set(labels.to_lines()),
            due_at: Set(due_at),
            completed_at: Set(completed_at),
            created_at: Set(created_at),
            updated_at: Set(updated_at),
            deleted_at: Set(deleted_at),
            version: Set(version),
            date: Set(date),
            owner_label: Set(owner_label),
            objective: Set(objective),
            rationale: Set(rationale),
            ..Default::default()
        };
        match entry {
            Some(entry) => row.with_entry(*entry),
            None => row,
        }
    }

    fn with_entry(self, entry: ListEntry) -> Self {
        let ListEntry { list_id, key, text, details, parallel, stories, .. } = entry;
        Self {
            list_id: Set(Some(list_id)),
            key: Set(Some(key)),
            text: Set(Some(text)),
            details: Set(details),
            parallel: Set(Some(parallel)),
            stories: Set(Some(lines_of(&stories))),
            phase_id: Set(entry.phase_id),
            phase_number: Set(entry.phase_number),
            list_position: Set(entry.position),
            base_version: Set(entry.base_version),
            deleted_with_list: Set(entry.deleted_with_list.then_some(true)),
            claim_id: Set(entry.claim_id),
            ..self
        }
    }

    /// Sets the keys that filters and orders compare.
    fn with_keys(self, task: &Task) -> Self {
        let folded = task.labels.as_slice().iter().map(|label| fold(label));
        let labels_key = lines_of(&folded.collect::<Vec<_>>());
        Self {
            title_key: Set(Title::key(&task.title)),
            search_key: Set(task.search_text() + &labels_key),
            labels_key: Set(labels_key),
            ..self
        }
    }
}

/// The texts, each between two line feeds, so that a condition finds a whole one.
fn lines_of(texts: &[String]) -> String {
    let lines = texts.iter().fold(String::new(), |lines, text| lines + "\n" + text);
    if lines.is_empty() { lines } else { lines + "\n" }
}

/// The changed columns between two versions of a task.
pub fn changes(before: &Task, after: &Task) -> ActiveModel {
    let (old, mut new) = (ActiveModel::without_keys(before), ActiveModel::without_keys(after));
    for column in Column::iter() {
        if old.get(column) == new.get(column) {
            new.not_set(column);
        }
    }
    new.id = Unchanged(after.id);
    // Folding long texts takes longer than the rest of a small change, such as completing a checklist item.
    if search_inputs(before) == search_inputs(after) { new } else { new.with_keys(after) }
}

/// The texts that the keys are computed from.
fn search_inputs(task: &Task) -> (&str, Option<&str>, Option<&str>, Option<&str>, &Labels) {
    let text = task.entry.as_ref().map(|entry| entry.text.as_str());
    (&task.title, text, task.description.as_deref(), task.details.objective.as_deref(), &task.labels)
}

impl TaskRow {
    /// What the task has from its line in a task list.
    fn take_entry(&mut self) -> Option<Box<ListEntry>> {
        let stories = self.stories.as_deref().unwrap_or_default();
        Some(Box::new(ListEntry {
            list_id: self.list_id?,
            key: self.key.take().unwrap_or_default(),
            text: self.text.take().unwrap_or_default(),
            details: self.details.take(),
            parallel: self.parallel.unwrap_or_default(),
            stories: stories.lines().filter(|story| !story.is_empty()).map(str::to_owned).collect(),
            phase_id: self.phase_id,
            phase_number: self.phase_number.take(),
            position: self.list_position.unwrap_or_default(),
            base_version: self.base_version,
            deleted_with_list: self.deleted_with_list.unwrap_or_default(),
            claim_id: self.claim_id,
        }))
    }
}

impl From<TaskRow> for Task {
    fn from(mut row: TaskRow) -> Self {
        Self {
            entry: row.take_entry(),
            status: row.status.0,
            priority: row.priority.0,
            id: row.id,
            owner_id: row.owner_id,
            title: row.title,
            description: row.description,
            labels: Labels::from_lines(&row.labels),
            due_at: row.due_at.map(|at| at.0),
            completed_at: row.completed_at.map(|at| at.0),
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
            deleted_at: row.deleted_at.map(|at| at.0),
            version: row.version,
            details: TaskDetails {
                date: row.date,
                owner_label: row.owner_label,
                objective: row.objective,
                rationale: row.rationale,
            },
        }
    }
}
