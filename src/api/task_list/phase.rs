//! The types Phase and Story: parts of the document of a task list.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, SimpleObject};
use uuid::Uuid;

use crate::api::context::RequestExt;
use crate::api::scalar::Id;
use crate::api::task::connection::TaskConnection;
use crate::api::task_list::loader::ListLoader;
use crate::api::task_part::Progress;
use crate::domain::{PageArguments, Result};
use crate::graphql::direct_json::long_text::LongText;
use crate::graphql::error::FieldError;
use crate::service::{OutlineTask, Phase, StoredDocument, Story, progress_of};

/// A phase of a task list: the tasks under one heading. A phase is not a Node; it exists only as part of its list.
#[derive(SimpleObject)]
#[graphql(name = "Phase", complex)]
pub struct PhaseNode {
    /// A UUID that no other phase of the list has. It stays the same as long as the document has a phase with this
    /// number, or with this title when the phase has no number.
    id: Id,
    /// The number as it is written in the heading, for example 1, 3.1, 4A or N. Null when the heading has none.
    number: Option<String>,
    /// The heading without the number, the priority and what follows the priority.
    title: LongText,
    /// The text after the label `Purpose` below the heading.
    purpose: Option<LongText>,
    /// The text after the label `Goal` below the heading.
    goal: Option<LongText>,
    /// The text after the label `Independent Test` below the heading.
    independent_test: Option<LongText>,
    /// The text after the label `Checkpoint` below the heading.
    checkpoint: Option<LongText>,
    /// The priority that the heading states: 1 for P1.
    priority: Option<i32>,
    /// Whether the heading contains the word MVP.
    mvp: bool,
    #[graphql(skip)]
    story_key: Option<String>,
    #[graphql(skip)]
    loader: Arc<ListLoader>,
}

impl PhaseNode {
    /// All phases of a list.
    pub async fn all(ctx: &Context<'_>, loader: &Arc<ListLoader>) -> Result<Vec<Self>, FieldError> {
        let document = loader.document(ctx).await?;
        let phases = &document.outline.phases;
        charge(ctx, phases.iter().map(size_of_phase).sum())?;
        Ok((0..phases.len()).map(|index| Self::new(document, index, loader)).collect())
    }

    /// The phase of a list with this id. Null when the document does not have it any more.
    pub async fn find(
        ctx: &Context<'_>,
        loader: &Arc<ListLoader>,
        id: Uuid,
    ) -> Result<Option<Self>, FieldError> {
        let document = loader.document(ctx).await?;
        let Some(index) = document.phase(id) else { return Ok(None) };
        charge(ctx, size_of_phase(&document.outline.phases[index]))?;
        Ok(Some(Self::new(document, index, loader)))
    }

    fn new(document: &StoredDocument, index: usize, loader: &Arc<ListLoader>) -> Self {
        let phase = document.outline.phases[index].clone();
        Self {
            id: document.phase_ids[index].into(),
            number: phase.number,
            title: LongText(phase.title),
            purpose: phase.purpose.map(LongText),
            goal: phase.goal.map(LongText),
            independent_test: phase.independent_test.map(LongText),
            checkpoint: phase.checkpoint.map(LongText),
            priority: phase.priority.map(i32::from),
            mvp: phase.mvp,
            story_key: phase.story,
            loader: loader.clone(),
        }
    }

    /// The indexes of the phases on which this phase depends.
    fn dependencies<'d>(&self, document: &'d StoredDocument) -> &'d [usize] {
        document.phase(self.id.0).map_or(&[], |index| &document.outline.statements.phases[index])
    }
}

#[ComplexObject]
impl PhaseNode {
    /// The user story that the heading names.
    async fn story(&self, ctx: &Context<'_>) -> Result<Option<StoryNode>, FieldError> {
        let Some(key) = &self.story_key else { return Ok(None) };
        Ok(StoryNode::find(ctx, &self.loader, std::slice::from_ref(key)).await?.pop())
    }

