//! Collects the diagnostics of a task document.

use crate::diagnostic::{Code, Diagnostic, MAX_DIAGNOSTICS};
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
        let mut found = self.found;
        found.sort_by_key(|diagnostic| diagnostic.line);
        if found.len() > MAX_DIAGNOSTICS {
            let message = format!("There are {} diagnostics. The others are not listed.", found.len());
            found.truncate(MAX_DIAGNOSTICS - 1);
            found.push(Diagnostic { code: Code::More, line: None, message, keys: Vec::new(), numbers: None });
        }
        found
    }
}
