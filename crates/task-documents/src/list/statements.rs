//! The grammar of statements such as `Phase 4 can start after Phase 2`: one sentence at a time.

use std::sync::LazyLock;

use regex::Regex;

use crate::list::counts::phase_number_length;
use crate::list::keys;
use crate::list::marks::story_number_length;
use crate::list::names::KeyReference;
use crate::list::scanner::{Line, Scanner, ends_with_negation};
use crate::text::regex;

/// Where the clauses of a sentence can begin without a colon before them.
static BEGINNING: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?ix)\b(?: depends?\ on
        | (?:can|should|must|may|could)\ (?:only\ )?(?:start|begin|run|proceed)s?\ (?:only\ )?(?:after|once) )\b",
    )
});

const PHASES: &[&str] = &["Phase", "Phases"];
const STORIES: &[&str] = &["User Story", "User Stories", "Story", "Stories"];
const ALL: &[&str] = &["all", "both", "each"];
const MODALS: &[&str] = &["can", "should", "must", "may", "could"];
const ONLY: &[&str] = &["only"];
const STARTS: &[&str] = &["start", "begin", "run", "proceed", "starts", "begins", "runs", "proceeds"];
#[rustfmt::skip]
const VERBS: &[&str] = &[
    "depends on", "depend on", "requires", "require", "needs", "need", "waits for", "wait for", "blocked by", "after",
    "once",
];
/// What separates clauses.
const BETWEEN_CLAUSES: [&str; 3] = [" - ", " – ", "—"];
/// The maximum number of words before a phase in round brackets.
const MAX_WORDS: usize = 4;

/// What a sentence names, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    Tasks(KeyReference),
    Phases(Numbers),
    Stories(Numbers),
}

/// Numbers of phases or stories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Numbers {
    One(String),
    Range(String, String),
    /// This phase and all later phases that have a story.
    From(String),
}

/// A sentence: all tasks of the subjects wait for all tasks of the references.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// Where the sentence begins in the text.
    pub start: usize,
    pub subjects: Vec<Reference>,
    pub references: Vec<Reference>,
}

/// The sentences of a paragraph that are statements. It has no emphasis and no white space but single spaces.
pub fn sentences(paragraph: String) -> Vec<Sentence> {
    let line = Line::of_single_spaces(paragraph);
    let (mut found, mut start) = (Vec::new(), 0);
    let ends = line.text.match_indices([';', '.']);
    let ends = ends.filter(|(at, sign)| *sign == ";" || line.text[at + 1..].starts_with(' '));
    for end in ends.map(|(at, _)| at).chain([line.text.len()]) {
        let text = &line.text[start..end];
        start += text.len() - text.trim_start().len();
        found.extend(sentence(&line, start, end.max(start)));
        start = end + 1;
    }
    found
}

fn sentence(line: &Line, start: usize, end: usize) -> Option<Sentence> {
    // Most sentences do not begin with a reference, and need no more time.
    line.scanner(start, end).reference()?;
    let segments = segments(line, start, end);
    let clauses: Vec<_> = segments.into_iter().map(|at| (at, line.scanner(at, end).clause())).collect();
    let last = clauses.iter().rfind(|(_, clause)| clause.is_some()).map(|(at, _)| *at);
    for (before, at) in beginnings(&line.text[start..end]) {
        let first = line.scanner(start + at, end).clause();
        if first.is_none() && last.is_none_or(|last| last <= start + at) {
            continue;
        }
        let subjects = line.scanner(start, start + before).list(Scanner::reference);
        let others = clauses.into_iter().filter(|(segment, _)| *segment > start + at);
        let references = first.into_iter().chain(others.filter_map(|(_, clause)| clause)).flatten();
        return Some(Sentence { start, subjects: subjects.concat(), references: references.collect() });
    }
    None
}

/// The places where the clauses of a sentence can begin, each behind the end of the subject, in their order.
fn beginnings(sentence: &str) -> Vec<(usize, usize)> {
    let colons = sentence.match_indices(": ").map(|(at, _)| (at, at + 2));
    let words = BEGINNING.find_iter(sentence).map(|found| found.start());
    let words = words.filter(|at| !ends_with_negation(&sentence[..*at])).map(|at| (at, at));
    let mut beginnings: Vec<_> = colons.chain(words).collect();
    beginnings.sort_by_key(|(_, at)| *at);
    beginnings
}

/// The places behind what separates clauses outside round brackets.
fn segments(line: &Line, start: usize, end: usize) -> Vec<usize> {
    let (mut segments, mut at) = (Vec::new(), start);
    while let Some(found) = line.text[at..end].find(['(', ' ', '—']) {
        at += found;
        let rest = &line.text[at..end];
        if let Some(behind) = line.behind_brackets(at).filter(|behind| *behind <= end) {
            at = behind;
        } else if let Some(sign) = BETWEEN_CLAUSES.iter().find(|sign| rest.starts_with(**sign)) {
            at += sign.len();
            segments.push(at + usize::from(line.text[at..end].starts_with(' ')));
        } else {
            at += 1;
        }
    }
    segments
}

