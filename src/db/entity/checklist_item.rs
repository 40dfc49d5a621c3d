//! A row of `checklist_items`.

use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

use crate::db::entity::parse_stored;
use crate::domain::{ChecklistItem, Error, Result, StoredEnum};

#[sea_orm::model]
#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "checklist_items")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub task_id: Uuid,
    pub position: i64,
    pub parent_id: Option<Uuid>,
    #[sea_orm(column_type = "Text")]
    pub section: String,
    #[sea_orm(column_type = "Text")]
    pub text: String,
    pub done: bool,
    pub origin: Option<i32>,
    #[sea_orm(belongs_to, from = "task_id", to = "id", on_delete = "Cascade")]
    pub task: HasOne<super::task::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl From<ChecklistItem> for ActiveModel {
    fn from(item: ChecklistItem) -> Self {
        let ChecklistItem { id, task_id, parent_id, section, text, done, position, origin } = item;
        Self {
            id: Set(id),
            task_id: Set(task_id),
            position: Set(position),
            origin: Set(origin),
            parent_id: Set(parent_id),
            section: Set(section.name().to_owned()),
            text: Set(text),
            done: Set(done),
        }
    }
}

impl TryFrom<Model> for ChecklistItem {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        let Model { id, task_id, position, parent_id, section, text, done, origin, .. } = row;
        Ok(Self { id, task_id, parent_id, section: parse_stored(&section)?, text, done, position, origin })
    }
}
