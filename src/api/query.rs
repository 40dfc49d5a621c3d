//! The root of reading.

use std::collections::{BTreeSet, HashMap};

use async_graphql::{Context, ID, Interface, Object};
use uuid::Uuid;

use crate::api::account::{SessionNode, UserNode};
use crate::api::context::{Nullable, RequestContext, RequestExt, nullable};
use crate::api::memory_size::MemorySize;
use crate::api::scalar::{Id, find_id, parse_id};
use crate::api::server_info::ServerInfo;
use crate::api::task::TaskNode;
use crate::api::task::connection::{PagingArguments, TaskConnection};
use crate::api::task::filter::{TaskFilter, TaskOrder};
use crate::api::task::part_loader::TaskPartLoader;
use crate::api::task_part::{ChecklistItemNode, FileChangeNode, RiskNode};
use crate::domain::{self, Faults, Problem, Result, Rule};
use crate::graphql::direct_json::DirectObject;
use crate::graphql::error::FieldError;
use crate::graphql::guard;

const MAX_NODES: usize = 100;
/// What other objects than tasks take, about.
const OTHER_NODE_BYTES: usize = 1024;

/// Anything with a globally unique id. Ids are UUIDs (version 7 when the server makes them).
#[derive(Interface, Clone)]
#[graphql(field(name = "id", ty = "&Id", desc = "A UUID."))]
pub enum Node {
    Task(TaskNode),
    User(UserNode),
    Session(SessionNode),
    ChecklistItem(ChecklistItemNode),
    Risk(RiskNode),
    FileChange(FileChangeNode),
}

pub struct Query;

/// Reading.
#[Object]
impl Query {
    /// The signed-in user.
    async fn me(&self, ctx: &Context<'_>) -> Result<DirectObject<UserNode>, FieldError> {
        let request = ctx.request();
        let viewer = request.viewer().await?;
        Ok(DirectObject(UserNode::new(request.account_of(viewer).await?, viewer)))
    }

    /// One of the viewer's tasks. Error NOT_FOUND when there is none, FORBIDDEN when it is somebody else's.
    async fn task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The task's id.")] id: ID,
    ) -> Nullable<DirectObject<TaskNode>> {
        nullable(async {
            let request = ctx.request();
            let task = request.tasks().await?.get(parse_id("id", &id)?).await?;
            request.share().take(task.memory_size())?;
            Ok(DirectObject(TaskNode::new(task, request.viewer().await?)))
        })
        .await
    }

    /// The viewer's tasks, newest first unless orderBy says otherwise.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a Relay connection")]
    async fn tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many tasks, from the beginning: 1 to 100, 20 when left out.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only tasks after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many tasks, from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only tasks before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only tasks that meet it.")] filter: Option<TaskFilter>,
        #[graphql(desc = "Up to three keys; newest first when left out.")] order_by: Option<Vec<TaskOrder>>,
    ) -> Result<TaskConnection, FieldError> {
        let viewer = ctx.request().viewer().await?;
        let paging = PagingArguments { first, after, last, before };
        Ok(TaskConnection::load(ctx, viewer, paging, filter, order_by).await?)
    }

    /// The viewer's deleted tasks that restoreTask can still bring back, latest deletion first.
    async fn trash(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many tasks, from the beginning: 1 to 100, 20 when left out.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only tasks after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many tasks, from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only tasks before this cursor.")] before: Option<String>,
    ) -> Result<TaskConnection, FieldError> {
        let viewer = ctx.request().viewer().await?;
        let paging = PagingArguments { first, after, last, before };
        Ok(TaskConnection::load_trash(ctx, viewer, paging).await?)
    }

    /// Refetch any object the viewer may see; null when there is none or it is not the viewer's.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's id.")] id: ID,
    ) -> Nullable<Option<Node>> {
        nullable(async { Ok(find_nodes(ctx.request(), &[id]).await?.pop().flatten()) }).await
    }

    /// Like node, for up to 100 ids, in the order asked for.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The objects' ids.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>, FieldError> {
        Ok(find_nodes(ctx.request(), &ids).await?)
    }

    /// What a client needs before anybody signs in. Public.
    async fn server_info(&self, ctx: &Context<'_>) -> ServerInfo {
        let limits = ctx.data_unchecked::<guard::Limits>();
        ServerInfo::new(ctx.request().services().accounts().registration_open(), limits)
    }
}

/// The viewer's objects with these ids, in their order; what is not the viewer's is not there.
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
    // A task that is asked for under several ids' places is in memory as often.
    request.share().take(nodes.clone().flatten().map(memory_size).sum())?;
    Ok(nodes.map(Option::<&Node>::cloned).collect())
}

fn memory_size(node: &Node) -> usize {
    match node {
        Node::Task(task) => task.memory_size(),
        _ => OTHER_NODE_BYTES,
    }
}

/// The viewer's objects under these ids: one kind after the other, as long as there are ids of nothing yet.
async fn find_each(request: &RequestContext, ids: BTreeSet<Uuid>) -> Result<HashMap<Uuid, Node>> {
    let (viewer, tasks) = (request.viewer().await?, request.tasks().await?);
    let mut found = HashMap::new();
    if ids.contains(&viewer.user_id()) {
        let user = UserNode::new(request.account_of(viewer).await?, viewer);
        found.insert(viewer.user_id(), Node::User(user));
    }
    let rest = |found: &HashMap<Uuid, Node>| -> Vec<Uuid> {
        ids.iter().copied().filter(|id| !found.contains_key(id)).collect()
    };

    let asked = rest(&found);
    if asked.is_empty() {
        return Ok(found);
    }
    let some = TaskNode::all(tasks.find(&asked).await?, viewer);
    found.extend(some.into_iter().map(|task| (task.id.0, Node::Task(task))));

    let asked = rest(&found);
    if asked.is_empty() {
        return Ok(found);
    }
    let sessions = request.services().sessions().list(viewer).await?;
    let sessions = sessions.into_iter().filter(|session| asked.contains(&session.id));
    found.extend(sessions.map(|session| (session.id, Node::Session(session.into()))));
    let items = tasks.find_items(&asked).await?;
    let batch = TaskPartLoader::of(items.iter().map(|item| item.task_id), viewer);
    found.extend(
        items.into_iter().map(|item| (item.id, Node::ChecklistItem(ChecklistItemNode::new(item, &batch)))),
    );
    let risks = tasks.find_risks(&asked).await?;
    found.extend(risks.into_iter().map(|risk| (risk.id, Node::Risk(risk.into()))));
    let files = tasks.find_files(&asked).await?;
    found.extend(files.into_iter().map(|file| (file.id, Node::FileChange(file.into()))));
    Ok(found)
}
