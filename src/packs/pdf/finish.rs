//! The file around the pages: fonts, page tree, links, bookmarks, attachments, what it says of itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use libdeflater::Compressor;
use lopdf::{Dictionary, Document, Object, ObjectId, Stream, StringFormat, dictionary};
use time::OffsetDateTime;

use super::write::{Writer, utf16};
use super::{Attachment, Information, PdfError, compressor, zlib, zlib_by};
use crate::packs::layout::Plan;
use crate::packs::layout::page::{HEIGHT, Link, WIDTH};

/// A page whose content is written and whose place in the file is not.
struct Leaf {
    at: usize,
    content: ObjectId,
    links: Vec<Link>,
}

/// A PDF that grows page by page.
pub(super) struct File {
    writer: Writer,
    compressor: Compressor,
    leaves: Vec<Leaf>,
}

impl File {
    pub(super) fn begin() -> Self {
        Self { writer: Writer::new(), compressor: compressor(), leaves: Vec::new() }
    }

    /// Adds the page of index `at`, in any order.
    pub(super) fn page(&mut self, at: usize, stream: &[u8], links: Vec<Link>) -> Result<(), PdfError> {
        let packed = zlib_by(&mut self.compressor, stream);
        let content = self.writer.stream("/Filter/FlateDecode", &packed)?;
        self.leaves.push(Leaf { at, content, links });
        Ok(())
    }

    /// Closes the file. `folios` are laid over the pages, in order; `fonts` is a document with what they are drawn with.
    pub(super) fn finish(
        mut self,
        plan: &Plan,
        folios: &[Vec<u8>],
        fonts: &Document,
        information: &Information,
        attachments: Vec<Attachment>,
    ) -> Result<Vec<u8>, PdfError> {
        self.leaves.sort_by_key(|leaf| leaf.at);
        if !self.leaves.iter().map(|leaf| leaf.at).eq(0..plan.pages) || folios.len() != plan.pages {
            return Err(PdfError::Drawing(format!("{} pages of {}", self.leaves.len(), plan.pages)));
        }
        let pages = self.pages(folios, fonts)?;
        let tree = *pages.first().ok_or(PdfError::Page)?;
        let pages = pages.get(1..).unwrap_or_default();
        let outlines = self.outlines(plan, pages)?;
        let files =
            attachments.into_iter().map(|file| self.attach(file, information.at)).collect::<Result<Vec<_>, _>>()?;
        // Readers search a name tree by halves: its keys stand in order (ISO 32000-1, 7.9.6).
        let by_name: BTreeMap<Vec<u8>, ObjectId> = files.iter().map(|(name, id)| (utf16(name), *id)).collect();
        let names: Vec<Object> = by_name
            .into_iter()
            .flat_map(|(name, id)| [Object::String(name, StringFormat::Hexadecimal), id.into()])
            .collect();
        let associated: Vec<Object> = files.iter().map(|(_, id)| (*id).into()).collect();
        let metadata = self.writer.stream("/Type/Metadata/Subtype/XML", xmp(information).as_bytes())?;
        let catalog = self.writer.add(&Object::Dictionary(dictionary! {
            "Type" => "Catalog",
            "Pages" => tree,
            "Outlines" => outlines,
            "PageMode" => "UseOutlines",
            "Lang" => Object::string_literal("en-GB"),
            "ViewerPreferences" => dictionary! { "DisplayDocTitle" => true },
            "Metadata" => metadata,
            "Names" => dictionary! { "EmbeddedFiles" => dictionary! { "Names" => names } },
            "AF" => associated,
        }))?;
        let at = pdf_date(information.at);
        let info = self.writer.add(&Object::Dictionary(dictionary! {
            "Title" => string(&information.title),
            "Subject" => string(&information.subject),
            "Author" => string(&information.author),
            "Creator" => string("Auditfolio"),
            "Producer" => string(&information.producer),
            "CreationDate" => Object::string_literal(at.clone()),
            "ModDate" => Object::string_literal(at),
        }))?;
        let id = ring::digest::digest(&ring::digest::SHA256, information.id.as_bytes());
        let id = Object::String(id.as_ref().iter().take(16).copied().collect(), StringFormat::Hexadecimal);
        self.writer.finish(dictionary! { "Root" => catalog, "Info" => info, "ID" => vec![id.clone(), id] })
    }

