//! Mails as files, when no mail server is configured. The folder and the files are readable for their owner only.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::error::SendError;
use super::message::Message;
use super::values::Delivery;

/// The number of files that are kept, the newest.
const MAX_FILES: usize = 1_000;

const UNWRITABLE: SendError = SendError::temporary("the folder of the mails cannot be written to");

/// A folder of mails.
#[derive(Clone)]
pub struct MailFolder(PathBuf);

impl MailFolder {
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Creates the folder if it does not exist, and checks that files can be written to it.
    pub fn check(&self) -> Result<(), SendError> {
        let probe = self.0.join(".check");
        let written = create_folder(&self.0)
            .and_then(|()| fs::write(&probe, ""))
            .and_then(|()| fs::remove_file(&probe));
        written.map_err(|_| UNWRITABLE)
    }

    /// Writes a mail. A repeated attempt replaces the file of the first one.
    pub async fn write(&self, message: Message) -> Result<Delivery, SendError> {
        let folder = self.0.clone();
        let written = tokio::task::spawn_blocking(move || {
            create_folder(&folder)?;
            write_file(&folder, &message)?;
            delete_oldest(&folder)?;
            io::Result::Ok(message.file_name)
        });
        let file = written.await.map_err(|_| UNWRITABLE)?.map_err(|_| UNWRITABLE)?;
        Ok(Delivery { smtp_code: None, file: Some(file) })
    }
}

impl fmt::Display for MailFolder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(formatter)
    }
}

fn create_folder(path: &Path) -> io::Result<()> {
    let mut folder = DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.create(path)?;
    // An existing folder may have another mode.
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(())
}

/// The file appears whole, because it is renamed when it is complete.
fn write_file(folder: &Path, message: &Message) -> io::Result<()> {
    let draft = folder.join(format!(".{}", message.file_name));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(&message.bytes)?;
    file.sync_all()?;
    fs::rename(&draft, folder.join(&message.file_name))?;
    // The new name is on the disk before the mail is removed from the queue.
    File::open(folder)?.sync_all()
}

/// The names begin with the time, so the oldest file is the first in alphabetical order.
fn delete_oldest(folder: &Path) -> io::Result<()> {
    let names = fs::read_dir(folder)?.flatten().map(|entry| entry.file_name());
    let is_mail = |name: &std::ffi::OsString| {
        name.to_str().is_some_and(|name| name.ends_with(".eml") && !name.starts_with('.'))
    };
    let mut names: Vec<_> = names.filter(is_mail).collect();
    names.sort_unstable();
    for name in names.iter().rev().skip(MAX_FILES) {
        match fs::remove_file(folder.join(name)) {
            // Another attempt deletes the same file.
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
