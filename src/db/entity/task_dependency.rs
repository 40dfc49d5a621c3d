//! A row of `task_dependencies`: a dependency that a client added.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "task_dependencies")]
pub struct Model {
    /// The task that waits.
    #[sea_orm(primary_key, auto_increment = false)]
    pub task_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub blocked_by_id: Uuid,
    /// The place among the dependencies of the task.
    pub position: i64,
    #[sea_orm(belongs_to, relation_enum = "Task", from = "task_id", to = "id", on_delete = "Cascade")]
    pub task: HasOne<super::task::Entity>,
    #[sea_orm(
        belongs_to,
        relation_enum = "BlockedBy",
        from = "blocked_by_id",
        to = "id",
        on_delete = "Cascade"
    )]
    pub blocked_by: HasOne<super::task::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
