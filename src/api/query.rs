//! The root type of queries.

use std::collections::{BTreeSet, HashMap};

use async_graphql::{Context, ID, Interface, Object};
use uuid::Uuid;

use crate::api::account::{ApiKeyNode, SessionNode, UserNode};
use crate::api::claim::ClaimNode;
use crate::api::context::{Nullable, RequestContext, RequestExt, nullable};
use crate::api::diagnostic::{Diagnostic, DocumentKind, parse_document};
use crate::api::memory_size::MemorySize;
use crate::api::scalar::{Id, find_id, parse_id};
use crate::api::server_info::{ServerInfo, StreamLimits};
use crate::api::task::TaskNode;
use crate::api::task::changes::TaskChanges;
use crate::api::task::connection::TaskConnection;
use crate::api::task::filter::{TaskFilter, TaskOrder};
use crate::api::task::part_loader::TaskPartLoader;
use crate::api::task_list::{TaskListConnection, TaskListNode};
use crate::api::task_part::{ChecklistItemNode, FileChangeNode, RiskNode};
use crate::domain::{self, Faults, PageArguments, Problem, Result, Rule, Scope, TaskScope};
use crate::graphql::direct_json::DirectObject;
use crate::graphql::error::FieldError;
use crate::graphql::guard;

const MAX_NODES: usize = 100;
/// The estimated memory of an object that is not a task.
const OTHER_NODE_BYTES: usize = 1024;

/// An object with a globally unique id. Ids are UUIDs (version 7 when the server creates them).
#[derive(Interface, Clone)]
#[graphql(field(name = "id", ty = "&Id", desc = "The id of the object, a UUID."))]
pub enum Node {
    Task(TaskNode),
    User(UserNode),
    Session(SessionNode),
    ApiKey(ApiKeyNode),
    ChecklistItem(ChecklistItemNode),
    Risk(RiskNode),
    FileChange(FileChangeNode),
    TaskList(TaskListNode),
    Claim(ClaimNode),
}

/// The root type of queries.
pub struct Query;

/// Queries.
#[Object]
impl Query {
    /// The signed-in user.
    async fn me(&self, ctx: &Context<'_>) -> Result<DirectObject<UserNode>, FieldError> {
        let request = ctx.request();
        let viewer = request.viewer().await?;
        Ok(DirectObject(UserNode::new(request.account_of(viewer).await?, viewer)))
    }

    /// The API key that this request is made with; null when it is made with a session. Any scope is enough.
    async fn current_api_key(&self, ctx: &Context<'_>) -> Nullable<Option<ApiKeyNode>> {
        nullable(async {
            let request = ctx.request();
            let viewer = request.viewer().await?;
            let Some(id) = viewer.api_key_id() else { return Ok(None) };
            let keys = request.services().sessions().find_keys(viewer, &[id]).await?;
            Ok(keys.into_iter().next().map(|key| ApiKeyNode::new(key, viewer)))
        })
        .await
    }

