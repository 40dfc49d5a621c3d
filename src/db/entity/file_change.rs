//! A row of `file_changes`.

use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

use crate::db::entity::parse_stored;
use crate::domain::{Error, FileChange, Result, StoredEnum};

#[sea_orm::model]
#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "file_changes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub task_id: Uuid,
    pub position: i64,
    #[sea_orm(column_type = "Text")]
    pub path: String,
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    pub origin: Option<i32>,
    #[sea_orm(belongs_to, from = "task_id", to = "id", on_delete = "Cascade")]
    pub task: HasOne<super::task::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl From<FileChange> for ActiveModel {
    fn from(file: FileChange) -> Self {
        let FileChange { id, task_id, path, kind, position, origin } = file;
        Self {
            id: Set(id),
            task_id: Set(task_id),
            position: Set(position),
            origin: Set(origin),
            path: Set(path),
            kind: Set(kind.name().to_owned()),
        }
    }
}

impl TryFrom<Model> for FileChange {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        let Model { id, task_id, position, path, kind, origin, .. } = row;
        Ok(Self { id, task_id, path, kind: parse_stored(&kind)?, position, origin })
    }
}
