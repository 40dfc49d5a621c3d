//! Relay connections of the viewer's tasks.

use std::sync::Arc;

use anyhow::anyhow;
use async_graphql::parser::types::Field;
use async_graphql::{ComplexObject, Context, ContextSelectionSet, Object, SelectionField, SimpleObject};
use uuid::Uuid;

use crate::api::context::RequestExt;
use crate::api::memory_size::MemorySize;
use crate::api::task::TaskNode;
use crate::api::task::filter::{TaskFilter, TaskOrder};
use crate::api::task::part_loader::TaskPartLoader;
use crate::auth::Viewer;
use crate::domain::{
    self, CursorKey, Error, KeyValue, ListFilter, OrderKey, Page, PageArguments, PageRequest, Result, Task,
    TaskScope,
};
use crate::graphql::direct_json::write::WriteJson;
use crate::graphql::direct_json::{DirectJson, DirectList, DirectObject, FieldWriter, object, scalar};
use crate::graphql::error::FieldError;
use crate::graphql::response_budget::CountedBytes;
use crate::service::{TaskColumns, Tasks};

/// A page of tasks.
pub struct TaskConnection {
    page: Page<Arc<TaskEdge>>,
    total: Total,
    loader: Arc<TaskPartLoader>,
    /// None when it is not selected.
    sync_cursor: Option<String>,
    /// Counts the memory of the tasks until they have been serialized.
    _counted: CountedBytes,
}

/// The number of tasks on all pages.
enum Total {
    Known(usize),
    /// It is counted when it is selected.
    OfFilter(TaskScope, Option<domain::TaskFilter>),
}

impl TaskConnection {
    /// Checks the arguments and reads a page of the active tasks, or of those of one list. Errors: Invalid with the
    /// faults of all arguments; those of a statement.
    pub async fn load(
        ctx: &Context<'_>,
        tasks: &Tasks<'_>,
        paging: PageArguments,
        (filter, order_by): (Option<TaskFilter>, Option<Vec<TaskOrder>>),
        of_list: Option<Uuid>,
    ) -> Result<Self> {
        let filter = filter.map(TaskFilter::parse).transpose();
        let default = if of_list.is_some() { OrderKey::AS_IN_DOCUMENT } else { OrderKey::NEWEST_FIRST };
        let order = TaskOrder::parse(order_by, default);
        let request = match &order {
            Ok(order) => PageRequest::parse(&paging, order),
            // A cursor cannot be compared with an invalid order.
            Err(_) => PageRequest::parse(&PageArguments { after: None, before: None, ..paging }, &[]),
        };
        let (filter, (order, request)) = Error::zip(filter, Error::zip(order, request))?;
        let in_list = of_list.map(|list| domain::TaskFilter::List(ListFilter::Id(Some(list))));
        let filter = match (in_list, filter) {
            (Some(in_list), Some(filter)) => Some(domain::TaskFilter::All(vec![in_list, filter])),
            (in_list, filter) => in_list.or(filter),
        };
        Box::pin(Self::read(ctx, tasks, TaskScope::Active, filter, order, &request)).await
    }

    /// Checks the arguments and reads a page of the trash. Errors: as [`Self::load`].
    pub async fn load_trash(ctx: &Context<'_>, paging: PageArguments) -> Result<Self> {
        let tasks = ctx.request().tasks_read().await?;
        let order = vec![OrderKey::LATEST_DELETION_FIRST];
        let request = PageRequest::parse(&paging, &order)?;
        Box::pin(Self::read(ctx, &tasks, TaskScope::Trashed, None, order, &request)).await
    }

    async fn read(
        ctx: &Context<'_>,
        tasks: &Tasks<'_>,
        scope: TaskScope,
        filter: Option<domain::TaskFilter>,
        order: Vec<OrderKey>,
        request: &PageRequest,
    ) -> Result<Self> {
        let selected = selected_names(ctx);
        // Read before the page, so that the page contains every change before it.
        let sync_cursor = match selected.contains(&"syncCursor") {
            true => Some(tasks.change_cursor().await?.encode()),
            false => None,
        };
        let columns = TaskColumns::shown_by(selected);
        let page = tasks.list(scope, filter.as_ref(), &order, request, columns).await?;
        Self::new(ctx, page, (&order, sync_cursor), Total::OfFilter(scope, filter), tasks.viewer())
    }

    /// Checks the arguments and reads a page of some of the tasks of a list, given by their places in the document and
    /// their ids, in this order. Errors: as [`Self::load`].
    pub async fn of_places(
        ctx: &Context<'_>,
        tasks: &Tasks<'_>,
        paging: PageArguments,
        all: &[(i64, Uuid)],
    ) -> Result<Self> {
        let order = [OrderKey::AS_IN_DOCUMENT];
        let request = PageRequest::parse(&paging, &order)?;
        let from = request.from.as_ref().map(|from| match from.keys[..] {
            [KeyValue::Number(position)] => (position, from.id),
            _ => (0, from.id),
        });
        let (total, size) = (all.len(), request.size + 1);
        let on_page: Vec<Uuid> = match request.backward {
            false => {
                let rest = all.iter().filter(|place| from.is_none_or(|from| **place > from));
                rest.take(size).map(|(_, id)| *id).collect()
            }
            true => {
                let rest = all.iter().rev().filter(|place| from.is_none_or(|from| **place < from));
                rest.take(size).map(|(_, id)| *id).collect()
            }
        };
        let sync_cursor = match selected_names(ctx).contains(&"syncCursor") {
            true => Some(tasks.change_cursor().await?.encode()),
            false => None,
        };
        let page = Page::from_scan(tasks.find_in_order(on_page.into_iter()).await?, &request);
        Self::new(ctx, page, (&order, sync_cursor), Total::Known(total), tasks.viewer())
    }

