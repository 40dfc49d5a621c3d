//! The headings of a list document, and the phase to which each heading belongs.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::list::marks::story_number_length;
use crate::markdown::{BlockKind, InlineKind, Markdown};
use crate::text::{after_symbols, nfc, one_line, regex};

static PHASE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"^Phase\s+([0-9]+(?:\.[0-9]+)*[A-Za-z]?|[A-Z])($|[\s:.,;()\[\]·|–—-].*)$"));
static PRIORITY_AND_BEHIND: LazyLock<Regex> = LazyLock::new(|| regex(r"\((?:Priority:\s*)?P[1-9]\).*$"));
static PRIORITY: LazyLock<Regex> = LazyLock::new(|| regex(r"\bP([1-9])\b"));
static MVP: LazyLock<Regex> = LazyLock::new(|| regex(r"\bMVP\b"));
static STORY: LazyLock<Regex> = LazyLock::new(|| regex(r"\b(?:User Story |US)[0-9]"));

/// What is removed between `Phase N` and the title, besides white space.
const SEPARATORS: [char; 13] = [':', '.', ',', ';', ')', ']', '·', '|', '–', '—', '-', '*', '_'];

/// A heading that divides the document.
#[derive(Clone, Debug)]
pub struct Heading {
    pub level: u8,
    /// From the line of the heading to the next heading.
    pub section: Range<usize>,
    /// The text without emphasis.
    pub text: String,
    /// The number if it is a phase heading.
    pub number: Option<String>,
    /// The index of the heading whose phase holds the tasks below this heading. None below the title only.
    pub phase: Option<usize>,
}

/// What the heading of a phase says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseHeading {
    pub title: String,
    pub priority: Option<u8>,
    pub mvp: bool,
    /// The key and the title of the story that the heading names.
    pub story: Option<(String, Option<String>)>,
}

/// The headings of a document.
#[derive(Clone, Debug, Default)]
pub struct Outline {
    pub headings: Vec<Heading>,
    /// The index of the first heading of level 1.
    pub title: Option<usize>,
}

impl Outline {
    /// Reads the headings outside list items and block quotes.
    pub fn read(markdown: &Markdown<'_>) -> Self {
        let mut outline = Self::default();
        // The headings above the present place, from the outside.
        let mut above: Vec<usize> = Vec::new();
        for (index, block) in markdown.blocks.iter().enumerate() {
            let BlockKind::Heading { level } = block.kind else { continue };
            if block.item.is_some() || block.in_quote {
                continue;
            }
            let start = markdown.lines.start(block.range.start);
            if let Some(last) = outline.headings.last_mut() {
                last.section.end = start;
            }
            let (text, section) = (text_of_heading(markdown, index), start..markdown.source.len());
            let number = phase_number(&text).map(|(number, _)| number.to_owned());
            above.retain(|heading| outline.headings[*heading].level < level);
            above.push(outline.headings.len());
            if level == 1 && outline.title.is_none() {
                outline.title = Some(outline.headings.len());
            }
            outline.headings.push(Heading { level, section, text, number, phase: None });
            let phase = outline.phase_of(&above);
            outline.headings[above[above.len() - 1]].phase = phase;
        }
        outline
    }

    /// The heading whose phase holds what stands below these headings, which are given from the outside.
    fn phase_of(&self, above: &[usize]) -> Option<usize> {
        let number = |heading: &usize| self.headings[*heading].number.as_ref();
        match above.iter().rev().find_map(number) {
            Some(innermost) => above.iter().find(|heading| number(heading) == Some(innermost)).copied(),
            None => above.iter().find(|heading| Some(**heading) != self.title).copied(),
        }
    }

    /// The index of the last heading above this byte.
    pub fn heading_above(&self, offset: usize) -> Option<usize> {
        self.headings.partition_point(|heading| heading.section.start <= offset).checked_sub(1)
    }

    /// From the line of the heading of a phase to the next heading of another phase.
    pub fn section_of_phase(&self, phase: usize) -> Range<usize> {
        let headings = self.headings[phase..].iter().take_while(|heading| heading.phase == Some(phase));
        let end = headings.last().map(|heading| heading.section.end);
        let start = self.headings[phase].section.start;
        start..end.unwrap_or(start)
    }

    /// The title of the list.
    pub fn title(&self) -> String {
        let text = self.title.map_or("", |title| &self.headings[title].text);
        let rest = text.strip_prefix("Tasks").map(str::trim_start);
        let rest = rest.and_then(|rest| rest.strip_prefix(':').or_else(|| rest.strip_prefix('—')));
        match rest.unwrap_or(text).trim() {
            "" => "Task list".to_owned(),
            title => title.to_owned(),
        }
    }

    /// The keys of all stories that headings name, in the order of the document.
    pub fn stories(&self) -> impl Iterator<Item = String> + '_ {
        self.headings.iter().filter_map(|heading| Some(story_in(&heading.text)?.0))
    }
}

impl PhaseHeading {
    /// Reads the text of a heading.
    pub fn read(text: &str) -> Self {
        let rest = phase_number(text).map_or(text, |(_, behind)| behind);
        let rest = match PRIORITY_AND_BEHIND.find(rest) {
            Some(priority) => &rest[..priority.start()],
            None => rest,
        };
        let title = match phase_number(text) {
            Some(_) => without_separators(rest),
            None => rest.trim(),
        };
        let title = without_brackets(title).trim();
        let priority = PRIORITY.captures(text);
        Self {
            title: title.to_owned(),
            priority: priority.and_then(|found| found[1].parse().ok()),
            mvp: MVP.is_match(text),
            story: story_in(title).or_else(|| Some((story_in(text)?.0, None))),
        }
    }
}

