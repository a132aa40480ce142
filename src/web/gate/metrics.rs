//! What is counted while pages are served, and the text that Prometheus reads.
//!
//! <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds in seconds, as OpenTelemetry's conventions for HTTP have them:
/// <https://opentelemetry.io/docs/specs/semconv/http/http-metrics/>.
const BOUNDS: [(f64, &str); 14] = [
    (0.005, "0.005"),
    (0.01, "0.01"),
    (0.025, "0.025"),
    (0.05, "0.05"),
    (0.075, "0.075"),
    (0.1, "0.1"),
    (0.25, "0.25"),
    (0.5, "0.5"),
    (0.75, "0.75"),
    (1.0, "1"),
    (2.5, "2.5"),
    (5.0, "5"),
    (7.5, "7.5"),
    (10.0, "10"),
];

/// Requests of one kind with their durations.
#[derive(Debug, Clone, Default)]
struct Timed {
    /// How many took at most as long as each bound and longer than the one before; the last: longer than all.
    counts: [u64; 15],
    seconds: f64,
}

/// What a request was. Nothing of it is from outside: an address is its route's, or of no route.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) route: String,
    pub(super) status: u16,
}

/// Counters of this program since it began.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    requests: Mutex<BTreeMap<Request, Timed>>,
    /// Requests that are being answered.
    pub(super) under_way: AtomicU64,
    /// Files and tables that were handed out.
    pub(super) downloads: AtomicU64,
}

impl Metrics {
    /// Counts a request that was answered after so long.
    pub(super) fn answered(&self, request: Request, took: Duration) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let timed = requests.entry(request).or_default();
        let seconds = took.as_secs_f64();
        let place = BOUNDS.iter().position(|(bound, _)| seconds <= *bound).unwrap_or(BOUNDS.len());
        timed.counts[place] += 1;
        timed.seconds += seconds;
    }

    /// All of it as text.
    pub(super) fn write(&self, text: &mut Text) {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone();
        text.head(
            "http_server_request_duration_seconds",
            "histogram",
            "Requests by route, from their head to the head of their answer.",
        );
        for (request, timed) in &requests {
            let status = request.status.to_string();
            let labels = [
                ("http_request_method", request.method),
                ("http_route", &request.route),
                ("http_response_status_code", &status),
            ];
            let mut count = 0;
            for (number, bound) in timed.counts.iter().zip(BOUNDS.iter().map(|(_, name)| *name).chain(["+Inf"])) {
                count += number;
                let labels = [&labels[..], &[("le", bound)]].concat();
                text.sample("http_server_request_duration_seconds_bucket", &labels, count);
            }
            text.sample("http_server_request_duration_seconds_sum", &labels, timed.seconds);
            text.sample("http_server_request_duration_seconds_count", &labels, count);
        }
        text.gauge("http_server_active_requests", "Requests being answered.", self.under_way.load(Ordering::Relaxed));
        text.head("auditfolio_downloads_total", "counter", "Tables and files handed out.");
        text.sample("auditfolio_downloads_total", &[], self.downloads.load(Ordering::Relaxed));
    }
}

/// Metrics being written.
#[derive(Debug, Default)]
pub(super) struct Text(String);

impl Text {
    pub(super) fn head(&mut self, name: &str, kind: &str, help: &str) {
        _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str, value: impl std::fmt::Display) {
        self.head(name, "gauge", help);
        self.sample(name, &[], value);
    }

    pub(super) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.0.push_str(name);
        for (index, (label, value)) in labels.iter().enumerate() {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            _ = write!(self.0, "{}{label}=\"{value}\"", if index == 0 { '{' } else { ',' });
        }
        _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    pub(super) fn end(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(status: u16) -> Request {
        Request { method: "GET", route: "/rules/{core_name}".to_owned(), status }
    }

    #[test]
    fn a_histogram_counts_up_to_each_bound_and_all() {
        let metrics = Metrics::default();
        for milliseconds in [1, 5, 6, 80, 20_000] {
            metrics.answered(request(200), Duration::from_millis(milliseconds));
        }
        metrics.answered(request(404), Duration::from_millis(1));
        let mut text = Text::default();
        metrics.write(&mut text);
        let text = text.end();
        let of = |le: &str| {
            let begin = "http_server_request_duration_seconds_bucket{http_request_method=\"GET\",\
                         http_route=\"/rules/{core_name}\",http_response_status_code=\"200\",le=";
            text.lines().find_map(|line| line.strip_prefix(&format!("{begin}\"{le}\"}} "))).map(str::to_owned)
        };
        for (le, count) in [("0.005", "2"), ("0.01", "3"), ("0.075", "3"), ("0.1", "4"), ("10", "4"), ("+Inf", "5")] {
            assert_eq!(of(le).as_deref(), Some(count), "{le}: {text}");
        }
        assert_eq!(text.matches("# TYPE http_server_request_duration_seconds histogram").count(), 1);
        assert!(text.contains("http_response_status_code=\"404\"} 1\n"), "{text}");
    }

    #[test]
    fn a_label_cannot_end_itself() {
        let mut text = Text::default();
        text.sample("a", &[("b", "x\"} 1\nc\\")], 2);
        assert_eq!(text.end(), "a{b=\"x\\\"} 1\\nc\\\\\"} 2\n");
    }
}
