//! Finds the objects in a folder that holds a copy of a delivery bucket (or part of one).

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, DirEntry, FileType, Metadata};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context as _, Result, bail};

use super::keys::{self, Parsed};
use crate::collection::source::{Days, Listing, Object, PlaceName, Scope};

/// Lists `root`. Symbolic links are followed; a folder that is reached in several ways is listed once, under its real path if that
/// lies below the root. So a link to a folder above cannot make a loop, and an alias cannot count evidence twice.
///
/// Fails only where `root` itself cannot be listed: what cannot be read below it is part of the listing.
pub fn list(root: &Path) -> Result<Listing> {
    let metadata = fs::metadata(root).with_context(|| format!("{} cannot be read", root.display()))?;
    if !metadata.is_dir() {
        bail!("{} is not a folder", root.display());
    }
    let entries = fs::read_dir(root).with_context(|| format!("the folder {} cannot be listed", root.display()))?;
    let mut walk = Walk { seen: HashSet::from([(metadata.dev(), metadata.ino())]), ..Walk::default() };
    walk.entries(entries, root, "");
    walk.run();
    Ok(walk.finish())
}

#[derive(Default)]
struct Walk {
    listing: Listing,
    /// Device and inode of each folder listed.
    seen: HashSet<(u64, u64)>,
    /// Folders to list: path and name.
    folders: Vec<(PathBuf, String)>,
    /// Links to folders, followed when no real folder is left.
    links: Vec<(PathBuf, String)>,
}

impl Walk {
    fn run(&mut self) {
        loop {
            while let Some((path, name)) = self.folders.pop() {
                self.folder(&path, &name);
            }
            // The smallest name first, so that the outcome does not depend on the file system's order.
            self.links.sort_by(|a, b| b.1.cmp(&a.1));
            match self.links.pop() {
                Some(link) => self.folders.push(link),
                None => return,
            }
        }
    }

    fn folder(&mut self, path: &Path, name: &str) {
        let listed = fs::metadata(path).and_then(|metadata| {
            let first_time = self.seen.insert((metadata.dev(), metadata.ino()));
            if first_time { fs::read_dir(path).map(Some) } else { Ok(None) }
        });
        match listed {
            Ok(Some(entries)) => self.entries(entries, path, name),
            Ok(None) => {}
            Err(error) => self.unreadable(path, &error),
        }
    }

    fn entries(&mut self, entries: fs::ReadDir, folder: &Path, folder_name: &str) {
        for entry in entries {
            match entry.and_then(|entry| Ok((entry.file_type()?, entry))) {
                Ok((file_type, entry)) => self.entry(&entry, file_type, folder_name),
                Err(error) => self.unreadable(folder, &error),
            }
        }
    }

    fn entry(&mut self, entry: &DirEntry, file_type: FileType, folder_name: &str) {
        let file_name = entry.file_name();
        let Some(file_name) = file_name.to_str() else {
            let shown = join(folder_name, &file_name.as_bytes().escape_ascii().to_string());
            self.listing.malformed.push((shown, "the name is not UTF-8".to_owned()));
            return;
        };
        let name = join(folder_name, file_name);
        if file_type.is_dir() {
            self.folders.push((entry.path(), name));
        } else if file_type.is_symlink() {
            match fs::metadata(entry.path()) {
                Ok(target) if target.is_dir() => self.links.push((entry.path(), name)),
                Ok(target) => self.file(name, || Ok(target), entry),
                Err(error) => self.unreadable(&entry.path(), &error),
            }
        } else {
            self.file(name, || entry.metadata(), entry);
        }
    }

    fn file(&mut self, name: String, metadata: impl FnOnce() -> std::io::Result<Metadata>, entry: &DirEntry) {
        let key = match keys::parse(&name) {
            Parsed::Config(key) => key,
            Parsed::Ignored(reason) => {
                *self.listing.ignored.entry(reason).or_default() += 1;
                return;
            }
            Parsed::Malformed(why) => {
                self.listing.malformed.push((name, why));
                return;
            }
        };
        match metadata() {
            // Opening a pipe or a device could wait for ever.
            Ok(metadata) if !metadata.is_file() => {
                self.listing.malformed.push((name, "it is not a regular file".to_owned()));
            }
            Ok(metadata) => self.listing.objects.push(Object {
                name,
                key,
                size_bytes: metadata.len(),
                modified_ns: modified_ns(&metadata),
                etag: None,
                version_id: None,
            }),
            Err(error) => self.unreadable(&entry.path(), &error),
        }
    }

    fn unreadable(&mut self, path: &Path, error: &std::io::Error) {
        self.listing.unreadable.push((path.to_owned(), error.to_string()));
    }

    fn finish(mut self) -> Listing {
        self.listing.objects.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        self.listing.malformed.sort_unstable();
        self.listing.unreadable.sort_unstable();
        let places: BTreeSet<&PlaceName> = self.listing.objects.iter().map(|it| &it.key.place).collect();
        self.listing.looked_at = places.into_iter().map(|it| Scope::of(it, Days::default())).collect();
        self.listing
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

fn modified_ns(metadata: &Metadata) -> Option<i64> {
    let modified = metadata.modified().ok()?;
    match modified.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).ok(),
        Err(before) => i64::try_from(before.duration().as_nanos()).ok().map(|nanoseconds| -nanoseconds),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use std::collections::BTreeMap;
    use std::ffi::OsStr;
    use std::os::unix::fs::symlink;

    use super::super::keys::Ignored;
    use super::*;

    /// A folder of its own for each test, removed at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("auditfolio-list-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn put(&self, name: &str) {
            let path = self.0.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"12345").unwrap();
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    const DAY: &str = "AWSLogs/123456789012/Config/us-east-2/2026/9/7";

