//! Statements that stand alone and may be sent again: those that read, and those that do the same when
//! they come twice. On PostgreSQL they have connections of their own. The library's pool asks a
//! connection whether it lives before each use and after it, and each question costs as much as the
//! answer to a small statement; here a dead connection is found by the statement itself, which then goes
//! to another.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool::managed::{
    Manager, Metrics, Object, Pool, PoolError, QueueMode, RecycleError, RecycleResult, WeakPool,
};
use futures_util::TryStreamExt;
use sea_orm::entity::prelude::async_trait;
use sea_orm::sqlx::postgres::{
    PgConnectOptions, PgConnection, PgDatabaseError, PgQueryResult, PgRow, PgSeverity,
};
use sea_orm::sqlx::{self, AssertSqlSafe, ConnectOptions, Connection, Either, Executor};
use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult,
    RuntimeErr, Statement, Values,
};
use sea_query_sqlx::SqlxValues;

use crate::db::{ACQUIRE_TIMEOUT, STATEMENT_TIMEOUT};

/// How long a statement may take. The server stops it earlier, unless it never saw it.
const ANSWER_TIMEOUT: Duration = STATEMENT_TIMEOUT.saturating_add(Duration::from_secs(2));
/// How long a connection may take to say that it lives.
const PING_TIMEOUT: Duration = Duration::from_secs(1);
/// A connection that has had nothing to do for so long is asked in any case: what lies between may have
/// forgotten it without a word to either side.
const RESTED: Duration = Duration::from_secs(30);
/// After so long without anything to do a connection is closed.
const IDLE: Duration = Duration::from_secs(10 * 60);
/// How often the connections are looked through for such.
const SWEPT_EVERY: Duration = Duration::from_secs(30);
/// A server process grows with what it has cached for its connection.
const LIFETIME: Duration = Duration::from_secs(30 * 60);

/// Runs statements that may be sent again.
#[derive(Clone, Debug)]
pub struct Single {
    connections: Connections,
    observer: Option<Observer>,
}

#[derive(Clone, Debug)]
enum Connections {
    /// Those of the library's pool.
    Shared(DatabaseConnection),
    /// Some of its own.
    Own(Pool<Connector>),
}

/// Is told each statement.
#[derive(Clone)]
struct Observer(Arc<dyn Fn(&str) + Send + Sync>);

impl fmt::Debug for Observer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Observer")
    }
}

impl Single {
    /// On the connections of the library's pool.
    pub fn shared(pool: DatabaseConnection) -> Self {
        Self { connections: Connections::Shared(pool), observer: None }
    }

    /// On so many connections of its own, which are made when they are needed.
    pub fn own(options: PgConnectOptions, connections: usize) -> Self {
        // Those that were used last are used first, so that they are the ones that live.
        let pool = Pool::builder(Connector { options }).max_size(connections).queue_mode(QueueMode::Lifo);
        let pool = pool.build().expect("no time limits that would need a runtime");
        tokio::spawn(close_idle(pool.weak()));
        Self { connections: Connections::Own(pool), observer: None }
    }

    /// How many connections of its own there are, and how many of them have nothing to do.
    pub fn own_connections(&self) -> (usize, usize) {
        match &self.connections {
            Connections::Shared(_) => (0, 0),
            Connections::Own(pool) => {
                let status = pool.status();
                (status.size, status.available)
            }
        }
    }

    /// The library's pool, if it is on that.
    pub fn pool(&self) -> Option<&DatabaseConnection> {
        match &self.connections {
            Connections::Shared(pool) => Some(pool),
            Connections::Own(_) => None,
        }
    }

    /// Tells each statement that is run from now on.
    pub fn observe(&mut self, observer: impl Fn(&str) + Send + Sync + 'static) {
        let observer = Arc::new(observer);
        self.observer = Some(Observer(observer.clone()));
        if let Connections::Shared(pool) = &mut self.connections {
            pool.set_metric_callback(move |info| observer(&info.statement.sql));
        }
    }

    /// Fails while the database does not answer.
    pub async fn ping(&self) -> Result<(), DbErr> {
        match &self.connections {
            Connections::Shared(pool) => pool.ping().await,
            Connections::Own(pool) => take(pool).await.map(drop),
        }
    }

    /// Closes the connections.
    pub async fn close(&self) -> Result<(), DbErr> {
        match &self.connections {
            Connections::Shared(pool) => pool.close_by_ref().await,
            Connections::Own(pool) => {
                pool.close();
                Ok(())
            }
        }
    }

