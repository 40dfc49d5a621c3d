//! The rows of the tokens that are mailed in links.

use chrono::TimeDelta;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, SimpleExpr};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::auth::LinkTokens;
use crate::db::entity::email_token::{ActiveModel, COLUMN, Column, Entity, Model};
use crate::db::{Database, Transaction, map_error};
use crate::domain::{Clock, Instant, Result, StoredEnum, TokenLifetimes, TokenPurpose, new_id};

/// The maximum number of valid tokens of one purpose of an account. Only one change of the address is pending.
const MAX_VALID: u64 = 5;
/// The number of rows that one statement reads.
const MAX_READ: u64 = 500;
/// How long the row of an expired token is kept: for as long as the delivery of a mail with a link is tried.
const KEPT_FOR: TimeDelta = TimeDelta::hours(24);

/// A token to create.
pub struct NewToken<'a> {
    pub user_id: Uuid,
    pub purpose: TokenPurpose,
    /// The address that it is mailed to.
    pub email: &'a str,
    /// False when the address belongs to another account, so that no token exists.
    pub usable: bool,
    /// How long the delivery of its mail is tried; None when it is not mailed.
    pub delivered_within: Option<TimeDelta>,
}

/// Creates and finds the rows of tokens.
pub struct EmailTokens {
    links: LinkTokens,
    lifetimes: TokenLifetimes,
    clock: Clock,
}

impl EmailTokens {
    pub fn new(links: LinkTokens, lifetimes: TokenLifetimes, clock: Clock) -> Self {
        Self { links, lifetimes, clock }
    }

    /// Creates the row of a token, and ends the oldest tokens beyond the limit. The caller must have locked the
    /// user. Each attempt to send the mail sets the end of the token again.
    pub async fn create(&self, on: &Transaction, new: NewToken<'_>) -> Result<Uuid> {
        let now = self.clock.now();
        let of_purpose = of_user(new.user_id).and(COLUMN.purpose.eq(new.purpose.name()));
        let kept = if new.purpose == TokenPurpose::Confirm { 0 } else { MAX_VALID - 1 };
        let ended = Entity::find().select_only().column(Column::Id).filter(of_purpose);
        let ended = ended.filter(COLUMN.used_at.is_null()).order_by_desc(Column::CreatedAt);
        let ended = ended.order_by_desc(Column::Id).offset(kept).limit(MAX_READ).into_tuple::<Uuid>();
        let ended = ended.all(on).await.map_err(map_error)?;
        if !ended.is_empty() {
            let end = Entity::delete_many().filter(COLUMN.id.is_in(ended));
            end.exec(on).await.map_err(map_error)?;
        }
        let id = new_id();
        let row = ActiveModel {
            id: Set(id),
            user_id: Set(new.user_id),
            purpose: Set(new.purpose.name().to_owned()),
            email: Set(new.email.to_owned()),
            created_at: Set(now),
            expires_at: Set(now + self.lifetimes.of(new.purpose) + new.delivered_within.unwrap_or_default()),
            used_at: Set(None),
            usable: Set(new.usable),
            mailed: Set(new.delivered_within.is_some()),
        };
        Entity::insert(row).exec_without_returning(on).await.map_err(map_error)?;
        Ok(id)
    }

    /// The row of a token that is valid; None when it was not made here, has expired or was ended. It may have been
    /// used.
    pub async fn find(&self, on: &impl ConnectionTrait, token: &str) -> Result<Option<Model>> {
        let Some(id) = self.links.verify(token) else { return Ok(None) };
        let valid = Entity::find().filter(COLUMN.id.eq(id)).filter(COLUMN.usable.eq(true));
        let valid = valid.filter(COLUMN.expires_at.gt(self.clock.now()));
        valid.one(on).await.map_err(map_error)
    }

    /// The address of the pending change of an account, whether its token is usable or not.
    pub async fn pending_email(&self, on: &impl ConnectionTrait, user: Uuid) -> Result<Option<String>> {
        let pending = Entity::find().select_only().column(Column::Email).filter(of_user(user));
        let pending = pending.filter(COLUMN.purpose.eq(TokenPurpose::Confirm.name()));
        let pending = pending.filter(COLUMN.expires_at.gt(self.clock.now())).into_tuple();
        pending.one(on).await.map_err(map_error)
    }

