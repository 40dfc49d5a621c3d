//! The subscription `taskChanges` without a transport: when events come, what they contain, and how they end.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Value as GraphqlValue, Variables};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use taskhold::api::{Event, Started, Subscription};
use taskhold::auth::{ClientInfo, Credential};
use taskhold::graphql::{Execution, GraphqlRequest};
use taskhold::service::Operator;
use tokio::time::{Instant, timeout};

use crate::support::{Actor, DatabaseKind, PASSWORD, TestApp, Value, json, on_both_databases, postgres};

const TITLES: &str = "subscription($after: String, $first: Int) { taskChanges(after: $after, first: $first) {
    changes { version task { title } } cursor hasMore } }";
const UPDATE: &str =
    "mutation($id: ID!, $title: String!) { updateTask(id: $id, input: { title: $title }) { task { id } } }";
/// Longer than the interval at which changes of other processes are looked for.
const SILENCE: Duration = Duration::from_millis(700);
const TIME_LIMIT: Duration = Duration::from_secs(5);
const MAX_EVENT_BYTES: usize = 1 << 20;

pub async fn start(
    app: &TestApp,
    actor: &Actor<'_>,
    query: &str,
    variables: Value,
    last: Option<&str>,
) -> Started {
    let request = GraphqlRequest {
        query: Some(query.to_owned()),
        variables: Variables::from_json(variables),
        last_event_id: last.map(str::to_owned),
        ..GraphqlRequest::default()
    };
    app.api.start(request, Credential::Bearer(Arc::new(actor.token().into())), ClientInfo::default()).await
}

async fn subscribe_after(
    app: &TestApp,
    actor: &Actor<'_>,
    variables: Value,
    last: Option<&str>,
) -> Subscription {
    started(start(app, actor, TITLES, variables, last).await)
}

/// The subscription that has started.
pub fn started(started: Started) -> Subscription {
    match started {
        Started::Subscribed(subscription) => *subscription,
        Started::Executed(execution, _) => panic!("it was refused: {:?}", execution.response.errors),
    }
}

async fn subscribe(app: &TestApp, actor: &Actor<'_>, variables: Value) -> Subscription {
    subscribe_after(app, actor, variables, None).await
}

/// Waits for the next event.
async fn next_event(subscription: &mut Subscription) -> Event {
    loop {
        subscription.ready().await;
        if let Some(event) = subscription.read().await {
            return event;
        }
    }
}

/// The data and the size of the next event, which is not a failure.
pub async fn next(subscription: &mut Subscription) -> (Value, usize) {
    let event = timeout(TIME_LIMIT, next_event(subscription)).await.expect("an event comes in time");
    let Event::Next { execution, cursor } = event else { panic!("the subscription has failed") };
    assert!(execution.response.errors.is_empty(), "{:?}", execution.response.errors);
    let GraphqlValue::Binary(json) = &execution.response.data else { panic!("the data are written as JSON") };
    let data: Value = serde_json::from_slice(json).expect("the data are JSON");
    let page = data.as_object().and_then(|data| data.values().next()).expect("there is a field").clone();
    assert_eq!(page["cursor"], cursor);
    (page, json.len())
}

/// The titles in the next event, and whether there are more.
async fn titles(subscription: &mut Subscription) -> (Vec<String>, bool) {
    let (page, _) = next(subscription).await;
    let title = |change: &Value| change["task"]["title"].as_str().expect("a title").to_owned();
    (page["changes"].as_array().expect("changes").iter().map(title).collect(), page["hasMore"] == true)
}

/// The only error of an execution.
pub fn error(execution: &Execution) -> Value {
    assert_eq!(execution.response.errors.len(), 1, "{:?}", execution.response.errors);
    serde_json::to_value(&execution.response.errors[0]).expect("an error is JSON")
}

fn code(execution: &Execution) -> Value {
    error(execution)["extensions"]["code"].clone()
}

/// The execution with which the subscription ends.
async fn failure(subscription: &mut Subscription) -> Execution {
    match timeout(TIME_LIMIT, next_event(subscription)).await.expect("an event comes in time") {
        Event::Failed(execution) => execution,
        Event::Next { .. } => panic!("the subscription continues"),
    }
}

pub async fn assert_silent(subscription: &mut Subscription) {
    assert!(timeout(SILENCE, next_event(subscription)).await.is_err(), "an event without a change");
}

async fn cursor(actor: &Actor<'_>) -> Value {
    actor.data("{ tasks { syncCursor } }", json!({})).await["tasks"]["syncCursor"].clone()
}