    /// One task of the viewer. Error NOT_FOUND when it does not exist or is in the trash, FORBIDDEN when it
    /// belongs to another user.
    async fn task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the task.")] id: ID,
    ) -> Nullable<DirectObject<TaskNode>> {
        nullable(async {
            let request = ctx.request();
            let task = request.tasks_read().await?.get(parse_id("id", &id)?).await?;
            request.share().take(task.memory_size())?;
            Ok(DirectObject(TaskNode::new(task, request.viewer().await?)))
        })
        .await
    }

    /// The viewer's tasks that are not in the trash, by default the newest first.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a Relay connection")]
    async fn tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of tasks from the start of the list: 1 to 100, by default 20.")]
        first: Option<i32>,
        #[graphql(desc = "Selects only tasks after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of tasks from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Selects only tasks before this cursor.")] before: Option<String>,
        #[graphql(desc = "Selects only tasks that match this filter.")] filter: Option<TaskFilter>,
        #[graphql(
            desc = "Up to 3 keys, the most significant first. By default, the newest task comes first."
        )]
        order_by: Option<Vec<TaskOrder>>,
    ) -> Result<TaskConnection, FieldError> {
        let paging = PageArguments { first, after, last, before };
        let tasks = ctx.request().tasks_read().await?;
        Ok(TaskConnection::load(ctx, &tasks, paging, (filter, order_by), None).await?)
    }

    /// The tasks in the viewer's trash, which restoreTask can restore; the latest deletion first.
    async fn trash(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of tasks from the start of the list: 1 to 100, by default 20.")]
        first: Option<i32>,
        #[graphql(desc = "Selects only tasks after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of tasks from the end of the list: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Selects only tasks before this cursor.")] before: Option<String>,
    ) -> Result<TaskConnection, FieldError> {
        let paging = PageArguments { first, after, last, before };
        Ok(TaskConnection::load_trash(ctx, paging).await?)
    }

    /// Returns the signed-in user's tasks that have changed since a cursor. Each task is listed once, in its
    /// current state. The task whose last change is oldest comes first. Without a cursor, all tasks of the user
    /// are returned, page by page, including those in the trash. A client that keeps a copy of the tasks uses
    /// this query to bring the copy up to date. The error code is CURSOR_EXPIRED if the cursor is too old.
    async fn task_changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Where to begin: a cursor from TaskChanges.cursor or TaskConnection.syncCursor. If it is omitted \
                    or null, the query begins with the first task."
        )]
        after: Option<String>,
        #[graphql(desc = "The maximum number of changes on the page: 1 to 100. The default is 20.")]
        first: Option<i32>,
    ) -> Result<TaskChanges, FieldError> {
        Ok(Box::pin(TaskChanges::load(ctx, after.as_deref(), first)).await?)
    }

    /// Returns one task list of the viewer. The error is NOT_FOUND if there is none, FORBIDDEN if it belongs to another
    /// user.
    async fn task_list(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the list.")] id: ID,
    ) -> Nullable<TaskListNode> {
        nullable(async {
            let request = ctx.request();
            let list = request.lists_read().await?.get(parse_id("id", &id)?).await?;
            Ok(TaskListNode::new(list, request.viewer().await?, request))
        })
        .await
    }

    /// Returns the task lists of the viewer, newest first. Lists in the trash are left out.
    async fn task_lists(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of lists from the start: 1 to 100, by default 20.")] first: Option<i32>,
        #[graphql(desc = "Selects only lists after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of lists from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Selects only lists before this cursor.")] before: Option<String>,
    ) -> Result<TaskListConnection, FieldError> {
        let paging = PageArguments { first, after, last, before };
        let lists = ctx.request().lists_read().await?;
        Ok(TaskListConnection::load(ctx.request(), &lists, TaskScope::Active, paging).await?)
    }

    /// Returns the deleted task lists of the viewer that restoreTaskList can restore, latest deletion first.
    async fn trashed_task_lists(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of lists from the start: 1 to 100, by default 20.")] first: Option<i32>,
        #[graphql(desc = "Selects only lists after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of lists from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Selects only lists before this cursor.")] before: Option<String>,
    ) -> Result<TaskListConnection, FieldError> {
        let paging = PageArguments { first, after, last, before };
        let lists = ctx.request().lists_read().await?;
        Ok(TaskListConnection::load(ctx.request(), &lists, TaskScope::Trashed, paging).await?)
    }

    /// Reads a document and returns what was not understood and where the document contradicts itself. Nothing is
    /// stored.
    async fn diagnostics(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How the document is read.")] kind: DocumentKind,
        #[graphql(desc = "The Markdown document.")] markdown: String,
    ) -> Result<Vec<Diagnostic>, FieldError> {
        let lists = ctx.request().lists_read().await?;
        let path = ["markdown".into()];
        let markdown = parse_document(ctx, markdown, &path)?;
        let diagnostics = match kind {
            DocumentKind::Task => lists.tasks().diagnose_document(markdown).await?,
            DocumentKind::TaskList => lists.diagnose(markdown, &path).await?,
        };
        Ok(Diagnostic::all(diagnostics))
    }

    /// Any object of the viewer by its id; null when it does not exist, belongs to another user, or is not covered by
    /// the scopes of the API key.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the object.")] id: ID,
    ) -> Nullable<Option<Node>> {
        nullable(async { Ok(find_nodes(ctx.request(), &[id]).await?.pop().flatten()) }).await
    }

    /// The objects with these ids, in the order of the ids. Each is null in the same cases as node.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ids of the objects, at most 100.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>, FieldError> {
        Ok(find_nodes(ctx.request(), &ids).await?)
    }

    /// Information about the server for clients, for example for a registration form. Public: it needs no
    /// sign-in.
    async fn server_info(&self, ctx: &Context<'_>) -> ServerInfo {
        let limits = ctx.data_unchecked::<guard::Limits>();
        let streams = ctx.data_unchecked::<StreamLimits>();
        ServerInfo::new(ctx.request().services().accounts(), limits, *streams)
    }
}

