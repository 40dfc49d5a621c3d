//! A folder in which writes can be made to fail: on a small tmpfs that can be filled or, without the right to
//! mount, by a limit of the file size.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tempfile::TempDir;

use super::{Server, ServerEnv};

/// The number of bytes that the database can still write after the disk has been filled.
const FREE_BYTES: u64 = 512 * 1024;

/// How writes to the folder fail.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum WriteFailure {
    /// ENOSPC, reported as SQLITE_FULL.
    DiskFull,
    /// EFBIG, reported as SQLITE_IOERR.
    FileSize,
}

/// The folder, which is unmounted when the value is dropped.
pub struct SmallDisk {
    folder: TempDir,
    failure: WriteFailure,
}

impl SmallDisk {
    pub fn new(wanted: WriteFailure) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=64m", "tmpfs"]).arg(folder.path());
        let mut is_mounted = || mount.output().is_ok_and(|output| output.status.success());
        let failure =
            if wanted == WriteFailure::DiskFull && is_mounted() { wanted } else { WriteFailure::FileSize };
        Self { folder, failure }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// An environment whose server keeps its data on this disk.
    pub fn server_env(&self) -> ServerEnv {
        let env = ServerEnv::new().with("DATA_DIR", &self.path().display().to_string());
        // A write beyond the file size limit would end the process by SIGXFSZ.
        env.after_shell_command("trap '' XFSZ")
    }

    /// Leaves [`FREE_BYTES`] to the server.
    pub fn fill(&self, server: &Server) {
        match self.failure {
            WriteFailure::FileSize => limit_file_size(server, Some(self.database_size() + FREE_BYTES)),
            WriteFailure::DiskFull => {
                let mut file = File::create(self.filler()).expect("a file can be created");
                let mut length = 0;
                while let Ok(written @ 1..) = file.write(&[0; 65536]) {
                    length += written as u64;
                }
                file.set_len(length.saturating_sub(FREE_BYTES)).expect("a file can be truncated");
            }
        }
    }

    /// Makes writes succeed again.
    pub fn free(&self, server: &Server) {
        match self.failure {
            WriteFailure::FileSize => limit_file_size(server, None),
            WriteFailure::DiskFull => fs::remove_file(self.filler()).expect("the disk was filled before"),
        }
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }

    fn database_size(&self) -> u64 {
        let file = fs::metadata(self.path().join("taskhold.db"));
        file.expect("the server has created its database").len()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if self.failure == WriteFailure::DiskFull {
            // --lazy also works while the server of a failed test is still ending.
            let _ = Command::new("umount").arg("--lazy").arg(self.folder.path()).status();
        }
    }
}

fn limit_file_size(server: &Server, bytes: Option<u64>) {
    let process = Pid::from_raw(server.pid().try_into().expect("a process id is small"));
    let limit = Rlimit { current: bytes, maximum: None };
    prlimit(process, Resource::Fsize, limit).expect("the process was started by this test");
}
