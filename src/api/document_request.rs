//! Requests that carry a document as it is, without GraphQL around it: the import, the export and the replacement of
//! one document. This module knows no HTTP, except for the status that each error has.

use std::sync::Arc;

use async_graphql::{ID, ServerError, to_value};
use uuid::Uuid;

use crate::api::context::RequestContext;
use crate::api::diagnostic::{DocumentKind, document_bytes};
use crate::api::document_report::{Conflict, DocumentReport};
use crate::api::operations::Operations;
use crate::api::scalar::parse_id;
use crate::auth::{ClientInfo, Credential, Viewer};
use crate::domain::{Error, Faults, MergeDecisions, MergeSide, PathSegment, Problem, Result, Rule};
use crate::graphql::error::domain_error;
use crate::graphql::{ErrorCode, ResponseShare, request_error};
use crate::service::{DocumentMatch, ListMergeConflict, check_document, revision};

/// The status of an error when the present document is not as the request requires.
const PRECONDITION_FAILED: i32 = 412;

/// One request of a client about documents of one kind.
pub struct DocumentRequest {
    operations: Arc<Operations>,
    context: Arc<RequestContext>,
    kind: DocumentKind,
}

/// What a client needs to be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    Read,
    Change,
}

/// Revisions that a request names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revisions {
    Any,
    Listed(Vec<String>),
}

impl Revisions {
    /// Whether a revision is one of these.
    pub fn contains(&self, revision: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(listed) => listed.iter().any(|known| known == revision),
        }
    }

    /// The listed revisions. None: any.
    fn listed(self) -> Option<Vec<String>> {
        match self {
            Self::Any => None,
            Self::Listed(listed) => Some(listed),
        }
    }
}

/// What the present document must be, so that the request is executed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// It has one of these revisions.
    pub required: Option<Revisions>,
    /// It has none of these revisions.
    pub excluded: Option<Revisions>,
}

/// A document as it is now.
pub struct DocumentExport {
    pub markdown: String,
    pub revision: String,
}

/// Which document is replaced or merged, and how.
pub struct Replacement {
    id: Uuid,
    conditions: Conditions,
    /// The version that a merge uses in conflicts. None: a conflict changes nothing and is an error.
    side: Option<MergeSide>,
}

/// Why a request failed, as its client receives it.
pub struct DocumentError(pub Box<ServerError>);

impl From<Error> for DocumentError {
    fn from(error: Error) -> Self {
        // Only the conditions of a request name a version or a revision.
        let is_condition = matches!(error, Error::VersionConflict { .. } | Error::RevisionConflict { .. });
        let mut error = domain_error(error);
        if is_condition {
            error.extensions.get_or_insert_default().set("status", PRECONDITION_FAILED);
        }
        Self(Box::new(error))
    }
}

impl DocumentRequest {
    /// A request about documents of a kind, from a client that presents this credential.
    pub fn new(
        operations: Arc<Operations>,
        kind: DocumentKind,
        credential: Credential,
        client: ClientInfo,
    ) -> Self {
        let share = operations.executor.response_share(client.counted_address());
        let services = operations.services.clone();
        let context = Arc::new(RequestContext::new(services, credential, client, share, None));
        Self { operations, context, kind }
    }

    /// The response's share of the response budget.
    pub fn share(&self) -> &Arc<ResponseShare> {
        self.context.share()
    }

    /// The viewer, if the credential was valid.
    pub fn viewer(&self) -> Option<&Viewer> {
        self.context.known_viewer()
    }

    /// The maximum size of a document, in bytes.
    pub fn max_bytes(&self) -> usize {
        document_bytes(self.operations.executor.limits())
    }

    /// Whether a document is replaced as a whole, so that the client must name the revision that it knows.
    pub fn needs_condition(&self) -> bool {
        self.kind == DocumentKind::Task
    }

