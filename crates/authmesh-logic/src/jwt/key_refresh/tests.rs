//! The table of the states row by row, and what tokens can cause at most.

use proptest::prelude::*;
use std::vec::Vec;

use super::*;

const POLICY: RefreshPolicy = RefreshPolicy {
    interval: Duration::from_secs(600),
    stale_if_error: Duration::from_secs(3_600),
    cooldown: Duration::from_secs(10),
};

fn at(seconds: u64) -> Moment {
    Moment::from_millis(seconds * 1_000)
}

fn dice() -> Dice {
    Dice::seeded(7)
}

/// A machine whose keys came at 100 s.
fn held() -> KeyRefresh {
    let mut refresh = KeyRefresh::new(at(100));
    assert!(refresh.begin(&POLICY, &mut dice(), at(100)));
    refresh.succeeded(&POLICY, None, &mut dice(), at(100));
    refresh
}

#[test]
fn a_fetch_is_due_at_once_and_one_flies_alone() {
    let mut refresh = KeyRefresh::new(at(5));
    assert_eq!(refresh.due(), Some(at(5)));
    assert!(!refresh.begin(&POLICY, &mut dice(), at(4)), "it is not due yet");
    assert!(refresh.begin(&POLICY, &mut dice(), at(5)));
    assert!(!refresh.begin(&POLICY, &mut dice(), at(6)), "one is in flight");
    assert_eq!(refresh.due(), None);
    assert_eq!(refresh.ask(&POLICY, 1, &mut dice(), at(6)), Ask::Wait);
}

#[test]
fn what_was_fetched_is_fetched_again_before_it_is_old() {
    let due = |fresh_for: Option<u64>| {
        let mut refresh = KeyRefresh::new(at(0));
        assert!(refresh.begin(&POLICY, &mut dice(), at(0)));
        let fresh_for = fresh_for.map(Duration::from_secs);
        refresh.succeeded(&POLICY, fresh_for, &mut dice(), at(0));
        refresh.due().unwrap().since(at(0)).as_secs_f64()
    };
    for (fresh_for, seconds) in
        [(None, 600.0), (Some(120), 120.0), (Some(1), 60.0), (Some(31_536_000), 1_800.0)]
    {
        let due = due(fresh_for);
        assert!((seconds * 0.9..=seconds).contains(&due), "{fresh_for:?} {due}");
    }
    let long = RefreshPolicy { stale_if_error: Duration::from_secs(1_000_000), ..POLICY };
    assert_eq!(long.next(Some(Duration::from_secs(31_536_000))), RefreshPolicy::MOST_INTERVAL);
}

#[test]
fn an_unknown_key_is_looked_for_once_and_then_known_to_be_unknown() {
    let mut refresh = held();
    assert_eq!(refresh.ask(&POLICY, 1, &mut dice(), at(105)), Ask::Unknown, "just fetched");
    assert_eq!(refresh.ask(&POLICY, 1, &mut dice(), at(120)), Ask::Fetch);
    assert_eq!(refresh.ask(&POLICY, 1, &mut dice(), at(120)), Ask::Wait);
    assert_eq!(refresh.ask(&POLICY, 2, &mut dice(), at(120)), Ask::Wait);
    refresh.succeeded(&POLICY, None, &mut dice(), at(121));
    for name in [1, 2] {
        assert_eq!(
            refresh.ask(&POLICY, name, &mut dice(), at(140)),
            Ask::Unknown,
            "looked for lately"
        );
    }
    assert_eq!(refresh.ask(&POLICY, 3, &mut dice(), at(125)), Ask::Unknown, "within the cooldown");
    assert_eq!(refresh.ask(&POLICY, 3, &mut dice(), at(140)), Ask::Fetch);
    refresh.succeeded(&POLICY, None, &mut dice(), at(140));
    assert_eq!(
        refresh.ask(&POLICY, 1, &mut dice(), at(152)),
        Ask::Fetch,
        "it may be published by now"
    );
}

#[test]
fn while_the_issuer_does_not_answer_nobody_says_that_a_key_is_unknown() {
    let mut refresh = held();
    assert_eq!(refresh.ask(&POLICY, 1, &mut dice(), at(120)), Ask::Fetch);
    refresh.failed(&POLICY, &mut dice(), at(121));
    assert_eq!(refresh.ask(&POLICY, 1, &mut dice(), at(122)), Ask::Unreachable);
    assert_eq!(
        refresh.ask(&POLICY, 1, &mut dice(), at(135)),
        Ask::Fetch,
        "it was not told to be unknown"
    );
}

#[test]
fn without_keys_time_alone_causes_fetches_with_growing_pauses() {
    let mut refresh = KeyRefresh::new(at(0));
    let mut now = at(0);
    let mut pauses = Vec::new();
    for _ in 0..8 {
        assert!(refresh.begin(&POLICY, &mut dice(), now));
        refresh.failed(&POLICY, &mut dice(), now);
        assert_eq!(
            refresh.ask(&POLICY, 1, &mut dice(), now + Duration::from_millis(900)),
            Ask::Unreachable
        );
        let due = refresh.due().unwrap();
        pauses.push(due.since(now).as_secs());
        now = due;
    }
    assert_eq!(pauses[..5], [1, 2, 4, 8, 16]);
    assert!(pauses[5..].iter().all(|pause| (30..=33).contains(pause)), "{pauses:?}");
}

