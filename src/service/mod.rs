//! Owner-scoped access to the database. The data of an account is only reachable through a handle that
//! requires a [`Viewer`]. Each handle has one method that defines which rows belong to
//! the viewer; statements that several viewers share are in `coalesced`. This module does not depend on
//! HTTP or GraphQL, and its callers see no entities and no SQL.

mod account;
mod accounts;
mod api_keys;
mod change_poll;
mod coalesced;
mod deleted_accounts;
mod document_threads;
mod email_tokens;
mod expiring_keys;
mod login_throttle;
mod mail_queue;
mod operator;
mod rate_counters;
mod recovery;
mod registration;
mod reset_requests;
mod sessions;
mod task_lists;
mod task_rows;
mod tasks;
mod unique_ids;

use std::sync::{Arc, Weak};
use std::time::Duration;

use uuid::Uuid;

pub use crate::db::FeedListener;
pub use crate::db::entity::task::TaskColumns;
use account::ACCOUNT_DELETED;
pub use account::{Account, CreatedApiKey, Credentials, PasswordChange};
pub use accounts::{AccountRules, Accounts, LogoutScope};
pub use email_tokens::EmailTokens;
pub use mail_queue::{MailFigures, MailSender, WaitingMails};
pub use operator::Operator;
pub use recovery::PasswordReset;
pub use sessions::{SessionEnd, Sessions, SignedIn, StreamSession, token_has_expired};
pub use task_documents::diagnostic::{Code as DiagnosticCode, Diagnostic, Severity};
pub use task_documents::list::{Phase, Story};
pub use task_documents::merge::{ChangeKind, ConflictKind};
pub use task_lists::{
    ExportedList, ListMerge, ListMergeChange, ListMergeConflict, ListOutline, OutlineTask, StoredDocument,
    TaskLists, WaitingSeeds, WaitingTasks, check_document, progress_of, revision,
};
pub use tasks::{ByTask, DocumentMatch, ExportedTask, ItemPosition, Tasks, paths_of_task};

use crate::auth::{IpRateLimiter, LinkTokens, Passwords, Tokens, Viewer};
use crate::db::{Database, as_job};
use crate::domain::{Clock, Result, Scope, User};
use crate::mail::Mailer;
use crate::service::change_poll::ChangePoll;
use crate::service::coalesced::CoalescedStatements;
use crate::service::deleted_accounts::DeletedAccounts;
use crate::service::expiring_keys::ExpiringKeys;
use crate::service::login_throttle::LoginThrottle;
use crate::service::mail_queue::Outbox;
use crate::service::reset_requests::ResetRequests;
use crate::service::task_lists::ListDocuments;
use crate::service::tasks::trash::Trash;

/// The delay before a job that has panicked is restarted.
const JOB_RESTART_DELAY: Duration = Duration::from_secs(1);

/// All services, and the entry point to them.
pub struct Services {
    database: Database,
    clock: Clock,
    accounts: Accounts,
    sessions: Arc<Sessions>,
    throttle: Arc<LoginThrottle>,
    trash: Arc<Trash>,
    change_poll: Arc<ChangePoll>,
    deleted_accounts: Arc<DeletedAccounts>,
    reset_requests: Arc<ResetRequests>,
    expiring_keys: Arc<ExpiringKeys>,
    coalesced: CoalescedStatements,
    documents: ListDocuments,
    mails: Arc<MailSender>,
}

impl Services {
    /// Creates the services on an open, migrated database.
    pub fn new(
        database: Database,
        clock: Clock,
        (tokens, link_tokens): (Tokens, LinkTokens),
        mailer: Mailer,
        rules: AccountRules,
    ) -> Self {
        let lifetime = rules.session_lifetime;
        let sessions = Arc::new(Sessions::new(database.clone(), clock.clone(), tokens, lifetime));
        let throttle = Arc::new(LoginThrottle::new(database.clone(), clock.clone(), rules.login_failures));
        let deleted_accounts = Arc::new(DeletedAccounts::new(database.clone()));
        let outbox = Outbox::new(clock.clone(), rules.mails_per_hour);
        let email_tokens = Arc::new(EmailTokens::new(link_tokens, rules.token_lifetimes, clock.clone()));
        let reset_requests = Arc::new(ResetRequests {
            database: database.clone(),
            clock: clock.clone(),
            outbox: outbox.clone(),
            email_tokens: email_tokens.clone(),
            requested: Arc::default(),
        });
        let expiring_keys = Arc::new(ExpiringKeys {
            database: database.clone(),
            clock: clock.clone(),
            outbox: outbox.clone(),
        });
        let mails =
            MailSender::new(database.clone(), clock.clone(), mailer, email_tokens.clone(), outbox.clone());
        let accounts = Accounts {
            database: database.clone(),
            clock: clock.clone(),
            passwords: Passwords::default(),
            sessions: sessions.clone(),
            throttle: throttle.clone(),
            addresses: IpRateLimiter::new(rules.credentials_per_minute),
            rules,
            outbox,
            email_tokens,
            reset_requested: reset_requests.requested.clone(),
            purge_requested: deleted_accounts.purge_requested(),
        };
        let trash = Arc::new(Trash::new(database.clone(), clock.clone()));
        let change_poll = Arc::new(ChangePoll::new(database.clone()));
        let coalesced = CoalescedStatements::new(&database);
        Self {
            database,
            clock,
            accounts,
            sessions,
            throttle,
            trash,
            change_poll,
            deleted_accounts,
            reset_requests,
            expiring_keys,
            coalesced,
            documents: ListDocuments::default(),
            mails: Arc::new(mails),
        }
    }

