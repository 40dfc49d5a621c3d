//! A row of `claims`.

use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;

use crate::domain::{Claim, Error, Result};

#[sea_orm::model]
#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "claims")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub owner_id: Uuid,
    pub task_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub worker: String,
    /// The paths, as an array in JSON.
    #[sea_orm(column_type = "Text")]
    pub paths: String,
    pub claimed_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    /// When completeClaim ended the claim.
    pub completed_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "owner_id", to = "id", on_delete = "Cascade")]
    pub owner: HasOne<super::user::Entity>,
    #[sea_orm(belongs_to, from = "task_id", to = "id", on_delete = "Cascade")]
    pub task: HasOne<super::task::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Claim> for ActiveModel {
    fn from(claim: &Claim) -> Self {
        let Claim { id, owner_id, task_id, worker, paths, claimed_at, expires_at, completed_at } = claim;
        Self {
            id: Set(*id),
            owner_id: Set(*owner_id),
            task_id: Set(*task_id),
            worker: Set(worker.clone()),
            paths: Set(serde_json::to_string(paths).expect("an array of texts is JSON")),
            claimed_at: Set(*claimed_at),
            expires_at: Set(*expires_at),
            completed_at: Set(*completed_at),
        }
    }
}

impl TryFrom<Model> for Claim {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        let Model { id, owner_id, task_id, worker, paths, claimed_at, expires_at, completed_at, .. } = row;
        let paths = serde_json::from_str(&paths).map_err(Error::internal)?;
        Ok(Self { id, owner_id, task_id, worker, paths, claimed_at, expires_at, completed_at })
    }
}
