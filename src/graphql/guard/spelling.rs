//! Text that the library's parser does not read as the GraphQL specification has it: it refuses
//! `\u{1F600}`, the same in two surrogates, blanks inside of a type, and descriptions, and keeps the
//! backslash of `\"""`. They are written in another way before it sees them.

use std::borrow::Cow;
use std::iter::Peekable;
use std::str::Chars;

use crate::graphql::guard::scan::tokens;

const QUOTES: &str = "\"\"\"";
const ESCAPED_QUOTES: &str = "\\\"\"\"";

/// The same document in the spelling that the parser reads rightly.
pub fn spelled_out(query: &str) -> Cow<'_, str> {
    let (mut spelled, mut copied) = (String::new(), 0);
    let (mut before, mut end, mut open) = ("", 0, 0_usize);
    let mut tokens = tokens(query).peekable();
    while let Some((at, token)) = tokens.next() {
        // Blanks beside brackets mean nothing anywhere.
        let is_tight = at == 0 || at == end || (before != "[" && !matches!(token, "]" | "!"));
        if !is_tight {
            spelled.push_str(&query[copied..end]);
            copied = at;
        }
        let next = tokens.peek().map_or("", |(_, token)| *token);
        let is_description = match next {
            "query" | "mutation" | "subscription" | "fragment" => open == 0,
            "$" => open == 1 && before != "=",
            _ => false,
        };
        match token {
            "(" | "[" | "{" => open += 1,
            ")" | "]" | "}" => open = open.saturating_sub(1),
            _ => {}
        }
        (before, end) = (token, at + token.len());
        let replacement = match block(token) {
            _ if token.starts_with('"') && is_description => String::new(),
            Some(content) if content.contains(ESCAPED_QUOTES) => quoted(&block_value(content)),
            None if token.starts_with('"') && token.contains("\\u") => unescaped(token),
            _ => continue,
        };
        spelled.push_str(&query[copied..at]);
        spelled.push_str(&replacement);
        copied = end;
    }
    if copied == 0 {
        return Cow::Borrowed(query);
    }
    spelled.push_str(&query[copied..]);
    Cow::Owned(spelled)
}

/// What stands in a block string that has an end.
fn block(token: &str) -> Option<&str> {
    token.strip_prefix(QUOTES)?.strip_suffix(QUOTES).filter(|content| !content.ends_with('\\'))
}

/// The value of a block string: without the indentation that its lines have in common, without blank
/// lines around.
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
    // The escapes of JSON are escapes of GraphQL.
    serde_json::Value::from(text).to_string()
}

/// A string with its characters beyond 16 bits in place of their escapes.
fn unescaped(token: &str) -> String {
    let (mut plain, mut rest) = (String::new(), token.chars().peekable());
    while let Some(char) = rest.next() {
        if char != '\\' {
            plain.push(char);
            continue;
        }
        let mut ahead = rest.clone();
        match escape(&mut ahead) {
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

/// The character that follows a backslash as `u{…}` or as two surrogates.
fn escape(rest: &mut Peekable<Chars<'_>>) -> Option<char> {
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
    let high = unit(rest).filter(|high| (0xd800..0xdc00).contains(high))?;
    rest.next_if_eq(&'\\')?;
    rest.next_if_eq(&'u')?;
    let low = unit(rest).filter(|low| (0xdc00..0xe000).contains(low))?;
    char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
}

/// A code unit in four hexadecimal digits.
fn unit(rest: &mut Peekable<Chars<'_>>) -> Option<u32> {
    (0..4).try_fold(0, |code, _| Some(code * 16 + rest.next()?.to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_the_parser_reads_stay_as_they_are() {
        for query in [r#"{ a(b: "\u00e4 \\u{41} \" \n") }"#, "{ a } # \\u{41}", r#"{ a(b: """ \u{41} """) }"#]
        {
            assert_eq!(spelled_out(query), query);
        }
    }

    #[test]
    fn blanks_inside_of_types_are_dropped() {
        let query = "query($a: [ [Int ! ,] # b\n !\n] !) { a(b: [ 1, 2 ]) }";
        assert_eq!(spelled_out(query), "query($a: [[Int!]!]!) { a(b: [1, 2]) }");
    }

    #[test]
    fn descriptions_are_left_out() {
        let query = "\"one\" query(\"\"\"two\"\"\" $a: Int \"three\" $b: String = \"kept\" $c: Int) { a(b: [\"kept\" $a]) } \"four\" fragment F on A { a }";
        let plain =
            "query( $a: Int  $b: String = \"kept\" $c: Int) { a(b: [\"kept\" $a]) }  fragment F on A { a }";
        assert_eq!(spelled_out(query).trim(), plain);
        assert_eq!(spelled_out("\"one\" { a }"), "\"one\" { a }");
    }

    #[test]
    fn characters_beyond_16_bits_are_written_themselves() {
        assert_eq!(spelled_out(r#"{ a(b: "\ud83d\ude00 \u{1F600} \u{22}") }"#), r#"{ a(b: "😀 😀 \"") }"#);
        for broken in [
            r#""\ud83d""#,
            r#""\ud83dx\ude00""#,
            r#""\ude00\ud83d""#,
            r#""\u{}""#,
            r#""\u{110000}""#,
            r#""\u{d800}""#,
            r#""\u{41""#,
        ] {
            assert_eq!(spelled_out(broken), broken);
        }
    }

    #[test]
    fn quotes_in_a_block_lose_their_backslash() {
        let query = "{ a(b: \"\"\"\n    one \\\"\"\" two\r\n      \n\n      three\\n\n  \"\"\") c }";
        assert_eq!(spelled_out(query), r#"{ a(b: "one \"\"\" two\n  \n\n  three\\n") c }"#);
        assert_eq!(spelled_out(r#"{ a(b: """\"""""") }"#), r#"{ a(b: "\"\"\"") }"#);
        let open = r#"{ a(b: """ \""" \""""#;
        assert_eq!(spelled_out(open), open);
    }
}
