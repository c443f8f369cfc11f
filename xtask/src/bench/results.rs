//! What was measured, as it is kept: one JSON file, read back by the document that shows it.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::memory::Held;

/// Where the figures are kept.
pub(crate) const RESULTS: &str = "bench/results/proxy.json";

/// One proxy, once, in one case.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Measured {
    /// The proxy's word.
    pub(crate) proxy: String,
    /// In which round; figures of one round are compared with each other.
    pub(crate) round: u32,
    /// Processor time for each request, in microseconds.
    pub(crate) micros: f64,
    /// The share of it spent in the kernel, 0 to 1.
    pub(crate) kernel: f64,
    /// The share of the core that was used, 0 to 1.
    pub(crate) busy: f64,
    /// Requests in a second.
    pub(crate) per_second: f64,
    /// Requests that failed.
    pub(crate) failed: u64,
}

/// One case with all its measurements.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CaseResults {
    /// The case's word.
    pub(crate) case: String,
    /// What it is.
    pub(crate) says: String,
    /// The measurements.
    pub(crate) measured: Vec<Measured>,
}

impl CaseResults {
    /// The proxies in the order in which they were first measured.
    pub(crate) fn proxies(&self) -> Vec<&str> {
        let mut proxies: Vec<&str> = Vec::new();
        for measured in &self.measured {
            if !proxies.contains(&measured.proxy.as_str()) {
                proxies.push(&measured.proxy);
            }
        }
        proxies
    }

    /// One figure of a proxy in every round.
    pub(crate) fn figures(&self, proxy: &str, figure: fn(&Measured) -> f64) -> Vec<f64> {
        self.measured.iter().filter(|m| m.proxy == proxy).map(figure).collect()
    }

    /// The median over the rounds of a proxy's processor time over that of `reference`.
    pub(crate) fn ratio(&self, proxy: &str, reference: &str) -> Option<f64> {
        median(self.ratios(proxy, reference))
    }

    /// A proxy's processor time over that of `reference` in every round that has both.
    pub(crate) fn ratios(&self, proxy: &str, reference: &str) -> Vec<f64> {
        let of = |name: &str, round: u32| {
            self.measured.iter().find(|m| m.proxy == name && m.round == round).map(|m| m.micros)
        };
        let rounds = self.measured.iter().filter(|m| m.proxy == proxy);
        rounds.filter_map(|m| Some(m.micros / of(reference, m.round)?)).collect()
    }
}

/// The edges of the middle half of the figures; none of nothing.
pub(crate) fn middle_half(mut figures: Vec<f64>) -> Option<(f64, f64)> {
    figures.sort_by(f64::total_cmp);
    let (last, quarter) = (figures.len().checked_sub(1)?, figures.len() / 4);
    Some((figures[quarter.min(last)], figures[last - quarter.min(last)]))
}

/// The middle figure, or the mean of the middle two; none of nothing.
pub(crate) fn median(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    let upper = *figures.get(middle)?;
    Some(if figures.len() % 2 == 1 { upper } else { f64::midpoint(figures[middle - 1], upper) })
}

/// What was held, as JSON.
pub(crate) fn memory_to_json(memory: &[Held]) -> Value {
    let one = |held: &Held| {
        json!({
            "proxy": held.proxy,
            "idle_kib": held.idle_kib,
            "connection_bytes": held.connection_bytes.round(),
        })
    };
    memory.iter().map(one).collect()
}

/// Reads what [`memory_to_json`] wrote.
pub(crate) fn memory_from_json(memory: &Value) -> Result<Vec<Held>> {
    let one = |value: &Value| {
        Ok(Held {
            proxy: value["proxy"].as_str().context("a word is missing")?.to_owned(),
            idle_kib: value["idle_kib"].as_u64().context("a whole number is missing")?,
            connection_bytes: value["connection_bytes"].as_f64().context("a number is missing")?,
        })
    };
    memory.as_array().context("a list is missing")?.iter().map(one).collect()
}

