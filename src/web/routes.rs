//! One table of every route, for the program and for the test of rights.

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};

use crate::error::Error;

/// Who may use a route. The handler's extractors enforce it; the test of rights compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Also who is not signed in.
    Everybody,
    /// Everybody who is signed in: `User`, `Visit` or `View`.
    SignedIn,
    /// Compliance managers and administrators: `Maker`.
    Makers,
}

/// One method of one path.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub method: Method,
    pub path: &'static str,
    pub access: Access,
    pub route: fn() -> actix_web::Route,
}

impl Endpoint {
    pub fn get(path: &'static str, access: Access, route: fn() -> actix_web::Route) -> Self {
        Self { method: Method::GET, path, access, route }
    }

    pub fn post(path: &'static str, access: Access, route: fn() -> actix_web::Route) -> Self {
        Self { method: Method::POST, path, access, route }
    }
}

/// Every route. A feature adds its own list here.
pub fn endpoints() -> Vec<Endpoint> {
    [
        super::assets::endpoints(),
        crate::people::page::endpoints(),
        crate::compliance::endpoints(),
        crate::definition::page::endpoints(),
        crate::delivery::page::endpoints(),
        crate::organization::scope::page::endpoints(),
        crate::collection::page::endpoints(),
        crate::schedule::page::endpoints(),
        crate::connect::page::endpoints(),
        crate::jobs::page::endpoints(),
        crate::notices::page::endpoints(),
        crate::packs::page::endpoints(),
        crate::artifact::page::endpoints(),
        crate::reconcile::page::endpoints(),
    ]
    .concat()
}

/// Puts [`endpoints`] into an app. Paths keep their order: fixed words before `{names}`.
pub(super) fn configure(config: &mut ServiceConfig) {
    let mut paths: Vec<&'static str> = Vec::new();
    let all = endpoints();
    for endpoint in &all {
        if !paths.contains(&endpoint.path) {
            paths.push(endpoint.path);
        }
    }
    for path in paths {
        let mut resource = web::resource(path);
        for endpoint in all.iter().filter(|endpoint| endpoint.path == path) {
            resource = resource.route((endpoint.route)());
            if endpoint.method == Method::GET {
                // What answers GET answers HEAD.
                resource = resource.route((endpoint.route)().method(Method::HEAD));
            }
        }
        config.service(resource);
    }
    config.default_service(web::to(|| async { Err::<&str, _>(Error::NotFound) }));
}