on_both_databases! {
    async fn the_first_event_comes_immediately_and_each_later_one_after_a_change(app) {
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let id = ann.task("old").await;
        let mut subscription = subscribe(app, &ann, json!({})).await;
        assert_eq!(titles(&mut subscription).await, (vec![], false));
        bob.task("bob's").await;
        ann.data(UPDATE, json!({ "id": id, "title": "old" })).await;
        ann.data("mutation { updateProfile(input: { name: \"Ann B.\" }) { user { id } } }", json!({})).await;
        assert_silent(&mut subscription).await;
        for title in ["one", "two"] {
            ann.task(title).await;
            assert_eq!(titles(&mut subscription).await, (vec![title.to_owned()], false));
        }
        for number in 0..5 {
            ann.data(UPDATE, json!({ "id": id, "title": number.to_string() })).await;
        }
        assert_eq!(titles(&mut subscription).await, (vec!["4".to_owned()], false));
        assert_silent(&mut subscription).await;
    }

    async fn changes_of_other_processes_are_reported_within_a_second(app) {
        let ann = app.user("ann").await;
        ann.task("one").await;
        let mut subscription = subscribe(app, &ann, json!({})).await;
        titles(&mut subscription).await;
        let mut delays = Vec::new();
        for _ in 0..5 {
            let changed = Instant::now();
            app.execute_sql("UPDATE tasks SET version = version + 1").await;
            assert_eq!(titles(&mut subscription).await.0, ["one"]);
            delays.push(changed.elapsed());
        }
        // One may be later, because the machine may be busy for a moment.
        delays.sort_unstable();
        assert!(delays[3] < Duration::from_secs(1), "{delays:?}");
    }

    async fn changes_within_a_short_time_share_an_event(app) {
        let ann = app.user("ann").await;
        let mut subscription = subscribe(app, &ann, json!({ "first": 100 })).await;
        titles(&mut subscription).await;
        let begun = Instant::now();
        let changes = async {
            for number in 0..30 {
                ann.task(&number.to_string()).await;
            }
        };
        let events = async {
            let (mut all, mut events) = (Vec::new(), 0);
            while all.len() < 30 {
                all.extend(titles(&mut subscription).await.0);
                events += 1;
            }
            (all, events)
        };
        let ((), (all, events)) = futures_util::join!(changes, events);
        assert_eq!(all, (0..30).map(|number| number.to_string()).collect::<Vec<_>>());
        // There are 50 ms before each event.
        let most = begun.elapsed().as_millis() / 50;
        assert!(events <= most, "{events} events in {:?}", begun.elapsed());
    }

    async fn a_backlog_is_reported_in_pages_without_a_pause(app) {
        let ann = app.user("ann").await;
        let start = cursor(&ann).await;
        for number in 0..5 {
            ann.task(&number.to_string()).await;
        }
        let mut subscription = subscribe(app, &ann, json!({ "after": start, "first": 2 })).await;
        for (expected, has_more) in [(&["0", "1"][..], true), (&["2", "3"], true), (&["4"], false)] {
            let found = titles(&mut subscription).await;
            assert_eq!(found, (expected.iter().map(|title| (*title).to_owned()).collect(), has_more));
        }
        assert_silent(&mut subscription).await;
    }

    async fn an_event_with_several_changes_has_at_most_a_mebibyte(app) {
        let ann = app.user("ann").await;
        let start_cursor = cursor(&ann).await;
        for number in 0..12 {
            ann.create(json!({ "title": number.to_string(), "description": "€".repeat(20_000) })).await;
        }
        for (copies, first, largest) in [(1, 20, 12), (2, 20, 6), (20, 3, 1)] {
            let descriptions: String = (0..copies).map(|copy| format!("a{copy}: description ")).collect();
            let query = TITLES.replace("title", &format!("title {descriptions}"));
            let mut subscription = started(start(app, &ann, &query, json!({ "after": start_cursor, "first": first }), None).await);
            let (mut all, mut sizes) = (Vec::new(), Vec::new());
            while all.len() < 12 {
                let (page, bytes) = next(&mut subscription).await;
                let changes = page["changes"].as_array().expect("changes");
                assert!(changes.len() == 1 || bytes <= MAX_EVENT_BYTES, "{bytes} bytes");
                assert_eq!(page["hasMore"], all.len() + changes.len() < 12);
                sizes.push(changes.len());
                all.extend(changes.iter().map(|change| change["task"]["title"].clone()));
            }
            assert_eq!(all, (0..12).map(|number| json!(number.to_string())).collect::<Vec<_>>());
            assert_eq!(sizes.iter().max(), Some(&largest), "{sizes:?}");
        }
    }

    async fn of_two_cursors_the_later_one_counts(app) {
        let ann = app.user("ann").await;
        let early = cursor(&ann).await;
        ann.task("one").await;
        let late = cursor(&ann).await;
        ann.task("two").await;
        for (after, last, expected) in [
            (&early, None, &["one", "two"][..]),
            (&early, late.as_str(), &["two"]),
            (&late, early.as_str(), &["two"]),
            (&Value::Null, early.as_str(), &["one", "two"]),
        ] {
            let mut subscription = subscribe_after(app, &ann, json!({ "after": after }), last).await;
            assert_eq!(titles(&mut subscription).await.0, expected);
            ann.data(UPDATE, json!({ "id": ann.task("new").await, "title": "new 2" })).await;
            assert_eq!(titles(&mut subscription).await.0, ["new 2"], "the arguments do not count again");
            app.execute_sql("DELETE FROM tasks WHERE title = 'new 2'").await;
        }
    }

    async fn an_invalid_cursor_ends_the_subscription_with_its_field(app) {
        let ann = app.user("ann").await;
        for (variables, last, expected) in [
            (json!({ "after": "x" }), None, json!([["after"]])),
            (json!({}), Some("x"), json!([["lastEventId"]])),
            (json!({ "after": "x", "first": 0 }), Some(""), json!([["first"], ["after"], ["lastEventId"]])),
        ] {
            let execution = failure(&mut subscribe_after(app, &ann, variables, last).await).await;
            assert_eq!(code(&execution), "BAD_USER_INPUT");
            let fields = error(&execution)["extensions"]["fields"].clone();
            let paths: Value = fields.as_array().expect("fields").iter().map(|field| field["path"].clone()).collect();
            assert_eq!(paths, expected);
        }
    }

    async fn a_subscription_selects_exactly_one_field(app) {
        let ann = app.user("ann").await;
        let fragment = "subscription { ...F } fragment F on Subscription { ... on Subscription { c: taskChanges { cursor } } }";
        next(&mut started(start(app, &ann, fragment, json!({}), None).await)).await;
        for query in [
            "subscription { taskChanges { cursor } b: taskChanges { cursor } }",
            "subscription { taskChanges { cursor } __typename }",
            "subscription { __typename }",
            "subscription { taskChanges @include(if: true) { cursor } }",
            "subscription { ... @skip(if: false) { taskChanges { cursor } } }",
        ] {
            let Started::Executed(execution, _) = start(app, &ann, query, json!({}), None).await else {
                panic!("it was accepted: {query}")
            };
            assert_eq!(code(&execution), "BAD_REQUEST", "{query}");
        }
    }

    async fn a_resync_by_another_process_ends_a_subscription(app) {
        let ann = app.user("ann").await;
        ann.task("one").await;
        let mut subscription = subscribe(app, &ann, json!({})).await;
        titles(&mut subscription).await;
        // The command tells the service nothing. The service finds the new counter.
        Operator::new(app.database.clone()).resync().await.expect("the command succeeds");
        assert_eq!(code(&failure(&mut subscription).await), "CURSOR_EXPIRED");
    }

    async fn an_expired_last_event_id_does_not_count_beside_a_later_cursor(app) {
        let ann = app.user("ann").await;
        let early = cursor(&ann).await;
        ann.task("one").await;
        Operator::new(app.database.clone()).resync().await.expect("the command succeeds");
        let late = cursor(&ann).await;
        let mut expired = subscribe_after(app, &ann, json!({}), early.as_str()).await;
        assert_eq!(code(&failure(&mut expired).await), "CURSOR_EXPIRED");
        let mut valid = subscribe_after(app, &ann, json!({ "after": late }), early.as_str()).await;
        assert_eq!(titles(&mut valid).await, (vec![], false));
    }

    #[flags("--limit-credentials-per-minute", "0")]
    async fn no_event_follows_the_end_of_the_session(app) {
        let ann = app.user("ann").await;
        let login = "mutation($email: String!, $password: String!) {
            login(input: { usernameOrEmail: $email, password: $password }) { accessToken } }";
        let other = app.anonymous().data(login, json!({ "email": ann.email, "password": PASSWORD })).await;
        let other = app.with_token(other["login"]["accessToken"].as_str().expect("a token"));
        let mut subscription = subscribe(app, &ann, json!({})).await;
        titles(&mut subscription).await;
        ann.data("mutation { logout(scope: CURRENT) { success } }", json!({})).await;
        other.task("one").await;
        assert_eq!(code(&failure(&mut subscription).await), "UNAUTHENTICATED");
    }
}

