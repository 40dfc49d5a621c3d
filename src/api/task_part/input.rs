//! The inputs of mutations of task parts.

use api_macros::field;
use async_graphql::{InputObject, MaybeUndefined};

use crate::api::input::{non_null, non_null_text, nullable_text};
use crate::api::task_part::{ChecklistSection, FileChangeKind, RiskLevel};
use crate::domain::{
    self, Faults, FilePath, ItemEdit, ItemText, MAX_MITIGATION, NewFileChange, NewItem, NewRisk, Problem,
    Result, RiskDescription, RiskEdit, Rule, at_most,
};

/// A box of a checklist, with its steps.
#[derive(InputObject)]
pub struct ChecklistItemInput {
    /// Where it stands in the document.
    section: ChecklistSection,
    /// 1 to 1,000 characters.
    text: String,
    /// Whether it is ticked.
    #[graphql(default)]
    done: bool,
    /// Steps of an ACTION item: ACTION items themselves, without steps of their own.
    children: Option<Vec<ChecklistItemInput>>,
}

impl ChecklistItemInput {
    /// Reads a box; only one on the upper level can have steps.
    pub fn parse(self, faults: &mut Faults, upper: bool) -> Option<NewItem> {
        let section = self.section.into();
        let text = faults.check("text", ItemText::parse(&self.text));
        let children = self.children.unwrap_or_default();
        let allowed = upper && section == domain::Section::Action;
        if !children.is_empty() && !allowed {
            let message = if upper {
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

/// Left out: unchanged. Null is refused.
#[derive(InputObject)]
pub struct UpdateChecklistItemInput {
    /// 1 to 1,000 characters.
    text: MaybeUndefined<String>,
    /// Whether it is ticked.
    done: MaybeUndefined<bool>,
}

impl UpdateChecklistItemInput {
    pub fn parse(self) -> Result<ItemEdit> {
        let mut faults = Faults::of("input");
        let text = non_null_text(&mut faults, field!(self.text), ItemText::parse);
        let done = non_null(&mut faults, field!(self.done));
        faults.finish(Some(ItemEdit { text, done }))
    }
}

/// Something that may go wrong.
#[derive(InputObject)]
pub struct RiskInput {
    /// 1 to 1,000 characters.
    description: String,
    /// How likely it is.
    likelihood: RiskLevel,
    /// How much it would hurt.
    impact: RiskLevel,
    /// What is done about it, in up to 2,000 characters.
    mitigation: Option<String>,
}

impl RiskInput {
    pub fn parse(self, faults: &mut Faults) -> Option<NewRisk> {
        let description = faults.check("description", RiskDescription::parse(&self.description));
        let mitigation = self.mitigation.map(|raw| faults.check("mitigation", at_most(&raw, MAX_MITIGATION)));
        let (likelihood, impact) = (self.likelihood.into(), self.impact.into());
        Some(NewRisk { description: description?, likelihood, impact, mitigation: mitigation.flatten() })
    }
}

/// Left out: unchanged. Null: cleared, where the risk's field is nullable, and refused elsewhere.
#[derive(InputObject)]
pub struct UpdateRiskInput {
    /// 1 to 1,000 characters.
    description: MaybeUndefined<String>,
    /// How likely it is.
    likelihood: MaybeUndefined<RiskLevel>,
    /// How much it would hurt.
    impact: MaybeUndefined<RiskLevel>,
    /// What is done about it, in up to 2,000 characters.
    mitigation: MaybeUndefined<String>,
}

impl UpdateRiskInput {
    pub fn parse(self) -> Result<RiskEdit> {
        let mut faults = Faults::of("input");
        let description = non_null_text(&mut faults, field!(self.description), RiskDescription::parse);
        let likelihood = non_null(&mut faults, field!(self.likelihood)).map(Into::into);
        let impact = non_null(&mut faults, field!(self.impact)).map(Into::into);
        let mitigation = nullable_text(&mut faults, field!(self.mitigation), MAX_MITIGATION);
        faults.finish(Some(RiskEdit { description, likelihood, impact, mitigation }))
    }
}

/// A file that a task creates, modifies or deletes.
#[derive(InputObject)]
pub struct FileChangeInput {
    /// 1 to 500 characters.
    path: String,
    /// What happens to it.
    kind: FileChangeKind,
}

impl FileChangeInput {
    pub fn parse(self, faults: &mut Faults) -> Option<NewFileChange> {
        let path = faults.check("path", FilePath::parse(&self.path));
        Some(NewFileChange { path: path?, kind: self.kind.into() })
    }
}
