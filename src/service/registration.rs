//! Insertion of new accounts, with the requested username or a derived one.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter};
use uuid::Uuid;

use crate::db::entity::user;
use crate::db::{Transaction, map_error};
use crate::domain::{
    DisplayName, Email, Error, Faults, FieldFault, Instant, Problem, Registration, Result, Rule, User,
    Username, new_id,
};

/// The maximum number of derived usernames that registration tries.
const USERNAME_ATTEMPTS: u32 = 8;

/// Inserts an account.
///
/// Errors: AlreadyExists when the e-mail address or the username is taken.
pub async fn insert(on: &Transaction, registration: &Registration, hash: &str, now: Instant) -> Result<User> {
    let new = NewUser { email: &registration.email, name: &registration.name, hash };
    new.insert(on, registration.username.as_ref(), now).await
}

/// The columns of a new account that do not depend on its username.
#[derive(Clone, Copy)]
struct NewUser<'a> {
    email: &'a Email,
    name: &'a DisplayName,
    hash: &'a str,
}

impl NewUser<'_> {
    /// Inserts the account with the requested username, or with the first derived username that is free.
    async fn insert(
        self,
        transaction: &Transaction,
        requested: Option<&Username>,
        now: Instant,
    ) -> Result<User> {
        for attempt in 0..USERNAME_ATTEMPTS {
            let username = match requested {
                Some(requested) => requested.clone(),
                None => Username::derive(self.email, (attempt > 0).then(|| Uuid::new_v4().as_fields().0)),
            };
            if let Some(user) = self.try_insert(transaction, &username, now).await? {
                return Ok(user);
            }
            let taken = self.taken_fields(transaction, &username, requested.is_some()).await?;
            if !taken.is_empty() {
                return Err(Error::AlreadyExists(taken));
            }
        }
        Err(Error::internal(anyhow::anyhow!("no free username was found")))
    }

    async fn try_insert(
        self,
        transaction: &Transaction,
        username: &Username,
        now: Instant,
    ) -> Result<Option<User>> {
        let row = user::Model {
            id: new_id(),
            email: self.email.as_str().to_owned(),
            email_key: self.email.key(),
            username: username.as_str().to_owned(),
            name: self.name.as_str().to_owned(),
            password_hash: self.hash.to_owned(),
            is_active: true,
            created_at: now,
            updated_at: now,
            deleted_at: None,
            email_verified_at: None,
        };
        // ON CONFLICT covers every unique constraint, because an error would abort the transaction on
        // PostgreSQL.
        let insert = user::Entity::insert(row.clone().into_active_model())
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(transaction);
        let inserted = insert.await.map_err(map_error)?;
        Ok((inserted == 1).then(|| row.into()))
    }

    /// The faults of an insert that collided with existing values. A collision of a derived username is no
    /// fault.
    async fn taken_fields(
        self,
        transaction: &Transaction,
        username: &Username,
        is_chosen: bool,
    ) -> Result<Vec<FieldFault>> {
        let count = |column: user::Column, value: String| {
            user::Entity::find().filter(column.eq(value)).count(transaction)
        };
        let mut faults = Faults::of("input");
        let taken = || Problem::new(Rule::Taken, "is taken");
        if count(user::Column::EmailKey, self.email.key()).await.map_err(map_error)? > 0 {
            faults.push("email", taken());
        }
        let username = username.as_str().to_owned();
        if is_chosen && count(user::Column::Username, username).await.map_err(map_error)? > 0 {
            faults.push("username", taken());
        }
        Ok(faults.into_found())
    }
}
