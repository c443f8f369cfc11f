//! Reads one service.

use alloc::string::ToString;

use super::admission::read_admission;
use super::balance::read_balance;
use super::breaker::read_breaker;
use super::discover::read_source;
use super::health::read_health;
use super::outlier::read_outlier;
use super::retry::{Retry, read_retry, report_tries};
use super::words::NAME_HELP;
use crate::config::findings::Written;
use crate::config::reader::Reader;
use crate::config::values::put;
use crate::config::{Code, Problem, Protocol, ServiceConfig};
use crate::discovery::ServiceName;

pub(in crate::config) fn read_service(
    name: &Written<&str>,
    mut reader: Reader<'_, '_>,
) -> Option<ServiceConfig> {
    reader.findings.service_names.push(name.value.to_string());
    let parsed: Option<ServiceName> = name.value.parse().ok();
    if parsed.is_none() {
        let sentence = "this is not a name for a service";
        reader.report(Problem::new(Code::NotAllowed, name.span, sentence).help(NAME_HELP));
    }
    let source = read_source(&mut reader);
    // What is wrong further down is reported even if the service has no name or source.
    let mut service = ServiceConfig::new(
        parsed.clone().or_else(|| "unnamed".parse().ok())?,
        source.clone().unwrap_or(crate::config::DiscoverySource::Registry),
    );
    let protocols = [("http1", Protocol::Http1), ("http2", Protocol::Http2)];
    put(&mut service.protocol, reader.choice("protocol", &protocols, &[]));
    if let Some(text) = reader.string("identity")
        && let Some(id) = reader.workload(text)
    {
        reader.findings.trust_meant.push(id.with("`identity` of a service"));
        service.identity = Some(id.value);
    }
    put(&mut service.timeout, reader.duration("timeout"));
    service.max_age = reader.duration("max_age").map(|time| time.value);
    service.balance = read_balance(&mut reader);
    if let Some(retry) = read_retry(&mut reader) {
        report_tries(&retry, service.timeout, reader.findings);
        let Retry { policy, .. } = retry;
        service.retry = policy;
    }
    let attempt = service.retry.per_try.unwrap_or(service.timeout);
    let breakers =
        [("breaker", &mut service.breaker), ("endpoint_breaker", &mut service.endpoint_breaker)];
    for (key, breaker) in breakers {
        // A trial may take as long as any attempt, and the last one begins later than the first:
        // where calls are few, much later.
        breaker.trial_limit = breaker.trial_limit.max(Some(attempt.saturating_mul(2)));
        read_breaker(&mut reader, key, breaker);
    }
    service.outlier = read_outlier(&mut reader);
    service.admission = read_admission(&mut reader);
    service.health = reader.table("health", "health").and_then(read_health);
    reader.deny_rest();
    parsed.and(source).map(|_| service)
}
