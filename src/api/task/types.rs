//! The type Task.

use std::sync::Arc;

use async_graphql::parser::types::Field;
use async_graphql::{ComplexObject, Context, ContextSelectionSet, SimpleObject};

use crate::api::account::UserNode;
use crate::api::context::RequestExt;
use crate::api::scalar::{Date, DateTime, Id};
use crate::api::task::enums::{TaskPriority, TaskStatus};
use crate::api::task::part_loader::TaskPartLoader;
use crate::api::task_part::{
    ChecklistItemNode, ChecklistSection, FileChangeNode, Progress, RiskNode, charge,
};
use crate::auth::Viewer;
use crate::domain::{self, Result, Task, TaskDetails};
use crate::graphql::direct_json::long_text::LongText;
use crate::graphql::direct_json::{DirectJson, DirectList, FieldWriter, constant};
use crate::graphql::error::FieldError;

/// A task.
#[derive(SimpleObject, DirectJson, Clone)]
#[graphql(name = "Task", complex)]
#[direct_json(resolvers = "resolver_writer")]
pub struct TaskNode {
    /// A UUID.
    pub id: Id,
    /// 1 to 200 characters.
    title: String,
    /// Markdown.
    description: Option<LongText>,
    /// How far it is.
    status: TaskStatus,
    /// Exactly status == COMPLETED.
    completed: bool,
    /// How much it matters.
    priority: TaskPriority,
    /// In the order of adding, unique regardless of case.
    labels: Vec<String>,
    /// When it is to be done.
    due_at: Option<DateTime>,
    /// When the task last became COMPLETED; null while it is not.
    completed_at: Option<DateTime>,
    /// When it was made.
    created_at: DateTime,
    /// When it last changed.
    updated_at: DateTime,
    /// Grows by one with every change of the task or of anything inside it.
    version: i32,
    /// When it went into the trash; null while it is not there.
    deleted_at: Option<DateTime>,
    /// The document's date.
    date: Option<Date>,
    /// The person or team named in the document; says nothing about rights.
    owner_label: Option<String>,
    /// The one-sentence goal.
    objective: Option<LongText>,
    /// The problem, and why it is worth solving now.
    rationale: Option<LongText>,
    #[graphql(skip)]
    batch: Arc<TaskPartLoader>,
}

impl TaskNode {
    /// A task of `viewer`, read by itself.
    pub fn new(task: Task, viewer: &Viewer) -> Self {
        let batch = TaskPartLoader::of(std::iter::once(task.id), viewer);
        Self::with_loader(task, &batch)
    }

    /// Tasks of `viewer` that were read together.
    pub fn all(tasks: Vec<Task>, viewer: &Viewer) -> Vec<Self> {
        let batch = TaskPartLoader::of(tasks.iter().map(|task| task.id), viewer);
        tasks.into_iter().map(|task| Self::with_loader(task, &batch)).collect()
    }

    /// A task of the batch.
    pub fn with_loader(task: Task, batch: &Arc<TaskPartLoader>) -> Self {
        let TaskDetails { date, owner_label, objective, rationale } = task.details;
        Self {
            id: task.id.into(),
            title: task.title,
            description: task.description.map(LongText),
            status: task.status.into(),
            completed: task.status == domain::TaskStatus::Completed,
            priority: task.priority.into(),
            due_at: task.due_at.map(DateTime),
            completed_at: task.completed_at.map(DateTime),
            created_at: DateTime(task.created_at),
            updated_at: DateTime(task.updated_at),
            version: task.version,
            labels: task.labels.as_slice().to_vec(),
            deleted_at: task.deleted_at.map(DateTime),
            date: date.map(Date),
            owner_label,
            objective: objective.map(LongText),
            rationale: rationale.map(LongText),
            batch: batch.clone(),
        }
    }

    /// How many bytes of memory it takes, about.
    pub fn memory_size(&self) -> usize {
        let prose = [&self.description, &self.objective, &self.rationale].into_iter().flatten();
        let labels = self.labels.iter().map(|label| label.len() + size_of::<String>());
        let label = self.owner_label.as_ref().map_or(0, String::len);
        size_of::<Self>()
            + self.title.len()
            + label
            + prose.map(|LongText(text)| text.len()).chain(labels).sum::<usize>()
    }

    /// The owner of all tasks in a response is the viewer, so the object is the same for each of them.
    fn resolver_writer<'a>(
        field: &'a Field,
        ctx: &'a ContextSelectionSet<'a>,
    ) -> Option<FieldWriter<'a, Self>> {
        match field.name.node.as_str() {
            "owner" => {
                let viewer = ctx.request().known_viewer()?;
                let owner = UserNode::new(ctx.request().cached_account()?, viewer);
                constant(field, ctx, &owner)
            }
            _ => None,
        }
    }

    /// What it was read with.
    pub fn loader(&self) -> &Arc<TaskPartLoader> {
        &self.batch
    }
}

#[ComplexObject]
impl TaskNode {
    /// Whose task it is: the viewer.
    async fn owner(&self, ctx: &Context<'_>) -> Result<UserNode, FieldError> {
        let viewer = self.batch.viewer();
        let user = ctx.request().account_of(viewer).await.map_err(|error| FieldError::at_path(ctx, error))?;
        Ok(UserNode::new(user, viewer))
    }

    /// In order; of one section when asked.
    async fn checklist(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only this section.")] section: Option<ChecklistSection>,
    ) -> Result<DirectList<ChecklistItemNode>, FieldError> {
        let section = section.map(domain::Section::from);
        let boxes = self.batch.checklist(ctx, self.id.0).await?.iter();
        let asked = boxes
            .filter(|item| item.parent_id.is_none() && section.is_none_or(|section| item.section == section));
        Ok(DirectList(ChecklistItemNode::all(ctx, asked, &self.batch)?))
    }

    /// What may go wrong.
    async fn risks(&self, ctx: &Context<'_>) -> Result<DirectList<RiskNode>, FieldError> {
        let node = |risk: &domain::Risk| {
            charge(ctx, std::iter::once(risk.description.as_str()).chain(risk.mitigation.as_deref()))?;
            Ok(risk.clone().into())
        };
        let risks = self.batch.risks(ctx, self.id.0).await?;
        Ok(DirectList(risks.iter().map(node).collect::<Result<_, FieldError>>()?))
    }

    /// The files that change.
    async fn files(&self, ctx: &Context<'_>) -> Result<DirectList<FileChangeNode>, FieldError> {
        let node = |file: &domain::FileChange| {
            charge(ctx, [file.path.as_str()])?;
            Ok(file.clone().into())
        };
        let files = self.batch.files(ctx, self.id.0).await?;
        Ok(DirectList(files.iter().map(node).collect::<Result<_, FieldError>>()?))
    }

    /// Over all checklist items but those OUT_OF_SCOPE.
    async fn progress(&self, ctx: &Context<'_>) -> Result<Progress, FieldError> {
        Ok(self.batch.progress(ctx, self.id.0).await?.into())
    }
}