impl Scanner<'_> {
    /// The references of a clause.
    fn clause(mut self) -> Option<Vec<Reference>> {
        for words in [ALL, MODALS, ONLY, STARTS, ONLY] {
            self.optional(words);
        }
        if !self.word(VERBS) {
            return None;
        }
        self.space();
        if self.sign(":") {
            self.space();
        }
        let references = self.list(Scanner::reference).concat();
        (!references.is_empty()).then_some(references)
    }

    /// Reads keys, phases or stories.
    fn reference(&mut self) -> Option<Vec<Reference>> {
        let keys = self.keys();
        if !keys.is_empty() {
            return Some(keys.into_iter().map(Reference::Tasks).collect());
        }
        self.phases().or_else(|| self.stories()).or_else(|| self.words_and_phases())
    }

    fn phases(&mut self) -> Option<Vec<Reference>> {
        let mut next = *self;
        if !next.word(PHASES) || !next.sign(" ") {
            return None;
        }
        let is_letter = next.rest().starts_with(|first: char| first.is_ascii_alphabetic());
        let numbers = next.list(|scanner| scanner.numbers(false, is_letter));
        if numbers.is_empty() {
            return None;
        }
        *self = next;
        Some(numbers.into_iter().map(Reference::Phases).collect())
    }

    fn stories(&mut self) -> Option<Vec<Reference>> {
        let mut next = *self;
        if !next.word(STORIES) && !next.story_prefix() {
            return None;
        }
        next.space();
        let numbers = next.list(|scanner| scanner.numbers(true, false));
        if numbers.is_empty() {
            return None;
        }
        *self = next;
        Some(numbers.into_iter().map(Reference::Stories).collect())
    }

    /// Skips `US` before a number.
    fn story_prefix(&mut self) -> bool {
        let rest = self.rest();
        let is_prefix = rest.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("US"))
            && rest[2..].trim_start().starts_with(|next: char| next.is_ascii_digit());
        self.at += if is_prefix { 2 } else { 0 };
        is_prefix
    }

    /// Reads some words and phases in round brackets, such as `Foundational (Phase 2)`.
    fn words_and_phases(&mut self) -> Option<Vec<Reference>> {
        let mut next = *self;
        for _ in 0..MAX_WORDS {
            let rest = next.rest();
            let length = rest.find(|char: char| char == ' ' || "(),:".contains(char)).unwrap_or(rest.len());
            next.at += length;
            if length == 0 || !next.sign(" ") {
                return None;
            }
            if next.sign("(") {
                let phases = next.phases().filter(|_| next.sign(")"))?;
                *self = next;
                return Some(phases);
            }
        }
        None
    }

    /// Reads one number, a range of numbers, or a number with `+` behind it.
    fn numbers(&mut self, of_stories: bool, can_be_letter: bool) -> Option<Numbers> {
        let first = self.number(of_stories, can_be_letter)?;
        let mut next = *self;
        next.space();
        if next.sign("-") || next.sign("–") || next.word(&["to"]) {
            next.space();
            if of_stories {
                next.story_prefix();
                next.space();
            }
            if let Some(last) = next.number(of_stories, can_be_letter) {
                *self = next;
                return Some(Numbers::Range(first, last));
            }
        }
        if !of_stories && self.rest().starts_with('+') && !self.is_separator() {
            self.at += 1;
            return Some(Numbers::From(first));
        }
        Some(Numbers::One(first))
    }

    fn number(&mut self, of_story: bool, can_be_letter: bool) -> Option<String> {
        let rest = self.rest();
        let length = if of_story { story_number_length(rest) } else { phase_number_length(rest) }?;
        let is_letter = !rest.starts_with(|first: char| first.is_ascii_digit());
        if is_letter && !(can_be_letter && rest.starts_with(|first: char| first.is_ascii_uppercase())) {
            return None;
        }
        self.at += length;
        Some(rest[..length].to_owned())
    }

    /// Whether a number or a reference follows the `+` at this place.
    fn is_separator(mut self) -> bool {
        self.at += 1;
        self.space();
        self.rest().starts_with(|next: char| next.is_ascii_digit())
            || keys::scan(self.rest()).is_some()
            || self.word(PHASES)
            || self.word(STORIES)
            || self.story_prefix()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(references: &[Reference]) -> String {
        let numbers = |name: &str, numbers: &Numbers| match numbers {
            Numbers::One(number) => format!("{name}{number}"),
            Numbers::Range(first, last) => format!("{name}{first}..{last}"),
            Numbers::From(first) => format!("{name}{first}.."),
        };
        let word = |reference: &Reference| match reference {
            Reference::Tasks(KeyReference::One(key)) => key.clone(),
            Reference::Tasks(KeyReference::Range(first, last)) => format!("{first}..{last}"),
            Reference::Phases(phases) => numbers("P", phases),
            Reference::Stories(stories) => numbers("US", stories),
        };
        references.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    /// The statements of a text, each as `subjects < references`.
    fn found(text: &str) -> Vec<String> {
        let sentences = sentences(text.to_owned()).into_iter();
        sentences.map(|found| format!("{} < {}", words(&found.subjects), words(&found.references))).collect()
    }

    #[test]
    fn statements_have_subjects_and_references() {
        for (text, expected) in [
            ("Phase 4 can start after Phase 2 - Independent of US1", "P4 < P2"),
            ("Phase 4 (US2) can start after Phase 2 (independent of US1)", "P4 < P2"),
            ("Foundational (Phase 2): Depends on Phase 1", "P2 < P1"),
            ("Phase 2: Foundational: Depends on Phase 1", "P2 < P1"),
            ("User Story 1 (P1) - Login: Can start after Foundational (Phase 2) - No others", "US1 < P2"),
            ("US3: Can start after US2 and US4 - Extends login", "US3 < US2 US4"),
            ("User Stories (Phase 3+): All depend on Foundational (Phase 2)", "P3.. < P2"),
            ("Phases 3, 5 and 6 all depend on Phases 1+2", "P3 P5 P6 < P1 P2"),
            ("Phase 8 depends on Phase 3+", "P8 < P3.."),
            ("Phase 8 depends on Phase 3+, Phase 2", "P8 < P3.. P2"),
            ("Phase 8 depends on Phase 3+US2", "P8 < P3 US2"),
            ("Phase 8 depends on Phases 3-7", "P8 < P3..7"),
            ("Phase 8 depends on Phases 3–5, 7 to 7.2", "P8 < P3..5 P7..7.2"),
            ("US4 depends on US1-US3, Stories 5 to 6", "US4 < US1..3 US5..6"),
            ("US4 depends on: US1", "US4 < US1"),
            ("T005: Depends on: T001-T003 and US1 (done), Phase 2", "T005 < T001..T003 US1 P2"),
            ("T001 and T002 must only start after T003", "T001 T002 < T003"),
            ("T001 + Phase 2, and US3 may run once T003 is done", "T001 P2 US3 < T003"),
            ("Phase A depends on Phase B", "PA < PB"),
            ("Phase 4A depends on phase 3.1 and the rest", "P4A < P3.1"),
            ("US2: Independent - requires US1 – needs T001—waits for Phase 2", "US2 < US1 T001 P2"),
            ("US2: blocked by US1", "US2 < US1"),
            ("US2: should begin only after US1", "US2 < US1"),
            ("US2: starts after the end of Setup (Phase 1)", "US2 < P1"),
            ("US2: only after US1", "US2 < US1"),
            ("US2: both require US1", "US2 < US1"),
            ("User Story 2 (P2): DEPENDS ON USER STORY 1", "US2 < US1"),
            ("Phase 4: needs Phase 2 and depends on Phase 3", "P4 < P2"),
            ("Phase 4 depends on Phase 2: needs Phase 3", "P4 < P2"),
            ("US2 (depends on US1)", "US2 < US1"),
        ] {
            assert_eq!(found(text), [expected], "{text}");
        }
        assert_eq!(
            found("Phase 2 depends on Phase 1. Text; Phase 3.1 depends on Phase 2."),
            ["P2 < P1", "P3.1 < P2"]
        );
    }

    #[test]
    fn other_sentences_state_nothing() {
        for text in [
            "Setup (Phase 1): No dependencies - can start immediately",
            "Foundational (Phase 2): Depends on Setup completion - BLOCKS all user stories",
            "User Story 2: Independent but tested after US1",
            "Phase 8: Depends on all user stories being complete",
            "All of Phase 4 depends on Phase 3",
            "Phase 1: T002 and T003 can run in parallel after T001",
            "With many developers, after Phase 2: Developer A: US1 (Phase 3)",
            "Phase 4 does not depend on Phase 3",
            "Phase 4 after Phase 3",
            "Phase 4 needs Phase 3",
            "T001 → T002 → T003",
            "Phase 4: afterwards Phase 3",
            "US2 depends on a, long, list (Phase 3)",
            "US2 depends on one two three four five (Phase 3)",
            "US2 depends on Setup (Phase 3, done)",
            "US2 is blocked by US1",
            "Phase2 depends on Phase 1",
            "",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
