//! Memory and processor times, as Linux reports them in /proc.

use std::fs;
use std::path::Path;
use std::time::Duration;

/// The unit of times in the files `stat`: Linux reports hundredths of a second on every architecture.
const TICK_MS: u64 = 10;

/// The resident memory of a process, in bytes.
pub fn resident_bytes(pid: u32) -> f64 {
    let status = read(format!("/proc/{pid}/status"));
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the process runs");
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib * 1024.0
}

/// The processor time of a process so far.
pub fn process_time(pid: u32) -> Duration {
    let stat = read(format!("/proc/{pid}/stat"));
    // The name of the program, in parentheses, may contain spaces. User and system time are the 12th and 13th field
    // after it.
    let (_, fields) = stat.rsplit_once(") ").expect("the name is in parentheses");
    ticks(fields.split(' ').skip(11).take(2))
}

/// The processor time so far of a thread, given its folder in /proc.
pub fn thread_time(folder: &Path) -> Duration {
    let nanoseconds = read(folder.join("schedstat"));
    let nanoseconds = nanoseconds.split(' ').next().and_then(|number| number.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number"))
}

/// The time that all processors together have been idle so far.
pub fn idle_time() -> Duration {
    let stat = read("/proc/stat");
    let fields = stat.lines().next().expect("a line for all processors").split_whitespace();
    // user, nice and system come before idle.
    ticks(fields.skip(4).take(1))
}

fn ticks<'a>(fields: impl Iterator<Item = &'a str>) -> Duration {
    Duration::from_millis(TICK_MS * fields.map(|field| field.parse::<u64>().expect("a number")).sum::<u64>())
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).expect("Linux has this file while the process runs")
}
