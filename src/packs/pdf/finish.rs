//! The file around the pages: fonts, page tree, links, bookmarks, attachments, what it says of itself.

use std::fmt::Write as _;

use lopdf::{Dictionary, Document, Object, ObjectId, Stream, StringFormat, dictionary};
use time::OffsetDateTime;

use super::draw::utf16;
use super::{Attachment, Information, PdfError, zlib};
use crate::packs::layout::Plan;
use crate::packs::layout::page::{HEIGHT, Page, WIDTH};

/// A PDF that grows page by page.
pub(super) struct File {
    document: Document,
    resources: ObjectId,
    tree: ObjectId,
    pages: Vec<ObjectId>,
    /// How many of `pages` are filled.
    filled: usize,
}

impl File {
    /// Takes the fonts of a document that printpdf made and reserves the pages.
    pub(super) fn begin(drawn: &Document, pages: usize) -> Result<Self, PdfError> {
        let first = drawn.get_pages().into_values().next().ok_or(PdfError::Font)?;
        let fonts =
            drawn.get_page_fonts(first)?.into_iter().map(|(name, font)| (name, font.clone())).collect::<Vec<_>>();
        let mut document = Document::with_version("1.7");
        let mut dictionary = Dictionary::new();
        for (name, font) in fonts {
            let mut object = Object::Dictionary(font);
            copy(drawn, &mut document, &mut object)?;
            dictionary.set(name, document.add_object(object));
        }
        let resources = document.add_object(dictionary! { "Font" => dictionary });
        let tree = document.new_object_id();
        let pages = (0..pages).map(|_| document.new_object_id()).collect();
        Ok(Self { document, resources, tree, pages, filled: 0 })
    }

    /// Adds the next page.
    pub(super) fn page(&mut self, page: &Page, stream: &[u8]) -> Result<(), PdfError> {
        let contents = Stream::new(dictionary! { "Filter" => "FlateDecode" }, zlib(stream));
        let contents = self.document.add_object(contents.with_compression(false));
        let mut dictionary = dictionary! {
            "Type" => "Page",
            "Parent" => self.tree,
            "MediaBox" => vec![0.into(), 0.into(), WIDTH.into(), HEIGHT.into()],
            "Resources" => self.resources,
            "Contents" => contents,
        };
        if !page.links.is_empty() {
            let links: Vec<Object> = page
                .links
                .iter()
                .filter_map(|link| {
                    let target = self.pages.get(link.page)?;
                    Some(Object::Dictionary(dictionary! {
                        "Type" => "Annot",
                        "Subtype" => "Link",
                        "Rect" => vec![link.x.into(), link.y.into(), (link.x + link.width).into(), (link.y + link.height).into()],
                        "Border" => vec![0.into(), 0.into(), 0.into()],
                        "F" => 4,
                        "Dest" => destination(*target, link.top),
                    }))
                })
                .collect();
            dictionary.set("Annots", links);
        }
        let id = self.pages.get(self.filled).ok_or(PdfError::Page)?;
        self.document.objects.insert(*id, Object::Dictionary(dictionary));
        self.filled += 1;
        Ok(())
    }

