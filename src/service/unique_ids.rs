//! Which ids are in use, because an id names one object only, of any kind. Expired and deleted objects that still
//! have rows are the concern of the caller.

use std::collections::HashSet;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::db::entity::{api_key, checklist_item, file_change, risk, session, task, task_list, user};
use crate::db::{Transaction, map_error};
use crate::domain::Result;

/// Those of the ids that belong to tasks of any user.
pub async fn of_tasks(transaction: &Transaction, ids: &HashSet<Uuid>) -> Result<HashSet<Uuid>> {
    existing(transaction, task::Column::Id, ids).await
}

/// Those of the ids that belong to task lists of any user.
pub async fn of_lists(transaction: &Transaction, ids: &HashSet<Uuid>) -> Result<HashSet<Uuid>> {
    existing(transaction, task_list::Column::Id, ids).await
}

/// Those of the ids that belong to objects of which clients cannot choose the id.
pub async fn of_other_objects(transaction: &Transaction, ids: &HashSet<Uuid>) -> Result<HashSet<Uuid>> {
    let mut taken = HashSet::new();
    taken.extend(existing(transaction, user::Column::Id, ids).await?);
    taken.extend(existing(transaction, session::Column::Id, ids).await?);
    taken.extend(existing(transaction, api_key::Column::Id, ids).await?);
    taken.extend(existing(transaction, checklist_item::Column::Id, ids).await?);
    taken.extend(existing(transaction, risk::Column::Id, ids).await?);
    taken.extend(existing(transaction, file_change::Column::Id, ids).await?);
    Ok(taken)
}

async fn existing<C>(transaction: &Transaction, id: C, among: &HashSet<Uuid>) -> Result<HashSet<Uuid>>
where
    C: ColumnTrait,
    C::EntityName: EntityTrait,
{
    let select = <C::EntityName as EntityTrait>::find().select_only().column(id);
    let select = select.filter(id.is_in(among.iter().copied()));
    let found: Vec<Uuid> = select.into_tuple().all(transaction).await.map_err(map_error)?;
    Ok(found.into_iter().collect())
}
