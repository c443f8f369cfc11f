//! The records, walked row by row.

use alloc::string::String;
use std::vec;

use super::super::Registrant::{Program, Unproved, User};
use super::super::{DEFAULT_TTL, LONGEST_METADATA, LONGEST_TTL, LONGEST_WORD, MOST_ADDRESSES};
use super::super::{Decision, Limits, Refusal};
use super::*;
use crate::discovery::{Administration, Weight};

const TTL: Duration = Duration::from_secs(10);

fn second(second: u64) -> Moment {
    Moment::from_millis(second * 1_000)
}

fn token() -> ServiceName {
    "token".parse().unwrap()
}

fn id(name: &str) -> InstanceId {
    name.parse().unwrap()
}

fn instance(name: &str, incarnation: u64) -> Instance {
    let address = "127.0.0.1:80".parse().unwrap();
    Instance { id: id(name), incarnation, ..Instance::at(address) }
}

fn registered(records: &mut Records, name: &str) -> Granted {
    records.register(&Program, &token(), instance(name, 1), TTL, second(0)).unwrap()
}

fn only(records: &Records) -> Arc<Instance> {
    let [only] = &records.view(&token()).instances[..] else { panic!("{records:?}") };
    Arc::clone(only)
}

#[test]
fn a_lease_runs_out_is_revived_and_is_given_up() {
    let mut records = Records::new(Limits::STANDARD, 0);
    registered(&mut records, "a");
    assert_eq!(records.next_expiry(), Some(second(10)));
    assert_eq!(records.expire(Moment::from_millis(9_999)), []);
    assert_eq!(only(&records).lease, Lease::Held);

    let missing = [Departure::Missing(token(), id("a"))];
    assert_eq!(records.expire(second(10)), missing);
    assert_eq!(only(&records).lease, Lease::Expired { at: second(10) });
    assert_eq!((records.instances(), records.missing()), (1, 1));

    records.heartbeat(&Program, &token(), &id("a"), None, second(50)).unwrap();
    assert_eq!(only(&records).lease, Lease::Held);
    assert_eq!(records.missing(), 0);

    // Late by minutes: both departures happen, and the first says when it really was.
    assert_eq!(records.expire(second(60)), missing);
    assert_eq!(only(&records).lease, Lease::Expired { at: second(60) });
    assert_eq!(records.expire(second(159)), []);
    assert_eq!(records.expire(second(160)), [Departure::GivenUp(token(), id("a"))]);
    assert_eq!(records.view(&token()).instances, []);
    assert_eq!((records.instances(), records.missing(), records.next_expiry()), (0, 0, None));

    let again = records.heartbeat(&Program, &token(), &id("a"), None, second(160));
    assert_eq!(again, Err(Refusal::Unknown));
}

#[test]
fn the_limbo_is_at_most_an_hour() {
    let mut records = Records::new(Limits::STANDARD, 0);
    records.register(&Program, &token(), instance("a", 1), LONGEST_TTL, second(0)).unwrap();
    records.expire(second(3_600));
    assert_eq!(records.next_expiry(), Some(second(7_200)));
}

#[test]
fn an_earlier_life_cannot_replace_a_later_one() {
    let mut records = Records::new(Limits::STANDARD, 0);
    let first = records.register(&Program, &token(), instance("a", 7), TTL, second(0)).unwrap();
    let refused = records.register(&Program, &token(), instance("a", 6), TTL, second(0));
    assert_eq!(refused, Err(Refusal::OlderIncarnation { registered: 7 }));

    let second_life =
        records.register(&Program, &token(), instance("a", 8), TTL, second(0)).unwrap();
    assert!(second_life.revision > first.revision);
    let beat = |records: &mut Records, lease| {
        records
            .heartbeat(&Program, &token(), &id("a"), Some(lease), second(1))
            .map(|granted| granted.lease)
    };
    assert_eq!(beat(&mut records, first.lease), Err(Refusal::LeaseLost));
    assert_eq!(
        records.deregister(&Program, &token(), &id("a"), Some(first.lease)),
        Err(Refusal::LeaseLost)
    );
    assert_eq!(beat(&mut records, second_life.lease), Ok(second_life.lease));
    records.deregister(&Program, &token(), &id("a"), Some(second_life.lease)).unwrap();
    assert_eq!(records.instances(), 0);
}

#[test]
fn registering_the_same_facts_again_is_a_heartbeat() {
    let mut records = Records::new(Limits::STANDARD, 0);
    let revision = registered(&mut records, "a").revision;
    let again = records.register(&Program, &token(), instance("a", 1), TTL, second(5)).unwrap();
    assert_eq!(again.revision, revision);
    assert_eq!(records.next_expiry(), Some(second(15)));
}

