//! Tasks: their values and edits.

use chrono::NaiveDate;
use uuid::Uuid;

use crate::domain::stored_enum::stored_enum;
use crate::domain::{Faults, Instant, Label, Labels, ListEntry, ListPlace, NewParts, Problem, Result, text};

/// A task as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    pub id: Uuid,
    pub owner_id: Uuid,
    pub title: String,
    pub description: Option<String>,
    pub status: TaskStatus,
    pub priority: TaskPriority,
    pub labels: Labels,
    pub due_at: Option<Instant>,
    pub completed_at: Option<Instant>,
    pub created_at: Instant,
    pub updated_at: Instant,
    /// When the task was moved to the trash.
    pub deleted_at: Option<Instant>,
    pub version: i32,
    pub details: TaskDetails,
    /// What the task has from its line in a task list; None when it belongs to none.
    pub entry: Option<Box<ListEntry>>,
}

/// The fields of a task that come from a task document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskDetails {
    /// The date of the document.
    pub date: Option<NaiveDate>,
    /// The person or team that the document names. It grants no access.
    pub owner_label: Option<String>,
    /// The goal, in one sentence.
    pub objective: Option<String>,
    /// The problem, and why it is worth solving now.
    pub rationale: Option<String>,
}

impl Task {
    /// The folded text that searches cover: title, description and objective, each on its own line. The whole text
    /// of a list task takes the place of its title.
    pub fn search_text(&self) -> String {
        let part = |text: &Option<String>| text.clone().unwrap_or_default();
        let title = match &self.entry {
            Some(entry) if !entry.text.is_empty() => &entry.text,
            _ => &self.title,
        };
        text::fold(&format!("{title}\n{}\n{}", part(&self.description), part(&self.details.objective)))
    }

    /// The task after an edit at `now`. Version and updatedAt only change when another value does.
    ///
    /// Errors: Invalid when the labels become too many.
    pub fn edited(&self, edit: &TaskEdit, now: Instant) -> Result<Self> {
        let TaskEdit { title, description, status, priority, labels, due_at, details } = edit;
        let TaskDetailsEdit { date, owner_label, objective, rationale } = details;
        let mut task = self.clone();
        if let Some(title) = title {
            task.set_title(title);
        }
        if let Some(change) = status {
            task.set_status(change.apply(task.status), now);
        }
        if let Some(change) = labels {
            task.labels = change.apply(task.labels)?;
        }
        set_if_some(&mut task.description, description);
        set_if_some(&mut task.priority, priority);
        set_if_some(&mut task.due_at, due_at);
        set_if_some(&mut task.details.date, date);
        set_if_some(&mut task.details.owner_label, owner_label);
        set_if_some(&mut task.details.objective, objective);
        set_if_some(&mut task.details.rationale, rationale);
        Ok(if task == *self { task } else { task.with_next_version(now) })
    }

    /// The task with the next version, updated at `now`. The claim of a task ends when the task becomes COMPLETED or
    /// moves to the trash.
    pub fn with_next_version(mut self, now: Instant) -> Self {
        self.version = self.version.saturating_add(1);
        if (self.status == TaskStatus::Completed || self.deleted_at.is_some())
            && let Some(entry) = &mut self.entry
        {
            entry.claim_id = None;
        }
        // updatedAt never decreases. This edit may have waited for a concurrent edit that has a later time,
        // and a client that reads what was updated since a time must not miss it.
        self.updated_at = self.updated_at.max(now);
        self
    }

