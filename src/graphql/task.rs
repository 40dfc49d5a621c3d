//! Tasks on the wire: the node, and what its mutations take and give.

use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, MaybeUndefined, SimpleObject};

use crate::domain::{
    self, Description, Faults, NewTask, Problem, Result, Rule, StatusChange, Task, TaskEdit, Title,
};
use crate::graphql::account::{UserNode, unless_null};
use crate::graphql::context::session;
use crate::graphql::error::Failure;
use crate::graphql::scalar::DateTime;
use crate::identity::Viewer;

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
    pub id: ID,
    /// 1 to 200 characters.
    title: String,
    /// Markdown.
    description: Option<String>,
    /// How far it is.
    status: TaskStatus,
    /// Exactly status == COMPLETED.
    completed: bool,
    /// How much it matters.
    priority: TaskPriority,
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
    #[graphql(skip)]
    viewer: Viewer,
}

impl TaskNode {
    /// A task of `viewer`.
    pub fn new(task: Task, viewer: &Viewer) -> Self {
        Self {
            id: task.id.into(),
            title: task.title,
            description: task.description,
            status: task.status.into(),
            completed: task.status == domain::TaskStatus::Completed,
            priority: task.priority.into(),
            due_at: task.due_at.map(DateTime),
            completed_at: task.completed_at.map(DateTime),
            created_at: DateTime(task.created_at),
            updated_at: DateTime(task.updated_at),
            version: task.version,
            viewer: viewer.clone(),
        }
    }
}

#[ComplexObject]
impl TaskNode {
    /// Whose task it is: the viewer.
    async fn owner(&self, ctx: &Context<'_>) -> Result<UserNode, Failure> {
        let user = session(ctx).account(&self.viewer).await.map_err(|error| Failure::at(ctx, error))?;
        Ok(UserNode::new(user, &self.viewer))
    }
}

/// What a task is made of.
#[derive(InputObject)]
pub struct CreateTaskInput {
    /// 1 to 200 characters.
    title: String,
    /// Markdown, up to 20,000 characters.
    description: Option<String>,
    /// PENDING when left out.
    status: MaybeUndefined<TaskStatus>,
    /// MEDIUM when left out.
    priority: MaybeUndefined<TaskPriority>,
    /// When it is to be done.
    due_at: Option<DateTime>,
}

impl CreateTaskInput {
    pub fn parse(self) -> Result<NewTask> {
        let Self { title, description, status, priority, due_at } = self;
        let completed = MaybeUndefined::Undefined;
        ReplaceTaskInput { title, description, status, completed, priority, due_at }.parse()
    }
}

/// Everything a task can hold: what is left out is reset to its default.
#[derive(InputObject)]
pub struct ReplaceTaskInput {
    /// 1 to 200 characters.
    title: String,
    /// Markdown, up to 20,000 characters.
    description: Option<String>,
    /// PENDING when left out.
    status: MaybeUndefined<TaskStatus>,
    /// The same as status COMPLETED; must agree with status when both are sent.
    completed: MaybeUndefined<bool>,
    /// MEDIUM when left out.
    priority: MaybeUndefined<TaskPriority>,
    /// When it is to be done.
    due_at: Option<DateTime>,
}

impl ReplaceTaskInput {
    pub fn parse(self) -> Result<NewTask> {
        let mut faults = Faults::of("input");
        let title = faults.check("title", Title::parse(&self.title));
        let description =
            self.description.and_then(|raw| faults.check("description", Description::parse(&raw)));
        let status = match status_change(&mut faults, self.status, self.completed) {
            Some(StatusChange::To(status)) => status,
            _ => domain::TaskStatus::default(),
        };
        let priority = unless_null(&mut faults, "priority", self.priority);
        let priority = priority.map(Into::into).unwrap_or_default();
        let due_at = self.due_at.map(|at| at.0);
        faults.finish(title.map(|title| NewTask { title, description, status, priority, due_at }))
    }
}

/// Left out: unchanged. Null: cleared, where the field is nullable.
#[derive(InputObject)]
pub struct UpdateTaskInput {
    /// 1 to 200 characters.
    title: MaybeUndefined<String>,
    /// Markdown, up to 20,000 characters.
    description: MaybeUndefined<String>,
    /// How far it is.
    status: MaybeUndefined<TaskStatus>,
    /// true is the same as status COMPLETED; false leaves every status but COMPLETED as it is.
    completed: MaybeUndefined<bool>,
    /// How much it matters.
    priority: MaybeUndefined<TaskPriority>,
    /// When it is to be done.
    due_at: MaybeUndefined<DateTime>,
}

impl UpdateTaskInput {
    pub fn parse(self) -> Result<TaskEdit> {
        let mut faults = Faults::of("input");
        let title = unless_null(&mut faults, "title", self.title)
            .and_then(|raw| faults.check("title", Title::parse(&raw)));
        let description = match self.description {
            MaybeUndefined::Value(raw) => faults.check("description", Description::parse(&raw)).map(Some),
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Undefined => None,
        };
        let status = status_change(&mut faults, self.status, self.completed);
        let priority = unless_null(&mut faults, "priority", self.priority).map(Into::into);
        let due_at = Option::<Option<DateTime>>::from(self.due_at).map(|at| at.map(|at| at.0));
        faults.finish(Some(TaskEdit { title, description, status, priority, due_at }))
    }
}

/// What status and completed ask for together.
fn status_change(
    faults: &mut Faults,
    status: MaybeUndefined<TaskStatus>,
    completed: MaybeUndefined<bool>,
) -> Option<StatusChange> {
    let status = unless_null(faults, "status", status).map(domain::TaskStatus::from);
    let completed = unless_null(faults, "completed", completed);
    if let (Some(status), Some(completed)) = (status, completed)
        && completed != (status == domain::TaskStatus::Completed)
    {
        faults.push("completed", Problem::new(Rule::Conflicting, "does not agree with status"));
    }
    match (status, completed) {
        (Some(status), _) => Some(StatusChange::To(status)),
        (None, Some(true)) => Some(StatusChange::To(domain::TaskStatus::Completed)),
        (None, Some(false)) => Some(StatusChange::Reopen),
        (None, None) => None,
    }
}

/// A new task.
#[derive(SimpleObject)]
pub struct CreateTaskPayload {
    /// The task that was made.
    pub task: TaskNode,
}

/// A changed task.
#[derive(SimpleObject)]
pub struct UpdateTaskPayload {
    /// The task after the change.
    pub task: TaskNode,
}

/// A deleted task.
#[derive(SimpleObject)]
pub struct DeleteTaskPayload {
    /// Its id.
    pub deleted_task_id: ID,
}
