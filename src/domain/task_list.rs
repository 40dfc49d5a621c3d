//! Task lists, and what a task has from its line in one.

use uuid::Uuid;

use crate::domain::Instant;
use crate::domain::stored_enum::stored_enum;

/// The maximum size of a document that is sent, in bytes of UTF-8.
pub const MAX_DOCUMENT_BYTES: usize = 1 << 20;
/// The maximum number of tasks of a list, without those in the trash.
pub const MAX_TASKS_PER_LIST: usize = 5_000;
/// The maximum number of dependencies that clients can add to one task.
pub const MAX_ADDED_DEPENDENCIES: usize = 100;

/// A task list as its owner sees it, without its document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskList {
    pub id: Uuid,
    pub owner_id: Uuid,
    pub title: String,
    pub created_at: Instant,
    pub updated_at: Instant,
    /// When the list was moved to the trash.
    pub deleted_at: Option<Instant>,
    pub version: i32,
    pub ordering: TaskOrdering,
}

stored_enum! {
    /// How the order of the tasks in a phase is used.
    #[derive(Default)]
    TaskOrdering {
        /// A task waits for earlier tasks of its phase, as the marks `[P]` say.
        #[default]
        Marked = "MARKED",
        /// A task waits only for its dependencies and those of its phase and stories.
        Explicit = "EXPLICIT",
    }
}

impl TaskList {
    /// The list with the next version, updated at `now`.
    pub fn with_next_version(mut self, now: Instant) -> Self {
        self.version = self.version.saturating_add(1);
        self.updated_at = self.updated_at.max(now);
        self
    }
}

/// What a task has from its line in a task list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListEntry {
    pub list_id: Uuid,
    /// Unique in the list, tasks in the trash included.
    pub key: String,
    /// The whole text; the title of the task is cut.
    pub text: String,
    /// The lines below the text, as Markdown.
    pub details: Option<String>,
    /// Whether the task has the mark `[P]`.
    pub parallel: bool,
    /// The keys of the stories to which the task belongs.
    pub stories: Vec<String>,
    /// The phase in which the task stands.
    pub phase_id: Option<Uuid>,
    /// The number of that phase.
    pub phase_number: Option<String>,
    /// The place in the document; see [`crate::domain::ordering`].
    pub position: i64,
    /// The version after the last import or merge. None for a task that was made on the server since.
    pub base_version: Option<i32>,
    /// Whether the task was moved to the trash together with its list.
    pub deleted_with_list: bool,
    /// The claim that was made last, unless it has ended in another way than by its expiry.
    pub claim_id: Option<Uuid>,
}

/// The place of a new task in a task list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPlace {
    pub list_id: Uuid,
    /// The task after which the new one stands.
    pub after: Option<Uuid>,
    /// The number of the phase, or its title when it has no number.
    pub phase: Option<String>,
    /// None: the next free one.
    pub key: Option<String>,
    pub stories: Vec<String>,
    pub parallel: bool,
}

/// The version of a task that a merge uses when both sides have changed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeSide {
    /// The one in the new document.
    File,
    /// The one on the server.
    Server,
}

/// How a merge is made.
#[derive(Clone, Debug, Default)]
pub struct MergeDecisions {
    /// The revision of the export from which the document was made: one of these.
    pub revisions: Option<Vec<String>>,
    /// The key of a conflict, and the version to use.
    pub single: Vec<(String, MergeSide)>,
    /// The decision about all other conflicts.
    pub all_others: Option<MergeSide>,
    /// Whether the merge is only reported.
    pub dry_run: bool,
}
