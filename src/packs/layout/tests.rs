//! What layout promises, on whole documents.

use super::page::{Item, Page};
use super::table::{Table, number, text};
use super::*;
use proptest::prelude::*;

fn all_pages(document: &Document) -> Vec<Page> {
    let mut all = Vec::new();
    let plan = set(document, |at, page| all.push((at, page)));
    all.sort_by_key(|(at, _)| *at);
    assert!(all.iter().map(|(at, _)| *at).eq(0..plan.pages), "each page comes once");
    assert_eq!(all.iter().map(|(_, page)| page.rows).sum::<usize>(), document.rows());
    all.into_iter()
        .map(|(at, mut page)| {
            for item in folio(at, &plan).items {
                let Item::Text { text, x, y, size, weight, ink, original } = item else { panic!("a folio is text") };
                let text = page.keep(folio(at, &plan).text(&text));
                page.items.push(Item::Text { text, x, y, size, weight, ink, original });
            }
            page
        })
        .collect()
}

fn texts(page: &Page) -> Vec<&str> {
    page.items
        .iter()
        .filter_map(|item| if let Item::Text { text, .. } = item { Some(page.text(text)) } else { None })
        .collect()
}

fn document(blocks: Vec<Block>) -> Document {
    Document { blocks, foot: "foot".to_owned(), below: String::new(), mark: None }
}

fn register(rows: usize) -> Table {
    let mut table = Table::new(vec![text("Account", 1.0), text("Resource", 2.0), number("Days", 0.5)]);
    for row in 0..rows {
        table.push([format!("{row:012}"), format!("arn:aws:s3:::bucket-number-{row}"), row.to_string()]);
    }
    table
}

#[test]
fn header_rows_repeat_and_pages_are_numbered() {
    let table = register(300);
    let pages = all_pages(&document(vec![Block::Table { caption: "Register".to_owned(), table: &table }]));
    assert!(pages.len() > 3);
    for (at, page) in pages.iter().enumerate() {
        let texts = texts(page);
        assert!(texts.contains(&"Account"), "page {at} has no header row");
        assert!(texts.contains(&format!("page {} of {}", at + 1, pages.len()).as_str()));
    }
}

#[test]
fn a_group_is_named_above_its_first_row_and_again_on_each_page_that_it_reaches() {
    let mut table = Table::new(vec![text("Account", 1.0)]);
    for (group, rows) in [("HIGH one", 90), ("LOW two", 10)] {
        table.group(group);
        for row in 0..rows {
            table.push([format!("{group} {row}")]);
        }
    }
    let pages = all_pages(&document(vec![Block::Table { caption: String::new(), table: &table }]));
    assert!(pages.len() > 1);
    for page in &pages {
        let texts = texts(page);
        let first_row = texts.iter().position(|text| text.starts_with("HIGH one ") || text.starts_with("LOW two "));
        let group = texts.iter().position(|text| ["HIGH one", "LOW two"].contains(text));
        assert!(group.is_some() && group < first_row, "{texts:?}");
    }
    let named = |name: &str| pages.iter().flat_map(texts).filter(|text| *text == name).count();
    assert_eq!((named("HIGH one"), named("LOW two")), (pages.len(), 1));
}

#[test]
fn every_row_is_on_exactly_one_page() {
    let table = register(500);
    let pages = all_pages(&document(vec![Block::Table { caption: String::new(), table: &table }]));
    for row in 0..500 {
        let id = format!("{row:012}");
        let found = pages.iter().flat_map(texts).filter(|&text| text == id).count();
        assert_eq!(found, 1, "{id}");
    }
}

#[test]
fn contents_lead_to_the_headings() {
    let table = register(200);
    let heading = |text: &str| Block::Heading { text: text.to_owned(), new_page: true };
    let blocks = vec![
        Block::Title("Title".to_owned()),
        heading("Contents"),
        Block::Contents,
        heading("Register"),
        Block::Table { caption: String::new(), table: &table },
        heading("End"),
        Block::Paragraph("The end.".to_owned()),
    ];
    let pages = all_pages(&document(blocks));
    let contents = &pages[1];
    assert_eq!(contents.links.len(), 2, "the contents do not list themselves");
    for (link, heading) in contents.links.iter().zip(["Register", "End"]) {
        assert!(texts(&pages[link.page]).contains(&heading));
    }
}

