//! Reads the dependencies that the sections of a list document state, and the default dependencies of phases.

use std::collections::HashSet;

use crate::diagnostic::{Code, Diagnostic};
use crate::list::graph::without_cycles;
use crate::list::groups::Groups;
use crate::list::names::KeyReference;
use crate::list::references;
use crate::list::stated::{AllStated, MAX_STATED, Place};
use crate::list::statements::{Reference, Sentence};
use crate::list::tasks::{BoxKind, Tasks};
use crate::list::types::{Group, ListDocument, Phase, Statement, Statements, TaskStatement};
use crate::markdown::Markdown;

/// Reads the statements of a document. They are added to it.
pub fn read(
    markdown: &Markdown<'_>,
    sentences: &[(usize, Sentence)],
    found: &Tasks,
    document: &mut ListDocument,
) -> Vec<Diagnostic> {
    let mut report = Report { markdown, diagnostics: Vec::new() };
    let struck = found.boxes.iter().filter_map(|task_box| match &task_box.kind {
        BoxKind::Struck(key) => Some(&markdown.source[key.clone()]),
        _ => None,
    });
    let struck: HashSet<&str> = struck.collect();
    let groups = Groups::new(document, struck.clone());
    let mut reader = Reader::new(&groups, &mut report);
    for (offset, sentence) in sentences {
        reader.sentence(*offset, sentence, document);
    }
    let Reader { tasks, phases, stories, others, .. } = reader;
    let default = defaults(&document.phases);
    let phases = of_phases(phases, &default, document, &mut report);
    let stories = of_stories(stories, document, &mut report);
    document.statements = Statements { phases, stories, tasks, others };
    report.tasks(found, &Groups::new(document, struck), document);
    report.diagnostics
}

/// Reads sentences.
struct Reader<'r, 'm> {
    groups: &'r Groups<'r>,
    report: &'r mut Report<'m>,
    tasks: Vec<TaskStatement>,
    phases: Pairs,
    stories: Pairs,
    others: Vec<Statement>,
    /// How many tasks, phases and stories can still be named.
    left: usize,
}

/// Dependencies among phases or among stories, each once, with the places of the statements.
#[derive(Default)]
struct Pairs {
    pairs: Vec<(usize, usize)>,
    offsets: Vec<usize>,
    known: HashSet<(usize, usize)>,
}

impl Pairs {
    fn add(&mut self, waiting: usize, on: usize, offset: usize) {
        if waiting != on && self.known.insert((waiting, on)) {
            self.pairs.push((waiting, on));
            self.offsets.push(offset);
        }
    }
}

impl<'r, 'm> Reader<'r, 'm> {
    fn new(groups: &'r Groups<'r>, report: &'r mut Report<'m>) -> Self {
        let (phases, stories) = (Pairs::default(), Pairs::default());
        let left = MAX_STATED;
        Self { groups, report, tasks: Vec::new(), phases, stories, others: Vec::new(), left }
    }

    fn sentence(&mut self, offset: usize, sentence: &Sentence, document: &ListDocument) {
        if self.left == 0 {
            return;
        }
        let subjects = self.groups(&sentence.subjects, offset, None);
        let key = match subjects[..] {
            [Group::Task(task)] => Some(document.tasks[task].key.as_str()),
            _ => None,
        };
        let references = self.groups(&sentence.references, offset, key);
        for kind in [0, 1, 2] {
            let is_of_kind = |group: &Group| kind_of(*group) == kind;
            let subjects: Vec<Group> = subjects.iter().copied().filter(is_of_kind).collect();
            let (same, others): (Vec<Group>, Vec<Group>) = references.iter().copied().partition(is_of_kind);
            let mut pairs = subjects.iter().flat_map(|subject| same.iter().map(move |on| (*subject, *on)));
            // It ends early if there are too many.
            pairs.all(|(subject, on)| self.add(subject, on, offset));
            if !subjects.is_empty() && !others.is_empty() {
                self.others.push(Statement { subjects, references: others });
            }
        }
        if self.left == 0 {
            let message = format!(
                "The statements of the document name more than {MAX_STATED} tasks, phases and stories. \
                 Further ones are ignored."
            );
            self.report.add(Code::UnknownReference, offset, message, Vec::new());
        }
    }

