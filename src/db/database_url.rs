//! Where a database is: what DATABASE_URL may say.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context;
use sea_orm::sqlx::postgres::PgConnectOptions;

/// Where the database is. It displays without its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseUrl {
    Sqlite(PathBuf),
    Postgres(SecretUrl),
}

/// The connection URL of a PostgreSQL database, whose password cannot be shown by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(String);

impl SecretUrl {
    /// The URL with its password.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretUrl(…)")
    }
}

impl FromStr for DatabaseUrl {
    type Err = anyhow::Error;

    fn from_str(url: &str) -> anyhow::Result<Self> {
        let after = |schemes: [&str; 2]| schemes.into_iter().find_map(|scheme| url.strip_prefix(scheme));
        if let Some(rest) = after(["postgres://", "postgresql://"]) {
            let url = format!("postgres://{rest}");
            // The parser's own message may quote what it did not understand.
            let options = PgConnectOptions::from_str(&url).ok();
            // Else a part of a password would be taken for a port or a name, and shown.
            let at_is_last = rest.find(['/', '?', '#']).is_none_or(|end| !rest[end..].contains('@'));
            options.filter(|_| at_is_last).context(
                "it must be like postgres://user:password@host/name, with any of /?#@% in a part as %XX",
            )?;
            Ok(Self::Postgres(SecretUrl(url)))
        } else if let Some(path) = after(["sqlite://", "sqlite:"]) {
            let path = path.split('?').next().unwrap_or_default();
            anyhow::ensure!(!path.is_empty(), "it names no file");
            anyhow::ensure!(path != ":memory:", "a database in memory would lose what it acknowledged");
            Ok(Self::Sqlite(path.into()))
        } else {
            anyhow::bail!("it starts with neither postgres:// nor sqlite://")
        }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "SQLite at {}", path.display()),
            Self::Postgres(url) => match PgConnectOptions::from_str(&url.0) {
                Ok(options) => {
                    let database = options.get_database().unwrap_or_else(|| options.get_username());
                    write!(f, "PostgreSQL at {}:{}/{database}", options.get_host(), options.get_port())
                }
                Err(_) => f.write_str("PostgreSQL"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_never_shows_its_password() {
        let url: DatabaseUrl = "postgresql://ann:s3cret@db.example.com/tasks".parse().expect("a valid URL");
        assert_eq!(url.to_string(), "PostgreSQL at db.example.com:5432/tasks");
        assert!(!format!("{url:?}").contains("s3cret"));
    }

    #[test]
    fn urls_of_other_databases_are_refused() {
        for url in ["", "mysql://localhost/x", "tasks.db", "sqlite::memory:", "sqlite://", "postgres://[::"] {
            assert!(url.parse::<DatabaseUrl>().is_err(), "{url} was accepted");
        }
    }

    #[test]
    fn a_password_that_would_be_taken_for_a_host_or_a_name_is_refused() {
        for password in ["12/cret", "12?cret", "12#cret", "s@12/cret"] {
            let refusal = format!("postgres://ann:{password}@db/tasks").parse::<DatabaseUrl>();
            let message = refusal.expect_err("the URL was accepted").to_string();
            assert!(message.contains("%XX") && !message.contains("cret"), "{message}");
        }
        let url: DatabaseUrl = "postgres://ann:12%2Fcret@db/tasks".parse().expect("a valid URL");
        assert_eq!(url.to_string(), "PostgreSQL at db:5432/tasks");
    }
}