    /// The tasks of the phase, in the order of the document.
    async fn tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of tasks from the start: 1 to 100, by default 20.")] first: Option<i32>,
        #[graphql(desc = "Selects only tasks after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of tasks from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Selects only tasks before this cursor.")] before: Option<String>,
    ) -> Result<TaskConnection, FieldError> {
        let paging = PageArguments { first, after, last, before };
        let tasks = self.loader.outline(ctx).await?.of_phase(self.id.0);
        page(ctx, &self.loader, paging, &places(&tasks)).await
    }

    /// The phases on which this phase depends. Their tasks have to be COMPLETED before the tasks of this phase are ready.
    async fn depends_on(&self, ctx: &Context<'_>) -> Result<Vec<PhaseNode>, FieldError> {
        let document = self.loader.document(ctx).await?;
        let phases = self.dependencies(document);
        count_related(ctx, phases.len())?;
        charge(ctx, phases.iter().map(|index| size_of_phase(&document.outline.phases[*index])).sum())?;
        Ok(phases.iter().map(|index| Self::new(document, *index, &self.loader)).collect())
    }

    /// Whether all tasks of the phases in `dependsOn` are COMPLETED.
    async fn open(&self, ctx: &Context<'_>) -> Result<bool, FieldError> {
        let (document, outline) = (self.loader.document(ctx).await?, self.loader.outline(ctx).await?);
        let is_done = |index: &usize| {
            let progress = progress_of(&outline.of_phase(document.phase_ids[*index]));
            progress.done == progress.total
        };
        Ok(self.dependencies(document).iter().all(is_done))
    }

    /// How many of the phase's tasks are COMPLETED.
    async fn progress(&self, ctx: &Context<'_>) -> Result<Progress, FieldError> {
        Ok(progress_of(&self.loader.outline(ctx).await?.of_phase(self.id.0)).into())
    }
}

/// A user story of a task list. A story is not a Node; it exists only as part of its list.
#[derive(SimpleObject)]
#[graphql(name = "Story", complex)]
pub struct StoryNode {
    /// A UUID that no other story of the list has. It stays the same as long as the document names the story.
    id: Id,
    /// The key of the story, for example US1.
    key: String,
    /// The title that the phase heading gives the story. Null when no phase heading names the story.
    title: Option<LongText>,
    /// The priority that the phase heading states: 1 for P1.
    priority: Option<i32>,
    /// The goal of the story's phase.
    goal: Option<LongText>,
    /// The independent test of the story's phase.
    independent_test: Option<LongText>,
    /// Whether the heading of the story's phase contains the word MVP.
    mvp: bool,
    #[graphql(skip)]
    loader: Arc<ListLoader>,
}

impl StoryNode {
    /// All stories of a list.
    pub async fn all(ctx: &Context<'_>, loader: &Arc<ListLoader>) -> Result<Vec<Self>, FieldError> {
        let document = loader.document(ctx).await?;
        let stories = &document.outline.stories;
        charge(ctx, stories.iter().map(|story| size_of_story(document, story)).sum())?;
        Ok((0..stories.len()).map(|index| Self::new(document, index, loader)).collect())
    }

    /// The stories of a list with these keys, in the order of the document.
    pub async fn find(
        ctx: &Context<'_>,
        loader: &Arc<ListLoader>,
        keys: &[String],
    ) -> Result<Vec<Self>, FieldError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let document = loader.document(ctx).await?;
        let mut found: Vec<usize> = keys.iter().filter_map(|key| document.story(key)).collect();
        found.sort_unstable();
        let stories = found.iter().map(|index| &document.outline.stories[*index]);
        charge(ctx, stories.map(|story| size_of_story(document, story)).sum())?;
        Ok(found.into_iter().map(|index| Self::new(document, index, loader)).collect())
    }

    fn new(document: &StoredDocument, index: usize, loader: &Arc<ListLoader>) -> Self {
        let story = document.outline.stories[index].clone();
        let phase = story.phase.and_then(|phase| document.outline.phases.get(phase));
        Self {
            id: document.story_ids[index].into(),
            key: story.key,
            title: story.title.map(LongText),
            priority: phase.and_then(|phase| phase.priority).map(i32::from),
            goal: phase.and_then(|phase| phase.goal.clone()).map(LongText),
            independent_test: phase.and_then(|phase| phase.independent_test.clone()).map(LongText),
            mvp: phase.is_some_and(|phase| phase.mvp),
            loader: loader.clone(),
        }
    }
}

