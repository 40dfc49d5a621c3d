//! Generated hostile documents and bodies. Documents that a fuzzer found are in the folder `findings`.

use crate::support::json;

/// The approximate length in bytes of long documents.
const LONG: usize = 128 << 10;

/// A name and a hostile document, body or request.
pub type Case = (String, Vec<u8>);

/// Repeats a text up to [`LONG`] bytes.
fn flood(text: &str) -> String {
    text.repeat(LONG / text.len())
}

fn row(count: usize, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect()
}

/// Hostile documents. Some occur in several sizes, because the smaller one is within the limit on bytes.
pub fn documents() -> Vec<Case> {
    let mut cases: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, text: String| cases.push((name.to_owned(), text));

    for (name, step) in [
        ("selections", "{a"),
        ("lists", "["),
        ("parentheses", "("),
        ("inline fragments", "{...on Query{"),
        ("objects", "{a:{"),
        ("types", "query($x:["),
        ("directives", "{a@b(c:["),
        ("strings between brackets", "[\"]\""),
        ("brackets behind an open block", "\"\"\"a\"["),
    ] {
        for size in [4 << 10, 16_000, LONG] {
            let nested = step.repeat(size / step.len());
            add(&format!("{size} bytes of nested {name}"), nested.clone());
            add(
                &format!("{size} bytes of nested {name} in an argument"),
                format!("{{ tasks(filter: {nested}"),
            );
        }
    }
    for (name, text) in [
        ("the query", "{ a ".repeat(31) + &"}".repeat(31)),
        ("an argument", format!("{{ a(b: {}{}) }}", "[".repeat(29), "]".repeat(29))),
        ("blocks", format!("{{ me {{ {} id {} }} }}", "... {".repeat(29), "}".repeat(29))),
    ] {
        add(&format!("as much nesting as there may be in {name}"), text);
    }

    let bomb = |depth: usize, width: usize, inner: &str| {
        let spreads = |n: usize| format!("...F{} ", n + 1).repeat(width);
        let fragment = |n: usize| format!("fragment F{n} on User {{ {} }} ", spreads(n));
        format!("{{ me {{ ...F0 }} }} {} fragment F{depth} on User {{ {inner} }}", row(depth, fragment))
    };
    add("a deep fragment bomb", bomb(19, 2, "id"));
    add("a wide fragment bomb", bomb(3, 200, "id"));
    add("a fragment bomb of lists", bomb(9, 2, "tasks(first: 100) { nodes { title } }"));
    add("a fragment bomb of many fragments", bomb(300, 2, "id"));
    add(
        "a fragment bomb of types",
        bomb(19, 2, "id").replace("on User", "on Query").replace("me { ...F0 }", "...F0"),
    );
    add("a fragment in itself", "{ ...A } fragment A on Query { ...A }".to_owned());
    add("fragments in a circle", {
        let fragment = |n: usize| format!("fragment F{n} on Query {{ ...F{} }} ", (n + 1) % 20);
        format!("{{ ...F0 }} {}", row(20, fragment))
    });
    add(
        "a circle that is not used",
        "{ __typename } fragment A on Query { ...B } fragment B on Query { ...A }".to_owned(),
    );
    add(
        "thousands of fragments",
        format!("{{ __typename }} {}", row(4_000, |n| format!("fragment F{n} on Query{{a}} "))),
    );
    add(
        "the same fragment again and again",
        format!("{{ {} }} fragment A on Query {{ __typename }}", "...A ".repeat(990)),
    );

    add("an introspection in circles", {
        let circle = "fields { type { ".repeat(7);
        format!("{{ __schema {{ types {{ {circle} name {} }} }} }}", "} } ".repeat(7))
    });
    add("an introspection bomb", {
        let fragment = |n: usize| {
            format!("fragment F{n} on __Type {{ fields {{ type {{ ...F{} ...F{} }} }} }} ", n + 1, n + 1)
        };
        format!(
            "{{ __schema {{ types {{ ...F0 }} }} }} {} fragment F12 on __Type {{ name }}",
            row(12, fragment)
        )
    });
    add(
        "all types nine times",
        format!(
            "{{ {} }}",
            row(9, |n| {
                format!(
                    "a{n}: __schema {{ types {{ name fields {{ name args {{ name }} type {{ name fields {{ name }} }} }} }} }} "
                )
            })
        ),
    );

    for count in [20, 900, 9_000] {
        add(&format!("{count} aliases"), format!("{{ {} }}", row(count, |n| format!("a{n}:me{{id}} "))));
        add(
            &format!("{count} aliases of a list"),
            format!("{{ {} }}", row(count, |n| format!("a{n}: tasks(first: 100) {{ nodes {{ title }} }} "))),
        );
        add(&format!("{count} times __typename"), format!("{{ {} }}", "__typename ".repeat(count)));
        add(
            &format!("{count} times __typename inside"),
            format!("{{ me {{ {} }} }}", "__typename ".repeat(count)),
        );
        add(&format!("{count} times the same field"), format!("{{ {} }}", "me{id} ".repeat(count)));
        add(
            &format!("{count} times the same field of a list"),
            format!("{{ tasks(first: 4) {{ nodes {{ {} }} }} }}", "title ".repeat(count)),
        );
        add(
            &format!("{count} fields that differ under one key"),
            format!("{{ {} }}", row(count, |n| format!("tasks(first:{n}){{totalCount}} "))),
        );
        add(
            &format!("{count} fields that do not exist"),
            format!("{{ {} }}", row(count, |n| format!("nope{n} "))),
        );
        add(
            &format!("{count} times a mutation"),
            format!("mutation {{ {} }}", "logout{success} ".repeat(count)),
        );
        add(
            &format!("{count} directives in one place"),
            format!("{{ me {} {{ id }} }}", "@skip(if: false) ".repeat(count)),
        );
        add(
            &format!("{count} directives of __typename"),
            format!("{{ me {{ id __typename {} }} }}", "@nope ".repeat(count)),
        );
        add(
            &format!("{count} fields with directives"),
            format!("{{ me {{ {} }} }}", "id @skip(if: false) @include(if: true) ".repeat(count)),
        );
        add(&format!("{count} operations"), row(count, |n| format!("query Q{n} {{ __typename }} ")));
        add(&format!("{count} operations of one name"), "query Q { __typename } ".repeat(count));
        add(
            &format!("{count} variables"),
            format!("query({}) {{ __typename }}", row(count, |n| format!("$v{n}: Int = {n} "))),
        );
        add(
            &format!("{count} variables of one name"),
            format!("query({}) {{ __typename }}", "$v: Int ".repeat(count)),
        );
        add(
            &format!("{count} arguments"),
            format!("{{ tasks({}) {{ totalCount }} }}", row(count, |n| format!("a{n}: 1 "))),
        );
        add(
            &format!("{count} times one argument"),
            format!("{{ tasks({}) {{ totalCount }} }}", "first: 1 ".repeat(count)),
        );
        add(
            &format!("a list of {count}"),
            format!("{{ nodes(ids: [{}]) {{ id }} }}", "\"x\" ".repeat(count)),
        );
        add(
            &format!("an object of {count}"),
            format!("{{ tasks(filter: {{ {} }}) {{ totalCount }} }}", row(count, |n| format!("a{n}: 1 "))),
        );
        add(
            &format!("{count} conditions"),
            format!(
                "{{ tasks(filter: {{ or: [{}] }}) {{ totalCount }} }}",
                "{completed:true} ".repeat(count)
            ),
        );
        add(
            &format!("{count} words"),
            format!("{{ tasks(filter: {{ text: \"{}\" }}) {{ totalCount }} }}", "a ".repeat(count)),
        );
        add(
            &format!("{count} inline fragments"),
            format!("{{ {} }}", "...on Query{__typename} ".repeat(count)),
        );
        add(
            &format!("{count} inline fragments of no type"),
            format!("{{ {} }}", "...on Nope{a} ".repeat(count)),
        );
    }

    for (name, text) in [
        ("blanks", " "),
        ("commas", ","),
        ("line ends", "\r\n"),
        ("comments", "#\n"),
        ("byte order marks", "\u{feff}"),
        ("letters", "a"),
        ("digits", "9"),
        ("dollars", "$"),
        ("dots", "."),
        ("quotes", "\""),
        ("backslashes", "\\"),
        ("closing braces", "}"),
        ("closing brackets", "]"),
        ("ampersands", "&"),
        ("zeros", "\0"),
        ("emoji", "😀"),
        ("marks on a letter", "\u{301}"),
        ("at signs", "@"),
        ("minus signs", "-"),
        ("exclamation marks", "!"),
    ] {
        add(&format!("nothing but {name}"), flood(text));
        let some = text.repeat(15_000 / text.len());
        add(&format!("{name} in a selection"), format!("{{ me {{ id {some} }} }}"));
        add(&format!("{name} as a value"), format!("{{ task(id: {some}) {{ id }} }}"));
        add(&format!("{name} in a string"), format!("{{ task(id: \"{some}\") {{ id }} }}"));
        add(&format!("{name} in a block string"), format!("{{ task(id: \"\"\"{some}\"\"\") {{ id }} }}"));
    }
    for (name, text) in [
        ("escapes", "\\u0041"),
        ("escapes with braces", "\\u{1F600}"),
        ("surrogates", "\\ud83d\\ude00"),
        ("halves of surrogates", "\\ud83d"),
        ("open escapes", "\\u{"),
        ("quotes in blocks", "\\\"\"\""),
        ("indented lines", "\n   a"),
    ] {
        let some = text.repeat(15_000 / text.len());
        add(&format!("{name} in a string"), format!("{{ task(id: \"{some}\") {{ id }} }}"));
        add(&format!("{name} in a block string"), format!("{{ task(id: \"\"\"{some}\"\"\") {{ id }} }}"));
    }
    for number in [
        "9".repeat(15_000),
        format!("-{}", "9".repeat(15_000)),
        format!("1e{}", "9".repeat(300)),
        format!("0.{}", "1".repeat(15_000)),
        "1e-999999999".to_owned(),
    ] {
        let name = format!("a number like {}…", &number[..5]);
        add(&name, format!("{{ tasks(first: {number}) {{ totalCount }} }}"));
    }
    cases.into_iter().map(|(name, text)| (name, text.into_bytes())).collect()
}