    /// What references mean. Unknown ones are reported.
    fn groups(&mut self, references: &[Reference], offset: usize, key: Option<&str>) -> Vec<Group> {
        let mut found = Vec::new();
        for reference in references {
            if self.left == 0 {
                break;
            }
            match self.groups.of(reference) {
                Ok(mut groups) => {
                    groups.truncate(self.left);
                    self.left -= groups.len();
                    found.append(&mut groups);
                }
                Err(unknown) => self.report.unknown(key, &unknown, offset),
            }
        }
        found
    }

    /// Adds a dependency of a task on a task, of a phase on a phase, or of a story on a story. False if there can be
    /// no more. One task more than can be read is kept, so that it is reported.
    fn add(&mut self, subject: Group, on: Group, offset: usize) -> bool {
        let (pairs, subject, on) = match (subject, on) {
            (Group::Task(task), Group::Task(on)) => {
                self.tasks.push(TaskStatement { task, on, offset });
                return self.tasks.len() <= MAX_STATED;
            }
            (Group::Phase(phase), Group::Phase(on)) => (&mut self.phases, phase, on),
            (Group::Story(story), Group::Story(on)) => (&mut self.stories, story, on),
            _ => return true,
        };
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        pairs.add(subject, on, offset);
        true
    }
}

fn kind_of(group: Group) -> usize {
    match group {
        Group::Task(_) => 0,
        Group::Phase(_) => 1,
        Group::Story(_) => 2,
    }
}

/// The phases on which each phase depends if the document does not state any.
fn defaults(phases: &[Phase]) -> Vec<Vec<usize>> {
    let (mut last, mut since) = (None, Vec::new());
    let default = |(index, phase): (usize, &Phase)| {
        let mut on: Vec<usize> = last.into_iter().collect();
        if phase.story.is_some() {
            since.push(index);
        } else {
            on.append(&mut since);
            last = Some(index);
        }
        on
    };
    phases.iter().enumerate().map(default).collect()
}

/// The dependencies of phases. Those that the document states for a phase replace its default ones. A statement
/// that contradicts the default dependencies of other phases completes a cycle as well.
fn of_phases(
    stated: Pairs,
    defaults: &[Vec<usize>],
    document: &ListDocument,
    report: &mut Report<'_>,
) -> Vec<Vec<usize>> {
    let count = document.phases.len();
    let default_of = |phase: usize| defaults[phase].iter().map(move |on| (phase, *on));
    let mut has_stated = vec![false; count];
    stated.pairs.iter().for_each(|(phase, _)| has_stated[*phase] = true);
    let without = (0..count).filter(|phase| !has_stated[*phase]);
    let mut pairs: Vec<_> = without.flat_map(default_of).collect();
    let first_stated = pairs.len();
    pairs.extend(&stated.pairs);
    let accepted = without_cycles(count, &pairs);
    let mut is_ignored = has_stated;
    for (pair, is_accepted) in pairs.iter().zip(&accepted).skip(first_stated) {
        is_ignored[pair.0] &= !is_accepted;
    }
    let names = |phase: usize| match &document.phases[phase].number {
        Some(number) => format!("Phase {number}"),
        None => document.phases[phase].title.clone(),
    };
    report.cycles(&stated, &accepted[first_stated..], names);
    let mut accepted = accepted.into_iter();
    pairs.retain(|_| accepted.next().unwrap_or_default());
    // If all that is stated for a phase is ignored, nothing is stated for it.
    pairs.extend((0..count).filter(|phase| is_ignored[*phase]).flat_map(default_of));
    let accepted = without_cycles(count, &pairs);
    by_start(count, pairs.into_iter().zip(accepted))
}

fn of_stories(stated: Pairs, document: &ListDocument, report: &mut Report<'_>) -> Vec<Vec<usize>> {
    let count = document.stories.len();
    let accepted = without_cycles(count, &stated.pairs);
    report.cycles(&stated, &accepted, |story| document.stories[story].key.clone());
    by_start(count, stated.pairs.into_iter().zip(accepted))
}

/// The second parts of the pairs that are accepted, by the first parts.
fn by_start(count: usize, pairs: impl Iterator<Item = ((usize, usize), bool)>) -> Vec<Vec<usize>> {
    let mut found = vec![Vec::new(); count];
    for ((waiting, on), _) in pairs.filter(|(_, is_accepted)| *is_accepted) {
        found[waiting].push(on);
    }
    found
}

