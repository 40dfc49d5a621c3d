//! Documents that a client names instead of sending their text: by a hash that it has registered before
//! (automatic persisted queries), or by an id in a manifest of trusted documents.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use moka::sync::Cache;
use serde::Deserialize;

use crate::graphql::document_cache;
use crate::graphql::error::ErrorCode;

/// The most bytes that registered texts may take.
const CACHE_BYTES: u64 = 8 << 20;

/// The code and the message of a request whose document is not found or not allowed.
type RequestFault = (ErrorCode, &'static str);

/// The documents that requests can name.
#[derive(Clone)]
pub struct PersistedDocuments {
    registered: Cache<String, Arc<str>>,
    trusted: Option<Arc<TrustedDocuments>>,
}

impl PersistedDocuments {
    /// When there are trusted documents, only these are executed.
    pub fn new(trusted: Option<TrustedDocuments>) -> Self {
        let weigh =
            |hash: &String, text: &Arc<str>| u32::try_from(hash.len() + text.len()).unwrap_or(u32::MAX);
        let registered = Cache::builder().weigher(weigh).max_capacity(CACHE_BYTES).build();
        Self { registered, trusted: trusted.map(Arc::new) }
    }

    /// The text of the document that a request sends or names.
    pub fn resolve(&self, query: Option<String>, id: Option<&str>) -> Result<String, RequestFault> {
        let unknown = (ErrorCode::PersistedQueryNotFound, "PersistedQueryNotFound");
        let refusal = |message| Err((ErrorCode::BadRequest, message));
        match (&self.trusted, query, id) {
            (_, None, None) => refusal("The request has neither a document nor the id of one."),
            (Some(trusted), None, Some(id)) => trusted.by_id.get(id).cloned().ok_or(unknown),
            (Some(trusted), Some(query), _) if trusted.texts.contains(&query) => Ok(query),
            (Some(_), Some(_), _) => refusal("The server executes only its trusted documents."),
            (None, Some(query), Some(hash)) if document_cache::hex(&document_cache::hash(&query)) != hash => {
                refusal("The hash is not the SHA-256 of the document.")
            }
            (None, Some(query), _) => Ok(query),
            (None, None, Some(hash)) => {
                self.registered.get(hash).map(|text| String::from(&*text)).ok_or(unknown)
            }
        }
    }

    /// Keeps the text of a document that the guard has accepted.
    pub fn register(&self, hash: &str, text: &str) {
        if self.trusted.is_none() && !self.registered.contains_key(hash) {
            self.registered.insert(hash.to_owned(), text.into());
        }
    }
}

/// The documents that the operator trusts.
#[derive(Clone, Debug)]
pub struct TrustedDocuments {
    by_id: HashMap<String, String>,
    texts: HashSet<String>,
}

impl TrustedDocuments {
    /// Reads a manifest: a JSON object of texts by id, as GraphQL Code Generator and the Relay compiler write
    /// it, or the format of Apollo's generator.
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

    /// Trusts the texts of other documents too, without their ids.
    pub fn with_texts_of(mut self, others: Self) -> Self {
        self.texts.extend(others.texts);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registered_documents_are_limited() {
        let persisted = PersistedDocuments::new(None);
        let text = "x".repeat(16 << 10);
        for number in 0..2_000 {
            persisted.register(&number.to_string(), &text);
        }
        persisted.registered.run_pending_tasks();
        let known =
            (0..2_000).filter(|number| persisted.resolve(None, Some(&number.to_string())).is_ok()).count();
        assert!((100..=512).contains(&known), "{known} are registered");
    }
}
