//! What can be counted on the bytes, before anything is parsed.

use std::collections::HashSet;

use crate::graphql::guard::{Excess, Limits};

/// Checks length, nesting and tokens of a document's text.
pub fn check(query: &str, limits: &Limits) -> Result<(), Excess> {
    Excess::check("Query length in bytes", query.len(), limits.query_bytes)?;
    let Scan { tokens, nesting } = scan(query);
    Excess::check("Query nesting", nesting, limits.nesting)?;
    Excess::check("Number of tokens", tokens, limits.tokens)
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Scan {
    tokens: usize,
    nesting: usize,
}

/// Counts tokens and the deepest nesting of brackets.
fn scan(query: &str) -> Scan {
    let (mut found, mut open) = (Scan::default(), 0_usize);
    for (_, token) in tokens(query) {
        match token.as_bytes()[0] {
            b'(' | b'[' | b'{' => {
                open += 1;
                found.nesting = found.nesting.max(open);
            }
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        found.tokens += 1;
    }
    found
}

/// The name of a field that an object literal has twice, which the parser does not tell (GraphQL
/// specification, 5.6.3). A brace inside of arguments, lists and objects opens an object; any other a
/// selection set.
pub fn repeated_field(query: &str) -> Option<&str> {
    let mut open: Vec<Option<HashSet<&str>>> = Vec::new();
    let mut tokens = tokens(query).peekable();
    let mut parentheses = 0_usize;
    while let Some((_, token)) = tokens.next() {
        match token {
            "{" => open.push((parentheses > 0).then(HashSet::new)),
            "}" => drop(open.pop()),
            "(" => parentheses += 1,
            ")" => parentheses = parentheses.saturating_sub(1),
            name if matches!(tokens.peek(), Some((_, ":"))) => {
                if let Some(Some(fields)) = open.last_mut()
                    && !fields.insert(name)
                {
                    return Some(name);
                }
            }
            _ => {}
        }
    }
    None
}

/// The lexical tokens of a document with their places, read as the GraphQL grammar does (2.1). Broken text
/// gives some tokens, too; the parser refuses it later.
pub fn tokens(query: &str) -> impl Iterator<Item = (usize, &str)> {
    let (bytes, mut at) = (query.as_bytes(), 0);
    std::iter::from_fn(move || {
        loop {
            let start = at;
            match *bytes.get(at)? {
                b' ' | b'\t' | b'\n' | b'\r' | b',' => {
                    at += 1;
                    continue;
                }
                b'#' => {
                    at += length_until(&bytes[at..], |byte| matches!(byte, b'\n' | b'\r'));
                    continue;
                }
                b'"' => at += string_length(&bytes[at..]),
                b'.' => at += length_until(&bytes[at..], |byte| byte != b'.'),
                b'0'..=b'9' | b'-' => at += length_until(&bytes[at..], |byte| !is_word(byte) && byte != b'.'),
                byte if is_word(byte) => at += length_until(&bytes[at..], |byte| !is_word(byte)),
                _ => at += 1,
            }
            return Some((start, query.get(start..at)?));
        }
    })
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+') || !byte.is_ascii()
}

fn length_until(bytes: &[u8], end: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|&byte| end(byte)).unwrap_or(bytes.len())
}

/// The length of the string that `bytes` begin with, quotes included.
fn string_length(bytes: &[u8]) -> usize {
    let (quote, skips): (&[u8], &[u8]) =
        if bytes.starts_with(br#"""""#) { (br#"""""#, br#"\""""#) } else { (b"\"", b"\\") };
    let mut at = quote.len();
    while at < bytes.len() {
        let rest = &bytes[at..];
        if rest.starts_with(skips) {
            // An escaped quote; in a plain string any escaped character.
            at += if quote.len() == 1 { 2 } else { skips.len() };
        } else if rest.starts_with(quote) {
            return at + quote.len();
        } else if quote.len() == 1 && matches!(rest[0], b'\n' | b'\r') {
            return at;
        } else {
            at += 1;
        }
    }
    bytes.len()
}

/// How deep arrays and objects stand inside each other in a JSON text.
pub fn json_nesting(bytes: &[u8]) -> usize {
    let (mut open, mut deepest, mut at) = (0_usize, 0, 0);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => {
                open += 1;
                deepest = deepest.max(open);
            }
            b'}' | b']' => open = open.saturating_sub(1),
            b'"' => {
                at += 1;
                while let Some(&byte) = bytes.get(at)
                    && byte != b'"'
                {
                    at += if byte == b'\\' { 2 } else { 1 };
                }
            }
            _ => {}
        }
        at += 1;
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_those_of_the_grammar() {
        let count = |query: &str| scan(query).tokens;
        assert_eq!(count("{ a }"), 3);
        assert_eq!(count("query Q($x: [Int!] = [-1, 2.5e3]) { a(b: $x) ...F }"), 27);
        assert_eq!(count("# { comment \n { a(text: \"b } \\\" c\") }"), 8);
        assert_eq!(count(r#"{ a(text: """ " \""" ( """) }"#), 8);
        assert_eq!(count("{ä}"), 3);
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_nest() {
        let nesting = |query: &str| scan(query).nesting;
        assert_eq!(nesting("{ a(b: [[1]]) { c } }"), 4);
        assert_eq!(nesting(r#"{ a(b: "[[[[") # {{{{{"#), 2);
        assert_eq!(nesting(&"[".repeat(5_000)), 5_000);
        assert_eq!(nesting(r#"{ a(b: "\"[[") }"#), 2);
    }

    #[test]
    fn json_nesting_ignores_strings() {
        assert_eq!(json_nesting(br#"{"a":[{"b":"[[["}],"c\"[":[]}"#), 3);
        assert_eq!(json_nesting(br#"[["#), 2);
        assert_eq!(json_nesting(br#""\"#), 0);
    }
}
