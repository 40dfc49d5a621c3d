//! Options of the database.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use secrecy::{ExposeSecret, SecretString};

use super::values::whole_number;
use crate::db::DatabaseUrl;

/// The database and the data folder.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Database")]
pub struct DatabaseOptions {
    /// postgres://user:password@host/name or sqlite://path; if not set, an SQLite file in DATA_DIR
    #[arg(long, env, global = true, hide_env_values = true, value_name = "URL")]
    pub(super) database_url: Option<SecretString>,

    /// Folder of the SQLite database, of the generated secret, and of mails that are files
    #[arg(long, env, global = true, value_name = "FOLDER", default_value = "./data")]
    pub(super) data_dir: PathBuf,

    /// Maximum number of connections to the database, per instance
    #[arg(long, env, global = true, value_name = "N", default_value_t = 10, value_parser = whole_number::<u32>(1..=1000))]
    pub database_max_connections: u32,
}

impl DatabaseOptions {
    /// The URL of the database. Without DATABASE_URL it creates DATA_DIR for the SQLite file.
    pub fn url(&self) -> Result<DatabaseUrl> {
        match &self.database_url {
            Some(url) => url.expose_secret().parse().context("DATABASE_URL cannot be used"),
            None => {
                self.create_data_dir()?;
                Ok(DatabaseUrl::Sqlite(self.data_dir.join("taskhold.db")))
            }
        }
    }

    /// The name of the option that determines the database, for error messages.
    pub fn option_name(&self) -> &'static str {
        if self.database_url.is_some() { "DATABASE_URL" } else { "DATA_DIR" }
    }

    /// Creates DATA_DIR, readable for its owner only, if it does not exist.
    pub(super) fn create_data_dir(&self) -> Result<()> {
        let mut folder = fs::DirBuilder::new();
        folder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
        let path = &self.data_dir;
        folder.create(path).with_context(|| {
            format!("DATA_DIR must be a readable and writable folder; {} is not", path.display())
        })
    }
}
