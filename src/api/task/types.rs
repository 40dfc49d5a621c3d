//! The type Task.

use std::sync::Arc;

use async_graphql::parser::types::Field;
use async_graphql::{ComplexObject, Context, ContextSelectionSet, SimpleObject};
use uuid::Uuid;

use crate::api::account::UserNode;
use crate::api::claim::ClaimNode;
use crate::api::context::RequestExt;
use crate::api::dependency::loader::WaitingLoader;
use crate::api::diagnostic::Diagnostic;
use crate::api::memory_size::MemorySize;
use crate::api::scalar::{Date, DateTime, Id};
use crate::api::task::enums::{TaskPriority, TaskStatus};
use crate::api::task::part_loader::TaskPartLoader;
use crate::api::task_list::loader::ListLoader;
use crate::api::task_list::{PhaseNode, StoryNode, TaskListNode};
use crate::api::task_part::{
    ChecklistItemNode, ChecklistSection, FileChangeNode, Progress, RiskNode, charge,
};
use crate::auth::Viewer;
use crate::domain::{self, Result, Task, TaskDetails};
use crate::graphql::direct_json::long_text::LongText;
use crate::graphql::direct_json::{DirectJson, DirectList, FieldWriter, constant};
use crate::graphql::error::FieldError;
use crate::service::{ExportedTask, paths_of_task};

/// The number of tasks that are read before their memory is counted.
const TASKS_PER_READ: usize = 100;

/// Where a task stands in a list.
#[derive(Clone)]
struct PlaceInList {
    list_id: Uuid,
    phase_id: Option<Uuid>,
    stories: Vec<String>,
}

/// A task of the viewer.
#[derive(SimpleObject, DirectJson, Clone)]
#[graphql(name = "Task", complex)]
#[direct_json(resolvers = "resolver_writer")]
pub struct TaskNode {
    /// The id of the task, a UUID.
    pub id: Id,
    /// The title, 1 to 200 characters.
    title: String,
    /// The description in Markdown, up to 20,000 characters; null if it has none.
    description: Option<LongText>,
    /// The status.
    status: TaskStatus,
    /// Whether the status is COMPLETED.
    completed: bool,
    /// The priority.
    priority: TaskPriority,
    /// The labels, in the order in which they were added. They are unique regardless of case.
    labels: Vec<String>,
    /// The time when the task is due; null if it has no due date.
    due_at: Option<DateTime>,
    /// The time when the task last became COMPLETED; null while it is not completed.
    completed_at: Option<DateTime>,
    /// The time when the task was created.
    created_at: DateTime,
    /// The time of the last change of the task or its parts.
    updated_at: DateTime,
    /// The version of the task: 1 at first, and increased by one with each change of the task or its parts.
    version: i32,
    /// The time when the task was moved to the trash; null while it is not in the trash.
    deleted_at: Option<DateTime>,
    /// The date of the task document; null if it has none.
    date: Option<Date>,
    /// The person or team that the task document names as the owner; null if it names none. It grants no
    /// access.
    owner_label: Option<String>,
    /// The goal in one sentence; null if it has none.
    objective: Option<LongText>,
    /// The problem, and why it is worth solving now; null if it has none.
    rationale: Option<LongText>,
    /// The key of the task in its list, for example T001. It is unique in the list. Null when the task belongs to no
    /// list.
    key: Option<String>,
    /// The text of the task in the document, as Markdown: without the key and the marks, and in full length. `title`
    /// is the same text, cut at 200 characters. Null when the task belongs to no list.
    text: Option<LongText>,
    /// The lines below the text that belong to the task, as Markdown. Null when there are none, or when the task
    /// belongs to no list.
    details: Option<LongText>,
    /// Whether the task has the mark [P]. The mark says that the task can be done at the same time as its neighbours
    /// that have it too. False when the task belongs to no list.
    parallel: bool,
    /// The list of the task, its phase, and the keys of its stories.
    #[graphql(skip)]
    place: Option<Box<PlaceInList>>,
    #[graphql(skip)]
    loader: Arc<TaskPartLoader>,
}

impl TaskNode {
    /// A single task of `viewer`.
    pub fn new(task: Task, viewer: &Viewer) -> Self {
        let loader = TaskPartLoader::of(std::iter::once(task.id), viewer);
        Self::with_loader(task, &loader)
    }

    /// Tasks of `viewer` that were read together and share a loader.
    pub fn all(tasks: Vec<Task>, viewer: &Viewer) -> Vec<Self> {
        let loader = TaskPartLoader::of(tasks.iter().map(|task| task.id), viewer);
        tasks.into_iter().map(|task| Self::with_loader(task, &loader)).collect()
    }

