//! Reads words, keys and lists in one line of text, from a place on.

use crate::list::keys;
use crate::list::names::KeyReference;

/// What can stand directly before a key.
const BEFORE_KEY: &[char] = &['*', '_', '`', '['];
/// What can stand directly behind a key.
const BEHIND_KEY: &[char] = &['*', '_', '`', ']'];

/// How many bytes before a word are searched for a negation.
const NEGATION_BYTES: usize = 100;

/// A text in which each run of white space is one space.
#[derive(Clone, Debug, Default)]
pub struct Line {
    pub text: String,
    /// The round brackets that have a partner: the places of both, ordered by the first.
    brackets: Vec<(usize, usize)>,
}

impl Line {
    /// The line for a text, without white space around it.
    pub fn new(text: &str) -> Self {
        let mut line = String::with_capacity(text.len());
        for word in text.split_whitespace() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        Self::of_single_spaces(line)
    }

    /// The line for a text without other white space than single spaces.
    pub fn of_single_spaces(text: String) -> Self {
        let (mut open, mut brackets) = (Vec::new(), Vec::new());
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                b'(' => open.push(at),
                b')' => brackets.extend(open.pop().map(|opened| (opened, at))),
                _ => {}
            }
        }
        brackets.sort_unstable();
        Self { text, brackets }
    }

    /// A scanner for a part of the line.
    pub fn scanner(&self, start: usize, end: usize) -> Scanner<'_> {
        Scanner { line: self, at: start, end }
    }

    /// The place behind the bracket that closes the one at this place, if there is one.
    pub fn behind_brackets(&self, at: usize) -> Option<usize> {
        let found = self.brackets.binary_search_by_key(&at, |(opened, _)| *opened).ok()?;
        Some(self.brackets[found].1 + 1)
    }
}

/// A place in a line, and the end of the part that is read.
#[derive(Clone, Copy, Debug)]
pub struct Scanner<'a> {
    line: &'a Line,
    pub at: usize,
    end: usize,
}

impl<'a> Scanner<'a> {
    /// What follows.
    pub fn rest(&self) -> &'a str {
        self.line.text.get(self.at..self.end).unwrap_or_default()
    }

    /// Skips a space.
    pub fn space(&mut self) {
        self.sign(" ");
    }

    /// Skips characters of these.
    pub fn skip(&mut self, chars: &[char]) {
        self.at += self.rest().len() - self.rest().trim_start_matches(chars).len();
    }

    /// Skips these characters if they follow.
    pub fn sign(&mut self, sign: &str) -> bool {
        let follows = self.rest().starts_with(sign);
        if follows {
            self.at += sign.len();
        }
        follows
    }

    /// Skips the first of these words that follows. A letter or a digit must not follow it.
    pub fn word(&mut self, words: &[&str]) -> bool {
        let rest = self.rest();
        let follows = |word: &&&str| {
            rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
                && !rest[word.len()..].starts_with(char::is_alphanumeric)
        };
        let found = words.iter().find(follows);
        self.at += found.map_or(0, |word| word.len());
        found.is_some()
    }

    /// Skips the first of these words that follows, and a space behind it.
    pub fn optional(&mut self, words: &[&str]) {
        if self.word(words) {
            self.space();
        }
    }

    /// Reads items between which separators stand. The place is then behind the last item.
    pub fn list<T>(&mut self, item: impl Fn(&mut Self) -> Option<T>) -> Vec<T> {
        let (mut items, mut next) = (Vec::new(), *self);
        while let Some(item) = item(&mut next) {
            items.push(item);
            *self = next;
            if !next.separator() {
                break;
            }
        }
        items
    }

    /// Skips a remark in round brackets and what separates two items of a list.
    fn separator(&mut self) -> bool {
        self.space();
        if self.rest().starts_with('(') {
            let Some(behind) = self.line.behind_brackets(self.at).filter(|behind| *behind <= self.end) else {
                return false;
            };
            self.at = behind;
            self.space();
        }
        let is_comma = self.sign(",");
        if is_comma {
            self.space();
        }
        let is_other =
            self.word(&["and"]) || self.sign("&") || !is_comma && (self.sign("/") || self.sign("+"));
        self.space();
        is_comma || is_other
    }

    /// Reads a list of keys and ranges of keys.
    pub fn keys(&mut self) -> Vec<KeyReference> {
        self.list(|scanner| {
            let first = scanner.key()?;
            let mut behind = *scanner;
            behind.space();
            let is_range =
                ["-", "–", "—", "~"].iter().any(|sign| behind.sign(sign)) || behind.word(&["to", "through"]);
            behind.space();
            match behind.key().filter(|_| is_range) {
                Some(last) => {
                    *scanner = behind;
                    Some(KeyReference::Range(first.to_owned(), last.to_owned()))
                }
                None => Some(KeyReference::One(first.to_owned())),
            }
        })
    }

    /// Reads a key with emphasis, a code span or brackets around it.
    fn key(&mut self) -> Option<&'a str> {
        let mut next = *self;
        next.skip(BEFORE_KEY);
        let rest = next.rest();
        let length = keys::scan(rest)?;
        next.at += length;
        next.skip(BEHIND_KEY);
        *self = next;
        Some(&rest[..length])
    }
}

/// Whether a word with a negative meaning stands at the end of a text, with at most one other word behind it. Longer
/// words are not read completely.
pub fn ends_with_negation(text: &str) -> bool {
    let text = &text[text.floor_char_boundary(text.len().saturating_sub(NEGATION_BYTES))..];
    let is_of_word = |char: char| char.is_alphanumeric() || matches!(char, '\'' | '’' | '-');
    let words = text.rsplit(|char| !is_of_word(char)).filter(|word| !word.is_empty());
    let is_negation = |word: &str| {
        let word = word.to_lowercase().replace('’', "'");
        matches!(word.as_str(), "not" | "no" | "never" | "cannot") || word.ends_with("n't")
    };
    words.take(2).any(is_negation)
}
