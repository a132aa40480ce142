//! PDF syntax (ISO 32000-1, 7): objects to bytes, each written once and not kept.

use lopdf::{Dictionary, Object, ObjectId, StringFormat};

use super::PdfError;

/// Appends a byte of a literal string.
pub(super) fn escaped(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'(' | b')' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
        // A reader may take any line end for a line feed.
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\n' => out.extend_from_slice(b"\\n"),
        _ => out.push(byte),
    }
}

/// Appends a literal string.
pub(super) fn literal(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'(');
    for byte in bytes {
        escaped(out, *byte);
    }
    out.push(b')');
}

/// Appends a hexadecimal string.
pub(super) fn hexadecimal(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'<');
    for byte in bytes {
        out.extend_from_slice(&digits(*byte));
    }
    out.push(b'>');
}

fn digits(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    [byte >> 4, byte & 15].map(|half| DIGITS.get(usize::from(half)).copied().unwrap_or(b'0'))
}

/// A PDF text string in UTF-16 with its mark.
pub(super) fn utf16(text: &str) -> Vec<u8> {
    [0xfe, 0xff].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect()
}

fn name(out: &mut Vec<u8>, name: &[u8]) {
    out.push(b'/');
    for byte in name {
        if byte.is_ascii_graphic() && !b"()<>[]{}/%#".contains(byte) {
            out.push(*byte);
        } else {
            out.push(b'#');
            out.extend_from_slice(&digits(*byte));
        }
    }
}

fn dictionary(out: &mut Vec<u8>, entries: &Dictionary) {
    out.extend_from_slice(b"<<");
    for (key, value) in entries {
        name(out, key);
        out.push(b' ');
        object(out, value);
    }
    out.extend_from_slice(b">>");
}

fn object(out: &mut Vec<u8>, object: &Object) {
    let text = |out: &mut Vec<u8>, text: String| out.extend_from_slice(text.as_bytes());
    match object {
        Object::Null => out.extend_from_slice(b"null"),
        Object::Boolean(value) => text(out, value.to_string()),
        Object::Integer(value) => text(out, value.to_string()),
        Object::Real(value) => text(out, value.to_string()),
        Object::Name(bytes) => name(out, bytes),
        Object::String(bytes, StringFormat::Literal) => literal(out, bytes),
        Object::String(bytes, StringFormat::Hexadecimal) => hexadecimal(out, bytes),
        Object::Array(entries) => {
            out.push(b'[');
            for (at, entry) in entries.iter().enumerate() {
                if at > 0 {
                    out.push(b' ');
                }
                self::object(out, entry);
            }
            out.push(b']');
        }
        Object::Dictionary(entries) => dictionary(out, entries),
        Object::Stream(stream) => {
            dictionary(out, &stream.dict);
            out.extend_from_slice(b"stream\n");
            out.extend_from_slice(&stream.content);
            out.extend_from_slice(b"\nendstream");
        }
        Object::Reference((number, generation)) => text(out, format!("{number} {generation} R")),
    }
}

/// A file that grows object by object.
pub(super) struct Writer {
    bytes: Vec<u8>,
    /// Where each object begins, by its number from 1 on; `None` while it is only reserved.
    offsets: Vec<Option<usize>>,
}

impl Writer {
    pub(super) fn new() -> Self {
        // The second line says that the file is not text.
        Self { bytes: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec(), offsets: Vec::new() }
    }

    /// The id of an object to come.
    pub(super) fn reserve(&mut self) -> Result<ObjectId, PdfError> {
        self.offsets.push(None);
        Ok((u32::try_from(self.offsets.len())?, 0))
    }

    /// Writes an object that was reserved.
    pub(super) fn put(&mut self, id: ObjectId, object: &Object) -> Result<(), PdfError> {
        self.begin(id)?;
        self::object(&mut self.bytes, object);
        self.bytes.extend_from_slice(b"\nendobj\n");
        Ok(())
    }

    /// Writes a new object.
    pub(super) fn add(&mut self, object: &Object) -> Result<ObjectId, PdfError> {
        let id = self.reserve()?;
        self.put(id, object)?;
        Ok(id)
    }

    /// Writes a new content stream; `entries` are those of its dictionary beside the length, e.g. its filter.
    pub(super) fn stream(&mut self, entries: &str, content: &[u8]) -> Result<ObjectId, PdfError> {
        let id = self.reserve()?;
        self.begin(id)?;
        let head = format!("<</Length {}{entries}>>stream\n", content.len());
        self.bytes.extend_from_slice(head.as_bytes());
        self.bytes.extend_from_slice(content);
        self.bytes.extend_from_slice(b"\nendstream\nendobj\n");
        Ok(id)
    }

    fn begin(&mut self, (number, generation): ObjectId) -> Result<(), PdfError> {
        let at = self.bytes.len();
        let index = usize::try_from(number)?.checked_sub(1);
        let slot = index.and_then(|index| self.offsets.get_mut(index)).ok_or(PdfError::Object(number))?;
        if slot.replace(at).is_some() {
            return Err(PdfError::Object(number));
        }
        self.bytes.extend_from_slice(format!("{number} {generation} obj\n").as_bytes());
        Ok(())
    }

    /// Writes where the objects are, and the trailer.
    pub(super) fn finish(mut self, mut trailer: Dictionary) -> Result<Vec<u8>, PdfError> {
        let start = self.bytes.len();
        let size = self.offsets.len() + 1;
        self.bytes.reserve(20 * size + 1024);
        self.bytes.extend_from_slice(format!("xref\n0 {size}\n0000000000 65535 f \n").as_bytes());
        for (offset, number) in self.offsets.iter().zip(1..) {
            let offset = offset.ok_or(PdfError::Object(number))?;
            self.bytes.extend_from_slice(format!("{offset:010} 00000 n \n").as_bytes());
        }
        trailer.set("Size", i64::try_from(size)?);
        self.bytes.extend_from_slice(b"trailer\n");
        dictionary(&mut self.bytes, &trailer);
        self.bytes.extend_from_slice(format!("\nstartxref\n{start}\n%%EOF\n").as_bytes());
        Ok(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use lopdf::dictionary;

    use super::*;

    #[test]
    fn objects_come_back_as_they_were_written() {
        let mut writer = Writer::new();
        let later = writer.reserve().expect("a number");
        let written = dictionary! {
            "Real" => 841.89,
            "Text" => Object::string_literal("a (b) \\ \r\n c"),
            "Bytes" => Object::String(vec![0, 0xfe, 0x0d], StringFormat::Hexadecimal),
            "Na me#/" => vec![Object::Null, true.into(), Object::Integer(-5), later.into()],
        };
        let id = writer.add(&Object::Dictionary(written.clone())).expect("written");
        writer.put(later, &Object::Integer(7)).expect("reserved");
        let catalog = writer.add(&Object::Dictionary(dictionary! { "Type" => "Catalog" })).expect("written");
        let bytes = writer.finish(dictionary! { "Root" => catalog }).expect("whole");
        let read = lopdf::Document::load_mem(&bytes).expect("a PDF");
        assert_eq!(read.get_dictionary(id).expect("it is there"), &written);
        assert_eq!(read.get_object(later).expect("it is there").as_i64().expect("a number"), 7);
    }

    #[test]
    fn an_object_that_was_reserved_and_never_written_is_an_error() {
        let mut writer = Writer::new();
        let id = writer.reserve().expect("a number");
        writer.put(id, &Object::Null).expect("reserved");
        assert!(writer.put(id, &Object::Null).is_err(), "written twice");
        writer.reserve().expect("a number");
        assert!(writer.finish(Dictionary::new()).is_err());
    }
}
