//! Collects the diagnostics of a task document.

use crate::diagnostic::{self, Code, Diagnostic};
use crate::text::{self, Lines};

/// The diagnostics that have been found so far.
pub(super) struct Report<'a> {
    lines: &'a Lines,
    found: Vec<Diagnostic>,
}

impl<'a> Report<'a> {
    pub(super) fn new(lines: &'a Lines) -> Self {
        Self { lines, found: Vec::new() }
    }

    /// Adds a diagnostic about the line with this byte.
    pub(super) fn add(&mut self, code: Code, offset: usize, message: impl Into<String>) {
        let line = Some(self.lines.number(offset));
        self.found.push(Diagnostic { code, line, message: message.into(), keys: Vec::new(), numbers: None });
    }

    /// The text, cut where it is longer than its field allows. `what` names the field at the start of a
    /// sentence.
    pub(super) fn cut(&mut self, text: &str, limit: usize, offset: usize, what: &str) -> String {
        let cut = text::cut(text, limit);
        if cut != text {
            let message = format!("{what} is longer than {limit} characters. The rest is not read.");
            self.add(Code::TextCut, offset, message);
        }
        cut
    }

    /// The diagnostics by line, and not more than the maximum.
    pub(super) fn finish(self) -> Vec<Diagnostic> {
        diagnostic::in_order(self.found)
    }
}
