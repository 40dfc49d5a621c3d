//! The queue of mails for operators, used by the command line only.

use chrono::TimeDelta;
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::db::entity::mail::{COLUMN, Column, Entity};
use crate::db::map_error;
use crate::domain::{Instant, Result};
use crate::service::Operator;

/// A number of mails, and the age of the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingMails {
    pub count: u64,
    /// None when there is none.
    pub oldest: Option<TimeDelta>,
}

impl Operator {
    /// The mails that wait or are being sent.
    pub async fn waiting_mails(&self) -> Result<WaitingMails> {
        self.mails(COLUMN.failed_at.is_null()).await
    }

    /// The mails that failed in the last seven days.
    pub async fn failed_mails(&self) -> Result<WaitingMails> {
        self.mails(COLUMN.failed_at.is_not_null()).await
    }

    /// Queues the failed mails again that are not given up by age, and returns their number.
    pub async fn retry_failed_mails(&self) -> Result<u64> {
        let retry = Entity::update_many()
            .filter(COLUMN.failed_at.is_not_null())
            .filter(COLUMN.gives_up_at.gt(self.clock.now()))
            .col_expr(Column::FailedAt, Expr::val(None::<Instant>))
            .col_expr(Column::DueAt, Expr::val(Instant::UNIX_EPOCH));
        Ok(retry.exec(self.database.write()).await.map_err(map_error)?.rows_affected)
    }

    async fn mails(&self, state: SimpleExpr) -> Result<WaitingMails> {
        let mails = Entity::find().filter(state);
        let count = mails.clone().count(self.database.read()).await.map_err(map_error)?;
        let oldest = mails.select_only().column(Column::CreatedAt).order_by_asc(Column::CreatedAt).limit(1);
        let oldest = oldest.into_tuple::<Instant>().one(self.database.read()).await.map_err(map_error)?;
        Ok(WaitingMails { count, oldest: oldest.map(|created_at| self.clock.now() - created_at) })
    }
}
