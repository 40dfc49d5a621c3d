//! The types of the parts of a task: checklist items, risks and files.

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

/// The section of a task document that a box stands in.
#[derive(Enum, DirectJson, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::Section")]
pub enum ChecklistSection {
    /// What the task includes.
    InScope,
    /// What it does not include; not counted in progress.
    OutOfScope,
    /// What is there in the end.
    Deliverable,
    /// What is to be done: phases and their steps.
    Action,
    /// How it is known that the task is done.
    Acceptance,
}

/// How likely a risk is, or how much it would hurt.
#[derive(Enum, DirectJson, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::RiskLevel")]
pub enum RiskLevel {
    /// Hardly.
    Low,
    /// Somewhat.
    Medium,
    /// Very.
    High,
}

/// What happens to a file.
#[derive(Enum, DirectJson, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::FileChangeKind")]
pub enum FileChangeKind {
    /// It is new.
    Created,
    /// It is there before and after.
    Modified,
    /// It goes.
    Deleted,
}

/// One box to tick. An ACTION item may hold further ACTION items (a phase and its steps): two levels.
#[derive(SimpleObject, DirectJson, Clone)]
#[graphql(name = "ChecklistItem", complex)]
#[direct_json(resolvers = "resolver_writer")]
pub struct ChecklistItemNode {
    /// A UUID.
    pub id: Id,
    /// Where it stands in the document.
    section: ChecklistSection,
    /// 1 to 1,000 characters.
    text: String,
    /// Whether it is ticked; boxes and their steps are ticked each by itself.
    done: bool,
    #[graphql(skip)]
    task: Uuid,
    #[graphql(skip)]
    parent: Option<Uuid>,
    #[graphql(skip)]
    batch: Arc<TaskPartLoader>,
}

impl ChecklistItemNode {
    /// Boxes of a task in the batch, as a part of an answer.
    pub fn all<'a>(
        ctx: &Context<'_>,
        items: impl Iterator<Item = &'a domain::ChecklistItem>,
        batch: &Arc<TaskPartLoader>,
    ) -> Result<Vec<Self>, FieldError> {
        let node = |item: &domain::ChecklistItem| {
            charge(ctx, [item.text.as_str()])?;
            Ok(Self::new(item.clone(), batch))
        };
        items.map(node).collect()
    }

    /// A box of a task in the batch.
    pub fn new(item: domain::ChecklistItem, batch: &Arc<TaskPartLoader>) -> Self {
        Self {
            id: item.id.into(),
            section: item.section.into(),
            text: item.text,
            done: item.done,
            task: item.task_id,
            parent: item.parent_id,
            batch: batch.clone(),
        }
    }
}

#[ComplexObject]
impl ChecklistItemNode {
    /// Its steps, in order.
    async fn children(&self, ctx: &Context<'_>) -> Result<DirectList<ChecklistItemNode>, FieldError> {
        let boxes = self.batch.checklist(ctx, self.task).await?;
        Ok(DirectList(Self::all(ctx, self.sub_items_among(boxes), &self.batch)?))
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
                    let items = item.batch.known_checklist(item.task)?;
                    write_items(b'[', item.sub_items_among(items), b']', json, |sub_item, json| {
                        charge_item(ctx, [sub_item.text.as_str()]).ok()?;
                        fields.write(&Self::new(sub_item.clone(), &item.batch), json)
                    })
                }))
            }
            _ => None,
        }
    }

    fn sub_items_among<'a>(
        &'a self,
        boxes: &'a [domain::ChecklistItem],
    ) -> impl Iterator<Item = &'a domain::ChecklistItem> {
        // A step has no steps.
        let boxes = if self.parent.is_none() { boxes } else { &[] };
        boxes.iter().filter(|other| other.parent_id == Some(self.id.0))
    }
}

/// What an item of a list takes beside its text.
const ITEM_OVERHEAD_BYTES: usize = 100;

/// Counts an item of a list into the answer.
pub fn charge<'a>(ctx: &Context<'_>, texts: impl IntoIterator<Item = &'a str>) -> Result<(), FieldError> {
    charge_item(ctx, texts).map_err(|error| FieldError::at_path(ctx, error))
}

fn charge_item<'a, T>(ctx: &ContextBase<'_, T>, texts: impl IntoIterator<Item = &'a str>) -> Result<()> {
    let state = ctx.execution();
    texts.into_iter().try_for_each(|text| state.charge_text(text))?;
    state.charge(ITEM_OVERHEAD_BYTES)
}

/// Something that may go wrong.
#[derive(SimpleObject, DirectJson, Clone)]
#[graphql(name = "Risk")]
pub struct RiskNode {
    /// A UUID.
    pub id: Id,
    /// 1 to 1,000 characters.
    description: String,
    /// How likely it is.
    likelihood: RiskLevel,
    /// How much it would hurt.
    impact: RiskLevel,
    /// What is done about it.
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
    /// A UUID.
    pub id: Id,
    /// 1 to 500 characters.
    path: String,
    /// What happens to it.
    kind: FileChangeKind,
}

impl From<domain::FileChange> for FileChangeNode {
    fn from(file: domain::FileChange) -> Self {
        Self { id: file.id.into(), path: file.path, kind: file.kind.into() }
    }
}

/// How many boxes are ticked.
#[derive(SimpleObject)]
pub struct Progress {
    /// How many are ticked.
    done: i32,
    /// How many there are.
    total: i32,
    /// done / total in percent, rounded down; 0 when total is 0.
    percent: i32,
}

impl From<domain::Progress> for Progress {
    fn from(progress: domain::Progress) -> Self {
        let int = |count: usize| count.try_into().unwrap_or(i32::MAX);
        Self { done: int(progress.done), total: int(progress.total), percent: int(progress.percent()) }
    }
}
