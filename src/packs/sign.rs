//! "Signed by this installation": an Ed25519 key made once, a detached signature over the whole PDF.

use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

/// A key pair as it is stored.
#[derive(Clone)]
pub struct NewKey {
    /// PKCS#8.
    pub private_key: Vec<u8>,
    /// The 32 bytes of RFC 8032.
    pub public_key: Vec<u8>,
}

impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewKey").field("key_id", &key_id(&self.public_key)).finish_non_exhaustive()
    }
}

/// Why signing failed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    #[error("the system gave no randomness")]
    Randomness,
    #[error("the stored signing key cannot be used: {0}")]
    Key(String),
}

/// Makes a key pair.
pub fn generate() -> Result<NewKey, SignError> {
    let document =
        Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_unspecified| SignError::Randomness)?;
    let pair = pair(document.as_ref())?;
    Ok(NewKey { private_key: document.as_ref().to_vec(), public_key: pair.public_key().as_ref().to_vec() })
}

fn pair(private_key: &[u8]) -> Result<Ed25519KeyPair, SignError> {
    Ed25519KeyPair::from_pkcs8(private_key).map_err(|rejected| SignError::Key(rejected.to_string()))
}

/// 64 bytes over `bytes`.
pub fn sign(private_key: &[u8], bytes: &[u8]) -> Result<Vec<u8>, SignError> {
    Ok(pair(private_key)?.sign(bytes).as_ref().to_vec())
}

/// Whether the signature is the key's over these bytes.
pub fn verifies(public_key: &[u8], bytes: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public_key).verify(bytes, signature).is_ok()
}

/// The key as `SubjectPublicKeyInfo` (RFC 8410).
fn der(public_key: &[u8]) -> Vec<u8> {
    const PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    [&PREFIX, public_key].concat()
}

/// The key's name: SHA-256 of its DER form, in hex, as `openssl pkey -pubin -outform DER | sha256sum` prints it.
pub fn key_id(public_key: &[u8]) -> String {
    sha256_hex(&der(public_key))
}

/// The key for OpenSSL.
pub fn pem(public_key: &[u8]) -> String {
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", base64(&der(public_key)))
}

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

/// SHA-256 in hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&sha256(bytes))
}

/// Bytes in lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        write!(out, "{byte:02x}").expect("a String takes any text");
        out
    })
}

/// Base64 of a length that needs one line (RFC 4648).
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().chain([0, 0].iter()).take(3).fold(0_usize, |word, byte| word << 8 | usize::from(*byte));
        for at in 0..4 {
            let letter = LETTERS.get(word >> (18 - 6 * at) & 63).copied().unwrap_or(b'=');
            out.push(if at > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    out
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_signature_verifies_until_a_byte_changes() {
        let key = generate().unwrap();
        let signature = sign(&key.private_key, b"pack").unwrap();
        assert!(verifies(&key.public_key, b"pack", &signature));
        assert!(!verifies(&key.public_key, b"pacl", &signature));
        assert!(!verifies(&generate().unwrap().public_key, b"pack", &signature));
    }

    #[test]
    fn base64_is_that_of_the_rfc() {
        let pairs = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (plain, coded) in pairs {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn the_private_key_is_not_in_debug_output() {
        let key = generate().unwrap();
        assert!(!format!("{key:?}").contains(&format!("{:?}", key.private_key)));
    }
}