    /// Marks a token as used. Returns false when it was used before, has expired or was ended. A used token that
    /// confirmed a change verifies the address from then on.
    pub async fn mark_used(&self, on: &Transaction, id: Uuid) -> Result<bool> {
        let now = self.clock.now();
        let confirmed = COLUMN.purpose.eq(TokenPurpose::Confirm.name());
        let purpose = CaseStatement::new().case(confirmed, TokenPurpose::Verify.name());
        let purpose = purpose.finally(Column::Purpose.into_expr());
        let mark = Entity::update_many()
            .filter(COLUMN.id.eq(id))
            .filter(COLUMN.used_at.is_null())
            .filter(COLUMN.expires_at.gt(now))
            .col_expr(Column::UsedAt, Expr::val(now))
            .col_expr(Column::Purpose, purpose.into());
        Ok(mark.exec(on).await.map_err(map_error)?.rows_affected == 1)
    }

    /// Ends the tokens of an account that have one of the purposes.
    pub async fn end(&self, on: &Transaction, user: Uuid, purposes: &[TokenPurpose]) -> Result<()> {
        let names = purposes.iter().map(|purpose| purpose.name());
        let end = Entity::delete_many().filter(of_user(user)).filter(COLUMN.purpose.is_in(names));
        end.exec(on).await.map_err(map_error).map(drop)
    }

    /// Begins the lifetime of a token again, before an attempt to send its mail, and returns its lifetime. None when
    /// it was used or ended. One that has expired is valid again: its mail waited longer than its lifetime.
    pub async fn renew(
        &self,
        on: &impl ConnectionTrait,
        id: Uuid,
        purpose: TokenPurpose,
    ) -> Result<Option<TimeDelta>> {
        let lifetime = self.lifetimes.of(purpose);
        let renewed = self.set_end(on, id, self.clock.now() + lifetime).await?;
        Ok(renewed.then_some(lifetime))
    }

    /// Lets a token be valid until its lifetime after the next attempt to send its mail, which begins after a pause.
    pub async fn extend(
        &self,
        on: &impl ConnectionTrait,
        id: Uuid,
        purpose: TokenPurpose,
        pause: TimeDelta,
    ) -> Result<()> {
        self.set_end(on, id, self.clock.now() + pause + self.lifetimes.of(purpose)).await.map(drop)
    }

    /// Sets the end of a token. Returns false when it was used or ended.
    async fn set_end(&self, on: &impl ConnectionTrait, id: Uuid, at: Instant) -> Result<bool> {
        let set = Entity::update_many()
            .filter(COLUMN.id.eq(id))
            .filter(COLUMN.used_at.is_null())
            .col_expr(Column::ExpiresAt, Expr::val(at));
        Ok(set.exec(on).await.map_err(map_error)?.rows_affected == 1)
    }

    /// The token of a row.
    pub fn issue(&self, id: Uuid) -> String {
        self.links.issue(id)
    }

    /// Deletes the rows of tokens that have expired so long ago that no mail with them waits.
    pub async fn delete_expired(&self, database: &Database) -> Result<()> {
        let expired_before = self.clock.now() - KEPT_FOR;
        loop {
            // Ids are read first, because reading does not block SQLite's writer.
            let expired = Entity::find().select_only().column(Column::Id);
            let expired = expired.filter(COLUMN.expires_at.lte(expired_before)).limit(MAX_READ);
            let ids: Vec<Uuid> = expired.into_tuple().all(database.read()).await.map_err(map_error)?;
            if ids.is_empty() {
                return Ok(());
            }
            let delete = Entity::delete_many().filter(COLUMN.id.is_in(ids));
            delete.exec(database.write()).await.map_err(map_error)?;
        }
    }
}

fn of_user(user: Uuid) -> SimpleExpr {
    COLUMN.user_id.eq(user)
}
