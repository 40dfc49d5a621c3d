//! Prepares accounts for recovery: `users.email_verified_at`, the tokens of links in mails, the queue of mails,
//! and the requests for a new password. `login_attempts.user_id` lets a new password end the failed logins of
//! its account. No token is stored: it is derived from the id of its row and the secret of the server.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let verified_at = timestamp_with_time_zone_null("email_verified_at");
        manager.alter_table(Table::alter().table("users").add_column(verified_at).to_owned()).await?;
        let user_id = uuid_null("user_id");
        manager.alter_table(Table::alter().table("login_attempts").add_column(user_id).to_owned()).await?;
        let of_user =
            index("login_attempts", "user_id").and_where(Expr::col("user_id").is_not_null()).to_owned();
        manager.create_index(of_user).await?;
        manager.create_table(email_tokens()).await?;
        manager.create_index(index("email_tokens", "user_id")).await?;
        manager.create_index(index("email_tokens", "expires_at")).await?;
        let one_pending_change = Index::create()
            .name("email_tokens_confirm_key")
            .table("email_tokens")
            .col("user_id")
            .unique()
            .and_where(Expr::col("purpose").eq("CONFIRM"))
            .to_owned();
        manager.create_index(one_pending_change).await?;
        manager.create_table(mails()).await?;
        let waiting = index("mails", "due_at").and_where(Expr::col("failed_at").is_null()).to_owned();
        manager.create_index(waiting).await?;
        manager.create_index(index("mails", "user_id")).await?;
        let failed = index("mails", "failed_at").and_where(Expr::col("failed_at").is_not_null()).to_owned();
        manager.create_index(failed).await?;
        manager.create_table(reset_requests()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["reset_requests", "mails", "email_tokens"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        let of_user = Index::drop().name("login_attempts_user_id_idx").table("login_attempts").to_owned();
        manager.drop_index(of_user).await?;
        manager.alter_table(Table::alter().table("login_attempts").drop_column("user_id").to_owned()).await?;
        manager.alter_table(Table::alter().table("users").drop_column("email_verified_at").to_owned()).await
    }
}

/// The index on one column of a table.
fn index(table: &'static str, column: &'static str) -> IndexCreateStatement {
    Index::create().name(format!("{table}_{column}_idx")).table(table).col(column).to_owned()
}

/// The tokens of links. A row is the token, the address that it was mailed to, and its purpose: VERIFY, CONFIRM
/// or RESET. The row with the purpose CONFIRM is the pending change of the address. It is not usable when another
/// account has the address. `mailed` is false for a link that the command line printed.
fn email_tokens() -> TableCreateStatement {
    Table::create()
        .table("email_tokens")
        .col(uuid("id").primary_key())
        .col(uuid("user_id"))
        .col(text("purpose"))
        .col(text("email"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .col(timestamp_with_time_zone_null("used_at"))
        .col(boolean("usable"))
        .col(boolean("mailed"))
        .foreign_key(
            ForeignKey::create()
                .name("email_tokens_user_id_fkey")
                .from("email_tokens", "user_id")
                .to("users", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

/// The mails that wait or have failed. `user_id` has no foreign key, because the last mail of an account is sent
/// after its row was deleted. `event_at` is the time that the mail names.
fn mails() -> TableCreateStatement {
    Table::create()
        .table("mails")
        .col(uuid("id").primary_key())
        .col(text("kind"))
        .col(uuid_null("user_id"))
        .col(text("recipient"))
        .col(uuid_null("token_id"))
        .col(timestamp_with_time_zone("event_at"))
        .col(text_null("ip_address"))
        .col(text_null("key_start"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("due_at"))
        .col(timestamp_with_time_zone_null("lease_until"))
        .col(integer("attempts").default(0))
        .col(timestamp_with_time_zone("gives_up_at"))
        .col(timestamp_with_time_zone_null("failed_at"))
        .col(integer_null("smtp_code"))
        .to_owned()
}

/// The requests for a new password whose accounts have not been looked up yet.
fn reset_requests() -> TableCreateStatement {
    Table::create()
        .table("reset_requests")
        .col(uuid("id").primary_key())
        .col(text("login"))
        .col(text("ip_address"))
        .col(timestamp_with_time_zone("created_at"))
        .to_owned()
}
