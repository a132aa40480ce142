//! Escapes in JSON strings.

use super::json::Fault;

/// Decodes the inside of a string whose escapes have been checked.
pub(super) fn unescape(inside: &[u8], at: usize) -> Result<Vec<u8>, Fault> {
    let mut decoded = Vec::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(backslash) = memchr::memchr(b'\\', rest) {
        let here = at + (inside.len() - rest.len()) + backslash;
        let (before, escape) = rest.split_at(backslash);
        decoded.extend_from_slice(before);
        let (character, length) = match escape_at(escape) {
            Escape::Is('\0', _) => return Err(Fault::new("the character NUL in a string", here)),
            Escape::Is(character, length) => (character, length),
            Escape::Bad(reason) => return Err(Fault::new(reason, here)),
            Escape::End => return Err(Fault::new("not JSON: an escape is cut off", here)),
        };
        decoded.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        rest = escape.get(length..).unwrap_or_default();
    }
    decoded.extend_from_slice(rest);
    Ok(decoded)
}

/// What an escape stands for.
pub(super) enum Escape {
    /// A character, and the escape's length.
    Is(char, usize),
    Bad(&'static str),
    End,
}

/// Reads the escape that `text` starts with.
pub(super) fn escape_at(text: &[u8]) -> Escape {
    let simple = match text.get(1) {
        None => return Escape::End,
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode_escape_at(text),
        Some(byte @ (b'"' | b'\\' | b'/')) => char::from(*byte),
        Some(_) => return Escape::Bad("not JSON: an escape that JSON does not have"),
    };
    Escape::Is(simple, 2)
}

/// Reads `\uXXXX`, or two of them that stand for one character beyond the first 65,536.
fn unicode_escape_at(text: &[u8]) -> Escape {
    const LONE: &str = "half of a surrogate pair without its other half";
    let first = match unit(text) {
        Ok(first) => first,
        Err(escape) => return escape,
    };
    if !(0xD800..=0xDBFF).contains(&first) {
        return char::from_u32(first).map_or(Escape::Bad(LONE), |character| Escape::Is(character, 6));
    }
    let rest = text.get(6..).unwrap_or_default();
    match rest.get(..2) {
        None if rest.is_empty() || rest == b"\\" => return Escape::End,
        Some(b"\\u") => {}
        _ => return Escape::Bad(LONE),
    }
    match unit(rest) {
        Ok(second @ 0xDC00..=0xDFFF) => {
            let code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
            char::from_u32(code).map_or(Escape::Bad(LONE), |character| Escape::Is(character, 12))
        }
        Ok(_) => Escape::Bad(LONE),
        Err(escape) => escape,
    }
}

/// The four hexadecimal digits after `\u`.
fn unit(text: &[u8]) -> Result<u32, Escape> {
    let digits = text.get(2..6).ok_or(Escape::End)?;
    let value = |unit: u32, digit: &u8| char::from(*digit).to_digit(16).map(|digit| unit << 4 | digit);
    digits.iter().try_fold(0, value).ok_or(Escape::Bad("not JSON: four hexadecimal digits were expected after \\u"))
}
