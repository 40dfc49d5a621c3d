//! The dependencies of tasks on tasks that a list document states, in its order.

use std::collections::HashSet;

use crate::list::names::KeyReference;
use crate::list::types::ListDocument;

/// The maximum number of dependencies of tasks on tasks that are read from a document, and of phases and stories
/// that its statements name.
pub const MAX_STATED: usize = 50_000;

/// A dependency that the document states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stated {
    /// The task that waits.
    pub task: usize,
    /// The task for which it waits.
    pub on: usize,
    pub place: Place,
}

/// Where a dependency is stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the lines of the task that waits: the index of the reference.
    Task(usize),
    /// In a section: the offset in the source.
    Section(usize),
}

/// Collects dependencies.
#[derive(Debug, Default)]
pub struct AllStated {
    /// Each dependency once.
    pub found: Vec<Stated>,
    /// Where the first dependency stands that is left out because there are too many.
    pub left_out: Option<usize>,
    /// The dependencies that were found, if sections state any.
    known: Option<HashSet<(usize, usize)>>,
    /// For each task, the last one that was found to depend on it in its own lines.
    last: Vec<usize>,
    count: usize,
}

impl AllStated {
    /// The dependencies of a document whose tasks have these references.
    pub fn new<'a>(document: &'a ListDocument, references: impl Fn(usize) -> &'a [KeyReference]) -> Self {
        let known = (!document.statements.tasks.is_empty()).then(HashSet::new);
        let mut all = Self { known, last: vec![usize::MAX; document.tasks.len()], ..Self::default() };
        let mut sections = document.statements.tasks.iter().peekable();
        for (task, outline) in document.tasks.iter().enumerate() {
            let start = outline.key_span.start;
            while let Some(stated) = sections.next_if(|stated| stated.offset < start) {
                all.add(
                    Stated { task: stated.task, on: stated.on, place: Place::Section(stated.offset) },
                    start,
                );
            }
            for (index, reference) in references(task).iter().enumerate() {
                for on in document.names.tasks(reference).into_iter().flatten() {
                    if !all.add(Stated { task, on, place: Place::Task(index) }, start) {
                        return all;
                    }
                }
            }
        }
        for stated in sections {
            let place = Place::Section(stated.offset);
            all.add(Stated { task: stated.task, on: stated.on, place }, stated.offset);
        }
        all
    }

    /// Adds a dependency that stands at this offset. False if there are too many.
    fn add(&mut self, stated: Stated, offset: usize) -> bool {
        if self.count == MAX_STATED {
            self.left_out = self.left_out.or(Some(offset));
            return false;
        }
        self.count += 1;
        let Stated { task, on, .. } = stated;
        let is_new = match &mut self.known {
            Some(known) => known.insert((task, on)),
            None => std::mem::replace(&mut self.last[on], task) != task,
        };
        if is_new && task != on {
            self.found.push(stated);
        }
        true
    }
}
