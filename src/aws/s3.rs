//! A bucket: what lies under a prefix, and the bytes of an object.

use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use tokio_util::bytes::Bytes;

use super::failure::{Asked, Failure};
use super::role::RoleArn;

const LIST: &str = "s3:ListBucket";
const GET: &str = "s3:GetObject";

/// A bucket as some credentials see it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bucket {
    client: aws_sdk_s3::Client,
    name: String,
    role: Option<RoleArn>,
    read_timeout: Duration,
}

/// What lies directly under a prefix, or anywhere under it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Common prefixes, with the `/` at their end.
    pub folders: Vec<String>,
    pub objects: Vec<Listed>,
    /// Calls that it took.
    pub calls: u64,
}

/// One object of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub key: String,
    pub size_bytes: u64,
    /// Without the quotes around it.
    pub etag: Option<String>,
}

/// The bytes of an object, as they come.
#[derive(Debug)]
pub struct Body {
    stream: ByteStream,
    read_timeout: Duration,
    /// `None` where the bucket keeps no versions.
    pub version_id: Option<String>,
    /// Bytes that the answer should have, where it says so.
    pub length: Option<u64>,
}

impl Bucket {
    pub(super) fn new(client: aws_sdk_s3::Client, name: &str, role: Option<&RoleArn>, read_timeout: Duration) -> Self {
        Self { client, name: name.to_owned(), role: role.cloned(), read_timeout }
    }

    /// The bucket's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `s3://BUCKET/KEY`.
    pub fn address(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    /// All pages of what lies under `prefix`: with `folders`, what is below the next `/` only as common prefixes.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>
    pub async fn list(&self, prefix: &str, folders: bool) -> Result<Found, Failure> {
        let address = self.address(prefix);
        let asked = Asked { action: LIST, subject: &address, role: self.role.as_ref() };
        let mut found = Found::default();
        let mut token: Option<String> = None;
        loop {
            let call = self.client.list_objects_v2().bucket(&self.name).prefix(prefix);
            let call = call.set_delimiter(folders.then(|| "/".to_owned())).set_continuation_token(token.clone());
            let page = call.send().await.map_err(|error| Failure::of_sdk(&error, asked))?;
            found.calls += 1;
            found.folders.extend(page.common_prefixes().iter().filter_map(|it| it.prefix()).map(str::to_owned));
            for object in page.contents() {
                let (Some(key), Some(size)) = (object.key(), object.size()) else {
                    return Err(Failure::transient(asked, "a listing has an object without a key or a size"));
                };
                found.objects.push(Listed {
                    key: key.to_owned(),
                    size_bytes: u64::try_from(size).unwrap_or_default(),
                    etag: object.e_tag().map(|etag| etag.trim_matches('"').to_owned()),
                });
            }
            // A page may be empty and have a successor all the same.
            match page.next_continuation_token {
                Some(next) if page.is_truncated.unwrap_or(true) => {
                    if token.as_ref() == Some(&next) {
                        return Err(Failure::transient(asked, "a listing's pages go round in circles"));
                    }
                    token = Some(next);
                }
                _ if page.is_truncated == Some(true) => {
                    return Err(Failure::transient(asked, "a listing breaks off without saying where it goes on"));
                }
                _ => return Ok(found),
            }
        }
    }

    /// The first keys under `prefix`, so many at most: one call.
    pub async fn first_keys(&self, prefix: &str, most: i32) -> Result<Vec<String>, Failure> {
        let address = self.address(prefix);
        let asked = Asked { action: LIST, subject: &address, role: self.role.as_ref() };
        let call = self.client.list_objects_v2().bucket(&self.name).prefix(prefix).max_keys(most);
        let page = call.send().await.map_err(|error| Failure::of_sdk(&error, asked))?;
        Ok(page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key).collect())
    }

    /// Reads an object's first byte. Gives the ARN of the KMS key that the object is encrypted with, if one is.
    pub async fn first_byte(&self, key: &str) -> Result<Option<String>, Failure> {
        let address = self.address(key);
        let call = self.client.get_object().bucket(&self.name).key(key).range("bytes=0-0");
        let answer = call.send().await.map_err(|error| Failure::of_sdk(&error, self.reading(&address)))?;
        Ok(answer.ssekms_key_id)
    }

    /// What reading an object asks for, for messages.
    pub(crate) fn reading<'a>(&'a self, address: &'a str) -> Asked<'a> {
        Asked { action: GET, subject: address, role: self.role.as_ref() }
    }

    /// Asks whether an object still is what was listed: its `VersionId`, where the bucket keeps versions. It fails as
    /// [`super::Kind::Changed`] if its `ETag` is no longer `etag`.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>
    pub async fn unchanged(&self, key: &str, etag: Option<&str>) -> Result<Option<String>, Failure> {
        let address = self.address(key);
        let call = self.client.head_object().bucket(&self.name).key(key);
        let call = call.set_if_match(etag.map(|etag| format!("\"{etag}\"")));
        call.send().await.map(|head| head.version_id).map_err(|error| Failure::of_sdk(&error, self.reading(&address)))
    }

    /// Opens an object from the byte `from` on. It fails as [`super::Kind::Changed`] if its `ETag` is no longer `etag`.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
    pub async fn open(&self, key: &str, etag: Option<&str>, from: u64) -> Result<Body, Failure> {
        let address = self.address(key);
        let call = self.client.get_object().bucket(&self.name).key(key);
        let call = call.set_if_match(etag.map(|etag| format!("\"{etag}\"")));
        let call = call.set_range((from > 0).then(|| format!("bytes={from}-")));
        let asked = self.reading(&address);
        let answer = call.send().await.map_err(|error| Failure::of_sdk(&error, asked))?;
        // A store that knows no ranges would begin anew.
        let begins_at_from = answer.content_range().is_some_and(|range| range.starts_with(&format!("bytes {from}-")));
        if from > 0 && !begins_at_from {
            return Err(Failure::transient(asked, "the answer does not begin where it was asked to"));
        }
        let length = answer.content_length.and_then(|length| u64::try_from(length).ok());
        Ok(Body { stream: answer.body, read_timeout: self.read_timeout, version_id: answer.version_id, length })
    }
}

impl Body {
    /// The next bytes; `None` at the end of the answer, which may be before the object's.
    ///
    /// # Errors
    ///
    /// The connection broke or nothing came for too long, in words.
    pub async fn next(&mut self) -> Result<Option<Bytes>, String> {
        match tokio::time::timeout(self.read_timeout, self.stream.next()).await {
            Ok(None) => Ok(None),
            Ok(Some(Ok(bytes))) => Ok(Some(bytes)),
            Ok(Some(Err(error))) => Err(error.to_string()),
            Err(_elapsed) => Err(format!("nothing came for {} s", self.read_timeout.as_secs())),
        }
    }
}
