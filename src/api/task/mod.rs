//! Tasks on the wire: the node, and what its mutations give.

pub mod connection;
pub mod filter;
pub mod input;
mod mutation;
pub mod part_loader;

pub use mutation::TaskMutation;

use std::sync::Arc;

use async_graphql::parser::types::Field;
use async_graphql::{ComplexObject, Context, ContextSelectionSet, Enum, SimpleObject};

use crate::api::account::UserNode;
use crate::api::context::session;
use crate::api::scalar::{Date, DateTime, Id};
use crate::api::task::part_loader::Batch;
use crate::api::task_part::{
    ChecklistItemNode, ChecklistSection, FileChangeNode, Progress, RiskNode, charge,
};
use crate::auth::Viewer;
use crate::domain::{self, Brief, Named, Result, Task};
use crate::graphql::direct_json::long_text::Prose;
use crate::graphql::direct_json::write::write_text;
use crate::graphql::direct_json::{List, One, Plain, Write, leaf, same};
use crate::graphql::error::Failure;

/// How far a task is.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::TaskStatus")]
pub enum TaskStatus {
    /// Not begun.
    Pending,
    /// Being worked on.
    InProgress,
    /// Waiting for something.
    Blocked,
    /// Done.
    Completed,
}

/// How much a task matters.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::TaskPriority")]
pub enum TaskPriority {
    /// Can wait.
    Low,
    /// As usual.
    Medium,
    /// Before others.
    High,
    /// Before everything.
    Critical,
}

/// A task.
#[derive(SimpleObject, Clone)]
#[graphql(name = "Task", complex)]
pub struct TaskNode {
    /// A UUID.
    pub id: Id,
    /// 1 to 200 characters.
    title: String,
    /// Markdown.
    description: Option<Prose>,
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
    objective: Option<Prose>,
    /// The problem, and why it is worth solving now.
    rationale: Option<Prose>,
    #[graphql(skip)]
    batch: Arc<Batch>,
}

impl TaskNode {
    /// A task of `viewer`, read by itself.
    pub fn new(task: Task, viewer: &Viewer) -> Self {
        let batch = Batch::of(std::iter::once(task.id), viewer);
        Self::in_batch(task, &batch)
    }

    /// Tasks of `viewer` that were read together.
    pub fn all(tasks: Vec<Task>, viewer: &Viewer) -> Vec<Self> {
        let batch = Batch::of(tasks.iter().map(|task| task.id), viewer);
        tasks.into_iter().map(|task| Self::in_batch(task, &batch)).collect()
    }

    /// A task of the batch.
    pub fn in_batch(task: Task, batch: &Arc<Batch>) -> Self {
        let Brief { date, owner_label, objective, rationale } = task.brief;
        Self {
            id: task.id.into(),
            title: task.title,
            description: task.description.map(Prose),
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
            objective: objective.map(Prose),
            rationale: rationale.map(Prose),
            batch: batch.clone(),
        }
    }

    /// How many bytes of memory it takes, about.
    pub fn weight(&self) -> usize {
        let prose = [&self.description, &self.objective, &self.rationale].into_iter().flatten();
        let labels = self.labels.iter().map(|label| label.len() + size_of::<String>());
        let label = self.owner_label.as_ref().map_or(0, String::len);
        size_of::<Self>()
            + self.title.len()
            + label
            + prose.map(|Prose(text)| text.len()).chain(labels).sum::<usize>()
    }

    /// What it was read with.
    pub fn batch(&self) -> &Arc<Batch> {
        &self.batch
    }
}

