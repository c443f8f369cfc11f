//! What the mesh did and why, in three sentences made from what happened.

use std::sync::{Arc, Mutex, PoisonError};

use authmesh::health::Verdict;
use authmesh::telemetry::{EventKind, EventReceiver};
use authmesh_logic::Moment;
use authmesh_logic::circuit_breaker::State;

use crate::clock::Clock;
use crate::phase::{Phase, Timetable};
use crate::report::PhaseReport;
use crate::scores::Mark;

/// Something that happened in the mesh.
#[derive(Clone, Debug)]
pub(crate) struct Noted {
    pub(crate) at: Moment,
    pub(crate) what: What,
}

/// What of all that happened the story speaks of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    /// Checks took an instance out.
    TakenOut { instance: String, reason: String },
    /// A breaker of an endpoint opened.
    EndpointOpened,
    /// A breaker of a whole service opened.
    ServiceOpened,
    /// An instance left the registry.
    Left,
}

/// Writes down what happens.
#[derive(Clone, Default)]
pub(crate) struct Notebook(Arc<Mutex<Vec<Noted>>>);

/// The most notes of one run; what happens after is not told.
const NOTES_MOST: usize = 10_000;

impl Notebook {
    /// Writes until the mesh is gone.
    pub(crate) async fn write(self, mut events: EventReceiver) {
        while let Some(event) = events.next().await {
            let Some(what) = What::of(event.kind) else { continue };
            let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if notes.len() < NOTES_MOST {
                notes.push(Noted { at: Clock.now(), what });
            }
        }
    }

