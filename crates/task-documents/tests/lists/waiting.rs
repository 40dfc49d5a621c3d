//! Which task waits for which, compared with a model that expands everything and follows every path.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::Index;
use task_documents::list::{
    Group, KeyReference, ListDocument, ListNow, Statement, TaskNow, Waiting, references,
};

/// A list document, and what its tasks are now.
#[derive(Clone, Debug)]
struct List {
    source: String,
    is_marked: bool,
    /// For each task: open, open with another text, completed, or in the trash.
    states: Vec<u8>,
    changed: Vec<String>,
}

/// Lists, tasks without a list, and added dependencies by any tasks.
#[derive(Clone, Debug)]
struct Case {
    lists: Vec<List>,
    outside: Vec<bool>,
    added: Vec<(Index, Index)>,
}

fn groups() -> impl Strategy<Value = String> {
    prop_oneof![
        (1..9_usize).prop_map(|number| format!("T{number}")),
        (1..9_usize, 1..9_usize).prop_map(|(first, last)| format!("T{first}-T{last}")),
        (1..5_usize).prop_map(|number| format!("Phase {number}")),
        (1..5_usize, 1..5_usize).prop_map(|(first, last)| format!("Phases {first}-{last}")),
        (1..5_usize).prop_map(|number| format!("Phase {number}+")),
        (1..4_usize).prop_map(|number| format!("US{number}")),
        (1..4_usize, 1..4_usize).prop_map(|(first, last)| format!("US{first}-US{last}")),
    ]
}

fn texts() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        4 => (1..9_usize).prop_map(|number| format!("T{number}")),
        1 => (1..9_usize, 1..9_usize).prop_map(|(first, last)| format!("T{first}–T{last}")),
    ];
    let keys = proptest::collection::vec(key, 0..3);
    keys.prop_map(
        |keys| if keys.is_empty() { "a".to_owned() } else { format!("depends on {}", keys.join(", ")) },
    )
}

/// Documents with up to 8 tasks in up to 4 phases, and with statements.
fn documents() -> impl Strategy<Value = String> {
    let mark = prop::sample::select(vec!["", "", "", " [P]", " [P]", " [US1]", " [US2+US3]"]);
    let heading = prop::sample::select(vec!["", "", ": US1", ": US2", ": US3"]);
    let phase = (heading, proptest::collection::vec((mark, texts()), 0..4));
    let phases = proptest::collection::vec(phase, 0..5);
    let before = proptest::collection::vec(texts(), 0..2);
    let statements = proptest::collection::vec((groups(), groups(), any::<bool>()), 0..5);
    (before, phases, statements, any::<bool>()).prop_map(|(before, phases, statements, in_front)| {
        let (mut tasks, mut number) = (String::new(), 0);
        let mut line = |mark: &str, text: &str| {
            number += 1;
            format!("- [ ] T{number}{mark} {text}\n")
        };
        for text in &before {
            tasks += &line("", text);
        }
        for (index, (heading, lines)) in phases.iter().enumerate() {
            tasks += &format!("## Phase {}{heading}\n\n", index + 1);
            for (mark, text) in lines {
                tasks += &line(mark, text);
            }
        }
        let mut section = "## Dependencies\n\n".to_owned();
        for (subject, reference, has_two) in statements {
            let second = if has_two { " and T1" } else { "" };
            section += &format!("- {subject}{second} depends on {reference}\n");
        }
        if in_front {
            format!("# A\n\n{section}\n# B\n\n{tasks}")
        } else {
            format!("# A\n\n{tasks}\n{section}")
        }
    })
}

fn lists() -> impl Strategy<Value = List> {
    let state = prop::sample::select(vec![0_u8, 0, 0, 0, 1, 2, 2, 3]);
    let (states, changed) = (proptest::collection::vec(state, 16), proptest::collection::vec(texts(), 16));
    (documents(), any::<bool>(), states, changed).prop_map(|(source, is_marked, states, changed)| List {
        source,
        is_marked,
        states,
        changed,
    })
}

fn cases() -> impl Strategy<Value = Case> {
    let outside = proptest::collection::vec(any::<bool>(), 0..3);
    let added = proptest::collection::vec(any::<(Index, Index)>(), 0..6);
    (proptest::collection::vec(lists(), 1..3), outside, added).prop_map(|(lists, outside, added)| Case {
        lists,
        outside,
        added,
    })
}

/// A relation between tasks.
type Pairs = Vec<Vec<bool>>;

fn reachable(pairs: &Pairs) -> Pairs {
    let mut reached = pairs.clone();
    for middle in 0..pairs.len() {
        for from in 0..pairs.len() {
            for to in 0..pairs.len() {
                reached[from][to] |= reached[from][middle] && reached[middle][to];
            }
        }
    }
    reached
}

