//! Documents in general: their size, how they are read, and what was not understood.

use async_graphql::{Context, Enum, SimpleObject};
use serde::Serialize;

use crate::api::enum_name;
use crate::domain::{MAX_DOCUMENT_BYTES, PathSegment, Result};
use crate::graphql::guard::Limits;
use crate::service::{self, check_document};

/// The maximum size of a document, in bytes.
pub fn document_bytes(limits: &Limits) -> usize {
    MAX_DOCUMENT_BYTES.min(limits.request_bytes)
}

/// A document that is small enough. Errors: Invalid at `path`.
pub fn parse_document(ctx: &Context<'_>, markdown: String, path: &[PathSegment]) -> Result<String> {
    check_document(&markdown, path, document_bytes(ctx.data_unchecked::<Limits>()))?;
    Ok(markdown)
}

/// How a Markdown document is read.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind {
    /// The document describes one task: objective, scope, plan, acceptance criteria, risks and files.
    Task,
    /// The document is a task list (usually a file named tasks.md): phases, user stories and tasks that have keys
    /// such as T001.
    TaskList,
}

/// A statement about a document: a part of it was not read in the way its writer must have meant it, or the document
/// contradicts itself.
#[derive(SimpleObject, Serialize)]
pub struct Diagnostic {
    /// What the statement is about.
    #[serde(serialize_with = "enum_name::serialize")]
    code: DiagnosticCode,
    /// How serious it is.
    #[serde(serialize_with = "enum_name::serialize")]
    severity: DiagnosticSeverity,
    /// The line, counted from 1. Null when the statement is about the whole document.
    line: Option<i32>,
    /// The statement as a sentence for people.
    message: String,
    /// The keys of the tasks concerned, in the order of the document.
    keys: Vec<String>,
    /// The number that the document states. It is set for the code COUNT_MISMATCH only.
    claimed: Option<i32>,
    /// The number that the server counted. It is set for the code COUNT_MISMATCH only.
    counted: Option<i32>,
}

impl Diagnostic {
    /// The diagnostics of a document as clients see them.
    pub fn all(diagnostics: Vec<service::Diagnostic>) -> Vec<Self> {
        diagnostics.into_iter().map(Self::from).collect()
    }
}

impl From<service::Diagnostic> for Diagnostic {
    fn from(diagnostic: service::Diagnostic) -> Self {
        let service::Diagnostic { code, line, message, keys, numbers } = diagnostic;
        let int = |number: u64| i32::try_from(number).unwrap_or(i32::MAX);
        Self {
            severity: code.severity().into(),
            code: code.into(),
            line: line.map(|line| int(line as u64)),
            message,
            keys,
            claimed: numbers.map(|(claimed, _)| int(claimed)),
            counted: numbers.map(|(_, counted)| int(counted)),
        }
    }
}

/// How serious a diagnostic is.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "service::Severity")]
pub enum DiagnosticSeverity {
    /// A part of the document was read as plain text or was shortened, or the document may be unfinished.
    Info,
    /// The document contradicts itself, or a part of it was probably not read as it was meant.
    Warning,
    /// The document has nothing that could be read, or more than can be stored.
    Error,
}

/// What a diagnostic is about. Later versions may add codes, so clients must accept codes that they do not know.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "service::DiagnosticCode")]
pub enum DiagnosticCode {
    /// The document states a number of tasks that differs from the number it has.
    CountMismatch,
    /// Neighbouring tasks with the mark [P] name the same file.
    SameFileParallel,
    /// An earlier task has the same key. The task is called KEY#2, KEY#3 and so on.
    DuplicateKey,
    /// An earlier phase has the same number.
    DuplicatePhase,
    /// The line looks like a task but is not a list item with a box. It was read as text.
    UnreadTask,
    /// A list item has a box but no key. It was read as text.
    UnkeyedBox,
    /// The key of the task is struck through. The item was read as text.
    StruckTask,
    /// The box contains an unknown character. It was read as not ticked.
    UnknownMark,
    /// The text in square brackets after the key is neither [P] nor a story. It was read as part of the task's text.
    UnknownTag,
    /// The task is marked with a story, but stands in the phase of another story.
    StoryMismatch,
    /// The task is marked with a story that no phase heading names.
    UnknownStory,
    /// A dependency names a task, phase or story that the document does not have. It was ignored.
    UnknownReference,
    /// A stated dependency would complete a cycle. It was ignored.
    DependencyCycle,
    /// The box of the task is ticked, although a task on which it depends is not completed.
    DoneEarly,
    /// The document contains no task.
    NoTasks,
    /// The text is too long for its field and was shortened there. The document keeps it in full.
    TextCut,
    /// The document has more items than a task can hold. The rest was read as text.
    TooMany,
    /// A box is nested more deeply than a task's checklist allows. It was read as text.
    BoxTooDeep,
    /// List items in a checklist section have no box. They were read as text. Reported once for each section.
    ItemWithoutBox,
    /// The value could not be understood. It was ignored.
    UnreadableValue,
    /// A placeholder of the template was not filled in.
    Placeholder,
    /// An earlier section of the document has the same meaning.
    RepeatedSection,
    /// The document has more than 1,000 diagnostics. Only the first are listed.
    More,
}
