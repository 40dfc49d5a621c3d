//! Helpers of the tests: the service on a fresh database, HTTP clients, processes, databases and injected
//! faults.

mod actor;
mod admin;
mod app;
mod client;
mod database;
#[cfg(unix)]
mod exim;
mod fault_proxy;
mod http_stream;
mod ledger;
mod link_tokens;
mod load;
mod mail_server;
mod migrated;
pub mod postgres;
mod property;
mod recorded_rows;
mod server;
#[cfg(target_os = "linux")]
mod small_disk;
mod sql_session;
mod web_socket;

pub use actor::{Actor, GraphqlResponse, TASK, code, faults};
pub use app::{DatabaseKind, TestApp};
pub use client::{Client, HttpResponse, PASSWORD, operation};
pub use database::PostgresDatabase;
#[cfg(unix)]
pub use exim::Exim;
pub use fault_proxy::FaultProxy;
pub use http_stream::HttpStreamClient;
pub use ledger::Ledger;
pub use load::{CONNECTION_CLOSED, Load, Writer};
pub use mail_server::certificates::Authority;
pub use mail_server::{LOGIN, MailServer, Protection, ReceivedMail, Reply, SERVER_TEXT, Step};
pub use property::{for_all, object};
pub use serde_json::{Value, json};
pub use server::{Run, SECRET, Server, ServerEnv, wait_until, wait_within};
#[cfg(target_os = "linux")]
pub use small_disk::{SmallDisk, WriteFailure};
pub use sql_session::SqlSession;
pub use web_socket::SocketClient;

/// Defines each test twice, as `name::sqlite` and `name::postgres`, for a service started with the given
/// flags. Without a PostgreSQL server the second test passes with a notice (see [`postgres`]).
macro_rules! on_both_databases {
    ($(
        $(#[doc = $doc:literal])*
        $(#[flags($($flag:literal),*)])?
        async fn $name:ident($app:ident) $body:block
    )*) => {$(
        $(#[doc = $doc])*
        mod $name {
            #[allow(unused_imports, reason = "some tests do not use all imports of their module")]
            use super::*;
            use crate::support::{DatabaseKind, TestApp};

            async fn behaviour($app: &TestApp) $body

            const FLAGS: &[&str] = &[$($($flag),*)?];

            #[tokio::test]
            async fn sqlite() {
                TestApp::with(DatabaseKind::Sqlite, FLAGS, async |app| behaviour(app).await).await;
            }

            #[tokio::test]
            async fn postgres() {
                TestApp::with(DatabaseKind::Postgres, FLAGS, async |app| behaviour(app).await).await;
            }
        }
    )*};
}
pub(crate) use on_both_databases;
