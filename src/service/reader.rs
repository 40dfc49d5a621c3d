//! Reading without asking first whether the connection lives. That question costs as much time as the
//! answer to a small statement, and a statement that only reads can simply be sent again.

use sea_orm::entity::prelude::async_trait;
use sea_orm::sqlx::postgres::PgConnection;
use sea_orm::sqlx::{self, Connection};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement,
};

tokio::task_local! {
    /// Set while a connection is taken for a statement that can be sent again.
    static UNASKED: ();
}

/// Sees to a connection that is about to be taken from the pool.
pub async fn before_acquire(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    if UNASKED.try_with(|()| ()).is_err() {
        connection.ping().await?;
    }
    Ok(true)
}

/// A connection for statements that only read.
#[derive(Clone, Debug)]
pub struct Reader(pub DatabaseConnection);

#[async_trait::async_trait]
impl ConnectionTrait for Reader {
    fn get_database_backend(&self) -> DbBackend {
        self.0.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.0.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.0.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match UNASKED.scope((), self.0.query_one_raw(statement.clone())).await {
            Err(error) if has_died(&error) => self.0.query_one_raw(statement).await,
            read => read,
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match UNASKED.scope((), self.0.query_all_raw(statement.clone())).await {
            Err(error) if has_died(&error) => self.0.query_all_raw(statement).await,
            read => read,
        }
    }
}

/// Whether a connection turned out to be dead, which others need not be.
fn has_died(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause))) = error
    else {
        return false;
    };
    match &**cause {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        // admin_shutdown, crash_shutdown: the last word of a connection that was ended
        sqlx::Error::Database(error) => matches!(error.code().as_deref(), Some("57P01" | "57P02")),
        _ => false,
    }
}
