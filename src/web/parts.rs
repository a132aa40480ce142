//! Small parts of pages that templates place with `{{ part }}`: marks, provenance.

use askama::Template;

use crate::compliance::{DeliveryState, Severity, Status};

/// Tells askama that the template of a part has already escaped what is in it.
macro_rules! html_safe {
    ($($part:ty),+ $(,)?) => { $(impl askama::filters::HtmlSafe for $part {})+ };
}
pub(crate) use html_safe;

/// A status as shape and word.
#[derive(Debug, Clone, Template)]
#[template(
    source = r#"<span class="mark mark--{{ status.slug() }}"><span class="mark__shape" aria-hidden="true">{{ status.shape() }}</span> {{ status.word() }}</span>"#,
    ext = "html"
)]
pub struct StatusMark<'a> {
    pub status: &'a Status,
}

/// The mark of a status.
pub fn status(status: &Status) -> StatusMark<'_> {
    StatusMark { status }
}

/// A delivery state as shape and word.
#[derive(Debug, Clone, Template)]
#[template(
    source = r#"<span class="mark delivery--{{ state.slug() }}"><span class="mark__shape" aria-hidden="true">{{ state.shape() }}</span> {{ state.word() }}</span>"#,
    ext = "html"
)]
pub struct DeliveryMark {
    pub state: DeliveryState,
}

/// The mark of a delivery state.
pub fn delivery(state: &DeliveryState) -> DeliveryMark {
    DeliveryMark { state: *state }
}

/// A severity as its word.
#[derive(Debug, Clone, Template)]
#[template(source = r#"<span class="severity severity--{{ slug }}">{{ word }}</span>"#, ext = "html")]
pub struct SeverityMark {
    pub slug: &'static str,
    pub word: &'static str,
}

/// The mark of a severity.
pub fn severity(severity: &Severity) -> SeverityMark {
    let slug = match severity {
        Severity::Unknown => "unknown",
        Severity::Informational => "informational",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    };
    SeverityMark { slug, word: severity.word() }
}

/// "How do we know?": where the figures of a page or a table come from.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "parts/provenance.html")]
pub struct Provenance {
    pub lines: Vec<ProvenanceLine>,
}

#[derive(Debug, Clone)]
pub struct ProvenanceLine {
    pub term: String,
    pub text: String,
    /// Where more of it stands.
    pub href: Option<String>,
    /// More of them, each with its words.
    pub links: Vec<(String, String)>,
}

impl Provenance {
    /// With one more line.
    #[must_use]
    pub fn line(mut self, term: impl Into<String>, text: impl Into<String>) -> Self {
        self.lines.push(ProvenanceLine { term: term.into(), text: text.into(), href: None, links: Vec::new() });
        self
    }

    /// With one more line that leads to the rows behind it.
    #[must_use]
    pub fn link(mut self, term: impl Into<String>, text: impl Into<String>, href: impl Into<String>) -> Self {
        let href = Some(href.into()).filter(|href| !href.is_empty());
        self.lines.push(ProvenanceLine { term: term.into(), text: text.into(), href, links: Vec::new() });
        self
    }

    /// With one more line of links, each with its words.
    #[must_use]
    pub fn links(mut self, term: impl Into<String>, links: impl IntoIterator<Item = (String, String)>) -> Self {
        let links = links.into_iter().collect();
        self.lines.push(ProvenanceLine { term: term.into(), text: String::new(), href: None, links });
        self
    }
}

/// What would be here, why it is not, the one next step.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/empty.html")]
pub struct Empty {
    pub what: String,
    pub why: String,
    pub next: Option<(String, String)>,
}

impl Empty {
    pub fn new(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.into(), next: None }
    }

    /// With the next step as a link.
    #[must_use]
    pub fn next(mut self, words: impl Into<String>, href: impl Into<String>) -> Self {
        self.next = Some((words.into(), href.into()));
        self
    }
}

html_safe!(StatusMark<'_>, DeliveryMark, SeverityMark, Provenance, Empty);
