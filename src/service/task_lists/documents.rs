//! The documents of task lists, as they were stored and as they were read. What was read is kept in memory, by the
//! version of the list.

use std::collections::HashMap;
use std::sync::Arc;

use moka::sync::Cache;
use task_documents::diagnostic::Diagnostic;
use task_documents::list::{
    Group, KeyReference, ListDocument, ListTask, Phase, Statements, Story, TaskStatement,
};
use uuid::Uuid;

use crate::domain::{Instant, TaskList};
use crate::service::document_threads::DocumentThreads;

/// The memory that the kept documents may take, in bytes, estimated.
const CACHE_BYTES: u64 = 32 << 20;
/// What a document takes in memory for each byte of it: itself, and the texts that were read from it.
const BYTES_PER_BYTE: usize = 3;

/// One version of one list. An id can be given to another list after the first one has been deleted for good.
type Version = (Uuid, Uuid, Instant, i32);

fn version_of(list: &TaskList) -> Version {
    (list.id, list.owner_id, list.created_at, list.version)
}

/// Reads documents, and keeps those of lists that were read recently.
#[derive(Clone)]
pub struct ListDocuments {
    pub threads: DocumentThreads,
    kept: Cache<Version, Arc<StoredDocument>>,
}

/// The document of one version of a list.
pub struct StoredDocument {
    pub(super) list: Uuid,
    pub source: String,
    pub outline: ListDocument,
    /// The id of each phase, in the same order.
    pub phase_ids: Vec<Uuid>,
    /// The id of each story, in the same order.
    pub story_ids: Vec<Uuid>,
    phases_by_id: HashMap<Uuid, usize>,
    stories_by_key: HashMap<String, usize>,
}

impl Default for ListDocuments {
    fn default() -> Self {
        let weight =
            |_: &_, document: &Arc<StoredDocument>| u32::try_from(document.memory_size()).unwrap_or(u32::MAX);
        let kept = Cache::builder().max_capacity(CACHE_BYTES).weigher(weight).build();
        Self { threads: DocumentThreads::default(), kept }
    }
}

impl ListDocuments {
    /// The document of this version of a list, if it is kept.
    pub fn get(&self, list: &TaskList) -> Option<Arc<StoredDocument>> {
        self.kept.get(&version_of(list))
    }

    /// Keeps the document of this version of a list.
    pub fn keep(&self, list: &TaskList, document: &Arc<StoredDocument>) {
        self.kept.insert(version_of(list), document.clone());
    }
}

impl StoredDocument {
    /// Reads the document of the list with this id.
    pub fn read(list: Uuid, source: String) -> Self {
        let outline = ListDocument::read(&source);
        Self::new(list, source, outline)
    }

    /// A document that has been read.
    pub fn new(list: Uuid, source: String, outline: ListDocument) -> Self {
        let phase_ids = phase_ids(list, &outline.phases);
        let story_id = |story: &Story| derived_id(list, &["story", &story.key]);
        let story_ids = outline.stories.iter().map(story_id).collect();
        let phases_by_id = (0..).zip(&phase_ids).map(|(index, id)| (*id, index)).collect();
        let stories = (0..).zip(&outline.stories);
        let stories_by_key = stories.map(|(index, story)| (story.key.clone(), index)).collect();
        Self { list, source, outline, phase_ids, story_ids, phases_by_id, stories_by_key }
    }

    /// The id of the phase in which a task of this document stands.
    pub fn phase_id_of(&self, task: &ListTask) -> Option<Uuid> {
        task.phase.and_then(|index| self.phase_ids.get(index).copied())
    }

    /// The index of the phase with this id.
    pub fn phase(&self, id: Uuid) -> Option<usize> {
        self.phases_by_id.get(&id).copied()
    }

    /// The index of the story with this key.
    pub fn story(&self, key: &str) -> Option<usize> {
        self.stories_by_key.get(key).copied()
    }

    /// The memory that the document takes, in bytes, estimated.
    pub fn memory_size(&self) -> usize {
        let ListDocument { tasks, phases, stories, diagnostics, statements, .. } = &self.outline;
        let Statements { phases: of_phases, stories: of_stories, tasks: of_tasks, others } = statements;
        let references = tasks.iter().map(|task| task.references.len() * size_of::<KeyReference>());
        let dependencies = of_phases.iter().chain(of_stories).map(|on| on.len() * size_of::<usize>());
        let groups = others.iter().map(|other| other.subjects.len() + other.references.len());
        self.source.len() * BYTES_PER_BYTE
            + references
                .chain(dependencies)
                .chain(groups.map(|count| count * size_of::<Group>()))
                .sum::<usize>()
            + of_tasks.len() * size_of::<TaskStatement>()
            + tasks.len() * size_of::<ListTask>()
            + phases.len() * (size_of::<Phase>() + 4 * size_of::<Uuid>())
            + stories.len() * (2 * size_of::<Story>() + 2 * size_of::<Uuid>())
            + diagnostics.len() * 2 * size_of::<Diagnostic>()
    }
}

/// The ids of phases. Each is made from the id of the list and the number of the phase, or its title when it has no
/// number; later phases with the same number or title also have their count in it.
fn phase_ids(list: Uuid, phases: &[Phase]) -> Vec<Uuid> {
    let mut seen = HashMap::new();
    let id = |phase: &Phase| {
        let (kind, name) = match &phase.number {
            Some(number) => ("number", number),
            None => ("title", &phase.title),
        };
        let count = seen.entry((kind, name.clone())).and_modify(|count| *count += 1).or_insert(0_usize);
        derived_id(list, &["phase", kind, name, &count.to_string()])
    };
    phases.iter().map(id).collect()
}

/// An id that depends on nothing but these values: a UUID of version 8 with the start of a SHA-256.
fn derived_id(list: Uuid, parts: &[&str]) -> Uuid {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new_with_prefix(list.as_bytes());
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
