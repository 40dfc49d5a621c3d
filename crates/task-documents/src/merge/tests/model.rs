//! Random merges, compared with a model that works by task and follows the tables literally.

use std::collections::{BTreeMap, BTreeSet};

use super::super::ConflictKind;
use super::*;
use crate::list::ListTask;

/// Numbers that look random and are the same in every run (SplitMix64).
pub(super) struct Random(pub u64);

impl Random {
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }

    pub(super) fn one_in(&mut self, number: usize) -> bool {
        self.below(number) == 0
    }
}

/// A task of a document that a person edits.
#[derive(Clone, Debug)]
struct Item {
    key: String,
    text: String,
    ticked: bool,
    parallel: bool,
    details: Option<String>,
    phase: usize,
}

impl Item {
    fn new(random: &mut Random, key: usize) -> Self {
        // Few words, so that some texts are repeated.
        let text = if random.one_in(8) { String::new() } else { format!("word{}", random.below(30)) };
        let (ticked, parallel) = (random.one_in(3), random.one_in(3));
        Self { key: format!("T{key:03}"), text, ticked, parallel, details: None, phase: random.below(3) }
    }

    fn of_document(document: &ListDocument) -> Vec<Self> {
        let item = |task: &ListTask| Self {
            key: written(&task.key),
            text: task.text.clone(),
            ticked: task.ticked,
            parallel: task.parallel,
            details: task.details.clone(),
            phase: task.phase.map_or(0, |phase| phase_number(document, phase)),
        };
        document.tasks.iter().map(item).collect()
    }
}

fn written(key: &str) -> String {
    key.split('#').next().unwrap().to_owned()
}

fn phase_number(document: &ListDocument, phase: usize) -> usize {
    document.phases[phase].number.as_ref().unwrap().parse().unwrap()
}

fn render(items: &[Item]) -> String {
    let mut out = "# Tasks: random\n".to_owned();
    for phase in 0..3 {
        out += &format!("\n## Phase {phase}: name\n\n");
        for item in items.iter().filter(|item| item.phase == phase) {
            let (tick, mark) = (if item.ticked { "x" } else { " " }, if item.parallel { " [P]" } else { "" });
            out += format!("- [{tick}] {}{mark} {}", item.key, item.text).trim_end();
            out += "\n";
            if let Some(details) = &item.details {
                out += &format!("\n{details}\n");
            }
        }
    }
    out
}

fn edit_server(random: &mut Random, list: &mut List) {
    for step in 0..random.below(6) {
        if list.rows.is_empty() {
            return;
        }
        let row = list.rows[random.below(list.rows.len())].clone();
        let key = row.key.as_str();
        let list = &mut *list;
        let _ = match random.below(7) {
            0 => list.edit(key, |row| row.completed = !row.completed),
            1 => list.reword(key, &format!("server{step}")),
            2 => list.reword(key, &format!("word{}", random.below(30))),
            3 => list.delete(key),
            4 if row.in_trash => list.edit(key, |row| row.in_trash = false),
            5 if row.in_trash => list.purge(key),
            _ => {
                list.create(key, &format!("made{}", random.below(2)));
                list
            }
        };
    }
}

fn edit_file(random: &mut Random, items: &mut Vec<Item>) {
    for _ in 0..random.below(6) {
        let place = random.below(items.len() + 1);
        if place == items.len() || random.one_in(8) {
            let key = items.len() + 1 + random.below(3);
            items.insert(place, Item::new(random, key));
            continue;
        }
        match random.below(7) {
            0 => items[place].ticked = !items[place].ticked,
            1 => items[place].text = format!("file{}", random.below(2)),
            2 => drop(items.remove(place)),
            3 => items[place].details = Some(format!("  details {}", random.below(2))),
            4 => items[place].parallel = !items[place].parallel,
            5 => {
                let item = items.remove(place);
                let place = random.below(items.len() + 1);
                items.insert(place, Item { phase: random.below(3), ..item });
            }
            _ => {
                let number = |(index, item): (usize, &mut Item)| item.key = format!("T{:03}", index + 1);
                items.iter_mut().enumerate().for_each(number);
            }
        }
    }
}

/// What the model expects of a task of the list.
#[derive(Debug)]
struct Expected {
    file: Option<usize>,
    text: String,
    completed: bool,
    in_trash: bool,
    conflict: Option<ConflictKind>,
    kinds: BTreeSet<ChangeKind>,
    /// The rows of the tables that say this.
    rows: Vec<&'static str>,
}

