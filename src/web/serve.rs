//! The app, for the program and for tests, and the server around it.

use std::net::TcpListener;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{Server, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Compress, DefaultHeaders, from_fn};
use actix_web::web::{Data, FormConfig, PayloadConfig};
use actix_web::{App, HttpServer};
use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use super::gate::{self, FORM_BYTES};
use super::{guard, routes};
use crate::State;

/// So many connections a worker holds at once; who comes then waits to be let in.
const CONNECTIONS: usize = 4_096;
/// How long the head of a request may take to come.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// Every route with everything that stands before it.
pub fn app(
    state: State,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    App::new()
        .app_data(Data::new(state))
        .app_data(FormConfig::default().limit(FORM_BYTES))
        .app_data(PayloadConfig::new(FORM_BYTES))
        .wrap(from_fn(guard::guard))
        .wrap(Compress::default())
        .configure(routes::configure)
}

/// Serves until `stop` is cancelled, then lets running requests finish.
pub async fn serve(state: State, listener: TcpListener, stop: CancellationToken) -> anyhow::Result<()> {
    let most = state.gate.stop_time.as_secs();
    let server = HttpServer::new(move || app(state.clone()))
        .workers(std::thread::available_parallelism().map_or(2, std::num::NonZero::get))
        .max_connections(CONNECTIONS)
        .client_request_timeout(HEAD_TIME)
        .shutdown_timeout(most)
        .disable_signals()
        .listen(listener)
        .context("listening for pages")?
        .run();
    until(server, stop).await.context("serving pages")
}

/// Serves who watches the program, on a port of its own, until `stop` is cancelled.
pub async fn serve_metrics(state: State, listener: TcpListener, stop: CancellationToken) -> anyhow::Result<()> {
    let state = Data::new(state);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(state.clone())
            .wrap(DefaultHeaders::new().add(("x-content-type-options", "nosniff")))
            .configure(gate::health::configure)
    });
    let server = server.workers(1).shutdown_timeout(1).disable_signals();
    let server = server.listen(listener).context("listening for metrics")?.run();
    until(server, stop).await.context("serving metrics")
}

async fn until(server: Server, stop: CancellationToken) -> std::io::Result<()> {
    let handle = server.handle();
    let mut server = std::pin::pin!(server);
    tokio::select! {
        outcome = &mut server => outcome,
        () = stop.cancelled() => tokio::join!(handle.stop(true), server).1,
    }
}
