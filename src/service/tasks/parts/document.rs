//! Converts the parts of a task from and to the values of its document. Each conversion of an enum is complete, so
//! that the compiler reports a missing value.

use std::collections::HashMap;

use task_documents::task as document;
use uuid::Uuid;

use super::Parts;
use crate::domain::{
    ChecklistItem, FileChange, FileChangeKind, Risk, RiskLevel, Section, Task, TaskPriority, TaskStatus,
    new_id, ordering,
};

impl Parts {
    /// The parts that a document describes. One that the task already has keeps its id: a checklist item with the
    /// same section and text, a risk with the same description, a file with the same path and kind.
    pub fn of_document(task_id: Uuid, values: &document::TaskValues, old: &Self) -> Self {
        let old_items: Vec<document::Item> = old.checklist.iter().map(|item| item_of(item, None)).collect();
        let kept = document::match_items(&old_items, &values.items);
        let mut checklist: Vec<ChecklistItem> = Vec::with_capacity(values.items.len());
        let mut places: HashMap<(Option<Uuid>, Section), usize> = HashMap::new();
        for (index, item) in values.items.iter().enumerate() {
            let section = section_of(item.section);
            let parent_id = item.parent.map(|parent| checklist[parent].id);
            let place = places.entry((parent_id, section)).or_default();
            checklist.push(ChecklistItem {
                id: kept[index].map_or_else(new_id, |index| old.checklist[index].id),
                task_id,
                parent_id,
                section,
                text: item.text.clone(),
                done: item.done,
                position: ordering::nth(*place),
                origin: i32::try_from(index).ok(),
            });
            *place += 1;
        }
        let old_risks: Vec<document::Risk> = old.risks.iter().map(risk_of).collect();
        let kept = document::match_risks(&old_risks, &values.risks);
        let risks = values.risks.iter().enumerate().map(|(index, risk)| Risk {
            id: kept[index].map_or_else(new_id, |index| old.risks[index].id),
            task_id,
            description: risk.description.clone(),
            likelihood: level_of(risk.likelihood),
            impact: level_of(risk.impact),
            mitigation: risk.mitigation.clone(),
            position: ordering::nth(index),
            origin: i32::try_from(index).ok(),
        });
        let risks = risks.collect();
        let old_files: Vec<document::File> = old.files.iter().map(file_of).collect();
        let kept = document::match_files(&old_files, &values.files);
        let files = values.files.iter().enumerate().map(|(index, file)| FileChange {
            id: kept[index].map_or_else(new_id, |index| old.files[index].id),
            task_id,
            path: file.path.clone(),
            kind: kind_of(file.kind),
            position: ordering::nth(index),
            origin: i32::try_from(index).ok(),
        });
        Self { checklist, risks, files: files.collect() }
    }
}

/// The values that the document of a task shows.
pub fn values_of(task: &Task, parts: &Parts) -> document::TaskValues {
    let mut children: HashMap<Option<Uuid>, Vec<&ChecklistItem>> = HashMap::new();
    for item in &parts.checklist {
        children.entry(item.parent_id).or_default().push(item);
    }
    let mut items = Vec::with_capacity(parts.checklist.len());
    let mut top = children.remove(&None).unwrap_or_default();
    top.sort_by_key(|item| (item.section, item.position));
    for item in top {
        items.push(item_of(item, None));
        let parent = items.len() - 1;
        for child in children.remove(&Some(item.id)).unwrap_or_default() {
            items.push(item_of(child, Some(parent)));
        }
    }
    document::TaskValues {
        title: task.title.clone(),
        date: task.details.date,
        status: document_status(task.status),
        priority: document_priority(task.priority),
        owner: task.details.owner_label.clone().filter(|owner| !owner.is_empty()),
        objective: task.details.objective.clone().filter(|objective| !objective.is_empty()),
        rationale: task.details.rationale.clone().filter(|rationale| !rationale.is_empty()),
        items,
        risks: parts.risks.iter().map(risk_of).collect(),
        files: parts.files.iter().map(file_of).collect(),
    }
}

fn item_of(item: &ChecklistItem, parent: Option<usize>) -> document::Item {
    document::Item {
        origin: origin_of(item.origin),
        section: document_section(item.section),
        text: item.text.clone(),
        done: item.done,
        parent,
    }
}

fn risk_of(risk: &Risk) -> document::Risk {
    document::Risk {
        origin: origin_of(risk.origin),
        description: risk.description.clone(),
        likelihood: document_level(risk.likelihood),
        impact: document_level(risk.impact),
        mitigation: risk.mitigation.clone(),
    }
}

fn file_of(file: &FileChange) -> document::File {
    document::File { origin: origin_of(file.origin), kind: document_kind(file.kind), path: file.path.clone() }
}

fn origin_of(origin: Option<i32>) -> Option<usize> {
    origin.and_then(|index| usize::try_from(index).ok())
}

/// Defines the conversions between an enum of documents and one of the domain.
macro_rules! conversions {
    ($($to_domain:ident, $to_document:ident: $document:ident, $domain:ident { $($value:ident),+ })+) => {$(
        pub fn $to_domain(value: document::$document) -> $domain {
            match value { $(document::$document::$value => $domain::$value),+ }
        }

        fn $to_document(value: $domain) -> document::$document {
            match value { $($domain::$value => document::$document::$value),+ }
        }
    )+};
}

conversions! {
    status_of, document_status: Status, TaskStatus { Pending, InProgress, Blocked, Completed }
    priority_of, document_priority: Priority, TaskPriority { Low, Medium, High, Critical }
    section_of, document_section: Section, Section { InScope, OutOfScope, Deliverable, Action, Acceptance }
    level_of, document_level: RiskLevel, RiskLevel { Low, Medium, High }
    kind_of, document_kind: FileKind, FileChangeKind { Created, Modified, Deleted }
}