struct Report<'m> {
    markdown: &'m Markdown<'m>,
    diagnostics: Vec<Diagnostic>,
}

impl Report<'_> {
    fn add(&mut self, code: Code, offset: usize, message: String, keys: Vec<String>) {
        let line = Some(self.markdown.line(offset));
        self.diagnostics.push(Diagnostic { code, line, message, keys, numbers: None });
    }

    /// Reports a reference to something that the document does not have. If a task makes it, that is its key.
    fn unknown(&mut self, key: Option<&str>, unknown: &str, offset: usize) {
        let keys: Vec<String> = key.into_iter().map(str::to_owned).collect();
        let by = key.unwrap_or("The sentence");
        let message = format!(
            "{by} refers to {unknown}, which the document does not have, so the reference is ignored."
        );
        self.add(Code::UnknownReference, offset, message, keys);
    }

    fn cycles(&mut self, stated: &Pairs, accepted: &[bool], name: impl Fn(usize) -> String) {
        for (at, (waiting, on)) in stated.pairs.iter().enumerate() {
            if !accepted[at] {
                let message = cycle(&name(*waiting), &name(*on));
                self.add(Code::DependencyCycle, stated.offsets[at], message, Vec::new());
            }
        }
    }

    /// Reports unknown references in the lines of tasks, and dependencies of tasks on tasks that complete a
    /// cycle or do not fit the ticks.
    fn tasks(&mut self, found: &Tasks, groups: &Groups<'_>, document: &ListDocument) {
        for (index, task) in document.tasks.iter().enumerate() {
            let unknown =
                |(at, reference): (usize, &KeyReference)| Some((at, groups.tasks(reference).err()?));
            let unknown: Vec<_> = task.references.iter().enumerate().filter_map(unknown).collect();
            let offsets = if unknown.is_empty() { Vec::new() } else { self.offsets(found, index) };
            for (at, unknown) in unknown {
                self.unknown(Some(&task.key), &unknown, offsets[at]);
            }
        }
        let stated = AllStated::new(document, |task| &document.tasks[task].references);
        if let Some(offset) = stated.left_out {
            let message = format!(
                "The document states more than {MAX_STATED} dependencies of tasks. Further ones are ignored."
            );
            self.add(Code::UnknownReference, offset, message, Vec::new());
        }
        let edges: Vec<_> = stated.found.iter().map(|stated| (stated.task, stated.on)).collect();
        // The dependencies of one task follow one another, but for those of sections.
        let mut last: Option<(usize, Vec<usize>)> = None;
        for (stated, is_accepted) in stated.found.iter().zip(without_cycles(document.tasks.len(), &edges)) {
            let (task, on) = (&document.tasks[stated.task], &document.tasks[stated.on]);
            if !is_accepted {
                let offset = match stated.place {
                    Place::Section(offset) => offset,
                    Place::Task(reference) => {
                        let of_task = last.take().filter(|(task, _)| *task == stated.task);
                        let of_task =
                            of_task.unwrap_or_else(|| (stated.task, self.offsets(found, stated.task)));
                        last.insert(of_task).1[reference]
                    }
                };
                let mut both = [stated.task, stated.on];
                both.sort_unstable();
                let keys = both.map(|task| document.tasks[task].key.clone()).to_vec();
                self.add(Code::DependencyCycle, offset, cycle(&task.key, &on.key), keys);
            } else if task.ticked && !on.ticked {
                let message = format!("{} is ticked, but it depends on {}, which is not.", task.key, on.key);
                let keys = vec![task.key.clone(), on.key.clone()];
                self.add(Code::DoneEarly, task.key_span.start, message, keys);
            }
        }
    }

    /// The line of each reference of a task, by an offset in it.
    fn offsets(&self, found: &Tasks, task: usize) -> Vec<usize> {
        let task = &found.tasks[task];
        let details = task.details_start(self.markdown);
        let first = self.markdown.line(details);
        let offset = |(line, _)| match line {
            0 => task.key_span.start,
            line => self.markdown.lines.range(first + line - 1).start,
        };
        references::with_lines(&task.text, task.details.as_deref()).into_iter().map(offset).collect()
    }
}

fn cycle(waiting: &str, on: &str) -> String {
    format!("{waiting} would wait for {on} in a cycle, so this dependency is ignored.")
}
