//! Dependencies that clients add: between any tasks of a user, next to those that documents state.

use futures_util::future::join_all;

use super::support::{
    List, UNKNOWN_ID, add, add_error, call, fields_of, list_of, parallel_list, related, remove, remove_error,
};
use crate::support::{Value, json, on_both_databases};

on_both_databases! {
    async fn an_added_dependency_raises_the_version_of_the_waiting_task_only(app) {
        let ann = app.user("ann").await;
        let (wall, base) = (&ann.task("wall").await, &ann.task("base").await);
        assert_eq!(add(&ann, wall, base).await, 2);
        assert_eq!(add(&ann, wall, base).await, 2, "it exists");
        let shown = "version ready blockedBy { title } blocks { title } waitsFor { title }";
        let one = |title: &str| json!([{ "title": title }]);
        let expected = json!({ "version": 2, "ready": false, "blockedBy": one("base"), "blocks": [], "waitsFor": one("base") });
        assert_eq!(fields_of(&ann, wall, shown).await, expected);
        let expected = json!({ "version": 1, "ready": true, "blockedBy": [], "blocks": one("wall"), "waitsFor": [] });
        assert_eq!(fields_of(&ann, base, shown).await, expected);

        assert_eq!(remove(&ann, wall, base).await, 3);
        assert_eq!(remove(&ann, wall, base).await, 3, "it does not exist");
        let expected = json!({ "version": 3, "ready": true, "blockedBy": [], "blocks": [], "waitsFor": [] });
        assert_eq!(fields_of(&ann, wall, shown).await, expected);
        assert_eq!(remove(&ann, base, wall).await, 1, "nor does the opposite");
    }

    async fn a_task_can_wait_for_tasks_of_its_list_of_other_lists_and_of_none(app) {
        let ann = app.user("ann").await;
        let first = List::import(&ann, &parallel_list(&["one", "two"])).await;
        let second = List::import(&ann, &parallel_list(&["three"])).await;
        let plain = &ann.task("plain").await;
        for (task, other) in [
            (first.task("T001"), second.task("T001")),
            (first.task("T001"), plain.as_str()),
            (first.task("T001"), first.task("T002")),
            (plain, second.task("T001")),
        ] {
            add(&ann, task, other).await;
        }
        let titles = |tasks: Value| tasks.as_array().expect("tasks").iter().map(|task| task["title"].clone()).collect::<Vec<_>>();
        let blocked_by = first.fields("T001", "blockedBy { title }").await["blockedBy"].clone();
        assert_eq!(titles(blocked_by), ["three", "plain", "two"], "in the order in which they were added");
        let blocks = second.fields("T001", "blocks { title }").await["blocks"].clone();
        let mut blocks = titles(blocks);
        blocks.sort_by_key(ToString::to_string);
        assert_eq!(blocks, ["one", "plain"]);
        assert_eq!((first.ready().await, second.ready().await), (vec!["T002".to_owned()], vec!["T001".to_owned()]));

        second.call("completeTask", "T001").await;
        assert_eq!(fields_of(&ann, plain, "ready").await["ready"], true);
        call(&ann, "completeTask", plain).await;
        assert_eq!(first.related("T001", "waitsFor").await, ["T002"]);
        first.call("completeTask", "T002").await;
        assert_eq!(first.ready().await, ["T001"]);
        call(&ann, "reopenTask", plain).await;
        assert_eq!(first.ready().await, Vec::<String>::new());
        assert_eq!(first.related("T001", "waitsFor").await, ["plain"]);
    }

    async fn stated_dependencies_come_first_and_are_not_added_or_removed(app) {
        let ann = app.user("ann").await;
        let texts = ["one", "two", "three", "four (depends on T003, T001)"];
        let list = List::import(&ann, &parallel_list(&texts)).await;
        add(&ann, list.task("T004"), list.task("T002")).await;
        assert_eq!(list.related("T004", "blockedBy").await, ["T003", "T001", "T002"]);
        assert_eq!(list.related("T001", "blocks").await, ["T004"]);
        assert_eq!(list.related("T002", "blocks").await, ["T004"]);

        assert_eq!(add(&ann, list.task("T004"), list.task("T001")).await, 2, "it is stated");
        for key in ["T001", "T003"] {
            let error = remove_error(&ann, list.task("T004"), list.task(key)).await;
            assert_eq!(error, "BAD_USER_INPUT blockedById conflicting");
        }
        assert_eq!(remove(&ann, list.task("T004"), list.task("T002")).await, 3);
        assert_eq!(list.related("T004", "blockedBy").await, ["T003", "T001"]);
    }

    async fn an_added_dependency_that_is_stated_later_is_listed_once_and_stays_when_it_is_no_longer_stated(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one", "two"])).await;
        add(&ann, list.task("T002"), list.task("T001")).await;
        list.update("T002", json!({ "title": "two, depends on T001" })).await;
        assert_eq!(list.related("T002", "blockedBy").await, ["T001"]);
        assert_eq!(list.related("T001", "blocks").await, ["T002"]);
        let error = remove_error(&ann, list.task("T002"), list.task("T001")).await;
        assert_eq!(error, "BAD_USER_INPUT blockedById conflicting");
        list.update("T002", json!({ "title": "two" })).await;
        assert_eq!(list.related("T002", "blockedBy").await, ["T001"], "the refused call removed nothing");
    }

    async fn the_present_text_of_a_task_states_its_dependencies(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one", "two (after T001)"])).await;
        assert_eq!((list.related("T002", "blockedBy").await, list.ready().await), (vec!["T001".to_owned()], vec!["T001".to_owned()]));
        list.update("T001", json!({ "title": "one; blocked by `T002`" })).await;
        assert_eq!(list.related("T002", "blockedBy").await, Vec::<String>::new(), "a cycle: the earlier one stands");
        assert_eq!(list.related("T001", "blockedBy").await, ["T002"]);
        list.update("T001", json!({ "title": "one" })).await;
        list.update("T002", json!({ "title": "two; it does not depend on T001" })).await;
        assert_eq!(list.ready().await, ["T001", "T002"]);
    }

    async fn a_task_has_at_most_a_hundred_added_dependencies(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one", "two (depends on T001)"])).await;
        let waiting = list.task("T002");
        let others = join_all((0..101).map(async |number| ann.task(&format!("other {number}")).await)).await;
        for other in &others[..100] {
            add(&ann, waiting, other).await;
        }
        let error = add_error(&ann, waiting, &others[100]).await;
        assert_eq!(error, "BAD_USER_INPUT blockedById too_many");
        assert_eq!(add(&ann, waiting, &others[7]).await, 101, "it exists");
        assert_eq!(add(&ann, waiting, list.task("T001")).await, 101, "it is stated");
        assert_eq!(list.related("T002", "blockedBy").await.len(), 101);
        assert_eq!(list.related("T002", "waitsFor").await.len(), 20);
        remove(&ann, waiting, &others[7]).await;
        add(&ann, waiting, &others[100]).await;
        let limits = ann.data("{ serverInfo { limits { dependenciesPerTask claimSeconds } } }", json!({})).await;
        assert_eq!(limits["serverInfo"]["limits"], json!({ "dependenciesPerTask": 100, "claimSeconds": 86_400 }));
    }

    async fn both_tasks_must_be_tasks_of_the_viewer_that_are_not_in_the_trash(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let (mine, gone, bobs) = (&ann.task("mine").await, &ann.task("gone").await, &bob.task("bob's").await);
        let list = List::import(&ann, &parallel_list(&["one"])).await;
        ann.data("mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }", json!({ "id": gone })).await;
        let stored = app.all_rows().await;
        for (other, expected) in [(bobs.as_str(), "FORBIDDEN"), (UNKNOWN_ID, "NOT_FOUND"), (gone, "NOT_FOUND"), (&list.id, "NOT_FOUND")] {
            assert_eq!(add_error(&ann, mine, other).await, expected);
            assert_eq!(add_error(&ann, other, mine).await, expected);
            assert_eq!(remove_error(&ann, other, mine).await, expected);
        }
        for other in [bobs, UNKNOWN_ID] {
            assert_ne!(remove_error(&ann, mine, other).await, "");
        }
        assert_eq!(app.all_rows().await, stored);
    }

    async fn dependencies_can_lead_through_many_lists(app) {
        let ann = app.user("ann").await;
        let lists = join_all((0..23).map(async |_| List::import(&ann, &parallel_list(&["one"])).await)).await;
        let task = |index: usize| lists[index].task("T001");
        for index in 0..22 {
            add(&ann, task(index), task(index + 1)).await;
        }
        for list in &lists[..22] {
            assert_eq!(list.fields("T001", "ready blockedBy { key }").await, json!({ "ready": false, "blockedBy": [{ "key": "T001" }] }));
        }
        assert_eq!(lists[22].ready().await, ["T001"]);
        assert_eq!(add_error(&ann, task(22), task(10)).await, "BAD_USER_INPUT blockedById cycle");
        assert_eq!(add_error(&ann, task(22), task(0)).await, "BAD_USER_INPUT blockedById cycle");
        remove(&ann, task(0), task(1)).await;
        assert_eq!(lists[0].ready().await, ["T001"]);
    }

    async fn a_task_in_the_trash_blocks_no_task_until_it_is_restored(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one", "two (depends on T001)", "three"])).await;
        add(&ann, list.task("T003"), list.task("T001")).await;
        let plain = ann.task("plain").await;
        add(&ann, &plain, list.task("T003")).await;
        list.delete("T001").await;
        for key in ["T002", "T003"] {
            let shown = list.fields(key, "ready blockedBy { key } waitsFor { key }").await;
            assert_eq!(shown, json!({ "ready": true, "blockedBy": [], "waitsFor": [] }), "{key}");
        }
        list.delete("T003").await;
        assert_eq!(related(&ann, &plain, "blockedBy").await, Vec::<String>::new());
        list.call("restoreTask", "T001").await;
        assert_eq!(list.related("T001", "blocks").await, ["T002"], "a task in the trash is not listed");
        let trash = "{ trash { nodes { blocks { id } blockedBy { id } waitsFor { id } ready } } }";
        let trash = ann.data(trash, json!({})).await["trash"]["nodes"].clone();
        assert_eq!(trash, json!([{ "blocks": [], "blockedBy": [], "waitsFor": [], "ready": false }]));
        list.call("restoreTask", "T003").await;
        assert_eq!(list.related("T001", "blocks").await, ["T002", "T003"]);
        assert_eq!(list.ready().await, ["T001"]);
        assert_eq!(related(&ann, &plain, "blockedBy").await, ["T003"]);
    }

    async fn a_deleted_list_blocks_no_task_until_it_is_restored(app) {
        let ann = app.user("ann").await;
        let list = List::import(&ann, &parallel_list(&["one"])).await;
        let plain = ann.task("plain").await;
        add(&ann, &plain, list.task("T001")).await;
        ann.data("mutation($id: ID!) { deleteTaskList(id: $id) { deletedTaskListId } }", json!({ "id": list.id })).await;
        let shown = "ready blockedBy { key }";
        assert_eq!(fields_of(&ann, &plain, shown).await, json!({ "ready": true, "blockedBy": [] }));
        ann.data("mutation($id: ID!) { restoreTaskList(id: $id) { taskList { id } } }", json!({ "id": list.id })).await;
        assert_eq!(fields_of(&ann, &plain, shown).await, json!({ "ready": false, "blockedBy": [{ "key": "T001" }] }));
    }

    async fn what_pages_of_tasks_say_is_what_single_tasks_say(app) {
        let ann = app.user("ann").await;
        let texts = ["one", "two (depends on T001)", "three", "four"];
        let list = List::import(&ann, &list_of(&texts, "")).await;
        let plain = ann.task("plain").await;
        add(&ann, list.task("T001"), &plain).await;
        add(&ann, &plain, list.task("T004")).await;
        let fields = "id ready blockedBy { id } blocks { id } waitsFor { id } claim { id }";
        let all = ann.data(&format!("{{ tasks(first: 50) {{ nodes {{ {fields} }} }} }}"), json!({})).await;
        let all = all["tasks"]["nodes"].as_array().expect("tasks").clone();
        assert_eq!(all.len(), 5);
        for task in all {
            assert_eq!(fields_of(&ann, task["id"].as_str().expect("an id"), fields).await, task);
        }
    }
}
