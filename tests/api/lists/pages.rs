//! Pages and cursors of task lists.

use chrono::TimeDelta;

use super::model::{self, Task};
use super::walk::{Direction, LIST, Page};
use super::{list_faults, negated, numbered};
use crate::support::{Actor, TestApp, Value, faults, json, on_both_databases};

/// Orders of each kind: ascending and descending, with several keys, with nulls first and last.
fn orders() -> Vec<Value> {
    vec![
        json!([]),
        json!([{ "field": "CREATED_AT" }]),
        json!([{ "field": "UPDATED_AT", "direction": "DESC" }]),
        json!([{ "field": "DUE_AT" }]),
        json!([{ "field": "DUE_AT", "nulls": "FIRST" }]),
        json!([{ "field": "TITLE" }]),
        json!([{ "field": "TITLE", "direction": "DESC" }]),
        json!([{ "field": "PRIORITY", "direction": "DESC" }, { "field": "TITLE" }]),
        json!([{ "field": "TITLE" }, { "field": "PRIORITY", "direction": "DESC" }]),
    ]
}

/// Deletes two of the tasks, updates two and creates one.
async fn change_tasks(app: &TestApp, actor: &Actor<'_>, round: usize, moving: &mut Vec<String>) {
    app.clock.advance(TimeDelta::seconds(1));
    for turn in [round * 7, round * 5] {
        let id = moving.remove(turn % moving.len());
        actor.data("mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }", json!({ "id": id })).await;
    }
    let change = json!({ "title": format!("task {round}{round}"), "priority": "HIGH",
                         "dueAt": format!("2027-01-{:02}T00:00:00Z", round % 28 + 1) });
    for turn in [round * 3, round * 11] {
        let id = &moving[turn % moving.len()];
        let query = "mutation($id: ID!, $input: UpdateTaskInput!) {
            updateTask(id: $id, input: $input) { task { id } } }";
        actor.data(query, json!({ "id": id, "input": change })).await;
    }
    moving.push(actor.create(change).await["id"].as_str().expect("an id").to_owned());
}

