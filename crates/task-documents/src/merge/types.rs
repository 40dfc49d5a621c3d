//! What a merge starts from, and its result.

use crate::list::ListDocument;

/// A task of the list as it is now.
#[derive(Clone, Copy, Debug)]
pub struct ServerTask<'a> {
    pub key: &'a str,
    pub text: &'a str,
    pub completed: bool,
    pub in_trash: bool,
    /// Whether the base has the task. If not, the task was made on the server.
    pub in_base: bool,
    /// Whether the task has changed since the last import or merge.
    pub is_changed: bool,
}

/// The version of a task that a merge uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    File,
    Server,
}

/// The decisions about conflicts.
#[derive(Clone, Debug, Default)]
pub struct Decisions {
    /// The key of a conflict, and the version to use.
    pub single: Vec<(String, Side)>,
    /// The decision about all other conflicts.
    pub all_others: Option<Side>,
}

/// What a merge starts from.
#[derive(Clone, Copy, Debug)]
pub struct Merge<'a> {
    /// The source of the list, and what it says. Its tasks that are not made on the server are the base.
    pub source: (&'a str, &'a ListDocument),
    /// All tasks of the list that have not been purged, those in the trash included, in the order of the
    /// document.
    pub tasks: &'a [ServerTask<'a>],
    /// The new version.
    pub file: (&'a str, &'a ListDocument),
    /// Whether the file was made from the list as it is now, so that the base is the list as it is now.
    pub from_current: bool,
    pub decisions: &'a Decisions,
}

/// The result of a merge.
#[derive(Clone, Debug)]
pub struct Merged {
    /// The conflicts without a decision. If there is one, the merge must not be applied.
    pub conflicts: Vec<Conflict>,
    pub changes: Vec<Change>,
    /// The new source: the file, with the lines of the tasks that only the server has, those in the trash
    /// included.
    pub source: String,
    /// What the new source says.
    pub document: ListDocument,
    /// The tasks of `document`, in the same order and number.
    pub tasks: Vec<MergedTask>,
}

/// A task after a merge. Key, details, marks and phase are those of the document of the merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergedTask {
    /// The index of the task in [`Merge::tasks`]. None for a task that the merge adds.
    pub server: Option<usize>,
    /// The text of the task after the merge, which can differ from the text in the new source.
    pub text: String,
    /// Whether the task becomes completed or is reopened. None if its status stays; a task that the merge
    /// adds is then not completed.
    pub completed: Option<bool>,
    pub in_trash: bool,
    /// Whether the file has the task. If not, it counts as made on the server from now on.
    pub in_file: bool,
}

/// A task that both sides have changed in ways that cannot both be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    pub kind: ConflictKind,
    /// The key in the file; if the file does not have the task, the key on the server.
    pub key: String,
    /// The text in the base.
    pub base: String,
    /// The text on the server.
    pub server: String,
    /// The text in the file. None if the file does not have the task.
    pub file: Option<String>,
    /// The index of the task in [`Merge::tasks`].
    pub task: usize,
}

/// The kinds of conflicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConflictKind {
    Text,
    RemovedInFile,
    RemovedOnServer,
}

/// What a merge does to one task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub kind: ChangeKind,
    /// The key after the merge. For a task that is moved to the trash, the key before: the key that a later
    /// restoration gives it is not what the reader of the change knows.
    pub key: String,
    /// The key before the merge, for [`ChangeKind::Renumbered`].
    pub previous_key: Option<String>,
    /// The index of the task in [`Merge::tasks`]. None for a task that the merge adds.
    pub server: Option<usize>,
    /// The index of the task in [`Merged::tasks`].
    pub task: usize,
}

/// The kinds of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    Added,
    Removed,
    Restored,
    Renumbered,
    Text,
    Completed,
    Reopened,
    Moved,
    Kept,
    KeptOnNewText,
}

/// Indexes of [`Decisions::single`] whose keys have no conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownDecisions(pub Vec<usize>);