    /// Checks the credential before the document is read. Errors: UNAUTHENTICATED; FORBIDDEN without the right.
    pub async fn authorize(&self, right: Right) -> Result<(), DocumentError> {
        self.run(|context| async move {
            match right {
                Right::Read => context.tasks_read().await.map(drop)?,
                Right::Change => context.tasks_write().await.map(drop)?,
            }
            Ok(())
        })
        .await
    }

    /// Creates a task or a task list. Errors: BAD_USER_INPUT when the document must be refused.
    pub async fn import(&self, document: Vec<u8>) -> Result<DocumentReport, DocumentError> {
        let (kind, markdown) = (self.kind, self.text(document)?);
        self.run(move |context| async move {
            context.share().begin_mutation(markdown.len())?;
            Ok(match kind {
                DocumentKind::TaskList => import_list(&context, markdown).await?,
                DocumentKind::Task => import_task(&context, markdown).await?,
            })
        })
        .await
    }

    /// The document with this id. Errors: BAD_USER_INPUT for a malformed id; NOT_FOUND, FORBIDDEN; CONFLICT when the
    /// document does not have one of the required revisions.
    pub async fn export(
        &self,
        id: &str,
        required: Option<Revisions>,
    ) -> Result<DocumentExport, DocumentError> {
        let (kind, id) = (self.kind, parse_id("id", &ID::from(id))?);
        self.run(move |context| async move {
            let (export, conflict) = present(&context, kind, id).await?;
            match required {
                Some(required) if !required.contains(&export.revision) => Err(conflict.into()),
                _ => Ok(export),
            }
        })
        .await
    }

    /// Which document is replaced and how, before the new document is read. `side` is "file" or "server". Errors:
    /// BAD_USER_INPUT with the faults of both texts.
    pub fn replacement(
        &self,
        id: &str,
        side: Option<&str>,
        conditions: Conditions,
    ) -> Result<Replacement, DocumentError> {
        let (id, side) = Error::zip(parse_id("id", &ID::from(id)), side.map(parse_side).transpose())?;
        Ok(Replacement { id, conditions, side })
    }

    /// Merges a document into a task list, or replaces the document of a task. Errors: BAD_USER_INPUT when the
    /// document must be refused; NOT_FOUND, FORBIDDEN; CONFLICT when a condition is not met, and with the conflicts of
    /// a merge that have no decision.
    pub async fn replace(
        &self,
        replacement: Replacement,
        document: Vec<u8>,
    ) -> Result<DocumentReport, DocumentError> {
        let (kind, markdown) = (self.kind, self.text(document)?);
        self.run(move |context| async move {
            context.share().begin_mutation(markdown.len())?;
            if let Some(excluded) = &replacement.conditions.excluded {
                let (export, conflict) = present(&context, kind, replacement.id).await?;
                if excluded.contains(&export.revision) {
                    return Err(conflict.into());
                }
            }
            match kind {
                DocumentKind::TaskList => merge_list(&context, replacement, markdown).await,
                DocumentKind::Task => Ok(replace_task(&context, replacement, markdown).await?),
            }
        })
        .await
    }

    /// Executes work as operations are executed: a change is completed even when its client disconnects.
    async fn run<T: Send + 'static, F: Future<Output = Result<T, DocumentError>> + Send + 'static>(
        &self,
        work: impl FnOnce(Arc<RequestContext>) -> F,
    ) -> Result<T, DocumentError> {
        self.operations.executor.run_to_end(work(self.context.clone())).await.map_err(DocumentError)?
    }

    /// The text of a document. Errors: Invalid.
    fn text(&self, document: Vec<u8>) -> Result<String> {
        let text = String::from_utf8(document).map_err(|_| invalid("markdown", "must be UTF-8"))?;
        check_document(&text, &markdown_path(), self.max_bytes())?;
        Ok(text)
    }
}

fn markdown_path() -> [PathSegment; 1] {
    ["markdown".into()]
}