/// The number of a phase heading, and what stands behind it.
fn phase_number(heading: &str) -> Option<(&str, &str)> {
    let found = PHASE.captures(after_symbols(heading))?;
    Some((found.get(1)?.as_str(), found.get(2)?.as_str()))
}

/// The first story that a heading names, and the title behind it.
fn story_in(heading: &str) -> Option<(String, Option<String>)> {
    for found in STORY.find_iter(heading) {
        let start = found.end() - 1;
        if let Some(length) = story_number_length(&heading[start..]) {
            let title = without_separators(&heading[start + length..]);
            let key = format!("US{}", &heading[start..start + length]);
            return Some((key, Some(title.to_owned()).filter(|title| !title.is_empty())));
        }
    }
    None
}

fn without_separators(text: &str) -> &str {
    text.trim_start_matches(|char: char| char.is_whitespace() || SEPARATORS.contains(&char)).trim_end()
}

/// The text without round brackets that hold all of it.
fn without_brackets(text: &str) -> &str {
    let Some(inside) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) else { return text };
    let mut depth = 0_usize;
    for char in inside.chars() {
        match (char, depth) {
            ('(', _) => depth += 1,
            (')', 0) => return text,
            (')', _) => depth -= 1,
            _ => {}
        }
    }
    inside
}

/// The text of a heading on one line, without the signs of emphasis, in NFC.
fn text_of_heading(markdown: &Markdown<'_>, block: usize) -> String {
    let content = markdown.blocks[block].content.clone();
    let emphasis = markdown.inlines_of(block).iter().filter(|inline| {
        matches!(inline.kind, InlineKind::Emphasis | InlineKind::Strong | InlineKind::Strikethrough)
    });
    let mut signs: Vec<_> = emphasis
        .flat_map(|inline| [inline.range.start..inline.content.start, inline.content.end..inline.range.end])
        .collect();
    signs.sort_by_key(|sign| sign.start);
    let (mut text, mut at) = (String::new(), content.start);
    for sign in signs {
        text.push_str(markdown.source.get(at..sign.start).unwrap_or_default());
        at = sign.end.max(at);
    }
    text.push_str(markdown.source.get(at..content.end).unwrap_or_default());
    nfc(&one_line(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(heading: &str) -> Option<&str> {
        phase_number(heading).map(|(number, _)| number)
    }

    #[test]
    fn phase_headings_have_a_number_or_a_capital_letter() {
        let cases = [
            ("Phase 1", "1"),
            ("Phase 3.1: a", "3.1"),
            ("✅ Phase 4A — a", "4A"),
            ("Phase N: Polish", "N"),
            ("Phase 10 (a)", "10"),
            ("Phase 3a|b", "3a"),
            ("🎯 (Phase 5) a", "5"),
            ("Phase 1. a", "1"),
            ("Phase 7·a", "7"),
            ("Phase 3-15", "3"),
        ];
        for (heading, expected) in cases {
            assert_eq!(number(heading), Some(expected), "{heading}");
        }
        let others = [
            "Phase",
            "Phases 1",
            "Phase One",
            "Phase 1ab",
            "Phase1",
            "The Phase 1",
            "phase 1",
            "Phase NN",
            "Phase n",
            "Phase Dependencies",
            "Phase 1/2",
            "Phase 1a2",
        ];
        for heading in others {
            assert_eq!(number(heading), None, "{heading}");
        }
    }

    #[test]
    fn the_heading_of_a_phase_has_a_title_a_priority_and_a_story() {
        let story = |key: &str, title: &str| {
            Some((key.to_owned(), Some(title.to_owned()).filter(|title| !title.is_empty())))
        };
        let cases = [
            (
                "Phase 3: User Story 1 - User Registration (Priority: P1) 🎯 MVP",
                ("User Story 1 - User Registration", Some(1), true, story("US1", "User Registration")),
            ),
            ("Phase 1: Setup (Shared Infrastructure)", ("Setup (Shared Infrastructure)", None, false, None)),
            ("Phase 3 (US2 - Login) (P2)", ("US2 - Login", Some(2), false, story("US2", "Login"))),
            ("Phase 2 (Foundational)", ("Foundational", None, false, None)),
            ("Phase 2 (a) and (b)", ("(a) and (b)", None, false, None)),
            ("Phase 4", ("", None, false, None)),
            (
                "Setup: P3, P4 and MVPs (US7)",
                ("Setup: P3, P4 and MVPs (US7)", Some(3), false, story("US7", "")),
            ),
            ("US1.2: a", ("US1.2: a", None, false, story("US1.2", "a"))),
            ("US1ab and BUS1, P10, xP1", ("US1ab and BUS1, P10, xP1", None, false, None)),
        ];
        for (heading, (title, priority, mvp, story)) in cases {
            let expected = PhaseHeading { title: title.to_owned(), priority, mvp, story };
            assert_eq!(PhaseHeading::read(heading), expected, "{heading}");
        }
    }

    #[test]
    fn the_title_of_a_list_is_its_first_heading_of_level_1() {
        for (source, title) in [
            ("# Tasks: A *b*\n# C\n", "A b"),
            ("## A\n# Tasks — `B`\n", "`B`"),
            ("# Tasks\n", "Tasks"),
            ("# **Tasks**: A\n", "A"),
            ("# Tasks:\n", "Task list"),
            ("- # A\n\n> # B\n\n## C\n\nD\n===\n", "Task list"),
        ] {
            assert_eq!(Outline::read(&Markdown::parse(source)).title(), title, "{source:?}");
        }
    }
}
