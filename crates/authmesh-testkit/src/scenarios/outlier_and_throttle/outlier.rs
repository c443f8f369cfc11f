//! Who is ejected from a group, and who returns.

use std::sync::Arc;
use std::time::Duration;

use authmesh_logic::outcome::OutcomeKind;
use authmesh_logic::outlier::{
    Detector, FailureShare, MostRule, Policy, SuccessRate, Tally, Threshold,
};
use authmesh_logic::{Dice, Factor, Moment, Ratio};
use serde::Deserialize;

use super::super::Verdict;
use super::{Case, Played, compare, unsupported};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    hosts: usize,
    interval_ms: u64,
    base_ms: u64,
    max_ms: u64,
    max_ejection_percent: u32,
    max_rule: Option<Rule>,
    keep_at_least: Option<u32>,
    uneject_cmp: Option<Comparison>,
    consecutive: Option<u32>,
    success_rate: Option<SuccessRateConfig>,
    failure_percentage: Option<FailurePercentage>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SuccessRateConfig {
    min_hosts: u32,
    volume: u32,
    stdev_factor: u32,
    enforcement: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FailurePercentage {
    min_hosts: u32,
    volume: u32,
    threshold: u32,
    enforcement: u32,
    cmp: Comparison,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Rule {
    Grpc,
    Envoy,
    Authmesh,
}

#[derive(Clone, Copy, Deserialize)]
enum Comparison {
    #[serde(rename = ">=")]
    Reached,
    #[serde(rename = ">")]
    Exceeded,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    at_ms: u64,
    /// Successes and failures of each host.
    load: Option<Vec<(u32, u32)>>,
    host: Option<usize>,
    results: Option<String>,
    #[serde(default)]
    sweep: bool,
    active_health_ok: Option<usize>,
    expect_ejected: Option<Vec<usize>>,
}

pub(super) fn play(case: &Case<Config, Step>) -> Played {
    let policy = policy(&case.config)?;
    let tallies: Vec<Arc<Tally>> = (0..case.config.hosts).map(|_| Arc::default()).collect();
    let mut detector = Detector::default();
    detector.set_members(tallies.iter().cloned().enumerate());
    let mut group = Group { policy, tallies, detector, dice: Dice::seeded(1) };
    let mut compared = 0;
    for (number, step) in case.steps.iter().enumerate() {
        group.step(step)?;
        if let Some(expected) = &step.expect_ejected {
            let is_out = |host: &usize| group.detector.is_ejected(host);
            let out = (0..case.config.hosts).filter(is_out).collect();
            compared += compare(number, "ejected", expected, &out)?;
        }
    }
    Ok(compared)
}

struct Group {
    policy: Policy,
    tallies: Vec<Arc<Tally>>,
    detector: Detector<usize>,
    dice: Dice,
}

impl Group {
    fn step(&mut self, step: &Step) -> Result<(), Verdict> {
        let now = Moment::from_millis(step.at_ms);
        for (host, &(successes, failures)) in step.load.iter().flatten().enumerate() {
            for (kind, count) in
                [(OutcomeKind::Failure, failures), (OutcomeKind::Success, successes)]
            {
                for _ in 0..count {
                    self.result(host, kind, now)?;
                }
            }
        }
        match (step.host, &step.results) {
            (Some(host), Some(results)) => {
                for result in results.chars() {
                    let kind = match result {
                        'F' => OutcomeKind::Failure,
                        'S' => OutcomeKind::Success,
                        'D' => OutcomeKind::Denied,
                        other => return Err(unsupported(&format!("the result {other}"))),
                    };
                    self.result(host, kind, now)?;
                }
            }
            (None, None) => {}
            _ => return Err(unsupported("results without a host, or a host without results")),
        }
        if step.sweep {
            self.detector.sweep(&self.policy, &mut self.dice, now);
        }
        if let Some(host) = step.active_health_ok {
            self.detector.check_passed(&self.policy, &host);
        }
        Ok(())
    }

    fn result(&mut self, host: usize, kind: OutcomeKind, now: Moment) -> Result<(), Verdict> {
        let tally = self.tallies.get(host).ok_or_else(|| unsupported("a host too many"))?;
        if tally.record(kind, self.policy.consecutive).is_some() {
            self.detector.look(&self.policy, now);
        }
        Ok(())
    }
}

fn policy(config: &Config) -> Result<Policy, Verdict> {
    let rule = config.max_rule.unwrap_or(Rule::Authmesh);
    let percent = |share: u32| {
        let lawful = (share <= 100).then(|| Ratio::percent(share));
        lawful.ok_or_else(|| unsupported("more than a hundred percent"))
    };
    let success_rate = config.success_rate.as_ref().map(|rule| {
        Ok(SuccessRate {
            minimum_hosts: rule.min_hosts,
            minimum_calls: rule.volume,
            deviations: Factor::thousandths(rule.stdev_factor),
            enforced: percent(rule.enforcement)?,
        })
    });
    let failure_share = config.failure_percentage.as_ref().map(|rule| {
        Ok(FailureShare {
            minimum_hosts: rule.min_hosts,
            minimum_calls: rule.volume,
            share: percent(rule.threshold)?,
            threshold: threshold(rule.cmp),
            enforced: percent(rule.enforcement)?,
        })
    });
    Ok(Policy {
        interval: Duration::from_millis(config.interval_ms),
        consecutive: config.consecutive,
        success_rate: success_rate.transpose()?,
        failure_share: failure_share.transpose()?,
        first: Duration::from_millis(config.base_ms),
        longest: Duration::from_millis(config.max_ms),
        most: percent(config.max_ejection_percent)?,
        most_rule: if rule == Rule::Grpc { MostRule::BeforeThisOne } else { MostRule::WithThisOne },
        // The peers eject the last one too.
        keep_at_least: config.keep_at_least.unwrap_or(u32::from(rule == Rule::Authmesh)),
        returns: config.uneject_cmp.map_or(Threshold::Reached, threshold),
        returns_on_health: true,
    })
}

fn threshold(comparison: Comparison) -> Threshold {
    match comparison {
        Comparison::Reached => Threshold::Reached,
        Comparison::Exceeded => Threshold::Exceeded,
    }
}