/// The tasks of the base in the order of the rows. None if the base does not have the task.
fn base_of(list: &List, from_current: bool) -> Vec<Option<ListTask>> {
    if from_current {
        let mut export = ListDocument::read(&list.export()).tasks.into_iter();
        return list.rows.iter().map(|row| if row.in_trash { None } else { export.next() }).collect();
    }
    let source = ListDocument::read(&list.source).tasks;
    let find = |row: &Row| source.iter().find(|task| row.in_base && task.key == row.key).cloned();
    list.rows.iter().map(find).collect()
}

/// Pairs as the rules say, one rule after the other, by comparing all with all.
fn pairs_of(list: &List, base: &[Option<ListTask>], file: &[ListTask]) -> Vec<Option<usize>> {
    let mut pairs: Vec<Option<usize>> = vec![None; base.len()];
    let free = |pairs: &[Option<usize>], index: usize| !pairs.contains(&Some(index));
    for rule in 1..=3 {
        let before = pairs.clone();
        let base_with = |text: &str| {
            let same = |(index, task): &(usize, &Option<ListTask>)| {
                before[*index].is_none() && task.as_ref().is_some_and(|task| task.text == text)
            };
            base.iter().enumerate().filter(same).count()
        };
        let file_with = |text: &str| {
            file.iter().enumerate().filter(|(index, task)| free(&before, *index) && task.text == text).count()
        };
        for (server, task) in base.iter().enumerate() {
            let Some(task) = task else { continue };
            if pairs[server].is_some() {
                continue;
            }
            pairs[server] = file.iter().enumerate().position(|(index, other)| {
                let (key, text) = (task.key == other.key, task.text == other.text);
                free(&pairs, index)
                    && match rule {
                        1 => key && text,
                        2 => {
                            text && !task.text.is_empty()
                                && base_with(&task.text) == 1
                                && file_with(&task.text) == 1
                        }
                        _ => key,
                    }
            });
        }
    }
    for (server, row) in list.rows.iter().enumerate() {
        if base[server].is_none() && !row.in_trash {
            pairs[server] = file.iter().enumerate().position(|(index, other)| {
                free(&pairs, index) && other.key == row.key && other.text == row.text
            });
        }
    }
    pairs
}

/// The decision about a conflict.
fn side_of(decisions: &Decisions, key: &str) -> Option<Side> {
    let single = decisions.single.iter().find(|(single, _)| single == key);
    single.map(|(_, side)| *side).or(decisions.all_others)
}

fn expect(list: &List, file: &ListDocument, from_current: bool, decisions: &Decisions) -> Vec<Expected> {
    let base = base_of(list, from_current);
    let pairs = pairs_of(list, &base, &file.tasks);
    let source = ListDocument::read(&list.source);
    let rows = list.rows.iter().zip(base).zip(pairs);
    rows.map(|((row, base), pair)| {
        let written = source.tasks.iter().find(|task| task.key == row.key).unwrap();
        let is_made_on_server = base.is_none();
        // The source has the box of a task made on the server, and its text is that of the file.
        let base = base.unwrap_or_else(|| ListTask { text: row.text.clone(), ..written.clone() });
        let mut expected = Expected {
            file: pair,
            text: row.text.clone(),
            completed: row.completed,
            in_trash: row.in_trash,
            conflict: None,
            kinds: BTreeSet::new(),
            rows: Vec::new(),
        };
        let side = side_of(decisions, pair.map_or(&row.key, |pair| &file.tasks[pair].key));
        let is_changed = row.is_changed && !from_current;
        match pair.map(|pair| &file.tasks[pair]) {
            None if row.in_trash => expected.rows.push("in the trash, not in the file"),
            None if is_made_on_server => expected.rows.push("made on the server"),
            None => expect_removed(&mut expected, is_changed, side),
            Some(new) if row.in_trash => expect_in_trash(&mut expected, &base, new, side),
            Some(new) => {
                expect_text(&mut expected, &base, new, side);
                expect_box(&mut expected, row, &base, new);
                let place = |document: &ListDocument, task: &ListTask| {
                    let phase = task.phase.map(|phase| phase_number(document, phase));
                    (phase, task.stories.clone(), task.parallel)
                };
                if place(&source, written) != place(file, new) {
                    expected.kinds.insert(ChangeKind::Moved);
                    expected.rows.push("moved");
                }
                if is_made_on_server {
                    expected.rows.push("made on both sides");
                }
            }
        }
        let key = pair.map(|pair| file.tasks[pair].key.as_str());
        if !expected.in_trash && key.is_some_and(|key| key != row.key) {
            expected.kinds.insert(ChangeKind::Renumbered);
            expected.rows.push("renumbered");
        }
        expected
    })
    .collect()
}