    fn new(
        ctx: &Context<'_>,
        page: Page<Task>,
        (order, sync_cursor): (&[OrderKey], Option<String>),
        total: Total,
        viewer: &Viewer,
    ) -> Result<Self> {
        let counted = ctx.request().share().hold(page.items.iter().map(MemorySize::memory_size).sum())?;
        let loader = TaskPartLoader::of(page.items.iter().map(|task| task.id), viewer);
        let position = CursorKey::in_order(order);
        let edge = |task: Task| {
            let position = position(&task);
            Arc::new(TaskEdge { position, node: Arc::new(TaskNode::with_loader(task, &loader)) })
        };
        Ok(Self { page: page.map(edge), total, loader, sync_cursor, _counted: counted })
    }
}

/// The names of all fields that are selected below the field of the context.
pub fn selected_names<'a>(ctx: &'a Context<'_>) -> Vec<&'a str> {
    let mut names = Vec::new();
    add_selected_names(ctx.field(), &mut names);
    names
}

/// Adds the names of all fields that are selected below `field`, on every level and of every type.
fn add_selected_names<'a>(field: SelectionField<'a>, names: &mut Vec<&'a str>) {
    for selected in field.selection_set() {
        names.push(selected.name());
        add_selected_names(selected, names);
    }
}

/// A page of a list of tasks.
#[Object]
impl TaskConnection {
    /// The tasks of the page with their cursors.
    async fn edges(&self) -> DirectList<Arc<TaskEdge>> {
        DirectList(self.page.items.clone())
    }

    /// The tasks of the page, the same as in edges.
    async fn nodes(&self) -> DirectList<Arc<TaskNode>> {
        DirectList(self.page.items.iter().map(|edge| edge.node.clone()).collect())
    }

    /// The cursors of the page, and whether there are more pages.
    async fn page_info(&self) -> DirectObject<PageInfo> {
        DirectObject(PageInfo {
            has_next_page: self.page.has_next,
            has_previous_page: self.page.has_previous,
            start: self.page.items.first().map(|edge| edge.position.clone()),
            end: self.page.items.last().map(|edge| edge.position.clone()),
        })
    }

    /// The number of tasks on all pages that match the filter. It is computed only if it is selected.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i32, FieldError> {
        let count = match &self.total {
            Total::Known(count) => *count as u64,
            Total::OfFilter(scope, filter) => {
                let tasks = ctx.request().services().tasks_read(self.loader.viewer())?;
                let count = tasks.count(*scope, filter.as_ref()).await;
                count.map_err(|error| FieldError::at_path(ctx, error))?
            }
        };
        Ok(count.try_into().unwrap_or(i32::MAX))
    }

    /// A cursor for `taskChanges` that belongs to this list: every change made before it is contained in the
    /// list. A change made after it may be contained in the list too; comparing the versions tells. If a list is
    /// read in several pages, the cursor of the page that was read first applies to all of them. It costs nothing
    /// if it is not selected.
    async fn sync_cursor(&self) -> Result<&str, FieldError> {
        let not_read = || Error::internal(anyhow!("the cursor was not read"));
        Ok(self.sync_cursor.as_deref().ok_or_else(not_read)?)
    }
}

/// A task with its cursor.
pub struct TaskEdge {
    position: CursorKey,
    node: Arc<TaskNode>,
}

/// A task with its cursor.
#[Object]
impl TaskEdge {
    /// The position of the task in the list, as an opaque text for the arguments after and before.
    async fn cursor(&self) -> String {
        self.position.encode()
    }

    /// The task.
    async fn node(&self) -> &TaskNode {
        &self.node
    }
}

impl DirectJson for TaskEdge {
    fn field_writer<'a>(field: &'a Field, ctx: &'a ContextSelectionSet<'a>) -> Option<FieldWriter<'a, Self>> {
        match field.name.node.as_str() {
            "cursor" => scalar(|edge: &Self| &edge.position),
            "node" => object(field, ctx, |edge: &Self| &edge.node),
            _ => None,
        }
    }
}

impl WriteJson for CursorKey {
    fn write(&self, json: &mut Vec<u8>) {
        json.push(b'"');
        self.append_to(json);
        json.push(b'"');
    }
}

/// The cursors of a page, and whether there are more pages.
#[derive(SimpleObject, DirectJson)]
#[graphql(complex)]
#[direct_json(resolvers = "resolver_writer")]
pub struct PageInfo {
    /// Whether there are items after endCursor. Always true when the argument before is present.
    pub has_next_page: bool,
    /// Whether there are items before startCursor. Always true when the argument after is present.
    pub has_previous_page: bool,
    #[graphql(skip)]
    pub start: Option<CursorKey>,
    #[graphql(skip)]
    pub end: Option<CursorKey>,
}

#[ComplexObject]
impl PageInfo {
    /// The cursor of the first item; null on an empty page.
    async fn start_cursor(&self) -> Option<String> {
        self.start.as_ref().map(CursorKey::encode)
    }

    /// The cursor of the last item; null on an empty page.
    async fn end_cursor(&self) -> Option<String> {
        self.end.as_ref().map(CursorKey::encode)
    }
}

impl PageInfo {
    fn resolver_writer<'a>(
        field: &'a Field,
        _: &'a ContextSelectionSet<'a>,
    ) -> Option<FieldWriter<'a, Self>> {
        match field.name.node.as_str() {
            "startCursor" => scalar(|info: &Self| &info.start),
            "endCursor" => scalar(|info: &Self| &info.end),
            _ => None,
        }
    }
}
