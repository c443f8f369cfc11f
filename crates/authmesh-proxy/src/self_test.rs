//! Looks before a start whether what security stands on is there.

use std::fmt;
use std::time::{Duration, SystemTime};

use authmesh::worker::Clock;
use tokio_rustls::rustls::NamedGroup;
use tokio_rustls::rustls::crypto::aws_lc_rs;

/// What is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfTestError {
    /// The key exchange that a later quantum computer cannot undo.
    NoPostQuantumKeyExchange,
    /// The clock is before the program was made, so no certificate could be judged.
    ClockBehind,
}

/// How far the clock may be behind: files come from machines with clocks of their own.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(24 * 60 * 60);

/// Looks at the cryptography and the clock.
pub(crate) fn self_test() -> Result<(), SelfTestError> {
    let groups = aws_lc_rs::default_provider().kx_groups;
    if !groups.iter().any(|group| group.name() == NamedGroup::X25519MLKEM768) {
        return Err(SelfTestError::NoPostQuantumKeyExchange);
    }
    let program = std::env::current_exe().and_then(|file| file.metadata()?.modified());
    // A program whose own file is gone has been replaced while it ran; then the clock is believed.
    let made = program.unwrap_or(SystemTime::UNIX_EPOCH);
    if is_behind(Clock.time_of_day(), made) { Err(SelfTestError::ClockBehind) } else { Ok(()) }
}

fn is_behind(now: SystemTime, made: SystemTime) -> bool {
    now.checked_add(CLOCK_TOLERANCE).is_some_and(|now| now < made)
}

impl fmt::Display for SelfTestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NoPostQuantumKeyExchange => "the key exchange X25519MLKEM768 is missing",
            Self::ClockBehind => {
                "the clock is behind the program's own file, so no certificate can be judged; set it \
                 first"
            }
        })
    }
}

impl std::error::Error for SelfTestError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_passes() {
        assert_eq!(self_test(), Ok(()));
    }

    #[test]
    fn a_clock_a_little_behind_is_believed_and_one_of_another_year_is_not() {
        let made = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
        assert!(!is_behind(made - Duration::from_secs(3_600), made));
        assert!(!is_behind(made + Duration::from_secs(3_600), made));
        assert!(is_behind(made - Duration::from_secs(90_000), made));
        assert!(is_behind(SystemTime::UNIX_EPOCH, made));
    }
}
