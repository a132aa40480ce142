//! A pack's bookmarks and its linked contents, as another PDF reader finds them: each leads to where its section begins.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::packs::{downloaded, have, pack, request, store, tool};

const SECTIONS: [&str; 9] = [
    "Contents",
    "What this is and what it is not",
    "Scope",
    "Count ladder and delivery",
    "Results by severity",
    "Deviations",
    "Register",
    "Provenance",
    "How to check this pack",
];
/// A4's width in points.
const WIDTH: f64 = 595.0;
/// A4's height in points.
const HEIGHT: f64 = 842.0;

/// Where a bookmark or link leads: a page, from 1, and the height on it.
type Place = (usize, f64);

fn json(folder: &Path, arguments: &str) -> Value {
    serde_json::from_str(&tool(folder, &format!("qpdf --json=2 {arguments} pack.pdf"))).unwrap()
}

/// The words in a box of a page; its corner is the upper left one.
fn words(folder: &Path, page: usize, (x, y, width, height): (f64, f64, f64, f64)) -> String {
    let text = tool(
        folder,
        &format!(
            "pdftotext -r 72 -f {page} -l {page} -x {x:.0} -y {y:.0} -W {width:.0} -H {height:.0} -layout pack.pdf -"
        ),
    );
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The words that stand at a place: those of one line of a section's head.
fn head(folder: &Path, (page, top): Place) -> String {
    words(folder, page, (0.0, HEIGHT - top, WIDTH, 30.0))
}

/// Reads `[page, /XYZ, null, top, null]`.
fn place(destination: &Value, pages: &BTreeMap<String, usize>) -> Place {
    assert_eq!(destination[1], "/XYZ", "{destination}");
    (pages[destination[0].as_str().unwrap()], destination[3].as_f64().unwrap())
}

#[actix_web::test]
async fn bookmarks_and_contents_lead_to_the_head_of_each_section() {
    if !(have("qpdf") && have("pdftotext")) {
        return;
    }
    let db = store().await;
    let id = pack(&db, &request()).await;
    let folder = downloaded(&db, &id, "pack-outline").await;
    std::fs::rename(folder.join(format!("{id}.pdf")), folder.join("pack.pdf")).unwrap();

    let pages = json(&folder, "--json-key=pages");
    let objects: Vec<&str> =
        pages["pages"].as_array().unwrap().iter().map(|page| page["object"].as_str().unwrap()).collect();
    let pages: BTreeMap<String, usize> =
        objects.iter().zip(1..).map(|(object, page)| ((*object).to_owned(), page)).collect();

    let outlines = json(&folder, "--json-key=outlines");
    let bookmarks: Vec<(String, Place)> = outlines["outlines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let place = place(&entry["dest"], &pages);
            assert_eq!(entry["destpageposfrom1"], place.0, "{entry}");
            (entry["title"].as_str().unwrap().to_owned(), place)
        })
        .collect();
    assert_eq!(bookmarks.iter().map(|(title, _)| title.as_str()).collect::<Vec<_>>(), SECTIONS);
    for (title, place) in &bookmarks {
        assert_eq!(head(&folder, *place), *title, "at {place:?}");
    }

    // The contents name every section after them.
    let contents = bookmarks[0].1.0;
    let file = json(&folder, "--json-key=qpdf");
    let annotations = &file["qpdf"][1][format!("obj:{}", objects[contents - 1])]["value"]["/Annots"];
    let links: Vec<(String, Place)> = annotations
        .as_array()
        .unwrap()
        .iter()
        .map(|link| {
            assert_eq!(link["/Subtype"], "/Link", "{link}");
            let corners: Vec<f64> = link["/Rect"].as_array().unwrap().iter().map(|n| n.as_f64().unwrap()).collect();
            let [left, bottom, right, top] = corners[..] else { panic!("{link}") };
            let line = words(&folder, contents, (left, HEIGHT - top, right - left, top - bottom));
            (line, place(&link["/Dest"], &pages))
        })
        .collect();
    // Each line says the page that its link leads to.
    let expected: Vec<(String, Place)> =
        bookmarks[1..].iter().map(|(title, place)| (format!("{title} {}", place.0), *place)).collect();
    assert_eq!(links, expected);
}
