//! The graph of everything for which tasks wait. Tasks wait for phases and stories through nodes of their own, so
//! the number of edges is linear in the size of the lists.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::list::graph::Graph;
use crate::list::types::{Group, ListDocument};

/// A list, and what its tasks are now.
#[derive(Clone, Debug)]
pub struct ListNow<'a> {
    pub document: &'a ListDocument,
    /// Whether the order of the document counts.
    pub is_marked: bool,
    /// For each task of the document, what it is now. None if it is in the trash or was deleted for good.
    pub tasks: Vec<Option<TaskNow<'a>>>,
}

/// What a task is now.
#[derive(Clone, Copy, Debug)]
pub struct TaskNow<'a> {
    pub text: &'a str,
    pub is_completed: bool,
}

/// What a task is now, and what it depends on besides `blocked_by`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Now {
    pub is_open: bool,
    pub is_in_trash: bool,
    pub parallel: bool,
    /// The node with all tasks of its phase, if their order counts.
    pub in_order_of: Option<usize>,
}

/// The graph of everything for which tasks wait. Its nodes are the tasks, and for each list:
///
/// - one for each phase, one for the tasks without a phase, and one for each story, with edges to its tasks;
/// - one for each statement, with edges to what it references;
/// - one more for each phase and story, with edges to what its tasks depend on.
#[derive(Clone, Debug, Default)]
pub struct WaitGraph {
    pub graph: Graph,
    /// The strongly connected component of each node.
    pub components: Vec<usize>,
    /// For each node, two of its open tasks.
    pub open: Vec<Two>,
}

/// The first open task of a set, and the first one of another component than that one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Two {
    first: Option<usize>,
    other: Option<usize>,
}

impl Two {
    pub fn add(&mut self, task: usize, components: &[usize]) {
        match self.first {
            None => self.first = Some(task),
            Some(first) if components[first] != components[task] => {
                self.other = self.other.or(Some(task));
            }
            Some(_) => {}
        }
    }

    fn join(&mut self, other: Self, components: &[usize]) {
        for task in other.first.into_iter().chain(other.other) {
            self.add(task, components);
        }
    }

    /// Whether one of the two is not in this component.
    pub fn is_outside(self, component: usize, components: &[usize]) -> bool {
        self.first.into_iter().chain(self.other).any(|task| components[task] != component)
    }
}

/// Dependencies, as the task that waits and the one for which it waits.
pub type Dependencies = Vec<(usize, usize)>;

impl WaitGraph {
    pub fn new(lists: &[ListNow<'_>], firsts: &[usize], blocked_by: Dependencies, now: &mut [Now]) -> Self {
        let mut builder = Builder { nodes: now.len(), edges: blocked_by };
        for (list, first) in lists.iter().zip(firsts) {
            builder.add(list, *first, now);
        }
        let graph = Graph::new(builder.nodes, &builder.edges);
        let components = graph.components().of;
        let mut wait_graph = Self { open: vec![Two::default(); builder.nodes], graph, components };
        // Edges between nodes that are no tasks lead to smaller numbers.
        for node in now.len()..builder.nodes {
            let mut two = Two::default();
            for target in wait_graph.graph.targets(node) {
                match now.get(*target) {
                    Some(now) if now.is_open => two.add(*target, &wait_graph.components),
                    Some(_) => {}
                    None => two.join(wait_graph.open[*target], &wait_graph.components),
                }
            }
            wait_graph.open[node] = two;
        }
        wait_graph
    }

    /// The nodes with open tasks that are reached from a task over nodes that are no tasks.
    pub fn groups_below(&self, task: usize) -> Vec<usize> {
        let (mut found, mut next, mut seen) = (vec![task], 0, HashSet::new());
        while let Some(node) = found.get(next).copied() {
            next += 1;
            let mut is_new = |node: &usize| self.open[*node].first.is_some() && seen.insert(*node);
            found.extend(self.graph.targets(node).iter().copied().filter(|node| is_new(node)));
        }
        found.split_off(1)
    }
}

/// Collects nodes and edges.
struct Builder {
    nodes: usize,
    edges: Dependencies,
}

impl Builder {
    fn nodes(&mut self, count: usize) -> Range<usize> {
        self.nodes += count;
        self.nodes - count..self.nodes
    }

