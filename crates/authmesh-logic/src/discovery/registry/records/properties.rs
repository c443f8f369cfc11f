//! Any sequence of operations, held against a model.

use alloc::collections::BTreeMap;
use std::format;
use std::string::String;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq};
use proptest::{prop_oneof, proptest};

use super::super::Registrant::Program;
use super::super::{Limits, limbo};
use super::*;
use crate::discovery::{Administration, View, Weight};

/// One step of a story about two services of four instances.
#[derive(Clone, Debug)]
enum Step {
    Register {
        service: u8,
        id: u8,
        incarnation: u64,
        weight: u16,
        ttl: u64,
    },
    Heartbeat {
        service: u8,
        id: u8,
    },
    Deregister {
        service: u8,
        id: u8,
    },
    Weigh {
        service: u8,
        id: u8,
        weight: Option<u16>,
    },
    Administer {
        service: u8,
        id: u8,
        administration: Administration,
    },
    Wait {
        seconds: u64,
    },
    /// The watcher of this service looks; between its looks it misses everything.
    Look {
        service: u8,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let place = || (0_u8..2, 0_u8..4);
    let administration = prop_oneof![
        Just(Administration::Enabled),
        Just(Administration::Draining),
        Just(Administration::Quarantined)
    ];
    prop_oneof![
        4 => (place(), 0_u64..3, 1_u16..4, 1_u64..30).prop_map(
            |((service, id), incarnation, weight, ttl)| Step::Register {
                service,
                id,
                incarnation,
                weight: weight * 100,
                ttl
            }
        ),
        4 => place().prop_map(|(service, id)| Step::Heartbeat { service, id }),
        1 => place().prop_map(|(service, id)| Step::Deregister { service, id }),
        1 => (place(), any::<bool>()).prop_map(|((service, id), heavy)| Step::Weigh {
            service,
            id,
            weight: heavy.then_some(900)
        }),
        1 => (place(), administration).prop_map(|((service, id), administration)| {
            Step::Administer { service, id, administration }
        }),
        4 => (0_u64..40).prop_map(|seconds| Step::Wait { seconds }),
        2 => (0_u8..2).prop_map(|service| Step::Look { service }),
    ]
}

/// When an instance last proved that it lives, and for how long that holds.
type Proofs = BTreeMap<(ServiceName, InstanceId), (Moment, Duration)>;

fn lease_of(proof: (Moment, Duration), now: Moment) -> Option<Lease> {
    let at = proof.0 + proof.1;
    if now < at {
        Some(Lease::Held)
    } else {
        (now < at + limbo(proof.1)).then_some(Lease::Expired { at })
    }
}

fn name(service: u8) -> ServiceName {
    format!("service-{service}").parse().unwrap()
}

fn known(id: u8) -> InstanceId {
    format!("instance-{id}").parse().unwrap()
}

fn take(records: &mut Records, proofs: &mut Proofs, step: &Step, now: Moment) {
    match step {
        &Step::Register { service, id, incarnation, weight, ttl } => {
            let address = "127.0.0.1:80".parse().unwrap();
            let weight = Weight::hundredths(weight);
            let facts = Instance { id: known(id), incarnation, weight, ..Instance::at(address) };
            let ttl = Duration::from_secs(ttl);
            if records.register(&Program, &name(service), facts, ttl, now).is_ok() {
                proofs.insert((name(service), known(id)), (now, ttl));
            }
        }
        &Step::Heartbeat { service, id } => {
            let beat = records.heartbeat(&Program, &name(service), &known(id), None, now);
            let proof = proofs.get_mut(&(name(service), known(id)));
            assert_eq!(beat.is_ok(), proof.is_some());
            if let Some(proof) = proof {
                proof.0 = now;
            }
        }
        &Step::Deregister { service, id } => {
            records.deregister(&Program, &name(service), &known(id), None).ok();
            proofs.remove(&(name(service), known(id)));
        }
        &Step::Weigh { service, id, weight } => {
            let weight = weight.map(Weight::hundredths);
            records.set_weight(&name(service), &known(id), weight).ok();
        }
        &Step::Administer { service, id, administration } => {
            records.set_administration(&name(service), &known(id), administration).ok();
        }
        Step::Wait { .. } | Step::Look { .. } => {}
    }
}

proptest! {
    #[test]
    fn a_watcher_ends_with_the_truth_and_no_lease_outlives_its_time(steps in vec(step(), 1..120)) {
        let services = [name(0), name(1)];
        let mut records = Records::new(Limits::STANDARD, 40);
        let mut watchers = services.clone().map(|service| records.view(&service));
        let mut proofs = Proofs::new();
        let mut now = Moment::START;
        for step in &steps {
            let before: [View; 2] = services.clone().map(|service| records.view(&service));
            if let Step::Wait { seconds } = step {
                now = now + Duration::from_secs(*seconds);
            }
            records.expire(now);
            proofs.retain(|_, proof| lease_of(*proof, now).is_some());
            take(&mut records, &mut proofs, step, now);
            if let &Step::Look { service } = step {
                let seen = &mut watchers[usize::from(service)];
                if let Some(view) = records.changed_since(&name(service), seen.revision) {
                    *seen = view;
                }
            }

            for (service, before) in services.iter().zip(&before) {
                let after = records.view(service);
                prop_assert!(after.revision >= before.revision);
                prop_assert!(after.revision <= records.revision());
                if after.instances != before.instances {
                    prop_assert!(after.revision > before.revision, "{step:?}");
                }
            }
            let shown: BTreeMap<_, _> = services.iter().flat_map(|service| {
                let instances = records.view(service).instances;
                instances.into_iter().map(|each| ((service.clone(), each.id.clone()), each.lease))
            }).collect();
            let model: BTreeMap<_, _> = proofs.iter().filter_map(|(key, proof)| {
                Some((key.clone(), lease_of(*proof, now)?))
            }).collect();
            prop_assert_eq!(&shown, &model);
            prop_assert_eq!(records.instances(), model.len());
            let missing = model.values().filter(|lease| **lease != Lease::Held).count();
            prop_assert_eq!(records.missing(), missing);
        }
        for (service, seen) in services.iter().zip(watchers) {
            let last = records.changed_since(service, seen.revision).unwrap_or(seen);
            prop_assert_eq!(last, records.view(service), "{}", String::from(service.as_str()));
        }
    }
}
