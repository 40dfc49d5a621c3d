//! A folder on a disk that can be made full: a small tmpfs, or where nothing can be mounted a limit of the
//! size of files, beyond which writes fail as well.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tempfile::TempDir;

use super::{Place, Server};

/// How many bytes of the disk the database can still use when it is nearly full.
const ROOM: u64 = 512 * 1024;

/// A way in which writes to the folder fail.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scarcity {
    /// ENOSPC, which is SQLITE_FULL.
    DiskFull,
    /// EFBIG, which is SQLITE_IOERR.
    FileSize,
}

/// The folder. It is unmounted after the test.
pub struct SmallDisk {
    folder: TempDir,
    scarcity: Scarcity,
}

impl SmallDisk {
    pub fn new(wanted: Scarcity) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=64m", "tmpfs"]).arg(folder.path());
        let mut is_mounted = || mount.output().is_ok_and(|output| output.status.success());
        let scarcity = if wanted == Scarcity::DiskFull && is_mounted() { wanted } else { Scarcity::FileSize };
        Self { folder, scarcity }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A place whose server has its data on this disk.
    pub fn place(&self) -> Place {
        let place = Place::new().with("DATA_DIR", &self.path().display().to_string());
        // A write beyond the limit of the size of files would end the process by a signal.
        place.after("trap '' XFSZ")
    }

    /// Leaves little room to the server.
    pub fn fill(&self, server: &Server) {
        match self.scarcity {
            Scarcity::FileSize => limit_file_size(server, Some(self.database_size() + ROOM)),
            Scarcity::DiskFull => {
                let mut file = File::create(self.filler()).expect("the disk has room for a name");
                let mut length = 0;
                while let Ok(written @ 1..) = file.write(&[0; 65536]) {
                    length += written as u64;
                }
                file.set_len(length.saturating_sub(ROOM)).expect("a file can be made shorter");
            }
        }
    }

    /// Gives the room back.
    pub fn free(&self, server: &Server) {
        match self.scarcity {
            Scarcity::FileSize => limit_file_size(server, None),
            Scarcity::DiskFull => fs::remove_file(self.filler()).expect("the disk was filled before"),
        }
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }

    fn database_size(&self) -> u64 {
        let file = fs::metadata(self.path().join("taskhold.db"));
        file.expect("the server has made its database").len()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if self.scarcity == Scarcity::DiskFull {
            // With --lazy it works also while a server that failed its test is being ended.
            let _ = Command::new("umount").arg("--lazy").arg(self.folder.path()).status();
        }
    }
}

fn limit_file_size(server: &Server, bytes: Option<u64>) {
    let process = Pid::from_raw(server.process().try_into().expect("a process id is small"));
    let limit = Rlimit { current: bytes, maximum: None };
    prlimit(process, Resource::Fsize, limit).expect("it is a process of ours");
}
