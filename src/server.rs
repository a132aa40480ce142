//! The `serve` command: the portal and the job worker in one program, until a signal stops them.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::artifact::ArtifactArgs;
use crate::notices::{MailArgs, NoticeArgs};
use crate::people::SignInArgs;
use crate::schedule::ScheduleArgs;
use crate::settings::StoreSettings;
use crate::web::GateArgs;
use crate::{Duties, State, connect, retention};

/// Settings of `serve`.
#[derive(Debug, Clone, clap::Args)]
pub struct ServeArgs {
    /// Address and port to listen on.
    #[arg(long, env = "AUDITFOLIO_BIND", default_value = "127.0.0.1:8080")]
    pub bind: SocketAddr,
    /// Let anybody sign in as a demo identity, without authentication. Refused on any address but loopback.
    #[arg(long, env = "AUDITFOLIO_DEMO_SIGN_IN")]
    pub demo_sign_in: bool,
    #[command(flatten, next_help_heading = "Sign-in")]
    pub sign_in: SignInArgs,
    #[command(flatten)]
    pub schedule: ScheduleArgs,
    #[command(flatten, next_help_heading = "AWS Artifact")]
    pub artifact: ArtifactArgs,
    #[command(flatten)]
    pub notices: NoticeArgs,
    #[command(flatten)]
    pub mail: MailArgs,
    #[command(flatten, next_help_heading = "Limits, health and metrics")]
    pub gate: GateArgs,
}

impl ServeArgs {
    /// Refuses the demo sign-in where others could reach it. Checked before anything is started.
    pub fn check(&self) -> anyhow::Result<()> {
        if self.demo_sign_in && !self.bind.ip().is_loopback() {
            bail!(
                "the demo sign-in authenticates nobody, so it is refused on {}: bind a loopback address such as 127.0.0.1:8080, \
                 or leave out --demo-sign-in",
                self.bind,
            );
        }
        Ok(())
    }

    /// What this program is to do beside serving pages. Refuses settings that do not fit together, before anything is
    /// started.
    pub async fn duties(&self, store: &StoreSettings) -> anyhow::Result<Duties> {
        self.check()?;
        let collecting = self.schedule.collecting(&store.organization, &self.notices)?;
        let smtp_url = match &self.mail.smtp_url {
            Some(url) => Some(url.read("--smtp-url", &self.schedule.aws).await?),
            None => None,
        };
        let providers = self.sign_in.providers()?;
        let secrets = [
            store.secrets(),
            vec![("--smtp-url", self.mail.smtp_url.as_ref()), ("--metrics-token", self.gate.metrics_token.as_ref())],
            providers.iter().map(|one| ("--identity-providers", one.client_secret.as_ref())).collect(),
        ]
        .concat();
        let setup = collecting.as_ref().map(|collecting| {
            let artifact = self.artifact.clone();
            connect::Setup { artifact, ..collecting.setup() }.with_secrets(&secrets)
        });
        let syncing = self.artifact.syncing(&store.organization, &self.schedule.aws)?;
        let retention = retention::Duty::of(store.retain, &store.organization);
        Ok(Duties { collecting, mail: self.mail.mail(smtp_url)?, setup, syncing, retention })
    }
}

/// Takes the port, or says who has it.
pub fn listen(bind: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(bind).map_err(|error| {
        if error.kind() == std::io::ErrorKind::AddrInUse {
            anyhow::anyhow!("{bind} is in use by another program: stop that, or choose another address with --bind")
        } else {
            anyhow::Error::new(error).context(format!("cannot listen on {bind}"))
        }
    })
}

/// Serves until SIGTERM or SIGINT; downloads and the job in hand may finish first.
pub async fn run(args: &ServeArgs, state: State) -> anyhow::Result<()> {
    let metrics = args.gate.metrics_bind.map(listen).transpose()?;
    serve_with(listen(args.bind)?, metrics, state).await
}

/// Serves on a socket that is open already.
pub async fn serve(listener: TcpListener, state: State) -> anyhow::Result<()> {
    serve_with(listener, None, state).await
}

async fn serve_with(listener: TcpListener, metrics: Option<TcpListener>, state: State) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    stop_on_signal(state.gate.stopping.clone(), state.gate.stop_notice, stop.clone())?;
    // It answers to the end: who watches sees the last download go.
    let ended = CancellationToken::new();
    let metrics =
        metrics.map(|listener| tokio::spawn(crate::web::serve_metrics(state.clone(), listener, ended.clone())));
    tracing::info!(address = %listener.local_addr()?, demo = state.demo, "serving");
    let worker = tokio::spawn(crate::jobs::work(state.clone(), stop.clone()));
    let schedule = tokio::spawn(crate::schedule::keep(state.clone(), stop.clone()));
    let artifact = tokio::spawn(crate::artifact::keep(state.clone(), stop.clone()));
    let removals = tokio::spawn(retention::keep(state.clone(), stop.clone()));
    let served = crate::web::serve(state, listener, stop.clone()).await;
    stop.cancel();
    worker.await.context("the job worker")?;
    schedule.await.context("the schedule")?;
    artifact.await.context("reading Artifact every so often")?;
    removals.await.context("the removals")?;
    ended.cancel();
    if let Some(metrics) = metrics {
        metrics.await.context("the metrics")??;
    }
    tracing::info!("stopped");
    served
}

/// The first signal stops gracefully; a second one finds the default action: the end.
fn stop_on_signal(stopping: CancellationToken, notice: Duration, stop: CancellationToken) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tracing::info!("stopping: requests under way may finish");
        stopping.cancel();
        let mut again = std::pin::pin!(async {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        });
        // Meanwhile whoever spreads requests over several programs sees that this one is not ready.
        let is_again = tokio::select! { () = tokio::time::sleep(notice) => false, () = &mut again => true };
        stop.cancel();
        if !is_again {
            again.await;
        }
        tracing::warn!("stopped at once by a second signal");
        // The guardian of the private Postgres sees the end of this process and stops the server.
        std::process::exit(130);
    });
    Ok(())
}