fn expect_removed(expected: &mut Expected, is_changed: bool, side: Option<Side>) {
    expected.conflict = is_changed.then_some(ConflictKind::RemovedInFile);
    expected.rows.push(match (is_changed, side) {
        (false, _) => "removed in the file, not changed",
        (true, None) => "REMOVED_IN_FILE",
        (true, Some(Side::File)) => "REMOVED_IN_FILE: FILE",
        (true, Some(Side::Server)) => "REMOVED_IN_FILE: SERVER",
    });
    match (is_changed, side) {
        (false, _) | (true, Some(Side::File)) => {
            expected.in_trash = true;
            expected.kinds.insert(ChangeKind::Removed);
        }
        (true, Some(Side::Server)) => drop(expected.kinds.insert(ChangeKind::Kept)),
        (true, None) => {}
    }
}

fn expect_in_trash(expected: &mut Expected, base: &ListTask, new: &ListTask, side: Option<Side>) {
    let said = |task: &ListTask| (task.ticked, task.text.clone(), task.details.clone());
    if said(base) == said(new) {
        expected.rows.push("in the trash, in the file as in the base");
        return;
    }
    if base.ticked != new.ticked {
        expected.rows.push("in the trash, box differs");
    }
    if base.text != new.text {
        expected.rows.push("in the trash, text differs");
    }
    if base.details != new.details {
        expected.rows.push("in the trash, details differ");
    }
    expected.rows.push(match side {
        None => "REMOVED_ON_SERVER",
        Some(Side::File) => "REMOVED_ON_SERVER: FILE",
        Some(Side::Server) => "REMOVED_ON_SERVER: SERVER",
    });
    expected.conflict = Some(ConflictKind::RemovedOnServer);
    if side == Some(Side::File) {
        expected.in_trash = false;
        expected.text.clone_from(&new.text);
        expected.completed = new.ticked;
        expected.kinds.insert(ChangeKind::Restored);
    }
}

fn expect_text(expected: &mut Expected, base: &ListTask, new: &ListTask, side: Option<Side>) {
    let is_conflict = new.text != base.text && expected.text != base.text && new.text != expected.text;
    expected.rows.push(match (new.text != base.text, expected.text != base.text) {
        (false, false) => "text same, same",
        (false, true) => "text same, different",
        (true, false) => "text different, same",
        (true, true) if !is_conflict => "text different, different, equal",
        (true, true) => match side {
            None => "TEXT",
            Some(Side::File) => "TEXT: FILE",
            Some(Side::Server) => "TEXT: SERVER",
        },
    });
    let takes_file = match is_conflict {
        true => side == Some(Side::File),
        false => expected.text == base.text,
    };
    if is_conflict {
        expected.conflict = Some(ConflictKind::Text);
    }
    if takes_file && new.text != expected.text {
        expected.text.clone_from(&new.text);
        expected.kinds.insert(ChangeKind::Text);
    } else if expected.text != new.text && (!is_conflict || side == Some(Side::Server)) {
        expected.kinds.insert(ChangeKind::Kept);
    }
}

fn expect_box(expected: &mut Expected, row: &Row, base: &ListTask, new: &ListTask) {
    expected.rows.push(match (new.ticked != base.ticked, row.completed != base.ticked) {
        (false, false) => "box same, same",
        (false, true) => "box same, different",
        (true, false) if new.ticked => "box different, same: completed",
        (true, false) => "box different, same: reopened",
        (true, true) => "box different, different",
    });
    if row.completed == base.ticked && new.ticked != base.ticked {
        expected.completed = new.ticked;
        expected.kinds.insert(if new.ticked { ChangeKind::Completed } else { ChangeKind::Reopened });
    }
    if row.completed != base.ticked && new.ticked == base.ticked {
        expected.kinds.insert(ChangeKind::Kept);
        if row.completed && new.text != base.text && new.text != row.text {
            expected.kinds.insert(ChangeKind::KeptOnNewText);
            expected.rows.push("kept on a new text");
        }
    }
}

