//! One table of every route, for the program and for the test of rights.

use std::collections::HashMap;
use std::sync::LazyLock;

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};

use crate::error::Error;
use crate::people::Role;

/// Who may use a route. `people::admit` holds every sign-in against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Also who is not signed in.
    Everybody,
    /// Everybody who is signed in, auditors also outside a room: what concerns nobody but themselves.
    SignedIn,
    /// The company's own people; auditors within the room of an engagement, and there its scope alone.
    Rooms,
    /// The company's own people.
    Team,
    /// Compliance managers and administrators.
    Makers,
    /// Administrators.
    Administrators,
}

impl Access {
    /// Why a role may not use such a route at all; `None` where it may.
    pub fn refuses(self, role: Role) -> Option<&'static str> {
        match self {
            Self::Everybody | Self::SignedIn | Self::Rooms => None,
            Self::Team => (role == Role::Auditor).then_some(
                "This is the compliance team’s. What belongs to your engagement is in its room, and you can ask for more there.",
            ),
            Self::Makers => (!role.makes_packs())
                .then_some("Compliance managers and administrators do this; others read and download."),
            Self::Administrators => (role != Role::Administrator).then_some("Administrators do this."),
        }
    }
}

/// Who may use the route that a request has come to; `None` where it came to none.
pub fn access(request: &HttpRequest) -> Option<Access> {
    static TABLE: LazyLock<HashMap<(Method, &'static str), Access>> = LazyLock::new(|| {
        endpoints().into_iter().map(|endpoint| ((endpoint.method, endpoint.path), endpoint.access)).collect()
    });
    // What answers GET answers HEAD.
    let method = if request.method() == Method::HEAD { Method::GET } else { request.method().clone() };
    let pattern = request.match_pattern()?;
    TABLE.get(&(method, pattern.as_str())).copied()
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
        super::gate::health::endpoints(),
        crate::people::page::endpoints(),
        crate::compliance::endpoints(),
        crate::definition::page::endpoints(),
        crate::engagement::page::endpoints(),
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
        crate::audit_log::page::endpoints(),
    ]
    .concat()
}

/// Whether a path of this portal has a page that an auditor in a room may see. A query and a fragment do not matter.
pub fn is_of_rooms(path: &str) -> bool {
    static PATHS: LazyLock<Vec<(Vec<&'static str>, bool)>> = LazyLock::new(|| {
        let pages = endpoints().into_iter().filter(|endpoint| endpoint.method == Method::GET);
        pages
            .map(|endpoint| {
                let open = matches!(endpoint.access, Access::Everybody | Access::SignedIn | Access::Rooms);
                (endpoint.path.split('/').collect(), open)
            })
            .collect()
    });
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let asked: Vec<&str> = path.split('/').collect();
    let fits = |parts: &[&str]| {
        parts.len() == asked.len()
            && parts.iter().zip(&asked).all(|(part, asked)| part.starts_with('{') || part == asked)
    };
    PATHS.iter().find(|(parts, _)| fits(parts)).is_some_and(|(_, open)| *open)
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
