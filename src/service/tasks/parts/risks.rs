//! Changes of single risks. Each change locks the task and raises its version, unless nothing differs.

use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::change::check_capacity;
use crate::db::entity::risk;
use crate::db::{in_transaction, map_error};
use crate::domain::{Error, MAX_RISKS, NewRisk, Result, Risk, RiskEdit, Task, new_id, ordering};
use crate::service::Tasks;

const NO_RISK: Error = Error::NotFound("There is no such risk.");

impl Tasks<'_> {
    /// Adds a risk at the end.
    ///
    /// Errors: NotFound or Forbidden for the task; Invalid when there would be too many risks.
    pub async fn add_risk(&self, task_id: Uuid, new: &NewRisk) -> Result<(Risk, Task)> {
        use risk::{ActiveModel, Column, Entity};
        in_transaction!(self.database, |transaction| {
            let task = self.lock(&transaction, task_id, None).await?;
            let others = Entity::find().filter(Column::TaskId.eq(task_id));
            let count = others.clone().count(&transaction).await.map_err(map_error)?;
            check_capacity(count as usize + 1, MAX_RISKS, "risks")?;
            let last = others.order_by_desc(Column::Position).one(&transaction).await.map_err(map_error)?;
            let NewRisk { description, likelihood, impact, mitigation } = new.clone();
            let risk = Risk {
                id: new_id(),
                task_id,
                description: description.into_string(),
                likelihood,
                impact,
                mitigation,
                position: ordering::after(last.map(|last| last.position)),
                origin: None,
            };
            let insert = Entity::insert(ActiveModel::from(risk.clone()));
            insert.exec_without_returning(&transaction).await.map_err(map_error)?;
            Ok((risk, self.save_next_version(&transaction, task).await?))
        })
    }

    /// Changes a risk.
    ///
    /// Errors: NotFound when there is none in an active task of the viewer; Forbidden when its task belongs
    /// to another user.
    pub async fn edit_risk(&self, id: Uuid, edit: &RiskEdit) -> Result<(Risk, Task)> {
        use risk::{ActiveModel, Column, Entity};
        in_transaction!(self.database, |transaction| {
            let task = self.lock_task_of(&transaction, Column::Id.eq(id), Column::TaskId, NO_RISK).await?;
            let row = Entity::find().filter(Column::Id.eq(id)).one(&transaction).await.map_err(map_error)?;
            let risk: Risk = row.ok_or(NO_RISK)?.try_into()?;
            let RiskEdit { description, likelihood, impact, mitigation } = edit.clone();
            let edited = Risk {
                description: description.map_or_else(|| risk.description.clone(), |text| text.into_string()),
                likelihood: likelihood.unwrap_or(risk.likelihood),
                impact: impact.unwrap_or(risk.impact),
                mitigation: mitigation.unwrap_or_else(|| risk.mitigation.clone()),
                ..risk.clone()
            };
            if edited == risk {
                return Ok((risk, task));
            }
            let update = Entity::update_many().set(ActiveModel::from(edited.clone()));
            update.filter(Column::Id.eq(id)).exec(&transaction).await.map_err(map_error)?;
            Ok((edited, self.save_next_version(&transaction, task).await?))
        })
    }

    /// Removes a risk.
    ///
    /// Errors: those of [`Tasks::edit_risk`].
    pub async fn remove_risk(&self, id: Uuid) -> Result<Task> {
        self.remove_part(risk::Column::Id, risk::Column::TaskId, id, NO_RISK).await
    }
}
