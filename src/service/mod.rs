//! The handles that talk to the database. An account's data is reached through a handle that only a
//! [`Viewer`](crate::identity::Viewer) can open, and each handle has one place that knows whose rows
//! it may touch. No HTTP and no GraphQL enters here, and no entity or SQL leaves.

mod accounts;
mod database;
#[expect(clippy::disallowed_methods, reason = "the derive macro of the entities calls them")]
mod entity;
mod profile;
mod task_query;
mod tasks;

pub use accounts::{Accounts, LogoutScope, SignedIn};
pub use database::{Database, DatabaseUrl};
pub use profile::Profile;
pub use tasks::Tasks;

use crate::domain::Clock;
use crate::identity::{Passwords, Tokens, Viewer};

/// Everything that the service can do; the way in for everybody else.
pub struct Services {
    database: Database,
    clock: Clock,
    accounts: Accounts,
}

impl Services {
    /// Puts the handles on an open, migrated database.
    pub fn new(database: Database, clock: Clock, tokens: Tokens, rules: accounts::Rules) -> Self {
        let passwords = Passwords::default();
        let accounts = Accounts::new(database.clone(), clock.clone(), passwords, tokens, rules);
        Self { database, clock, accounts }
    }

    /// What may be asked without being signed in.
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// The viewer's own account.
    pub fn profile<'a>(&'a self, viewer: &'a Viewer) -> Profile<'a> {
        Profile::new(&self.database, &self.clock, viewer)
    }

    /// The viewer's own tasks.
    pub fn tasks<'a>(&'a self, viewer: &'a Viewer) -> Tasks<'a> {
        Tasks::new(&self.database, &self.clock, viewer)
    }

    /// Whether the database answers.
    pub async fn ready(&self) -> crate::domain::Result<()> {
        self.database.ping().await
    }
}

pub use accounts::Rules as AccountRules;
