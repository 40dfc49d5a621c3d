//! Documents that have passed the guard, kept by their text: clients send the same few again and again,
//! and reading one costs more than answering it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_graphql::Variables;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument};
use moka::sync::Cache;
use sha2::{Digest, Sha256};

use crate::graphql::direct_json;
use crate::graphql::guard::{self, Guard, Limits};

/// The documents that are kept take so many bytes at most.
const CACHE_BYTES: u64 = 32 << 20;
/// What is read of a byte of text takes about so many.
const AST_BYTES_PER_TEXT_BYTE: usize = 128;

/// A document that has passed the guard.
pub struct PreparedDocument {
    /// As it was read.
    pub ast: ExecutableDocument,
    /// Whether it asks for parts of the same object in several places.
    pub needs_field_merging: bool,
    /// Its complexity, if that does not depend on variables.
    complexity: Option<usize>,
    hash: [u8; 32],
    is_valid: AtomicBool,
    /// In bytes, about.
    weight: u32,
}

impl PreparedDocument {
    /// Whether the library's validation has found nothing, whatever operation is named.
    pub fn is_valid(&self) -> bool {
        self.is_valid.load(Ordering::Relaxed)
    }

    /// Whether it is valid when one of its operations is, since validation looks at no other.
    fn has_one_operation(&self) -> bool {
        match &self.ast.operations {
            DocumentOperations::Single(_) => true,
            DocumentOperations::Multiple(all) => all.len() == 1,
        }
    }
}

/// The way of every document into the service.
#[derive(Clone)]
pub struct DocumentCache {
    guard: Arc<Guard>,
    kept: Cache<[u8; 32], Arc<PreparedDocument>>,
}

impl DocumentCache {
    pub fn new(guard: Guard) -> Self {
        let weigh = |_: &[u8; 32], document: &Arc<PreparedDocument>| document.weight;
        let kept = Cache::builder().max_capacity(CACHE_BYTES).weigher(weigh).build();
        Self { guard: Arc::new(guard), kept }
    }

    /// The guard that documents and values pass.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// The bounds that documents are held to.
    pub fn limits(&self) -> &Limits {
        self.guard.limits()
    }

    /// The document of a text and its complexity, if it may be given to the library with these variables.
    pub fn prepare(
        &self,
        text: &str,
        hash: [u8; 32],
        variables: &Variables,
    ) -> Result<(Arc<PreparedDocument>, usize), guard::Error> {
        if let Some(known) = self.kept.get(&hash) {
            let complexity = match known.complexity {
                Some(complexity) if !guard::has_long_variables(variables) => complexity,
                _ => self.guard.check_variables(&known.ast, variables)?,
            };
            return Ok((known, complexity));
        }
        let mut read = self.guard.parse(text)?;
        let complexity = self.guard.check_variables(&read, variables)?;
        self.guard.prepare(&mut read, text)?;
        let document = PreparedDocument {
            needs_field_merging: direct_json::needs_field_merging(&read),
            complexity: (!self.guard.cost_depends_on_variables(&read)).then_some(complexity),
            ast: read,
            hash,
            is_valid: AtomicBool::new(false),
            weight: u32::try_from(text.len() * AST_BYTES_PER_TEXT_BYTE).unwrap_or(u32::MAX),
        };
        Ok((Arc::new(document), complexity))
    }

    /// Keeps a document in whose operation validation has found nothing.
    pub fn insert(&self, document: &Arc<PreparedDocument>) {
        if !self.kept.contains_key(&document.hash) {
            document.is_valid.store(document.has_one_operation(), Ordering::Relaxed);
            self.kept.insert(document.hash, document.clone());
        }
    }
}

/// What a text is known by: its SHA-256.
pub fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// A hash, or the beginning of one, as it is written.
pub fn hex(hash: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    hash.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