#[derive(Debug)]
struct Model {
    is_open: Vec<bool>,
    blocked_by: Vec<Vec<usize>>,
    waits_for: Vec<BTreeSet<usize>>,
}

impl Model {
    fn new(lists: &[ListNow<'_>], outside: &[bool], added: &[(usize, usize)]) -> Self {
        let present = |list: &ListNow<'_>| list.tasks.iter().map(Option::is_some).collect::<Vec<_>>();
        let mut is_present: Vec<bool> = lists.iter().flat_map(present).collect();
        let open = |list: &ListNow<'_>| {
            list.tasks.iter().map(|task| task.is_some_and(|task| !task.is_completed)).collect::<Vec<_>>()
        };
        let mut is_open: Vec<bool> = lists.iter().flat_map(open).collect();
        is_present.extend(outside.iter().map(|_| true));
        is_open.extend(outside.iter().map(|is_completed| !is_completed));
        let count = is_open.len();
        let mut model =
            Self { is_open, blocked_by: vec![Vec::new(); count], waits_for: vec![BTreeSet::new(); count] };
        let mut pairs: Pairs = vec![vec![false; count]; count];
        let mut first = 0;
        for list in lists {
            for (task, on) in stated(list) {
                let (task, on) = (task + first, on + first);
                let is_here = is_present[task] && is_present[on];
                if is_here && !reachable(&pairs)[on][task] && !pairs[task][on] {
                    pairs[task][on] = true;
                    model.blocked_by[task].push(on);
                }
            }
            first += list.tasks.len();
        }
        let stated = pairs.clone();
        for (task, on) in added.iter().filter(|(task, on)| task != on) {
            pairs[*task][*on] |= is_present[*task] && is_present[*on];
        }
        let reached = reachable(&pairs);
        for (task, on) in added {
            let counts = pairs[*task][*on] && !stated[*task][*on] && !reached[*on][*task];
            if counts && !model.blocked_by[*task].contains(on) {
                model.blocked_by[*task].push(*on);
            }
        }
        model.decide(lists, &is_present);
        model
    }

