//! PUT of the document of a task.

use futures_util::future::join_all;

use super::support::{LIST, TASK, id_of, import, put, read, task_with_key};
use crate::support::on_both_databases;

on_both_databases! {
    async fn a_document_replaces_the_one_with_the_given_tag(app) {
        let ann = app.user("ann").await;
        let location = import(app, &ann, "/tasks", TASK).await;
        let tag = read(app, &ann, &location).await.tag();
        let file = TASK.replace("Draw ships", "Draw boats").replace("- [ ] Draw a hull", "* [X] Draw a hull");
        let replaced = put(app, &ann, &location, Some(("if-match", &tag)), file.clone()).await;
        assert_eq!((replaced.status, replaced.fields()), (200, ["diagnostics", "id", "title"].map(str::to_owned).to_vec()));
        let report = replaced.json();
        assert_eq!((report["title"].as_str(), report["id"].as_str()), (Some("Draw boats"), Some(id_of(&location))));
        let after = read(app, &ann, &location).await;
        assert_eq!((String::from_utf8_lossy(&after.body).as_ref(), after.tag()), (file.as_str(), replaced.tag()));
        assert_eq!(ann.read(id_of(&location)).await["version"], 2);
    }

    async fn a_document_needs_a_condition(app) {
        let ann = app.user("ann").await;
        let location = import(app, &ann, "/tasks", TASK).await;
        put(app, &ann, &location, None, "# Other").await.error((428, "BAD_REQUEST"));
        put(app, &ann, &location, Some(("if-none-match", "\"x\"")), "# Other").await.error((428, "BAD_REQUEST"));
        assert_eq!(read(app, &ann, &location).await.body, TASK.as_bytes());
    }

    async fn a_document_that_is_sent_back_changes_nothing(app) {
        let ann = app.user("ann").await;
        let location = import(app, &ann, "/tasks", TASK).await;
        assert_eq!(put(app, &ann, &location, Some(("if-match", "*")), TASK).await.status, 200);
        assert_eq!(ann.read(id_of(&location)).await["version"], 1);
    }

    async fn of_concurrent_replacements_with_one_tag_one_succeeds(app) {
        let ann = app.user("ann").await;
        let location = import(app, &ann, "/tasks", TASK).await;
        let tag = read(app, &ann, &location).await.tag();
        let (ann, location) = (&ann, &location);
        let replace = |n: usize| {
            let (tag, file) = (tag.clone(), TASK.replace("Draw ships", &format!("Draw {n} ships")));
            async move { put(app, ann, location, Some(("if-match", &tag)), file).await }
        };
        let responses = join_all((0..6).map(replace)).await;
        let mut statuses: Vec<u16> = responses.iter().map(|response| response.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412, 412, 412, 412, 412]);
        let won = responses.iter().find(|response| response.status == 200).expect("one has succeeded");
        assert_eq!(read(app, ann, location).await.tag(), won.tag());
    }

    async fn the_document_of_a_list_task_changes_its_line(app) {
        let ann = app.user("ann").await;
        let list = import(app, &ann, "/lists", LIST).await;
        let location = format!("/tasks/{}.md", task_with_key(&ann, &list, "T003").await);
        let file = "# TASK: Draw boats\n";
        let replaced = put(app, &ann, &location, Some(("if-match", "*")), file).await;
        assert_eq!((replaced.status, replaced.tag()), (200, read(app, &ann, &location).await.tag()));
        let exported = read(app, &ann, &list).await;
        assert_eq!(String::from_utf8_lossy(&exported.body), LIST.replace("Draw ships", "Draw boats"));
    }
}
