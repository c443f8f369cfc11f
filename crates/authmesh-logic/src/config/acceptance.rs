//! Decides whether a weaker setting is accepted, and refuses the change to it otherwise.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::reference::Effect;
use super::settings::Change;
use super::{Code, Date, Problem, Span};

/// A weaker setting that somebody answers for until a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// The full path of the key, or of a table that comes or goes as a whole.
    pub path: String,
    /// Why.
    pub reason: String,
    /// The last day on which it holds.
    pub until: Date,
    /// Where it is written.
    pub span: Span,
}

/// The longest time from today to the end of an acceptance, in days: whoever needs it longer says
/// so again.
pub const LONGEST_ACCEPTANCE_DAYS: u64 = 366;

/// How many days before its end an acceptance is warned of.
const WARNED_DAYS: u64 = 14;

/// What is wrong with acceptances today: those that have ended, end soon, or end too late.
#[must_use]
pub fn acceptance_problems(accepted: &[Acceptance], today: Date) -> Vec<Problem> {
    accepted.iter().filter_map(|acceptance| problem(acceptance, today)).collect()
}

fn problem(acceptance: &Acceptance, today: Date) -> Option<Problem> {
    let Acceptance { path, until, span, .. } = acceptance;
    let left = until.days().checked_sub(today.days());
    let sentence = match left {
        None => format!("the acceptance of a weaker `{path}` ended on {until}"),
        Some(left) if left > LONGEST_ACCEPTANCE_DAYS => {
            format!("an acceptance ends within {LONGEST_ACCEPTANCE_DAYS} days")
        }
        Some(left) if left <= WARNED_DAYS => {
            format!("the acceptance of a weaker `{path}` ends on {until}")
        }
        Some(_) => return None,
    };
    let help = "set the stronger value and take the line out, or say anew until when";
    let problem = Problem::new(Code::AcceptanceEnded, *span, sentence).help(help);
    let is_warning = left.is_some_and(|left| left <= WARNED_DAYS);
    Some(if is_warning { problem.as_warning() } else { problem })
}

/// The changes that protect less and that nobody accepted, each as a problem of the file that
/// brings them. `top` is the place of what is gone without a trace.
#[must_use]
pub fn refused(
    changes: &[Change],
    accepted: &[Acceptance],
    today: Date,
    top: Span,
) -> Vec<Problem> {
    let is_accepted =
        |change: &&Change| accepted.iter().any(|one| one.path == change.path && one.until >= today);
    let weaker = changes.iter().filter(|change| change.effect == Effect::Weaker);
    weaker.filter(|change| !is_accepted(change)).map(|change| refusal(change, today, top)).collect()
}

fn refusal(change: &Change, today: Date, top: Span) -> Problem {
    let Change { path, before, after, weaker, place, .. } = change;
    let sentence = match (before, after) {
        (Some(before), Some(after)) => {
            format!("`{path}` would protect less: {after} instead of {before}")
        }
        (Some(before), None) => format!("`{path}` would protect less without {before}"),
        (None, _) => format!("`{path}` would protect less: it is new here"),
    };
    let until = Date::from_days(today.days() + LONGEST_ACCEPTANCE_DAYS / 12);
    Problem::new(Code::Weaker, place.unwrap_or(top), sentence)
        .note(format!("weaker is: {weaker}"))
        .help(format!("accept_weaker = [\"{path}: WHY until {until}\"]   # at the top of the file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn today() -> Date {
        "2026-11-25".parse().unwrap()
    }

    fn acceptance(until: &str) -> Acceptance {
        let until = until.parse().unwrap();
        Acceptance { path: "limits.body".into(), reason: "x".into(), until, span: Span::default() }
    }

    #[test]
    fn an_acceptance_holds_through_its_last_day_and_at_most_a_year() {
        use super::super::Severity::{Error, Warning};
        for (until, wanted) in [
            ("2026-11-24", Some(Error)),
            ("2026-11-25", Some(Warning)),
            ("2026-12-09", Some(Warning)),
            ("2026-12-10", None),
            ("2027-11-26", None),
            ("2027-11-27", Some(Error)),
        ] {
            let found = acceptance_problems(&[acceptance(until)], today());
            assert_eq!(found.first().map(|problem| problem.severity), wanted, "{until}");
        }
    }

    #[test]
    fn only_what_is_weaker_and_not_accepted_today_is_refused() {
        let change = |effect| Change {
            path: "limits.body".into(),
            before: Some("1".into()),
            after: Some("2".into()),
            effect,
            weaker: "more".into(),
            place: None,
        };
        for (effect, until, is_refused) in [
            (Effect::Weaker, None, true),
            (Effect::Weaker, Some("2026-11-25"), false),
            (Effect::Weaker, Some("2026-11-24"), true),
            (Effect::Stronger, None, false),
            (Effect::Neutral, None, false),
        ] {
            let accepted: Vec<Acceptance> = until.map(acceptance).into_iter().collect();
            let refused = refused(&[change(effect)], &accepted, today(), Span::default());
            assert_eq!(refused.len(), usize::from(is_refused), "{effect:?} {until:?}");
        }
    }
}