/// The tasks of the new source as indexes of rows, and None for new tasks. Each task that only the server
/// has is put behind the nearest earlier task that is there.
fn expect_order(expected: &[Expected], file: &ListDocument) -> Vec<Option<usize>> {
    let row_of = |index| expected.iter().position(|row| row.file == Some(index));
    let mut order: Vec<Option<usize>> = (0..file.tasks.len()).map(row_of).collect();
    for index in (0..expected.len()).filter(|index| expected[*index].file.is_none()) {
        let mut earlier = (0..index).rev();
        let place = earlier.find_map(|earlier| order.iter().position(|row| *row == Some(earlier)));
        order.insert(place.map_or(0, |place| place + 1), Some(index));
    }
    order
}

/// How often each row of the tables was reached.
type Reached = BTreeMap<&'static str, usize>;

/// A file that is merged into a list.
struct Case<'a> {
    list: &'a List,
    file: &'a str,
    from_current: bool,
}

impl Case<'_> {
    /// Merges, and compares the result with the model.
    fn check(&self, decisions: &Decisions, reached: &mut Reached) -> Merged {
        let (list, new) = (self.list, ListDocument::read(self.file));
        let merged = list.try_merge(self.file, self.from_current, decisions).unwrap();
        let expected = expect(list, &new, self.from_current, decisions);
        expected.iter().flat_map(|task| &task.rows).for_each(|row| *reached.entry(row).or_default() += 1);

        let order: Vec<Option<usize>> = merged.tasks.iter().map(|task| task.server).collect();
        assert_eq!(order, expect_order(&expected, &new));
        for (position, task) in merged.tasks.iter().enumerate() {
            let of_task = merged.changes.iter().filter(|change| change.task == position);
            let kinds: Vec<ChangeKind> = of_task.map(|change| change.kind).collect();
            match task.server {
                Some(server) => {
                    let (row, expected) = (&list.rows[server], &expected[server]);
                    let row_reached = check_task(&merged, position, kinds, row, expected, &new);
                    row_reached.into_iter().for_each(|row| *reached.entry(row).or_default() += 1);
                }
                None => {
                    assert_eq!(kinds, [ChangeKind::Added]);
                    let key = &merged.document.tasks[position].key;
                    let is_purged = ListDocument::read(&list.source).tasks.iter().any(|old| old.key == *key)
                        && list.rows.iter().all(|row| row.key != *key);
                    let row = if is_purged { "purged, in the file" } else { "only in the file" };
                    *reached.entry(row).or_default() += 1;
                }
            }
        }
        let mut found: Vec<(usize, ConflictKind)> =
            merged.conflicts.iter().map(|it| (it.task, it.kind)).collect();
        found.sort_by_key(|(task, _)| *task);
        let undecided = |(index, task): (usize, &Expected)| {
            let key = task.file.map_or(&list.rows[index].key, |file| &new.tasks[file].key);
            Some((index, task.conflict.filter(|_| side_of(decisions, key).is_none())?))
        };
        assert_eq!(found, expected.iter().enumerate().filter_map(undecided).collect::<Vec<_>>());
        merged
    }
}

/// Compares a task of the list after the merge with what is expected. Returns the row of the tables that is
/// seen only here.
fn check_task(
    merged: &Merged,
    position: usize,
    kinds: Vec<ChangeKind>,
    row: &Row,
    expected: &Expected,
    new: &ListDocument,
) -> Option<&'static str> {
    let (task, key) = (&merged.tasks[position], &merged.document.tasks[position].key);
    let completed = task.completed.unwrap_or(row.completed);
    assert_eq!(
        (&task.text, completed, task.in_trash, task.in_file),
        (&expected.text, expected.completed, expected.in_trash, expected.file.is_some()),
        "{}",
        row.key
    );
    let mut kinds: BTreeSet<ChangeKind> = kinds.into_iter().collect();
    let mut reached = None;
    match expected.file {
        Some(file) => assert_eq!(*key, new.tasks[file].key),
        None => {
            // A task that only the server has can get another key and, with its neighbour, another place.
            assert!(new.tasks.iter().all(|task| task.key != *key));
            let is_renumbered = !task.in_trash && *key != row.key;
            reached = is_renumbered.then_some("only on the server, renumbered");
            assert_eq!(kinds.remove(&ChangeKind::Renumbered), is_renumbered);
            kinds.remove(&ChangeKind::Moved);
            let must_change = new.tasks.iter().any(|task| written(&task.key) == written(&row.key));
            assert!(must_change || *key == row.key || row.key.contains('#') || key.contains('#'));
        }
    }
    assert_eq!(kinds, expected.kinds, "{}", row.key);
    reached
}

