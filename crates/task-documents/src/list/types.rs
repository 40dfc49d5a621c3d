//! What a list document says: its tasks, phases and stories.

use std::ops::Range;

use crate::diagnostic::Diagnostic;
use crate::list::names::{KeyReference, Names};

/// What a list document says. Offsets and lengths are bytes of its source.
#[derive(Clone, Debug)]
pub struct ListDocument {
    /// The first heading of level 1, without a leading `Tasks:`; `Task list` without such a heading.
    pub title: String,
    /// The tasks, in the order of the document.
    pub tasks: Vec<ListTask>,
    /// The phases, in the order of the document.
    pub phases: Vec<Phase>,
    /// The stories, in the order of their phases; those that no phase heading names come last.
    pub stories: Vec<Story>,
    /// The dependencies that sections of the document state.
    pub statements: Statements,
    pub diagnostics: Vec<Diagnostic>,
    pub(crate) names: Names,
}

impl ListDocument {
    /// The index of the task with this key in [`ListDocument::tasks`].
    pub fn index_of(&self, key: &str) -> Option<usize> {
        self.names.task(key)
    }
}

/// A task of a list document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListTask {
    /// Unique in the document: a repeated key has `#2`, `#3` and so on at its end.
    pub key: String,
    /// The text without key and marks, in NFC. It can be empty.
    pub text: String,
    /// The lines below the first paragraph, in NFC.
    pub details: Option<String>,
    /// What its own lines name after a word such as `depends on`, in their order.
    pub references: Vec<KeyReference>,
    pub ticked: bool,
    pub parallel: bool,
    /// The stories that the marks name, without those of the phase.
    pub marked_stories: Vec<String>,
    /// The stories to which the task belongs.
    pub stories: Vec<String>,
    /// The index of the phase in [`ListDocument::phases`].
    pub phase: Option<usize>,
    /// The lines of the task, from the beginning of a line to behind the last line end.
    pub lines: Range<usize>,
    /// What is between the brackets of the box.
    pub box_content: Range<usize>,
    /// The key as it is written, without the `#2` of a repeated one.
    pub key_span: Range<usize>,
    /// From the first byte of the text, or of a `\` that is not part of it, to the end of the first
    /// paragraph.
    pub text_span: Range<usize>,
}

/// The dependencies that the sections of a document state, and the default dependencies of phases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statements {
    /// For each phase, the indexes of the phases on which it depends directly. They form no cycle.
    pub phases: Vec<Vec<usize>>,
    /// For each story, the indexes of the stories on which it depends directly. They form no cycle.
    pub stories: Vec<Vec<usize>>,
    /// The dependencies of tasks on tasks, in the order of the document. They can form cycles, among them and
    /// with those that the lines of tasks state.
    pub tasks: Vec<TaskStatement>,
    /// All others: the tasks of all subjects wait for the tasks of all references.
    pub others: Vec<Statement>,
}

/// A dependency of a task on another one, which a section states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskStatement {
    /// The index of the task that waits.
    pub task: usize,
    /// The index of the task for which it waits.
    pub on: usize,
    /// Where the sentence stands in the source.
    pub offset: usize,
}

/// A statement about tasks, phases and stories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub subjects: Vec<Group>,
    pub references: Vec<Group>,
}

/// A task, a phase or a story, by its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    Task(usize),
    Phase(usize),
    Story(usize),
}

/// A phase of a list document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase {
    pub number: Option<String>,
    pub title: String,
    pub purpose: Option<String>,
    pub goal: Option<String>,
    pub independent_test: Option<String>,
    pub checkpoint: Option<String>,
    pub priority: Option<u8>,
    pub mvp: bool,
    /// The key of the story that the heading names.
    pub story: Option<String>,
    /// From the line of the heading to the next heading that belongs to another phase or to none.
    pub section: Range<usize>,
}

/// A user story of a list document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    pub key: String,
    pub title: Option<String>,
    /// The index of the phase whose heading names the story.
    pub phase: Option<usize>,
}

/// The present state of a task, for the export.
#[derive(Clone, Copy, Debug)]
pub struct TaskState<'a> {
    pub text: &'a str,
    pub completed: bool,
    pub in_trash: bool,
}

/// The place of a new line.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// Behind the lines of the task with this index in [`ListDocument::tasks`].
    After(usize),
    /// The end of the phase with this index in [`ListDocument::phases`].
    EndOfPhase(usize),
    /// The end of a document that has no phase: behind its last task, or at its end.
    EndOfDocument,
}

/// A new task for a list.
#[derive(Clone, Copy, Debug)]
pub struct NewLine<'a> {
    pub key: &'a str,
    pub parallel: bool,
    pub stories: &'a [String],
    pub title: &'a str,
}
