//! How a limit moves by what calls show.

use std::time::Duration;

use authmesh_logic::concurrency::{Algorithm, Decrease, Estimate, Policy, Sample};
use authmesh_logic::{Dice, Factor, Ratio};
use serde::Deserialize;

use super::super::Verdict;
use super::{Case, Played, compare, unsupported};

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Config {
    Aimd {
        initial: u32,
        min: u32,
        max: u32,
        backoff: f64,
        timeout_ms: u64,
    },
    Vegas {
        initial: u32,
        max: u32,
        #[serde(rename = "alpha")]
        _alpha: Option<Alpha>,
        #[serde(rename = "beta")]
        _beta: Option<Beta>,
        #[serde(rename = "threshold")]
        _threshold: Option<Logarithm>,
        smoothing: f64,
        decrease: Option<Lowered>,
    },
    Gradient2 {
        initial: u32,
        min: u32,
        max: u32,
        #[serde(alias = "queue_size")]
        queue: Option<u32>,
        #[serde(alias = "rtt_tolerance", alias = "tol")]
        tolerance: Option<f64>,
        smoothing: Option<f64>,
        long_window: Option<u32>,
    },
}

#[derive(Deserialize)]
pub(super) enum Alpha {
    #[serde(rename = "3*log10")]
    Ours,
}

#[derive(Deserialize)]
pub(super) enum Beta {
    #[serde(rename = "6*log10")]
    Ours,
}

#[derive(Deserialize)]
pub(super) enum Logarithm {
    #[serde(rename = "log10")]
    Ours,
}

#[derive(Deserialize)]
pub(super) enum Lowered {
    #[serde(rename = "limit/2")]
    Half,
    #[serde(rename = "limit-log10")]
    Logarithm,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    rtt_ms: f64,
    inflight: u32,
    #[serde(default)]
    dropped: bool,
    expect_limit: Option<u32>,
}

pub(super) fn play(case: &Case<Config, Step>) -> Played {
    let policy = policy(&case.config)?;
    // Luck only decides when Vegas looks for its quickest answer anew: not within a short case.
    let mut dice = Dice::seeded(1);
    let mut estimate = Estimate::new(&policy, &mut dice);
    let mut compared = 0;
    for (number, step) in case.steps.iter().enumerate() {
        let took = Duration::try_from_secs_f64(step.rtt_ms / 1e3)
            .map_err(|_| unsupported("a negative time"))?;
        let sample = Sample { took, in_flight: step.inflight, dropped: step.dropped };
        estimate.update(&policy, &sample, &mut dice);
        if let Some(expected) = step.expect_limit {
            compared += compare(number, "limit", &expected, &estimate.limit())?;
        }
    }
    Ok(compared)
}

fn policy(config: &Config) -> Result<Policy, Verdict> {
    let (algorithm, initial, least, most) = match *config {
        Config::Aimd { initial, min, max, backoff, timeout_ms } => {
            let timeout = Duration::from_millis(timeout_ms);
            (Algorithm::Aimd { backoff: ratio(backoff)?, timeout }, initial, min, max)
        }
        Config::Vegas { initial, max, smoothing, ref decrease, .. } => {
            let decrease = match decrease {
                Some(Lowered::Half) => Decrease::Half,
                Some(Lowered::Logarithm) | None => Decrease::Logarithm,
            };
            let smoothing = ratio(smoothing)?;
            (Algorithm::Vegas { smoothing, decrease, renew_after: 30 }, initial, 1, max)
        }
        Config::Gradient2 { initial, min, max, queue, tolerance, smoothing, long_window } => {
            let tolerance = Factor::from_number(tolerance.unwrap_or(1.5));
            let algorithm = Algorithm::Gradient2 {
                tolerance: tolerance.ok_or_else(|| unsupported("the tolerance"))?,
                queue: queue.unwrap_or(4),
                smoothing: ratio(smoothing.unwrap_or(0.2))?,
                long_window: long_window.unwrap_or(600),
            };
            (algorithm, initial, min, max)
        }
    };
    Ok(Policy { initial, least, most, ..Policy::of(algorithm) })
}

fn ratio(share: f64) -> Result<Ratio, Verdict> {
    Ratio::from_fraction(share).ok_or_else(|| unsupported(&format!("the share {share}")))
}
