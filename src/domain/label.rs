//! Labels: short words that tasks are sorted by, unique regardless of case.

use std::collections::HashSet;

use crate::domain::{Problem, Result, Rule, text};

/// The longest label, in characters.
pub const MAX_LABEL: usize = 50;
/// The most labels of a task.
pub const MAX_LABELS: usize = 20;

/// A label of 1 to 50 characters in one line.
#[derive(Clone, Debug)]
pub struct Label(String);

impl Label {
    /// Accepts 1 to 50 characters without line breaks.
    pub fn parse(raw: &str) -> Result<Self, Problem> {
        let label = text::non_empty(raw, MAX_LABEL)?;
        // The breaks of Unicode (UAX 14): LF, VT, FF, CR, NEL, LS, PS.
        let breaks = ['\n', '\u{b}', '\u{c}', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
        if label.contains(breaks) {
            return Err(Problem::new(Rule::Invalid, "must not contain line breaks"));
        }
        Ok(Self(label))
    }

    /// The label as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What labels are compared by.
    pub fn key(&self) -> String {
        text::fold(&self.0)
    }
}

/// The labels of a task: in the order of adding, each once, in its first spelling.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(Vec<String>);

impl Labels {
    /// Reads labels that are stored, one a line.
    pub fn from_lines(lines: &str) -> Self {
        Self(lines.lines().map(str::to_owned).collect())
    }

    /// One label a line.
    pub fn to_lines(&self) -> String {
        self.0.join("\n")
    }

    /// The labels themselves.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }

    /// Puts labels at the end; those that are there already keep their place and spelling. Fails when
    /// there are too many in the end.
    pub fn with(mut self, added: &[Label]) -> Result<Self, Problem> {
        let mut keys: HashSet<String> = self.0.iter().map(|label| text::fold(label)).collect();
        self.0.extend(added.iter().filter(|label| keys.insert(label.key())).map(|label| label.0.clone()));
        if self.0.len() > MAX_LABELS {
            return Err(Problem::new(Rule::TooMany, format!("would leave more than {MAX_LABELS} labels")));
        }
        Ok(self)
    }

    /// Takes labels away.
    pub fn without(mut self, removed: &[Label]) -> Self {
        let keys: HashSet<String> = removed.iter().map(Label::key).collect();
        self.0.retain(|label| !keys.contains(&text::fold(label)));
        self
    }
}