    /// Writes fonts, page tree and pages; gives the ids of the tree and of each page.
    fn pages(&mut self, folios: &[Vec<u8>], fonts: &Document) -> Result<Vec<ObjectId>, PdfError> {
        let resources = self.fonts(fonts)?;
        let tree = self.writer.reserve()?;
        let pages = self.leaves.iter().map(|_| self.writer.reserve()).collect::<Result<Vec<_>, _>>()?;
        let kids: Vec<Object> = pages.iter().map(|&id| id.into()).collect();
        let count = count(kids.len())?;
        self.writer
            .put(tree, &Object::Dictionary(dictionary! { "Type" => "Pages", "Count" => count, "Kids" => kids }))?;
        for ((leaf, folio), id) in std::mem::take(&mut self.leaves).into_iter().zip(folios).zip(&pages) {
            let folio = self.writer.stream("", folio)?;
            let mut page = dictionary! {
                "Type" => "Page",
                "Parent" => tree,
                "MediaBox" => vec![0.into(), 0.into(), WIDTH.into(), HEIGHT.into()],
                "Resources" => resources,
                "Contents" => vec![leaf.content.into(), folio.into()],
            };
            if !leaf.links.is_empty() {
                page.set("Annots", leaf.links.iter().filter_map(|link| annotation(link, &pages)).collect::<Vec<_>>());
            }
            self.writer.put(*id, &Object::Dictionary(page))?;
        }
        Ok(std::iter::once(tree).chain(pages).collect())
    }

    fn fonts(&mut self, drawn: &Document) -> Result<ObjectId, PdfError> {
        let first = drawn.get_pages().into_values().next().ok_or(PdfError::Font)?;
        let fonts: Vec<_> = drawn.get_page_fonts(first)?.into_iter().map(|(name, font)| (name, font.clone())).collect();
        let mut by_name = Dictionary::new();
        for (name, font) in fonts {
            let mut font = Object::Dictionary(font);
            copy(drawn, &mut self.writer, &mut font)?;
            by_name.set(name, self.writer.add(&font)?);
        }
        self.writer.add(&Object::Dictionary(dictionary! { "Font" => by_name }))
    }

    fn outlines(&mut self, plan: &Plan, pages: &[ObjectId]) -> Result<ObjectId, PdfError> {
        let root = self.writer.reserve()?;
        let ids = plan.marks.iter().map(|_| self.writer.reserve()).collect::<Result<Vec<_>, _>>()?;
        for (at, (mark, id)) in plan.marks.iter().zip(&ids).enumerate() {
            let target = pages.get(mark.page).ok_or(PdfError::Page)?;
            let mut entry = dictionary! { "Title" => string(&mark.title), "Parent" => root, "Dest" => destination(*target, mark.top) };
            if let Some(&before) = at.checked_sub(1).and_then(|before| ids.get(before)) {
                entry.set("Prev", before);
            }
            if let Some(&next) = ids.get(at + 1) {
                entry.set("Next", next);
            }
            self.writer.put(*id, &Object::Dictionary(entry))?;
        }
        let mut outlines = dictionary! { "Type" => "Outlines", "Count" => count(ids.len())? };
        if let (Some(&first), Some(&last)) = (ids.first(), ids.last()) {
            outlines.set("First", first);
            outlines.set("Last", last);
        }
        self.writer.put(root, &Object::Dictionary(outlines))?;
        Ok(root)
    }

