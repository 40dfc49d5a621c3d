//! Which task waits for which: over dependencies of tasks, phases and stories, statements, and the order of a list.

use std::collections::{HashMap, HashSet};

use crate::list::graph::{Graph, without_cycles};
use crate::list::names::KeyReference;
use crate::list::references::references;
use crate::list::stated::AllStated;
use crate::list::wait_graph::{Dependencies, ListNow, Now, Two, WaitGraph};

/// Which task waits for which. Tasks are numbered: those of the first list in the order of its document, those of
/// the second, and so on, then tasks that belong to no list.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// For each list, the number of its first task, and at the end that of the first task without a list.
    firsts: Vec<usize>,
    blocked_by: Graph,
    blocks: Graph,
    /// For each task, whether an open task has to be completed before it.
    is_waiting: Vec<bool>,
    now: Vec<Now>,
    wait_graph: WaitGraph,
}

impl Waiting {
    /// Finds out which task waits for which. `outside` has the tasks without a list: whether each is completed.
    /// `added` has the dependencies that clients added, as the task that waits and the one for which it waits,
    /// in the order in which they were added.
    pub fn new(lists: &[ListNow<'_>], outside: &[bool], added: &[(usize, usize)]) -> Self {
        let (firsts, mut now) = tasks_of(lists, outside);
        let mut stated = Vec::new();
        for (list, first) in lists.iter().zip(&firsts) {
            stated.extend(stated_in(list).into_iter().map(|(task, on)| (task + first, on + first)));
        }
        let edges = with_added(&stated, added, &now);
        let blocked_by = Graph::new(now.len(), &edges);
        let reversed =
            (0..now.len()).flat_map(|task| blocked_by.targets(task).iter().map(move |on| (*on, task)));
        let blocks = Graph::new(now.len(), &reversed.collect::<Vec<_>>());
        let wait_graph = WaitGraph::new(lists, &firsts, edges, &mut now);
        let mut waiting =
            Self { firsts, blocked_by, blocks, is_waiting: vec![false; now.len()], now, wait_graph };
        waiting.decide();
        waiting
    }

    /// The number of the first task of a list, by the index of the list. For the number of lists, it is that of
    /// the first task that belongs to no list.
    pub fn first(&self, list: usize) -> usize {
        self.firsts[list]
    }

    /// The tasks on which a task depends directly: what the document states, in its order, then what was added.
    /// Tasks in the trash are left out. These dependencies form no cycle.
    pub fn blocked_by(&self, task: usize) -> &[usize] {
        self.blocked_by.targets(task)
    }

    /// The tasks that depend on a task directly, in ascending order.
    pub fn blocks(&self, task: usize) -> &[usize] {
        self.blocks.targets(task)
    }

    /// Whether an open task has to be completed before this one. False if this one is not open.
    pub fn is_waiting(&self, task: usize) -> bool {
        self.is_waiting[task]
    }

    /// The first open tasks that have to be completed before this one, in ascending order, and at most `limit`.
    pub fn waits_for(&self, task: usize, limit: usize) -> Vec<usize> {
        if !self.is_waiting[task] {
            return Vec::new();
        }
        let blocked_by = self.blocked_by(task).iter().copied();
        let mut found: Vec<usize> = blocked_by.filter(|task| self.now[*task].is_open).collect();
        let WaitGraph { graph, components, .. } = &self.wait_graph;
        let counts = |other: &usize| self.now[*other].is_open && components[*other] != components[task];
        for node in self.wait_graph.groups_below(task) {
            // The tasks of a node are in ascending order.
            let tasks = graph.targets(node).iter().filter(|target| self.is_task(**target)).copied();
            found.extend(tasks.filter(counts).take(limit));
        }
        if let Some(phase) = self.now[task].in_order_of {
            let earlier = graph.targets(phase).iter().copied().take_while(|earlier| *earlier < task);
            let comes_first = |earlier: &usize| !(self.now[task].parallel && self.now[*earlier].parallel);
            found.extend(earlier.filter(comes_first).filter(counts).take(limit));
        }
        found.sort_unstable();
        found.dedup();
        found.truncate(limit);
        found
    }

    fn is_task(&self, node: usize) -> bool {
        node < self.now.len()
    }

    /// Decides for each open task whether it waits.
    fn decide(&mut self) {
        let WaitGraph { graph, components, open } = &self.wait_graph;
        // For each phase whose order counts, the earlier tasks without the mark, and all earlier tasks.
        let mut earlier: HashMap<usize, [Two; 2]> = HashMap::new();
        for (task, now) in self.now.iter().enumerate().filter(|(_, now)| now.is_open) {
            let outside = |two: &Two| two.is_outside(components[task], components);
            let mut is_waiting = self.blocked_by.targets(task).iter().any(|on| self.now[*on].is_open);
            let groups = graph.targets(task).iter().filter(|node| !self.is_task(**node));
            is_waiting |= groups.into_iter().any(|node| outside(&open[*node]));
            if let Some(phase) = now.in_order_of {
                let [unmarked, all] = earlier.entry(phase).or_default();
                is_waiting |= outside(if now.parallel { unmarked } else { all });
                all.add(task, components);
                if !now.parallel {
                    unmarked.add(task, components);
                }
            }
            self.is_waiting[task] = is_waiting;
        }
    }
}

/// The number of the first task of each list, and what all tasks are now.
fn tasks_of(lists: &[ListNow<'_>], outside: &[bool]) -> (Vec<usize>, Vec<Now>) {
    let (mut firsts, mut all) = (Vec::new(), Vec::new());
    for list in lists {
        firsts.push(all.len());
        all.extend(list.document.tasks.iter().enumerate().map(|(index, task)| {
            let now = list.tasks.get(index).copied().flatten();
            let is_open = now.is_some_and(|now| !now.is_completed);
            Now { is_open, is_in_trash: now.is_none(), parallel: task.parallel, in_order_of: None }
        }));
    }
    firsts.push(all.len());
    all.extend(outside.iter().map(|is_completed| Now { is_open: !is_completed, ..Now::default() }));
    (firsts, all)
}

/// The dependencies that a document states for the present texts, without those of tasks in the trash and those that
/// complete a cycle.
fn stated_in(list: &ListNow<'_>) -> Dependencies {
    let document = list.document;
    let task_now = |task: usize| list.tasks.get(task).copied().flatten();
    let changed = document.tasks.iter().enumerate().filter_map(|(index, task)| {
        let text = task_now(index).map(|now| now.text).filter(|text| *text != task.text)?;
        Some((index, references(text, task.details.as_deref())))
    });
    let changed: HashMap<usize, Vec<KeyReference>> = changed.collect();
    let references = |task: usize| changed.get(&task).unwrap_or(&document.tasks[task].references).as_slice();
    let stated = AllStated::new(document, references).found;
    let is_in_trash = |task: usize| task_now(task).is_none();
    let present = stated.iter().map(|stated| (stated.task, stated.on));
    let present: Dependencies =
        present.filter(|(task, on)| !is_in_trash(*task) && !is_in_trash(*on)).collect();
    let accepted = without_cycles(document.tasks.len(), &present);
    let accepted = present.into_iter().zip(accepted).filter(|(_, is_accepted)| *is_accepted);
    accepted.map(|(dependency, _)| dependency).collect()
}

/// The stated dependencies, and the added ones that count: those outside the cycles of all of them.
fn with_added(stated: &[(usize, usize)], added: &[(usize, usize)], now: &[Now]) -> Dependencies {
    if added.is_empty() {
        return stated.to_vec();
    }
    let mut known: HashSet<(usize, usize)> = stated.iter().copied().collect();
    let is_new = |(task, on): &(usize, usize)| {
        task != on && !now[*task].is_in_trash && !now[*on].is_in_trash && known.insert((*task, *on))
    };
    let mut edges: Vec<_> = stated.iter().copied().chain(added.iter().copied().filter(is_new)).collect();
    let components = Graph::new(now.len(), &edges).components().of;
    let mut place = 0..;
    edges.retain(|(task, on)| {
        place.next().is_some_and(|place: usize| place < stated.len()) || components[*task] != components[*on]
    });
    edges
}
