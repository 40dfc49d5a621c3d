//! Statements about a document that was not read as its writer must have meant it.

/// The maximum number of diagnostics of a document. If there are more, the last one is [`Code::More`].
pub const MAX_DIAGNOSTICS: usize = 1_000;

/// A statement about a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub code: Code,
    /// The line, counted from 1. None when the statement is about the whole document.
    pub line: Option<usize>,
    /// A sentence for people.
    pub message: String,
    /// The keys of the tasks concerned, in the order of the document.
    pub keys: Vec<String>,
    /// The number that the document states and the number that was counted, for [`Code::CountMismatch`].
    pub numbers: Option<(u64, u64)>,
}

/// The diagnostics by line, those about the whole document first, and not more than [`MAX_DIAGNOSTICS`].
pub(crate) fn in_order(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    found.sort_by_key(|diagnostic| diagnostic.line);
    if found.len() > MAX_DIAGNOSTICS {
        let message = format!("There are {} diagnostics. The others are not listed.", found.len());
        found.truncate(MAX_DIAGNOSTICS - 1);
        found.push(Diagnostic { code: Code::More, line: None, message, keys: Vec::new(), numbers: None });
    }
    found
}

/// How serious a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Info,
    Warning,
    Error,
}

/// What a diagnostic is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    CountMismatch,
    SameFileParallel,
    DuplicateKey,
    DuplicatePhase,
    UnreadTask,
    UnkeyedBox,
    StruckTask,
    UnknownMark,
    UnknownTag,
    StoryMismatch,
    UnknownStory,
    UnknownReference,
    DependencyCycle,
    DoneEarly,
    NoTasks,
    TextCut,
    TooMany,
    BoxTooDeep,
    ItemWithoutBox,
    UnreadableValue,
    /// INFO in both kinds of documents.
    Placeholder,
    RepeatedSection,
    More,
}

impl Code {
    /// How serious a diagnostic with this code is.
    pub fn severity(self) -> Severity {
        match self {
            Self::NoTasks | Self::TooMany => Severity::Error,
            Self::CountMismatch
            | Self::SameFileParallel
            | Self::DuplicateKey
            | Self::DuplicatePhase
            | Self::UnreadTask
            | Self::UnknownMark
            | Self::StoryMismatch
            | Self::UnknownReference
            | Self::DependencyCycle
            | Self::DoneEarly
            | Self::UnreadableValue => Severity::Warning,
            Self::UnkeyedBox
            | Self::StruckTask
            | Self::UnknownTag
            | Self::UnknownStory
            | Self::TextCut
            | Self::BoxTooDeep
            | Self::ItemWithoutBox
            | Self::Placeholder
            | Self::RepeatedSection
            | Self::More => Severity::Info,
        }
    }
}
