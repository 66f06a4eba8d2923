//! What the operating system knows of this process, under the names that Prometheus' own client
//! libraries use. Read from `/proc` when asked; what can't be read is left out.

use std::{fmt::Write as _, fs};

/// Linux counts processor time for user space in hundredths of a second on every architecture that
/// Tinko runs on (`USER_HZ`, see proc(5)).
const TICKS_PER_SECOND: u64 = 100;

/// Prometheus text.
pub(super) fn metrics() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let machine = fs::read_to_string("/proc/stat").unwrap_or_default();
    let open = fs::read_dir("/proc/self/fd").map(Iterator::count);
    let mut page = String::new();
    let mut add = |name: &str, kind: &str, value: Option<String>| {
        if let Some(value) = value {
            // Writing to a String can't fail.
            let _ = writeln!(page, "# TYPE {name} {kind}\n{name} {value}");
        }
    };
    add(
        "process_cpu_seconds_total",
        "counter",
        processor_ticks(&stat).map(seconds),
    );
    add(
        "process_start_time_seconds",
        "gauge",
        start_time(&stat, &machine).map(|time| time.to_string()),
    );
    add(
        "process_resident_memory_bytes",
        "gauge",
        resident_bytes(&status).map(|bytes| bytes.to_string()),
    );
    add(
        "process_threads",
        "gauge",
        field(&status, "Threads:").map(|threads| threads.to_string()),
    );
    add(
        "process_open_fds",
        "gauge",
        open.ok().map(|open| open.to_string()),
    );
    page
}

fn seconds(ticks: u64) -> String {
    let (whole, rest) = (ticks / TICKS_PER_SECOND, ticks % TICKS_PER_SECOND);
    format!("{whole}.{rest:02}")
}

/// User and system time. The second field of the line is the program's name in brackets, which may
/// hold spaces; after it, `utime` and `stime` are the 14th and 15th field of the line.
fn processor_ticks(stat: &str) -> Option<u64> {
    Some(nth(stat, 14)? + nth(stat, 15)?)
}

/// Seconds since 1970, in whole seconds: the machine's start and, from there, the 22nd field.
fn start_time(stat: &str, machine: &str) -> Option<u64> {
    Some(field(machine, "btime ")? + nth(stat, 22)? / TICKS_PER_SECOND)
}

fn nth(stat: &str, number: usize) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let third_is_first = number.checked_sub(3)?;
    after_name
        .split_whitespace()
        .nth(third_is_first)?
        .parse()
        .ok()
}

fn resident_bytes(status: &str) -> Option<u64> {
    field(status, "VmRSS:")?.checked_mul(1024)
}

fn field(text: &str, name: &str) -> Option<u64> {
    text.lines()
        .find_map(|line| line.strip_prefix(name))?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str =
        "77 (retry worker) S 1 77 77 0 -1 4194304 900 0 0 0 1234 66 0 0 20 0 9 0 5000 1 2";

    #[test]
    fn processor_time_and_start_are_read_past_a_name_with_spaces() {
        assert_eq!(processor_ticks(STAT).map(seconds).unwrap(), "13.00");
        assert_eq!(
            start_time(STAT, "cpu 1\nbtime 1700000000\n"),
            Some(1_700_000_050)
        );
    }

    #[test]
    fn this_process_is_described_whole() {
        let page = metrics();
        for name in [
            "process_cpu_seconds_total",
            "process_start_time_seconds",
            "process_resident_memory_bytes",
            "process_threads",
            "process_open_fds",
        ] {
            assert!(
                page.contains(&format!("\n{name} ")),
                "{name} is not in\n{page}"
            );
        }
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        assert_eq!(processor_ticks("nonsense"), None);
        assert_eq!(resident_bytes(""), None);
    }
}
