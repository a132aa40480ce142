//! Auditfolio: a compliance portal for AWS.
//!
//! Evidence comes in by a [`collection`], lives in Postgres, is asked by [`compliance`] and leaves as pages,
//! exports and [`packs`]. Data flows one way: a page never collects, a collection never renders.

pub mod artifact;
pub mod audit_log;
pub mod aws;
pub mod clock;
pub mod collection;
pub mod command;
pub mod compliance;
pub mod connect;
pub mod database;
pub mod definition;
pub mod delivery;
pub mod demo;
pub mod engagement;
pub mod error;
pub mod jobs;
pub mod notices;
pub mod organization;
pub mod packs;
pub mod people;
pub mod reconcile;
pub mod retention;
pub mod sample;
pub mod schedule;
pub mod secret;
pub mod server;
pub mod settings;
pub mod telemetry;
pub mod web;

/// What handlers and jobs share.
#[derive(Debug, Clone)]
pub struct State {
    pub db: sqlx::PgPool,
    /// What pages remember of a store that has not changed.
    pub memo: compliance::memo::Memo,
    pub clock: clock::Clock,
    /// Whether the demo sign-in is on: identities are not authenticated and every page and pack says so.
    pub demo: bool,
    /// A day can receive deliveries until midnight UTC plus this.
    pub grace: time::Duration,
    /// Months that AWS's continued-operations letters are to reach beyond a report: more is said so.
    pub letter_months: u16,
    /// What packs are classified as where nobody says otherwise.
    pub classification: std::sync::Arc<str>,
    pub duties: std::sync::Arc<Duties>,
    /// What every request passes.
    pub gate: std::sync::Arc<web::Gate>,
    /// How people sign in, and through which proxies they come.
    pub sign_in: std::sync::Arc<people::SignIn>,
}

/// What this program does beside serving pages and making packs: nothing unless the settings ask for it.
#[derive(Debug, Default)]
pub struct Duties {
    /// What it collects when a collection is due or asked for.
    pub collecting: Option<schedule::Collecting>,
    /// How it sends the notices.
    pub mail: Option<notices::Mail>,
    /// What it uses of AWS when it collects.
    pub setup: Option<connect::Setup>,
    /// How it reads AWS Artifact.
    pub syncing: Option<artifact::Syncing>,
    /// What it removes once a day.
    pub retention: Option<retention::Duty>,
}
