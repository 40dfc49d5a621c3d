//! Generated task documents, and generated changes of their values.

use chrono::NaiveDate;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use task_documents::task::{File, FileKind, Item, Priority, Risk, RiskLevel, Section, Status, TaskValues};

use crate::support::remove_items;

/// Lines of which documents are made. Many of them only have a meaning beside others.
const LINES: [&str; 92] = [
    "",
    "",
    "",
    "",
    "# TASK: Move the harbour",
    "# Tasks",
    "## 1. Objective",
    "## Goals:",
    "### Sub",
    "## Background",
    "## Scope & Deliverables",
    "### 🎯 In Scope",
    "## Non-Goals",
    "# Implementation Plan",
    "## 4. Steps",
    "## Tasks",
    "## Definition of Done",
    "## Risks",
    "## Files",
    "## Notes",
    "## Notes #",
    "#",
    "Title",
    "=====",
    "---",
    "***",
    "text",
    "  text",
    "    text",
    "more\\",
    "*a hint*",
    "**Example**: an example",
    "**Example**:",
    "**Status**: Done",
    "**Status**: Pending | Done",
    "- **Priority:** P1",
    "- **Owner**: Ann \\",
    "**Date**: 2026-11-21",
    "  **Owner**:",
    "- [ ] one",
    "- [x] two",
    "  - [ ] child",
    "  - [X] child",
    "    - [ ] grandchild",
    "* [~] three",
    "1. [ ] first",
    "2. [x] second",
    "   1. [ ] third",
    "   2) [ ] fourth",
    "- - [ ] inner",
    "-\t[ ] tab",
    "-   [ ] wide",
    "10. [ ] ten",
    "   - [ ] three spaces",
    " - [ ] one space",
    "- [ ]",
    "-",
    "- plain",
    "  - plain",
    "> - [ ] quoted",
    "> quote",
    "- > quote",
    "```",
    " ```",
    "~~~~",
    "<!-- comment -->",
    "<!--",
    "-->",
    "<div>",
    "</div>",
    "**In Scope**",
    "- **In Scope**:",
    "- **Out of Scope**",
    "  - **Deliverables:**",
    "**Out of Scope**:",
    "1. **Deliverables**",
    "- **Created**:",
    "**Modified**",
    "* **Deleted**:",
    "  - `src/main.rs`",
    "- `a` and `b`",
    "  * path",
    "| Risk | Likelihood | Impact | Mitigation |",
    "| Risk | Severity | Probability |",
    "|---|---|---|---|",
    "|---|---|---|",
    "| a | Low | High | b |",
    "| c \\| d | med | LOW |",
    "e | high | low | f | g |",
    "\\# escaped",
    "e\u{301}",
    "[link]: /url",
];

/// A document of lines that fit together by chance.
pub fn lines() -> impl Strategy<Value = String> {
    let line = prop_oneof![20 => select(&LINES[..]).prop_map(str::to_owned), 1 => "[^\n\r]{0,12}"];
    let line = line.prop_filter("U+0000 is refused", |line| !line.contains('\0'));
    let front = select(&["", "", "", "\u{feff}", "---\na: b\n---\n"][..]);
    (front, prop::collection::vec(line, 0..24), select(&["\n", "\r\n", "\r"][..]), any::<bool>()).prop_map(
        |(front, lines, end, is_complete)| front.replace('\n', end) + &joined(&lines, end, is_complete),
    )
}

