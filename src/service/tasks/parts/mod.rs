//! The parts of the viewer's tasks: checklists, risks and files. This file reads and replaces the parts of
//! whole tasks.

mod change;
mod checklist;
pub mod document;
mod files;
mod read;
mod risks;

pub use checklist::ItemPosition;
pub use read::ByTask;

use std::collections::HashMap;

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
};
use uuid::Uuid;

use crate::db::entity::{checklist_item, file_change, risk};
use crate::db::{Transaction, map_error};
use crate::domain::{
    ChecklistItem, Error, FileChange, NewItem, NewParts, Result, Risk, Section, new_id, ordering,
};
use crate::service::Tasks;

/// The number of rows of one INSERT: SQLite allows 32,766 parameters.
const ROWS_PER_INSERT: usize = 2_000;

/// The task parts of one or several tasks.
#[derive(Default)]
pub struct Parts {
    checklist: Vec<ChecklistItem>,
    risks: Vec<Risk>,
    files: Vec<FileChange>,
}

impl Parts {
    /// Adds new parts of a task.
    pub fn add(&mut self, task_id: Uuid, new: &NewParts) {
        let NewParts { checklist, risks, files } = new;
        self.checklist.extend(checklist_rows(task_id, checklist));
        self.risks.extend(risks.iter().enumerate().map(|(index, new)| Risk {
            id: new_id(),
            task_id,
            description: new.description.clone().into_string(),
            likelihood: new.likelihood,
            impact: new.impact,
            mitigation: new.mitigation.clone(),
            position: ordering::nth(index),
            origin: None,
        }));
        self.files.extend(files.iter().enumerate().map(|(index, new)| FileChange {
            id: new_id(),
            task_id,
            path: new.path.clone().into_string(),
            kind: new.kind,
            position: ordering::nth(index),
            origin: None,
        }));
    }

    /// Inserts all parts.
    pub async fn insert(self, transaction: &Transaction) -> Result<()> {
        insert::<checklist_item::Entity, _>(transaction, self.checklist).await?;
        insert::<risk::Entity, _>(transaction, self.risks).await?;
        insert::<file_change::Entity, _>(transaction, self.files).await
    }

    /// Whether both have the same parts, in any order.
    pub fn is_same(&self, other: &Self) -> bool {
        fn sorted<T>(parts: &[T], id: impl Fn(&T) -> Uuid) -> Vec<&T> {
            let mut parts: Vec<&T> = parts.iter().collect();
            parts.sort_unstable_by_key(|part| id(part));
            parts
        }
        sorted(&self.checklist, |item| item.id) == sorted(&other.checklist, |item| item.id)
            && sorted(&self.risks, |risk| risk.id) == sorted(&other.risks, |risk| risk.id)
            && sorted(&self.files, |file| file.id) == sorted(&other.files, |file| file.id)
    }

    /// Deletes all parts of a task.
    pub async fn delete(self, transaction: &Transaction, task_id: Uuid) -> Result<()> {
        delete_parts(transaction, checklist_item::Column::TaskId, task_id).await?;
        delete_parts(transaction, risk::Column::TaskId, task_id).await?;
        delete_parts(transaction, file_change::Column::TaskId, task_id).await
    }

    /// Replaces the parts of a task with `new`, except for kinds that do not differ. Returns whether any kind
    /// differed.
    pub async fn replace(self, transaction: &Transaction, task_id: Uuid, new: &NewParts) -> Result<bool> {
        let mut replacement = Self::default();
        replacement.add(task_id, new);
        let same_checklist = content_of(&self.checklist) == content_of(&replacement.checklist);
        let same_risks = self.risks.iter().map(risk_values).eq(replacement.risks.iter().map(risk_values));
        let same_files = self.files.iter().map(file_values).eq(replacement.files.iter().map(file_values));
        if same_checklist {
            replacement.checklist.clear();
        } else {
            delete_parts(transaction, checklist_item::Column::TaskId, task_id).await?;
        }
        if same_risks {
            replacement.risks.clear();
        } else {
            delete_parts(transaction, risk::Column::TaskId, task_id).await?;
        }
        if same_files {
            replacement.files.clear();
        } else {
            delete_parts(transaction, file_change::Column::TaskId, task_id).await?;
        }
        replacement.insert(transaction).await?;
        Ok(!(same_checklist && same_risks && same_files))
    }
}

