//! A row of `tasks`.

use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

use crate::domain::{Error, Result, Task, TaskPriority, TaskStatus, Title};

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
    pub due_at: Option<DateTimeUtc>,
    pub completed_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    pub version: i32,
    #[sea_orm(belongs_to, from = "owner_id", to = "id", on_delete = "Cascade")]
    pub owner: HasOne<super::user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl From<Task> for ActiveModel {
    fn from(task: Task) -> Self {
        let Task {
            id,
            owner_id,
            title,
            description,
            status,
            priority,
            due_at,
            completed_at,
            created_at,
            updated_at,
            version,
        } = task;
        Self {
            id: Set(id),
            owner_id: Set(owner_id),
            title_key: Set(Title::key(&title)),
            title: Set(title),
            description: Set(description),
            status: Set(status.name().to_owned()),
            priority: Set(priority.name().to_owned()),
            due_at: Set(due_at),
            completed_at: Set(completed_at),
            created_at: Set(created_at),
            updated_at: Set(updated_at),
            deleted_at: Set(None),
            version: Set(version),
        }
    }
}

impl TryFrom<Model> for Task {
    type Error = Error;

    /// Fails on a status or priority that this program does not know.
    fn try_from(row: Model) -> Result<Self> {
        let unknown = |what: &str| Error::internal(anyhow::anyhow!("task {} has an unknown {what}", row.id));
        let status = TaskStatus::ALL.into_iter().find(|status| status.name() == row.status);
        let priority = TaskPriority::ALL.into_iter().find(|priority| priority.name() == row.priority);
        Ok(Self {
            status: status.ok_or_else(|| unknown("status"))?,
            priority: priority.ok_or_else(|| unknown("priority"))?,
            id: row.id,
            owner_id: row.owner_id,
            title: row.title,
            description: row.description,
            due_at: row.due_at,
            completed_at: row.completed_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            version: row.version,
        })
    }
}