/// A document with a title, field lines and sections in their usual order.
pub fn document() -> impl Strategy<Value = String> {
    let title = select(&["# TASK: [Title]\n", "# Title\n", "Title\n", "## Title\n", ""][..]);
    let fields = "(\\*\\*Date\\*\\*: 2026-01-02\n)?(\\*\\*Status\\*\\*: Pending\n\
        )?(- \\*\\*Priority\\*\\*: High\n)?\n?";
    let items = "(- \\[[ xX]\\] (one|two|three)\n(  - \\[[ x]\\] (four|five)\n)?\n?){0,4}";
    let text = "(\\*hint\\*\n\n)?((One|\\\\# One)\nmore\n)?\n?(\\*\\*Example\\*\\*: example\n)?(---\n)?";
    let scope = "(- \\*\\*In Scope\\*\\*:\n(  - \\[ \\] a\n){0,3})?(- \\*\\*Out of Scope\\*\\*\n\
        (  1. \\[ \\] b\n){0,2})?";
    let risks = "(\\| Risk \\| Likelihood \\| Impact \\|( Mitigation \\|)?\n\
        \\|---\\|---\\|---\\|(---\\|)?\n(\\| a \\| Low \\| High \\|( b \\|)?\n){0,3})?";
    let files = "(- \\*\\*Created\\*\\*:\n(  - `a`\n){0,2})?(\\*\\*Modified\\*\\*\n\n(\\* b\n){0,2})?";
    let section = |heading: &'static str, body: &'static str| {
        proptest::option::weighted(0.7, body)
            .prop_map(move |body| body.map(|body| format!("{heading}\n{body}\n")).unwrap_or_default())
    };
    (
        (title, fields, section("## 1. Objective\n", text), section("## Problem", text)),
        (section("## Scope\n", scope), section("### Deliverables", items), section("## Plan\n", items)),
        (section("## Acceptance Criteria", items), section("## Risks\n", risks), section("# Files", files)),
        (line_end(), any::<bool>()),
    )
        .prop_map(|(a, b, c, (end, is_complete))| {
            let text = [a.0, &a.1, &a.2, &a.3, &b.0, &b.1, &b.2, &c.0, &c.1, &c.2].concat();
            let lines: Vec<_> = text.lines().map(str::to_owned).collect();
            joined(&lines, end, is_complete)
        })
}

fn line_end() -> impl Strategy<Value = &'static str> {
    select(&["\n", "\n", "\r\n", "\r"][..])
}

fn joined(lines: &[String], end: &str, is_complete: bool) -> String {
    let mut text = lines.join(end);
    if is_complete {
        text.push_str(end);
    }
    text
}

/// Text without Markdown syntax.
pub fn plain() -> impl Strategy<Value = String> {
    "[A-Za-zäöüé][A-Za-zäöüé0-9 ,.:|\\\\/#-]{0,12}[a-z0-9#\\\\]".prop_map(|text| text.replace("://", ""))
}

/// Lines of text. Some begin with `#`.
pub fn plain_lines() -> impl Strategy<Value = String> {
    let line = (select(&["", "", "# ", "\\# ", "#", "### "][..]), plain());
    let line = line.prop_map(|(start, text)| format!("{start}{text}"));
    let break_ = select(&["\n", "\n\n"][..]);
    (prop::collection::vec(line, 1..4), break_).prop_map(|(lines, line_break)| lines.join(line_break))
}

pub fn sections() -> impl Strategy<Value = Section> {
    use Section::{Acceptance, Action, Deliverable, InScope, OutOfScope};
    select(&[InScope, OutOfScope, Deliverable, Action, Acceptance][..])
}

fn levels() -> impl Strategy<Value = RiskLevel> {
    select(&[RiskLevel::Low, RiskLevel::Medium, RiskLevel::High][..])
}

fn kinds() -> impl Strategy<Value = FileKind> {
    select(&[FileKind::Created, FileKind::Modified, FileKind::Deleted][..])
}

pub fn risk() -> impl Strategy<Value = Risk> {
    (plain(), levels(), levels(), proptest::option::of(plain())).prop_map(
        |(description, likelihood, impact, mitigation)| Risk {
            origin: None,
            description,
            likelihood,
            impact,
            mitigation,
        },
    )
}

pub fn file() -> impl Strategy<Value = File> {
    let path = "[a-z`|*_/. ]{0,8}[a-z]";
    (kinds(), path).prop_map(|(kind, path)| File { origin: None, kind, path: path.trim().to_owned() })
}

/// A change of the values of a task.
#[derive(Clone, Debug)]
pub enum Change {
    Title(String),
    Date(Option<NaiveDate>),
    Status(Status),
    Priority(Priority),
    Owner(Option<String>),
    Objective(Option<String>),
    Rationale(Option<String>),
    Tick(Index),
    ItemText(Index, String),
    RemoveItem(Index),
    /// A new item before another, as its first child, or at the end.
    AddItem(Section, String, bool, Option<Index>),
    MoveItem(Index, Index),
    AddRisk(Risk, Index),
    EditRisk(Index, Risk),
    RemoveRisk(Index),
    SwapRisks(Index, Index),
    AddFile(File, Index),
    EditFile(Index, String),
    RemoveFile(Index),
    SwapFiles(Index, Index),
}