    pub(crate) fn notes(&self) -> Vec<Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl What {
    fn of(kind: EventKind) -> Option<Self> {
        match kind {
            EventKind::Health { instance, status: Verdict::Unhealthy, reason } => {
                Some(Self::TakenOut { instance: instance.to_string(), reason })
            }
            EventKind::EndpointBreaker { transition, .. } if is_open(&transition.to) => {
                Some(Self::EndpointOpened)
            }
            EventKind::ServiceBreaker { transition, .. } if is_open(&transition.to) => {
                Some(Self::ServiceOpened)
            }
            EventKind::Left(_) => Some(Self::Left),
            _ => None,
        }
    }
}

fn is_open(state: &State) -> bool {
    matches!(state, State::Open { .. })
}

/// The three sentences.
pub(crate) fn tell(
    notes: &[Noted],
    timetable: Timetable,
    phases: &[PhaseReport],
    mark: &Mark,
) -> [String; 3] {
    [taken_out(notes, timetable), sent_again(phases, mark), said_no(notes, timetable, phases)]
}

/// The phases in which an instance fails without a word.
const SILENT_FAULTS: [Phase; 4] = [Phase::Dead, Phase::Frozen, Phase::Slow, Phase::Errors];

fn taken_out(notes: &[Noted], timetable: Timetable) -> String {
    let mut told = Vec::new();
    let mut example = None;
    for phase in SILENT_FAULTS {
        let began = timetable.at(phase, Phase::FAULT_BEGINS);
        let first = in_phase(notes, timetable, phase).find_map(|note| match &note.what {
            What::TakenOut { instance, reason } if note.at >= began => {
                Some((note.at.since(began), instance, reason))
            }
            _ => None,
        });
        if let Some((after, instance, reason)) = first {
            told.push(format!("{} {} ms", phase.name(), after.as_millis()));
            example.get_or_insert_with(|| format!("{instance}: {reason}"));
        }
    }
    let count = notes.iter().filter(|note| matches!(note.what, What::TakenOut { .. })).count();
    let opened = count_of(notes, &What::EndpointOpened);
    match example {
        Some(example) => format!(
            "Checks took failing instances out of use {count} times and breakers {opened} times; \
             the first was out, from the beginning of each fault, in {} (for example \
             {example}).",
            told.join(", ")
        ),
        None => format!("No check failed; breakers took instances out of use {opened} times."),
    }
}

fn sent_again(phases: &[PhaseReport], mark: &Mark) -> String {
    let sum = |of: fn(&PhaseReport) -> u64| phases.iter().map(of).sum::<u64>();
    format!(
        "Of {} requests the mesh sent {} again, only where no instance can have acted on them or \
         where they change nothing; so it spent {} refresh tokens twice and the naive client {}, \
         each of which ended a session, with {} and {} requests at the instances.",
        sum(|phase| phase.mesh.requests),
        mark.mesh_retries,
        sum(|phase| phase.mesh.spent_twice),
        sum(|phase| phase.naive.spent_twice),
        mark.mesh.arrivals,
        mark.naive.arrivals,
    )
}

fn said_no(notes: &[Noted], timetable: Timetable, phases: &[PhaseReport]) -> String {
    let denied: u64 = phases.iter().map(|phase| phase.mesh.denied).sum();
    let opened = in_phase(notes, timetable, Phase::Stuffing)
        .filter(|note| matches!(note.what, What::EndpointOpened | What::ServiceOpened))
        .count();
    let left =
        in_phase(notes, timetable, Phase::Rolling).filter(|note| note.what == What::Left).count();
    let again: u64 = phases
        .iter()
        .filter(|phase| phase.name == Phase::Stuffing.name())
        .map(|phase| phase.naive.attempts.saturating_sub(phase.naive.requests))
        .sum();
    format!(
        "To {denied} wrong passwords it passed on the no and opened {opened} breakers, for a no is \
         an answer, where the naive client asked {again} times more; and the {left} instances that \
         left to be restarted got nothing, for each takes its name off the registry first."
    )
}

fn in_phase(notes: &[Noted], timetable: Timetable, phase: Phase) -> impl Iterator<Item = &Noted> {
    let lasts = timetable.begins(phase)..timetable.ends(phase);
    notes.iter().filter(move |note| lasts.contains(&note.at))
}

fn count_of(notes: &[Noted], what: &What) -> usize {
    notes.iter().filter(|note| note.what == *what).count()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::report::SideReport;
    use crate::services::Seen;

    fn timetable() -> Timetable {
        Timetable::new(Moment::START, Duration::from_secs(80))
    }

    fn note(millis: u64, what: What) -> Noted {
        Noted { at: Moment::from_millis(millis), what }
    }

    fn taken(instance: &str) -> What {
        What::TakenOut { instance: instance.into(), reason: "no answer within 150 ms".into() }
    }

    #[test]
    fn a_quiet_day_is_told_as_one() {
        let [first, ..] = tell(&[], timetable(), &[], &Mark::default());
        assert_eq!(first, "No check failed; breakers took instances out of use 0 times.");
    }

    #[test]
    fn what_is_told_is_what_happened() {
        // Faults begin at a tenth of a phase: that of `dead` at 11 s, that of `frozen` at 21 s.
        let notes = [
            note(10_500, taken("login-1")),
            note(11_200, taken("login-2")),
            note(11_300, taken("token-2")),
            note(21_350, taken("login-3")),
            note(55_000, What::EndpointOpened),
            note(62_000, What::Left),
        ];
        let mesh = SideReport { requests: 400, denied: 30, ..SideReport::default() };
        let naive =
            SideReport { requests: 400, attempts: 460, spent_twice: 7, ..SideReport::default() };
        let phases = [PhaseReport { name: "stuffing", seconds: 10.0, mesh, naive }];
        let seen = |arrivals| Seen { arrivals, spent_twice: 0 };
        let mark = Mark { mesh_retries: 5, mesh: seen(404), naive: seen(480) };
        let [taken_out, sent_again, said_no] = tell(&notes, timetable(), &phases, &mark);
        assert!(taken_out.contains("use 4 times and breakers 1 times"), "{taken_out}");
        assert!(
            taken_out.contains("dead 200 ms, frozen 350 ms (for example login-2: no answer"),
            "{taken_out}"
        );
        assert!(sent_again.starts_with("Of 400 requests the mesh sent 5 again"), "{sent_again}");
        assert!(
            sent_again.contains("0 refresh tokens twice and the naive client 7"),
            "{sent_again}"
        );
        assert!(said_no.starts_with("To 30 wrong passwords it passed on the no"), "{said_no}");
        assert!(said_no.contains("opened 1 breakers"), "{said_no}");
        assert!(said_no.contains("client asked 60 times more"), "{said_no}");
        assert!(said_no.contains("the 1 instances that left"), "{said_no}");
    }
}
