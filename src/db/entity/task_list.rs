//! A row of `task_lists`.

use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

use crate::db::entity::partial_row;
use crate::db::entity::stored::{StoredInstant, StoredName};
use crate::domain::{StoredEnum, TaskList, TaskOrdering};

#[sea_orm::model]
#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "task_lists")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub owner_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub title: String,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    pub version: i32,
    #[sea_orm(column_type = "Text", default_value = "MARKED")]
    pub ordering: String,
    /// The document. It is the last column, so that SQLite reads the others without it.
    #[sea_orm(column_type = "Text")]
    pub source: String,
    #[sea_orm(belongs_to, from = "owner_id", to = "id", on_delete = "Cascade")]
    pub owner: HasOne<super::user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

partial_row! {
    /// The columns of a task list, without the document.
    pub struct TaskListRow {
        pub id: Uuid,
        pub owner_id: Uuid,
        pub title: String,
        pub created_at: StoredInstant,
        pub updated_at: StoredInstant,
        pub deleted_at: Option<StoredInstant>,
        pub version: i32,
        pub ordering: StoredName<TaskOrdering>,
    }
}

impl From<&TaskList> for ActiveModel {
    fn from(list: &TaskList) -> Self {
        let TaskList { id, owner_id, title, created_at, updated_at, deleted_at, version, ordering } =
            list.clone();
        Self {
            id: Set(id),
            owner_id: Set(owner_id),
            title: Set(title),
            created_at: Set(created_at),
            updated_at: Set(updated_at),
            deleted_at: Set(deleted_at),
            version: Set(version),
            ordering: Set(ordering.name().to_owned()),
            ..Default::default()
        }
    }
}

impl From<TaskListRow> for TaskList {
    fn from(row: TaskListRow) -> Self {
        Self {
            id: row.id,
            owner_id: row.owner_id,
            title: row.title,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
            deleted_at: row.deleted_at.map(|at| at.0),
            version: row.version,
            ordering: row.ordering.0,
        }
    }
}
