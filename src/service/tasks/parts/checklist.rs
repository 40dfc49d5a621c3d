//! Changes of single checklist items. Each change locks the task and raises its version, unless nothing
//! differs.

use sea_orm::sea_query::ExprTrait;
use sea_orm::{ActiveValue, ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::change::check_capacity;
use super::checklist_rows;
use crate::db::entity::checklist_item;
use crate::db::{Transaction, in_transaction, map_error};
use crate::domain::{
    ChecklistItem, Error, Faults, ItemEdit, MAX_ITEMS, NewItem, Problem, Result, Rule, Section, Task,
    ordering,
};
use crate::service::Tasks;

const NO_ITEM: Error = Error::NotFound("There is no such checklist item.");

/// The requested position of a checklist item.
#[derive(Clone, Copy, Debug, Default)]
pub struct ItemPosition {
    /// The item that it becomes a sub-item of.
    pub parent: Option<Uuid>,
    /// The sibling that it is inserted before; None inserts it at the end.
    pub before: Option<Uuid>,
}

impl Tasks<'_> {
    /// Adds a checklist item with its sub-items.
    ///
    /// Errors: NotFound or Forbidden for the task; Invalid when there would be too many items, or the
    /// position is invalid.
    pub async fn add_item(
        &self,
        task_id: Uuid,
        new: &NewItem,
        at: ItemPosition,
    ) -> Result<(ChecklistItem, Task)> {
        in_transaction!(self.database, |transaction| {
            let task = self.lock(&transaction, task_id, None).await?;
            let all = self.checklist_of(&transaction, task_id).await?;
            check_capacity(all.len() + 1 + new.children.len(), MAX_ITEMS, "checklist items")?;
            let (siblings, index) = resolve_position(&all, new.section, at)?;

            let mut rows = checklist_rows(task_id, std::slice::from_ref(new));
            rows[0].parent_id = at.parent;
            rows[0].position = self.insert_position(&transaction, &siblings, index).await?;
            let item = rows[0].clone();
            let rows = rows.into_iter().map(checklist_item::ActiveModel::from);
            let insert = checklist_item::Entity::insert_many(rows).exec_without_returning(&transaction);
            insert.await.map_err(map_error)?;
            Ok((item, self.save_next_version(&transaction, task).await?))
        })
    }

    /// Changes a checklist item.
    ///
    /// Errors: NotFound when there is none in an active task of the viewer; Forbidden when its task belongs
    /// to another user.
    pub async fn edit_item(&self, id: Uuid, edit: &ItemEdit) -> Result<(ChecklistItem, Task)> {
        in_transaction!(self.database, |transaction| {
            let (task, item) = self.lock_item(&transaction, id).await?;
            let ItemEdit { text, done } = edit.clone();
            let edited = ChecklistItem {
                text: text.map_or_else(|| item.text.clone(), |text| text.into_string()),
                done: done.unwrap_or(item.done),
                ..item.clone()
            };
            if edited == item {
                return Ok((item, task));
            }
            let row = checklist_item::ActiveModel::from(edited.clone());
            let update = checklist_item::Entity::update_many().set(row);
            let update = update.filter(checklist_item::Column::Id.eq(id)).exec(&transaction);
            update.await.map_err(map_error)?;
            Ok((edited, self.save_next_version(&transaction, task).await?))
        })
    }

    /// Moves a checklist item before one of its siblings, or to the end.
    ///
    /// Errors: those of [`Tasks::edit_item`]; Invalid when `before` is not a sibling.
    pub async fn move_item(&self, id: Uuid, before: Option<Uuid>) -> Result<(ChecklistItem, Task)> {
        in_transaction!(self.database, |transaction| {
            let (task, mut item) = self.lock_item(&transaction, id).await?;
            let all = self.checklist_of(&transaction, task.id).await?;
            let is_sibling =
                |other: &&ChecklistItem| other.parent_id == item.parent_id && other.section == item.section;
            let order: Vec<Uuid> = all.iter().filter(is_sibling).map(|other| other.id).collect();
            let next = order.iter().skip_while(|other| **other != id).nth(1).copied();
            if before == Some(id) || before == next {
                return Ok((item, task));
            }
            let others: Vec<ChecklistItem> = all.into_iter().filter(|other| other.id != id).collect();
            let at = ItemPosition { parent: item.parent_id, before };
            let (siblings, index) = resolve_position(&others, item.section, at)?;
            item.position = self.insert_position(&transaction, &siblings, index).await?;
            set_position(&transaction, id, item.position).await?;
            Ok((item, self.save_next_version(&transaction, task).await?))
        })
    }

    /// Removes a checklist item with its sub-items.
    ///
    /// Errors: those of [`Tasks::edit_item`].
    pub async fn remove_item(&self, id: Uuid) -> Result<Task> {
        use checklist_item::{Column, Entity};
        in_transaction!(self.database, |transaction| {
            let (task, _) = self.lock_item(&transaction, id).await?;
            let removed = Entity::delete_many()
                .filter(Column::TaskId.eq(task.id))
                .filter(Column::Id.eq(id).or(Column::ParentId.eq(id)));
            removed.exec(&transaction).await.map_err(map_error)?;
            self.save_next_version(&transaction, task).await
        })
    }

    async fn lock_item(&self, transaction: &Transaction, id: Uuid) -> Result<(Task, ChecklistItem)> {
        use checklist_item::{Column, Entity};
        let task = self.lock_task_of(transaction, Column::Id.eq(id), Column::TaskId, NO_ITEM).await?;
        let row = Entity::find().filter(Column::Id.eq(id)).one(transaction).await.map_err(map_error)?;
        Ok((task, row.ok_or(NO_ITEM)?.try_into()?))
    }

    /// A position before the sibling with this index. Moves siblings when there is no gap.
    async fn insert_position(
        &self,
        transaction: &Transaction,
        siblings: &[&ChecklistItem],
        index: usize,
    ) -> Result<i64> {
        let positions: Vec<i64> = siblings.iter().map(|item| item.position).collect();
        let placement = ordering::insert(&positions, index);
        for (index, position) in placement.moved {
            set_position(transaction, siblings[index].id, position).await?;
        }
        Ok(placement.position)
    }
}