/// Some changes, which are made one after the other.
pub fn changes() -> impl Strategy<Value = Vec<Change>> {
    prop::collection::vec(change(), 0..6)
}

fn change() -> impl Strategy<Value = Change> {
    use Status::{Blocked, Completed, InProgress, Pending};
    let index = any::<Index>;
    let date = (1..9999i32, 1..13u32, 1..29u32).prop_map(|(y, m, d)| NaiveDate::from_ymd_opt(y, m, d));
    let text = || proptest::option::weighted(0.8, plain_lines());
    let priority = select(&[Priority::Low, Priority::Medium, Priority::High, Priority::Critical][..]);
    let new_item = (sections(), plain(), any::<bool>(), proptest::option::weighted(0.7, index()));
    prop_oneof![
        1 => plain().prop_map(Change::Title),
        1 => prop_oneof![date, Just(None)].prop_map(Change::Date),
        1 => select(&[Pending, InProgress, Blocked, Completed][..]).prop_map(Change::Status),
        1 => priority.prop_map(Change::Priority),
        1 => proptest::option::of(plain()).prop_map(Change::Owner),
        1 => text().prop_map(Change::Objective),
        1 => text().prop_map(Change::Rationale),
        1 => index().prop_map(Change::Tick),
        1 => (index(), plain()).prop_map(|(index, text)| Change::ItemText(index, text)),
        2 => index().prop_map(Change::RemoveItem),
        4 => new_item.prop_map(|(section, text, is_child, at)| Change::AddItem(section, text, is_child, at)),
        2 => (index(), index()).prop_map(|(from, to)| Change::MoveItem(from, to)),
        2 => (risk(), index()).prop_map(|(risk, at)| Change::AddRisk(risk, at)),
        1 => (index(), risk()).prop_map(|(at, risk)| Change::EditRisk(at, risk)),
        1 => index().prop_map(Change::RemoveRisk),
        1 => (index(), index()).prop_map(|(first, second)| Change::SwapRisks(first, second)),
        2 => (file(), index()).prop_map(|(file, at)| Change::AddFile(file, at)),
        1 => (index(), "[a-z./]{1,8}").prop_map(|(at, path)| Change::EditFile(at, path)),
        1 => index().prop_map(Change::RemoveFile),
        1 => (index(), index()).prop_map(|(first, second)| Change::SwapFiles(first, second)),
    ]
}

impl Change {
    /// Makes the change. A change of a part that does not exist changes nothing.
    pub fn make(self, now: &mut TaskValues) {
        match self {
            Self::Title(title) => now.title = title.trim().to_owned(),
            Self::Date(date) => now.date = date,
            Self::Status(status) => now.status = status,
            Self::Priority(priority) => now.priority = priority,
            Self::Owner(owner) => now.owner = owner,
            Self::Objective(text) => now.objective = text,
            Self::Rationale(text) => now.rationale = text,
            Self::AddRisk(risk, at) => now.risks.insert(at.index(now.risks.len() + 1), risk),
            Self::AddFile(file, at) => now.files.insert(at.index(now.files.len() + 1), file),
            Self::AddItem(section, text, is_child, at) => add_item(now, section, text, is_child, at),
            other => other.make_to_existing(now),
        }
    }

