//! The command line of Auditfolio.

use std::process::ExitCode;

use auditfolio::settings::Settings;
use auditfolio::{command, telemetry};

fn main() -> ExitCode {
    let settings = match Settings::read() {
        Ok(settings) => settings,
        Err(usage) => {
            // Clap's own exit code for a usage error, 2, here means that something could not be read.
            let _printed = usage.print();
            return if usage.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    let done = telemetry::start(&settings.log, settings.command.default_log()).and_then(|()| command::run(settings));
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("auditfolio: {}", one_message(&error));
            ExitCode::FAILURE
        }
    }
}

/// The error with its causes on one line. Some errors quote their cause: that is said once.
fn one_message(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |message, cause| match message.as_str() {
        "" => cause,
        _ if message.ends_with(&cause) => message,
        _ => format!("{message}: {cause}"),
    })
}
