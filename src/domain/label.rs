//! Labels: short words for grouping tasks, unique regardless of case.

use std::collections::HashSet;

use crate::domain::{Problem, Result, Rule, text};

/// The maximum length of a label, in characters.
pub const MAX_LABEL: usize = 50;
/// The maximum number of labels of a task.
pub const MAX_LABELS: usize = 20;

/// A label of 1 to 50 characters without line breaks.
#[derive(Clone, Debug)]
pub struct Label(String);

impl Label {
    /// Accepts 1 to 50 characters without line breaks.
    pub fn parse(raw: &str) -> Result<Self, Problem> {
        let label = text::non_empty(raw, MAX_LABEL)?;
        // The line breaks of Unicode (UAX 14): LF, VT, FF, CR, NEL, LS, PS.
        let breaks = ['\n', '\u{b}', '\u{c}', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
        if label.contains(breaks) {
            return Err(Problem::new(Rule::Invalid, "must not contain line breaks"));
        }
        Ok(Self(label))
    }

    /// The label as the user wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folded label, for comparison.
    pub fn key(&self) -> String {
        text::fold(&self.0)
    }
}

/// The labels of a task in the order in which they were added, without duplicates, each in its first
/// spelling.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(Vec<String>);

impl Labels {
    /// Parses the stored form, which has one label per line.
    pub fn from_lines(lines: &str) -> Self {
        Self(lines.lines().map(str::to_owned).collect())
    }

    /// The stored form, which has one label per line.
    pub fn to_lines(&self) -> String {
        self.0.join("\n")
    }

    /// The labels.
    pub fn into_vec(self) -> Vec<String> {
        self.0
    }

    /// The labels.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }

    /// Appends labels. Labels that exist already keep their position and spelling. Fails when the result has
    /// more than [`MAX_LABELS`].
    pub fn with(mut self, added: &[Label]) -> Result<Self, Problem> {
        let mut keys: HashSet<String> = self.0.iter().map(|label| text::fold(label)).collect();
        self.0.extend(added.iter().filter(|label| keys.insert(label.key())).map(|label| label.0.clone()));
        if self.0.len() > MAX_LABELS {
            return Err(Problem::new(
                Rule::TooMany,
                format!("would result in more than {MAX_LABELS} labels"),
            ));
        }
        Ok(self)
    }

    /// Removes labels.
    pub fn without(mut self, removed: &[Label]) -> Self {
        let keys: HashSet<String> = removed.iter().map(Label::key).collect();
        self.0.retain(|label| !keys.contains(&text::fold(label)));
        self
    }
}
