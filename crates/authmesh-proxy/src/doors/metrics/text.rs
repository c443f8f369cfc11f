//! Writes metrics as text: the format of Prometheus 0.0.4, or OpenMetrics 1.0.

use std::fmt::{Display, Write as _};

use super::names::{Kind, Metric};

/// Which text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// What every scraper reads.
    Prometheus,
    /// What a scraper may ask for.
    OpenMetrics,
}

impl Format {
    /// The format for a request that accepts `accept`.
    pub(crate) fn accepted(accept: &str) -> Self {
        if accept.contains("application/openmetrics-text") {
            Self::OpenMetrics
        } else {
            Self::Prometheus
        }
    }

    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// A text that metrics are written into, one family after the other.
pub(crate) struct MetricsText {
    format: Format,
    text: String,
}

impl MetricsText {
    pub(crate) fn new(format: Format) -> Self {
        Self { format, text: String::with_capacity(8 * 1024) }
    }

    /// Begins a family; its samples follow.
    pub(crate) fn family(&mut self, metric: &Metric) {
        let name = match self.format {
            Format::Prometheus => metric.name,
            // There the family of a counter goes without the suffix of its samples.
            Format::OpenMetrics => metric.name.strip_suffix("_total").unwrap_or(metric.name),
        };
        self.line(format_args!("# HELP {name} {}", metric.help));
        self.line(format_args!("# TYPE {name} {}", metric.kind.word()));
        if let (Format::OpenMetrics, Some(unit)) = (self.format, metric.unit) {
            self.line(format_args!("# UNIT {name} {unit}"));
        }
    }

    /// Writes one value of a counter or gauge. `labels` are the values of the metric's labels.
    pub(crate) fn sample(&mut self, metric: &Metric, labels: &[&str], value: impl Display) {
        debug_assert!(metric.kind != Kind::Histogram && labels.len() == metric.labels.len());
        self.value(metric.name, metric.labels.iter().copied().zip(labels.iter().copied()), value);
    }

    /// Writes a histogram: the count of each bucket, of which `bounds` are the upper bounds, in
    /// seconds, of all but the last, and the sum of what was observed.
    pub(crate) fn histogram(
        &mut self,
        metric: &Metric,
        labels: &[&str],
        bounds: impl Iterator<Item = f64>,
        counts: &[u64],
        sum: f64,
    ) {
        debug_assert!(metric.kind == Kind::Histogram && labels.len() == metric.labels.len());
        let labels = || metric.labels.iter().copied().zip(labels.iter().copied());
        let bucket = format!("{}_bucket", metric.name);
        let mut bounds = bounds;
        let mut so_far = 0_u64;
        for count in counts {
            so_far += count;
            let bound = bounds.next().map_or_else(|| "+Inf".to_owned(), decimal);
            self.value(&bucket, labels().chain([("le", bound.as_str())]), so_far);
        }
        self.value(&format!("{}_sum", metric.name), labels(), sum);
        self.value(&format!("{}_count", metric.name), labels(), so_far);
    }

    /// The whole text.
    pub(crate) fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }

    fn value<'a>(
        &mut self,
        name: &str,
        labels: impl Iterator<Item = (&'a str, &'a str)>,
        value: impl Display,
    ) {
        self.text.push_str(name);
        let mut separator = '{';
        for (label, content) in labels {
            self.text.push(separator);
            separator = ',';
            self.text.push_str(label);
            self.text.push_str("=\"");
            escape(content, &mut self.text);
            self.text.push('"');
        }
        if separator == ',' {
            self.text.push('}');
        }
        self.line(format_args!(" {value}"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a text cannot fail.
        let _ = self.text.write_fmt(line);
        self.text.push('\n');
    }
}

/// A bound as OpenMetrics wants it: with a decimal point.
fn decimal(bound: f64) -> String {
    format!("{bound:?}")
}

fn escape(content: &str, text: &mut String) {
    for character in content.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::names::{REFUSALS, REQUEST_SECONDS};
    use super::*;

    #[test]
    fn label_values_cannot_break_out_of_their_quotes() {
        let mut text = MetricsText::new(Format::Prometheus);
        text.sample(&REFUSALS, &["a\"b", "c\\d", "e\nf"], 1);
        assert_eq!(
            text.finish(),
            "authmesh_refusals_total{service=\"a\\\"b\",operation=\"c\\\\d\",reason=\"e\\nf\"} 1\n"
        );
    }

    #[test]
    fn buckets_are_cumulative_and_the_last_one_holds_all() {
        let mut text = MetricsText::new(Format::OpenMetrics);
        text.histogram(&REQUEST_SECONDS, &["s", "o"], [0.5, 1.0].into_iter(), &[2, 0, 3], 4.5);
        let text = text.finish();
        let labels = r#"service="s",operation="o""#;
        for line in [
            format!("authmesh_request_seconds_bucket{{{labels},le=\"0.5\"}} 2"),
            format!("authmesh_request_seconds_bucket{{{labels},le=\"1.0\"}} 2"),
            format!("authmesh_request_seconds_bucket{{{labels},le=\"+Inf\"}} 5"),
            format!("authmesh_request_seconds_sum{{{labels}}} 4.5"),
            format!("authmesh_request_seconds_count{{{labels}}} 5"),
            "# EOF".to_owned(),
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }

    #[test]
    fn a_counter_family_goes_by_the_name_its_format_wants() {
        let family = |format| {
            let mut text = MetricsText::new(format);
            text.family(&REFUSALS);
            text.finish()
        };
        assert!(family(Format::Prometheus).contains("# TYPE authmesh_refusals_total counter"));
        assert!(family(Format::OpenMetrics).contains("# TYPE authmesh_refusals counter"));
    }
}
