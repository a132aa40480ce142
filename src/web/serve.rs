//! The app, for the program and for tests, and the server around it.

use std::net::TcpListener;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::{Data, FormConfig, PayloadConfig};
use actix_web::{App, HttpServer};
use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use super::{guard, routes};
use crate::State;

/// Forms are small; the largest is a scope's list of some ten thousand account ids. A larger body is refused.
const BODY_BYTES: usize = 256 * 1024;

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
        .app_data(FormConfig::default().limit(BODY_BYTES))
        .app_data(PayloadConfig::new(BODY_BYTES))
        .wrap(from_fn(guard::guard))
        .wrap(Compress::default())
        .configure(routes::configure)
}

/// Serves until `stop` is cancelled, then lets running requests finish.
pub async fn serve(state: State, listener: TcpListener, stop: CancellationToken) -> anyhow::Result<()> {
    let server = HttpServer::new(move || app(state.clone()))
        .workers(std::thread::available_parallelism().map_or(2, std::num::NonZero::get))
        .shutdown_timeout(10)
        .disable_signals()
        .listen(listener)
        .context("listening for pages")?
        .run();
    let handle = server.handle();
    let mut server = std::pin::pin!(server);
    let outcome = tokio::select! {
        outcome = &mut server => outcome,
        () = stop.cancelled() => tokio::join!(handle.stop(true), server).1,
    };
    outcome.context("serving pages")
}
