//! The inputs of the mutations of tasks.

use api_macros::field;
use async_graphql::{ID, InputObject, MaybeUndefined};

use crate::api::input::{list, non_null, non_null_text, nullable_text, optional_text, required};
use crate::api::scalar::{Date, DateTime, find_id};
use crate::api::task::enums::{TaskPriority, TaskStatus};
use crate::api::task_list::input::ListPlaceInput;
use crate::api::task_part::input::{ChecklistItemInput, FileChangeInput, RiskInput};
use crate::domain::{
    self, Error, Faults, Label, LabelChange, Labels, MAX_DESCRIPTION, MAX_OBJECTIVE, MAX_OWNER_LABEL,
    MAX_RATIONALE, NewParts, NewTask, Problem, Result, Rule, StatusChange, TaskDetails, TaskDetailsEdit,
    TaskEdit, Title, check_count,
};

/// The fields that CreateTaskInput and ReplaceTaskInput share.
#[derive(InputObject)]
struct TaskFields {
    /// The title, 1 to 200 characters.
    title: String,
    /// The description in Markdown, up to 20,000 characters.
    description: Option<String>,
    /// The status, by default PENDING.
    status: Option<TaskStatus>,
    /// The priority, by default MEDIUM.
    priority: Option<TaskPriority>,
    /// Up to 20 labels, each of 1 to 50 characters without line breaks.
    labels: Option<Vec<String>>,
    /// The time when the task is due.
    due_at: Option<DateTime>,
    /// The date of the task document.
    date: Option<Date>,
    /// The person or team that the task document names as the owner, up to 200 characters. It grants no
    /// access.
    owner_label: Option<String>,
    /// The goal in one sentence, up to 1,000 characters.
    objective: Option<String>,
    /// The problem, and why it is worth solving now, up to 10,000 characters.
    rationale: Option<String>,
    /// The checklist: up to 500 items, including sub-items.
    checklist: Option<Vec<ChecklistItemInput>>,
    /// Up to 100 risks.
    risks: Option<Vec<RiskInput>>,
    /// Up to 500 files.
    files: Option<Vec<FileChangeInput>>,
}

impl TaskFields {
    fn parse(self, faults: &mut Faults, completed: Option<bool>) -> Option<NewTask> {
        let title = required(faults, field!(self.title), Title::parse);
        let description = optional_text(faults, field!(self.description), MAX_DESCRIPTION);
        let status = match status_change(faults, self.status, completed) {
            Some(StatusChange::To(status)) => status,
            _ => domain::TaskStatus::default(),
        };
        let details = TaskDetails {
            date: self.date.map(|date| date.0),
            owner_label: optional_text(faults, field!(self.owner_label), MAX_OWNER_LABEL),
            objective: optional_text(faults, field!(self.objective), MAX_OBJECTIVE),
            rationale: optional_text(faults, field!(self.rationale), MAX_RATIONALE),
        };
        let labels = self.labels.map(|labels| label_set(faults, &labels));
        let parts = NewParts {
            checklist: list(faults, field!(self.checklist), |faults, item: ChecklistItemInput| {
                item.parse(faults, true)
            }),
            risks: list(faults, field!(self.risks), |faults, risk: RiskInput| risk.parse(faults)),
            files: list(faults, field!(self.files), |faults, file: FileChangeInput| file.parse(faults)),
        };
        parts.check_counts(faults);
        Some(NewTask {
            id: None,
            title: title?,
            description,
            status,
            priority: self.priority.map(Into::into).unwrap_or_default(),
            labels: labels.unwrap_or_default(),
            due_at: self.due_at.map(|at| at.0),
            details,
            parts,
            place: None,
        })
    }
}

/// A new task. Null means the same as an omitted value, also in the checklist, risks and files.
#[derive(InputObject)]
pub struct CreateTaskInput {
    /// A UUID that the client may choose to make retries safe: a second request with the same id returns the
    /// task that the first one created.
    id: Option<ID>,
    #[graphql(flatten)]
    fields: TaskFields,
    /// Creates the task in a task list, with a line of its own in the list's document.
    list: Option<ListPlaceInput>,
}