    /// A list task after a merge at `now`: its new line and title, whether it becomes completed or is reopened, and
    /// whether it is in the trash. `base_version` of the line only tells whether the merged document has the task.
    /// A new place in the document alone is no change of the version.
    pub fn merged(
        &self,
        entry: ListEntry,
        title: String,
        (completed, in_trash): (Option<bool>, bool),
        now: Instant,
    ) -> Self {
        let mut task = self.clone();
        if task.entry.as_ref().is_none_or(|before| (&before.text, &before.key) != (&entry.text, &entry.key)) {
            task.title = title;
        }
        task.deleted_at = in_trash.then(|| task.deleted_at.unwrap_or(now));
        match completed {
            Some(true) => task.set_status(TaskStatus::Completed, now),
            Some(false) => task.set_status(TaskStatus::Pending, now),
            None => {}
        }
        let (in_file, position) = (entry.base_version.is_some(), entry.position);
        let before = self.entry.as_deref();
        let old = before.cloned().unwrap_or_default();
        task.entry = Some(Box::new(ListEntry {
            base_version: old.base_version,
            position: old.position,
            claim_id: old.claim_id,
            ..entry
        }));
        let mut task = if task == *self { task } else { task.with_next_version(now) };
        let version = task.version;
        if let Some(entry) = &mut task.entry {
            entry.base_version = in_file.then_some(version);
            entry.position = position;
        }
        task
    }

    /// A list task with another claim, or with none. For a merge it has not changed.
    pub fn claimed(&self, claim_id: Option<Uuid>, now: Instant) -> Self {
        let mut task = self.clone().with_next_version(now);
        if let Some(entry) = &mut task.entry {
            entry.claim_id = claim_id;
            if entry.base_version == Some(self.version) {
                entry.base_version = Some(task.version);
            }
        }
        task
    }

    /// Sets the title. That of a list task is also its text, on one line, unless it is the present title or text.
    fn set_title(&mut self, title: &Title) {
        let Some(entry) = &mut self.entry else {
            self.title = title.as_str().to_owned();
            return;
        };
        let text = text::one_line(title.as_str());
        if text != self.title && text != entry.text {
            self.title.clone_from(&text);
            entry.text = text;
        }
    }

    /// Sets status and completedAt together: completedAt is set exactly when the status is COMPLETED.
    fn set_status(&mut self, status: TaskStatus, now: Instant) {
        self.status = status;
        self.completed_at = (status == TaskStatus::Completed).then(|| self.completed_at.unwrap_or(now));
    }
}

fn set_if_some<T: Clone>(field: &mut T, value: &Option<T>) {
    if let Some(value) = value {
        field.clone_from(value);
    }
}

stored_enum! {
    /// The status of a task, in the order of progress.
    #[derive(Default)]
    TaskStatus {
        #[default]
        Pending = "PENDING",
        InProgress = "IN_PROGRESS",
        Blocked = "BLOCKED",
        Completed = "COMPLETED",
    }
    /// The priority of a task, lowest first.
    #[derive(Default)]
    TaskPriority {
        Low = "LOW",
        #[default]
        Medium = "MEDIUM",
        High = "HIGH",
        Critical = "CRITICAL",
    }
}

/// A title of 1 to 200 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title(String);

impl Title {
    /// Accepts 1 to 200 characters.
    pub fn parse(raw: &str) -> Result<Self, Problem> {
        text::non_empty(raw, text::MAX_TITLE).map(Self)
    }

    /// The title as it is displayed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key that orders titles: the title in lower case, compared by code point.
    pub fn key(title: &str) -> String {
        title.to_lowercase()
    }
}

/// A validated new task with all of its content.
#[derive(Clone, Debug)]
pub struct NewTask {
    /// Chosen by the client, so that a repeated request creates no second task.
    pub id: Option<Uuid>,
    pub title: Title,
    pub description: Option<String>,
    pub status: TaskStatus,
    pub priority: TaskPriority,
    pub labels: Labels,
    pub due_at: Option<Instant>,
    pub details: TaskDetails,
    pub parts: NewParts,
    /// The place in a task list.
    pub place: Option<ListPlace>,
}

