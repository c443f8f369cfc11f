//! How an attempt ended, as an authentication system means it.

/// What an attempt says about the dependency that answered it.
///
/// The question is never "did the user log in?" but "did the dependency do its job in time?".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutcomeKind {
    /// The dependency did its job.
    Success,
    /// The dependency did its job and its answer was no: a wrong password, an unknown user.
    Denied,
    /// The dependency asked for fewer requests; neither a success nor a failure.
    Throttled,
    /// The dependency did not do its job.
    Failure,
    /// Nothing was learned: the caller left, or the fault was ours.
    Neutral,
}

impl OutcomeKind {
    /// Every kind, in the order of their declaration.
    pub const ALL: [Self; 5] =
        [Self::Success, Self::Denied, Self::Throttled, Self::Failure, Self::Neutral];

    /// The word used in metrics, logs and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Denied => "denied",
            Self::Throttled => "throttled",
            Self::Failure => "failure",
            Self::Neutral => "neutral",
        }
    }
}

/// How an attempt ended, and beside it whether it was slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Outcome {
    /// What it says about the dependency.
    pub kind: OutcomeKind,
    /// Whether the answer took longer than the policy's slow threshold.
    pub slow: bool,
}

impl Outcome {
    /// A success in time.
    pub const SUCCESS: Self = Self::of(OutcomeKind::Success);
    /// An answer of no, in time.
    pub const DENIED: Self = Self::of(OutcomeKind::Denied);
    /// A request for fewer requests.
    pub const THROTTLED: Self = Self::of(OutcomeKind::Throttled);
    /// A failure.
    pub const FAILURE: Self = Self::of(OutcomeKind::Failure);
    /// Nothing learned.
    pub const NEUTRAL: Self = Self::of(OutcomeKind::Neutral);

    /// An outcome of this kind that was not slow.
    #[must_use]
    pub const fn of(kind: OutcomeKind) -> Self {
        Self { kind, slow: false }
    }

    /// The same outcome, marked slow.
    #[must_use]
    pub const fn slow(self) -> Self {
        Self { slow: true, ..self }
    }
}