on_both_databases! {
    async fn a_list_has_twenty_tasks_newest_first_by_default(app) {
        let ann = app.user("ann").await;
        let tasks = numbered(app, &ann, 45).await;
        let newest_first = model::list(&tasks, &Value::Null, &[]);
        for arguments in [json!({}), json!({ "orderBy": null }), json!({ "orderBy": [], "filter": {} })] {
            let page = Page::of(&ann, arguments).await;
            assert_eq!(page.ids, newest_first[..20]);
            assert_eq!((page.has_next, page.has_previous, page.total), (true, false, json!(45)));
        }
        let all = Page::of(&ann, json!({ "first": 100 })).await;
        let after = Page::of(&ann, json!({ "after": all.cursors[9] })).await;
        assert_eq!((after.ids.as_slice(), after.has_next), (&newest_first[10..30], true));
        let before = Page::of(&ann, json!({ "before": all.cursors[39] })).await;
        assert_eq!((before.ids.as_slice(), before.has_previous), (&newest_first[19..39], true));
    }

    async fn tasks_created_sequentially_are_listed_newest_first(app) {
        let ann = app.user("ann").await;
        let mut made = Vec::new();
        for number in 0..5 {
            app.clock.advance(TimeDelta::milliseconds(1));
            made.push(ann.task(&number.to_string()).await);
        }
        made.reverse();
        assert_eq!(Page::of(&ann, json!({})).await.ids, made);
    }

    async fn an_empty_list_has_null_cursors(app) {
        let ann = app.user("ann").await;
        for arguments in [json!({}), json!({ "first": 5 }), json!({ "last": 5 })] {
            let page = ann.data(LIST, arguments).await;
            let info = json!({ "hasNextPage": false, "hasPreviousPage": false,
                               "startCursor": null, "endCursor": null });
            assert_eq!(page["tasks"], json!({ "edges": [], "nodes": [], "totalCount": 0, "pageInfo": info }));
        }
    }

    async fn the_task_list_of_a_user_equals_the_root_list(app) {
        let ann = app.user("ann").await;
        numbered(app, &ann, 25).await;
        let of_a_user = format!("{} }}", LIST.replacen("tasks(", "me { tasks(", 1));
        let cursor = &Page::of(&ann, json!({})).await.cursors[9];
        for arguments in [json!({}), json!({ "first": 3, "after": cursor }), json!({ "last": 3, "before": cursor }),
                      json!({ "filter": { "completed": true } }),
                      json!({ "orderBy": [{ "field": "TITLE" }], "last": 7 })] {
            assert_eq!(ann.data(&of_a_user, arguments.clone()).await["me"]["tasks"], ann.data(LIST, arguments).await["tasks"]);
        }
        for wrong in [json!({ "first": 0 }), json!({ "after": "x" }), json!({ "filter": negated(6, json!({})) }),
                      json!({ "orderBy": [{ "field": "TITLE" }], "before": cursor })] {
            assert_eq!(faults(&ann.error(&of_a_user, wrong.clone()).await), list_faults(&ann, wrong).await);
        }
    }

    async fn unchanged_tasks_are_neither_lost_nor_repeated_when_others_change(app) {
        let ann = app.user("ann").await;
        let ways = |order: Value| [(order.clone(), Direction::Forward), (order, Direction::Backward)];
        for (order_by, direction) in orders().into_iter().flat_map(ways) {
            app.execute_sql("DELETE FROM tasks").await;
            let (still, moving): (Vec<Task>, Vec<Task>) =
                numbered(app, &ann, 30).await.into_iter().partition(|task| task.id.as_u128() % 3 == 0);
            let mut moving: Vec<String> = moving.iter().map(|task| task.id.to_string()).collect();
            let still = model::list(&still, &Value::Null, order_by.as_array().expect("a list"));

            let (size, from) = direction.arguments();
            let mut arguments = json!({ "orderBy": order_by, size: 4 });
            let mut seen: Vec<String> = Vec::new();
            for round in 1.. {
                let page = Page::of(&ann, arguments.clone()).await;
                let Some(cursor) = direction.next_cursor(&page) else { break };
                arguments[from] = json!(cursor);
                direction.join(&mut seen, page.ids);
                if moving.len() > 4 {
                    change_tasks(app, &ann, round, &mut moving).await;
                }
            }
            seen.retain(|id| still.contains(id));
            assert_eq!(seen, still, "{order_by} {direction:?}");
        }
    }

    async fn a_page_continues_after_a_deleted_task(app) {
        let ann = app.user("ann").await;
        let tasks = numbered(app, &ann, 5).await;
        let page = Page::of(&ann, json!({ "first": 3 })).await;
        app.execute_sql("DELETE FROM tasks WHERE title = 'task 3'").await;
        let after = Page::of(&ann, json!({ "first": 3, "after": page.cursors[2] })).await;
        assert_eq!(after.ids, model::list(&tasks[..2], &Value::Null, &[]));
        let before = Page::of(&ann, json!({ "last": 3, "before": page.cursors[2] })).await;
        assert_eq!(before.ids, model::list(&tasks[3..], &Value::Null, &[]));
    }

    async fn a_cursor_is_only_valid_for_its_order(app) {
        let ann = app.user("ann").await;
        numbered(app, &ann, 3).await;
        let orders = orders();
        for theirs in &orders {
            let cursor = &Page::of(&ann, json!({ "orderBy": theirs })).await.cursors[1];
            for ours in &orders {
                for from in ["after", "before"] {
                    let arguments = json!({ "orderBy": ours, from: cursor });
                    if ours == theirs {
                        assert_eq!(Page::of(&ann, arguments).await.ids.len(), 1);
                    } else {
                        assert_eq!(list_faults(&ann, arguments).await, [format!("{from} invalid")], "{theirs}, {ours}");
                    }
                }
            }
        }
    }

    async fn a_cursor_is_valid_for_other_filters_and_page_sizes(app) {
        let ann = app.user("ann").await;
        numbered(app, &ann, 5).await;
        let filtered = Page::of(&ann, json!({ "first": 2, "filter": { "completed": false } })).await;
        let page = Page::of(&ann, json!({ "first": 9, "after": filtered.cursors[1] })).await;
        assert_eq!(page.ids.len(), 3);
    }

    async fn malformed_cursors_are_refused(app) {
        let ann = app.user("ann").await;
        numbered(app, &ann, 3).await;
        let cursor = Page::of(&ann, json!({})).await.cursors[1].clone();
        for text in [
            "", " ", "0", "null", "AAAA", "\u{1f600}", &format!("{cursor}="), &format!(" {cursor}"), &cursor[1..],
            &cursor[..cursor.len() - 2], &"A".repeat(100_000),
        ] {
            for from in ["after", "before"] {
                assert_eq!(list_faults(&ann, json!({ from: text })).await, [format!("{from} invalid")], "{text}");
            }
        }
    }

    async fn first_is_combined_with_after_and_last_with_before(app) {
        let ann = app.user("ann").await;
        numbered(app, &ann, 3).await;
        let cursor = &Page::of(&ann, json!({})).await.cursors[1];
        let values = [("first", json!(2)), ("after", json!(cursor)), ("last", json!(2)), ("before", json!(cursor))];
        for given in 0..16 {
            let is_given = |bit: usize| given & (1 << bit) != 0;
            let member = |(bit, (name, value)): (usize, &(&str, Value))| {
                (name.to_string(), if is_given(bit) { value.clone() } else { Value::Null })
            };
            let arguments: Value = values.iter().enumerate().map(member).collect();
            let both = |(one, other): &(&str, &str)| !arguments[one].is_null() && !arguments[other].is_null();
            let pairs = [("last", "first"), ("before", "after"), ("after", "last"), ("before", "first")];
            let expected: Vec<String> =
                pairs.into_iter().filter(both).map(|(one, _)| format!("{one} conflicting")).collect();
            if expected.is_empty() {
                Page::of(&ann, arguments).await;
            } else {
                assert_eq!(list_faults(&ann, arguments.clone()).await, expected, "{arguments}");
            }
        }
    }

    async fn a_page_has_one_to_a_hundred_tasks(app) {
        let ann = app.user("ann").await;
        numbered(app, &ann, 101).await;
        for name in ["first", "last"] {
            for size in [1, 100] {
                assert_eq!(Page::of(&ann, json!({ name: size })).await.ids.len(), size);
            }
            for size in [0, -1, 101, i32::MIN, i32::MAX] {
                assert_eq!(list_faults(&ann, json!({ name: size })).await, [format!("{name} out_of_range")]);
            }
            let beyond_int = list_faults(&ann, json!({ name: 1_i64 << 31 })).await;
            assert!(matches!(&beyond_int[..], [fault] if fault.starts_with(name)), "{beyond_int:?}");
            for size in [json!(1.5), json!("5"), json!([5])] {
                assert_eq!(list_faults(&ann, json!({ name: size })).await, [format!("{name} invalid")], "{size}");
            }
        }
    }
}