impl Plain for TaskNode {
    fn write<'a>(field: &'a Field, ctx: &'a ContextSelectionSet<'a>) -> Option<Write<'a, Self>> {
        // A text that is too much for the answer is told where it stands.
        fn prose<'a>(
            ctx: &'a ContextSelectionSet<'a>,
            of: impl Fn(&TaskNode) -> &Option<Prose> + Send + Sync + 'a,
        ) -> Option<Write<'a, TaskNode>> {
            Some(Box::new(move |task, json| match of(task) {
                Some(Prose(prose)) => {
                    let before = json.len();
                    write_text(prose, json);
                    // Without its quotes.
                    session(ctx).charge(json.len() - before - 2).ok()
                }
                None => {
                    json.extend_from_slice(b"null");
                    Some(())
                }
            }))
        }
        match field.name.node.as_str() {
            "id" => leaf(|task: &Self| &task.id),
            "title" => leaf(|task: &Self| &task.title),
            "description" => prose(ctx, |task| &task.description),
            "status" => leaf(|task: &Self| domain::TaskStatus::from(task.status).name()),
            "completed" => leaf(|task: &Self| &task.completed),
            "priority" => leaf(|task: &Self| domain::TaskPriority::from(task.priority).name()),
            "labels" => leaf(|task: &Self| task.labels.as_slice()),
            "dueAt" => leaf(|task: &Self| &task.due_at),
            "completedAt" => leaf(|task: &Self| &task.completed_at),
            "createdAt" => leaf(|task: &Self| &task.created_at),
            "updatedAt" => leaf(|task: &Self| &task.updated_at),
            "version" => leaf(|task: &Self| &task.version),
            "deletedAt" => leaf(|task: &Self| &task.deleted_at),
            "date" => leaf(|task: &Self| &task.date),
            "ownerLabel" => leaf(|task: &Self| &task.owner_label),
            "objective" => prose(ctx, |task| &task.objective),
            "rationale" => prose(ctx, |task| &task.rationale),
            // The viewer's, the same for all tasks.
            "owner" => {
                let viewer = session(ctx).known_viewer()?;
                let owner = UserNode::new(session(ctx).known_account()?, viewer);
                same(field, ctx, &owner)
            }
            _ => None,
        }
    }
}

#[ComplexObject]
impl TaskNode {
    /// Whose task it is: the viewer.
    async fn owner(&self, ctx: &Context<'_>) -> Result<UserNode, Failure> {
        let viewer = self.batch.viewer();
        let user = session(ctx).account(viewer).await.map_err(|error| Failure::at(ctx, error))?;
        Ok(UserNode::new(user, viewer))
    }

    /// In order; of one section when asked.
    async fn checklist(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only this section.")] section: Option<ChecklistSection>,
    ) -> Result<List<ChecklistItemNode>, Failure> {
        let section = section.map(domain::Section::from);
        let boxes = self.batch.checklist(ctx, self.id.0).await?.iter();
        let asked = boxes
            .filter(|item| item.parent_id.is_none() && section.is_none_or(|section| item.section == section));
        Ok(List(ChecklistItemNode::all(ctx, asked, &self.batch)?))
    }

    /// What may go wrong.
    async fn risks(&self, ctx: &Context<'_>) -> Result<List<RiskNode>, Failure> {
        let node = |risk: &domain::Risk| {
            charge(ctx, std::iter::once(risk.description.as_str()).chain(risk.mitigation.as_deref()))?;
            Ok(risk.clone().into())
        };
        let risks = self.batch.risks(ctx, self.id.0).await?;
        Ok(List(risks.iter().map(node).collect::<Result<_, Failure>>()?))
    }

    /// The files that change.
    async fn files(&self, ctx: &Context<'_>) -> Result<List<FileChangeNode>, Failure> {
        let node = |file: &domain::FileChange| {
            charge(ctx, [file.path.as_str()])?;
            Ok(file.clone().into())
        };
        let files = self.batch.files(ctx, self.id.0).await?;
        Ok(List(files.iter().map(node).collect::<Result<_, Failure>>()?))
    }

    /// Over all checklist items but those OUT_OF_SCOPE.
    async fn progress(&self, ctx: &Context<'_>) -> Result<Progress, Failure> {
        Ok(self.batch.progress(ctx, self.id.0).await?.into())
    }
}

/// A new task.
#[derive(SimpleObject)]
pub struct CreateTaskPayload {
    /// The task that was made.
    pub task: One<TaskNode>,
}

/// A changed task.
#[derive(SimpleObject)]
pub struct UpdateTaskPayload {
    /// The task after the change.
    pub task: One<TaskNode>,
}

/// Several tasks.
#[derive(SimpleObject)]
pub struct TasksPayload {
    /// The tasks after the change, in the order they were given.
    pub tasks: List<TaskNode>,
}

/// Several deleted tasks.
#[derive(SimpleObject)]
pub struct DeleteTasksPayload {
    /// Their ids, in the order they were given, each once.
    pub deleted_task_ids: Vec<Id>,
}

/// A deleted task.
#[derive(SimpleObject)]
pub struct DeleteTaskPayload {
    /// Its id.
    pub deleted_task_id: Id,
}
