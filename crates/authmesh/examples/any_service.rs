//! A breaker around a service that speaks no HTTP: a wrong password is an answer, an unavailable
//! directory is not.
use std::convert::Infallible;
use std::io::{Result, Write, stdout};

use authmesh::circuit_breaker::{
    AdvancedCircuitBreaker, CallError, CircuitBreakerLayer, Outcome, Policy, classify,
};
use tower::{Layer, Service, ServiceExt, service_fn};

/// The result code of an LDAP bind (RFC 4511).
pub(crate) type ResultCode = u32;

/// A directory that answers every bind as it is told to, behind the breaker.
pub(crate) fn directory(
    breaker: &AdvancedCircuitBreaker,
) -> impl Service<ResultCode, Response = ResultCode, Error = CallError<Infallible>> {
    let judge = |result: std::result::Result<&ResultCode, &Infallible>| match result {
        Ok(code) => Outcome::of(classify::ldap(*code, false)),
        Err(never) => match *never {},
    };
    let answers = service_fn(|code: ResultCode| async move { Ok::<_, Infallible>(code) });
    CircuitBreakerLayer::advanced(breaker).classify(judge).layer(answers)
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<()> {
    let policy = Policy { consecutive_failures: Some(2), ..Policy::standard() };
    let breaker = AdvancedCircuitBreaker::new(policy);
    let mut directory = directory(&breaker);
    for (says, code) in [("wrong password", 49), ("unavailable", 52), ("unavailable", 52), ("", 0)]
    {
        let ready = directory.ready().await.map_err(std::io::Error::other)?;
        let made = ready.call(code).await.is_ok();
        writeln!(stdout(), "made: {made} {says}; the breaker is {}", breaker.state().word())?;
    }
    Ok(())
}
