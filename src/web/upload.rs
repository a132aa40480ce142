//! Forms with a file: read up to their limits, and nothing of a file that is too large is kept.

use actix_multipart::{Field, Multipart, MultipartError};
use futures_util::TryStreamExt as _;

use super::LARGEST_UPLOAD_BYTES;
use crate::error::Error;

/// The largest of the fields that are no file.
const FIELD_BYTES: usize = 64 << 10;

/// What a form with a file says.
#[derive(Debug, Default)]
pub struct Sent {
    /// Names and values in the order in which they came.
    pub fields: Vec<(String, String)>,
    /// What the sender calls the file, and its bytes; `None` where none was chosen.
    pub file: Option<(String, Vec<u8>)>,
}

/// Reads a form whose file is the field of a name.
///
/// # Errors
///
/// The form breaks off, or something of it is too large.
pub async fn read(mut parts: Multipart, file_field: &str) -> Result<Sent, Error> {
    let mut sent = Sent::default();
    let broken = |error: MultipartError| Error::Invalid(format!("The form broke off: {error}."));
    while let Some(mut field) = parts.try_next().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == file_field {
            let called =
                field.content_disposition().and_then(|told| told.get_filename()).unwrap_or_default().to_owned();
            let read = bytes(&mut field, LARGEST_UPLOAD_BYTES).await.map_err(broken)?;
            let read = read.ok_or_else(|| Error::TooLarge("The document may have 32 MB at most.".to_owned()))?;
            sent.file = Some((called, read)).filter(|(_, read)| !read.is_empty());
            continue;
        }
        let value = bytes(&mut field, FIELD_BYTES).await.map_err(broken)?;
        let value = value.ok_or_else(|| Error::TooLarge("A field of the form is too long.".to_owned()))?;
        sent.fields.push((name, String::from_utf8_lossy(&value).into_owned()));
    }
    Ok(sent)
}

/// A field's bytes; `None` as soon as there are more than `most`.
async fn bytes(field: &mut Field, most: usize) -> Result<Option<Vec<u8>>, MultipartError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.try_next().await? {
        if bytes.len() + chunk.len() > most {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Some(bytes))
}
