//! Random schedules of whole calls through the second floor's breaker, as it is shipped: dropped at
//! any of their awaits, they keep nothing.
#![cfg(authmesh_shuttle)]

// The shipped files, on atomics whose interleaving shuttle chooses. Clock and luck are handed in
// here as everywhere; the counters for metrics are the standard library's, not scheduled.
#[expect(
    clippy::large_enum_variant,
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "what the library offers is more than these tests use"
)]
#[path = "../../authmesh/src/circuit_breaker/mod.rs"]
mod circuit_breaker;

mod clock {
    //! A clock that stands still.
    use authmesh_logic::Moment;

    pub(crate) struct Clock;

    impl Clock {
        pub(crate) fn now(self) -> Moment {
            Moment::from_millis(1_000)
        }
    }
}

mod luck {
    //! Dice of every call's own, for shuttle's threads share one thread.
    use authmesh_logic::Dice;

    pub(crate) fn with_dice<T>(play: impl FnOnce(&mut Dice) -> T) -> T {
        play(&mut Dice::seeded(1))
    }
}

use std::convert::Infallible;
use std::future::{Future, poll_fn, ready};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use circuit_breaker::{
    AdvancedCircuitBreaker, CircuitBreaker, CircuitBreakerLayer, Command, PermitGuard, Policy,
    State,
};
use shuttle::future::{block_on, spawn, yield_now};
use shuttle::rand::{Rng, thread_rng};
use tower_layer::Layer;
use tower_service::Service;

/// How many schedules each test runs by pure luck, and as many by luck with priorities.
const SCHEDULES: usize = 3_000;
/// At how many places the prioritised schedules change their mind.
const CHANGES: usize = 3;
/// How often a call waits before it is done.
const AWAITS: usize = 3;
/// How many trials may be out.
const TRIALS: u32 = 2;

/// Runs the test under both kinds of schedules; a failing one is printed for replay.
fn on_many_schedules(test: fn()) {
    shuttle::check_random(test, SCHEDULES);
    shuttle::check_pct(test, SCHEDULES, CHANGES);
}

fn policy() -> Policy {
    Policy {
        trials: TRIALS,
        closes_at: TRIALS,
        trial_limit: None,
        ramp: None,
        ..Policy::standard()
    }
}

/// A service that waits, then answers, and counts the calls under way.
#[derive(Clone, Default)]
struct Waiting(Arc<AtomicUsize>);

struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Service<()> for Waiting {
    type Response = ();
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<(), Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: ()) -> Self::Future {
        self.0.fetch_add(1, Ordering::SeqCst);
        let under_way = UnderWay(Arc::clone(&self.0));
        Box::pin(async move {
            for _ in 0..AWAITS {
                assert!(under_way.0.load(Ordering::SeqCst) <= TRIALS as usize);
                yield_now().await;
            }
            Ok(())
        })
    }
}

/// Polls `future` at most `polls` times, then drops it: an abort at that await.
async fn dropped_after<T>(polls: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// How many trials the breaker still gives out.
fn places(ask: impl Fn() -> Option<PermitGuard>) -> usize {
    let held: Vec<PermitGuard> = std::iter::from_fn(ask).take(10).collect();
    held.len()
}

#[test]
fn a_call_through_the_layer_gives_its_place_back_wherever_it_is_dropped() {
    on_many_schedules(|| {
        block_on(async {
            let breaker = AdvancedCircuitBreaker::new(policy());
            breaker.command(Command::OpenFor(Duration::ZERO));
            let service = CircuitBreakerLayer::advanced(&breaker).layer(Waiting::default());
            let tasks: Vec<_> = (0..3)
                .map(|_| {
                    let mut service = service.clone();
                    let polls = thread_rng().gen_range(0..AWAITS + 2);
                    spawn(async move { dropped_after(polls, service.call(())).await })
                })
                .collect();
            let mut passed = 0;
            for task in tasks {
                passed += usize::from(matches!(task.await.unwrap(), Some(Ok(()))));
            }
            match breaker.state() {
                State::Closed => assert!(passed >= TRIALS as usize),
                State::HalfOpen => {
                    assert_eq!(places(|| breaker.try_acquire().ok()), TRIALS as usize - passed);
                }
                state => panic!("{state:?}"),
            }
        });
    });
}

#[test]
fn an_aborted_task_keeps_no_place_whatever_an_operator_does_meanwhile() {
    on_many_schedules(|| {
        block_on(async {
            let breaker = CircuitBreaker::new(policy());
            breaker.command(Command::OpenFor(Duration::ZERO));
            let tasks: Vec<_> = (0..2)
                .map(|_| {
                    let breaker = breaker.clone();
                    spawn(async move {
                        let call = async {
                            for _ in 0..AWAITS {
                                yield_now().await;
                            }
                            Err::<(), ()>(())
                        };
                        breaker.call(call).await.is_ok()
                    })
                })
                .collect();
            let operator = {
                let breaker = breaker.clone();
                spawn(async move {
                    breaker.command(Command::Close);
                    yield_now().await;
                    breaker.command(Command::OpenFor(Duration::ZERO));
                    yield_now().await;
                    let asked = breaker.try_acquire();
                    (places(|| breaker.try_acquire().ok()), asked.is_ok())
                })
            };
            let victim = thread_rng().gen_range(0..3);
            for (number, task) in tasks.into_iter().enumerate() {
                if number == victim {
                    task.abort();
                }
                drop(task.await);
            }
            let (more, asked) = operator.await.unwrap();
            assert!(more + usize::from(asked) <= TRIALS as usize);
            // Whoever was dropped, and in whichever phase, the places of this one are all free.
            if breaker.state() == State::HalfOpen {
                assert_eq!(places(|| breaker.try_acquire().ok()), TRIALS as usize);
            }
        });
    });
}

#[test]
fn a_guard_dropped_while_another_task_asks_leaves_its_place_to_it() {
    on_many_schedules(|| {
        block_on(async {
            let breaker = CircuitBreaker::new(Policy { trials: 1, closes_at: 1, ..policy() });
            breaker.command(Command::OpenFor(Duration::ZERO));
            let guard = breaker.try_acquire().unwrap();
            let holder = spawn(async move {
                yield_now().await;
                drop(guard);
            });
            let asker = {
                let breaker = breaker.clone();
                spawn(async move { breaker.call(ready(Ok::<(), Infallible>(()))).await.is_ok() })
            };
            holder.await.unwrap();
            if asker.await.unwrap() {
                assert_eq!(breaker.state(), State::Closed);
            } else {
                assert_eq!(places(|| breaker.try_acquire().ok()), 1);
            }
        });
    });
}
