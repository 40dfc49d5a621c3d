//! Conditional requests (RFC 9110, 13): the entity tags in If-Match and If-None-Match. The entity tag of a document is
//! its revision in double quotes.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::api::{Conditions, Revisions};

/// The conditions of a request. If-Match compares strongly, so a weak tag matches no document. If-None-Match compares
/// weakly.
pub fn conditions(headers: &HeaderMap) -> Conditions {
    Conditions {
        required: revisions(headers, header::IF_MATCH, false),
        excluded: revisions(headers, header::IF_NONE_MATCH, true),
    }
}

/// The entity tag of a revision.
pub fn entity_tag(revision: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{revision}\"")).expect("a revision consists of hexadecimal digits")
}

/// The revisions that a header names. None without the header.
fn revisions(headers: &HeaderMap, name: HeaderName, weak_tags_count: bool) -> Option<Revisions> {
    let values: Vec<_> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    let value = values.join(&b","[..]);
    let value = String::from_utf8_lossy(&value);
    match value.trim() {
        _ if values.is_empty() => None,
        "*" => Some(Revisions::Any),
        list => Some(Revisions::Listed(listed(list, weak_tags_count))),
    }
}

/// The opaque texts of a list of entity tags. What follows a malformed tag is ignored: it matches no document, so that
/// nothing is changed by mistake.
fn listed(mut list: &str, weak_tags_count: bool) -> Vec<String> {
    let mut found = Vec::new();
    loop {
        list = list.trim_start_matches([' ', '\t', ',']);
        let (is_weak, tag) = list.strip_prefix("W/").map_or((false, list), |tag| (true, tag));
        let Some((tag, rest)) = tag.strip_prefix('"').and_then(|tag| tag.split_once('"')) else {
            return found;
        };
        if weak_tags_count || !is_weak {
            found.push(tag.to_owned());
        }
        list = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(values: &[&'static str]) -> [Option<Revisions>; 2] {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::IF_MATCH, HeaderValue::from_static(value));
            headers.append(header::IF_NONE_MATCH, HeaderValue::from_static(value));
        }
        let Conditions { required, excluded } = conditions(&headers);
        [required, excluded]
    }

    fn tags(tags: &[&str]) -> Option<Revisions> {
        Some(Revisions::Listed(tags.iter().copied().map(str::to_owned).collect()))
    }

    #[test]
    fn lists_of_tags_are_read_over_several_headers() {
        assert_eq!(both(&[]), [None, None]);
        for values in [&["\"a\", \"b,c\""][..], &["\"a\"", "\"b,c\""], &[" ,\"a\" ,,\t\"b,c\","]] {
            assert_eq!(both(values), [tags(&["a", "b,c"]), tags(&["a", "b,c"])], "{values:?}");
        }
        assert_eq!(both(&[" * "]), [Some(Revisions::Any), Some(Revisions::Any)]);
    }

    #[test]
    fn a_weak_tag_counts_for_if_none_match_only() {
        assert_eq!(both(&["W/\"a\", \"b\""]), [tags(&["b"]), tags(&["a", "b"])]);
    }

    #[test]
    fn malformed_tags_match_nothing() {
        for value in ["", "a", "\"a", "w/\"a\"", "*, \"a\"", "'a'"] {
            assert_eq!(both(&[value]), [tags(&[]), tags(&[])], "{value}");
        }
        assert_eq!(both(&["\"a\", b, \"c\""])[0], tags(&["a"]));
    }
}
