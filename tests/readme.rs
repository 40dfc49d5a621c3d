//! What the README shows in GraphQL works as it stands there. Its commands are run by the gate.

use crate::support::{json, on_both_databases};

/// The blocks of the README in GraphQL.
fn documents() -> Vec<&'static str> {
    let readme = include_str!("../README.md");
    let blocks = readme.split("```graphql\n").skip(1);
    blocks.filter_map(|rest| rest.split_once("```")).map(|(document, _)| document).collect()
}

on_both_databases! {
    async fn the_documents_of_the_readme_do_what_it_says(app) {
        let ann = app.user("ann").await;
        let documents = documents();
        let [create, list] = documents[..] else { panic!("the README has other documents") };
        for _ in ["the first call", "the retry"] {
            let made = ann.data(create, json!({})).await["createTask"]["task"].clone();
            assert_eq!(made["progress"], json!({ "done": 1, "total": 5, "percent": 20 }));
        }
        let found = ann.data(list, json!({})).await["tasks"]["nodes"].clone();
        assert_eq!(found.as_array().map(Vec::len), Some(1));
        assert_eq!(found[0]["checklist"][0]["children"][1]["text"], "Keep the last good figures");
    }
}