#[tokio::test]
async fn a_subscription_continues_when_the_database_can_be_reached_again() {
    TestApp::with(DatabaseKind::Postgres, &[], async |app| {
        let ann = app.user("ann").await;
        let (mut old, mut new) = (subscribe(app, &ann, json!({})).await, subscribe(app, &ann, json!({})).await);
        titles(&mut old).await;
        ann.task("one").await;
        let admin = sea_orm::Database::connect(postgres::server_url().expect("there is a server")).await;
        let admin = admin.expect("the server accepts connections");
        let name = Statement::from_string(DbBackend::Postgres, "SELECT current_database()::text");
        let name = app.connection().query_one_raw(name).await.expect("a valid query").expect("a row");
        let name: String = name.try_get_by_index(0).expect("a text");
        let allow = async |allowed: bool| {
            let alter = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {allowed}");
            admin.execute_unprepared(&alter).await.expect("a valid statement");
        };
        allow(false).await;
        let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        admin.execute_unprepared(&end).await.expect("a valid statement");
        old.ready().await;
        assert!(old.read().await.is_none(), "it is tried again");
        assert!(matches!(new.read_first().await, Event::Failed(execution) if code(&execution) == "SERVICE_UNAVAILABLE"));
        allow(true).await;
        let begun = Instant::now();
        assert_eq!(titles(&mut old).await, (vec!["one".to_owned()], false));
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        assert_eq!(titles(&mut new).await, (vec![], false));
    })
    .await;
}
