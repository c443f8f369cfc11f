//! What share of calls a throttle refuses, by the formula a case names.

use authmesh_logic::throttle::Formula;
use authmesh_logic::{Factor, Ratio};
use serde::Deserialize;

use super::super::Verdict;
use super::{Case, Played, compare_numbers, unsupported};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    formula: String,
    #[serde(rename = "K")]
    multiplier: Option<f64>,
    threshold: Option<f64>,
    #[serde(alias = "max")]
    cap: Option<f64>,
    aggression: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    requests: u64,
    accepts: u64,
    expect_reject_probability: f64,
}

pub(super) fn play(case: &Case<Config, Step>) -> Played {
    let formula = formula(&case.config)?;
    let mut compared = 0;
    for (number, step) in case.steps.iter().enumerate() {
        let got = formula.rejection(step.requests, step.accepts);
        let expected = step.expect_reject_probability;
        compared += compare_numbers(number, "reject_probability", expected, got)?;
    }
    Ok(compared)
}

fn formula(config: &Config) -> Result<Formula, Verdict> {
    let written: String = config.formula.chars().filter(|letter| *letter != ' ').collect();
    let Config { multiplier, threshold, cap, aggression, .. } = *config;
    match (written.as_str(), multiplier, threshold, cap, aggression) {
        ("max(0,(requests-K*accepts)/(requests+1))", Some(k), None, None, None) => {
            Ok(Formula::GoogleSre { multiplier: factor(k)? })
        }
        (
            "min(cap,max(0,(executions-successes/threshold)/(executions+1)))",
            None,
            Some(threshold),
            Some(cap),
            None,
        ) => Ok(Formula::Failsafe { threshold: ratio(threshold)?, most: ratio(cap)? }),
        (
            "min(max_reject,max(0,(rq-ok/threshold)/(rq+1))^(1/aggression))",
            None,
            Some(threshold),
            Some(cap),
            Some(aggression),
        ) => Ok(Formula::EnvoyAdmission {
            threshold: ratio(threshold)?,
            most: ratio(cap)?,
            aggression: factor(aggression)?,
        }),
        _ => Err(unsupported(&format!("the formula {} with these settings", config.formula))),
    }
}

fn factor(number: f64) -> Result<Factor, Verdict> {
    Factor::from_number(number).ok_or_else(|| unsupported(&format!("the factor {number}")))
}

fn ratio(share: f64) -> Result<Ratio, Verdict> {
    Ratio::from_fraction(share).ok_or_else(|| unsupported(&format!("the share {share}")))
}
