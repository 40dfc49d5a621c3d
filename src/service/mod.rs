//! The handles that talk to the database. An account's data is reached through a handle that only a
//! [`Viewer`](crate::auth::Viewer) can open, and each handle has one place that knows whose rows
//! it may touch, and another for statements that several viewers share. This module does not know HTTP or
//! GraphQL, and its callers see no entities and no SQL.

mod account;
mod accounts;
mod coalesced;
mod deleted_accounts;
mod login_throttle;
mod operator;
mod sessions;
mod tasks;

use std::sync::{Arc, Weak};
use std::time::Duration;

use chrono::TimeDelta;

pub use crate::db::entity::task::TaskColumns;
pub use account::Account;
pub use accounts::{Accounts, LogoutScope};
pub use operator::Operator;
pub use sessions::{Sessions, SignedIn};
pub use tasks::{ByTask, ItemPosition, Tasks};

use crate::auth::{IpRateLimiter, Passwords, Tokens, Viewer};
use crate::db::Database;
use crate::domain::Clock;
use crate::service::coalesced::CoalescedStatements;
use crate::service::deleted_accounts::DeletedAccounts;
use crate::service::login_throttle::LoginThrottle;
use crate::service::tasks::trash::Trash;

/// Before a job that panicked begins again.
const JOB_RESTART_DELAY: Duration = Duration::from_secs(1);

/// What the operator decides about accounts.
#[derive(Clone, Debug)]
pub struct AccountRules {
    /// Whether anybody may register.
    pub registration_open: bool,
    /// How long a session lasts at most.
    pub session_lifetime: TimeDelta,
    /// Failed logins of one account from one network in 15 minutes; 0 is no limit.
    pub login_failures: i32,
    /// Credential operations of one address a minute; 0 is no limit.
    pub credentials_per_minute: u32,
}

/// Everything that the service can do; the way in for everybody else.
pub struct Services {
    database: Database,
    clock: Clock,
    accounts: Accounts,
    sessions: Arc<Sessions>,
    throttle: Arc<LoginThrottle>,
    trash: Arc<Trash>,
    deleted_accounts: Arc<DeletedAccounts>,
    coalesced: CoalescedStatements,
}

impl Services {
    /// Puts the handles on an open, migrated database.
    pub fn new(database: Database, clock: Clock, tokens: Tokens, rules: &AccountRules) -> Self {
        let lifetime = rules.session_lifetime;
        let sessions = Arc::new(Sessions::new(database.clone(), clock.clone(), tokens, lifetime));
        let throttle = Arc::new(LoginThrottle::new(database.clone(), clock.clone(), rules.login_failures));
        let deleted_accounts = Arc::new(DeletedAccounts::new(database.clone()));
        let accounts = Accounts {
            database: database.clone(),
            clock: clock.clone(),
            passwords: Passwords::default(),
            sessions: sessions.clone(),
            throttle: throttle.clone(),
            addresses: IpRateLimiter::new(rules.credentials_per_minute),
            registration_open: rules.registration_open,
            purge_requested: deleted_accounts.purge_requested(),
        };
        let trash = Arc::new(Trash::new(database.clone(), clock.clone()));
        let coalesced = CoalescedStatements::new(&database);
        Self { database, clock, accounts, sessions, throttle, trash, deleted_accounts, coalesced }
    }

    /// What may be asked without being signed in.
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// The sign-ins.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// The viewer's own account.
    pub fn account<'a>(&'a self, viewer: &'a Viewer) -> Account<'a> {
        Account::new(&self.accounts, &self.coalesced, viewer)
    }

    /// The viewer's own tasks.
    pub fn tasks<'a>(&'a self, viewer: &'a Viewer) -> Tasks<'a> {
        Tasks::new(&self.database, &self.clock, &self.coalesced, viewer)
    }

    /// Fails while the database does not answer or accepts no writes.
    pub async fn ready(&self) -> crate::domain::Result<()> {
        self.database.ready().await
    }

    /// Writes what is otherwise written in the background, after the last request.
    pub async fn finish(&self) {
        self.sessions.write_pending_uses().await;
    }

    /// What goes on beside the requests, for as long as the services are there.
    pub fn start_jobs(&self) {
        spawn_supervised(Sessions::poll_revocations, &self.sessions);
        spawn_supervised(Sessions::write_uses, &self.sessions);
        spawn_supervised(Sessions::delete_old, &self.sessions);
        spawn_supervised(DeletedAccounts::purge, &self.deleted_accounts);
        spawn_supervised(LoginThrottle::delete_expired, &self.throttle);
        spawn_supervised(Trash::purge, &self.trash);
    }
}

/// Runs a job until it ends by itself; when it panics it begins again.
fn spawn_supervised<T, J>(job: fn(Weak<T>) -> J, of: &Arc<T>)
where
    T: Send + Sync + 'static,
    J: Future<Output = ()> + Send + 'static,
{
    let of = Arc::downgrade(of);
    tokio::spawn(async move {
        while tokio::spawn(job(of.clone())).await.is_err() {
            tokio::time::sleep(JOB_RESTART_DELAY).await;
        }
    });
}
