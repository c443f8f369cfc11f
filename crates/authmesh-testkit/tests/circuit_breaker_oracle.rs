//! The lock-free breaker and the plain one say the same of every history.

use std::time::Duration;

use authmesh_logic::circuit_breaker::{
    AdvancedCircuitBreaker, Command, Growth, Jitter, Policy, RateTrip, SlowTrip, Wait, Window,
};
use authmesh_logic::outcome::{Outcome, OutcomeKind};
use authmesh_logic::{Dice, Lane, Moment, Ratio};
use authmesh_testkit::oracle::Oracle;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Deed {
    Wait(u64),
    Ask,
    Tell { which: usize, outcome: Outcome },
    Cancel { which: usize },
    Command(Command),
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let kinds = prop_oneof![
        4 => Just(OutcomeKind::Success),
        5 => Just(OutcomeKind::Failure),
        2 => Just(OutcomeKind::Denied),
        1 => Just(OutcomeKind::Throttled),
        1 => Just(OutcomeKind::Neutral),
    ];
    (kinds, prop::bool::weighted(0.3)).prop_map(|(kind, slow)| Outcome { kind, slow })
}

fn deed() -> impl Strategy<Value = Deed> {
    let command = prop::sample::select(vec![
        Command::Open,
        Command::OpenFor(Duration::from_millis(70)),
        Command::HalfOpen,
        Command::Close,
        Command::ForceOpen(None),
        Command::Disable(None),
        Command::Shadow(None),
    ]);
    prop_oneof![
        3 => prop_oneof![0..30_u64, 0..500_u64].prop_map(Deed::Wait),
        10 => Just(Deed::Ask),
        10 => (any::<usize>(), outcome()).prop_map(|(which, outcome)| Deed::Tell { which, outcome }),
        1 => any::<usize>().prop_map(|which| Deed::Cancel { which }),
        1 => command.prop_map(Deed::Command),
    ]
}

fn policy() -> impl Strategy<Value = Policy> {
    let window = prop_oneof![
        (1..8_u32).prop_map(|calls| Window::Count { calls }),
        (1..6_u16, 1..40_u64).prop_map(|(buckets, bucket)| Window::Time {
            length: Duration::from_millis(bucket * u64::from(buckets)),
            buckets
        }),
    ];
    let share = || (1..=100_u32).prop_map(Ratio::percent);
    let rate = (share(), 1..6_u32)
        .prop_map(|(threshold, minimum_calls)| RateTrip { threshold, minimum_calls });
    let slow = (share(), 1..6_u32).prop_map(|(threshold, minimum_calls)| SlowTrip {
        slower_than: Duration::ZERO,
        threshold,
        minimum_calls,
    });
    let trips = (
        prop::option::of(1..5_u32),
        prop::option::of(1..5_u32),
        prop::option::of(rate),
        prop::option::of(slow),
    );
    let wait =
        (0..200_u64, 1..4_u32, any::<bool>()).prop_map(|(first, multiplier, on_close)| Wait {
            first: Duration::from_millis(first),
            multiplier,
            longest: Duration::from_millis(600),
            jitter: Jitter::None,
            growth_resets: if on_close {
                Growth::OnClose
            } else {
                Growth::AfterHealthy(Duration::from_millis(300))
            },
        });
    let trials = (1..5_u32).prop_flat_map(|trials| (Just(trials), 1..=trials));
    let limit = prop::option::of((1..300_u64).prop_map(Duration::from_millis));
    (window, trips, wait, trials, limit).prop_map(
        |(window, (run, failures, rate, slow), wait, (trials, closes_at), trial_limit)| Policy {
            consecutive_failures: run,
            failures_in_window: failures,
            failure_rate: rate,
            slow_rate: slow,
            burn_rate: None,
            window,
            wait,
            trials,
            closes_at,
            trial_limit,
            ramp: None,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn i5_i7_the_lock_free_breaker_does_what_the_plain_one_does(
        policy in policy(),
        history in prop::collection::vec(deed(), 1..120),
        shards in 1..4_usize,
    ) {
        let mut dice = Dice::seeded(1);
        let breaker = AdvancedCircuitBreaker::new(&policy, shards, &mut dice, Moment::START);
        let mut oracle = Oracle::new(policy.clone());
        let mut under_way = Vec::new();
        let mut at = 0;
        for (number, deed) in history.into_iter().enumerate() {
            let (now, lane) = (Moment::from_millis(at), Lane::new(number as u16));
            match deed {
                Deed::Wait(millis) => at += millis,
                Deed::Ask => {
                    let permit = breaker.try_acquire(&policy, lane, &mut dice, now).0.ok();
                    let leave = oracle.acquire(at);
                    prop_assert_eq!(
                        permit.as_ref().map(|permit| permit.is_trial()),
                        leave.map(|leave| leave.trial)
                    );
                    under_way.extend(permit.zip(leave));
                }
                Deed::Tell { which, outcome } if !under_way.is_empty() => {
                    let (permit, leave) = under_way.swap_remove(which % under_way.len());
                    breaker.record(&policy, lane, permit, outcome, now);
                    oracle.record(leave, outcome, at);
                }
                Deed::Cancel { which } if !under_way.is_empty() => {
                    let (permit, leave) = under_way.swap_remove(which % under_way.len());
                    breaker.cancel(permit);
                    oracle.record(leave, Outcome::NEUTRAL, at);
                }
                Deed::Command(command) => {
                    let obeyed = breaker.command(&policy, command, now).is_some();
                    prop_assert_eq!(obeyed, oracle.command(command, at));
                }
                Deed::Tell { .. } | Deed::Cancel { .. } => {}
            }
            let now = Moment::from_millis(at);
            prop_assert_eq!(breaker.state(&policy, now).word(), oracle.state(at), "deed {}", number);
            prop_assert_eq!(breaker.counts(&policy, now), oracle.counts(at), "deed {}", number);
        }
    }
}
