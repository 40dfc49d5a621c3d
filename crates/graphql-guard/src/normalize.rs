//! Rewrites the text of a document where the parser of async-graphql differs from the specification: it
//! refuses `\u{1F600}`, surrogate pairs, blanks inside a type, and descriptions, and it keeps the backslash
//! of `\"""`.

use std::borrow::Cow;
use std::iter::Peekable;
use std::str::Chars;

use crate::lexer::{Token, tokens};

const QUOTES: &str = "\"\"\"";
const ESCAPED_QUOTES: &str = "\\\"\"\"";

/// A document with the same meaning that the parser reads correctly. Each token keeps its line and, where
/// possible, its column, since errors have positions. All strings must have closing quotes.
pub fn normalize(query: &str) -> Cow<'_, str> {
    let mut normalized = String::with_capacity(query.len());
    // Blanks removed from inside a type, which are added behind the type.
    let mut moved_blanks = String::new();
    let (mut before, mut end, mut open) = ("", 0, 0_usize);
    let mut tokens = tokens(query).peekable();
    while let Some(Token { at, text, .. }) = tokens.next() {
        let gap = &query[end..at];
        // Blanks beside these brackets never have a meaning, so lists of values may lose them too.
        if before == "[" || matches!(text, "]" | "!") {
            moved_blanks += &blank(gap);
        } else if before == "on" {
            // The parser requires blanks behind `on` and refuses a comment there.
            normalized += &blank(gap);
        } else {
            normalized += &std::mem::take(&mut moved_blanks);
            normalized += gap;
        }
        let is_description = text.starts_with('"')
            && match tokens.peek().map_or("", |next| next.text) {
                "query" | "mutation" | "subscription" | "fragment" => matches!(before, "" | "}"),
                "$" => open == 1 && before != "=",
                _ => false,
            };
        match text {
            "(" | "[" | "{" => open += 1,
            ")" | "]" | "}" => open = open.saturating_sub(1),
            _ => {}
        }
        (before, end) = (text, at + text.len());
        match block_content(text) {
            _ if is_description => normalized += &blank(text),
            Some(content) if content.contains(ESCAPED_QUOTES) => {
                normalized += &padded(quoted(&block_value(content)), text);
            }
            None if text.starts_with('"') && text.contains("\\u") => {
                normalized += &padded(replace_long_escapes(text), text);
            }
            _ => normalized += text,
        }
    }
    normalized += &moved_blanks;
    normalized += &query[end..];
    if normalized == query { Cow::Borrowed(query) } else { Cow::Owned(normalized) }
}

/// Blanks in place of every character of a text; line ends stay.
fn blank(text: &str) -> String {
    text.chars().map(|char| if matches!(char, '\n' | '\r') { char } else { ' ' }).collect()
}

/// A replacement for a token, followed by blanks so that the next token keeps its line and column.
fn padded(replacement: String, token: &str) -> String {
    let lines = match token.find(['\n', '\r']) {
        Some(end_of_line) => blank(&token[end_of_line..]),
        None => " ".repeat(token.chars().count().saturating_sub(replacement.chars().count())),
    };
    replacement + &lines
}

/// The text between the quotes of a block string.
fn block_content(token: &str) -> Option<&str> {
    token.strip_prefix(QUOTES)?.strip_suffix(QUOTES)
}

/// The value of a block string: without the common indentation of its lines and without blank lines at its
/// beginning and end (GraphQL specification, 2.9.4).
fn block_value(content: &str) -> String {
    let text = content.replace(ESCAPED_QUOTES, QUOTES).replace("\r\n", "\n").replace('\r', "\n");
    let blank = |line: &str| line.chars().all(|char| matches!(char, ' ' | '\t'));
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let common = text.split('\n').skip(1).filter(|line| !blank(line)).map(indent).min().unwrap_or(0);
    let dedented = |(number, line)| if number == 0 { line } else { str::get(line, common..).unwrap_or("") };
    let lines: Vec<&str> = text.split('\n').enumerate().map(dedented).collect();
    let first = lines.iter().position(|line| !blank(line)).unwrap_or(lines.len());
    let last = lines.iter().rposition(|line| !blank(line)).map_or(first, |last| last + 1);
    lines[first..last].join("\n")
}

fn quoted(text: &str) -> String {
    // Every escape of JSON is an escape of GraphQL.
    serde_json::Value::from(text).to_string()
}

