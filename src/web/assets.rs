//! The style sheet and the icon, in the binary, at addresses that change with their bytes.

use std::sync::LazyLock;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpResponse, web};

use super::format::hex;
use super::routes::{Access, Endpoint};
use crate::error::Error;

struct Asset {
    name: String,
    media_type: &'static str,
    bytes: &'static [u8],
}

static CSS: LazyLock<Asset> =
    LazyLock::new(|| asset("app", "css", "text/css; charset=utf-8", include_bytes!("../../static/app.css")));
static ICON: LazyLock<Asset> =
    LazyLock::new(|| asset("icon", "svg", "image/svg+xml", include_bytes!("../../static/icon.svg")));

fn asset(stem: &str, ending: &str, media_type: &'static str, bytes: &'static [u8]) -> Asset {
    let hash = ring::digest::digest(&ring::digest::SHA256, bytes);
    Asset { name: format!("{stem}-{}.{ending}", hex(&hash.as_ref()[..8])), media_type, bytes }
}

pub(super) fn css_href() -> String {
    format!("/static/{}", CSS.name)
}

pub(super) fn icon_href() -> String {
    format!("/static/{}", ICON.name)
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/static/{name}", Access::Everybody, || web::get().to(show)),
        Endpoint::get("/favicon.ico", Access::Everybody, || web::get().to(favicon)),
    ]
}

async fn show(name: web::Path<String>) -> Result<HttpResponse, Error> {
    let asset = [&*CSS, &*ICON].into_iter().find(|asset| asset.name == *name).ok_or(Error::NotFound)?;
    Ok(answer(asset, "public, max-age=31536000, immutable"))
}

async fn favicon() -> HttpResponse {
    answer(&ICON, "public, max-age=3600")
}

fn answer(asset: &Asset, keep: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, asset.media_type))
        .insert_header((CACHE_CONTROL, keep))
        .body(asset.bytes)
}
