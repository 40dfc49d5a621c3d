//! Reads a list document.

use std::collections::{HashMap, HashSet};

use crate::list::dependencies;
use crate::list::diagnose::diagnose;
use crate::list::labels::Labels;
use crate::list::names::Names;
use crate::list::outline::{Outline, PhaseHeading};
use crate::list::references::references;
use crate::list::sections::statements as statements_in_sections;
use crate::list::tasks::{FoundTask, Tasks};
use crate::list::types::{ListDocument, ListTask, Phase, Statements, Story};
use crate::markdown::Markdown;

impl ListDocument {
    /// Reads a document. Every text is a document.
    pub fn read(source: &str) -> Self {
        let markdown = Markdown::parse(source);
        let outline = Outline::read(&markdown);
        let found = Tasks::find(&markdown);
        let headings = headings_of_phases(&outline, &found.tasks);
        let (phases, titles) = phases(&markdown, &outline, &headings);
        let tasks = list_tasks(&outline, &headings, &phases, &found.tasks);
        let stories = stories(&outline, &phases, titles, &tasks);
        let title = outline.title();
        let (names, statements, diagnostics) =
            (Names::new(tasks.iter().map(|task| task.key.as_str())), Statements::default(), Vec::new());
        let mut document = Self { title, tasks, phases, stories, statements, diagnostics, names };
        let sentences = statements_in_sections(&markdown, &outline, &found);
        let of_dependencies = dependencies::read(&markdown, &sentences, &found, &mut document);
        document.diagnostics = diagnose(&markdown, &outline, &found, &document, of_dependencies);
        document
    }
}

/// The heading whose phase holds a task.
fn heading_of(outline: &Outline, task: &FoundTask) -> Option<usize> {
    outline.headings[outline.heading_above(task.lines.start)?].phase
}

/// The headings that are phases, in the order of the document: those with tasks, and those of phases without
/// tasks above the last task.
fn headings_of_phases(outline: &Outline, tasks: &[FoundTask]) -> Vec<usize> {
    let with_tasks: HashSet<usize> = tasks.iter().filter_map(|task| heading_of(outline, task)).collect();
    let number = |heading: usize| outline.headings[heading].number.as_deref();
    let numbers: HashSet<&str> = with_tasks.iter().filter_map(|heading| number(*heading)).collect();
    let last_task = tasks.last().map_or(0, |task| task.lines.start);
    let is_phase = |heading: &usize| {
        let is_empty_phase = || {
            number(*heading).is_some_and(|number| !numbers.contains(number))
                && outline.headings[*heading].phase == Some(*heading)
                && outline.headings[*heading].section.start < last_task
        };
        with_tasks.contains(heading) || is_empty_phase()
    };
    (0..outline.headings.len()).filter(is_phase).collect()
}

/// The phases, and for each phase the title that its heading gives the story.
fn phases(
    markdown: &Markdown<'_>,
    outline: &Outline,
    headings: &[usize],
) -> (Vec<Phase>, Vec<Option<String>>) {
    let mut labels = Labels::read(markdown, outline);
    let phase = |heading: &usize| {
        let text = &outline.headings[*heading];
        let PhaseHeading { title, priority, mvp, story } = PhaseHeading::read(&text.text);
        let (story, story_title) = story.unzip();
        let Labels { purpose, goal, independent_test, checkpoint } = std::mem::take(&mut labels[*heading]);
        let phase = Phase {
            number: text.number.clone(),
            title,
            purpose,
            goal,
            independent_test,
            checkpoint,
            priority,
            mvp,
            story,
            section: outline.section_of_phase(*heading),
        };
        (phase, story_title.flatten())
    };
    headings.iter().map(phase).unzip()
}

fn list_tasks(outline: &Outline, headings: &[usize], phases: &[Phase], tasks: &[FoundTask]) -> Vec<ListTask> {
    let list_task = |task: &FoundTask| {
        let phase = heading_of(outline, task).and_then(|heading| headings.binary_search(&heading).ok());
        let marked_stories = task.marks.stories.clone();
        let of_phase = || phase.and_then(|phase| phases[phase].story.clone()).into_iter().collect();
        ListTask {
            key: task.key.clone(),
            text: task.text.clone(),
            details: task.details.clone(),
            references: references(&task.text, task.details.as_deref()),
            ticked: task.ticked,
            parallel: task.marks.parallel,
            stories: if marked_stories.is_empty() { of_phase() } else { marked_stories.clone() },
            marked_stories,
            phase,
            lines: task.lines.clone(),
            box_content: task.box_content.clone(),
            key_span: task.key_span.clone(),
            text_span: task.text_span.clone(),
        }
    };
    tasks.iter().map(list_task).collect()
}

/// The stories: those of phases, then those that other headings name, then those that only tasks name.
fn stories(
    outline: &Outline,
    phases: &[Phase],
    titles: Vec<Option<String>>,
    tasks: &[ListTask],
) -> Vec<Story> {
    let mut stories: Vec<Story> = Vec::new();
    let mut indexes: HashMap<String, usize> = HashMap::new();
    let of_phases = phases.iter().zip(titles).enumerate().filter_map(|(index, (phase, title))| {
        Some(Story { key: phase.story.clone()?, title, phase: Some(index) })
    });
    let of_tasks = tasks.iter().flat_map(|task| task.marked_stories.iter().cloned());
    let others = outline.stories().chain(of_tasks).map(|key| Story { key, title: None, phase: None });
    for story in of_phases.chain(others) {
        indexes.entry(story.key.clone()).or_insert_with(|| {
            stories.push(story);
            stories.len() - 1
        });
    }
    stories
}
