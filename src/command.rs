//! What each command of the command line does: opens the store where it needs it, and closes it whatever the outcome.

use std::process::ExitCode;
use std::sync::Arc;

use crate::audit_log::in_force;
use crate::clock::Clock;
use crate::compliance::evidence::export;
use crate::compliance::memo::Memo;
use crate::database::{self, Store, backup};
use crate::demo;
use crate::people::{SignIn, link};
use crate::settings::{AdminCommand, ArtifactCommand, AwsCommand, Command, Settings, StoreSettings};
use crate::{State, artifact, audit_log, collection, connect, packs, retention, server, web};

/// Carries out a command. The exit code is 0 for success and 2 where evidence could not be read; an error means 1.
///
/// What is awaited is compiled where it is waited for: here, so that the program beside the library has nothing to compile.
pub fn run(settings: Settings) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(carry_out(settings))
}

async fn carry_out(settings: Settings) -> anyhow::Result<ExitCode> {
    let Settings { store: at, command, in_force, .. } = settings;
    let organization = at.organization.clone();
    match command {
        Command::Demo(args) => {
            Box::pin(demo::run(&at, &args)).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Sample(options) => {
            crate::sample::command(&options)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Serve(args) => {
            let duties = args.duties(&at).await?;
            let sign_in = SignIn::of(&args.sign_in, &args.schedule.aws).await?;
            with_store(&at, async |store| {
                in_force::started(&store.db, &in_force).await?;
                let gate = Arc::new(web::Gate::new(&args.gate, &args.schedule.aws).await?);
                let (duties, sign_in) = (Arc::new(duties), Arc::new(sign_in));
                let portal = State { demo: args.demo_sign_in, duties, gate, sign_in, ..state(store, &at) };
                server::run(&args, portal).await?;
                Ok(in_force::stopped(&store.db).await?)
            })
            .await
        }
        Command::Export(args) => {
            with_store(&at, async |store| export::to_standard_output(&args, &organization, &store.db).await).await
        }
        Command::Collect(args) => {
            with_store(&at, async |store| collection::command(&state(store, &at), &organization, &args).await).await
        }
        Command::Retain(args) => {
            with_store(&at, async |store| retention::command(&args, at.retain, &organization, &state(store, &at)).await)
                .await
        }
        Command::Artifact { command: ArtifactCommand::Import(args) } => {
            with_store(&at, async |store| artifact::command::import(&state(store, &at), &organization, &args).await)
                .await
        }
        Command::Artifact { command: ArtifactCommand::Sync(args) } => {
            with_store(&at, async |store| artifact::command::sync(&state(store, &at), &organization, &args).await).await
        }
        Command::Aws { command: AwsCommand::Ddl(args) } => {
            collection::athena::ddl(&args).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Aws { command: AwsCommand::Policy(args) } => {
            connect::command::print_policy(&args, &at)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Aws { command: AwsCommand::Cloudformation(args) } => {
            connect::command::print_template(&args, &at)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Aws { command: AwsCommand::Check(args) } => Box::pin(connect::command::check(&args, &at)).await,
        Command::Pack(args) => {
            with_store(&at, async |store| packs::command::pack(&args, &organization, &state(store, &at)).await).await
        }
        Command::Verify(args) => {
            with_store(&at, async |store| packs::command::verify(&args, &state(store, &at)).await).await
        }
        Command::Audit { command } => {
            with_store(&at, async |store| audit_log::command::command(&command, &state(store, &at)).await).await
        }
        Command::BenchPack { rows } => {
            println!("{}", packs::bench::line(rows)?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Admin { command: AdminCommand::Link(args) } => {
            with_store(&at, async |store| link::command(&args, &state(store, &at)).await).await
        }
        Command::Migrate => {
            let (store, count) = database::connect_and_migrate(&at).await?;
            println!("{count} migrations applied; the database is up to date");
            store.close().await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Backup(args) => {
            let done = backup::backup(&at, &args).await?;
            backup::say("backed up", &done)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Restore(args) => {
            let done = backup::restore(&at, &args).await?;
            backup::say("restored", &done)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// What commands without a server share with the parts they call.
fn state(store: &Store, settings: &StoreSettings) -> State {
    State {
        db: store.db.clone(),
        memo: Memo::default(),
        clock: Clock::Real,
        demo: false,
        grace: settings.grace(),
        letter_months: settings.artifact_letter_months,
        classification: settings.pack_classification.as_str().into(),
        duties: Arc::default(),
        gate: Arc::default(),
        sign_in: Arc::default(),
    }
}

/// What a command gives: nothing more than success, or an exit code of its own.
trait Outcome {
    fn code(self) -> ExitCode;
}

impl Outcome for () {
    fn code(self) -> ExitCode {
        ExitCode::SUCCESS
    }
}

impl Outcome for ExitCode {
    fn code(self) -> ExitCode {
        self
    }
}

/// Opens the store for a command and closes it after. The command's own error comes before that of closing.
async fn with_store<T: Outcome>(
    settings: &StoreSettings,
    command: impl AsyncFnOnce(&Store) -> anyhow::Result<T>,
) -> anyhow::Result<ExitCode> {
    let store = database::connect(settings).await?;
    let outcome = command(&store).await;
    let closed = store.close().await;
    let code = outcome?.code();
    closed.map(|()| code)
}