    fn attach(&mut self, file: Attachment, at: OffsetDateTime) -> Result<(String, ObjectId), PdfError> {
        let at = pdf_date(at);
        let entries = format!(
            "/Type/EmbeddedFile/Subtype/{}/Filter/FlateDecode/Params<</Size {}/ModDate({at})>>",
            file.media_type.replace('/', "#2F"),
            file.bytes
        );
        let stream = self.writer.stream(&entries, &file.zlib)?;
        let id = self.writer.add(&Object::Dictionary(dictionary! {
            "Type" => "Filespec",
            "F" => Object::string_literal(file.name.as_str()),
            "UF" => string(&file.name),
            "Desc" => string(&file.description),
            "AFRelationship" => "Data",
            "EF" => dictionary! { "F" => stream, "UF" => stream },
        }))?;
        Ok((file.name, id))
    }
}

fn count(number: usize) -> Result<i64, PdfError> {
    Ok(i64::try_from(number)?)
}

fn destination(page: ObjectId, top: f32) -> Object {
    vec![page.into(), "XYZ".into(), Object::Null, (top + 6.0).round().into(), Object::Null].into()
}

fn annotation(link: &Link, pages: &[ObjectId]) -> Option<Object> {
    let target = pages.get(link.page)?;
    let corners = [link.x, link.y, link.x + link.width, link.y + link.height];
    Some(Object::Dictionary(dictionary! {
        "Type" => "Annot",
        "Subtype" => "Link",
        "Rect" => corners.map(Object::from).to_vec(),
        "Border" => vec![0.into(), 0.into(), 0.into()],
        "F" => 4,
        "Dest" => destination(*target, link.top),
    }))
}

/// Writes what `object` refers to and makes it refer to that.
fn copy(from: &Document, to: &mut Writer, object: &mut Object) -> Result<(), PdfError> {
    match object {
        Object::Reference(id) => {
            let mut target = from.get_object(*id)?.clone();
            copy(from, to, &mut target)?;
            *id = to.add(&target)?;
        }
        Object::Array(entries) => {
            for entry in entries {
                copy(from, to, entry)?;
            }
        }
        Object::Dictionary(dictionary) => {
            for (_, entry) in dictionary.iter_mut() {
                copy(from, to, entry)?;
            }
        }
        Object::Stream(Stream { dict, content, .. }) => {
            *content = zlib(content);
            dict.set("Filter", "FlateDecode");
            dict.set("Length", count(content.len())?);
        }
        _ => {}
    }
    Ok(())
}

fn string(text: &str) -> Object {
    if text.is_ascii() && !text.bytes().any(|byte| byte < 0x20) {
        Object::string_literal(text)
    } else {
        Object::String(utf16(text), StringFormat::Hexadecimal)
    }
}

/// `D:YYYYMMDDHHMMSSZ` (ISO 32000-1, 7.9.4).
fn pdf_date(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    format!(
        "D:{:04}{:02}{:02}{:02}{:02}{:02}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// The same as the information dictionary, as XMP.
fn xmp(information: &Information) -> String {
    let at = information.at.to_offset(time::UtcOffset::UTC);
    let at = format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    );
    let [title, subject, author, producer, id] =
        [&information.title, &information.subject, &information.author, &information.producer, &information.id]
            .map(|text| escaped(text));
    format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
         <rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
         xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" xmlns:pdf=\"http://ns.adobe.com/pdf/1.3/\">\n\
         <dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">{title}</rdf:li></rdf:Alt></dc:title>\n\
         <dc:description><rdf:Alt><rdf:li xml:lang=\"x-default\">{subject}</rdf:li></rdf:Alt></dc:description>\n\
         <dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>\n\
         <dc:identifier>{id}</dc:identifier>\n\
         <xmp:CreatorTool>Auditfolio</xmp:CreatorTool><xmp:CreateDate>{at}</xmp:CreateDate><xmp:ModifyDate>{at}</xmp:ModifyDate>\n\
         <pdf:Producer>{producer}</pdf:Producer>\n\
         </rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end=\"r\"?>\n"
    )
}

/// Text for XML; characters that XML cannot hold are shown as code points.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                write!(out, "&lt;U+{:04X}&gt;", u32::from(character)).expect("a String takes any text");
            }
            other => out.push(other),
        }
    }
    out
}
