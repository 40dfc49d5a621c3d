//! A row of `risks`.

use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

use crate::db::entity::parse_stored;
use crate::domain::{Error, Result, Risk, StoredEnum};

#[sea_orm::model]
#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "risks")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub task_id: Uuid,
    pub position: i64,
    #[sea_orm(column_type = "Text")]
    pub description: String,
    #[sea_orm(column_type = "Text")]
    pub likelihood: String,
    #[sea_orm(column_type = "Text")]
    pub impact: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub mitigation: Option<String>,
    pub origin: Option<i32>,
    #[sea_orm(belongs_to, from = "task_id", to = "id", on_delete = "Cascade")]
    pub task: HasOne<super::task::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl From<Risk> for ActiveModel {
    fn from(risk: Risk) -> Self {
        let Risk { id, task_id, description, likelihood, impact, mitigation, position, origin } = risk;
        Self {
            id: Set(id),
            task_id: Set(task_id),
            position: Set(position),
            origin: Set(origin),
            description: Set(description),
            likelihood: Set(likelihood.name().to_owned()),
            impact: Set(impact.name().to_owned()),
            mitigation: Set(mitigation),
        }
    }
}

impl TryFrom<Model> for Risk {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        let Model { id, task_id, position, description, likelihood, impact, mitigation, origin, .. } = row;
        let (likelihood, impact) = (parse_stored(&likelihood)?, parse_stored(&impact)?);
        Ok(Self { id, task_id, description, likelihood, impact, mitigation, position, origin })
    }
}
