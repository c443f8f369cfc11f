//! The numbers that a group is judged by.

use authmesh_logic::outlier::{mean, standard_deviation};
use serde::Deserialize;

use super::{Case, Played, compare_numbers};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    values: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    expect_mean: Option<f64>,
    expect_stdev: Option<f64>,
}

pub(super) fn play(case: &Case<Config, Step>) -> Played {
    let values = &case.config.values;
    let mut compared = 0;
    for (number, step) in case.steps.iter().enumerate() {
        if let Some(expected) = step.expect_mean {
            compared += compare_numbers(number, "mean", expected, mean(values))?;
        }
        if let Some(expected) = step.expect_stdev {
            compared += compare_numbers(number, "stdev", expected, standard_deviation(values))?;
        }
    }
    Ok(compared)
}
