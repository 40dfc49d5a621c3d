//! The cache of prepared documents, by the hash of their text. Clients send the same few documents again and
//! again, and preparing one takes longer than executing it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_graphql::Variables;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument};
use moka::sync::Cache;
use sha2::{Digest, Sha256};

use crate::graphql::direct_json;
use crate::graphql::guard::{self, Guard, Limits};

/// The most bytes that the prepared documents in the cache may take.
const CACHE_BYTES: u64 = 32 << 20;
/// An estimate of the bytes that the syntax tree takes for each byte of text.
const AST_BYTES_PER_TEXT_BYTE: usize = 128;

/// A document that the guard has accepted.
pub struct PreparedDocument {
    /// The syntax tree.
    pub ast: ExecutableDocument,
    /// Whether an object is selected several times under one response key.
    pub needs_field_merging: bool,
    /// The complexity; None when it depends on the values of variables.
    complexity: Option<usize>,
    hash: [u8; 32],
    is_valid: AtomicBool,
    /// The memory that the entry takes, estimated in bytes.
    weight: u32,
}

impl PreparedDocument {
    /// Whether the validation of async-graphql has found no error, whichever operation is selected.
    pub fn is_valid(&self) -> bool {
        self.is_valid.load(Ordering::Relaxed)
    }

    /// Whether the document has only one operation. Validation checks only the selected operation, so only
    /// then it has checked the whole document.
    fn has_one_operation(&self) -> bool {
        match &self.ast.operations {
            DocumentOperations::Single(_) => true,
            DocumentOperations::Multiple(all) => all.len() == 1,
        }
    }
}

/// Prepares documents, and keeps those that were executed.
#[derive(Clone)]
pub struct DocumentCache {
    guard: Arc<Guard>,
    cache: Cache<[u8; 32], Arc<PreparedDocument>>,
}

impl DocumentCache {
    pub fn new(guard: Guard) -> Self {
        let weigh = |_: &[u8; 32], document: &Arc<PreparedDocument>| document.weight;
        let cache = Cache::builder().max_capacity(CACHE_BYTES).weigher(weigh).build();
        Self { guard: Arc::new(guard), cache }
    }

    /// The guard that checks documents and values.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// The limits that documents have to keep.
    pub fn limits(&self) -> &Limits {
        self.guard.limits()
    }

    /// The prepared document of a text, and its complexity with these variables. Errors: those of the guard.
    pub fn prepare(
        &self,
        text: &str,
        hash: [u8; 32],
        variables: &Variables,
    ) -> Result<(Arc<PreparedDocument>, usize), guard::Error> {
        if let Some(cached) = self.cache.get(&hash) {
            let complexity = match cached.complexity {
                Some(complexity) if !guard::has_long_variables(variables) => complexity,
                _ => self.guard.check_variables(&cached.ast, variables)?,
            };
            return Ok((cached, complexity));
        }
        let mut ast = self.guard.parse(text)?;
        let complexity = self.guard.check_variables(&ast, variables)?;
        self.guard.prepare(&mut ast, text)?;
        let document = PreparedDocument {
            needs_field_merging: direct_json::needs_field_merging(&ast),
            complexity: (!self.guard.cost_depends_on_variables(&ast)).then_some(complexity),
            ast,
            hash,
            is_valid: AtomicBool::new(false),
            weight: u32::try_from(text.len() * AST_BYTES_PER_TEXT_BYTE).unwrap_or(u32::MAX),
        };
        Ok((Arc::new(document), complexity))
    }

    /// Keeps a document whose selected operation is valid.
    pub fn insert(&self, document: &Arc<PreparedDocument>) {
        if !self.cache.contains_key(&document.hash) {
            document.is_valid.store(document.has_one_operation(), Ordering::Relaxed);
            self.cache.insert(document.hash, document.clone());
        }
    }
}

/// The SHA-256 of a text.
pub fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(hash: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    hash.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
