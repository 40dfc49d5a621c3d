//! Which tasks wait for which: of a list, or of tasks that belong to no list, with all that these wait for. It is
//! computed from what `waiting_load` reads.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use task_documents::list::{ListNow, ListTask, TaskNow, Waiting};
use uuid::Uuid;

use crate::domain::{TaskList, TaskOrdering, TaskStatus};
use crate::service::task_lists::documents::StoredDocument;

/// The maximum number of tasks of `waitsFor`.
const MAX_WAITS_FOR: usize = 20;
/// The tasks whose waiting is asked for.
#[derive(Clone, Debug, Default)]
pub struct WaitingSeeds {
    /// All tasks of these lists.
    pub lists: Vec<Uuid>,
    /// Those of these tasks that belong to no list.
    pub outside: Vec<Uuid>,
}

/// Which tasks wait for which. It has the tasks of the seeds, and those that they can wait for.
pub struct WaitingTasks {
    /// By number. None for a task that is in the trash or was deleted for good.
    tasks: Vec<Option<WaitingTask>>,
    numbers: HashMap<Uuid, usize>,
    lists: Vec<NumberedList>,
    waiting: Waiting,
}

/// A list, its document, and the numbers of its tasks in the order of the document.
struct NumberedList {
    list: TaskList,
    document: Arc<StoredDocument>,
    numbers: Range<usize>,
}

/// A task, as far as waiting is concerned.
#[derive(Clone, Debug)]
pub struct WaitingTask {
    pub id: Uuid,
    pub version: i32,
    pub key: String,
    pub text: String,
    pub status: TaskStatus,
    pub position: i64,
    pub is_claimed: bool,
}

/// What has been loaded.
#[derive(Default)]
pub(super) struct Loaded {
    pub lists: Vec<LoadedList>,
    pub outside: Vec<WaitingTask>,
    /// The added dependencies: the task that waits, and the one for which it waits.
    pub added: Vec<(Uuid, Uuid)>,
    /// The ids of the lists, and of the tasks that belong to none, that have been asked for.
    pub asked: HashSet<Uuid>,
}

pub(super) struct LoadedList {
    pub list: TaskList,
    pub document: Arc<StoredDocument>,
    pub rows: Vec<WaitingTask>,
}

impl WaitingTasks {
    /// Computes what waits for what.
    pub(super) fn new(loaded: Loaded) -> Self {
        let (mut tasks, mut lists) = (Vec::new(), Vec::new());
        for LoadedList { list, document, rows } in loaded.lists {
            let first = tasks.len();
            tasks.resize(first + document.outline.tasks.len(), None);
            for row in rows {
                if let Some(index) = document.outline.index_of(&row.key) {
                    tasks[first + index] = Some(row);
                }
            }
            lists.push(NumberedList { list, document, numbers: first..tasks.len() });
        }
        let first_outside = tasks.len();
        tasks.extend(loaded.outside.into_iter().map(Some));
        let ids = tasks.iter().enumerate().filter_map(|(number, task)| Some((task.as_ref()?.id, number)));
        let numbers: HashMap<Uuid, usize> = ids.collect();
        let added = loaded.added.iter();
        let added = added.filter_map(|(task, other)| Some((*numbers.get(task)?, *numbers.get(other)?)));
        let outside: Vec<bool> =
            tasks[first_outside..].iter().flatten().map(WaitingTask::is_completed).collect();
        let lists_now: Vec<ListNow<'_>> = lists.iter().map(|list| list.now(&tasks)).collect();
        let waiting = Waiting::new(&lists_now, &outside, &added.collect::<Vec<_>>());
        Self { tasks, numbers, lists, waiting }
    }

    /// Whether work on a task can begin. False for a task that is not part of this.
    pub fn is_ready(&self, task: Uuid) -> bool {
        self.numbers.get(&task).is_some_and(|number| self.is_ready_at(*number))
    }

    fn is_ready_at(&self, number: usize) -> bool {
        let task = self.tasks[number].as_ref();
        task.is_some_and(|task| task.status == TaskStatus::Pending && !task.is_claimed)
            && !self.waiting.is_waiting(number)
    }

    /// The ready tasks of a list, in the order of the document: their places, and their ids.
    pub fn ready_of(&self, list: Uuid) -> Vec<(i64, Uuid)> {
        let tasks = self.tasks_of(list).filter(|(_, number, _)| self.is_ready_at(*number));
        tasks.map(|(_, _, task)| (task.position, task.id)).collect()
    }

    /// The tasks of a list in the order of the document: each with its line, and whether it is ready.
    pub(super) fn lines_of(&self, list: Uuid) -> impl Iterator<Item = (&ListTask, &WaitingTask, bool)> {
        self.tasks_of(list).map(|(line, number, task)| (line, task, self.is_ready_at(number)))
    }

    fn tasks_of(&self, list: Uuid) -> impl Iterator<Item = (&ListTask, usize, &WaitingTask)> {
        let list = self.lists.iter().find(|numbered| numbered.list.id == list);
        let lines =
            list.into_iter().flat_map(|list| list.document.outline.tasks.iter().zip(list.numbers.clone()));
        lines.filter_map(|(line, number)| Some((line, number, self.tasks[number].as_ref()?)))
    }

    /// The tasks on which a task depends directly: the stated ones first.
    pub fn blocked_by(&self, task: Uuid) -> Vec<Uuid> {
        let number = self.numbers.get(&task);
        self.ids(number.map_or(&[], |number| self.waiting.blocked_by(*number)))
    }

    /// The tasks that depend directly on a task, of the lists and tasks that are part of this.
    pub fn blocks(&self, task: Uuid) -> Vec<Uuid> {
        let number = self.numbers.get(&task);
        self.ids(number.map_or(&[], |number| self.waiting.blocks(*number)))
    }

    /// The first open tasks for which a task waits.
    pub fn waits_for(&self, task: Uuid) -> Vec<Uuid> {
        let number = self.numbers.get(&task);
        self.ids(&number.map_or_else(Vec::new, |number| self.waiting.waits_for(*number, MAX_WAITS_FOR)))
    }

    /// Whether a task is part of this.
    pub fn contains(&self, task: Uuid) -> bool {
        self.numbers.contains_key(&task)
    }

    fn ids(&self, numbers: &[usize]) -> Vec<Uuid> {
        numbers.iter().filter_map(|number| Some(self.tasks[*number].as_ref()?.id)).collect()
    }
}

impl NumberedList {
    fn now<'a>(&'a self, tasks: &'a [Option<WaitingTask>]) -> ListNow<'a> {
        let now = |task: &'a Option<WaitingTask>| {
            let task = task.as_ref()?;
            Some(TaskNow { text: &task.text, is_completed: task.is_completed() })
        };
        ListNow {
            document: &self.document.outline,
            is_marked: self.list.ordering == TaskOrdering::Marked,
            tasks: tasks[self.numbers.clone()].iter().map(now).collect(),
        }
    }
}

impl WaitingTask {
    fn is_completed(&self) -> bool {
        self.status == TaskStatus::Completed
    }
}
