//! Checks on the tokens of a document, before it is parsed.

use std::collections::HashSet;

use crate::error::LimitExceeded;
use crate::lexer::tokens;
use crate::{Error, Limits};

/// Checks the length, the nesting and the number of tokens of a document, and that its strings have closing
/// quotes: the parser would read the text behind an open quote as tokens, which are not counted here.
pub fn check(query: &str, limits: &Limits) -> Result<(), Error> {
    LimitExceeded::check("Query length in bytes", query.len(), limits.query_bytes)?;
    let TextCounts { tokens, nesting, has_unterminated_string } = count(query);
    LimitExceeded::check("Query nesting", nesting, limits.nesting)?;
    LimitExceeded::check("Number of tokens", tokens, limits.tokens)?;
    if has_unterminated_string {
        return Err(Error::invalid("The document has a string without an end."));
    }
    Ok(())
}

#[derive(Debug, Default, PartialEq, Eq)]
struct TextCounts {
    tokens: usize,
    nesting: usize,
    has_unterminated_string: bool,
}

/// Counts tokens and the deepest nesting of brackets.
fn count(query: &str) -> TextCounts {
    let (mut found, mut open) = (TextCounts::default(), 0_usize);
    for token in tokens(query) {
        match token.text {
            "(" | "[" | "{" => {
                open += 1;
                found.nesting = found.nesting.max(open);
            }
            ")" | "]" | "}" => open = open.saturating_sub(1),
            _ => found.has_unterminated_string |= !token.is_terminated,
        }
        found.tokens += 1;
    }
    found
}

/// The name of a field that an object literal has twice (GraphQL specification, 5.6.3). The parser of
/// async-graphql accepts it and keeps one of them. A brace inside parentheses opens an object; any other
/// brace opens a selection set.
pub fn duplicate_object_field(query: &str) -> Option<&str> {
    let mut open: Vec<Option<HashSet<&str>>> = Vec::new();
    let mut tokens = tokens(query).peekable();
    let mut parentheses = 0_usize;
    while let Some(token) = tokens.next() {
        match token.text {
            "{" => open.push((parentheses > 0).then(HashSet::new)),
            "}" => drop(open.pop()),
            "(" => parentheses += 1,
            ")" => parentheses = parentheses.saturating_sub(1),
            name if tokens.peek().is_some_and(|next| next.text == ":") => {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_strings_and_comments_do_not_nest() {
        let nesting = |query: &str| count(query).nesting;
        assert_eq!(nesting("{ a(b: [[1]]) { c } }"), 4);
        assert_eq!(nesting(r#"{ a(b: "[[[[") # {{{{{"#), 2);
        assert_eq!(nesting(&"[".repeat(5_000)), 5_000);
        assert_eq!(nesting(r#"{ a(b: "\"[[") }"#), 2);
    }
}