    /// Account operations that do not require a signed-in user.
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// The sessions of all users.
    pub fn sessions(&self) -> &Arc<Sessions> {
        &self.sessions
    }

    /// The user that the viewer is, which needs no scope.
    ///
    /// Errors: Unauthenticated when the account was deleted.
    pub async fn user(&self, viewer: &Viewer) -> Result<User> {
        self.coalesced.users.submit(viewer.user_id()).await?.ok_or(ACCOUNT_DELETED)
    }

    /// The viewer's account. Errors: MissingRight without the scope ACCOUNT.
    pub fn account<'a>(&'a self, viewer: &'a Viewer) -> Result<Account<'a>> {
        viewer.require(Scope::Account)?;
        Ok(Account::new(&self.accounts, viewer))
    }

    /// The credentials of a viewer. Errors: MissingRight when the request was made with an API key.
    pub fn credentials<'a>(&'a self, viewer: &'a Viewer) -> Result<Credentials<'a>> {
        Credentials::new(&self.accounts, viewer)
    }

    /// The viewer's tasks, to read them. Errors: MissingRight without the scope TASKS_READ.
    pub fn tasks_read<'a>(&'a self, viewer: &'a Viewer) -> Result<Tasks<'a>> {
        viewer.require(Scope::TasksRead)?;
        Ok(self.tasks(viewer))
    }

    /// The viewer's tasks, to change them. Errors: MissingRight without the scope TASKS_WRITE.
    pub fn tasks_write<'a>(&'a self, viewer: &'a Viewer) -> Result<Tasks<'a>> {
        viewer.require(Scope::TasksWrite)?;
        Ok(self.tasks(viewer))
    }

    fn tasks<'a>(&'a self, viewer: &'a Viewer) -> Tasks<'a> {
        Tasks::new(&self.database, &self.clock, (&self.coalesced, &self.documents), viewer)
    }

    /// The viewer's task lists, to read them. Errors: MissingRight without the scope TASKS_READ.
    pub fn lists_read<'a>(&'a self, viewer: &'a Viewer) -> Result<TaskLists<'a>> {
        self.tasks_read(viewer).map(TaskLists::new)
    }

    /// The viewer's task lists, to change them. Errors: MissingRight without the scope TASKS_WRITE.
    pub fn lists_write<'a>(&'a self, viewer: &'a Viewer) -> Result<TaskLists<'a>> {
        self.tasks_write(viewer).map(TaskLists::new)
    }

    /// Sends the mails of the queue.
    pub fn mails(&self) -> &Arc<MailSender> {
        &self.mails
    }

    /// Listens to the changes of an owner's tasks.
    pub fn listen(&self, owner: Uuid) -> FeedListener {
        self.database.feeds().listen(owner)
    }

    /// Checks that the database replies and accepts writes.
    ///
    /// Errors: Unavailable or Timeout when it does not.
    pub async fn ready(&self) -> Result<()> {
        self.database.ready().await
    }

    /// Writes data that is otherwise written in the background, and waits shortly for the mails that are being
    /// sent. It is called after the last request.
    pub async fn finish(&self) {
        tokio::join!(self.sessions.write_pending_uses(), self.mails.finish());
    }

    /// Starts the background jobs. They run until the services are dropped.
    pub fn start_jobs(&self) {
        spawn_supervised(Sessions::poll_revocations, &self.sessions);
        spawn_supervised(Sessions::write_uses, &self.sessions);
        spawn_supervised(Sessions::delete_old, &self.sessions);
        spawn_supervised(DeletedAccounts::purge, &self.deleted_accounts);
        spawn_supervised(ResetRequests::run, &self.reset_requests);
        spawn_supervised(ExpiringKeys::run, &self.expiring_keys);
        spawn_supervised(LoginThrottle::delete_expired, &self.throttle);
        spawn_supervised(Trash::purge, &self.trash);
        spawn_supervised(ChangePoll::run, &self.change_poll);
        spawn_supervised(MailSender::run, &self.mails);
        spawn_supervised(MailSender::maintain, &self.mails);
    }
}

/// Runs a job until it returns, and restarts it after a panic.
fn spawn_supervised<T, J>(job: fn(Weak<T>) -> J, of: &Arc<T>)
where
    T: Send + Sync + 'static,
    J: Future<Output = ()> + Send + 'static,
{
    let of = Arc::downgrade(of);
    tokio::spawn(async move {
        while tokio::spawn(as_job(job(of.clone()))).await.is_err() {
            tokio::time::sleep(JOB_RESTART_DELAY).await;
        }
    });
}