impl CreateTaskInput {
    /// The checked input. Errors: Invalid with all of its faults.
    pub fn parse(self) -> Result<NewTask> {
        let mut faults = Faults::of("input");
        let new = self.parse_within(&mut faults);
        faults.finish(new)
    }

    /// The new tasks of a bulk mutation. Errors: Invalid with the faults of all inputs.
    pub fn parse_all(inputs: Vec<Self>) -> Result<Vec<NewTask>> {
        let mut faults = Faults::default();
        if faults.check("inputs", check_count(inputs.len())).is_none() {
            return Err(Error::Invalid(faults.into_found()));
        }
        let parse = |(index, input): (usize, Self)| {
            faults.within("inputs", |faults| faults.within(index, |faults| input.parse_within(faults)))
        };
        let new: Vec<Option<NewTask>> = inputs.into_iter().enumerate().map(parse).collect();
        faults.finish(new.into_iter().collect())
    }

    fn parse_within(self, faults: &mut Faults) -> Option<NewTask> {
        let id = self.id.map(|id| {
            faults.check("id", find_id(&id).ok_or_else(|| Problem::new(Rule::Invalid, "is not a UUID")))
        });
        let place = self.list.map(|place| faults.within("list", |faults| place.parse(faults)));
        let new = self.fields.parse(faults, None)?;
        let place = match place {
            Some(place) => Some(place?),
            None => None,
        };
        Some(NewTask { id: id.flatten(), place, ..new })
    }
}

/// The whole content of a task. A field that is omitted or null is reset to its default. If the checklist,
/// the risks or the files are equal to the present ones, they keep their ids; otherwise they are replaced and
/// get new ids.
#[derive(InputObject)]
pub struct ReplaceTaskInput {
    /// Whether the status is COMPLETED. If status is present too, both must agree.
    completed: Option<bool>,
    #[graphql(flatten)]
    fields: TaskFields,
}

impl ReplaceTaskInput {
    /// The checked input. Errors: Invalid with all of its faults.
    pub fn parse(self) -> Result<NewTask> {
        let mut faults = Faults::of("input");
        let new = self.fields.parse(&mut faults, self.completed);
        faults.finish(new)
    }
}

/// The changes of a task. An omitted field does not change. Null clears a field that is nullable in Task; for
/// other fields it is an error.
#[derive(InputObject)]
pub struct UpdateTaskInput {
    /// The title, 1 to 200 characters.
    title: MaybeUndefined<String>,
    /// The description in Markdown, up to 20,000 characters.
    description: MaybeUndefined<String>,
    /// The status.
    status: MaybeUndefined<TaskStatus>,
    /// true sets the status to COMPLETED. false changes COMPLETED to PENDING and keeps every other status. If
    /// status is present too, completed must agree with it.
    completed: MaybeUndefined<bool>,
    /// The priority.
    priority: MaybeUndefined<TaskPriority>,
    /// All labels, which replace the present ones: up to 20, each of 1 to 50 characters. Cannot be combined
    /// with addLabels or removeLabels.
    labels: MaybeUndefined<Vec<String>>,
    /// Labels to add at the end. A label that the task already has is ignored.
    add_labels: MaybeUndefined<Vec<String>>,
    /// Labels to remove. A label that the task does not have is ignored.
    remove_labels: MaybeUndefined<Vec<String>>,
    /// The time when the task is due.
    due_at: MaybeUndefined<DateTime>,
    /// The date of the task document.
    date: MaybeUndefined<Date>,
    /// The person or team that the task document names as the owner, up to 200 characters. It grants no
    /// access.
    owner_label: MaybeUndefined<String>,
    /// The goal in one sentence, up to 1,000 characters.
    objective: MaybeUndefined<String>,
    /// The problem, and why it is worth solving now, up to 10,000 characters.
    rationale: MaybeUndefined<String>,
}