#[test]
fn keys_that_are_held_outlive_failures_until_their_bound() {
    let mut refresh = held();
    assert_eq!(refresh.standing(at(200)), Standing::Fresh);
    let due = refresh.due().unwrap();
    assert!(refresh.begin(&POLICY, &mut dice(), due));
    refresh.failed(&POLICY, &mut dice(), due);
    assert!(refresh.due().unwrap().since(due) >= POLICY.cooldown);
    assert_eq!(refresh.standing(at(3_600)), Standing::Stale(Duration::from_secs(100)));
    assert_eq!(refresh.standing(at(3_699)), Standing::Stale(Duration::from_secs(1)));
    assert_eq!(refresh.standing(at(3_700)), Standing::Ended);
    assert_eq!(KeyRefresh::new(at(0)).standing(at(0)), Standing::Missing);
}

#[test]
fn a_copy_counts_from_when_it_came_and_is_renewed_at_once() {
    let mut refresh = KeyRefresh::new(at(10));
    refresh.restored(&POLICY, Duration::from_secs(3_000), at(10));
    assert_eq!(refresh.due(), Some(at(10)));
    assert_eq!(refresh.usable_until(), Some(at(610)));
    let mut old = KeyRefresh::new(at(10));
    old.restored(&POLICY, Duration::from_secs(4_000), at(10));
    assert_eq!(old.standing(at(10)), Standing::Ended);
}

#[test]
fn a_shorter_bound_holds_for_keys_that_are_held() {
    let shorter = RefreshPolicy { stale_if_error: Duration::from_secs(600), ..POLICY };
    let refresh = held().succeeding(&POLICY, &shorter, at(400));
    assert_eq!(refresh.usable_until(), Some(at(700)));
    assert!(refresh.due().unwrap() <= at(700));
    let longer = refresh.succeeding(&shorter, &POLICY, at(400));
    assert_eq!(longer.usable_until(), Some(at(3_700)));
}

#[test]
fn a_fetch_in_flight_is_made_anew_by_the_machine_that_goes_on() {
    let mut refresh = held();
    assert_eq!(refresh.ask(&POLICY, 1, &mut dice(), at(120)), Ask::Fetch);
    let next = refresh.succeeding(&POLICY, &POLICY, at(121));
    let due = next.due().unwrap();
    assert!(due.since(at(120)) >= POLICY.cooldown && due <= at(131), "{due:?}");
    let first = KeyRefresh::new(at(5)).succeeding(&POLICY, &POLICY, at(6));
    assert_eq!(first.due(), Some(at(5)));
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut refresh = KeyRefresh::new(at(0));
    assert!(refresh.begin(&POLICY, &mut dice(), at(0)));
    for name in 0..10_000 {
        assert_eq!(refresh.ask(&POLICY, name, &mut dice(), at(1)), Ask::Wait);
    }
    assert_eq!(refresh.asked.len(), KeyRefresh::MOST_REMEMBERED);
}

/// Something that happens to a machine.
#[derive(Clone, Debug)]
enum Event {
    /// Time passes, in milliseconds.
    Pass(u64),
    /// A token comes whose key has this name.
    Token(u64),
    /// The issuer answers what is in flight, with keys or without.
    Answer(bool),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (0_u64..15_000).prop_map(Event::Pass),
        (0_u64..15_000).prop_map(Event::Pass),
        any::<u64>().prop_map(Event::Token),
        (0_u64..4).prop_map(Event::Token),
        any::<bool>().prop_map(Event::Answer),
    ]
}

proptest! {
    #[test]
    fn i15_a_jwks_fetch_rate_is_at_most_one_per_cooldown_per_issuer_regardless_of_input_tokens(
        seed in any::<u64>(),
        events in prop::collection::vec(event(), 1..400),
    ) {
        let mut dice = Dice::seeded(seed);
        let mut now = at(0);
        let mut refresh = KeyRefresh::new(now);
        let mut last: Option<Moment> = None;
        for event in events {
            let was_held = refresh.usable_until().is_some();
            let began = match event {
                Event::Pass(millis) => {
                    now = now + Duration::from_millis(millis);
                    refresh.begin(&POLICY, &mut dice, now)
                }
                Event::Token(name) => {
                    let ask = refresh.ask(&POLICY, name, &mut dice, now);
                    if ask == Ask::Fetch {
                        let since = last.map(|last| now.since(last));
                        prop_assert!(since.is_none_or(|since| since >= POLICY.cooldown));
                    }
                    ask == Ask::Fetch
                }
                Event::Answer(_) if refresh.due().is_some() => false,
                Event::Answer(true) => {
                    refresh.succeeded(&POLICY, None, &mut dice, now);
                    false
                }
                Event::Answer(false) => {
                    refresh.failed(&POLICY, &mut dice, now);
                    false
                }
            };
            if began {
                let since = last.map(|last| now.since(last));
                let is_apart = since.is_none_or(|since| since >= POLICY.cooldown);
                prop_assert!(is_apart || !was_held, "{since:?} after the last one");
                last = Some(now);
            }
        }
    }

    #[test]
    fn without_keys_tokens_change_nothing_of_when_they_are_fetched(
        seed in any::<u64>(),
        names in prop::collection::vec(any::<u64>(), 0..50),
        passes in prop::collection::vec(0_u64..5_000, 1..50),
    ) {
        let (mut quiet, mut asked) = (KeyRefresh::new(at(0)), KeyRefresh::new(at(0)));
        let (mut one, mut other) = (Dice::seeded(seed), Dice::seeded(seed));
        let mut now = at(0);
        for (place, millis) in passes.into_iter().enumerate() {
            now = now + Duration::from_millis(millis);
            for name in names.iter().skip(place) {
                prop_assert_ne!(asked.ask(&POLICY, *name, &mut other, now), Ask::Fetch);
            }
            let began = (quiet.begin(&POLICY, &mut one, now), asked.begin(&POLICY, &mut other, now));
            prop_assert_eq!(began.0, began.1);
            if began.0 && place % 2 == 0 {
                quiet.failed(&POLICY, &mut one, now);
                asked.failed(&POLICY, &mut other, now);
            }
        }
    }
}