    /// Runs a statement, and once more on a connection that has said that it lives when the first one
    /// turns out dead.
    async fn run(&self, pool: &Pool<Connector>, statement: &Statement) -> Result<Outcome, DbErr> {
        if let Some(Observer(observer)) = &self.observer {
            observer(&statement.sql);
        }
        match UNASKED.scope((), run(pool, statement)).await {
            Err(error) if has_died(&error) => run(pool, statement).await,
            done => done,
        }
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Single {
    fn get_database_backend(&self) -> DbBackend {
        match &self.connections {
            Connections::Shared(pool) => pool.get_database_backend(),
            Connections::Own(_) => DbBackend::Postgres,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match &self.connections {
            Connections::Shared(pool) => pool.execute_raw(statement).await,
            Connections::Own(pool) => Ok(self.run(pool, &statement).await?.done.into()),
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.execute_raw(Statement::from_string(self.get_database_backend(), sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match &self.connections {
            Connections::Shared(pool) => pool.query_one_raw(statement).await,
            Connections::Own(pool) => {
                let rows = self.run(pool, &statement).await?.rows;
                Ok(rows.into_iter().next().map(Into::into))
            }
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match &self.connections {
            Connections::Shared(pool) => pool.query_all_raw(statement).await,
            Connections::Own(pool) => {
                let rows = self.run(pool, &statement).await?.rows;
                Ok(rows.into_iter().map(Into::into).collect())
            }
        }
    }
}

/// Closes the connections that nobody needs, or that are old, for as long as there is a pool.
async fn close_idle(pool: WeakPool<Connector>) {
    let mut interval = tokio::time::interval(SWEPT_EVERY);
    loop {
        interval.tick().await;
        let Some(pool) = pool.upgrade() else { return };
        pool.retain(|held, metrics| metrics.last_used() < IDLE && held.made.elapsed() < LIFETIME);
    }
}

/// What a statement gave.
#[derive(Default)]
struct Outcome {
    rows: Vec<PgRow>,
    done: PgQueryResult,
}

async fn run(pool: &Pool<Connector>, statement: &Statement) -> Result<Outcome, DbErr> {
    let mut held = take(pool).await?;
    held.is_busy = true;
    let answer = tokio::time::timeout(ANSWER_TIMEOUT, held.run(statement)).await;
    answer.unwrap_or(Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)))
}

async fn take(pool: &Pool<Connector>) -> Result<Object<Connector>, DbErr> {
    match tokio::time::timeout(ACQUIRE_TIMEOUT, pool.get()).await {
        Ok(Ok(held)) => Ok(held),
        Ok(Err(PoolError::Backend(error))) => Err(DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))),
        Ok(Err(PoolError::Closed)) => Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)),
        Ok(Err(_)) | Err(_) => Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
    }
}

tokio::task_local! {
    /// Set while a connection is taken without asking whether it lives.
    static UNASKED: ();
}

/// Makes connections and keeps them alive.
#[derive(Debug)]
struct Connector {
    options: PgConnectOptions,
}

/// A connection.
#[derive(Debug)]
struct Held {
    connection: PgConnection,
    made: Instant,
    /// While a statement runs; and for good when it broke off, since what it left behind is unknown.
    is_busy: bool,
}

impl Held {
    async fn run(&mut self, statement: &Statement) -> Result<Outcome, DbErr> {
        let values = statement.values.clone().unwrap_or(Values(Vec::new()));
        let query = sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), SqlxValues(values));
        let mut outcome = Outcome::default();
        let mut steps = self.connection.fetch_many(query);
        while let Some(step) = steps.try_next().await.transpose() {
            match step {
                Ok(Either::Left(done)) => outcome.done.extend([done]),
                Ok(Either::Right(row)) => outcome.rows.push(row),
                Err(error) => {
                    drop(steps);
                    // What the server has to say of a statement leaves the connection as it was.
                    self.is_busy = error.as_database_error().is_none() || ends_connection(&error);
                    return Err(DbErr::Query(RuntimeErr::SqlxError(Arc::new(error))));
                }
            }
        }
        drop(steps);
        self.is_busy = false;
        Ok(outcome)
    }
}

impl Manager for Connector {
    type Type = Held;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<Held, sqlx::Error> {
        // Boxed: making one takes so much room that everybody who may have to make one would carry it.
        let connection = Box::pin(self.options.connect()).await?;
        Ok(Held { connection, made: Instant::now(), is_busy: false })
    }

    async fn recycle(&self, held: &mut Held, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        if held.is_busy || held.made.elapsed() > LIFETIME {
            return Err(RecycleError::message("it is broken or old"));
        }
        if UNASKED.try_with(|()| ()).is_err() || metrics.last_used() > RESTED {
            let answer = tokio::time::timeout(PING_TIMEOUT, held.connection.ping()).await;
            answer.map_err(|_| RecycleError::message("it does not answer"))??;
        }
        Ok(())
    }
}

/// Whether a connection turned out to be dead, which others need not be.
fn has_died(error: &DbErr) -> bool {
    matches!(error, DbErr::Query(RuntimeErr::SqlxError(cause)) if ends_connection(cause))
}

/// Whether there can be nothing more on a connection after this.
fn ends_connection(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        // The last word of a connection that was ended: shut down, idle for too long, or another reason.
        sqlx::Error::Database(error) => error
            .try_downcast_ref::<PgDatabaseError>()
            .is_some_and(|error| matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic)),
        _ => false,
    }
}
