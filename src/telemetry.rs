//! Logs: what happened, on standard error, for people or for machines. Never a secret, never a whole address with one.

use std::borrow::Cow;
use std::io::Write;

use anyhow::Context as _;
use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Human,
    /// One JSON object a line.
    Json,
}

/// What is logged and how.
#[derive(Debug, Clone, clap::Args)]
pub struct LogSettings {
    /// Form of log lines on standard error.
    #[arg(long, global = true, env = "AUDITFOLIO_LOG_FORMAT", value_enum, default_value = "human")]
    pub log_format: LogFormat,
    /// What to log: a level (error, warn, info, debug, trace), or levels by part as in `warn,auditfolio::jobs=debug`
    /// [default: `warn,auditfolio=info` for serve, else `warn,sqlx::query=error`].
    #[arg(long, global = true, env = "AUDITFOLIO_LOG")]
    pub log: Option<String>,
}

/// Writes each event as one line, whatever text from outside is in it.
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    /// Called once for each event, with all of it.
    fn write(&mut self, event: &[u8]) -> std::io::Result<usize> {
        self.0.write_all(one_line(&String::from_utf8_lossy(event)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// An event without line breaks and other characters that would make it look like another, but for its end and colours.
fn one_line(event: &str) -> Cow<'_, str> {
    let (body, end) = event.strip_suffix('\n').map_or((event, ""), |body| (body, "\n"));
    let is_hidden = |letter: char| {
        (letter.is_control() && letter != '\u{1b}')
            || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !body.contains(is_hidden) {
        return event.into();
    }
    let shown = body
        .chars()
        .map(|letter| if is_hidden(letter) { letter.escape_default().to_string() } else { letter.to_string() });
    (shown.collect::<String>() + end).into()
}

/// Starts logging, at `default` where the settings say nothing. Call once, first.
pub fn start(settings: &LogSettings, default: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(settings.log.as_deref().unwrap_or(default))
        .context("--log (AUDITFOLIO_LOG) is a level, or levels by part")?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| OneLine(std::io::stderr()));
    let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let started = match settings.log_format {
        LogFormat::Human => subscriber.with_ansi(terminal).with_target(false).try_init(),
        LogFormat::Json => subscriber.json().flatten_event(true).with_current_span(false).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("cannot start logging: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_whatever_is_in_it() {
        assert_eq!(one_line("\u{1b}[31mwarn\u{1b}[0m all is well\n"), "\u{1b}[31mwarn\u{1b}[0m all is well\n");
        for (event, line) in [
            ("a\nWARN b\n", "a\\nWARN b\n"),
            ("a\r\nb", "a\\r\\nb"),
            ("a\u{2028}b\u{202e}c\u{7}\n", "a\\u{2028}b\\u{202e}c\\u{7}\n"),
        ] {
            assert_eq!(one_line(event), line);
        }
    }
}
