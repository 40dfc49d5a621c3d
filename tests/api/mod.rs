//! Tests of the GraphQL API and the HTTP routes, one file per topic.

mod account_pages;
mod accounts;
mod bad_input;
mod change_positions;
mod changes;
mod changes_during_purge;
mod concurrent_changes;
mod direct_json;
mod errors;
mod http;
mod limits;
mod lists;
mod literals_and_variables;
mod mail_queue;
mod ownership;
mod panics;
mod persisted_documents;
mod response_size;
mod schema;
mod scopes;
mod sessions;
mod subscriptions;
mod task_documents;
mod tasks;
mod throttling;
mod trash;
