//! The labels of a phase: Purpose, Goal, Independent Test and Checkpoint.

use std::sync::LazyLock;

use regex::Regex;

use crate::list::outline::Outline;
use crate::markdown::{BlockKind, Markdown};
use crate::text::{lines, nfc, regex};

static LABEL: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)^\*\*(purpose|goal|independent test|checkpoint)(?:\*\*:|:\*\*)(.*)$"));

/// The values of the labels of one phase.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    pub purpose: Option<String>,
    pub goal: Option<String>,
    pub independent_test: Option<String>,
    pub checkpoint: Option<String>,
}

impl Labels {
    /// The labels below each heading that is the heading of a phase, by its index.
    pub fn read(markdown: &Markdown<'_>, outline: &Outline) -> Vec<Self> {
        let mut labels = vec![Self::default(); outline.headings.len()];
        for (index, block) in markdown.blocks.iter().enumerate() {
            let is_paragraph = matches!(block.kind, BlockKind::Paragraph { .. });
            if !is_paragraph || block.item.is_some() || block.in_quote {
                continue;
            }
            let heading = outline.heading_above(block.range.start);
            if let Some(phase) = heading.and_then(|heading| outline.headings[heading].phase) {
                labels[phase].add(markdown.content(index));
            }
        }
        labels
    }

    /// Adds the labels of a paragraph.
    fn add(&mut self, paragraph: &str) {
        let mut found: Vec<(String, String)> = Vec::new();
        for line in lines(paragraph).map(str::trim) {
            match (LABEL.captures(line), found.last_mut()) {
                (Some(label), _) => found.push((label[1].to_lowercase(), label[2].trim().to_owned())),
                (None, Some((_, value))) => {
                    value.push(' ');
                    value.push_str(line);
                }
                (None, None) => {}
            }
        }
        for (name, value) in found {
            let field = match name.as_str() {
                "purpose" => &mut self.purpose,
                "goal" => &mut self.goal,
                "checkpoint" => &mut self.checkpoint,
                _ => &mut self.independent_test,
            };
            if field.is_none() && !value.trim().is_empty() {
                *field = Some(nfc(value.trim()));
            }
        }
    }
}
