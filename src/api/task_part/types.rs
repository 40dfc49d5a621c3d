//! The types of task parts: checklist items, risks and files.

use std::sync::Arc;

use async_graphql::parser::types::Field;
use async_graphql::{ComplexObject, Context, ContextBase, ContextSelectionSet, Enum, SimpleObject};
use uuid::Uuid;

use crate::api::scalar::Id;
use crate::api::task::part_loader::TaskPartLoader;
use crate::domain::{self, Result};
use crate::graphql::direct_json::write::write_items;
use crate::graphql::direct_json::{DirectJson, DirectList, FieldWriter, SelectionWriter};
use crate::graphql::error::FieldError;
use crate::graphql::execution_state::ExecutionExt;

/// The section of the task document that a checklist item belongs to.
#[derive(Enum, DirectJson, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::Section")]
pub enum ChecklistSection {
    /// Work that the task includes.
    InScope,
    /// Work that the task does not include. These items are not counted in progress.
    OutOfScope,
    /// Results that the task produces.
    Deliverable,
    /// Work to do. These items can have sub-items, for example a phase with its steps.
    Action,
    /// Criteria for the acceptance of the finished task.
    Acceptance,
}

/// The level of the likelihood or impact of a risk.
#[derive(Enum, DirectJson, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::RiskLevel")]
pub enum RiskLevel {
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
}

/// The kind of change to a file.
#[derive(Enum, DirectJson, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::FileChangeKind")]
pub enum FileChangeKind {
    /// The file is created.
    Created,
    /// The file exists and is modified.
    Modified,
    /// The file is deleted.
    Deleted,
}

/// An item of a checklist. An ACTION item can have sub-items, which are ACTION items without sub-items.
#[derive(SimpleObject, DirectJson, Clone)]
#[graphql(name = "ChecklistItem", complex)]
#[direct_json(resolvers = "resolver_writer")]
pub struct ChecklistItemNode {
    /// The id of the checklist item, a UUID.
    pub id: Id,
    /// The section of the task document that the item belongs to.
    section: ChecklistSection,
    /// The text, 1 to 1,000 characters.
    text: String,
    /// Whether the item is done. It does not depend on its sub-items or its parent.
    done: bool,
    #[graphql(skip)]
    task: Uuid,
    #[graphql(skip)]
    parent: Option<Uuid>,
    #[graphql(skip)]
    loader: Arc<TaskPartLoader>,
}

impl ChecklistItemNode {
    /// Checklist items of a task of `loader`, charged to the response. Errors: ResponseTooLarge.
    pub fn all<'a>(
        ctx: &Context<'_>,
        items: impl Iterator<Item = &'a domain::ChecklistItem>,
        loader: &Arc<TaskPartLoader>,
    ) -> Result<Vec<Self>, FieldError> {
        let node = |item: &domain::ChecklistItem| {
            charge(ctx, [item.text.as_str()])?;
            Ok(Self::new(item.clone(), loader))
        };
        items.map(node).collect()
    }

    /// A checklist item of a task of `loader`.
    pub fn new(item: domain::ChecklistItem, loader: &Arc<TaskPartLoader>) -> Self {
        Self {
            id: item.id.into(),
            section: item.section.into(),
            text: item.text,
            done: item.done,
            task: item.task_id,
            parent: item.parent_id,
            loader: loader.clone(),
        }
    }
}

#[ComplexObject]
impl ChecklistItemNode {
    /// The sub-items, in order.
    async fn children(&self, ctx: &Context<'_>) -> Result<DirectList<ChecklistItemNode>, FieldError> {
        let items = self.loader.checklist(ctx, self.task).await?;
        Ok(DirectList(Self::all(ctx, self.sub_items_among(items), &self.loader)?))
    }
}

impl ChecklistItemNode {
    fn resolver_writer<'a>(
        field: &'a Field,
        ctx: &'a ContextSelectionSet<'a>,
    ) -> Option<FieldWriter<'a, Self>> {
        match field.name.node.as_str() {
            "children" => {
                let fields = SelectionWriter::of(&field.selection_set.node, ctx)?;
                Some(Box::new(move |item: &Self, json, _| {
                    let items = item.loader.loaded_checklist(item.task)?;
                    write_items(b'[', item.sub_items_among(items), b']', json, |sub_item, json| {
                        charge_item(ctx, [sub_item.text.as_str()]).ok()?;
                        fields.write(&Self::new(sub_item.clone(), &item.loader), json)
                    })
                }))
            }
            _ => None,
        }
    }

    fn sub_items_among<'a>(
        &'a self,
        items: &'a [domain::ChecklistItem],
    ) -> impl Iterator<Item = &'a domain::ChecklistItem> {
        // A sub-item has no sub-items, so the list need not be searched.
        let items = if self.parent.is_none() { items } else { &[] };
        items.iter().filter(|other| other.parent_id == Some(self.id.0))
    }
}

/// The estimated size of an item in a response, without its texts.
const ITEM_OVERHEAD_BYTES: usize = 100;

/// Charges an item of a list with these texts to the response. Errors: ResponseTooLarge.
pub fn charge<'a>(ctx: &Context<'_>, texts: impl IntoIterator<Item = &'a str>) -> Result<(), FieldError> {
    charge_item(ctx, texts).map_err(|error| FieldError::at_path(ctx, error))
}

fn charge_item<'a, T>(ctx: &ContextBase<'_, T>, texts: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let state = ctx.execution();
    texts.into_iter().try_for_each(|text| state.charge_text(text))?;
    state.charge(ITEM_OVERHEAD_BYTES)
}

/// A risk of a task.
#[derive(SimpleObject, DirectJson, Clone)]
#[graphql(name = "Risk")]
pub struct RiskNode {
    /// The id of the risk, a UUID.
    pub id: Id,
    /// The description, 1 to 1,000 characters.
    description: String,
    /// The likelihood of the risk.
    likelihood: RiskLevel,
    /// The impact of the risk if it occurs.
    impact: RiskLevel,
    /// The measures against the risk, up to 2,000 characters; null if there are none.
    mitigation: Option<String>,
}

impl From<domain::Risk> for RiskNode {
    fn from(risk: domain::Risk) -> Self {
        Self {
            id: risk.id.into(),
            description: risk.description,
            likelihood: risk.likelihood.into(),
            impact: risk.impact.into(),
            mitigation: risk.mitigation,
        }
    }
}

/// A file that a task creates, modifies or deletes.
#[derive(SimpleObject, DirectJson, Clone)]
#[graphql(name = "FileChange")]
pub struct FileChangeNode {
    /// The id of the file, a UUID.
    pub id: Id,
    /// The path, 1 to 500 characters.
    path: String,
    /// The kind of change to the file.
    kind: FileChangeKind,
}

impl From<domain::FileChange> for FileChangeNode {
    fn from(file: domain::FileChange) -> Self {
        Self { id: file.id.into(), path: file.path, kind: file.kind.into() }
    }
}

/// The progress of a checklist, in numbers of items.
#[derive(SimpleObject)]
pub struct Progress {
    /// The number of items that are done.
    done: i32,
    /// The number of all counted items.
    total: i32,
    /// done / total in percent, rounded down; 0 if total is 0.
    percent: i32,
}

impl From<domain::Progress> for Progress {
    fn from(progress: domain::Progress) -> Self {
        let int = |count: usize| count.try_into().unwrap_or(i32::MAX);
        Self { done: int(progress.done), total: int(progress.total), percent: int(progress.percent()) }
    }
}