/// A string literal with `\u{…}` and surrogate pairs replaced by their characters.
fn replace_long_escapes(token: &str) -> String {
    let (mut plain, mut rest) = (String::new(), token.chars().peekable());
    while let Some(char) = rest.next() {
        if char != '\\' {
            plain.push(char);
            continue;
        }
        let mut ahead = rest.clone();
        match long_escape(&mut ahead) {
            Some(char) => {
                let quoted = quoted(char.encode_utf8(&mut [0; 4]));
                plain.push_str(&quoted[1..quoted.len() - 1]);
                rest = ahead;
            }
            None => {
                plain.push(char);
                plain.extend(rest.next());
            }
        }
    }
    plain
}

/// The character of an escape `u{…}` or of a surrogate pair, read behind its first backslash.
fn long_escape(rest: &mut Peekable<Chars<'_>>) -> Option<char> {
    rest.next_if_eq(&'u')?;
    if rest.next_if_eq(&'{').is_some() {
        let mut code = 0_u32;
        let mut digits = 0;
        while let Some(digit) = rest.peek().and_then(|char| char.to_digit(16)) {
            (code, digits) = (code.checked_mul(16)?.checked_add(digit)?, digits + 1);
            rest.next();
        }
        rest.next_if_eq(&'}').filter(|_| digits > 0)?;
        return char::from_u32(code);
    }
    let high = code_unit(rest).filter(|high| (0xd800..0xdc00).contains(high))?;
    rest.next_if_eq(&'\\')?;
    rest.next_if_eq(&'u')?;
    let low = code_unit(rest).filter(|low| (0xdc00..0xe000).contains(low))?;
    char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
}

/// A UTF-16 code unit in four hexadecimal digits.
fn code_unit(rest: &mut Peekable<Chars<'_>>) -> Option<u32> {
    (0..4).try_fold(0, |code, _| Some(code * 16 + rest.next()?.to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_the_parser_reads_correctly_stays_unchanged() {
        for query in [
            r#"{ a(b: "\u00e4 \\u{41} \" \n") }"#,
            "{ a } # \\u{41}",
            r#"{ a(b: """ \u{41} """) }"#,
            "{ ... on A { a } }",
        ] {
            assert!(matches!(normalize(query), Cow::Borrowed(_)), "{query}");
        }
        for broken in [
            r#""\ud83d""#,
            r#""\ud83dx\ude00""#,
            r#""\ude00\ud83d""#,
            r#""\u{}""#,
            r#""\u{110000}""#,
            r#""\u{d800}""#,
            r#""\u{41""#,
        ] {
            assert_eq!(normalize(broken), broken);
        }
    }

    #[test]
    fn long_escapes_become_characters() {
        assert_eq!(
            normalize(r#"{ a(b: "\ud83d\ude00 \u{1F600} \u{22}") }"#).replace("  ", ""),
            r#"{ a(b: "😀 😀 \"" ) }"#
        );
    }

    #[test]
    fn escaped_quotes_in_a_block_string_lose_their_backslash() {
        let query = "{ a(b: \"\"\"\n    one \\\"\"\" two\r\n      \n\n      three\\n\n  \"\"\") c }";
        let normalized = normalize(query);
        assert!(normalized.starts_with(r#"{ a(b: "one \"\"\" two\n  \n\n  three\\n""#), "{normalized}");
        assert_eq!(normalized.lines().count(), query.lines().count());
        assert_eq!(normalize(r#"{ a(b: """\"""""") }"#), r#"{ a(b: "\"\"\""  ) }"#);
    }

    #[test]
    fn blanks_inside_a_type_move_behind_it() {
        let query = "query($a: [ [Int ! ,] # b\n !\n] !) { a(b: [ 1, 2 ]) }";
        assert_eq!(normalize(query), "query($a: [[Int!]!]!        \n \n ) { a(b: [1 , 2] ) }");
    }

    #[test]
    fn descriptions_become_blanks() {
        let query = "\"one\" query(\"\"\"two\n\"\"\" $a: Int \"three\" $b: String = \"kept\" $c: Int) { a(b: [\"kept\" $a]) } \"four\" fragment F on A { a }";
        let plain = query
            .replace("\"one\"", "     ")
            .replace("\"\"\"two\n\"\"\"", "      \n   ")
            .replace("\"three\"", "       ")
            .replace("\"four\"", "      ");
        assert_eq!(normalize(query), plain);
        for kept in ["\"one\" { a }", "query \"x\" query { a }", "\"one\" \"two\" { a }"] {
            assert_eq!(normalize(kept), kept);
        }
    }

    #[test]
    fn a_comment_behind_on_becomes_blanks() {
        assert_eq!(normalize("{ ... on # c\n\u{feff}A { a } }"), "{ ... on    \n A { a } }");
    }
}