    /// Adds the nodes and edges of a list.
    fn add(&mut self, list: &ListNow<'_>, first: usize, now: &mut [Now]) {
        let document = list.document;
        let (phases, stories) = (document.phases.len(), document.stories.len());
        let statements = &document.statements;
        let [of_phases, of_stories] = [self.nodes(phases + 1).start, self.nodes(stories).start];
        let of_statements = self.nodes(statements.others.len()).start;
        let [before_phases, before_stories] = [self.nodes(phases).start, self.nodes(stories).start];
        let story_indexes: HashMap<&str, usize> =
            document.stories.iter().enumerate().map(|(index, story)| (story.key.as_str(), index)).collect();
        let mut order = vec![InOrder::default(); phases + 1];
        for (index, task) in document.tasks.iter().enumerate() {
            let number = first + index;
            if now[number].is_in_trash {
                continue;
            }
            let phase = task.phase.unwrap_or(phases);
            self.edges.push((of_phases + phase, number));
            self.edges.extend(task.phase.map(|phase| (number, before_phases + phase)));
            for story in task.stories.iter().filter_map(|story| story_indexes.get(story.as_str())) {
                self.edges.extend([(of_stories + story, number), (number, before_stories + story)]);
            }
            if list.is_marked {
                now[number].in_order_of = Some(of_phases + phase);
                order[phase].add(number, task.parallel, &mut self.edges);
            }
        }
        let on_phases = on_each(&statements.phases);
        self.edges.extend(on_phases.map(|(phase, on)| (before_phases + phase, of_phases + on)));
        let on_stories = on_each(&statements.stories);
        self.edges.extend(on_stories.map(|(story, on)| (before_stories + story, of_stories + on)));
        for (statement, node) in statements.others.iter().zip(of_statements..) {
            let subjects = statement.subjects.iter().filter_map(|group| match group {
                Group::Task(task) => Some(first + task).filter(|task| !now[*task].is_in_trash),
                Group::Phase(phase) => Some(before_phases + phase),
                Group::Story(story) => Some(before_stories + story),
            });
            self.edges.extend(subjects.map(|subject| (subject, node)));
            let references = statement.references.iter().filter_map(|group| match group {
                Group::Task(task) => Some(first + task).filter(|task| !now[*task].is_in_trash),
                Group::Phase(phase) => Some(of_phases + phase),
                Group::Story(story) => Some(of_stories + story),
            });
            let mut references: Vec<usize> = references.collect();
            references.sort_unstable();
            self.edges.extend(references.into_iter().map(|reference| (node, reference)));
        }
    }
}

fn on_each(on: &[Vec<usize>]) -> impl Iterator<Item = (usize, usize)> + '_ {
    on.iter().enumerate().flat_map(|(index, on)| on.iter().map(move |on| (index, *on)))
}

/// The tasks of a phase so far, whose order counts. A task without the mark waits for all of them, so those that
/// come before it are reached through it.
#[derive(Clone, Debug, Default)]
struct InOrder {
    last_unmarked: Option<usize>,
    /// The tasks with the mark behind that one.
    marked: Vec<usize>,
}

impl InOrder {
    fn add(&mut self, task: usize, parallel: bool, edges: &mut Dependencies) {
        edges.extend(self.last_unmarked.map(|earlier| (task, earlier)));
        if parallel {
            self.marked.push(task);
        } else {
            edges.extend(self.marked.drain(..).map(|earlier| (task, earlier)));
            self.last_unmarked = Some(task);
        }
    }
}
