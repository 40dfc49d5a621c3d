//! Claims of the tasks of a list. A claim is live while its task names it and its time has not come, by the clock of the
//! database. The row of the list is locked where it is decided which claims are live, so that no two of them name the
//! same file.

use std::collections::HashSet;

use chrono::TimeDelta;
use sea_orm::sea_query::{JoinType, OnConflict, SimpleExpr};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::db::entity::claim::{ActiveModel, Column, Entity};
use crate::db::entity::task;
use crate::db::{Transaction, in_transaction, map_error};
use crate::domain::{
    Claim, Error, Instant, NewClaim, NextClaim, Result, StatusChange, Task, TaskEdit, TaskScope, TaskStatus,
    new_id,
};
use crate::service::task_lists::TaskLists;
use crate::service::task_lists::import::id_is_taken;
use crate::service::task_lists::liveness::{claim_of_task, is_live, is_live_claim};
use crate::service::task_lists::waiting::{WaitingSeeds, WaitingTask};
use crate::service::task_rows::insert_error;
use crate::service::tasks::deleted_users;
use crate::service::unique_ids::{self, Kind};

const NO_CLAIM: Error = Error::NotFound("There is no such claim.");
const FOREIGN_CLAIM: Error = Error::Forbidden("This claim belongs to another user.");
const ENDED: Error = Error::Conflict("The claim has ended. Another worker may have taken over its task.");

