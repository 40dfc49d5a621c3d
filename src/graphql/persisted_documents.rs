//! Documents that a client names instead of sending their text: by the hash that it has sent them under
//! before (automatic persisted queries), or by their id in a manifest that the operator trusts.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use moka::sync::Cache;
use serde::Deserialize;

use crate::graphql::document_cache;
use crate::graphql::error::ErrorCode;

/// The texts that are remembered take so many bytes at most.
const CACHE_BYTES: u64 = 8 << 20;

/// Why no document is run, and the sentence that says so.
type RequestFault = (ErrorCode, &'static str);

/// The documents that are known by a name.
#[derive(Clone)]
pub struct PersistedDocuments {
    remembered: Cache<String, Arc<str>>,
    trusted: Option<Arc<TrustedDocuments>>,
}

impl PersistedDocuments {
    /// With trusted documents no others are run.
    pub fn new(trusted: Option<TrustedDocuments>) -> Self {
        let weigh =
            |hash: &String, text: &Arc<str>| u32::try_from(hash.len() + text.len()).unwrap_or(u32::MAX);
        let remembered = Cache::builder().weigher(weigh).max_capacity(CACHE_BYTES).build();
        Self { remembered, trusted: trusted.map(Arc::new) }
    }

    /// The text of the document that a request means, or why there is none.
    pub fn resolve(&self, query: Option<String>, id: Option<&str>) -> Result<String, RequestFault> {
        let unknown = (ErrorCode::PersistedQueryNotFound, "PersistedQueryNotFound");
        let refusal = |message| Err((ErrorCode::BadRequest, message));
        match (&self.trusted, query, id) {
            (_, None, None) => refusal("The request names no document."),
            (Some(trusted), None, Some(id)) => trusted.by_id.get(id).cloned().ok_or(unknown),
            (Some(trusted), Some(query), _) if trusted.texts.contains(&query) => Ok(query),
            (Some(_), Some(_), _) => refusal("Only the documents that are listed for this service are run."),
            (None, Some(query), Some(hash)) if document_cache::hex(&document_cache::hash(&query)) != hash => {
                refusal("The hash is not the SHA-256 of the document.")
            }
            (None, Some(query), _) => Ok(query),
            (None, None, Some(hash)) => {
                self.remembered.get(hash).map(|text| String::from(&*text)).ok_or(unknown)
            }
        }
    }

    /// Remembers a document that has passed the guard.
    pub fn register(&self, hash: &str, text: &str) {
        if self.trusted.is_none() && !self.remembered.contains_key(hash) {
            self.remembered.insert(hash.to_owned(), text.into());
        }
    }
}

/// The documents of a manifest.
#[derive(Clone, Debug)]
pub struct TrustedDocuments {
    by_id: HashMap<String, String>,
    texts: HashSet<String>,
}

impl TrustedDocuments {
    /// Reads a manifest: an object of texts by id, as GraphQL Code Generator and the Relay compiler
    /// write it, or the one of Apollo's generator.
    pub fn from_manifest(json: &str) -> anyhow::Result<Self> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Manifest {
            Apollo { operations: Vec<ManifestOperation> },
            Texts(HashMap<String, String>),
        }
        #[derive(Deserialize)]
        struct ManifestOperation {
            id: String,
            body: String,
        }
        let by_id = match serde_json::from_str(json) {
            Ok(Manifest::Apollo { operations }) => {
                operations.into_iter().map(|operation| (operation.id, operation.body)).collect()
            }
            Ok(Manifest::Texts(texts)) => texts,
            Err(_) => anyhow::bail!("it must be a manifest of GraphQL Code Generator, Relay or Apollo"),
        };
        Ok(Self { texts: by_id.values().cloned().collect(), by_id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_bounded() {
        let persisted = PersistedDocuments::new(None);
        let text = "x".repeat(16 << 10);
        for number in 0..2_000 {
            persisted.register(&number.to_string(), &text);
        }
        persisted.remembered.run_pending_tasks();
        let known =
            (0..2_000).filter(|number| persisted.resolve(None, Some(&number.to_string())).is_ok()).count();
        assert!((100..=512).contains(&known), "{known} are remembered");
    }
}
