//! The names that a task document uses for its sections, labels and field lines.

use super::values::{FileKind, Section};

/// A row of the table of sections. Sections of the same row are read into the same values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Row {
    Objective,
    Rationale,
    /// The checklist items of three sections, which labels distinguish.
    Scope,
    /// The checklist items of one section.
    Checklist(Section),
    Risks,
    Files,
}

/// The value that a field line holds, in the order in which field lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Date,
    Status,
    Priority,
    Owner,
}

impl Field {
    pub(super) const ALL: [Self; 4] = [Self::Date, Self::Status, Self::Priority, Self::Owner];

    /// The field that a field line with this name holds.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        Some(match name.to_lowercase().as_str() {
            "date" | "created" => Self::Date,
            "owner" | "assignee" | "assigned to" => Self::Owner,
            "status" => Self::Status,
            "priority" => Self::Priority,
            _ => return None,
        })
    }

    /// The name in a new field line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Date => "Date",
            Self::Status => "Status",
            Self::Priority => "Priority",
            Self::Owner => "Owner",
        }
    }
}

impl Row {
    /// The row to which a heading with this text belongs.
    pub(super) fn of_heading(text: &str) -> Option<Self> {
        Some(match key(text).as_str() {
            "objective" | "objectives" | "goal" | "goals" | "purpose" => Self::Objective,
            "problem statement and rationale"
            | "problem statement"
            | "problem"
            | "rationale"
            | "background"
            | "context"
            | "motivation" => Self::Rationale,
            "scope and deliverables" | "scope" => Self::Scope,
            "in scope" => Self::Checklist(Section::InScope),
            "out of scope" | "non goals" => Self::Checklist(Section::OutOfScope),
            "deliverables" => Self::Checklist(Section::Deliverable),
            "implementation plan action items"
            | "implementation plan"
            | "plan"
            | "action items"
            | "implementation steps"
            | "implementation checklist"
            | "steps"
            | "tasks"
            | "checklist" => Self::Checklist(Section::Action),
            "success and acceptance criteria"
            | "acceptance criteria"
            | "success criteria"
            | "definition of done" => Self::Checklist(Section::Acceptance),
            "risks and mitigation" | "risks and mitigations" | "risks" | "risk assessment" => Self::Risks,
            "files to modify" | "files" | "files affected" | "affected files" | "files modified" => {
                Self::Files
            }
            _ => return None,
        })
    }

    /// The heading of the section in the template.
    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::Objective => "## 1. Objective",
            Self::Rationale => "## 2. Problem Statement & Rationale",
            Self::Scope | Self::Checklist(Section::InScope | Section::OutOfScope | Section::Deliverable) => {
                "## 3. Scope & Deliverables"
            }
            Self::Checklist(Section::Action) => "## 4. Implementation Plan / Action Items",
            Self::Checklist(Section::Acceptance) => "## 5. Success & Acceptance Criteria",
            Self::Risks => "## 6. Risks & Mitigation",
            Self::Files => "## 7. Files to Modify",
        }
    }
}

/// The section that a label names in a Scope section. `text` is what stands between the asterisks.
pub(super) fn section_of_label(text: &str) -> Option<Section> {
    Some(match key(text).as_str() {
        "in scope" => Section::InScope,
        "out of scope" => Section::OutOfScope,
        "deliverables" => Section::Deliverable,
        _ => return None,
    })
}

/// The label of a section in a Scope section. The others have a heading of their own.
pub(super) fn label_of_section(section: Section) -> &'static str {
    match section {
        Section::InScope => "**In Scope**:",
        Section::OutOfScope => "**Out of Scope**:",
        Section::Deliverable => "**Deliverables**:",
        Section::Action => "**Action Items**:",
        Section::Acceptance => "**Acceptance Criteria**:",
    }
}

/// The kind of change that a label names in a Files section. `text` is what stands between the asterisks.
pub(super) fn kind_of_label(text: &str) -> Option<FileKind> {
    Some(match key(text).as_str() {
        "created" | "create" | "new" | "added" => FileKind::Created,
        "modified" | "modify" | "changed" | "updated" => FileKind::Modified,
        "deleted" | "delete" | "removed" => FileKind::Deleted,
        _ => return None,
    })
}

/// The label of a kind of change in a Files section.
pub(super) fn label_of_kind(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Created => "**Created**:",
        FileKind::Modified => "**Modified**:",
        FileKind::Deleted => "**Deleted**:",
    }
}

/// The form in which names are compared: words in lower case, without symbols and a leading number.
pub(super) fn key(text: &str) -> String {
    let text = text.to_lowercase().replace("&amp;", "&").replace('&', " and ");
    let words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<_> = words.skip_while(|word| word.bytes().all(|byte| byte.is_ascii_digit())).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_comparison_of_names_ignores_numbers_symbols_emphasis_and_case() {
        for heading in ["Objective", "1. Objective", "1.2) OBJECTIVE:", "🎯 **Objective**", "3️⃣ _goals_ :"]
        {
            assert_eq!(Row::of_heading(heading), Some(Row::Objective), "{heading}");
        }
        for heading in ["4. Implementation Plan / Action Items", "✅ Steps", "**Tasks:**", "Checklist"] {
            assert_eq!(Row::of_heading(heading), Some(Row::Checklist(Section::Action)), "{heading}");
        }
        assert_eq!(Row::of_heading("Scope and Deliverables"), Some(Row::Scope));
        assert_eq!(Row::of_heading("Scope &amp; Deliverables"), Some(Row::Scope));
        assert_eq!(Row::of_heading("Non-Goals"), Some(Row::Checklist(Section::OutOfScope)));
        assert_eq!(Row::of_heading("Objective of the plan"), None);
        assert_eq!(Row::of_heading("12"), None);
    }

    #[test]
    fn the_heading_of_each_section_is_one_of_its_names() {
        for row in [Row::Objective, Row::Rationale, Row::Scope, Row::Risks, Row::Files] {
            assert_eq!(Row::of_heading(row.heading().trim_start_matches('#')), Some(row));
        }
        for section in [Section::Action, Section::Acceptance] {
            let row = Row::Checklist(section);
            assert_eq!(Row::of_heading(row.heading().trim_start_matches('#')), Some(row));
        }
    }
}