    /// A task that is among the tasks of `loader`.
    pub fn with_loader(task: Task, loader: &Arc<TaskPartLoader>) -> Self {
        let TaskDetails { date, owner_label, objective, rationale } = task.details;
        let in_list = task.entry.is_some();
        let domain::ListEntry { list_id, key, text, details, parallel, stories, phase_id, .. } =
            task.entry.map(|entry| *entry).unwrap_or_default();
        Self {
            key: in_list.then_some(key),
            text: in_list.then_some(LongText(text)),
            details: details.map(LongText),
            parallel,
            place: in_list.then(|| Box::new(PlaceInList { list_id, phase_id, stories })),
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
            labels: task.labels.into_vec(),
            deleted_at: task.deleted_at.map(DateTime),
            date: date.map(Date),
            owner_label,
            objective: objective.map(LongText),
            rationale: rationale.map(LongText),
            loader: loader.clone(),
        }
    }

    /// The estimated memory in bytes.
    pub fn memory_size(&self) -> usize {
        let long_texts = [&self.description, &self.objective, &self.rationale, &self.text, &self.details];
        let long_texts = long_texts.into_iter().flatten();
        let labels = self.labels.iter().map(|label| label.len() + size_of::<String>());
        let owner_label = self.owner_label.as_ref().map_or(0, String::len);
        size_of::<Self>()
            + self.title.len()
            + owner_label
            + long_texts.map(|LongText(text)| text.len()).chain(labels).sum::<usize>()
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

    /// The document of the task.
    async fn export(&self, ctx: &Context<'_>, with_diagnostics: bool) -> Result<ExportedTask, FieldError> {
        let export = async {
            let tasks = ctx.request().services().tasks_read(self.loader.viewer())?;
            Box::pin(tasks.export_any(self.id.0, with_diagnostics)).await
        };
        export.await.map_err(|error| FieldError::at_path(ctx, error))
    }

    /// The loader of the task's list.
    fn list_loader(&self, ctx: &Context<'_>) -> Option<Arc<ListLoader>> {
        let place = self.place.as_ref()?;
        Some(ctx.request().list_loader(place.list_id, self.loader.viewer()))
    }

    /// The loader of what the task waits for.
    fn waiting(&self, ctx: &Context<'_>) -> Arc<WaitingLoader> {
        match self.list_loader(ctx) {
            Some(loader) => loader.waiting().clone(),
            None => self.loader.waiting(ctx).clone(),
        }
    }

    /// The active tasks with these ids.
    async fn others(&self, ctx: &Context<'_>, ids: Vec<Uuid>) -> Result<Vec<TaskNode>, FieldError> {
        let viewer = self.loader.viewer();
        let find = async {
            ctx.request().count_related(ids.len())?;
            let tasks = ctx.request().services().tasks_read(viewer)?;
            let mut all = Vec::with_capacity(ids.len());
            for ids in ids.chunks(TASKS_PER_READ) {
                let found = tasks.find_in_order(ids.iter().copied()).await?;
                ctx.request().share().take(found.iter().map(MemorySize::memory_size).sum())?;
                all.extend(found);
            }
            Ok(TaskNode::all(all, viewer))
        };
        find.await.map_err(|error| FieldError::at_path(ctx, error))
    }

    /// The loader of the parts of this task.
    pub fn loader(&self) -> &Arc<TaskPartLoader> {
        &self.loader
    }
}

#[ComplexObject]
impl TaskNode {
    /// The user who owns the task, always the viewer.
    async fn owner(&self, ctx: &Context<'_>) -> Result<UserNode, FieldError> {
        let viewer = self.loader.viewer();
        let user = ctx.request().account_of(viewer).await.map_err(|error| FieldError::at_path(ctx, error))?;
        Ok(UserNode::new(user, viewer))
    }

    /// The checklist items without a parent, in order. Their sub-items are in children.
    async fn checklist(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Selects only items of this section.")] section: Option<ChecklistSection>,
    ) -> Result<DirectList<ChecklistItemNode>, FieldError> {
        let section = section.map(domain::Section::from);
        let items = self.loader.checklist(ctx, self.id.0).await?.iter();
        let selected = items
            .filter(|item| item.parent_id.is_none() && section.is_none_or(|section| item.section == section));
        Ok(DirectList(ChecklistItemNode::all(ctx, selected, &self.loader)?))
    }

    /// The risks, in order.
    async fn risks(&self, ctx: &Context<'_>) -> Result<DirectList<RiskNode>, FieldError> {
        let node = |risk: &domain::Risk| {
            charge(ctx, std::iter::once(risk.description.as_str()).chain(risk.mitigation.as_deref()))?;
            Ok(risk.clone().into())
        };
        let risks = self.loader.risks(ctx, self.id.0).await?;
        Ok(DirectList(risks.iter().map(node).collect::<Result<_, FieldError>>()?))
    }

    /// The files that the task changes, in order.
    async fn files(&self, ctx: &Context<'_>) -> Result<DirectList<FileChangeNode>, FieldError> {
        let node = |file: &domain::FileChange| {
            charge(ctx, [file.path.as_str()])?;
            Ok(file.clone().into())
        };
        let files = self.loader.files(ctx, self.id.0).await?;
        Ok(DirectList(files.iter().map(node).collect::<Result<_, FieldError>>()?))
    }

