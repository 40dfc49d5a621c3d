//! The state that the engine keeps while it executes one operation. Resolvers reach it through [`ExecutionExt`].

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::parser::types::Field;
use async_graphql::{ContextBase, ContextSelectionSet, Positioned, ServerError};
use tokio::sync::Semaphore;

use crate::domain::{Error, Result};
use crate::graphql::error::FieldError;
use crate::graphql::response_budget::ResponseShare;

/// The most bytes that long texts and task parts may have in one response.
pub const MAX_RESPONSE_TEXT_BYTES: usize = 32 << 20;
/// Root fields of one query that are resolved concurrently, so that one request does not occupy all database
/// connections.
const CONCURRENT_ROOT_FIELDS: usize = 2;

/// The state of one execution.
pub struct ExecutionState {
    share: Arc<ResponseShare>,
    /// Bytes of long texts and task parts in the response so far.
    charged: AtomicUsize,
    allows_direct_json: bool,
    /// None: the operation has no more root fields than may be resolved concurrently.
    root_fields: Option<Semaphore>,
}

impl ExecutionState {
    /// The state of an operation with `root_fields` root fields. Its objects may be written directly as JSON
    /// unless the document selects one object in several places.
    pub fn new(share: Arc<ResponseShare>, allows_direct_json: bool, root_fields: usize) -> Self {
        let is_limited = root_fields > CONCURRENT_ROOT_FIELDS;
        Self {
            share,
            charged: AtomicUsize::new(0),
            allows_direct_json,
            root_fields: is_limited.then(|| Semaphore::new(CONCURRENT_ROOT_FIELDS)),
        }
    }

    /// The response's share of the memory for responses.
    pub fn share(&self) -> &Arc<ResponseShare> {
        &self.share
    }

    /// Whether objects may be written directly as JSON.
    pub fn allows_direct_json(&self) -> bool {
        self.allows_direct_json
    }

    /// Limits how many root fields are resolved concurrently, if the operation has many.
    pub fn root_fields(&self) -> Option<&Semaphore> {
        self.root_fields.as_ref()
    }

    /// Counts a text into the response, with the length that it has in JSON. Errors: as [`Self::charge`].
    pub fn charge_text(&self, text: &str) -> Result<()> {
        let escapes = text.bytes().map(|byte| match byte {
            b'"' | b'\\' | 8 | b'\t' | b'\n' | 12 | b'\r' => 1,
            0..b' ' => 5,
            _ => 0,
        });
        self.charge(text.len() + escapes.sum::<usize>())
    }

    /// Counts bytes into the response, since aliases and repeated ids can select the same large list many
    /// times. Errors: TooLarge beyond [`MAX_RESPONSE_TEXT_BYTES`], Unavailable when no memory is left.
    pub fn charge(&self, bytes: usize) -> Result<()> {
        self.share.take(bytes)?;
        let before = self.charged.fetch_add(bytes, Ordering::Relaxed);
        if before + bytes > MAX_RESPONSE_TEXT_BYTES {
            Err(Error::ResponseTooLarge { limit: MAX_RESPONSE_TEXT_BYTES })
        } else {
            Ok(())
        }
    }

    /// The bytes that have been charged so far.
    pub fn charged(&self) -> usize {
        self.charged.load(Ordering::Relaxed)
    }

    /// Takes back what was charged since [`Self::charged`] returned `charged`.
    pub fn reset_charged_to(&self, charged: usize) {
        let after = self.charged.swap(charged, Ordering::Relaxed);
        self.share.give_back(after - charged);
    }
}

/// Finds the state of the execution that a resolver belongs to.
pub trait ExecutionExt<'a> {
    /// The state of the execution that the resolver belongs to.
    fn execution(&self) -> &'a ExecutionState;
}

impl<'a, T> ExecutionExt<'a> for ContextBase<'a, T> {
    fn execution(&self) -> &'a ExecutionState {
        self.data_unchecked::<Arc<ExecutionState>>()
    }
}

/// The error of a field that fails while its value is written.
pub fn write_error(ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>, error: Error) -> ServerError {
    let error = async_graphql::Error::from(FieldError::at_path(ctx, error));
    ctx.set_error_path(error.into_server_error(field.pos))
}