    fn make_to_existing(self, now: &mut TaskValues) {
        let find = |index: Index, length: usize| (length > 0).then(|| index.index(length));
        let (items, risks, files) = (now.items.len(), now.risks.len(), now.files.len());
        let done = || {
            match self {
                Self::Tick(at) => now.items.get_mut(find(at, items)?)?.done ^= true,
                Self::ItemText(at, text) => now.items.get_mut(find(at, items)?)?.text = text,
                Self::RemoveItem(at) => {
                    let origin = now.items[find(at, items)?].clone();
                    remove_items(now, |item| *item == origin);
                }
                Self::MoveItem(from, to) => move_item(now, find(from, items)?, find(to, items)?),
                Self::EditRisk(at, risk) => {
                    let old = now.risks.get_mut(find(at, risks)?)?;
                    *old = Risk { origin: old.origin, ..risk };
                }
                Self::RemoveRisk(at) => drop(now.risks.remove(find(at, risks)?)),
                Self::SwapRisks(first, second) => now.risks.swap(find(first, risks)?, find(second, risks)?),
                Self::EditFile(at, path) => now.files.get_mut(find(at, files)?)?.path = path,
                Self::RemoveFile(at) => drop(now.files.remove(find(at, files)?)),
                Self::SwapFiles(first, second) => now.files.swap(find(first, files)?, find(second, files)?),
                _ => {}
            }
            Some(())
        };
        let _: Option<()> = { done }();
    }
}

/// The items as a tree: each item without a parent, with its children.
fn tree(now: &mut TaskValues) -> Vec<(Item, Vec<Item>)> {
    let items = std::mem::take(&mut now.items);
    let children = |parent| items.iter().filter(move |item| item.parent == Some(parent)).cloned().collect();
    let top_level = items.iter().enumerate().filter(|(_, item)| item.parent.is_none());
    top_level.map(|(index, item)| (item.clone(), children(index))).collect()
}

fn set_tree(now: &mut TaskValues, tree: Vec<(Item, Vec<Item>)>) {
    for (item, children) in tree {
        let parent = Some(now.items.len());
        now.items.push(item);
        now.items.extend(children.into_iter().map(|child| Item { parent, ..child }));
    }
}

fn add_item(now: &mut TaskValues, section: Section, text: String, is_child: bool, at: Option<Index>) {
    let new = Item { origin: None, section, text, done: is_child, parent: None };
    let mut tree = tree(now);
    let at = at.filter(|_| !tree.is_empty()).map_or(tree.len(), |at| at.index(tree.len()));
    match tree.get_mut(at) {
        Some((parent, children)) if is_child && parent.section == Section::Action => {
            let section = Section::Action;
            children.insert(0, Item { section, ..new });
        }
        _ => tree.insert(at, (new, Vec::new())),
    }
    set_tree(now, tree);
}

/// Moves an item without a parent before another one, or makes it a child.
fn move_item(now: &mut TaskValues, from: usize, to: usize) {
    let mut tree = tree(now);
    let (from, to) = (from % tree.len(), to % tree.len());
    let moved = tree.remove(from);
    match tree.get_mut(to) {
        Some((parent, children))
            if moved.1.is_empty()
                && parent.section == Section::Action
                && moved.0.section == Section::Action
                && children.len() % 2 == 1 =>
        {
            children.push(moved.0);
        }
        _ => tree.insert(to, moved),
    }
    set_tree(now, tree);
}

/// Values with texts of any kind, and with origins and parents of which some do not exist.
pub fn any_values() -> impl Strategy<Value = TaskValues> {
    let text = || {
        prop_oneof![
            prop::collection::vec(select(&LINES[..]), 1..4).prop_map(|lines| lines.join("\n")),
            "(?s).{0,20}"
        ]
    };
    let optional = move || proptest::option::of(text());
    let index = || proptest::option::of(0..4usize);
    let item = (index(), sections(), text(), any::<bool>(), index())
        .prop_map(|(origin, section, text, done, parent)| Item { origin, section, text, done, parent });
    let risk = (risk(), index(), text(), optional())
        .prop_map(|(risk, origin, description, mitigation)| Risk { origin, description, mitigation, ..risk });
    let file = (kinds(), index(), text()).prop_map(|(kind, origin, path)| File { origin, kind, path });
    let parts = (
        prop::collection::vec(item, 0..6),
        prop::collection::vec(risk, 0..4),
        prop::collection::vec(file, 0..4),
    );
    (text(), optional(), optional(), optional(), parts).prop_map(
        |(title, owner, objective, rationale, (items, risks, files))| TaskValues {
            title,
            date: None,
            status: Status::Blocked,
            priority: Priority::Low,
            owner,
            objective,
            rationale,
            items,
            risks,
            files,
        },
    )
}