impl UpdateTaskInput {
    /// The checked input. Errors: Invalid with all of its faults.
    pub fn parse(self) -> Result<TaskEdit> {
        let mut faults = Faults::of("input");
        let title = non_null_text(&mut faults, field!(self.title), Title::parse);
        let description = nullable_text(&mut faults, field!(self.description), MAX_DESCRIPTION);
        let status = non_null(&mut faults, field!(self.status));
        let completed = non_null(&mut faults, field!(self.completed));
        let status = status_change(&mut faults, status, completed);
        let priority = non_null(&mut faults, field!(self.priority)).map(Into::into);
        let labels = label_change(
            &mut faults,
            field!(self.labels),
            field!(self.add_labels),
            field!(self.remove_labels),
        );
        let due_at = Option::<Option<DateTime>>::from(self.due_at).map(|at| at.map(|at| at.0));
        let details = TaskDetailsEdit {
            date: Option::<Option<Date>>::from(self.date).map(|date| date.map(|date| date.0)),
            owner_label: nullable_text(&mut faults, field!(self.owner_label), MAX_OWNER_LABEL),
            objective: nullable_text(&mut faults, field!(self.objective), MAX_OBJECTIVE),
            rationale: nullable_text(&mut faults, field!(self.rationale), MAX_RATIONALE),
        };
        faults.finish(Some(TaskEdit { title, description, status, priority, labels, due_at, details }))
    }
}

/// The change that the fields status and completed request together.
fn status_change(
    faults: &mut Faults,
    status: Option<TaskStatus>,
    completed: Option<bool>,
) -> Option<StatusChange> {
    let status = status.map(domain::TaskStatus::from);
    if let (Some(status), Some(completed)) = (status, completed)
        && completed != (status == domain::TaskStatus::Completed)
    {
        faults.push("completed", Problem::new(Rule::Conflicting, "does not agree with status"));
    }
    match (status, completed) {
        (Some(status), _) => Some(StatusChange::To(status)),
        (None, Some(true)) => Some(StatusChange::To(domain::TaskStatus::Completed)),
        (None, Some(false)) => Some(StatusChange::Reopen),
        (None, None) => None,
    }
}

/// The change that the three fields of labels request together.
fn label_change(
    faults: &mut Faults,
    labels: (&str, MaybeUndefined<Vec<String>>),
    add: (&str, MaybeUndefined<Vec<String>>),
    remove: (&str, MaybeUndefined<Vec<String>>),
) -> Option<LabelChange> {
    let (labels_name, add_name, remove_name) = (labels.0, add.0, remove.0);
    let labels = non_null(faults, labels);
    let add = non_null(faults, add);
    let remove = non_null(faults, remove);
    if labels.is_some() && (add.is_some() || remove.is_some()) {
        let message = format!("cannot be combined with {add_name} or {remove_name}");
        faults.push(labels_name, Problem::new(Rule::Conflicting, message));
    }
    let all = labels.map(|labels| label_set(faults, &labels));
    let add = add.map(|labels| parse_labels(faults, add_name, &labels));
    let remove = remove.map(|labels| parse_labels(faults, remove_name, &labels));
    match (all, add, remove) {
        (Some(all), ..) => Some(LabelChange::Replace(all)),
        (None, None, None) => None,
        (None, add, remove) => {
            let (add, remove) = (add.unwrap_or_default(), remove.unwrap_or_default());
            // More labels than a task can have are an error, regardless of the labels of the tasks.
            faults.check(add_name, Labels::default().with(&add));
            let keys: Vec<String> = add.iter().map(Label::key).collect();
            if remove.iter().any(|label| keys.contains(&label.key())) {
                let message = format!("must not name a label of {add_name}");
                faults.push(remove_name, Problem::new(Rule::Conflicting, message));
            }
            Some(LabelChange::Adjust { add, remove })
        }
    }
}

/// The valid labels of a list. The others become faults.
pub fn parse_labels(faults: &mut Faults, field: &str, labels: &[String]) -> Vec<Label> {
    faults.within(field, |faults| {
        let parse = |(index, raw): (usize, &String)| {
            faults.within(index, |faults| faults.check("", Label::parse(raw)))
        };
        labels.iter().enumerate().filter_map(parse).collect()
    })
}

/// All labels of a task, without duplicates.
fn label_set(faults: &mut Faults, labels: &[String]) -> Labels {
    let labels = parse_labels(faults, "labels", labels);
    faults.check("labels", Labels::default().with(&labels)).unwrap_or_default()
}
