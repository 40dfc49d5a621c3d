//! A real list of 70 tasks with five stories: its phases and stories, what is ready, and what is claimed next.

use super::support::{List, SEED_LIST, done, keys, text};
use crate::support::{Value, json, on_both_databases};

fn numbered(numbers: impl IntoIterator<Item = u32>) -> Vec<String> {
    numbers.into_iter().map(|number| format!("T{number:03}")).collect()
}

on_both_databases! {
    async fn its_phases_and_stories_depend_on_each_other_as_it_says(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, SEED_LIST).await;
        let shown = list.read("ordering phases { number open dependsOn { number } } stories { key dependsOn { key } }").await;
        assert_eq!(shown["ordering"], "MARKED");
        let number = |phase: &Value| phase["number"].as_str().expect("a number").to_owned();
        let phases = shown["phases"].as_array().expect("phases").iter();
        let on = |phase: &Value| phase["dependsOn"].as_array().expect("phases").iter().map(number).collect::<Vec<_>>().join(",");
        let found: Vec<(String, String, bool)> = phases.map(|phase| (number(phase), on(phase), phase["open"] == true)).collect();
        let expected = [("1", "", true), ("2", "1", true), ("3", "2", true), ("4", "2", true), ("5", "2", true),
                        ("6", "4", false), ("7", "5", false), ("8", "2,3,4,5,6,7", false)];
        assert_eq!(found, expected.map(|(number, on, open)| (number.to_owned(), on.to_owned(), open)));
        let stories = shown["stories"].as_array().expect("stories").iter();
        let mut stories: Vec<(String, Vec<String>)> = stories.map(|story| (text(&story["key"]), keys(&story["dependsOn"]))).collect();
        stories.sort();
        let on = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        let expected = [("US1", on(&[])), ("US2", on(&[])), ("US3", on(&["US2", "US4"])), ("US4", on(&[])), ("US5", on(&["US4"]))];
        assert_eq!(stories, expected.map(|(key, on)| (key.to_owned(), on)));
    }

    async fn its_tests_are_ready_first_and_then_what_follows_them(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, SEED_LIST).await;
        assert_eq!(list.ready().await, numbered((14..=18).chain(26..=29).chain(35..=40)));
        assert_eq!(list.related("T025", "waitsFor").await, numbered(14..=24));
        assert_eq!(list.related("T046", "waitsFor").await, numbered((26..=34).chain(35..=45)), "US2 and US4");
        assert_eq!(list.related("T053", "waitsFor").await, numbered(35..=45));
        assert_eq!(list.related("T062", "waitsFor").await, numbered(14..=33), "the first twenty");
        for number in 35..=45 {
            list.call("completeTask", &format!("T{number:03}")).await;
        }
        assert_eq!(list.ready().await, numbered((14..=18).chain(26..=29).chain(53..=56)));
        for number in 26..=34 {
            list.call("completeTask", &format!("T{number:03}")).await;
        }
        assert_eq!(list.ready().await, numbered((14..=18).chain(46..=48).chain(53..=56)));
    }

    async fn its_claims_never_name_one_file_twice(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, SEED_LIST).await;
        let mut claims = Vec::new();
        for (key, path) in [("T014", "backend/tests/test_password.py"), ("T015", "backend/tests/test_auth.py"), ("T035", "backend/tests/test_jwt.py")] {
            let claim = list.claim(json!({})).await;
            assert_eq!((&claim["task"]["key"], &claim["paths"]), (&json!(key), &json!([path])));
            claims.push(text(&claim["id"]));
        }
        assert_eq!(list.next_key(json!({})).await, "FILES_BUSY");
        assert_eq!(list.next_key(json!({ "stories": ["US3"] })).await, "WAITING");
        done(&ann, "completeClaim", &claims[1]).await;
        assert_eq!(list.next_key(json!({})).await, "T016");
        done(&ann, "completeClaim", &claims[2]).await;
        assert_eq!(list.next_key(json!({ "stories": ["US4"] })).await, "T036");
        assert_eq!(list.next_key(json!({ "keys": ["T001", "T013"] })).await, "DONE");
    }
}
