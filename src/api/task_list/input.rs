//! The inputs of the mutations of task lists.

use async_graphql::{Context, Enum, ID, InputObject};
use uuid::Uuid;

use crate::api::diagnostic::parse_document;
use crate::api::scalar::find_id;
use crate::domain::{self, Faults, ListPlace, MergeDecisions, Problem, Result, Rule, normalize};

/// The maximum number of stories of a new task, and of decisions of a merge.
const MAX_STORIES: usize = 50;
const MAX_RESOLUTIONS: usize = 5_000;

/// The place of a new task in a task list.
#[derive(InputObject)]
pub struct ListPlaceInput {
    /// The id of the list.
    list_id: ID,
    /// The id of the task after which the new task is placed. When it is left out, the new task becomes the last one
    /// of the phase.
    after: Option<ID>,
    /// The phase: its number, or its title when it has no number. When it is left out, the last phase of the document.
    /// It must not be combined with `after`.
    phase: Option<String>,
    /// The key of the new task. When it is left out, the server chooses the next free number.
    key: Option<String>,
    /// The keys of the stories with which the task is marked.
    stories: Option<Vec<String>>,
    /// Whether the task gets the mark [P].
    #[graphql(default = false)]
    parallel: bool,
}

impl ListPlaceInput {
    /// The checked input.
    pub fn parse(self, faults: &mut Faults) -> Option<ListPlace> {
        let mut id = |name: &str, id: &ID| {
            faults.check(name, find_id(id).ok_or_else(|| Problem::new(Rule::Invalid, "is not a UUID")))
        };
        let list_id = id("listId", &self.list_id);
        let after = self.after.as_ref().map(|after| id("after", after));
        let phase = self.phase.map(|phase| faults.check("phase", normalize(&phase)));
        let key = self.key.map(|key| faults.check("key", normalize(&key)));
        let stories = self.stories.unwrap_or_default();
        if stories.len() > MAX_STORIES {
            let message = format!("may have at most {MAX_STORIES} items");
            faults.push("stories", Problem::new(Rule::TooMany, message));
        }
        Some(ListPlace {
            list_id: list_id?,
            after: transposed(after)?,
            phase: transposed(phase)?,
            key: transposed(key)?,
            stories,
            parallel: self.parallel,
        })
    }
}

/// The value of an optional field. `None` when it is present and has a fault.
fn transposed<T>(value: Option<Option<T>>) -> Option<Option<T>> {
    match value {
        Some(None) => None,
        Some(value) => Some(value),
        None => Some(None),
    }
}

/// The input of importTaskList.
#[derive(InputObject)]
pub struct ImportTaskListInput {
    /// A UUID chosen by the client, for safe retries. A second call with the same id returns the list that the first
    /// call created, and ignores the document.
    id: Option<ID>,
    /// The Markdown document.
    markdown: String,
    /// How the order of the tasks in a phase is used.
    #[graphql(default_with = "TaskOrdering::Marked")]
    ordering: TaskOrdering,
}

/// How the order of the tasks in a phase is used.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::TaskOrdering")]
pub enum TaskOrdering {
    /// The order of the document counts. A task with the mark [P] waits for every earlier task of its phase that does
    /// not have the mark. A task without the mark waits for every earlier task of its phase.
    Marked,
    /// The order of the document does not count. A task waits only for its dependencies and those of its phase and
    /// stories.
    Explicit,
}

/// The settings of a task list to change. A setting that is left out stays as it is.
#[derive(InputObject)]
pub struct UpdateTaskListInput {
    /// How the order of the tasks in a phase is used.
    pub ordering: Option<TaskOrdering>,
}

impl ImportTaskListInput {
    /// The checked id, document and ordering. Errors: Invalid with all faults.
    pub fn parse(self, ctx: &Context<'_>) -> Result<(Option<Uuid>, String, domain::TaskOrdering)> {
        let (id, markdown) = parse_import(ctx, self.id, self.markdown)?;
        Ok((id, markdown, self.ordering.into()))
    }
}

/// The checked id and document of an import. Errors: Invalid with all faults.
pub fn parse_import(ctx: &Context<'_>, id: Option<ID>, markdown: String) -> Result<(Option<Uuid>, String)> {
    let mut faults = Faults::of("input");
    let id = id.map(|id| {
        faults.check("id", find_id(&id).ok_or_else(|| Problem::new(Rule::Invalid, "is not a UUID")))
    });
    let markdown = parse_document(ctx, markdown, &["input".into(), "markdown".into()]);
    let (id, markdown) = domain::Error::zip(faults.finish(transposed(id)), markdown)?;
    Ok((id, markdown))
}

/// The input of mergeTaskList: a newer version of a list's document, and what to do about conflicts.
#[derive(InputObject)]
pub struct MergeTaskListInput {
    /// The new version of the document.
    markdown: String,
    /// The revision of the export from which this document was made. When the list still has this revision, the
    /// document replaces the list: a task that the document leaves out was removed on purpose. When the list has
    /// another revision, the error is CONFLICT. When this field is left out, the document is compared with the
    /// document of the last import or merge, so that changes made on the server are recognised and kept.
    revision: Option<String>,
    /// Decisions about single conflicts.
    resolutions: Option<Vec<MergeResolutionInput>>,
    /// The decision about every conflict that has no entry in `resolutions`. When it is left out and such a conflict
    /// exists, the merge changes nothing.
    on_conflict: Option<MergeSide>,
    /// When true, the merge only reports what it would do.
    #[graphql(default = false)]
    dry_run: bool,
}

impl MergeTaskListInput {
    /// The checked document and decisions. Errors: Invalid with all faults.
    pub fn parse(self, ctx: &Context<'_>) -> Result<(String, MergeDecisions)> {
        let mut faults = Faults::of("input");
        let resolutions = self.resolutions.unwrap_or_default();
        if resolutions.len() > MAX_RESOLUTIONS {
            let message = format!("may have at most {MAX_RESOLUTIONS} items");
            faults.push("resolutions", Problem::new(Rule::TooMany, message));
        }
        let decisions = MergeDecisions {
            revisions: self.revision.map(|revision| vec![revision]),
            single: resolutions
                .into_iter()
                .map(|resolution| (resolution.key, resolution.side.into()))
                .collect(),
            all_others: self.on_conflict.map(Into::into),
            dry_run: self.dry_run,
        };
        let markdown = parse_document(ctx, self.markdown, &["input".into(), "markdown".into()]);
        domain::Error::zip(markdown, faults.finish(Some(decisions)))
    }
}

/// The version of a task that a merge uses.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "domain::MergeSide")]
pub enum MergeSide {
    /// The version in the new document.
    File,
    /// The version on the server.
    Server,
}

/// The decision about one conflict.
#[derive(InputObject)]
pub struct MergeResolutionInput {
    /// The key of the task, as in MergeConflict.key.
    key: String,
    /// The version to use.
    #[graphql(name = "use")]
    side: MergeSide,
}