fn invalid(name: &str, message: &str) -> Error {
    let mut faults = Faults::default();
    faults.push(name, Problem::new(Rule::Invalid, message));
    Error::Invalid(faults.into_found())
}

/// The version that a merge uses in conflicts. Errors: Invalid.
fn parse_side(text: &str) -> Result<MergeSide> {
    match text {
        "file" => Ok(MergeSide::File),
        "server" => Ok(MergeSide::Server),
        _ => Err(invalid("conflicts", "must be file or server")),
    }
}

/// The document as it is now, and the error when it is not as a condition requires.
async fn present(context: &RequestContext, kind: DocumentKind, id: Uuid) -> Result<(DocumentExport, Error)> {
    let (export, conflict) = match kind {
        DocumentKind::TaskList => {
            let export = context.lists_read().await?.export(id, false).await?;
            let conflict = Error::RevisionConflict { current: export.revision.clone() };
            (DocumentExport { markdown: export.markdown, revision: export.revision }, conflict)
        }
        DocumentKind::Task => {
            let export = context.tasks_read().await?.export_document(id, false).await?;
            let conflict = Error::VersionConflict { object: "task", current: export.task.version };
            (DocumentExport { markdown: export.markdown, revision: export.revision }, conflict)
        }
    };
    context.share().take(export.markdown.len())?;
    Ok((export, conflict))
}

async fn import_list(context: &RequestContext, markdown: String) -> Result<DocumentReport> {
    let lists = context.lists_write().await?;
    // The export of an unchanged list is the imported document.
    let revision = revision(&markdown);
    let (list, tasks, diagnostics) =
        lists.import(None, markdown, Default::default(), &markdown_path()).await?;
    Ok(DocumentReport::of_list(list, tasks, diagnostics, revision))
}

async fn import_task(context: &RequestContext, markdown: String) -> Result<DocumentReport> {
    let tasks = context.tasks_write().await?;
    let revision = revision(&markdown);
    let (task, diagnostics) = tasks.import_document(None, markdown).await?;
    Ok(DocumentReport::of_task(task, diagnostics, revision))
}

async fn merge_list(
    context: &RequestContext,
    replacement: Replacement,
    markdown: String,
) -> Result<DocumentReport, DocumentError> {
    let lists = context.lists_write().await?;
    let decisions = MergeDecisions {
        revisions: replacement.conditions.required.and_then(Revisions::listed),
        all_others: replacement.side,
        ..MergeDecisions::default()
    };
    let merge = lists.merge(replacement.id, markdown, &decisions, &markdown_path()).await?;
    if merge.applied { Ok(DocumentReport::of_merge(merge)) } else { Err(undecided(merge.conflicts)) }
}

async fn replace_task(
    context: &RequestContext,
    replacement: Replacement,
    markdown: String,
) -> Result<DocumentReport> {
    let tasks = context.tasks_write().await?;
    let expected = match replacement.conditions.required {
        Some(Revisions::Listed(listed)) => DocumentMatch::Revisions(listed),
        Some(Revisions::Any) | None => DocumentMatch::Any,
    };
    let revision = revision(&markdown);
    let (task, diagnostics) = tasks.replace_document(replacement.id, markdown, &expected).await?;
    Ok(DocumentReport::of_task(task, diagnostics, revision))
}

/// The error of a merge that has conflicts without a decision.
fn undecided(conflicts: Vec<ListMergeConflict>) -> DocumentError {
    let conflicts: Vec<Conflict> = conflicts.into_iter().map(Conflict::from).collect();
    let conflicts = match to_value(conflicts) {
        Ok(conflicts) => conflicts,
        Err(error) => return Error::internal(error).into(),
    };
    let message =
        "The document and the task list have changes that cannot both be kept. Nothing was changed.";
    let mut error = request_error(ErrorCode::Conflict, message);
    error.extensions.get_or_insert_default().set("conflicts", conflicts);
    DocumentError(Box::new(error))
}
