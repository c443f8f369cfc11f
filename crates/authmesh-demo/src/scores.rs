//! Puts together what was counted in three places: by the load, by the instances, by the mesh.

use tokio::sync::watch;

use crate::load::Tally;
use crate::phase::Phase;
use crate::report::{PhaseReport, SideReport, millis};
use crate::services::Seen;
use crate::side::Side;

/// The scores of a run, while it goes on and after.
pub(crate) struct Scores {
    tallies: [watch::Receiver<Tally>; 2],
    phase_seconds: f64,
    /// What had been counted when each phase began.
    marks: Vec<Mark>,
}

/// What had been counted at one moment outside the load.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mark {
    /// Attempts of the mesh that were not the first of their request.
    pub(crate) mesh_retries: u64,
    /// What the instances saw of the mesh.
    pub(crate) mesh: Seen,
    /// What the instances saw of the naive client.
    pub(crate) naive: Seen,
}

impl Scores {
    /// Scores of loads that count here, the mesh's first.
    pub(crate) fn new(tallies: [watch::Receiver<Tally>; 2], phase_seconds: f64) -> Self {
        Self { tallies, phase_seconds, marks: Vec::new() }
    }

    /// A phase begins.
    pub(crate) fn begin(&mut self, mark: Mark) {
        self.marks.push(mark);
    }

    /// The phases that have begun, the last as far as `now`.
    pub(crate) fn phases(&self, now: Mark) -> Vec<PhaseReport> {
        let ends = self.marks.iter().skip(1).copied().chain([now]);
        Phase::ALL
            .into_iter()
            .zip(self.marks.iter().copied().zip(ends))
            .map(|(phase, (begin, end))| PhaseReport {
                name: phase.name(),
                seconds: self.phase_seconds,
                mesh: self.counted(Side::Mesh, phase).and(
                    end.mesh_retries - begin.mesh_retries,
                    end.mesh.spent_twice - begin.mesh.spent_twice,
                ),
                naive: self
                    .counted(Side::Naive, phase)
                    .and(0, end.naive.spent_twice - begin.naive.spent_twice),
            })
            .collect()
    }

    fn counted(&self, side: Side, phase: Phase) -> SideReport {
        let tally = self.tallies[side as usize].borrow();
        let count = tally.of(phase);
        SideReport {
            requests: count.requests,
            ok: count.ok,
            denied: count.denied,
            failed: count.failed,
            p50_ms: millis(count.latency(50)),
            p99_ms: millis(count.latency(99)),
            attempts: count.attempts,
            spent_twice: 0,
        }
    }
}

impl SideReport {
    /// The same, with what was counted elsewhere.
    fn and(self, attempts: u64, spent_twice: u64) -> Self {
        Self { attempts: self.attempts + attempts, spent_twice, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_phase_gets_what_was_counted_between_its_marks() {
        let (_tally, told) = watch::channel(Tally::default());
        let mut scores = Scores::new([told.clone(), told], 2.0);
        let mark = |retries, spent_twice| Mark {
            mesh_retries: retries,
            mesh: Seen::default(),
            naive: Seen { arrivals: 0, spent_twice },
        };
        scores.begin(mark(5, 0));
        scores.begin(mark(15, 1));
        let phases = scores.phases(mark(35, 4));
        let found: Vec<_> = phases
            .iter()
            .map(|phase| (phase.name, phase.mesh.attempts, phase.naive.spent_twice))
            .collect();
        assert_eq!(found, [("healthy", 10, 1), ("dead", 20, 3)]);
    }
}
