//! Account operations for operators, used by the command line only. No request can reach them.

use std::net::{IpAddr, Ipv4Addr};

use sea_orm::sea_query::Expr;
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Statement};
use uuid::Uuid;

use crate::auth::Passwords;
use crate::db::entity::{session, user};
use crate::db::{Database, Transaction, in_transaction, map_error};
use crate::domain::{Clock, Error, NewPassword, Registration, Result, User};
use crate::service::sessions::limit::trim_sessions;
use crate::service::sessions::revoke_sessions;
use crate::service::{accounts, registration};

/// The number of accounts whose cursors one statement expires.
const ACCOUNTS_PER_RESYNC: u64 = 1_000;

/// Access to all accounts for an operator.
pub struct Operator {
    database: Database,
    clock: Clock,
    passwords: Passwords,
}

impl Operator {
    /// Works on an open, migrated database. Servers may be running on it.
    pub fn new(database: Database) -> Self {
        Self { database, clock: Clock::default(), passwords: Passwords::default() }
    }

    /// All accounts, oldest first.
    pub async fn list(&self) -> Result<Vec<User>> {
        let rows = user::Entity::find().filter(user::COLUMN.deleted_at.is_null());
        let rows = rows.order_by_asc(user::Column::CreatedAt).order_by_asc(user::Column::Id);
        let rows = rows.all(self.database.read()).await.map_err(map_error)?;
        Ok(rows.into_iter().map(User::from).collect())
    }

    /// Creates an account, whether or not registration is open.
    ///
    /// Errors: AlreadyExists when the e-mail address or the username is taken.
    pub async fn create(&self, registration: &Registration) -> Result<User> {
        let hash = self.passwords.hash(&registration.password, LOCAL_NETWORK).await?;
        in_transaction!(self.database, |transaction| {
            registration::insert(&transaction, registration, &hash, self.clock.now()).await
        })
    }

    /// Sets a new password and revokes all sessions of the user, who is given by id, e-mail address or
    /// username.
    ///
    /// Errors: NotFound when there is no such user.
    pub async fn set_password(&self, login: &str, password: &NewPassword) -> Result<User> {
        let hash = self.passwords.hash(password, LOCAL_NETWORK).await?;
        self.update(login, user::Column::PasswordHash, Expr::val(hash), true).await
    }

    /// Activates or deactivates a user, who is given by id, e-mail address or username. Deactivating revokes
    /// all sessions.
    ///
    /// Errors: NotFound when there is no such user.
    pub async fn set_active(&self, login: &str, active: bool) -> Result<User> {
        self.update(login, user::Column::IsActive, Expr::val(active), !active).await
    }

    /// Expires all cursors of task changes that were given out so far, and returns the number of accounts. The new
    /// positions are times in microseconds: after a second restore of the same backup, a cursor from the time
    /// between is lower too. Each statement expires the cursors of some accounts, so that changes wait only
    /// shortly for it.
    pub async fn resync(&self) -> Result<u64> {
        let (mut expired, mut last) = (0, Uuid::nil());
        loop {
            let ids = user::Entity::find().select_only().column(user::Column::Id);
            let ids = ids.filter(user::COLUMN.deleted_at.is_null()).filter(user::COLUMN.id.gt(last));
            let ids = ids.order_by_asc(user::Column::Id).limit(ACCOUNTS_PER_RESYNC).into_tuple::<Uuid>();
            let ids = ids.all(self.database.read()).await.map_err(map_error)?;
            let Some(end) = ids.last().copied() else { return Ok(expired) };
            in_transaction!(self.database, |transaction| self.expire_cursors(&transaction, last, end).await)?;
            (expired, last) = (expired + ids.len() as u64, end);
        }
    }

    /// Expires the cursors of the accounts whose ids are greater than `after` and not greater than `end`.
    async fn expire_cursors(&self, transaction: &Transaction, after: Uuid, end: Uuid) -> Result<()> {
        let backend = transaction.get_database_backend();
        let larger = if backend == DbBackend::Postgres { "greatest" } else { "max" };
        // In the order in which other statements lock the counters of several owners.
        let sql = format!(
            "INSERT INTO change_heads (owner_id, position, valid_from)
                SELECT id, $1, $1 FROM users WHERE deleted_at IS NULL AND id > $2 AND id <= $3 ORDER BY id
                ON CONFLICT (owner_id) DO UPDATE SET
                    position = {larger}(change_heads.position + 1, excluded.position),
                    valid_from = {larger}(change_heads.position + 1, excluded.position)"
        );
        let now = self.clock.now().timestamp_micros();
        let expire = Statement::from_sql_and_values(backend, sql, [now.into(), after.into(), end.into()]);
        transaction.execute_raw(expire).await.map_err(map_error).map(drop)
    }

    async fn update(&self, login: &str, column: user::Column, value: Expr, revoke: bool) -> Result<User> {
        let user = self.find(login).await?;
        if revoke {
            trim_sessions(&self.database, user.id, None, self.clock.now()).await?;
        }
        in_transaction!(self.database, |transaction| {
            let rows = user::Entity::update_many()
                .filter(user::COLUMN.id.eq(user.id))
                .filter(user::COLUMN.deleted_at.is_null())
                .col_expr(column, value.clone())
                .col_expr(user::Column::UpdatedAt, Expr::val(self.clock.now()))
                .exec_with_returning(&transaction)
                .await
                .map_err(map_error)?;
            if revoke {
                let of_user = session::COLUMN.user_id.eq(user.id);
                revoke_sessions(&transaction, of_user, self.clock.now()).await?;
            }
            rows.into_iter().next().map(User::from).ok_or(NO_USER)
        })
    }

    async fn find(&self, login: &str) -> Result<user::Model> {
        let login = login.trim().to_lowercase();
        if let Ok(id) = Uuid::try_parse(&login) {
            let by_id = user::Entity::find().filter(user::COLUMN.id.eq(id));
            let by_id = by_id.filter(user::COLUMN.deleted_at.is_null());
            if let Some(user) = by_id.one(self.database.read()).await.map_err(map_error)? {
                return Ok(user);
            }
        }
        // A username may also consist of 32 hexadecimal digits.
        accounts::find_by_login(&self.database, &login).await?.ok_or(NO_USER)
    }
}

/// The client network of passwords from the command line, which no other client of this process competes
/// with.
const LOCAL_NETWORK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const NO_USER: Error = Error::NotFound("There is no such user.");
