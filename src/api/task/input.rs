//! What the mutations of tasks take.

use api_macros::field;
use async_graphql::{ID, InputObject, MaybeUndefined};

use crate::api::input::{list, non_null, non_null_text, nullable_text, optional_text, required};
use crate::api::scalar::{Date, DateTime, find_id};
use crate::api::task::enums::{TaskPriority, TaskStatus};
use crate::api::task_part::input::{ChecklistItemInput, FileChangeInput, RiskInput};
use crate::domain::{
    self, Error, Faults, Label, LabelChange, Labels, MAX_DESCRIPTION, MAX_OBJECTIVE, MAX_OWNER_LABEL,
    MAX_RATIONALE, NewParts, NewTask, Problem, Result, Rule, StatusChange, TaskDetails, TaskDetailsEdit,
    TaskEdit, Title, check_count,
};

/// What a new task and a whole task have in common.
#[derive(InputObject)]
struct TaskFields {
    /// 1 to 200 characters.
    title: String,
    /// Markdown, up to 20,000 characters.
    description: Option<String>,
    /// PENDING when left out.
    status: Option<TaskStatus>,
    /// MEDIUM when left out.
    priority: Option<TaskPriority>,
    /// Up to 20, each of 1 to 50 characters.
    labels: Option<Vec<String>>,
    /// When it is to be done.
    due_at: Option<DateTime>,
    /// The document's date.
    date: Option<Date>,
    /// The person or team named in the document, up to 200 characters.
    owner_label: Option<String>,
    /// The one-sentence goal, up to 1,000 characters.
    objective: Option<String>,
    /// The problem, and why it is worth solving now; up to 10,000 characters.
    rationale: Option<String>,
    /// Up to 500 boxes, on both levels.
    checklist: Option<Vec<ChecklistItemInput>>,
    /// Up to 100.
    risks: Option<Vec<RiskInput>>,
    /// Up to 500.
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
        })
    }
}

/// What a task is made of. Null is the same as left out, here and in what is inside.
#[derive(InputObject)]
pub struct CreateTaskInput {
    /// A UUID chosen by the client, for safe retries: the same id again returns the task that the first
    /// call made.
    id: Option<ID>,
    #[graphql(flatten)]
    fields: TaskFields,
}

impl CreateTaskInput {
    pub fn parse(self) -> Result<NewTask> {
        let mut faults = Faults::of("input");
        let new = self.parse_in(&mut faults);
        faults.finish(new)
    }

    /// Reads several, with the faults of all.
    pub fn parse_all(inputs: Vec<Self>) -> Result<Vec<NewTask>> {
        let mut faults = Faults::default();
        if faults.check("inputs", check_count(inputs.len())).is_none() {
            return Err(Error::Invalid(faults.into_found()));
        }
        let parse = |(index, input): (usize, Self)| {
            faults.within("inputs", |faults| faults.within(index, |faults| input.parse_in(faults)))
        };
        let new: Vec<Option<NewTask>> = inputs.into_iter().enumerate().map(parse).collect();
        faults.finish(new.into_iter().collect())
    }

    fn parse_in(self, faults: &mut Faults) -> Option<NewTask> {
        let id = self.id.map(|id| {
            faults.check("id", find_id(&id).ok_or_else(|| Problem::new(Rule::Invalid, "is not a UUID")))
        });
        Some(NewTask { id: id.flatten(), ..self.fields.parse(faults, None)? })
    }
}

/// Everything a task can hold: what is left out or null is reset to its default. A checklist, a list of risks or
/// of files that is exactly the same stays as it is; any other is made anew, with new ids.
#[derive(InputObject)]
pub struct ReplaceTaskInput {
    /// The same as status COMPLETED; must agree with status when both are sent.
    completed: Option<bool>,
    #[graphql(flatten)]
    fields: TaskFields,
}

impl ReplaceTaskInput {
    pub fn parse(self) -> Result<NewTask> {
        let mut faults = Faults::of("input");
        let new = self.fields.parse(&mut faults, self.completed);
        faults.finish(new)
    }
}

/// Left out: unchanged. Null: cleared, where the task's field is nullable, and refused elsewhere.
#[derive(InputObject)]
pub struct UpdateTaskInput {
    /// 1 to 200 characters.
    title: MaybeUndefined<String>,
    /// Markdown, up to 20,000 characters.
    description: MaybeUndefined<String>,
    /// How far it is.
    status: MaybeUndefined<TaskStatus>,
    /// true is the same as status COMPLETED; false leaves every status but COMPLETED as it is.
    completed: MaybeUndefined<bool>,
    /// How much it matters.
    priority: MaybeUndefined<TaskPriority>,
    /// The whole set; see also addLabels and removeLabels.
    labels: MaybeUndefined<Vec<String>>,
    /// Labels to put at the end, where they are not there yet.
    add_labels: MaybeUndefined<Vec<String>>,
    /// Labels to take away, where they are there.
    remove_labels: MaybeUndefined<Vec<String>>,
    /// When it is to be done.
    due_at: MaybeUndefined<DateTime>,
    /// The document's date.
    date: MaybeUndefined<Date>,
    /// The person or team named in the document, up to 200 characters.
    owner_label: MaybeUndefined<String>,
    /// The one-sentence goal, up to 1,000 characters.
    objective: MaybeUndefined<String>,
    /// The problem, and why it is worth solving now; up to 10,000 characters.
    rationale: MaybeUndefined<String>,
}

impl UpdateTaskInput {
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

/// What status and completed ask for together.
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

/// The change of labels that the three fields request together.
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
    let whole = labels.map(|labels| label_set(faults, &labels));
    let add = add.map(|labels| parse_labels(faults, add_name, &labels));
    let remove = remove.map(|labels| parse_labels(faults, remove_name, &labels));
    match (whole, add, remove) {
        (Some(whole), ..) => Some(LabelChange::Replace(whole)),
        (None, None, None) => None,
        (None, add, remove) => {
            let (add, remove) = (add.unwrap_or_default(), remove.unwrap_or_default());
            // They would be too many for every task, whatever labels it has.
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

/// The labels in a list, those that are none apart.
pub fn parse_labels(faults: &mut Faults, field: &str, labels: &[String]) -> Vec<Label> {
    faults.within(field, |faults| {
        let parse = |(index, raw): (usize, &String)| {
            faults.within(index, |faults| faults.check("", Label::parse(raw)))
        };
        labels.iter().enumerate().filter_map(parse).collect()
    })
}

/// The whole set of a task's labels.
fn label_set(faults: &mut Faults, labels: &[String]) -> Labels {
    let labels = parse_labels(faults, "labels", labels);
    faults.check("labels", Labels::default().with(&labels)).unwrap_or_default()
}