/// The rows of the tables that say what a merge does, and the decisions about conflicts.
const ROWS: [&str; 33] = [
    "box same, same",
    "box same, different",
    "box different, same: completed",
    "box different, same: reopened",
    "box different, different",
    "kept on a new text",
    "text same, same",
    "text same, different",
    "text different, same",
    "text different, different, equal",
    "moved",
    "renumbered",
    "only in the file",
    "purged, in the file",
    "made on the server",
    "made on both sides",
    "only on the server, renumbered",
    "removed in the file, not changed",
    "in the trash, not in the file",
    "in the trash, in the file as in the base",
    "in the trash, box differs",
    "in the trash, text differs",
    "in the trash, details differ",
    "TEXT",
    "TEXT: FILE",
    "TEXT: SERVER",
    "REMOVED_IN_FILE",
    "REMOVED_IN_FILE: FILE",
    "REMOVED_IN_FILE: SERVER",
    "REMOVED_ON_SERVER",
    "REMOVED_ON_SERVER: FILE",
    "REMOVED_ON_SERVER: SERVER",
    "two conflicts with different decisions",
];

/// Decisions about some of the conflicts, or about all others too.
fn some_decisions(random: &mut Random, conflicts: &[super::super::Conflict], is_complete: bool) -> Decisions {
    let side = |random: &mut Random| if random.one_in(2) { Side::File } else { Side::Server };
    let all_others = (is_complete || random.one_in(3)).then(|| side(random));
    let mut single = Vec::new();
    for conflict in conflicts {
        if random.one_in(2) {
            single.push((conflict.key.clone(), side(random)));
        }
    }
    Decisions { single, all_others }
}

/// Two rounds in which both sides change a list, and the file is merged.
fn merge_twice(random: &mut Random, reached: &mut Reached) {
    let number = random.below(9);
    let items: Vec<Item> = (1..=number).map(|key| Item::new(random, key)).collect();
    let mut list = List::import(&render(&items));
    for _ in 0..2 {
        let from_current = random.one_in(3);
        edit_server(random, &mut list);
        let of_export = from_current || random.one_in(2);
        let old = if of_export { list.export() } else { list.source.clone() };
        let mut items = Item::of_document(&ListDocument::read(&old));
        edit_file(random, &mut items);
        if !from_current {
            edit_server(random, &mut list);
        }
        let file = render(&items);
        let case = Case { list: &list, file: &file, from_current };
        let conflicts = case.check(&Decisions::default(), reached).conflicts;
        case.check(&some_decisions(random, &conflicts, false), reached);
        let decisions = some_decisions(random, &conflicts, true);
        let merged = case.check(&decisions, reached);
        let sides: BTreeSet<bool> = conflicts
            .iter()
            .filter_map(|conflict| side_of(&decisions, &conflict.key))
            .map(|side| side == Side::File)
            .collect();
        *reached.entry("two conflicts with different decisions").or_default() += usize::from(sides.len() > 1);
        list.apply(&merged);
        let again = Case { list: &list, file: &file, from_current: false };
        let again = again.check(&Decisions::default(), reached);
        assert_eq!((again.source.as_str(), again.conflicts.as_slice()), (list.source.as_str(), &[][..]));
        assert!(again.changes.iter().all(|change| change.kind == ChangeKind::Kept), "{:?}", again.changes);
    }
}

/// Each seed makes two rounds with four merges each.
const SEEDS: u64 = 130;

#[test]
fn random_merges_do_what_the_tables_say_and_reach_all_their_rows() {
    let mut reached = Reached::new();
    for seed in 0..SEEDS {
        merge_twice(&mut Random(seed), &mut reached);
    }
    let known: BTreeSet<&str> = ROWS.into_iter().collect();
    assert!(reached.keys().all(|row| known.contains(row)), "{reached:?}");
    let missing: Vec<&str> =
        known.into_iter().filter(|row| reached.get(row).is_none_or(|times| *times == 0)).collect();
    assert_eq!(missing, [""; 0]);
}
