//! The inputs of the mutations of task parts.

use api_macros::field;
use async_graphql::{InputObject, MaybeUndefined};

use crate::api::input::{non_null, non_null_text, nullable_text};
use crate::api::task_part::{ChecklistSection, FileChangeKind, RiskLevel};
use crate::domain::{
    self, Faults, FilePath, ItemEdit, ItemText, MAX_MITIGATION, NewFileChange, NewItem, NewRisk, Problem,
    Result, RiskDescription, RiskEdit, Rule, at_most,
};

/// A new checklist item, with its sub-items.
#[derive(InputObject)]
pub struct ChecklistItemInput {
    /// The section of the task document that the item belongs to.
    section: ChecklistSection,
    /// The text, 1 to 1,000 characters.
    text: String,
    /// Whether the item is done, by default false.
    #[graphql(default)]
    done: bool,
    /// The sub-items. Only an ACTION item can have them; they are ACTION items without sub-items.
    children: Option<Vec<ChecklistItemInput>>,
}

impl ChecklistItemInput {
    /// The new item, or `None` when it has faults. Only a top-level item can have sub-items.
    pub fn parse(self, faults: &mut Faults, is_top_level: bool) -> Option<NewItem> {
        let section = self.section.into();
        let text = faults.check("text", ItemText::parse(&self.text));
        let children = self.children.unwrap_or_default();
        let allowed = is_top_level && section == domain::Section::Action;
        if !children.is_empty() && !allowed {
            let message = if is_top_level {
                "must be empty: only ACTION items have children"
            } else {
                "must be empty: children have no children"
            };
            faults.push("children", Problem::new(Rule::Invalid, message));
            return None;
        }
        let child = |(index, child): (usize, Self)| {
            faults.within("children", |faults| {
                faults.within(index, |faults| {
                    if child.section != ChecklistSection::Action {
                        faults.push(
                            "section",
                            Problem::new(Rule::Invalid, "must be ACTION, as the parent's is"),
                        );
                    }
                    child.parse(faults, false)
                })
            })
        };
        let children: Vec<Option<NewItem>> = children.into_iter().enumerate().map(child).collect();
        Some(NewItem {
            section,
            text: text?,
            done: self.done,
            children: children.into_iter().collect::<Option<_>>()?,
        })
    }
}

/// The changes of a checklist item. An omitted field does not change. Null is an error.
#[derive(InputObject)]
pub struct UpdateChecklistItemInput {
    /// The text, 1 to 1,000 characters.
    text: MaybeUndefined<String>,
    /// Whether the item is done.
    done: MaybeUndefined<bool>,
}

impl UpdateChecklistItemInput {
    /// The checked input. Errors: Invalid with all of its faults.
    pub fn parse(self) -> Result<ItemEdit> {
        let mut faults = Faults::of("input");
        let text = non_null_text(&mut faults, field!(self.text), ItemText::parse);
        let done = non_null(&mut faults, field!(self.done));
        faults.finish(Some(ItemEdit { text, done }))
    }
}

/// A new risk.
#[derive(InputObject)]
pub struct RiskInput {
    /// The description, 1 to 1,000 characters.
    description: String,
    /// The likelihood of the risk.
    likelihood: RiskLevel,
    /// The impact of the risk if it occurs.
    impact: RiskLevel,
    /// The measures against the risk, up to 2,000 characters.
    mitigation: Option<String>,
}

impl RiskInput {
    /// The checked input, or `None` after its faults have been added to `faults`.
    pub fn parse(self, faults: &mut Faults) -> Option<NewRisk> {
        let description = faults.check("description", RiskDescription::parse(&self.description));
        let mitigation = self.mitigation.map(|raw| faults.check("mitigation", at_most(&raw, MAX_MITIGATION)));
        let (likelihood, impact) = (self.likelihood.into(), self.impact.into());
        Some(NewRisk { description: description?, likelihood, impact, mitigation: mitigation.flatten() })
    }
}

/// The changes of a risk. An omitted field does not change. Null clears the mitigation; for other fields it
/// is an error.
#[derive(InputObject)]
pub struct UpdateRiskInput {
    /// The description, 1 to 1,000 characters.
    description: MaybeUndefined<String>,
    /// The likelihood of the risk.
    likelihood: MaybeUndefined<RiskLevel>,
    /// The impact of the risk if it occurs.
    impact: MaybeUndefined<RiskLevel>,
    /// The measures against the risk, up to 2,000 characters.
    mitigation: MaybeUndefined<String>,
}

impl UpdateRiskInput {
    /// The checked input. Errors: Invalid with all of its faults.
    pub fn parse(self) -> Result<RiskEdit> {
        let mut faults = Faults::of("input");
        let description = non_null_text(&mut faults, field!(self.description), RiskDescription::parse);
        let likelihood = non_null(&mut faults, field!(self.likelihood)).map(Into::into);
        let impact = non_null(&mut faults, field!(self.impact)).map(Into::into);
        let mitigation = nullable_text(&mut faults, field!(self.mitigation), MAX_MITIGATION);
        faults.finish(Some(RiskEdit { description, likelihood, impact, mitigation }))
    }
}

/// A new file of a task: one that the task creates, modifies or deletes.
#[derive(InputObject)]
pub struct FileChangeInput {
    /// The path, 1 to 500 characters.
    path: String,
    /// The kind of change to the file.
    kind: FileChangeKind,
}

impl FileChangeInput {
    /// The checked input, or `None` after its faults have been added to `faults`.
    pub fn parse(self, faults: &mut Faults) -> Option<NewFileChange> {
        let path = faults.check("path", FilePath::parse(&self.path));
        Some(NewFileChange { path: path?, kind: self.kind.into() })
    }
}
