//! The bad day: which instance suffers what, and when.

use authmesh_logic::Dice;

use crate::clock::sleep_until;
use crate::instance::{Fault, Instance};
use crate::phase::{Phase, Timetable};
use crate::services::Kind;

/// When in its phase the restart of the first instances begins, how long after it that of the next
/// ones, and how long they are gone, in percent of the phase.
const ROLLING: (u32, u32, u32) = (5, 25, 15);

/// Lets the instances suffer what each phase has for them, until the last phase has begun.
pub(crate) async fn live_through(timetable: Timetable, instances: &[Instance], seed: u64) {
    let mut dice = Dice::seeded(seed);
    for phase in Phase::ALL {
        match fault(phase) {
            Some(fault) => {
                let unlucky = Kind::ALL.map(|kind| one_of(instances, kind, &mut dice));
                sleep_until(timetable.at(phase, Phase::FAULT_BEGINS)).await;
                unlucky.iter().flatten().for_each(|instance| instance.suffer(fault));
                sleep_until(timetable.at(phase, Phase::FAULT_ENDS)).await;
                unlucky.iter().flatten().for_each(|instance| instance.suffer(Fault::None));
            }
            None if phase == Phase::Rolling => roll(timetable, instances).await,
            None => {}
        }
    }
}

/// What is wrong with one instance of each service in this phase.
fn fault(phase: Phase) -> Option<Fault> {
    match phase {
        Phase::Dead => Some(Fault::Dead),
        Phase::Frozen => Some(Fault::Frozen),
        Phase::Slow => Some(Fault::Slow),
        Phase::Errors => Some(Fault::Errors),
        Phase::Healthy | Phase::Stuffing | Phase::Rolling | Phase::Recovery => None,
    }
}

/// Restarts the first instance of each service, then the second, then the third.
async fn roll(timetable: Timetable, instances: &[Instance]) {
    let (first, step, gone) = ROLLING;
    let mut percent = first;
    for number in 1..=INSTANCES_EACH {
        let numbered = || instances.iter().filter(move |instance| instance.number() == number);
        sleep_until(timetable.at(Phase::Rolling, percent)).await;
        numbered().for_each(|instance| instance.suffer(Fault::Leaving));
        sleep_until(timetable.at(Phase::Rolling, percent + gone)).await;
        numbered().for_each(|instance| instance.suffer(Fault::None));
        percent += step;
    }
}

/// How many instances each service has.
pub(crate) const INSTANCES_EACH: usize = 3;

fn one_of<'a>(instances: &'a [Instance], kind: Kind, dice: &mut Dice) -> Option<&'a Instance> {
    let count = instances.iter().filter(|instance| instance.kind() == kind).count();
    let number = usize::try_from(dice.below(count as u64)).unwrap_or(0);
    instances.iter().filter(|instance| instance.kind() == kind).nth(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_restart_ends_before_its_phase_does() {
        let (first, step, gone) = ROLLING;
        let restarts = u32::try_from(INSTANCES_EACH).unwrap();
        assert!(gone < step, "one after the other");
        assert!(first + step * (restarts - 1) + gone < 100);
    }
}
