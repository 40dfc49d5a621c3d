//! Signing secrets: parses the named ones of an option, and generates one in a file.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use uuid::Uuid;

use crate::auth::{SigningSecret, SigningSecrets};

/// The end of an error message about a missing or weak secret.
pub const SECRET_HINT: &str = "make one with `openssl rand -hex 32`";

/// Parses `2:new,1:old`. A secret may contain a colon but no comma. An error shows no part of the text: in a
/// malformed value the part that looks like a name may be a secret.
pub fn parse_named_secrets(text: &str) -> Result<SigningSecrets> {
    let named = |(index, pair): (usize, &str)| {
        let (name, secret) = pair.split_once(':').filter(|(name, _)| is_key_name(name)).context(
            "BETTER_AUTH_SECRETS must be like 2:new,1:old, where a name is 1 to 16 of A-Z, a-z, 0-9, _ and -",
        )?;
        let secret = SigningSecret::new(secret.as_bytes().to_vec()).map_err(|weakness| {
            let number = index + 1;
            anyhow!("BETTER_AUTH_SECRETS: secret number {number} is too weak: {weakness}; {SECRET_HINT}")
        })?;
        anyhow::Ok((name.to_owned(), secret))
    };
    let keys = text.split(',').enumerate().map(named).collect::<Result<_>>()?;
    SigningSecrets::named(keys).context("BETTER_AUTH_SECRETS has two secrets with the same name")
}

fn is_key_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=16).contains(&name.len()) && name.bytes().all(allowed)
}

/// Reads the secret in a file, and creates it if it does not exist. Processes that start at the same time get
/// the same secret.
pub fn load_or_create_secret(file: &Path) -> Result<String> {
    match fs::read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        read => return Ok(read?.trim_end().to_owned()),
    }
    let draft = file.with_extension(format!("draft-{}", Uuid::new_v4()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut written = options.open(&draft)?;
    written.write_all(SigningSecret::generate()?.as_bytes())?;
    written.sync_all()?;
    // Unlike a rename, a link never replaces a secret that another process has just created.
    let linked = fs::hard_link(&draft, file);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error.into()),
        _ => Ok(fs::read_to_string(file)?),
    }
}
