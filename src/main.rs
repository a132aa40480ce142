//! The command line of Auditfolio.

use std::process::ExitCode;

use auditfolio::compliance::evidence::export;
use auditfolio::database::{self, Store, backup};
use auditfolio::settings::{Command, Settings};
use auditfolio::{server, telemetry};
use clap::Parser as _;

fn main() -> ExitCode {
    let settings = Settings::parse();
    let done = telemetry::start(&settings.log).and_then(|()| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(run(settings))
    });
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("auditfolio: {}", one_message(&error));
            ExitCode::FAILURE
        }
    }
}

async fn run(settings: Settings) -> anyhow::Result<ExitCode> {
    match settings.command {
        Command::Serve(args) => {
            args.check()?;
            let store = database::connect(&settings.store).await?;
            let served = server::run(&args, &store).await;
            finish(store, served.map(|()| ExitCode::SUCCESS)).await
        }
        Command::Migrate => {
            let (store, count) = database::connect_and_migrate(&settings.store).await?;
            println!("{count} migrations applied; the database is up to date");
            finish(store, Ok(ExitCode::SUCCESS)).await
        }
        Command::Backup(args) => {
            let done = backup::backup(&settings.store, &args).await?;
            backup::say("backed up", &done)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Restore(args) => {
            let done = backup::restore(&settings.store, &args).await?;
            backup::say("restored", &done)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Export(args) => {
            let store = database::connect(&settings.store).await?;
            let exported = export::to_standard_output(&args, &settings.store.organization, &store.db).await;
            finish(store, exported.map(|()| ExitCode::SUCCESS)).await
        }
    }
}

/// Closes the store, whatever the command's outcome; that outcome comes first.
async fn finish(store: Store, outcome: anyhow::Result<ExitCode>) -> anyhow::Result<ExitCode> {
    let closed = store.close().await;
    let code = outcome?;
    closed.map(|()| code)
}

/// The error with its causes on one line. Some errors quote their cause: that is said once.
fn one_message(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |message, cause| match message.as_str() {
        "" => cause,
        _ if message.ends_with(&cause) => message,
        _ => format!("{message}: {cause}"),
    })
}
