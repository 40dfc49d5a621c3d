//! The statements of the queue. An instance claims a mail for a limited time. Each later statement about the mail
//! names the end of the claim, so it has no effect when another instance has claimed the mail since.

use chrono::TimeDelta;
use sea_orm::sea_query::{Expr, ExprTrait, LockBehavior, LockType, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, UpdateMany,
};
use uuid::Uuid;

use crate::db::entity::mail::{COLUMN, Column, Entity, Model};
use crate::db::{Database, map_error};
use crate::domain::{Clock, Instant, Result};

/// How long a claim lasts: longer than an attempt and the record of its result. A mail whose instance has ended
/// is sent by another one after that.
const CLAIM: TimeDelta = TimeDelta::seconds(45);

/// The mails in the database.
pub struct MailRows {
    database: Database,
    clock: Clock,
}

impl MailRows {
    pub fn new(database: Database, clock: Clock) -> Self {
        Self { database, clock }
    }

    /// Claims the mail that has been due longest and that no instance has; with `only_new` only one that was not
    /// tried before. New mails come before others, because they are due since 1970.
    pub async fn claim(&self, only_new: bool) -> Result<Option<Model>> {
        // Most of the time there is none. Reading does not block SQLite's writer.
        let due = Entity::find().select_only().column(Column::Id).filter(self.due(only_new));
        let due = due.order_by_asc(Column::DueAt).limit(1);
        let found = due.clone().into_tuple::<Uuid>().one(self.database.read()).await.map_err(map_error)?;
        if found.is_none() {
            return Ok(None);
        }
        // The comparison with one value has the subquery executed once, which IN would not.
        let due = due.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked).into_query();
        let claim = Entity::update_many()
            .filter(Column::Id.into_expr().eq(Expr::from(due)))
            .col_expr(Column::LeaseUntil, self.time(CLAIM))
            .col_expr(Column::Attempts, Column::Attempts.into_expr().add(1));
        let claimed = claim.exec_with_returning(self.database.write()).await.map_err(map_error)?;
        Ok(claimed.into_iter().next())
    }

    /// Deletes a claimed mail.
    pub async fn delete(&self, mail: &Model) -> Result<()> {
        let delete = Entity::delete_many().filter(claimed(mail));
        delete.exec(self.database.write()).await.map_err(map_error).map(drop)
    }

    /// Lets a claimed mail wait. It is due after the delay, or when it is given up if that is earlier.
    pub async fn retry(
        &self,
        on: &impl ConnectionTrait,
        mail: &Model,
        delay: TimeDelta,
        smtp_code: Option<u16>,
    ) -> Result<()> {
        let is_late = self.time(delay).gt(mail.gives_up_at);
        let due_at = Expr::case(is_late, mail.gives_up_at).finally(self.time(delay));
        let update = Entity::update_many().col_expr(Column::DueAt, due_at.into());
        end_claim(on, mail, update, smtp_code).await
    }

    /// Marks a claimed mail as failed.
    pub async fn fail(&self, mail: &Model, smtp_code: Option<u16>) -> Result<()> {
        let failed_at = Expr::val(self.clock.now());
        let update = Entity::update_many().col_expr(Column::FailedAt, failed_at);
        end_claim(self.database.write(), mail, update, smtp_code).await
    }

    /// The number of mails that wait or are being sent.
    pub async fn waiting(&self) -> Result<u64> {
        let waiting = Entity::find().filter(COLUMN.failed_at.is_null());
        waiting.count(self.database.read()).await.map_err(map_error)
    }

    /// Deletes the mails that failed longer ago than a time.
    pub async fn delete_failed(&self, kept_for: TimeDelta) -> Result<()> {
        let old = Entity::delete_many().filter(COLUMN.failed_at.lte(self.clock.now() - kept_for));
        old.exec(self.database.write()).await.map_err(map_error).map(drop)
    }

    fn due(&self, only_new: bool) -> Condition {
        let free = Column::LeaseUntil.is_null().or(Column::LeaseUntil.into_expr().lte(self.now()));
        let due = Condition::all()
            .add(Column::FailedAt.is_null())
            .add(Column::DueAt.into_expr().lte(self.now()))
            .add(free);
        if only_new { due.add(COLUMN.attempts.eq(0)) } else { due }
    }

    fn now(&self) -> SimpleExpr {
        self.time(TimeDelta::zero())
    }

    /// A later time by the clock that all instances share: on PostgreSQL that of the database.
    fn time(&self, later: TimeDelta) -> SimpleExpr {
        if self.database.read().get_database_backend() == DbBackend::Postgres {
            let milliseconds = (self.clock.advanced_by() + later).num_milliseconds();
            Expr::cust(format!("now() + interval '{milliseconds} milliseconds'"))
        } else {
            Expr::val(self.clock.now() + later)
        }
    }
}

/// The mail, as long as the claim lasts with which it was read.
fn claimed(mail: &Model) -> Condition {
    Condition::all().add(COLUMN.id.eq(mail.id)).add(Column::LeaseUntil.eq(mail.lease_until))
}

async fn end_claim(
    on: &impl ConnectionTrait,
    mail: &Model,
    update: UpdateMany<Entity>,
    smtp_code: Option<u16>,
) -> Result<()> {
    let update = update
        .filter(claimed(mail))
        .col_expr(Column::LeaseUntil, Expr::val(None::<Instant>))
        .col_expr(Column::SmtpCode, Expr::val(smtp_code.map(i32::from)));
    update.exec(on).await.map_err(map_error).map(drop)
}
