//! Finds what a list document does not say as its writer must have meant it, and where it contradicts itself.

use std::collections::{HashMap, HashSet};

use crate::boxes::Mark;
use crate::diagnostic::{self, Code, Diagnostic};
use crate::list::counts::Counts;
use crate::list::keys;
use crate::list::outline::Outline;
use crate::list::paths::{is_folder, paths};
use crate::list::tasks::{BoxKind, FoundTask, Tasks};
use crate::list::types::{ListDocument, ListTask};
use crate::markdown::{BlockKind, InlineKind, Markdown};
use crate::text::cut;

/// What templates leave to be filled in.
const PLACEHOLDERS: [&str; 3] = ["TXXX", "[FEATURE NAME]", "[Title]"];
/// The maximum number of characters of the document in a message.
const MAX_QUOTE: usize = 60;
/// The maximum number of keys in a message. Diagnostic::keys has all of them.
const MAX_KEYS: usize = 5;

/// The diagnostics of a document, those of its dependencies included, ordered by line.
pub fn diagnose(
    markdown: &Markdown<'_>,
    outline: &Outline,
    found: &Tasks,
    document: &ListDocument,
    of_dependencies: Vec<Diagnostic>,
) -> Vec<Diagnostic> {
    let mut report = Report { markdown, diagnostics: of_dependencies };
    if document.tasks.is_empty() {
        report.add_without_line(
            Code::NoTasks,
            "The document has no list item that begins with a box and a key, such as `- [ ] T001`.",
        );
    }
    report.boxes(found);
    report.tasks(&found.tasks);
    report.stories(outline, document);
    report.phases(document);
    report.shared_files(document);
    let is_in_task = markdown.lines_in(found.tasks.iter().map(|task| task.lines.clone()));
    report.unread_tasks(found, &is_in_task);
    report.counts(document, &is_in_task);
    report.placeholders();
    diagnostic::in_order(report.diagnostics)
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

    fn add_without_line(&mut self, code: Code, message: &str) {
        let message = message.to_owned();
        self.diagnostics.push(Diagnostic { code, line: None, message, keys: Vec::new(), numbers: None });
    }

    fn boxes(&mut self, found: &Tasks) {
        for task_box in &found.boxes {
            let (content, start) = (task_box.task_box.content.clone(), task_box.task_box.content.start);
            let key = match &task_box.kind {
                BoxKind::Task(task) => Some(found.tasks[*task].key.clone()),
                BoxKind::Struck(key) => {
                    let key = self.markdown.source[key.clone()].to_owned();
                    let message =
                        format!("The key {key} is struck through, so the item is not read as a task.");
                    self.add(Code::StruckTask, start, message, vec![key]);
                    None
                }
                BoxKind::Text => {
                    let message = "The item has a box, but no key such as T001, so it is not read as a task.";
                    self.add(Code::UnkeyedBox, start, message.to_owned(), Vec::new());
                    None
                }
            };
            if task_box.task_box.mark == Mark::Unknown {
                let content = self.markdown.source[content].trim();
                let of = key.as_ref().map(|key| format!(" of {key}")).unwrap_or_default();
                let message = format!(
                    "The box [{content}]{of} holds another character than x, so it is read as not ticked."
                );
                self.add(Code::UnknownMark, start, message, key.into_iter().collect());
            }
        }
    }

    fn tasks(&mut self, tasks: &[FoundTask]) {
        for task in tasks {
            let keys = || vec![task.key.clone()];
            let key = &task.key;
            if task.is_repeated {
                let written = &self.markdown.source[task.key_span.clone()];
                let message =
                    format!("An earlier task has the key {written} too. This task is called {key}.");
                self.add(Code::DuplicateKey, task.key_span.start, message, keys());
            }
            if let Some(unknown) = &task.marks.unknown {
                let unknown = cut(unknown, MAX_QUOTE);
                let message = format!(
                    "The group [{unknown}] of {key} is neither [P] nor a story, so it is part of the text."
                );
                self.add(Code::UnknownTag, task.key_span.start, message, keys());
            }
        }
    }

    fn stories(&mut self, outline: &Outline, document: &ListDocument) {
        let mut known: HashSet<String> = outline.stories().collect();
        for task in &document.tasks {
            let (key, start) = (&task.key, task.key_span.start);
            for story in &task.marked_stories {
                if known.insert(story.clone()) {
                    let message = format!("{key} is marked with {story}, but no heading names this story.");
                    self.add(Code::UnknownStory, start, message, vec![key.clone()]);
                }
            }
            let of_phase = task.phase.and_then(|phase| document.phases[phase].story.as_ref());
            if let Some(story) = of_phase.filter(|_| !task.marked_stories.is_empty())
                && !task.marked_stories.contains(story)
            {
                let marked = joined(task.marked_stories.iter().map(String::as_str));
                let message =
                    format!("{key} is marked with {marked}, but it stands in the phase of {story}.");
                self.add(Code::StoryMismatch, start, message, vec![key.clone()]);
            }
        }
    }

    fn phases(&mut self, document: &ListDocument) {
        let mut known = HashSet::new();
        for phase in &document.phases {
            if let Some(number) = &phase.number
                && !known.insert(number)
            {
                let message = format!("An earlier heading is called Phase {number} too.");
                self.add(Code::DuplicatePhase, phase.section.start, message, Vec::new());
            }
        }
    }

    fn shared_files(&mut self, document: &ListDocument) {
        let together = |first: &ListTask, second: &ListTask| {
            first.parallel && second.parallel && first.phase == second.phase
        };
        for run in document.tasks.chunk_by(together).filter(|run| run.len() > 1) {
            let mut files: Vec<(String, Vec<usize>)> = Vec::new();
            let mut indexes: HashMap<String, usize> = HashMap::new();
            for (task, found) in run.iter().enumerate() {
                let texts = std::iter::once(found.text.as_str()).chain(found.details.as_deref());
                for file in paths(texts).into_iter().filter(|path| !is_folder(path)) {
                    let index = *indexes.entry(file.clone()).or_insert(files.len());
                    if index == files.len() {
                        files.push((file, Vec::new()));
                    }
                    files[index].1.push(task);
                }
            }
            for (file, tasks) in files.into_iter().filter(|(_, tasks)| tasks.len() > 1) {
                let keys: Vec<String> = tasks.iter().map(|task| run[*task].key.clone()).collect();
                let message = format!(
                    "The tasks {} are marked [P] and stand together, but all of them name {}.",
                    joined(keys.iter().map(String::as_str)),
                    cut(&file, MAX_QUOTE)
                );
                self.add(Code::SameFileParallel, run[tasks[0]].key_span.start, message, keys);
            }
        }
    }

    fn unread_tasks(&mut self, found: &Tasks, is_in_task: &[bool]) {
        let source = self.markdown.source;
        let known: HashSet<&str> = found.tasks.iter().map(|task| &source[task.key_span.clone()]).collect();
        for (index, block) in self.markdown.blocks.iter().enumerate() {
            let is_text = matches!(block.kind, BlockKind::Heading { .. } | BlockKind::Paragraph { .. });
            if !is_text || is_in_task[self.markdown.line(block.range.start)] {
                continue;
            }
            let Some(key) = unread_key(self.markdown.content(index)).filter(|key| !known.contains(key))
            else {
                continue;
            };
            let message = format!("{key} is not read as a task: it does not follow the box of a list item.");
            self.add(Code::UnreadTask, block.content.start, message, vec![key.to_owned()]);
        }
    }

    fn counts(&mut self, document: &ListDocument, is_in_task: &[bool]) {
        let counts = Counts::new(document);
        let is_unread = self.markdown.unread_lines();
        let first = self.markdown.line(self.markdown.body);
        for number in
            (first..=self.markdown.lines.count()).filter(|line| !is_in_task[*line] && !is_unread[*line])
        {
            let line = self.markdown.lines.range(number);
            for claim in counts.wrong_claims(&self.markdown.source[line]) {
                let (claimed, counted) = (claim.claimed, claim.counted);
                let tasks = claim.tasks;
                let message = format!("The line states {claimed} tasks {tasks}, but {counted} were counted.");
                let numbers = Some((claimed, counted));
                let (code, keys) = (Code::CountMismatch, Vec::new());
                self.diagnostics.push(Diagnostic { code, line: Some(number), message, keys, numbers });
            }
        }
    }

    fn placeholders(&mut self) {
        let markdown = self.markdown;
        let blocks = markdown.blocks.iter().filter(|block| block.kind.is_unread()).map(|block| &block.range);
        let spans = markdown.inlines.iter().filter(|inline| inline.kind == InlineKind::Code);
        let mut code: Vec<_> = blocks.chain(spans.map(|span| &span.range)).collect();
        code.sort_by_key(|range| range.start);
        let is_code = |offset: usize| {
            let before = code.partition_point(|range| range.start <= offset);
            before > 0 && code[before - 1].end > offset
        };
        let body = &markdown.source[markdown.body..];
        let all = PLACEHOLDERS.iter().flat_map(|placeholder| body.match_indices(placeholder));
        let mut found: Vec<_> = all.map(|(at, placeholder)| (markdown.body + at, placeholder)).collect();
        found.retain(|(at, _)| !is_code(*at));
        found.sort_unstable();
        found.dedup_by_key(|(at, _)| markdown.line(*at));
        for (at, placeholder) in found {
            let message = format!("The line still has the placeholder {placeholder}.");
            self.add(Code::Placeholder, at, message, Vec::new());
        }
    }
}

/// The key with which a text begins, behind symbols, emphasis and one group in square brackets. None if it is
/// struck through.
fn unread_key(text: &str) -> Option<&str> {
    let symbols =
        |text: &str| text.len() - text.trim_start_matches(|char: char| !char.is_alphanumeric()).len();
    let direct = symbols(text);
    let behind_group = || {
        let group = text[..direct].find('[').filter(|at| !text[*at..].starts_with("[]"))?;
        let end = group + text[group..].find(']')?;
        Some(end + symbols(&text[end..]))
    };
    let at = |start: usize| {
        let length = keys::at(&text[start..])?;
        (!text[..start].contains("~~")).then(|| &text[start..start + length])
    };
    at(direct).or_else(|| at(behind_group()?))
}

/// Names in a sentence: `T001, T002 and T003`. Of many, only the first are given.
fn joined<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let count = names.len();
    let mut parts: Vec<String> = names.take(MAX_KEYS).map(str::to_owned).collect();
    if count > MAX_KEYS {
        parts.push(format!("{} others", count - MAX_KEYS));
    }
    match parts.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => parts.concat(),
    }
}