#[ComplexObject]
impl StoryNode {
    /// The tasks of the story in all phases, in the order of the document.
    async fn tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of tasks from the start: 1 to 100, by default 20.")] first: Option<i32>,
        #[graphql(desc = "Selects only tasks after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of tasks from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Selects only tasks before this cursor.")] before: Option<String>,
    ) -> Result<TaskConnection, FieldError> {
        let paging = PageArguments { first, after, last, before };
        let tasks = self.loader.outline(ctx).await?.of_story(&self.key);
        page(ctx, &self.loader, paging, &places(&tasks)).await
    }

    /// The stories on which the document says that this story depends. Their tasks have to be COMPLETED before the tasks
    /// of this story are ready.
    async fn depends_on(&self, ctx: &Context<'_>) -> Result<Vec<StoryNode>, FieldError> {
        let document = self.loader.document(ctx).await?;
        let Some(index) = document.story(&self.key) else { return Ok(Vec::new()) };
        let stories = &document.outline.statements.stories[index];
        count_related(ctx, stories.len())?;
        let sizes = stories.iter().map(|index| size_of_story(document, &document.outline.stories[*index]));
        charge(ctx, sizes.sum())?;
        Ok(stories.iter().map(|index| Self::new(document, *index, &self.loader)).collect())
    }

    /// How many of the story's tasks are COMPLETED.
    async fn progress(&self, ctx: &Context<'_>) -> Result<Progress, FieldError> {
        Ok(progress_of(&self.loader.outline(ctx).await?.of_story(&self.key)).into())
    }
}

/// The places and ids of tasks.
fn places(tasks: &[&OutlineTask]) -> Vec<(i64, Uuid)> {
    tasks.iter().map(|task| (task.position, task.id)).collect()
}

/// A page of some of the tasks of a list, given by their places and ids.
pub async fn page(
    ctx: &Context<'_>,
    loader: &ListLoader,
    paging: PageArguments,
    tasks: &[(i64, Uuid)],
) -> Result<TaskConnection, FieldError> {
    let load = async {
        let read = ctx.request().services().tasks_read(loader.viewer())?;
        TaskConnection::of_places(ctx, &read, paging, tasks).await
    };
    load.await.map_err(|error| FieldError::at_path(ctx, error))
}

/// The memory that a phase takes in a response, in bytes, estimated.
fn size_of_phase(phase: &Phase) -> usize {
    let Phase { purpose, goal, independent_test, checkpoint, .. } = phase;
    let texts = [purpose, goal, independent_test, checkpoint].into_iter().flatten().map(String::len);
    size_of::<PhaseNode>() + phase.title.len() + texts.sum::<usize>()
}

/// The memory that a story takes in a response, in bytes, estimated.
fn size_of_story(document: &StoredDocument, story: &Story) -> usize {
    let phase = story.phase.and_then(|phase| document.outline.phases.get(phase));
    let texts = phase.map_or([None, None], |phase| [phase.goal.as_ref(), phase.independent_test.as_ref()]);
    let texts = texts.into_iter().flatten().chain(&story.title).map(String::len);
    size_of::<StoryNode>() + story.key.len() + texts.sum::<usize>()
}

/// Counts the memory of phases or stories.
fn charge(ctx: &Context<'_>, bytes: usize) -> Result<(), FieldError> {
    ctx.request().share().take(bytes).map_err(|error| FieldError::at_path(ctx, error))
}

fn count_related(ctx: &Context<'_>, count: usize) -> Result<(), FieldError> {
    ctx.request().count_related(count).map_err(|error| FieldError::at_path(ctx, error))
}