impl TaskLists<'_> {
    /// The live claims of a list, oldest first.
    pub async fn claims(&self, list: Uuid) -> Result<Vec<Claim>> {
        let connection = self.tasks.database.read();
        let now = self.tasks.shared_now(&connection).await?;
        self.live_claims(&connection, task::Column::ListId.eq(list), now).await
    }

    /// The viewer's live claims among these ids.
    pub async fn find_claims(&self, ids: &[Uuid]) -> Result<Vec<Claim>> {
        let connection = self.tasks.database.read();
        let now = self.tasks.shared_now(&connection).await?;
        self.live_claims(&connection, Column::Id.is_in(ids.iter().copied()), now).await
    }

    /// Claims the first task of a list that is ready and whose files no live claim holds. Returns the claim with the
    /// chosen id, if the viewer has one.
    ///
    /// Errors: NotFound, Forbidden for the list; AlreadyExists when something else has the id.
    pub async fn claim_next(&self, new: &NewClaim) -> Result<NextClaim> {
        in_transaction!(self.tasks.database, |transaction| {
            // The list of a claim that exists may have been deleted.
            if let Some(existing) = self.existing_claim(&transaction, new.id).await? {
                return Ok(NextClaim::Made(existing));
            }
            let list = self.lock(&transaction, new.list_id, self.in_scope(TaskScope::Active)).await?;
            // A request with the same id may have held the lock.
            if let Some(id) = new.id
                && let Some(existing) = self.find_claim(&transaction, id).await?
            {
                return Ok(NextClaim::Made(existing));
            }
            let now = self.tasks.shared_now(&transaction).await?;
            let live = self.live_claims(&transaction, task::Column::ListId.eq(list.id), now).await?;
            let seeds = WaitingSeeds { lists: vec![list.id], outside: Vec::new() };
            let waiting = self.waiting_in(&transaction, &seeds, now).await?;
            match self.next_task(&transaction, new, &waiting, &live).await? {
                Ok((task, paths)) => {
                    let claim = Claim {
                        id: new.id.unwrap_or_else(new_id),
                        owner_id: self.owner(),
                        task_id: task.id,
                        worker: new.worker.clone(),
                        paths,
                        claimed_at: now,
                        expires_at: now + new.duration,
                        completed_at: None,
                    };
                    self.make_claim(&transaction, task, &claim).await?;
                    Ok(NextClaim::Made(claim))
                }
                Err(reason) => {
                    let retry_at = live.iter().map(|claim| claim.expires_at).min();
                    Ok(NextClaim::Refused { reason, retry_at })
                }
            }
        })
    }

    /// Extends a live claim.
    ///
    /// Errors: NotFound, Forbidden; Conflict when the claim has ended.
    pub async fn renew_claim(&self, id: Uuid, duration: TimeDelta) -> Result<Claim> {
        in_transaction!(self.tasks.database, |transaction| {
            let claim = self.any_claim(&transaction, id).await?;
            // The claim would otherwise seem to have expired to a request that is choosing a task.
            self.lock_list_of(&transaction, &claim).await?;
            let (claim, task) = self.lock_claim(&transaction, id).await?;
            let now = self.tasks.shared_now(&transaction).await?;
            if !is_live_claim(&claim, &task, now) {
                return Err(ENDED);
            }
            let renewed = Claim { expires_at: now + duration, ..claim };
            self.save_claim(&transaction, &renewed).await?;
            Ok(renewed)
        })
    }

    /// Ends a claim without completing its task, which is returned. A claim that has ended stays as it is.
    ///
    /// Errors: NotFound, Forbidden.
    pub async fn release_claim(&self, id: Uuid) -> Result<Task> {
        in_transaction!(self.tasks.database, |transaction| {
            let (claim, task) = self.lock_claim(&transaction, id).await?;
            let now = self.tasks.shared_now(&transaction).await?;
            match is_live_claim(&claim, &task, now) {
                true => {
                    let released = task.claimed(None, self.tasks.now());
                    self.tasks.save(&transaction, &task, released).await
                }
                false => Ok(task),
            }
        })
    }

    /// Completes the task of a live claim and ends the claim. When this was done before, the task is returned as it is.
    ///
    /// Errors: NotFound, Forbidden; Conflict when the claim has ended in another way.
    pub async fn complete_claim(&self, id: Uuid) -> Result<Task> {
        in_transaction!(self.tasks.database, |transaction| {
            let (claim, task) = self.lock_claim(&transaction, id).await?;
            if claim.completed_at.is_some() {
                return Ok(task);
            }
            let now = self.tasks.shared_now(&transaction).await?;
            if !is_live_claim(&claim, &task, now) {
                return Err(ENDED);
            }
            let edit = TaskEdit::from(StatusChange::To(TaskStatus::Completed));
            let completed = task.edited(&edit, self.tasks.now())?;
            self.save_claim(&transaction, &Claim { completed_at: Some(now), ..claim }).await?;
            self.tasks.save(&transaction, &task, completed).await
        })
    }

    /// Locks the next task and makes a claim of it. Errors: WriteConflict when the task has just changed.
    async fn make_claim(&self, transaction: &Transaction, chosen: &WaitingTask, claim: &Claim) -> Result<()> {
        let locked = self.tasks.select_for_update(transaction, &[chosen.id], self.tasks.mine()).await?.pop();
        let task = locked.filter(|task| task.version == chosen.version).ok_or(Error::WriteConflict)?;
        let inserted = Entity::insert(ActiveModel::from(claim))
            .on_conflict(OnConflict::column(Column::Id).do_nothing().to_owned())
            .exec_without_returning(transaction);
        // Another transaction has inserted the id in the meantime.
        if inserted.await.map_err(insert_error)? == 0 {
            return Err(Error::WriteConflict);
        }
        let claimed = task.claimed(Some(claim.id), self.tasks.now());
        self.tasks.save(transaction, &task, claimed).await.map(drop)
    }

    /// The viewer's claim with an id that the client chose; one that has ended, too.
    ///
    /// Errors: AlreadyExists when something else has the id.
    async fn existing_claim(&self, transaction: &Transaction, id: Option<Uuid>) -> Result<Option<Claim>> {
        let Some(id) = id else { return Ok(None) };
        // Claims of deleted accounts no longer occupy their ids.
        let deleted = Entity::delete_many().filter(Column::Id.eq(id));
        let deleted = deleted.filter(Column::OwnerId.in_subquery(deleted_users()));
        deleted.exec(transaction).await.map_err(map_error)?;
        // The row may belong to another user. Of such a row, only the owner is used.
        let known = Entity::find().filter(Column::Id.eq(id)).one(transaction).await.map_err(map_error)?;
        let ids = HashSet::from([id]);
        let is_taken = match &known {
            Some(claim) => claim.owner_id != self.owner(),
            None => !unique_ids::of_other_kinds(transaction, Kind::Claim, &ids).await?.is_empty(),
        };
        if is_taken { Err(id_is_taken()) } else { known.map(Claim::try_from).transpose() }
    }

    /// The claims that meet a condition and are live at `now`, oldest first.
    async fn live_claims(
        &self,
        connection: &impl ConnectionTrait,
        condition: SimpleExpr,
        now: Instant,
    ) -> Result<Vec<Claim>> {
        let claims = Entity::find()
            .join_rev(JoinType::InnerJoin, claim_of_task())
            .filter(self.my_claims())
            .filter(condition)
            .filter(is_live(now))
            .order_by_asc(Column::ClaimedAt)
            .order_by_asc(Column::Id);
        let claims = claims.all(connection).await.map_err(map_error)?;
        claims.into_iter().map(Claim::try_from).collect()
    }

    /// A claim of the viewer, and its task, which is locked: it may be in the trash.
    ///
    /// Errors: NotFound, Forbidden.
    async fn lock_claim(&self, transaction: &Transaction, id: Uuid) -> Result<(Claim, Task)> {
        let task = self.any_claim(transaction, id).await?.task_id;
        let locked = self.tasks.select_for_update(transaction, &[task], self.tasks.mine()).await?.pop();
        // Read again, because the lock may have been waited for.
        Ok((self.any_claim(transaction, id).await?, locked.ok_or(NO_CLAIM)?))
    }

    async fn find_claim(&self, transaction: &Transaction, id: Uuid) -> Result<Option<Claim>> {
        let claim = Entity::find().filter(self.my_claims()).filter(Column::Id.eq(id)).one(transaction).await;
        claim.map_err(map_error)?.map(Claim::try_from).transpose()
    }

    /// A claim of the viewer; one that has ended, too. Errors: NotFound, Forbidden.
    async fn any_claim(&self, transaction: &Transaction, id: Uuid) -> Result<Claim> {
        if let Some(claim) = self.find_claim(transaction, id).await? {
            return Ok(claim);
        }
        let foreign =
            Entity::find().filter(Column::Id.eq(id)).filter(Column::OwnerId.not_in_subquery(deleted_users()));
        let foreign = foreign.select_only().column(Column::Id).into_tuple::<Uuid>().one(transaction).await;
        Err(if foreign.map_err(map_error)?.is_some() { FOREIGN_CLAIM } else { NO_CLAIM })
    }

    async fn lock_list_of(&self, transaction: &Transaction, claim: &Claim) -> Result<()> {
        let list = task::Entity::find()
            .filter(self.tasks.mine())
            .filter(task::Column::Id.eq(claim.task_id))
            .select_only();
        let list = list.column(task::Column::ListId).into_tuple::<Option<Uuid>>().one(transaction).await;
        match list.map_err(map_error)?.flatten() {
            // A task that is deleted for good has no claim any more.
            Some(list) => {
                self.lock(transaction, list, self.mine()).await.map(drop).map_err(|error| match error {
                    Error::NotFound(_) => NO_CLAIM,
                    error => error,
                })
            }
            None => Err(NO_CLAIM),
        }
    }

    async fn save_claim(&self, transaction: &Transaction, claim: &Claim) -> Result<()> {
        let update = Entity::update_many().set(ActiveModel::from(claim)).filter(self.my_claims());
        let update = update.filter(Column::Id.eq(claim.id));
        update.exec(transaction).await.map_err(map_error).map(drop)
    }

    fn my_claims(&self) -> SimpleExpr {
        Column::OwnerId.eq(self.owner())
    }
}