#[test]
fn what_operators_decide_outlives_the_registration() {
    let mut records = Records::new(Limits::STANDARD, 0);
    registered(&mut records, "a");
    records.set_administration(&token(), &id("a"), Administration::Quarantined).unwrap();
    records.set_weight(&token(), &id("a"), Some(Weight::HEAVIEST)).unwrap();
    let shown = |records: &Records| (only(records).administration, only(records).weight);
    assert_eq!(shown(&records), (Administration::Quarantined, Weight::HEAVIEST));

    records.deregister(&Program, &token(), &id("a"), None).unwrap();
    assert_eq!(records.services().len(), 1);
    registered(&mut records, "a");
    assert_eq!(shown(&records), (Administration::Quarantined, Weight::HEAVIEST));

    let before = records.revision();
    records.set_administration(&token(), &id("a"), Administration::Enabled).unwrap();
    let after = records.set_weight(&token(), &id("a"), None).unwrap();
    assert_eq!((shown(&records), after), ((Administration::Enabled, Weight::ONE), before + 2));

    records.deregister(&Program, &token(), &id("a"), None).unwrap();
    assert_eq!(records.services().len(), 0);
    let unknown = records.set_administration(&token(), &id("a"), Administration::Draining);
    assert_eq!(unknown, Err(Refusal::Unknown));
}

#[test]
fn room_for_decisions_is_made_but_no_quarantine_is_lifted() {
    let mut records = Records::new(Limits { decisions: 2, ..Limits::STANDARD }, 0);
    let decide = |records: &mut Records, name, administration| {
        registered(records, name);
        let decided = records.set_administration(&token(), &id(name), administration);
        records.deregister(&Program, &token(), &id(name), None).unwrap();
        decided.map(|_| ())
    };
    decide(&mut records, "a", Administration::Draining).unwrap();
    decide(&mut records, "b", Administration::Quarantined).unwrap();
    decide(&mut records, "c", Administration::Quarantined).unwrap();
    let kept: Vec<_> = records.decisions().map(|(_, id, _)| id.clone()).collect();
    assert_eq!(kept, [id("b"), id("c")]);
    let full = decide(&mut records, "d", Administration::Draining);
    assert_eq!(full, Err(Refusal::TooManyDecisions));
}

#[test]
fn every_bound_has_its_refusal() {
    let long = |length| Some(String::from_utf8(vec![b'x'; length]).unwrap().into_boxed_str());
    let metadata = |length: usize| {
        let value = String::from_utf8(vec![b'x'; length]).unwrap();
        [(String::from("k"), value)].into_iter().collect()
    };
    let base = || instance("a", 1);
    let address = || base().addresses[0].clone();
    let table = [
        (base(), Duration::from_millis(999), Refusal::TtlOutOfBounds),
        (base(), LONGEST_TTL + Duration::from_nanos(1), Refusal::TtlOutOfBounds),
        (Instance { addresses: vec![], ..base() }, TTL, Refusal::NoAddress),
        (
            Instance { addresses: vec![address(); MOST_ADDRESSES + 1], ..base() },
            TTL,
            Refusal::TooManyAddresses,
        ),
        (Instance { zone: long(LONGEST_WORD + 1), ..base() }, TTL, Refusal::WordTooLong),
        (Instance { version: long(LONGEST_WORD + 1), ..base() }, TTL, Refusal::WordTooLong),
        (
            Instance { metadata: metadata(LONGEST_METADATA), ..base() },
            TTL,
            Refusal::MetadataTooLong,
        ),
    ];
    let mut records = Records::new(Limits::STANDARD, 0);
    for (facts, ttl, refusal) in table {
        assert_eq!(records.register(&Program, &token(), facts, ttl, second(0)), Err(refusal));
    }
    assert_eq!((records.instances(), records.revision()), (0, 0));
    let most = Instance {
        addresses: vec![address(); MOST_ADDRESSES],
        zone: long(LONGEST_WORD),
        metadata: metadata(LONGEST_METADATA - 1),
        ..base()
    };
    records.register(&Program, &token(), most, DEFAULT_TTL, second(0)).unwrap();
}