/// The measurements as JSON, figures rounded to what they are worth.
pub(crate) fn to_json(cases: &[CaseResults]) -> Value {
    let measured = |m: &Measured| {
        json!({
            "proxy": m.proxy,
            "round": m.round,
            "cpu_us": rounded(m.micros, 100.0),
            "kernel": rounded(m.kernel, 1000.0),
            "busy": rounded(m.busy, 1000.0),
            "per_second": m.per_second.round(),
            "failed": m.failed,
        })
    };
    let case = |case: &CaseResults| {
        json!({
            "case": case.case,
            "says": case.says,
            "measured": case.measured.iter().map(measured).collect::<Vec<_>>(),
        })
    };
    cases.iter().map(case).collect()
}

/// Reads what [`to_json`] wrote.
pub(crate) fn from_json(cases: &Value) -> Result<Vec<CaseResults>> {
    let list = |value: &Value| value.as_array().cloned().context("a list is missing");
    let word = |value: &Value| value.as_str().map(str::to_owned).context("a word is missing");
    let number = |value: &Value| value.as_f64().context("a number is missing");
    let whole = |value: &Value| value.as_u64().context("a whole number is missing");
    let measured = |value: &Value| {
        Ok(Measured {
            proxy: word(&value["proxy"])?,
            round: u32::try_from(whole(&value["round"])?)?,
            micros: number(&value["cpu_us"])?,
            kernel: number(&value["kernel"])?,
            busy: number(&value["busy"])?,
            per_second: number(&value["per_second"])?,
            failed: whole(&value["failed"])?,
        })
    };
    let case = |value: &Value| {
        Ok(CaseResults {
            case: word(&value["case"])?,
            says: word(&value["says"])?,
            measured: list(&value["measured"])?.iter().map(measured).collect::<Result<_>>()?,
        })
    };
    list(cases)?.iter().map(case).collect()
}

fn rounded(figure: f64, parts: f64) -> f64 {
    (figure * parts).round() / parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(proxy: &str, round: u32, micros: f64) -> Measured {
        Measured {
            proxy: proxy.to_owned(),
            round,
            micros,
            kernel: 0.75,
            busy: 0.5,
            per_second: 1000.0,
            failed: 0,
        }
    }

    fn case(measured: Vec<Measured>) -> CaseResults {
        CaseResults { case: "small".to_owned(), says: "Small.".to_owned(), measured }
    }

    #[test]
    fn ratios_are_taken_within_a_round_and_then_their_median() {
        let case = case(vec![
            measured("a", 0, 10.0),
            measured("b", 0, 11.0),
            measured("b", 1, 60.0),
            measured("a", 1, 40.0),
            measured("a", 2, 20.0),
            measured("b", 2, 24.0),
        ]);
        assert_eq!(case.ratio("b", "a"), Some(1.2));
        assert_eq!(case.ratio("a", "a"), Some(1.0));
        assert_eq!(case.ratio("a", "absent"), None);
        assert_eq!(case.proxies(), ["a", "b"]);
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn the_middle_half_leaves_a_quarter_out_on_each_side() {
        assert_eq!(middle_half(vec![]), None);
        assert_eq!(middle_half(vec![2.0]), Some((2.0, 2.0)));
        let seven = (1..=7).rev().map(f64::from).collect();
        assert_eq!(middle_half(seven), Some((2.0, 6.0)));
    }

    #[test]
    fn what_is_written_is_read_back() {
        let memory =
            vec![Held { proxy: "a".to_owned(), idle_kib: 4_000, connection_bytes: 9_000.0 }];
        assert_eq!(memory_from_json(&memory_to_json(&memory)).unwrap(), memory);
        let cases = vec![case(vec![measured("a", 0, 10.25)])];
        assert_eq!(from_json(&to_json(&cases)).unwrap(), cases);
        assert!(from_json(&json!([{ "case": "x" }])).is_err());
    }
}
