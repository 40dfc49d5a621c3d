//! Task lists in the trash.

use std::time::Duration;

use chrono::TimeDelta;

use super::support::{LIST, delete, delete_list, export, import, merge, task_with_key, tasks};
use crate::support::{Value, code, json, on_both_databases};

const RESTORE: &str = "mutation($id: ID!) { restoreTaskList(id: $id) { taskList { version deletedAt } } }";

on_both_databases! {
    async fn a_deleted_list_takes_its_tasks_with_it_and_brings_them_back(app) {
        let ann = app.user("ann").await;
        let list = import(&ann, LIST).await;
        let before = tasks(&ann, &list).await;
        let (first, second) = (before[0]["id"].clone(), before[1]["id"].clone());
        delete(&ann, second.as_str().expect("an id")).await;
        delete_list(&ann, &list).await;
        for (query, code_of_error) in [
            ("query($id: ID!) { taskList(id: $id) { id } }", "NOT_FOUND"),
            ("mutation($id: ID!) { deleteTaskList(id: $id) { deletedTaskListId } }", "NOT_FOUND"),
            ("mutation($id: ID!) { mergeTaskList(id: $id, input: { markdown: \"\" }) { applied } }", "NOT_FOUND"),
        ] {
            assert_eq!(code(&ann.error(query, json!({ "id": list })).await), code_of_error, "{query}");
        }
        for task in [&first, &second] {
            let restored = ann.execute("mutation($id: ID!) { restoreTask(id: $id) { task { id } } }", json!({ "id": task })).await;
            assert_eq!(restored.code(), "NOT_FOUND", "a task of a deleted list cannot be restored alone");
        }
        let seen = "{ tasks { totalCount } taskLists { totalCount } trash { nodes { key } }
            trashedTaskLists { totalCount nodes { id title deletedAt tasks { totalCount } } } }";
        let seen = ann.data(seen, json!({})).await;
        assert_eq!((&seen["tasks"]["totalCount"], &seen["taskLists"]["totalCount"]), (&json!(0), &json!(0)));
        assert_eq!(seen["trash"]["nodes"], json!([{ "key": "T002" }]), "only what was deleted before");
        assert_eq!(seen["trashedTaskLists"]["nodes"][0]["id"], json!(list));
        assert!(seen["trashedTaskLists"]["nodes"][0]["deletedAt"].is_string());
        let restored = ann.data(RESTORE, json!({ "id": list })).await["restoreTaskList"]["taskList"].clone();
        assert_eq!(restored, json!({ "version": 3, "deletedAt": null }));
        let after = tasks(&ann, &list).await;
        let states: Vec<(Value, Value)> = after.iter().map(|task| (task["key"].clone(), task["version"].clone())).collect();
        assert_eq!(states, [(json!("T001"), json!(3)), (json!("T003"), json!(3))]);
        assert_eq!(export(&ann, &list).await, LIST.replace("- [ ] T002 [P] Add the linter\n", ""));
        // Deleting and restoring the list is no change of its tasks for a merge.
        let without = LIST.replace("- [x] T001 Create the project in src/main.rs\n", "");
        let payload = merge(&ann, &list, &without, json!({})).await;
        assert_eq!((&payload["applied"], &payload["conflicts"]), (&json!(true), &json!([])), "{payload:#}");
        assert_eq!(ann.data(RESTORE, json!({ "id": list })).await["restoreTaskList"]["taskList"]["version"], 4);
    }

    #[flags("--access-token-ttl", "90d", "--session-ttl", "90d")]
    async fn a_deleted_list_is_gone_after_thirty_days(app) {
        let ann = app.user("ann").await;
        let list = import(&ann, LIST).await;
        delete_list(&ann, &list).await;
        app.clock.advance(TimeDelta::days(30) - TimeDelta::seconds(10));
        ann.data(RESTORE, json!({ "id": list })).await;
        delete_list(&ann, &list).await;
        app.clock.advance(TimeDelta::days(29));
        let other = import(&ann, LIST).await;
        delete(&ann, &task_with_key(&ann, &other, "T001").await).await;
        app.clock.advance(TimeDelta::days(1));
        assert_eq!(code(&ann.error(RESTORE, json!({ "id": list })).await), "NOT_FOUND");
        let trashed = ann.data("{ trashedTaskLists { totalCount } }", json!({})).await;
        assert_eq!(trashed["trashedTaskLists"]["totalCount"], 0);
        app.start_second_instance();
        for _ in 0..1000 {
            if app.rows("task_lists").await.len() == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!((app.rows("task_lists").await.len(), app.rows("tasks").await.len()), (1, 3));
    }

    async fn lists_and_their_documents_are_deleted_with_the_account(app) {
        let ann = app.user("ann").await;
        import(&ann, LIST).await;
        ann.data("mutation { importTask(input: { markdown: \"# One\" }) { task { id } } }", json!({})).await;
        let delete = "mutation { deleteAccount(password: \"correct-horse-1\") { deletedUserId } }";
        ann.data(delete, json!({})).await;
        for _ in 0..1000 {
            if app.rows("users").await.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(app.all_rows().await.concat(), Vec::<String>::new());
    }

    async fn lists_are_paged_newest_first_and_the_trash_by_deletion(app) {
        let ann = app.user("ann").await;
        let mut ids = Vec::new();
        for n in 0..5 {
            app.clock.advance(TimeDelta::seconds(1));
            ids.push(import(&ann, &format!("# Tasks: {n}\n")).await);
        }
        let query = "query($first: Int, $after: String, $last: Int, $before: String) {
            page: taskLists(first: $first, after: $after, last: $last, before: $before) {
                totalCount nodes { title } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
        let titles = |page: &Value| -> Vec<String> {
            let nodes = page["page"]["nodes"].as_array().expect("lists").iter();
            nodes.map(|list| list["title"].as_str().expect("text").to_owned()).collect()
        };
        let first = ann.data(query, json!({ "first": 2 })).await;
        assert_eq!((titles(&first), &first["page"]["totalCount"]), (vec!["4".to_owned(), "3".to_owned()], &json!(5)));
        let next = ann.data(query, json!({ "first": 2, "after": first["page"]["pageInfo"]["endCursor"] })).await;
        assert_eq!(titles(&next), ["2", "1"]);
        let back = ann.data(query, json!({ "last": 2, "before": next["page"]["pageInfo"]["endCursor"] })).await;
        assert_eq!(titles(&back), ["3", "2"]);
        for at in [1, 3, 0] {
            app.clock.advance(TimeDelta::seconds(1));
            delete_list(&ann, &ids[at]).await;
        }
        let query = query.replace("taskLists", "trashedTaskLists");
        let all = ann.data(&query, json!({})).await;
        assert_eq!(titles(&all), ["0", "3", "1"]);
        let rest = ann.data(&query, json!({ "first": 5, "after": all["page"]["pageInfo"]["startCursor"] })).await;
        assert_eq!(titles(&rest), ["3", "1"]);
    }

    async fn a_task_of_a_list_moves_to_the_trash_alone(app) {
        let ann = app.user("ann").await;
        let list = import(&ann, LIST).await;
        let id = task_with_key(&ann, &list, "T001").await;
        delete(&ann, &id).await;
        let trash = ann.data("{ trash { nodes { key list { id } } } }", json!({})).await;
        assert_eq!(trash["trash"]["nodes"], json!([{ "key": "T001", "list": { "id": list } }]));
    }

    async fn what_is_in_the_trash_can_be_read_as_a_document(app) {
        let ann = app.user("ann").await;
        let (list, other) = (import(&ann, LIST).await, import(&ann, LIST).await);
        delete(&ann, &task_with_key(&ann, &other, "T001").await).await;
        delete(&ann, &task_with_key(&ann, &list, "T002").await).await;
        delete_list(&ann, &list).await;
        let query = "{ trash(first: 2) { nodes { markdown } }
            trashedTaskLists(first: 1) { nodes { markdown revision diagnostics { code } } } }";
        let read = ann.data(query, json!({})).await;
        let markdown = read["trashedTaskLists"]["nodes"][0]["markdown"].clone();
        assert_eq!(markdown, LIST.replace("- [ ] T002 [P] Add the linter\n", ""));
        assert_eq!(read["trash"]["nodes"].as_array().map(Vec::len), Some(2));
    }

    async fn a_list_with_the_id_of_a_deleted_one_has_its_own_document(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let id = "6f1b3f2e-0000-4000-8000-000000000004";
        let import = "mutation($input: ImportTaskListInput!) { importTaskList(input: $input) { taskList { id } } }";
        let create = "mutation($list: ID!) { createTask(input: { title: \"x\", list: { listId: $list } }) { task { id } } }";
        ann.data(import, json!({ "input": { "id": id, "markdown": LIST } })).await;
        ann.data(create, json!({ "list": id })).await;
        assert!(export(&ann, id).await.contains("Draw ships"));
        app.execute_sql("DELETE FROM tasks").await;
        app.execute_sql("DELETE FROM task_lists").await;
        bob.data(import, json!({ "input": { "id": id, "markdown": "# Mine\n" } })).await;
        bob.data(create, json!({ "list": id })).await;
        assert_eq!(export(&bob, id).await, "# Mine\n- [ ] T001 x\n");
    }

    async fn a_repeated_restoration_of_a_list_task_returns_the_task(app) {
        let ann = app.user("ann").await;
        let list = import(&ann, LIST).await;
        let id = task_with_key(&ann, &list, "T001").await;
        delete(&ann, &id).await;
        let restore = "mutation($id: ID!) { restoreTask(id: $id) { task { id version } } }";
        let restored = futures_util::future::join_all((0..4).map(|_| ann.data(restore, json!({ "id": id })))).await;
        assert!(restored.iter().all(|data| data["restoreTask"]["task"] == json!({ "id": id, "version": 3 })));
        app.execute_sql("DELETE FROM tasks").await;
        assert_eq!(code(&ann.error(restore, json!({ "id": id })).await), "NOT_FOUND");
    }
}