/// Hostile request bodies.
pub fn bodies() -> Vec<Case> {
    let with = |variables: &str| {
        format!(
            "{{\"query\": \"query($x: [ID!]!) {{ nodes(ids: $x) {{ id }} }}\", \"variables\": {{\"x\": {variables}}}}}"
        )
    };
    let filter = |filter: &str| {
        format!(
            "{{\"query\": \"query($x: TaskFilter) {{ tasks(filter: $x) {{ totalCount }} }}\", \"variables\": {{\"x\": {filter}}}}}"
        )
    };
    let mut cases: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, body: String| cases.push((name.to_owned(), body));
    for (name, open) in
        [("arrays", "["), ("objects", "{\"a\":"), ("filters", "{\"not\":"), ("both", "[{\"a\":")]
    {
        for size in [16 << 10, LONG, 1_000_000] {
            let nested = open.repeat(size / open.len());
            add(&format!("{size} bytes of nested {name}"), nested.clone());
            add(&format!("{size} bytes of nested {name} in variables"), with(&nested));
        }
    }
    add(
        "a filter as deep as JSON may be",
        filter(&format!("{}{{}}{}", "{\"not\":".repeat(60), "}".repeat(60))),
    );
    add("a list of a hundred thousand", with(&format!("[{}1]", "1,".repeat(100_000))));
    add("a list of strings", with(&format!("[{}\"x\"]", "\"x\",".repeat(100_000))));
    add(
        "an object of fifty thousand keys",
        filter(&format!("{{{}\"a\":1}}", row(50_000, |n| format!("\"k{n}\":1,")))),
    );
    add(
        "the same key again and again",
        filter(&format!("{{{}\"text\":\"b\"}}", "\"text\":\"a\",".repeat(50_000))),
    );
    add("a text of a million letters", filter(&format!("{{\"text\":\"{}\"}}", "a".repeat(1_000_000))));
    add("a text of half a million words", filter(&format!("{{\"text\":\"{}\"}}", "a ".repeat(500_000))));
    add("a text of nothing but marks", filter(&format!("{{\"text\":\"a{}\"}}", "\u{301}".repeat(450_000))));
    add("labels without end", filter(&format!("{{\"labels\":[{}\"x\"]}}", "\"x\",".repeat(100_000))));
    add("a wide filter", filter(&format!("{{\"or\":[{}{{}}]}}", "{},".repeat(200_000))));
    let many_uses = "{not:$x}".repeat(300);
    add(
        "a long variable used again and again",
        format!(
            "{{\"query\": \"query($x: TaskFilter!) {{ tasks(filter: {{ and: [{many_uses}] }}) {{ totalCount }} }}\", \"variables\": {{\"x\": {{\"labels\": [{}\"x\"]}}}}}}",
            "\"x\",".repeat(200_000)
        ),
    );
    add(
        "a long variable used for each of a hundred tasks",
        format!(
            "{{\"query\": \"query($x: TaskFilter) {{ tasks(first: 100) {{ nodes {{ owner {{ tasks(filter: $x) {{ totalCount }} }} }} }} }}\", \"variables\": {{\"x\": {{\"labels\": [{}\"x\"]}}}}}}",
            "\"x\",".repeat(200_000)
        ),
    );
    add(
        "a long title",
        format!(
            "{{\"query\": \"mutation($t: String!) {{ createTask(input: {{ title: $t }}) {{ task {{ id }} }} }}\", \"variables\": {{\"t\": \"{}\"}}}}",
            "\u{fdfa}".repeat(300_000)
        ),
    );
    add(
        "a long password",
        format!(
            "{{\"query\": \"mutation($p: String!) {{ login(input: {{ usernameOrEmail: \\\"ann\\\", password: $p }}) {{ tokenType }} }}\", \"variables\": {{\"p\": \"{}\"}}}}",
            "a".repeat(1_000_000)
        ),
    );
    add("a number without end", with(&"9".repeat(1_000_000)));
    add("an exponent without end", with(&format!("1e{}", "9".repeat(1_000))));
    add("a string of escapes", with(&format!("\"{}\"", "\\u0041".repeat(100_000))));
    add("half a surrogate", with("\"\\ud800\""));
    add("an open string", with("\"abc"));
    add(
        "a name of a million letters",
        json!({ "query": "{ __typename }", "operationName": "a".repeat(1_000_000) }).to_string(),
    );
    add(
        "a hash of a million letters",
        json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": "a".repeat(1_000_000) } } })
            .to_string(),
    );
    add(
        "extensions without end",
        json!({ "query": "{ __typename }", "extensions": { "a": vec![0; 400_000] } }).to_string(),
    );
    add("many queries", format!("{{{}\"a\":1}}", "\"query\":\"{a}\",".repeat(10_000)));
    add("a batch", format!("[{}{{}}]", "{\"query\":\"{__typename}\"},".repeat(10_000)));
    add("nothing", String::new());
    add("two megabytes", " ".repeat(2 << 20));
    let mut cases: Vec<Case> = cases.into_iter().map(|(name, body)| (name, body.into_bytes())).collect();
    for (name, bytes) in [
        ("a broken byte", &b"\xff"[..]),
        ("half a character", b"\xf0\x9f"),
        ("an overlong slash", b"\xc0\xaf"),
        ("an encoded surrogate", b"\xed\xa0\x80"),
        ("a byte beyond Unicode", b"\xf4\x90\x80\x80"),
    ] {
        for (location, before, after) in [
            ("a query", &b"{\"query\": \"{ task(id: \\\""[..], &b"\\\") { id } }\"}"[..]),
            ("a key", b"{\"", b"\": 1}"),
            ("a body", b"", b""),
        ] {
            let many: Vec<u8> = bytes.iter().copied().cycle().take(bytes.len() * 1_000).collect();
            cases.push((format!("{name} a thousand times in {location}"), [before, &many, after].concat()));
        }
    }
    cases
}
