//! The tokens of the links in mails. They are derived from the rows of the database as the service derives them.

use chrono::TimeDelta;
use sea_orm::{ConnectionTrait, Statement, Value};
use taskhold::auth::{LinkTokens, SigningSecret, SigningSecrets};
use taskhold::domain::new_id;
use uuid::Uuid;

use super::{SECRET, TestApp};

/// The token of a row.
pub fn token_of(row: Uuid) -> String {
    let secret = SigningSecret::new(SECRET.as_bytes().to_vec()).expect("the secret is strong");
    LinkTokens::new(&SigningSecrets::from(secret)).issue(row)
}

impl TestApp {
    /// The tokens with a purpose that were mailed to an address, oldest first. Used ones are among them.
    pub async fn link_tokens(&self, purpose: &str, email: &str) -> Vec<String> {
        let sql = "SELECT id FROM email_tokens WHERE purpose = $1 AND email = $2 ORDER BY created_at, id";
        let rows = self.connection().query_all_raw(self.statement(sql, [purpose.into(), email.into()])).await;
        let ids =
            rows.expect("the statement is valid").into_iter().map(|row| row.try_get_by_index::<Uuid>(0));
        ids.map(|id| token_of(id.expect("the id is a UUID"))).collect()
    }

    /// The newest token with a purpose that was mailed to an address.
    pub async fn link_token(&self, purpose: &str, email: &str) -> String {
        self.link_tokens(purpose, email).await.pop().expect("there is a token")
    }

    /// A new token of the account with an address, as if it had been mailed to this address.
    pub async fn new_link_token(&self, purpose: &str, email: &str) -> String {
        let (id, now) = (new_id(), self.clock.now());
        let sql =
            "INSERT INTO email_tokens (id, user_id, purpose, email, created_at, expires_at, usable, mailed)
                   SELECT $1, id, $2, email, $3, $4, TRUE, TRUE FROM users WHERE email = $5";
        let values =
            [id.into(), purpose.into(), now.into(), (now + TimeDelta::hours(1)).into(), email.into()];
        self.connection().execute_raw(self.statement(sql, values)).await.expect("the statement is valid");
        token_of(id)
    }

    fn statement(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
        Statement::from_sql_and_values(self.connection().get_database_backend(), sql, values)
    }
}
