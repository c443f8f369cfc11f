//! How much processor time this process takes.

use std::time::Duration;

/// Ticks a second in `/proc`: fixed by Linux for every architecture it runs servers on.
const TICKS_PER_SECOND: u64 = 100;

/// The share of two cores above which figures say more about the machine than about the sides.
pub(crate) const SATURATED_PERCENT: u64 = 60;

/// Processor time this process has taken, user and system; `None` where the system does not say.
pub(crate) fn taken() -> Option<Duration> {
    parse(&std::fs::read_to_string("/proc/self/stat").ok()?)
}

/// Whether this much processor time in this much time is too much.
pub(crate) fn is_saturated(taken: Duration, passed: Duration) -> bool {
    taken.as_nanos() * 100 > passed.as_nanos() * 2 * u128::from(SATURATED_PERCENT)
}

/// Fields 14 and 15 of proc(5), counted behind the name, which may hold anything.
fn parse(stat: &str) -> Option<Duration> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut fields = behind_name.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 1_000 / TICKS_PER_SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_brackets_is_skipped() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194304 90 0 0 0 150 50 0 0 20 0 5 0 100";
        assert_eq!(parse(stat), Some(Duration::from_secs(2)));
        assert_eq!(parse("nonsense"), None);
    }

    #[test]
    fn sixty_percent_of_two_cores_is_not_yet_too_much() {
        let second = Duration::from_secs(1);
        assert!(!is_saturated(Duration::from_millis(1_200), second));
        assert!(is_saturated(Duration::from_millis(1_210), second));
    }
}
