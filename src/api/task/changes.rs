//! Pages of the viewer's task changes.

use std::sync::Arc;

use async_graphql::parser::types::Field;
use async_graphql::{ComplexObject, Context, ContextSelectionSet, Enum, SimpleObject};

use crate::api::context::RequestExt;
use crate::api::memory_size::MemorySize;
use crate::api::scalar::Id;
use crate::api::task::TaskNode;
use crate::api::task::connection::selected_names;
use crate::api::task::part_loader::TaskPartLoader;
use crate::domain::{ChangesArguments, ChangesFrom, ChangesRequest, Result, Task};
use crate::graphql::direct_json::{DirectJson, DirectList, FieldWriter, object};
use crate::graphql::response_budget::CountedBytes;
use crate::service::TaskColumns;

/// One page of task changes, and the cursor after which the next page begins.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct TaskChanges {
    #[graphql(skip)]
    items: Vec<Arc<TaskChange>>,
    /// The cursor at the end of this page. Send it as `after` to receive what has changed since. It is present
    /// even if `changes` is empty. The text has no meaning for clients.
    cursor: String,
    /// Whether more changes exist after this page. A query asks for them with `cursor` as `after`. A
    /// subscription sends them in the next events without being asked.
    has_more: bool,
    /// Counts the memory of the tasks until they have been serialized.
    #[graphql(skip)]
    _counted: CountedBytes,
}

#[ComplexObject]
impl TaskChanges {
    /// The tasks that have changed, each once. The task whose last change is oldest comes first. The list is
    /// empty if nothing has changed.
    async fn changes(&self) -> DirectList<Arc<TaskChange>> {
        DirectList(self.items.clone())
    }
}

impl TaskChanges {
    /// Checks the arguments and reads a page. For an event of a subscription, the position of the subscription
    /// takes precedence over the arguments. Errors: Invalid with the faults of all arguments; CursorExpired;
    /// those of a statement.
    pub async fn load(ctx: &Context<'_>, after: Option<&str>, first: Option<i32>) -> Result<Self> {
        let request = ctx.request();
        let tasks = request.tasks_read().await?;
        let event = request.event();
        let owner = tasks.viewer().user_id();
        let page = match event {
            Some(event) => {
                request.share().check_before_event(owner)?;
                event.page(owner, after, first)?
            }
            None => {
                let arguments = ChangesArguments { after, last_event_id: None, first };
                ChangesRequest::parse(owner, arguments, ChangesFrom::Start)?
            }
        };
        let columns = TaskColumns::shown_by(selected_names(ctx).into_iter().chain(["version", "deletedAt"]));
        let changes = tasks.changes(&page, columns).await?;
        if let Some(event) = event {
            event.record(&changes);
        }
        let counted = request.share().hold(changes.tasks.iter().map(MemorySize::memory_size).sum())?;
        let loader = TaskPartLoader::of(changes.tasks.iter().map(|task| task.id), tasks.viewer());
        let items = changes.tasks.into_iter().map(|task| Arc::new(TaskChange::new(task, &loader))).collect();
        let (cursor, has_more) = (changes.cursor.encode(), changes.has_more);
        Ok(Self { items, cursor, has_more, _counted: counted })
    }
}

/// A task that has been created, changed, moved into the trash or restored.
#[derive(SimpleObject, DirectJson)]
#[graphql(complex)]
#[direct_json(resolvers = "resolver_writer")]
pub struct TaskChange {
    /// The id of the task.
    task_id: Id,
    /// Whether the task is in the trash.
    kind: TaskChangeKind,
    /// The version of the task. A client that knows this version or a later one can ignore the change.
    version: i32,
    #[graphql(skip)]
    node: TaskNode,
}

#[ComplexObject]
impl TaskChange {
    /// The task in its current state. A task in the trash is included; its `deletedAt` is then set. Null if the
    /// task no longer exists: the client removes it from its copy.
    async fn task(&self) -> Option<&TaskNode> {
        Some(&self.node)
    }
}

impl TaskChange {
    fn new(task: Task, loader: &Arc<TaskPartLoader>) -> Self {
        let kind = if task.deleted_at.is_some() { TaskChangeKind::Deleted } else { TaskChangeKind::Saved };
        Self { task_id: Id(task.id), kind, version: task.version, node: TaskNode::with_loader(task, loader) }
    }

    fn resolver_writer<'a>(
        field: &'a Field,
        ctx: &'a ContextSelectionSet<'a>,
    ) -> Option<FieldWriter<'a, Self>> {
        match field.name.node.as_str() {
            "task" => object(field, ctx, |change: &Self| &change.node),
            _ => None,
        }
    }
}

/// Whether a changed task is in the trash. Later versions of the server may add values: a client that meets an
/// unknown value looks at `task` instead.
#[derive(Enum, DirectJson, Clone, Copy, PartialEq, Eq)]
pub enum TaskChangeKind {
    /// The task is not in the trash. It has been created, changed or restored.
    Saved,
    /// The task is in the trash.
    Deleted,
}