    /// Closes the file.
    pub(super) fn finish(
        mut self,
        plan: &Plan,
        information: &Information,
        attachments: Vec<Attachment>,
    ) -> Result<Vec<u8>, PdfError> {
        if self.filled != self.pages.len() {
            return Err(PdfError::Drawing(format!("{} pages of {}", self.filled, self.pages.len())));
        }
        let kids: Vec<Object> = self.pages.iter().map(|&id| id.into()).collect();
        let count = count(kids.len())?;
        let tree = dictionary! { "Type" => "Pages", "Count" => count, "Kids" => kids };
        self.document.objects.insert(self.tree, Object::Dictionary(tree));
        let outlines = self.outlines(plan)?;
        let files =
            attachments.into_iter().map(|file| self.attach(file, information.at)).collect::<Result<Vec<_>, _>>()?;
        let names: Vec<Object> = files
            .iter()
            .flat_map(|(name, id)| [Object::String(utf16(name), StringFormat::Hexadecimal), (*id).into()])
            .collect();
        let associated: Vec<Object> = files.iter().map(|(_, id)| (*id).into()).collect();
        let metadata = self.document.add_object(
            Stream::new(dictionary! { "Type" => "Metadata", "Subtype" => "XML" }, xmp(information).into_bytes())
                .with_compression(false),
        );
        let catalog = self.document.add_object(dictionary! {
            "Type" => "Catalog",
            "Pages" => self.tree,
            "Outlines" => outlines,
            "PageMode" => "UseOutlines",
            "Lang" => Object::string_literal("en-GB"),
            "ViewerPreferences" => dictionary! { "DisplayDocTitle" => true },
            "Metadata" => metadata,
            "Names" => dictionary! { "EmbeddedFiles" => dictionary! { "Names" => names } },
            "AF" => associated,
        });
        let at = pdf_date(information.at);
        let info = self.document.add_object(dictionary! {
            "Title" => string(&information.title),
            "Subject" => string(&information.subject),
            "Author" => string(&information.author),
            "Creator" => string("Auditfolio"),
            "Producer" => string(&information.producer),
            "CreationDate" => Object::string_literal(at.clone()),
            "ModDate" => Object::string_literal(at),
        });
        let id = ring::digest::digest(&ring::digest::SHA256, information.id.as_bytes());
        let id = Object::String(id.as_ref().iter().take(16).copied().collect(), StringFormat::Hexadecimal);
        self.document.trailer.set("Root", catalog);
        self.document.trailer.set("Info", info);
        self.document.trailer.set("ID", vec![id.clone(), id]);
        let mut bytes = Vec::new();
        self.document.save_to(&mut bytes)?;
        Ok(bytes)
    }

    fn outlines(&mut self, plan: &Plan) -> Result<ObjectId, PdfError> {
        let root = self.document.new_object_id();
        let ids: Vec<ObjectId> = plan.marks.iter().map(|_| self.document.new_object_id()).collect();
        for (at, (mark, id)) in plan.marks.iter().zip(&ids).enumerate() {
            let target = self.pages.get(mark.page).ok_or(PdfError::Page)?;
            let mut entry = dictionary! { "Title" => string(&mark.title), "Parent" => root, "Dest" => destination(*target, mark.top) };
            if let Some(&before) = at.checked_sub(1).and_then(|before| ids.get(before)) {
                entry.set("Prev", before);
            }
            if let Some(&next) = ids.get(at + 1) {
                entry.set("Next", next);
            }
            self.document.objects.insert(*id, Object::Dictionary(entry));
        }
        let mut outlines = dictionary! { "Type" => "Outlines", "Count" => count(ids.len())? };
        if let (Some(&first), Some(&last)) = (ids.first(), ids.last()) {
            outlines.set("First", first);
            outlines.set("Last", last);
        }
        self.document.objects.insert(root, Object::Dictionary(outlines));
        Ok(root)
    }

    fn attach(&mut self, file: Attachment, at: OffsetDateTime) -> Result<(String, ObjectId), PdfError> {
        let size = i64::try_from(file.bytes)?;
        let stream = Stream::new(
            dictionary! {
                "Type" => "EmbeddedFile",
                "Subtype" => Object::Name(file.media_type.into()),
                "Filter" => "FlateDecode",
                "Params" => dictionary! { "Size" => size, "ModDate" => Object::string_literal(pdf_date(at)) },
            },
            file.zlib,
        );
        let stream = self.document.add_object(stream.with_compression(false));
        let id = self.document.add_object(dictionary! {
            "Type" => "Filespec",
            "F" => Object::string_literal(file.name.as_str()),
            "UF" => string(&file.name),
            "Desc" => string(&file.description),
            "AFRelationship" => "Data",
            "EF" => dictionary! { "F" => stream, "UF" => stream },
        });
        Ok((file.name, id))
    }
}

fn count(number: usize) -> Result<i64, PdfError> {
    Ok(i64::try_from(number)?)
}

fn destination(page: ObjectId, top: f32) -> Object {
    vec![page.into(), "XYZ".into(), Object::Null, (top + 6.0).round().into(), Object::Null].into()
}

/// Copies what `object` refers to into another document, and the references with it.
fn copy(from: &Document, to: &mut Document, object: &mut Object) -> Result<(), PdfError> {
    match object {
        Object::Reference(id) => {
            let mut target = from.get_object(*id)?.clone();
            copy(from, to, &mut target)?;
            *id = to.add_object(target);
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
        Object::Stream(stream) => {
            stream.content = zlib(&stream.content);
            stream.dict.set("Filter", "FlateDecode");
            stream.dict.set("Length", count(stream.content.len())?);
            stream.allows_compression = false;
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
