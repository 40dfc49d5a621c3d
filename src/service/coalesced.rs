//! Statements that several viewers share: concurrent requests of the same kind are executed by one statement
//! and one commit. Each key contains its owner. The owner is a condition of the statement and is checked
//! again when rows are assigned to keys, because `Tasks::mine` covers only one viewer.

use std::collections::HashMap;
use std::sync::Arc;

use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::db::entity::task::{ActiveModel, Column, Entity, TaskRow};
use crate::db::entity::task_list::{self, TaskListRow};
use crate::db::entity::user::{self, UserRow};
use crate::db::{Coalescer, Database, Mode, Statements, map_error};
use crate::domain::{Result, Task, TaskList, User};
use crate::service::task_rows::{insert_error, is_active};

/// One coalescer for each kind of request.
pub(super) struct CoalescedStatements {
    /// Finds an account by its id.
    pub users: Coalescer<Uuid, Option<User>>,
    /// Finds an active task by its owner and id.
    pub tasks: Coalescer<(Uuid, Uuid), Option<Task>>,
    /// Finds a task list by its owner and id, also one in the trash.
    pub lists: Coalescer<(Uuid, Uuid), Option<TaskList>>,
    /// Inserts a task with a new id.
    pub new_tasks: Coalescer<Task, ()>,
}

impl CoalescedStatements {
    pub fn new(database: &Database) -> Self {
        Self {
            users: coalescer(database, Access::Read, find_users, |id| *id),
            tasks: coalescer(database, Access::Read, find_tasks, |(owner, _)| *owner),
            lists: coalescer(database, Access::Read, find_lists, |(owner, _)| *owner),
            // Each new task locks the counter of its owner until the commit.
            new_tasks: coalescer(database, Access::Write, insert_tasks, |task| task.owner_id)
                .with_one_batch_per_user(),
        }
    }
}

/// Whether requests of a kind read or write.
#[derive(Clone, Copy)]
enum Access {
    Read,
    Write,
}

/// Creates a coalescer of statements. `user` returns the user that a key belongs to.
fn coalescer<K, V, F>(
    database: &Database,
    access: Access,
    work: fn(Statements, Arc<[K]>) -> F,
    user: fn(&K) -> Uuid,
) -> Coalescer<K, V>
where
    K: Clone + Send + Sync + 'static,
    V: Send + 'static,
    F: Future<Output = Result<Vec<V>>> + Send + 'static,
{
    let database = database.clone();
    let work = move |keys: Arc<[K]>, mode| {
        let individual = (mode == Mode::Individual).then(|| user(&keys[0]));
        let statements = match (access, individual) {
            (Access::Read, None) => database.read().clone(),
            (Access::Read, Some(user)) => database.read_for(user),
            (Access::Write, None) => database.shared_write().clone(),
            (Access::Write, Some(user)) => database.repeatable_write_for(user),
        };
        work(statements, keys)
    };
    Coalescer::new(work, user)
}

async fn find_users(database: Statements, ids: Arc<[Uuid]>) -> Result<Vec<Option<User>>> {
    let rows = UserRow::find().filter(user::Column::Id.is_in(ids.iter().copied()));
    let rows = rows.filter(user::Column::DeletedAt.is_null());
    let found: Vec<User> = UserRow::all(rows, &database).await.map_err(map_error)?;
    let found: HashMap<Uuid, User> = found.into_iter().map(|user| (user.id, user)).collect();
    Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
}

async fn find_tasks(database: Statements, keys: Arc<[(Uuid, Uuid)]>) -> Result<Vec<Option<Task>>> {
    let rows = TaskRow::find()
        .filter(Column::OwnerId.is_in(keys.iter().map(|(owner, _)| *owner)))
        .filter(Column::Id.is_in(keys.iter().map(|(_, id)| *id)))
        .filter(is_active());
    let found: Vec<Task> = TaskRow::all(rows, &database).await.map_err(map_error)?;
    let found: HashMap<(Uuid, Uuid), Task> =
        found.into_iter().map(|task| ((task.owner_id, task.id), task)).collect();
    Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
}

async fn find_lists(database: Statements, keys: Arc<[(Uuid, Uuid)]>) -> Result<Vec<Option<TaskList>>> {
    let rows = TaskListRow::find()
        .filter(task_list::Column::OwnerId.is_in(keys.iter().map(|(owner, _)| *owner)))
        .filter(task_list::Column::Id.is_in(keys.iter().map(|(_, id)| *id)));
    let found: Vec<TaskList> = TaskListRow::all(rows, &database).await.map_err(map_error)?;
    let found: HashMap<(Uuid, Uuid), TaskList> =
        found.into_iter().map(|list| ((list.owner_id, list.id), list)).collect();
    Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
}

async fn insert_tasks(database: Statements, new: Arc<[Task]>) -> Result<Vec<()>> {
    // The ids are new, so an existing row with one of them is the same task, sent before. On PostgreSQL the
    // repeated row takes a position that no task has, which has no effect.
    let sent_before = OnConflict::column(Column::Id).do_nothing().to_owned();
    // Each row locks the counter of its owner. All statements lock them in the same order.
    let mut rows: Vec<&Task> = new.iter().collect();
    rows.sort_unstable_by_key(|task| task.owner_id);
    let insert = Entity::insert_many(rows.into_iter().map(ActiveModel::from)).on_conflict(sent_before);
    insert.exec_without_returning(&database).await.map_err(insert_error)?;
    Ok(vec![(); new.len()])
}
