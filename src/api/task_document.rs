//! The mutations of task documents.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use crate::api::context::{Nullable, RequestExt, nullable};
use crate::api::diagnostic::{Diagnostic, parse_document};
use crate::api::scalar::parse_id;
use crate::api::task::TaskNode;
use crate::api::task_list::input::parse_import;
use crate::domain::{Error, Result};
use crate::graphql::direct_json::DirectObject;
use crate::service::DocumentMatch;

/// The input of importTask.
#[derive(InputObject)]
pub struct ImportTaskInput {
    /// A UUID chosen by the client, for safe retries. A second call with the same id returns the task that the first
    /// call created, and ignores the document.
    id: Option<ID>,
    /// The Markdown document.
    markdown: String,
}

/// The result of reading a task document into a task.
#[derive(SimpleObject)]
pub struct ImportTaskPayload {
    /// The task, with every value that could be read from the document.
    task: DirectObject<TaskNode>,
    /// The diagnostics of the document.
    diagnostics: Vec<Diagnostic>,
}

/// The fields of Mutation for task documents.
#[derive(Default)]
pub struct TaskDocumentMutation;

#[Object]
impl TaskDocumentMutation {
    /// Creates a task from a task document. No document is refused because of its Markdown.
    async fn import_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The document.")] input: ImportTaskInput,
    ) -> Nullable<ImportTaskPayload> {
        nullable(async {
            let tasks = ctx.request().tasks_write().await?;
            let (id, markdown) = parse_import(ctx, input.id, input.markdown)?;
            payload(ctx, tasks.import_document(id, markdown).await?)
        })
        .await
    }

    /// Replaces the document of a task. Every value that a task document can hold becomes what the new document says.
    /// All other values of the task stay as they are.
    async fn replace_task_document(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the task.")] id: ID,
        #[graphql(desc = "The new Markdown document.")] markdown: String,
        #[graphql(
            desc = "The version that the task must have. Otherwise the error is CONFLICT, with currentVersion."
        )]
        expected_version: i32,
    ) -> Nullable<ImportTaskPayload> {
        nullable(async {
            let tasks = ctx.request().tasks_write().await?;
            let markdown = parse_document(ctx, markdown, &["markdown".into()]);
            let (id, markdown) = Error::zip(parse_id("id", &id), markdown)?;
            let expected = DocumentMatch::Version(expected_version);
            payload(ctx, tasks.replace_document(id, markdown, &expected).await?)
        })
        .await
    }
}

fn payload(
    ctx: &Context<'_>,
    (task, diagnostics): (crate::domain::Task, Vec<crate::service::Diagnostic>),
) -> Result<ImportTaskPayload> {
    let viewer = ctx.request().authenticated_viewer()?;
    let task = DirectObject(TaskNode::new(task, viewer));
    Ok(ImportTaskPayload { task, diagnostics: Diagnostic::all(diagnostics) })
}