    /// The task list that the task belongs to. Null when it belongs to none.
    async fn list(&self, ctx: &Context<'_>) -> Result<Option<TaskListNode>, FieldError> {
        match self.list_loader(ctx) {
            Some(loader) => TaskListNode::load(ctx, loader).await,
            None => Ok(None),
        }
    }

    /// The phase in which the task stands. Null when it stands under no phase heading, or belongs to no list.
    async fn phase(&self, ctx: &Context<'_>) -> Result<Option<PhaseNode>, FieldError> {
        match (self.list_loader(ctx), self.place.as_ref().and_then(|place| place.phase_id)) {
            (Some(loader), Some(phase)) => PhaseNode::find(ctx, &loader, phase).await,
            _ => Ok(None),
        }
    }

    /// The user stories with which the task is marked. A task without such a mark belongs to the story of its phase.
    /// Empty when the task belongs to no list.
    async fn stories(&self, ctx: &Context<'_>) -> Result<Vec<StoryNode>, FieldError> {
        match (self.list_loader(ctx), &self.place) {
            (Some(loader), Some(place)) => StoryNode::find(ctx, &loader, &place.stories).await,
            _ => Ok(Vec::new()),
        }
    }

    /// The paths of the files and folders that the task names, each once: first those in its text and details, then
    /// those in `files`. This field costs 20 complexity points.
    async fn paths(&self, ctx: &Context<'_>) -> Result<Vec<String>, FieldError> {
        let texts = [&self.text, &self.details].into_iter().flatten().map(|LongText(text)| text.as_str());
        let files = self.loader.files(ctx, self.id.0).await?;
        let paths = paths_of_task(texts, files.iter().map(|file| file.path.clone()));
        charge(ctx, paths.iter().map(String::as_str))?;
        Ok(paths)
    }

    /// The tasks on which this task depends directly: first those that the document states for the task, in its order,
    /// then those added with addDependency. Dependencies of its phase and stories are not listed, and tasks in the trash
    /// are left out. This field costs 5 complexity points.
    async fn blocked_by(&self, ctx: &Context<'_>) -> Result<Vec<TaskNode>, FieldError> {
        let loader = self.waiting(ctx);
        self.others(ctx, loader.waiting(ctx).await?.blocked_by(self.id.0)).await
    }

    /// The tasks that list this task in their `blockedBy`. This field costs 5 complexity points.
    async fn blocks(&self, ctx: &Context<'_>) -> Result<Vec<TaskNode>, FieldError> {
        self.others(ctx, self.waiting(ctx).blocks(ctx, self.id.0).await?).await
    }

    /// The tasks that have to be COMPLETED before this task is ready, for any reason, in the order of the document.
    /// At most the first 20 are listed. Empty when this task is COMPLETED. This field costs 5 complexity points.
    async fn waits_for(&self, ctx: &Context<'_>) -> Result<Vec<TaskNode>, FieldError> {
        let loader = self.waiting(ctx);
        self.others(ctx, loader.waiting(ctx).await?.waits_for(self.id.0)).await
    }

    /// Whether work on the task can begin: it is PENDING, it has no live claim, and it waits for no other task. This
    /// field costs 5 complexity points.
    async fn ready(&self, ctx: &Context<'_>) -> Result<bool, FieldError> {
        Ok(self.waiting(ctx).waiting(ctx).await?.is_ready(self.id.0))
    }

    /// The live claim of the task. Null when there is none.
    async fn claim(&self, ctx: &Context<'_>) -> Result<Option<ClaimNode>, FieldError> {
        let Some(loader) = self.list_loader(ctx) else { return Ok(None) };
        let mut claims = loader.claims(ctx).await?.iter();
        let Some(claim) = claims.find(|claim| claim.task_id == self.id.0) else {
            return Ok(None);
        };
        let node = ClaimNode::new(claim.clone(), loader.viewer(), ctx.request());
        node.map(Some).map_err(|error| FieldError::at_path(ctx, error))
    }

    /// The task as a Markdown document. A task that was imported from a document is returned as that document, byte
    /// for byte where nothing has changed since the import. For any other task the server writes a new document. This
    /// field costs 500 complexity points.
    async fn markdown(&self, ctx: &Context<'_>) -> Result<LongText, FieldError> {
        let markdown = self.export(ctx, false).await?.markdown;
        charge(ctx, [markdown.as_str()])?;
        Ok(LongText(markdown))
    }

    /// The diagnostics of the document that `markdown` returns. This field costs 500 complexity points.
    async fn diagnostics(&self, ctx: &Context<'_>) -> Result<Vec<Diagnostic>, FieldError> {
        Ok(Diagnostic::all(self.export(ctx, true).await?.diagnostics))
    }

    /// The progress of all checklist items and sub-items, except those of the section OUT_OF_SCOPE.
    async fn progress(&self, ctx: &Context<'_>) -> Result<Progress, FieldError> {
        Ok(self.loader.progress(ctx, self.id.0).await?.into())
    }
}
