//! Cases of the load balancer: whose turn it is, and who is the least loaded.

use std::collections::BTreeMap;

use authmesh_logic::Dice;
use authmesh_logic::discovery::Weight;
use authmesh_logic::load_balancer::stride::Stride;
use authmesh_logic::load_balancer::{Candidate, least_loaded, smooth, two_choices};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Verdict;

/// The dice of the cases that need luck and hold for any.
const SEED: u64 = 1;

/// Runs one case.
pub(super) fn run(case: &Value) -> Verdict {
    let case: Case = match serde_json::from_value(case.clone()) {
        Ok(case) => case,
        Err(error) => return Verdict::Unsupported(error.to_string()),
    };
    let played = match case.group.as_str() {
        "smooth_wrr" => smooth_turns(&case),
        "static_stride" => stride_turns(&case),
        "least_request" => least_request(&case),
        "p2c" | "negative" => two_choices_of(&case),
        group => Err(Verdict::Unsupported(format!("group `{group}` is not decided here"))),
    };
    played.err().unwrap_or(Verdict::Passed)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "what is not compared is for people")]
struct Case {
    id: String,
    group: String,
    title: Option<Value>,
    source: Option<Value>,
    note: Option<Value>,
    reproduced_by_reference: Option<Value>,
    expected_origin: Option<Value>,
    tolerance: Option<f64>,
    input: Value,
    expect: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Turns<W> {
    weights: Vec<W>,
    picks: Option<usize>,
    #[serde(default)]
    seq: u32,
}

fn smooth_turns(case: &Case) -> Result<(), Verdict> {
    let Turns { weights, picks, seq } = case.input::<Turns<u32>>()?;
    if seq != 0 {
        return Err(Verdict::Unsupported("the order begins at its beginning".to_owned()));
    }
    let period = smooth::period(&weights);
    let picks = picks.or_else(|| usize::try_from(period).ok()).unwrap_or_default();
    let order = smooth::order(&weights, picks);
    case.compare_each(|key| match key {
        "sequence" => Some(numbers(&order)),
        "period" => Some(vec![period as f64]),
        "counts" => Some(counts(&order, weights.len())),
        _ => None,
    })
}

fn stride_turns(case: &Case) -> Result<(), Verdict> {
    let Turns { weights, picks, mut seq } = case.input::<Turns<f64>>()?;
    let stride = Stride::over(&weights);
    let turns: Vec<(usize, u32)> =
        (0..picks.unwrap_or_default()).map_while(|_| Some((stride.next(&mut seq)?, seq))).collect();
    let order: Vec<usize> = turns.iter().map(|(turn, _)| *turn).collect();
    let counted = || counts(&order, weights.len());
    case.compare_each(|key| match key {
        "sequence" => Some(numbers(&order)),
        "seq_after_each" => Some(turns.iter().map(|(_, seq)| f64::from(*seq)).collect()),
        "counts" => Some(counted()),
        "frequencies" => {
            Some(counted().into_iter().map(|count| count / order.len() as f64).collect())
        }
        _ => None,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Active {
    active: Vec<u64>,
    #[serde(rename = "mode")]
    _mode: Option<FullScan>,
}

#[derive(Deserialize)]
enum FullScan {
    #[serde(rename = "FULL_SCAN")]
    Ours,
}

/// An endpoint with so much in flight.
struct Loaded(u64);

impl Candidate for Loaded {
    fn load(&self) -> u64 {
        self.0
    }

    fn weight(&self) -> Weight {
        Weight::ONE
    }

    fn admits(&self) -> bool {
        true
    }
}

fn least_request(case: &Case) -> Result<(), Verdict> {
    let Active { active, .. } = case.input()?;
    if active.len() > least_loaded::FULL_SCAN_UP_TO {
        return Err(Verdict::Unsupported("so many are not all looked at".to_owned()));
    }
    let candidates: Vec<_> = active.into_iter().map(Loaded).collect();
    let chosen = least_loaded::choose(&candidates, |_| true, &mut Dice::seeded(SEED));
    case.compare_each(|key| match key {
        "chosen" => Some(chosen.into_iter().map(|index| index as f64).collect()),
        _ => None,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, untagged)]
enum Choices {
    Loads { loads: Vec<u64> },
    Requests { n: usize, requests: u64 },
}

/// What other systems do stands beside what is ours, under their names.
const OTHERS: [&str; 2] = ["with_replacement", "traefik"];

fn two_choices_of(case: &Case) -> Result<(), Verdict> {
    match case.input()? {
        Choices::Loads { loads } => {
            let shares = two_choices::shares(&loads);
            case.compare_each(|key| match key {
                "distinct" | "uniform_distinct" => Some(shares.clone()),
                _ => None,
            })
        }
        Choices::Requests { n, requests } => {
            let mut loads = vec![0_u64; n];
            let mut dice = Dice::seeded(SEED);
            for _ in 0..requests {
                if let Some(chosen) = two_choices::choose(&loads, &mut dice) {
                    loads[chosen] += 1;
                }
            }
            let mean = loads.iter().sum::<u64>() as f64 / n as f64;
            let most = loads.iter().copied().max().unwrap_or_default() as f64;
            case.compare_each(|key| match key {
                "mean" => Some(vec![mean]),
                "max_minus_mean_le" => {
                    // A bound: what is below it is as good as the bound itself.
                    let bound = case.expect.get(key).and_then(Value::as_f64).unwrap_or_default();
                    Some(vec![(most - mean).max(bound)])
                }
                _ => None,
            })
        }
    }
}

impl Case {
    fn input<T: DeserializeOwned>(&self) -> Result<T, Verdict> {
        serde_json::from_value(self.input.clone())
            .map_err(|error| Verdict::Unsupported(format!("input: {error}")))
    }

    /// Compares every expectation with what `found` gives for it; a single number is a list of one.
    fn compare_each(&self, found: impl Fn(&str) -> Option<Vec<f64>>) -> Result<(), Verdict> {
        let mut compared = 0;
        for (key, expected) in &self.expect {
            if OTHERS.contains(&key.as_str()) {
                continue;
            }
            let found = found(key).ok_or_else(|| {
                Verdict::Unsupported(format!("expectation `{key}` is not understood"))
            })?;
            let expected: Vec<f64> = match expected {
                Value::Array(_) => serde_json::from_value(expected.clone()).ok(),
                one => one.as_f64().map(|one| vec![one]),
            }
            .ok_or_else(|| Verdict::Unsupported(format!("`{key}` holds no numbers")))?;
            let tolerance = self.tolerance.unwrap_or_default();
            let is_met = expected.len() == found.len()
                && expected.iter().zip(&found).all(|(one, other)| (one - other).abs() <= tolerance);
            if !is_met {
                let what = format!("{key}, expected {expected:?}, got {found:?}");
                return Err(Verdict::Failed(what));
            }
            compared += 1;
        }
        match compared {
            0 => Err(Verdict::Unsupported("nothing of ours is expected".to_owned())),
            _ => Ok(()),
        }
    }
}

fn numbers(order: &[usize]) -> Vec<f64> {
    order.iter().map(|index| *index as f64).collect()
}

/// How often each of `endpoints` had its turn.
fn counts(order: &[usize], endpoints: usize) -> Vec<f64> {
    (0..endpoints)
        .map(|endpoint| order.iter().filter(|turn| **turn == endpoint).count() as f64)
        .collect()
}
