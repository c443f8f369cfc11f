//! The table of `check --online`: every endpoint and what was seen of it.

use authmesh::config::{EndpointSeen, Online};

use super::state::time;
use super::table::Table;

/// The endpoints that were looked at; nothing if there are none.
pub(crate) fn online(online: &Online) -> String {
    let mut table = Table::new(&[
        "SERVICE",
        "ENDPOINT",
        "REACHED",
        "IDENTITY",
        "CERTIFICATE LEFT",
        "ANSWER",
        "CLOCK",
        "PROBLEMS",
    ]);
    for endpoint in &online.endpoints {
        let reached = if endpoint.is_reached { "yes" } else { "no" };
        let left = endpoint.certificate_left_s.map(|left| time(&(left * 1_000).into()));
        table.row([
            endpoint.service.clone(),
            endpoint.address.clone(),
            reached.to_owned(),
            endpoint.identity.clone().unwrap_or_default(),
            left.unwrap_or_default(),
            answer(endpoint),
            endpoint.clock_ahead_s.map(clock).unwrap_or_default(),
            endpoint.problems.join(" "),
        ]);
    }
    if table.is_empty() { String::new() } else { table.lines("") }
}

fn answer(endpoint: &EndpointSeen) -> String {
    let status = endpoint.status.map(|status| format!("{} {status}", endpoint.protocol));
    status.unwrap_or_default()
}

fn clock(ahead: i64) -> String {
    let by = time(&ahead.unsigned_abs().saturating_mul(1_000).into());
    match ahead {
        0 => "same".to_owned(),
        ahead if ahead > 0 => format!("{by} ahead"),
        _ => format!("{by} behind"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_seen_is_a_dash() {
        let endpoint = EndpointSeen {
            service: "token".into(),
            address: "127.0.0.1:1".into(),
            is_reached: true,
            identity: Some("spiffe://a/b".into()),
            certificate_ends_at: Some(7_201),
            certificate_left_s: Some(7_200),
            protocol: "http2",
            status: Some(404),
            clock_ahead_s: Some(-80),
            problems: vec!["AM-N004", "AM-N005"],
        };
        let unreached = EndpointSeen {
            is_reached: false,
            identity: None,
            certificate_left_s: None,
            status: None,
            clock_ahead_s: None,
            problems: Vec::new(),
            ..endpoint.clone()
        };
        let seen = Online { endpoints: vec![endpoint, unreached], ..Online::default() };
        let text = online(&seen);
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
            .collect();
        assert_eq!(
            lines[1],
            [
                "token",
                "127.0.0.1:1",
                "yes",
                "spiffe://a/b",
                "2 h",
                "http2 404",
                "1 min behind",
                "AM-N004 AM-N005"
            ]
        );
        assert_eq!(lines[2], ["token", "127.0.0.1:1", "no", "-", "-", "-", "-", "-"]);
        assert_eq!(online(&Online::default()), "");
    }
}