impl NewTask {
    /// The task without its parts.
    pub fn task(&self, id: Uuid, owner_id: Uuid, now: Instant) -> Task {
        Task {
            id,
            owner_id,
            title: self.title.as_str().to_owned(),
            description: self.description.clone(),
            status: self.status,
            priority: self.priority,
            labels: self.labels.clone(),
            due_at: self.due_at,
            completed_at: (self.status == TaskStatus::Completed).then_some(now),
            created_at: now,
            updated_at: now,
            deleted_at: None,
            version: 1,
            details: self.details.clone(),
            entry: None,
        }
    }

    /// The edit that sets all values of a task to these, without its parts.
    pub fn edit(&self) -> TaskEdit {
        let TaskDetails { date, owner_label, objective, rationale } = self.details.clone();
        TaskEdit {
            title: Some(self.title.clone()),
            description: Some(self.description.clone()),
            status: Some(StatusChange::To(self.status)),
            priority: Some(self.priority),
            labels: Some(LabelChange::Replace(self.labels.clone())),
            due_at: Some(self.due_at),
            details: TaskDetailsEdit {
                date: Some(date),
                owner_label: Some(owner_label),
                objective: Some(objective),
                rationale: Some(rationale),
            },
        }
    }
}

/// A change of the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusChange {
    To(TaskStatus),
    /// COMPLETED becomes PENDING; other statuses do not change.
    Reopen,
    /// COMPLETED becomes PENDING; other statuses become COMPLETED.
    Toggle,
}

impl StatusChange {
    /// The status after the change.
    fn apply(self, status: TaskStatus) -> TaskStatus {
        match (self, status) {
            (Self::To(status), _) => status,
            (Self::Reopen | Self::Toggle, TaskStatus::Completed) => TaskStatus::Pending,
            (Self::Reopen, status) => status,
            (Self::Toggle, _) => TaskStatus::Completed,
        }
    }
}

/// A change of the labels.
#[derive(Clone, Debug)]
pub enum LabelChange {
    Replace(Labels),
    /// Removes labels first, then appends those to add.
    Adjust {
        add: Vec<Label>,
        remove: Vec<Label>,
    },
}

impl LabelChange {
    /// The labels after the change.
    ///
    /// Errors: Invalid when they become too many.
    fn apply(&self, labels: Labels) -> Result<Labels> {
        match self {
            Self::Replace(labels) => Ok(labels.clone()),
            Self::Adjust { add, remove } => {
                let mut faults = Faults::of("input");
                let labels = faults.check("addLabels", labels.without(remove).with(add));
                faults.finish(labels)
            }
        }
    }
}

/// A validated edit of a task. None leaves a field unchanged; Some(None) clears it.
#[derive(Clone, Debug, Default)]
pub struct TaskEdit {
    pub title: Option<Title>,
    pub description: Option<Option<String>>,
    pub status: Option<StatusChange>,
    pub priority: Option<TaskPriority>,
    pub labels: Option<LabelChange>,
    pub due_at: Option<Option<Instant>>,
    pub details: TaskDetailsEdit,
}

/// A validated edit of a task's details, with the same meaning of None as in [`TaskEdit`].
#[derive(Clone, Debug, Default)]
pub struct TaskDetailsEdit {
    pub date: Option<Option<NaiveDate>>,
    pub owner_label: Option<Option<String>>,
    pub objective: Option<Option<String>>,
    pub rationale: Option<Option<String>>,
}

impl TaskEdit {
    /// An edit that sets every value that a task document can hold.
    pub fn of_document(
        title: Title,
        status: TaskStatus,
        priority: TaskPriority,
        details: TaskDetails,
    ) -> Self {
        let TaskDetails { date, owner_label, objective, rationale } = details;
        Self {
            title: Some(title),
            status: Some(StatusChange::To(status)),
            priority: Some(priority),
            details: TaskDetailsEdit {
                date: Some(date),
                owner_label: Some(owner_label),
                objective: Some(objective),
                rationale: Some(rationale),
            },
            ..Self::default()
        }
    }
}

impl From<StatusChange> for TaskEdit {
    /// An edit that changes only the status.
    fn from(change: StatusChange) -> Self {
        Self { status: Some(change), ..Self::default() }
    }
}
