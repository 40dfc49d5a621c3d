//! Which ids are in use, because an id names one object only, of any kind. Expired and deleted objects that still
//! have rows are the concern of the caller.

use std::collections::HashSet;

use sea_orm::sea_query::{SelectStatement, UnionType};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait};
use uuid::Uuid;

use crate::db::entity::{api_key, checklist_item, claim, file_change, risk, session, task, task_list, user};
use crate::db::{Transaction, map_error};
use crate::domain::Result;

/// A kind of objects of which clients can choose the id.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Task,
    List,
    Claim,
}

/// Those of the ids that belong to objects of any other kind, of any user. All kinds are searched with one statement.
pub async fn of_other_kinds(
    transaction: &Transaction,
    kind: Kind,
    ids: &HashSet<Uuid>,
) -> Result<HashSet<Uuid>> {
    let mut all = with_ids(user::Column::Id, ids);
    let others = [
        (kind != Kind::Task).then(|| with_ids(task::Column::Id, ids)),
        (kind != Kind::List).then(|| with_ids(task_list::Column::Id, ids)),
        (kind != Kind::Claim).then(|| with_ids(claim::Column::Id, ids)),
        Some(with_ids(session::Column::Id, ids)),
        Some(with_ids(api_key::Column::Id, ids)),
        Some(with_ids(checklist_item::Column::Id, ids)),
        Some(with_ids(risk::Column::Id, ids)),
        Some(with_ids(file_change::Column::Id, ids)),
    ];
    for other in others.into_iter().flatten() {
        all.union(UnionType::All, other);
    }
    let rows = transaction.query_all(&all).await.map_err(map_error)?;
    rows.iter().map(|row| row.try_get_by_index(0).map_err(map_error)).collect()
}

fn with_ids<C>(id: C, among: &HashSet<Uuid>) -> SelectStatement
where
    C: ColumnTrait,
    C::EntityName: EntityTrait,
{
    let select = <C::EntityName as EntityTrait>::find().select_only().column(id);
    select.filter(id.is_in(among.iter().copied())).into_query()
}