#[test]
fn a_row_taller_than_a_page_goes_on_over_several() {
    let mut table = Table::new(vec![text("Id", 1.0), text("Text", 0.2)]);
    let long = "x".repeat(9_000);
    table.push(["first", &long]);
    let pages = all_pages(&document(vec![Block::Table { caption: String::new(), table: &table }]));
    assert!(pages.len() > 1);
    let drawn: usize =
        pages.iter().flat_map(texts).filter(|text| text.bytes().all(|byte| byte == b'x')).map(str::len).sum();
    assert_eq!(drawn, 9_000);
}

#[test]
fn nothing_stands_outside_the_margins() {
    let table = register(120);
    let pages = all_pages(&document(vec![
        Block::Title("A title that is long enough to need more than a single line of the page".to_owned()),
        Block::Facts(vec![("Name".to_owned(), "value ".repeat(60))]),
        Block::List(vec!["entry ".repeat(40)]),
        Block::Table { caption: "c".to_owned(), table: &table },
    ]));
    let items = pages.iter().flat_map(|page| page.items.iter().map(move |item| (page, item)));
    for (page, item) in items {
        if let Item::Text { x, y, text, weight, size, .. } = item {
            let text = page.text(text);
            let right = x + font::metrics(*weight).width(text, size.points());
            assert!(
                *x >= 53.9 && right <= super::page::WIDTH - 53.9 && *y > 35.0 && *y < super::page::HEIGHT - 40.0,
                "{text} at {x} {y}"
            );
        }
    }
}

#[test]
fn the_mark_and_what_stands_below_the_foot_are_on_every_page_and_on_the_paper() {
    let table = register(120);
    let blocks = vec![Block::Contents, Block::Table { caption: "c".to_owned(), table: &table }];
    for (below, cut) in [("Confidential".to_owned(), false), ("機密".repeat(30), true)] {
        let marked = Document { below: below.clone(), mark: Some("DRAFT".to_owned()), ..document(blocks.clone()) };
        let pages = all_pages(&marked);
        assert!(pages.len() > 2);
        for page in &pages {
            let texts = texts(page);
            assert!(texts.contains(&"DRAFT") && texts.contains(&"…") == cut, "{texts:?}");
            let copied = page.items.iter().any(|item| match item {
                Item::Text { text, original, .. } => {
                    page.text(text) == below || original.as_ref().is_some_and(|whole| page.text(whole) == below)
                }
                _ => false,
            });
            assert!(copied, "it is copied out as it was given");
            for item in &page.items {
                if let Item::Text { x, y, text, weight, size, .. } = item {
                    let right = x + font::metrics(*weight).width(page.text(text), size.points());
                    let inside = *x >= 53.9 && right <= super::page::WIDTH - 53.9;
                    assert!(inside && *y > 10.0 && *y < super::page::HEIGHT - 30.0, "{} at {x} {y}", page.text(text));
                }
            }
        }
    }
}

#[test]
fn what_is_copied_out_of_a_wrapped_cell_is_the_original() {
    let mut table = Table::new(vec![text("Id", 1.0), text("Rest", 6.0)]);
    let id = "arn:aws:iam::111122223333:role/\u{202e}gnirts";
    table.push([id, "rest"]);
    let pages = all_pages(&document(vec![Block::Table { caption: String::new(), table: &table }]));
    let originals: Vec<&str> = pages[0]
        .items
        .iter()
        .filter_map(|item| {
            if let Item::Text { original: Some(original), .. } = item { Some(pages[0].text(original)) } else { None }
        })
        .collect();
    assert_eq!(originals.concat(), id);
    assert!(originals.len() > 1, "the id wraps");
}

proptest! {
    #[test]
    fn no_cell_text_is_lost(cells in proptest::collection::vec("\\PC{0,60}|[a-z:/-]{0,120}|.{0,20}", 1..12)) {
        let mut table = Table::new(vec![text("a", 1.0), text("b", 1.0)]);
        for cell in &cells {
            table.push([cell.as_str(), "|"]);
        }
        let pages = all_pages(&document(vec![Block::Table { caption: String::new(), table: &table }]));
        // Spaces at which a line breaks are not drawn: compare without them.
        let drawn: String = pages
            .iter()
            .flat_map(|page| page.items.iter().map(move |item| (page, item)))
            .filter_map(|(page, item)| match item {
                Item::Text { x, text, size: page::Size::Small, weight: font::Weight::Regular, .. } if *x < 200.0 => Some(page.text(text)),
                _ => None,
            })
            .filter(|text| *text != "foot")
            .collect();
        let wanted: String = cells.iter().map(|cell| text::shown(cell)).collect();
        let strip = |text: &str| text.replace(' ', "");
        prop_assert_eq!(strip(&drawn), strip(&wanted));
    }
}