#[test]
fn a_full_registry_says_of_what() {
    let limits = Limits { services: 2, instances: 3, text_bytes: 5, decisions: 1 };
    let mut records = Records::new(limits, 0);
    let mut add = |service: &str, name: &str, zone: &str| {
        let facts = Instance { zone: Some(zone.into()), ..instance(name, 1) };
        let added = records.register(&Program, &service.parse().unwrap(), facts, TTL, second(0));
        added.map(|_| ())
    };
    assert_eq!(add("token", "a", "12345"), Ok(()));
    assert_eq!(add("login", "a", "1"), Err(Refusal::TooMuchText));
    assert_eq!(add("token", "a", "123"), Ok(()), "replaced text makes room");
    assert_eq!(add("login", "a", "1"), Ok(()));
    assert_eq!(add("risk", "a", ""), Err(Refusal::TooManyServices));
    assert_eq!(add("login", "b", ""), Ok(()));
    assert_eq!(add("login", "c", ""), Err(Refusal::TooManyInstances));
    assert_eq!(add("login", "b", "2"), Ok(()), "who is recorded may register again");
}

#[test]
fn what_was_saved_is_restored() {
    let mut before = Records::new(Limits::STANDARD, 0);
    registered(&mut before, "a");
    before.register(&Program, &token(), instance("b", 3), LONGEST_TTL, second(0)).unwrap();
    before.set_weight(&token(), &id("b"), Some(Weight::LIGHTEST)).unwrap();
    before.expire(second(20));

    let mut after = Records::new(Limits::STANDARD, before.revision());
    for (service, id, decision) in before.decisions() {
        assert_eq!(after.decide(service, id, decision), Ok(before.revision() + 1));
    }
    for saved in before.registrations() {
        after
            .restore(saved.registrant, saved.service, saved.facts(), saved.ttl, second(5))
            .unwrap();
    }
    let shown: Vec<_> = after.view(&token()).instances;
    assert_eq!(shown[0].lease, Lease::Expired { at: second(5) });
    assert_eq!((shown[1].lease, shown[1].weight), (Lease::Held, Weight::LIGHTEST));
    assert_eq!(after.missing(), 1);
    assert!(after.revision() > before.revision());
    assert_eq!(after.next_expiry(), Some(second(105)), "the limbo of a, not its lease");
    after.set_weight(&token(), &id("b"), None).unwrap();
    assert_eq!(after.view(&token()).instances[1].weight, Weight::ONE);
    let decision: Vec<(_, _, Decision)> = after.decisions().collect();
    assert_eq!(decision, []);
}

#[test]
fn an_instance_is_changed_by_who_registered_it_and_by_the_program_alone() {
    let held = |by: &Registrant| {
        let mut records = Records::new(Limits::STANDARD, 0);
        records.register(by, &token(), instance("a", 1), TTL, second(0)).unwrap();
        records
    };
    let not_yours = Err(Refusal::NotYours);
    for (holder, other) in
        [(User(7), User(8)), (User(7), Unproved), (Unproved, User(7)), (Program, User(7))]
    {
        let mut records = held(&holder);
        let revision = records.revision();
        let again = records.register(&other, &token(), instance("a", 9), TTL, second(1));
        assert_eq!(again.map(drop), not_yours, "{holder} {other}");
        let beat = records.heartbeat(&other, &token(), &id("a"), None, second(1));
        assert_eq!(beat.map(drop), not_yours, "{holder} {other}");
        let left = records.deregister(&other, &token(), &id("a"), None);
        assert_eq!(left.map(drop), not_yours, "{holder} {other}");
        assert_eq!(records.revision(), revision);

        // In limbo it is still its own; once it is given up, the name is free.
        records.expire(second(11));
        let late = records.heartbeat(&other, &token(), &id("a"), None, second(11));
        assert_eq!(late.map(drop), not_yours, "{holder} {other}");
        records.expire(second(1_000));
        records.register(&other, &token(), instance("a", 1), TTL, second(1_000)).unwrap();
    }
    for holder in [User(7), Unproved, Program] {
        let mut records = held(&holder);
        records.heartbeat(&holder, &token(), &id("a"), None, second(1)).unwrap();
        records.register(&Program, &token(), instance("a", 2), TTL, second(1)).unwrap();
        records.deregister(&Program, &token(), &id("a"), None).unwrap();
    }
}

#[test]
fn another_registrant_is_a_change_that_is_saved() {
    let mut records = Records::new(Limits::STANDARD, 0);
    records.register(&User(7), &token(), instance("a", 1), TTL, second(0)).unwrap();
    let revision = records.revision();
    records.register(&User(7), &token(), instance("a", 1), TTL, second(1)).unwrap();
    assert_eq!(records.revision(), revision);
    records.register(&Program, &token(), instance("a", 1), TTL, second(1)).unwrap();
    assert!(records.revision() > revision);
    let saved: Vec<_> = records.registrations().map(|saved| saved.registrant).collect();
    assert_eq!(saved, [&Program]);
}
