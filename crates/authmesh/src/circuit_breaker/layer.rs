//! Puts a breaker around any tower service.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use authmesh_logic::outcome::Outcome;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::Rejected;
use super::breaker::{AdvancedCircuitBreaker, Breaker, CircuitBreaker};
use super::guard::{CallError, PermitGuard};

/// Guards a service with a breaker; every service made by this layer shares it.
///
/// `classify` turns a result into an outcome; without one, `Ok` is a success and `Err` a failure.
#[derive(Clone, Debug)]
pub struct CircuitBreakerLayer<C = Plain> {
    breaker: Arc<Breaker>,
    classify: C,
}

/// A service behind a breaker: a refused call ends at once in [`CallError::Rejected`].
///
/// A call dropped before its end gives its place back and says nothing.
#[derive(Clone, Debug)]
pub struct CircuitBreakerService<S, C = Plain> {
    inner: S,
    breaker: Arc<Breaker>,
    classify: C,
}

/// `Ok` is a success and `Err` a failure.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

/// Turns a result into an outcome. Every `Fn(Result<&T, &E>) -> Outcome` is one.
pub trait Classify<T, E> {
    /// What this result says of the dependency.
    fn outcome(&self, result: Result<&T, &E>) -> Outcome;
}

impl CircuitBreakerLayer {
    /// Guards with this basic breaker.
    #[must_use]
    pub fn new(breaker: &CircuitBreaker) -> Self {
        Self { breaker: breaker.shared(), classify: Plain }
    }

    /// Guards with this advanced breaker.
    #[must_use]
    pub fn advanced(breaker: &AdvancedCircuitBreaker) -> Self {
        Self { breaker: breaker.shared(), classify: Plain }
    }
}

impl<C> CircuitBreakerLayer<C> {
    /// The same, told what a result says.
    #[must_use]
    pub fn classify<D>(self, classify: D) -> CircuitBreakerLayer<D> {
        CircuitBreakerLayer { breaker: self.breaker, classify }
    }
}

impl<S, C: Clone> Layer<S> for CircuitBreakerLayer<C> {
    type Service = CircuitBreakerService<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        let (breaker, classify) = (Arc::clone(&self.breaker), self.classify.clone());
        CircuitBreakerService { inner, breaker, classify }
    }
}

impl<S, C, R> Service<R> for CircuitBreakerService<S, C>
where
    S: Service<R>,
    C: Classify<S::Response, S::Error> + Clone,
{
    type Response = S::Response;
    type Error = CallError<S::Error>;
    type Future = GuardedCall<S::Future, C>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context).map_err(CallError::Failed)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let state = match Breaker::guard(&self.breaker) {
            Ok(guard) => {
                GuardedState::Admitted { call: self.inner.call(request), guard: Some(guard) }
            }
            Err(rejected) => GuardedState::Refused { rejected },
        };
        GuardedCall { state, classify: self.classify.clone() }
    }
}

pin_project! {
    /// The call of a [`CircuitBreakerService`].
    #[derive(Debug)]
    #[must_use = "a future does nothing unless polled"]
    pub struct GuardedCall<F, C> {
        #[pin]
        state: GuardedState<F>,
        classify: C,
    }
}

pin_project! {
    #[project = GuardedStates]
    #[derive(Debug)]
    enum GuardedState<F> {
        Admitted { #[pin] call: F, guard: Option<PermitGuard> },
        Refused { rejected: Rejected },
    }
}

impl<F, C, T, E> Future for GuardedCall<F, C>
where
    F: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
{
    type Output = Result<T, CallError<E>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        match this.state.project() {
            GuardedStates::Admitted { call, guard } => {
                let result = ready!(call.poll(context));
                if let Some(guard) = guard.take() {
                    guard.record(this.classify.outcome(result.as_ref()));
                }
                Poll::Ready(result.map_err(CallError::Failed))
            }
            GuardedStates::Refused { rejected } => Poll::Ready(Err(CallError::Rejected(*rejected))),
        }
    }
}

impl<T, E> Classify<T, E> for Plain {
    fn outcome(&self, result: Result<&T, &E>) -> Outcome {
        if result.is_ok() { Outcome::SUCCESS } else { Outcome::FAILURE }
    }
}

impl<T, E, F> Classify<T, E> for F
where
    F: Fn(Result<&T, &E>) -> Outcome,
{
    fn outcome(&self, result: Result<&T, &E>) -> Outcome {
        self(result)
    }
}