    fn names(listing: &Listing) -> Vec<&str> {
        listing.objects.iter().map(|object| object.name.as_str()).collect()
    }

    #[test]
    fn everything_in_a_folder_is_in_one_part_of_the_listing() {
        let folder = Folder::new("parts");
        folder.put(&format!("p/{DAY}/ConfigSnapshot/b.json.gz"));
        folder.put(&format!("{DAY}/ConfigHistory/a.json.gz"));
        folder.put(&format!("{DAY}/ConfigSnapshot/c.txt"));
        folder.put("AWSLogs/123456789012/Config/ConfigWritabilityCheckFile");
        folder.put("AWSLogs/123456789012/CloudTrail/us-east-2/x.json.gz");
        folder.put("accounts.json");
        fs::create_dir_all(folder.0.join(format!("{DAY}/ConfigSnapshot/folder.json.gz"))).unwrap();

        let listing = list(&folder.0).unwrap();

        assert_eq!(
            names(&listing),
            [format!("{DAY}/ConfigHistory/a.json.gz"), format!("p/{DAY}/ConfigSnapshot/b.json.gz")]
        );
        assert_eq!(listing.objects[0].size_bytes, 5);
        let modified = fs::metadata(folder.0.join(&listing.objects[0].name)).unwrap();
        assert_eq!(listing.objects[0].modified_ns, Some(modified.mtime() * 1_000_000_000 + modified.mtime_nsec()));
        let ignored = [(Ignored::WritabilityCheck, 1), (Ignored::CloudTrail, 1), (Ignored::NotConfig, 1)];
        assert_eq!(listing.ignored, BTreeMap::from(ignored));
        let malformed = (format!("{DAY}/ConfigSnapshot/c.txt"), "the file's name does not end in .json.gz".to_owned());
        assert_eq!(listing.malformed, [malformed]);
        assert_eq!(listing.unreadable, []);
    }

    #[test]
    fn a_link_is_followed_but_makes_no_loop_and_counts_nothing_twice() {
        let folder = Folder::new("links");
        folder.put(&format!("bucket/{DAY}/ConfigSnapshot/a.json.gz"));
        folder.put(&format!("elsewhere/{DAY}/ConfigSnapshot/b.json.gz"));
        let bucket = folder.0.join("bucket");
        symlink(&bucket, bucket.join("again")).unwrap();
        symlink(bucket.join("AWSLogs"), bucket.join("AAA")).unwrap();
        symlink(folder.0.join("elsewhere"), bucket.join("other")).unwrap();
        symlink(folder.0.join("elsewhere"), bucket.join("other-too")).unwrap();
        symlink(folder.0.join("nowhere"), bucket.join("broken")).unwrap();

        let listing = list(&bucket).unwrap();

        assert_eq!(
            names(&listing),
            [format!("{DAY}/ConfigSnapshot/a.json.gz"), format!("other/{DAY}/ConfigSnapshot/b.json.gz")]
        );
        assert_eq!(listing.unreadable.len(), 1);
        assert_eq!(listing.unreadable[0].0, bucket.join("broken"));
    }

    #[test]
    fn a_name_that_is_not_utf8_is_reported() {
        let folder = Folder::new("utf8");
        folder.put(&format!("{DAY}/ConfigSnapshot/a.json.gz"));
        let name = OsStr::from_bytes(b"b\xff.json.gz");
        fs::write(folder.0.join(DAY).join("ConfigSnapshot").join(name), b"").unwrap();

        let listing = list(&folder.0).unwrap();

        let shown = (format!("{DAY}/ConfigSnapshot/b\\xff.json.gz"), "the name is not UTF-8".to_owned());
        assert_eq!((listing.objects.len(), listing.malformed), (1, vec![shown]));
    }

    #[test]
    fn a_device_is_not_opened() {
        let folder = Folder::new("device");
        folder.put(&format!("{DAY}/ConfigSnapshot/a.json.gz"));
        symlink("/dev/zero", folder.0.join(DAY).join("ConfigSnapshot/z.json.gz")).unwrap();

        let listing = list(&folder.0).unwrap();

        assert_eq!(listing.objects.len(), 1);
        assert_eq!(
            listing.malformed,
            [(format!("{DAY}/ConfigSnapshot/z.json.gz"), "it is not a regular file".to_owned())]
        );
    }

    #[test]
    fn a_root_that_cannot_be_listed_is_an_error() {
        let folder = Folder::new("root");
        folder.put("file");
        assert!(list(&folder.0.join("absent")).unwrap_err().to_string().ends_with("absent cannot be read"));
        assert!(list(&folder.0.join("file")).unwrap_err().to_string().ends_with("file is not a folder"));
    }
}
