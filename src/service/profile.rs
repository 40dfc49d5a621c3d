//! The viewer's own account.

use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, SimpleExpr};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, SqlErr};

use crate::domain::{Clock, Error, Faults, Problem, ProfileEdit, Result, Rule, User};
use crate::identity::Viewer;
use crate::service::database::{Database, meaning};
use crate::service::entity::user;

/// A handle on the account of one viewer.
pub struct Profile<'a> {
    database: &'a Database,
    clock: &'a Clock,
    viewer: &'a Viewer,
}

impl<'a> Profile<'a> {
    pub(super) fn new(database: &'a Database, clock: &'a Clock, viewer: &'a Viewer) -> Self {
        Self { database, clock, viewer }
    }

    /// The one place that knows which account is the viewer's.
    fn mine(&self) -> SimpleExpr {
        user::COLUMN.id.eq(self.viewer.user_id())
    }

    /// The viewer's account.
    pub async fn get(&self) -> Result<User> {
        let row = user::Entity::find().filter(self.mine()).one(self.database.read()).await;
        row.map_err(meaning)?.map(User::from).ok_or(GONE)
    }

    /// Changes name and username. Fails with [`Error::Taken`] when somebody else has the username.
    pub async fn edit(&self, edit: ProfileEdit) -> Result<User> {
        let changes: Vec<(user::Column, String)> = [
            edit.name.map(|name| (user::Column::Name, name.as_str().to_owned())),
            edit.username.map(|username| (user::Column::Username, username.as_str().to_owned())),
        ]
        .into_iter()
        .flatten()
        .collect();

        // What changes nothing leaves updated_at alone.
        let mut changed: SimpleExpr = Expr::val(false);
        let mut update = user::Entity::update_many().filter(self.mine());
        for (column, value) in changes {
            changed = changed.or(column.ne(value.clone()));
            update = update.col_expr(column, Expr::val(value));
        }
        let updated_at =
            CaseStatement::new().case(changed, self.clock.now()).finally(user::Column::UpdatedAt.into_expr());
        update = update.col_expr(user::Column::UpdatedAt, updated_at.into());

        let rows = update.exec_with_returning(self.database.write()).await.map_err(|error| {
            match error.sql_err() {
                // The username is the only thing that can collide in this statement.
                Some(SqlErr::UniqueConstraintViolation(_)) => username_taken(),
                _ => meaning(error),
            }
        })?;
        rows.into_iter().next().map(User::from).ok_or(GONE)
    }
}

/// The account was deleted after the viewer was let in.
const GONE: Error = Error::Unauthenticated("Invalid token");

fn username_taken() -> Error {
    let mut faults = Faults::of("input");
    faults.push("username", Problem::new(Rule::Taken, "is taken"));
    Error::Taken(faults.into_found())
}