/// The rows of a checklist. Sub-items follow their parent.
pub(in crate::service) fn checklist_rows(task_id: Uuid, items: &[NewItem]) -> Vec<ChecklistItem> {
    let item = |parent_id, index, new: &NewItem| ChecklistItem {
        id: new_id(),
        task_id,
        parent_id,
        section: new.section,
        text: new.text.clone().into_string(),
        done: new.done,
        position: ordering::nth(index),
        origin: None,
    };
    let mut rows = Vec::new();
    for (index, new) in items.iter().enumerate() {
        let parent = item(None, index, new);
        let parent_id = Some(parent.id);
        rows.push(parent);
        rows.extend(new.children.iter().enumerate().map(|(index, new)| item(parent_id, index, new)));
    }
    rows
}

/// The content of a checklist without ids. Sub-items follow their parent; the first value tells whether an
/// item has a parent.
fn content_of(items: &[ChecklistItem]) -> Vec<(bool, Section, &str, bool)> {
    let mut children: HashMap<Option<Uuid>, Vec<&ChecklistItem>> = HashMap::new();
    for item in items {
        children.entry(item.parent_id).or_default().push(item);
    }
    let of = |parent: Option<Uuid>| children.get(&parent).cloned().unwrap_or_default();
    let with_children = of(None).into_iter().flat_map(|item| [vec![item], of(Some(item.id))].concat());
    with_children.map(|item| (item.parent_id.is_some(), item.section, &*item.text, item.done)).collect()
}

fn risk_values(risk: &Risk) -> (&str, impl Eq + use<>, Option<&str>) {
    (&risk.description, (risk.likelihood, risk.impact), risk.mitigation.as_deref())
}

fn file_values(file: &FileChange) -> (&str, impl Eq + use<>) {
    (&file.path, file.kind)
}

async fn insert<E, T>(transaction: &Transaction, parts: Vec<T>) -> Result<()>
where
    E: EntityTrait,
    E::ActiveModel: ActiveModelTrait<Entity = E> + From<T> + Send,
    E::Model: IntoActiveModel<E::ActiveModel>,
{
    let mut rows = parts.into_iter().map(E::ActiveModel::from).peekable();
    while rows.peek().is_some() {
        let batch: Vec<E::ActiveModel> = rows.by_ref().take(ROWS_PER_INSERT).collect();
        E::insert_many(batch).exec_without_returning(transaction).await.map_err(map_error)?;
    }
    Ok(())
}

async fn delete_parts<C>(transaction: &Transaction, task_id_column: C, task_id: Uuid) -> Result<()>
where
    C: ColumnTrait,
    C::EntityName: EntityTrait,
{
    let delete = <C::EntityName as EntityTrait>::delete_many().filter(task_id_column.eq(task_id));
    delete.exec(transaction).await.map_err(map_error).map(drop)
}

fn to_domain<T, M>(rows: Vec<M>) -> Result<Vec<T>>
where
    T: TryFrom<M, Error = Error>,
{
    rows.into_iter().map(T::try_from).collect()
}

impl Tasks<'_> {
    /// All parts of one task.
    pub(in crate::service) async fn parts_of(
        &self,
        connection: &impl ConnectionTrait,
        task_id: Uuid,
    ) -> Result<Parts> {
        let checklist = self.checklist_of(connection, task_id).await?;
        let risks = risk::Entity::find().filter(risk::Column::TaskId.eq(task_id));
        let risks = risks.order_by_asc(risk::Column::Position).all(connection).await.map_err(map_error)?;
        let files = file_change::Entity::find().filter(file_change::Column::TaskId.eq(task_id));
        let files =
            files.order_by_asc(file_change::Column::Position).all(connection).await.map_err(map_error)?;
        Ok(Parts { checklist, risks: to_domain(risks)?, files: to_domain(files)? })
    }

    /// The checklist of one task. Sub-items and their parents are in one list, ordered by position.
    pub(in crate::service) async fn checklist_of(
        &self,
        connection: &impl ConnectionTrait,
        task_id: Uuid,
    ) -> Result<Vec<ChecklistItem>> {
        use checklist_item::{Column, Entity};
        let rows = Entity::find().filter(Column::TaskId.eq(task_id)).order_by_asc(Column::Position);
        to_domain(rows.all(connection).await.map_err(map_error)?)
    }
}