async fn set_position(transaction: &Transaction, id: Uuid, position: i64) -> Result<()> {
    use checklist_item::{ActiveModel, Column, Entity};
    let row = ActiveModel { position: ActiveValue::Set(position), ..Default::default() };
    let update = Entity::update_many().set(row).filter(Column::Id.eq(id)).exec(transaction);
    update.await.map_err(map_error).map(drop)
}

/// The siblings of an item that is inserted into a section, and the index among them where it is inserted.
///
/// All top-level items form one sequence. An item that is added at the end of a section follows the last item
/// of this section or of a section that precedes it in the document.
fn resolve_position(
    all: &[ChecklistItem],
    section: Section,
    at: ItemPosition,
) -> Result<(Vec<&ChecklistItem>, usize)> {
    let mut faults = Faults::default();
    if let Some(parent) = at.parent {
        let can_have_children = |item: &&ChecklistItem| {
            item.id == parent && item.parent_id.is_none() && item.section == Section::Action
        };
        if section != Section::Action || !all.iter().any(|item| can_have_children(&item)) {
            faults.push(
                "parentId",
                Problem::new(Rule::Invalid, "is not an ACTION item of this task that can have children"),
            );
        }
    }
    let siblings: Vec<&ChecklistItem> = all.iter().filter(|item| item.parent_id == at.parent).collect();
    let index = match at.before {
        None => siblings.iter().rposition(|item| item.section <= section).map_or(0, |last| last + 1),
        Some(before) => {
            let is_before = |item: &&ChecklistItem| item.id == before && item.section == section;
            siblings.iter().position(is_before).unwrap_or_else(|| {
                let message = "is not an item of this task in the same section and level";
                faults.push("before", Problem::new(Rule::Invalid, message));
                0
            })
        }
    };
    faults.finish(Some((siblings, index)))
}