    fn decide(&mut self, lists: &[ListNow<'_>], is_present: &[bool]) {
        let count = self.is_open.len();
        let mut direct = vec![vec![false; count]; count];
        for (task, on) in (0..count).flat_map(|task| self.blocked_by[task].iter().map(move |on| (task, *on)))
        {
            direct[task][on] = true;
        }
        let mut first = 0;
        for list in lists {
            for (task, on) in in_groups(list) {
                let (task, on) = (first + task, first + on);
                direct[task][on] |= is_present[task] && is_present[on];
            }
            first += list.tasks.len();
        }
        let reached = reachable(&direct);
        for task in (0..count).filter(|task| self.is_open[*task]) {
            let waits_for = |on: &usize| {
                let counts = self.blocked_by[task].contains(on)
                    || task != *on && direct[task][*on] && !reached[*on][task];
                counts && self.is_open[*on]
            };
            self.waits_for[task] = (0..count).filter(waits_for).collect();
        }
    }
}

/// All that the document states about tasks on tasks, in its order.
fn stated(list: &ListNow<'_>) -> Vec<(usize, usize)> {
    let document = list.document;
    let mut all: Vec<(usize, usize, usize)> = Vec::new();
    let number = |key: &str| key[1..].parse::<usize>().expect("T and a number");
    for (index, task) in document.tasks.iter().enumerate() {
        let text = list.tasks[index].map_or(task.text.as_str(), |now| now.text);
        for reference in references(text, task.details.as_deref()) {
            let (first, last) = match &reference {
                KeyReference::One(key) => (key, key),
                KeyReference::Range(first, last) => (first, last),
            };
            if document.index_of(first).is_some() && document.index_of(last).is_some() {
                let (first, last) = (number(first), number(last));
                // The tasks have the keys T1, T2 and so on.
                let range = first.min(last) - 1..first.max(last);
                all.extend(range.map(|on| (task.key_span.start, index, on)));
            }
        }
    }
    all.extend(document.statements.tasks.iter().map(|stated| (stated.offset, stated.task, stated.on)));
    all.sort_by_key(|(offset, ..)| *offset);
    all.into_iter().map(|(_, task, on)| (task, on)).filter(|(task, on)| task != on).collect()
}

/// All pairs of tasks of which the first waits for the second because of phases, stories, statements and order.
fn in_groups(list: &ListNow<'_>) -> Vec<(usize, usize)> {
    let document = list.document;
    let tasks = |group: &Group| -> Vec<usize> {
        let is_in = |task: &usize| match group {
            Group::Task(index) => task == index,
            Group::Phase(phase) => document.tasks[*task].phase == Some(*phase),
            Group::Story(story) => document.tasks[*task].stories.contains(&document.stories[*story].key),
        };
        (0..document.tasks.len()).filter(is_in).collect()
    };
    let of = |index: usize, on: &Vec<usize>, group: fn(usize) -> Group| Statement {
        subjects: vec![group(index)],
        references: on.iter().copied().map(group).collect(),
    };
    let statements = &document.statements;
    let phases = statements.phases.iter().enumerate().map(|(index, on)| of(index, on, Group::Phase));
    let stories = statements.stories.iter().enumerate().map(|(index, on)| of(index, on, Group::Story));
    let mut pairs = Vec::new();
    for statement in phases.chain(stories).chain(statements.others.iter().cloned()) {
        for task in statement.subjects.iter().flat_map(tasks) {
            pairs.extend(statement.references.iter().flat_map(tasks).map(|on| (task, on)));
        }
    }
    for (task, of_task) in document.tasks.iter().enumerate().filter(|_| list.is_marked) {
        let comes_first = |earlier: &usize| {
            let earlier = &document.tasks[*earlier];
            earlier.phase == of_task.phase && !(earlier.parallel && of_task.parallel)
        };
        pairs.extend((0..task).filter(comes_first).map(|earlier| (task, earlier)));
    }
    pairs
}

fn now<'a>(document: &'a ListDocument, list: &'a List) -> ListNow<'a> {
    let tasks = document.tasks.iter().enumerate().map(|(index, task)| {
        let (state, changed) = (list.states[index % 16], list.changed[index % 16].as_str());
        let text = if state == 1 { changed } else { &task.text };
        (state != 3).then_some(TaskNow { text, is_completed: state == 2 })
    });
    ListNow { document, is_marked: list.is_marked, tasks: tasks.collect() }
}

/// Completes the first task that waits for none, until none is open.
fn complete_all(mut lists: Vec<ListNow<'_>>, mut outside: Vec<bool>, added: &[(usize, usize)]) {
    loop {
        let waiting = Waiting::new(&lists, &outside, added);
        let of_lists = lists.iter_mut().flat_map(|list| &mut list.tasks);
        let of_lists = of_lists.map(|task| task.as_mut().map(|task| &mut task.is_completed));
        let all = of_lists.chain(outside.iter_mut().map(Some)).enumerate();
        let mut open =
            all.filter_map(|(task, state)| Some((task, state.filter(|state| !**state)?))).peekable();
        if open.peek().is_none() {
            return;
        }
        let next = open.find(|(task, _)| !waiting.is_waiting(*task));
        *next.expect("one of the open tasks waits for none").1 = true;
    }
}

fn check(case: &Case) {
    let documents: Vec<_> = case.lists.iter().map(|list| ListDocument::read(&list.source)).collect();
    let lists: Vec<_> =
        documents.iter().zip(&case.lists).map(|(document, list)| now(document, list)).collect();
    let count = lists.iter().map(|list| list.tasks.len()).sum::<usize>() + case.outside.len();
    let added = case.added.iter().filter(|_| count > 0);
    let added: Vec<_> = added.map(|(task, on)| (task.index(count), on.index(count))).collect();
    let waiting = Waiting::new(&lists, &case.outside, &added);
    let model = Model::new(&lists, &case.outside, &added);
    assert_eq!(waiting.first(lists.len()), count - case.outside.len());
    for task in 0..count {
        assert_eq!(waiting.blocked_by(task), model.blocked_by[task], "{task} is blocked by");
        let blocks: Vec<_> = (0..count).filter(|other| model.blocked_by[*other].contains(&task)).collect();
        assert_eq!(waiting.blocks(task), blocks, "{task} blocks");
        let waits_for: Vec<_> = model.waits_for[task].iter().copied().collect();
        assert_eq!(waiting.waits_for(task, usize::MAX), waits_for, "{task} waits for");
        for limit in 0..3 {
            let first: Vec<_> = waits_for.iter().copied().take(limit).collect();
            assert_eq!(waiting.waits_for(task, limit), first, "{task} waits for");
        }
        assert_eq!(waiting.is_waiting(task), !waits_for.is_empty(), "{task} is waiting");
    }
    complete_all(lists, case.outside.clone(), &added);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tasks_wait_as_the_model_says_and_can_all_be_completed(case in cases()) {
        check(&case);
    }

    #[test]
    fn dependencies_of_phases_and_stories_form_no_cycle(source in documents()) {
        let document = ListDocument::read(&source);
        for on in [&document.statements.phases, &document.statements.stories] {
            let mut pairs = vec![vec![false; on.len()]; on.len()];
            for (index, on) in on.iter().enumerate() {
                on.iter().for_each(|on| pairs[index][*on] = true);
                prop_assert_eq!(on.iter().collect::<BTreeSet<_>>().len(), on.len());
            }
            let reached = reachable(&pairs);
            prop_assert!((0..on.len()).all(|index| !reached[index][index]), "{:?}", on);
        }
    }
}