/// The viewer's objects with these ids, in the order of the ids. Others are `None`.
async fn find_nodes(request: &RequestContext, ids: &[ID]) -> Result<Vec<Option<Node>>> {
    request.viewer().await?;
    if ids.len() > MAX_NODES {
        let mut faults = Faults::default();
        faults.push("ids", Problem::new(Rule::TooMany, format!("may have at most {MAX_NODES} items")));
        return Err(domain::Error::Invalid(faults.into_found()));
    }
    let ids: Vec<Option<Uuid>> = ids.iter().map(find_id).collect();
    let found = find_each(request, ids.iter().flatten().copied().collect()).await?;
    let nodes = ids.into_iter().map(|id| found.get(&id?));
    // An object whose id is repeated is cloned for each repetition.
    request.share().take(nodes.clone().flatten().map(memory_size).sum())?;
    Ok(nodes.map(Option::<&Node>::cloned).collect())
}

fn memory_size(node: &Node) -> usize {
    match node {
        Node::Task(task) => task.memory_size(),
        _ => OTHER_NODE_BYTES,
    }
}

/// The viewer's objects with these ids that the viewer may read. It searches the kinds of objects in turn, while
/// some ids are not found.
async fn find_each(request: &RequestContext, ids: BTreeSet<Uuid>) -> Result<HashMap<Uuid, Node>> {
    let viewer = request.viewer().await?;
    let mut found = HashMap::new();
    if ids.contains(&viewer.user_id()) {
        let user = UserNode::new(request.account_of(viewer).await?, viewer);
        found.insert(viewer.user_id(), Node::User(user));
    }
    let may_read_tasks = viewer.may(Scope::TasksRead);
    let missing = not_in(&found, &ids);
    if may_read_tasks && !missing.is_empty() {
        let nodes = TaskNode::all(request.tasks_read().await?.find(&missing).await?, viewer);
        found.extend(nodes.into_iter().map(|task| (task.id.0, Node::Task(task))));
    }
    if may_read_tasks {
        let lists = request.lists_read().await?;
        for id in not_in(&found, &ids) {
            if let Some(list) = lists.find(id).await? {
                found.insert(id, Node::TaskList(TaskListNode::new(list, viewer, request)));
            }
        }
    }
    let missing = not_in(&found, &ids);
    if !missing.is_empty() {
        found.extend(find_credentials(request, &missing).await?);
    }
    let missing = not_in(&found, &ids);
    if may_read_tasks && !missing.is_empty() {
        found.extend(find_parts(request, &missing).await?);
    }
    let missing = not_in(&found, &ids);
    if may_read_tasks && !missing.is_empty() {
        for claim in request.lists_read().await?.find_claims(&missing).await? {
            found.insert(claim.id, Node::Claim(ClaimNode::new(claim, viewer, request)?));
        }
    }
    Ok(found)
}

fn not_in(found: &HashMap<Uuid, Node>, ids: &BTreeSet<Uuid>) -> Vec<Uuid> {
    ids.iter().copied().filter(|id| !found.contains_key(id)).collect()
}

/// The viewer's sessions and API keys with these ids. An API key without the scope ACCOUNT reads only itself.
async fn find_credentials(request: &RequestContext, ids: &[Uuid]) -> Result<HashMap<Uuid, Node>> {
    let viewer = request.viewer().await?;
    let mut found = HashMap::new();
    if viewer.may(Scope::Account) {
        let sessions = request.account().await?.sessions().await?;
        let sessions = sessions.into_iter().filter(|session| ids.contains(&session.id));
        found.extend(sessions.map(|session| (session.id, Node::Session(session.into()))));
    }
    let may_read = |id: &Uuid| viewer.may(Scope::Account) || viewer.api_key_id() == Some(*id);
    let keys: Vec<Uuid> = ids.iter().copied().filter(|id| may_read(id) && !found.contains_key(id)).collect();
    if !keys.is_empty() {
        let keys = request.services().sessions().find_keys(viewer, &keys).await?;
        found.extend(keys.into_iter().map(|key| (key.id, Node::ApiKey(ApiKeyNode::new(key, viewer)))));
    }
    Ok(found)
}

/// The parts of the viewer's tasks with these ids.
async fn find_parts(request: &RequestContext, ids: &[Uuid]) -> Result<HashMap<Uuid, Node>> {
    let tasks = request.tasks_read().await?;
    let mut found = HashMap::new();
    let items = tasks.find_items(ids).await?;
    let loader = TaskPartLoader::of(items.iter().map(|item| item.task_id), tasks.viewer());
    found.extend(
        items.into_iter().map(|item| (item.id, Node::ChecklistItem(ChecklistItemNode::new(item, &loader)))),
    );
    let risks = tasks.find_risks(ids).await?;
    found.extend(risks.into_iter().map(|risk| (risk.id, Node::Risk(risk.into()))));
    let files = tasks.find_files(ids).await?;
    found.extend(files.into_iter().map(|file| (file.id, Node::FileChange(file.into()))));
    Ok(found)
}
