//! The mean of a group, and how far its members lie around it.

/// The mean; 0 of nothing.
#[must_use]
pub fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// The standard deviation of a whole population, not of a sample of it; 0 of nothing.
#[must_use]
pub fn standard_deviation(values: &[f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = mean(values);
    let squares = values.iter().map(|value| (value - middle) * (value - middle)).sum::<f64>();
    libm::sqrt(squares / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deviation_is_that_of_a_population() {
        let values = [600.0, 470.0, 170.0, 430.0, 300.0];
        assert!((mean(&values) - 394.0).abs() < 1e-9);
        assert!((standard_deviation(&values) - 147.322_774_885_6).abs() < 1e-9);
        assert!(mean(&[]).abs() < f64::EPSILON && standard_deviation(&[]).abs() < f64::EPSILON);
        assert!(standard_deviation(&[7.0]).abs() < f64::EPSILON);
    }
}
