//! What a configuration changes of another, and whether it may: nothing that protects gets weaker
//! unless somebody answers for it.

use authmesh_logic::config::settings::{Change, compare};
use authmesh_logic::config::{
    Date, Problem, Settings, Severity, Span, acceptance_problems, moved_listeners, refused,
};

use super::{Loaded, Problems};
use crate::clock::Clock;

/// Seconds of a day.
const DAY_SECONDS: u64 = 86_400;

/// The day in UTC.
#[must_use]
pub fn today() -> Date {
    let since = Clock.time_of_day().duration_since(std::time::UNIX_EPOCH);
    Date::from_days(since.unwrap_or_default().as_secs() / DAY_SECONDS)
}

impl Loaded {
    /// What is different from the settings `before`, the weaker changes first.
    #[must_use]
    pub fn changes_from(&self, before: &Settings) -> Vec<Change> {
        compare(before, &self.settings)
    }

    /// What is worth knowing of `changes` that lead to this configuration: listeners that move.
    #[must_use]
    pub fn moves(&self, changes: &[Change]) -> Problems {
        self.warnings.instead(moved_listeners(changes, Span::default()))
    }

    /// The changes from the settings `before`, if all of them may be made `today`.
    ///
    /// # Errors
    /// The changes that protect less and are not accepted, and acceptances that have ended.
    pub fn changes_allowed(&self, before: &Settings, today: Date) -> Result<Vec<Change>, Problems> {
        let changes = self.changes_from(before);
        let mut found = refused(&changes, &self.accepted, today, Span::default());
        found.extend(acceptance_problems(&self.accepted, today));
        self.refused_for(found)?;
        Ok(changes)
    }

    /// Looks whether the acceptances in the file still hold.
    ///
    /// # Errors
    /// Those that have ended, or end too late.
    pub fn acceptances_hold(&mut self, today: Date) -> Result<(), Problems> {
        let found = acceptance_problems(&self.accepted, today);
        self.refused_for(found.clone())?;
        self.warnings.add(found);
        Ok(())
    }

    /// The same configuration with acceptances that have ended as warnings: what was accepted goes
    /// on until somebody looks, and a start does not fail because a day has come.
    #[must_use]
    pub fn with_acceptances_as_warnings(mut self, today: Date) -> Self {
        let found = acceptance_problems(&self.accepted, today);
        self.warnings.add(found.into_iter().map(Problem::as_warning).collect());
        self
    }

    fn refused_for(&self, found: Vec<Problem>) -> Result<(), Problems> {
        if found.iter().any(|problem| problem.severity == Severity::Error) {
            let mut problems = self.warnings.clone();
            problems.add(found);
            return Err(problems);
        }
        Ok(())
    }
}
