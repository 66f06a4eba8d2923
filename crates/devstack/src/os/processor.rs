//! What the kernel says of processes' time.

use std::time::Duration;

/// The unit of `/proc/PID/stat`: 100 to the second whatever the kernel's own is (`USER_HZ`, proc(5)).
const TICK: Duration = Duration::from_millis(10);

/// The processor time that a process has taken since it began, its own and the kernel's for it, to a hundredth of a
/// second; none if the process is gone.
pub fn processor_time(process: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is the program's name in parentheses, and may hold any character.
    let (_, fields) = stat.rsplit_once(')')?;
    // Fields 14 and 15 (proc(5)); the first after the name is 3.
    let mut ticks = fields.split_ascii_whitespace().skip(14 - 3);
    let own: u32 = ticks.next()?.parse().ok()?;
    let kernel: u32 = ticks.next()?.parse().ok()?;
    Some(TICK.saturating_mul(own.saturating_add(kernel)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_works_takes_time_and_one_that_is_not_there_none() {
        let own = std::process::id();
        let before = processor_time(own).unwrap();
        while processor_time(own).unwrap() == before {
            std::hint::black_box((0..10_000_u64).sum::<u64>());
        }
        assert_eq!(processor_time(u32::MAX), None);
    }
}
