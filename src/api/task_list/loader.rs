//! Loads what the fields of one task list and of its tasks share: each value once for a request, when it is first
//! needed.

use std::sync::Arc;

use async_graphql::Context;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::api::dependency::loader::WaitingLoader;
use crate::auth::Viewer;
use crate::domain::{Claim, Error, Result, TaskList};
use crate::graphql::ResponseShare;
use crate::graphql::error::FieldError;
use crate::service::{ExportedList, ListOutline, Services, StoredDocument, TaskLists, WaitingSeeds};

/// The values of one task list of a viewer.
pub struct ListLoader {
    id: Uuid,
    viewer: Viewer,
    services: Arc<Services>,
    share: Arc<ResponseShare>,
    list: OnceCell<Result<Option<TaskList>>>,
    document: OnceCell<Result<Arc<StoredDocument>>>,
    outline: OnceCell<Result<Arc<ListOutline>>>,
    export: OnceCell<Result<ExportedList>>,
    claims: OnceCell<Result<Vec<Claim>>>,
    waiting: Arc<WaitingLoader>,
}

impl ListLoader {
    /// A loader for this list of `viewer`, for a response with this share of the response budget.
    pub fn new(id: Uuid, viewer: &Viewer, services: &Arc<Services>, share: &Arc<ResponseShare>) -> Self {
        let seeds = WaitingSeeds { lists: vec![id], outside: Vec::new() };
        Self {
            id,
            viewer: viewer.clone(),
            services: services.clone(),
            share: share.clone(),
            list: OnceCell::new(),
            document: OnceCell::new(),
            outline: OnceCell::new(),
            export: OnceCell::new(),
            claims: OnceCell::new(),
            waiting: Arc::new(WaitingLoader::new(seeds, viewer, services, share)),
        }
    }

    fn lists(&self) -> Result<TaskLists<'_>> {
        self.services.lists_read(&self.viewer)
    }

    /// The owner of the list.
    pub fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    /// The list, also one in the trash. Errors: those of a statement.
    pub async fn list(&self, ctx: &Context<'_>) -> Result<Option<&TaskList>, FieldError> {
        let load = || async { self.lists()?.find_any(self.id).await };
        Ok(loaded(ctx, self.list.get_or_init(load).await)?.as_ref())
    }

    /// The document as it was stored, with its phases and stories. Errors: those of a statement.
    pub async fn document(&self, ctx: &Context<'_>) -> Result<&Arc<StoredDocument>, FieldError> {
        let load = || async {
            let document = self.lists()?.stored(self.id).await?;
            self.share.take(document.memory_size())?;
            Ok(document)
        };
        loaded(ctx, self.document.get_or_init(load).await)
    }

    /// The tasks of the list. Errors: those of a statement.
    pub async fn outline(&self, ctx: &Context<'_>) -> Result<&Arc<ListOutline>, FieldError> {
        let load = || async { self.lists()?.outline(self.id).await.map(Arc::new) };
        loaded(ctx, self.outline.get_or_init(load).await)
    }

    /// The live claims of the list, oldest first. Errors: those of a statement.
    pub async fn claims(&self, ctx: &Context<'_>) -> Result<&[Claim], FieldError> {
        let load = || async { self.lists()?.claims(self.id).await };
        loaded(ctx, self.claims.get_or_init(load).await).map(Vec::as_slice)
    }

    /// The loader of what the tasks of the list wait for.
    pub fn waiting(&self) -> &Arc<WaitingLoader> {
        &self.waiting
    }

    /// The document with all changes. Errors: those of a statement.
    pub async fn export(&self, ctx: &Context<'_>) -> Result<&ExportedList, FieldError> {
        let load = || async {
            let export = Box::pin(self.lists()?.export_any(self.id, true)).await?;
            self.share.take(export.markdown.len())?;
            Ok(export)
        };
        loaded(ctx, self.export.get_or_init(load).await)
    }
}

/// The loaded value, or the error of the load at the path of the current field.
fn loaded<'a, T>(ctx: &Context<'_>, value: &'a Result<T>) -> Result<&'a T, FieldError> {
    value.as_ref().map_err(|error| FieldError::at_path(ctx, Error::clone(error)))
}
