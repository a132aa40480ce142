//! Lists a bucket: several prefixes at a time, and none that the plan does not name.

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use super::super::files::keys::{self, Parsed};
use super::super::settled::Settled;
use super::super::source::{Days, Listing, Object, Unlisted};
use super::plan::{self, Folder, Level, Start, Wanted};
use super::unreached;
use crate::aws::Failure;
use crate::aws::s3::{Bucket, Found, Listed};

/// Folders below a prefix in which `AWSLogs/` is looked for; more want a longer prefix.
const MOST_FOLDERS: usize = 1_000;

/// Lists what AWS Config delivered below a prefix, of the days asked for that are not settled.
///
/// # Errors
///
/// Nothing of Config's layout is found there, or it cannot be listed at all. A part that cannot be listed is part of the
/// listing.
pub(super) async fn list(
    bucket: &Bucket,
    prefix: &str,
    days: Days,
    settled: &Settled,
    parallel: usize,
) -> anyhow::Result<Listing> {
    let mut walk = Walk { bucket, days, settled, listing: Listing::default(), pending: Vec::new() };
    let address = bucket.address(prefix);
    match plan::start(prefix, days).map_err(|why| anyhow::anyhow!("{address}: {why}"))? {
        Start::Inside(folders) => walk.begin_inside(folders).await?,
        Start::Above => walk.begin_above(prefix).await?,
    }
    walk.run(parallel).await?;
    let mut listing = walk.listing;
    if !settled.is_empty() {
        let words =
            "days that are known and were looked at again since are not listed: give --since or --recheck to list them";
        listing.skipped.push((address.clone(), words.to_owned()));
    }
    listing.skipped.push((
        address,
        "only ConfigSnapshot and ConfigHistory below ACCOUNT/Config/REGION/DAY are listed; other objects are not counted"
            .to_owned(),
    ));
    listing.objects.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    listing.malformed.sort_unstable();
    listing.skipped.sort_unstable();
    listing.unreached.sort_unstable_by(|a, b| a.prefix.cmp(&b.prefix));
    Ok(listing)
}

struct Walk<'a> {
    bucket: &'a Bucket,
    days: Days,
    settled: &'a Settled,
    listing: Listing,
    pending: Vec<Folder>,
}

impl Walk<'_> {
    /// The first listing tells whether anything can be listed at all.
    async fn begin_inside(&mut self, folders: Vec<Folder>) -> anyhow::Result<()> {
        for folder in folders {
            self.listing.looked_at.extend(plan::scope(&folder, self.days));
            let found = visit(self.bucket, &folder).await.map_err(|failure| ended(&failure))?;
            self.take(&folder, found);
        }
        Ok(())
    }

    /// Looks for `AWSLogs/` right below the prefix and in each folder below it: an organisation's id may stand between.
    async fn begin_above(&mut self, prefix: &str) -> anyhow::Result<()> {
        let logs = |prefix: &str| Folder { prefix: format!("{prefix}AWSLogs/"), level: Level::Logs };
        let first = logs(prefix);
        let found = visit(self.bucket, &first).await.map_err(|failure| ended(&failure))?;
        let there = !found.folders.is_empty();
        self.take(&first, found);
        let address = self.bucket.address(prefix);
        match self.bucket.list(prefix, true).await {
            Ok(found) if found.folders.len() <= MOST_FOLDERS => {
                for folder in found.folders.iter().filter(|folder| **folder != first.prefix) {
                    self.look_into(logs(folder)).await?;
                }
            }
            Ok(found) => {
                let why =
                    format!("it has {} folders: give a longer prefix to have one looked into", found.folders.len());
                anyhow::ensure!(there, "there is no AWSLogs/ folder in {address}; {why}");
                self.listing.skipped.push((address.clone(), why));
            }
            // A policy that allows no more than `AWSLogs/` is enough where evidence lies right there.
            Err(failure) if there && unreached(&failure).is_some() => {
                self.listing
                    .skipped
                    .push((address.clone(), format!("no folders beside AWSLogs/ were looked for: {failure}")));
            }
            Err(failure) => return Err(ended(&failure)),
        }
        if let (true, Some(missed)) = (self.pending.is_empty(), self.listing.unreached.first()) {
            anyhow::bail!("{}", missed.why);
        }
        anyhow::ensure!(!self.pending.is_empty(), "there is no AWSLogs/ folder in {address}, nor one folder below it");
        Ok(())
    }

    /// Takes a folder that may not be there.
    async fn look_into(&mut self, folder: Folder) -> anyhow::Result<()> {
        match visit(self.bucket, &folder).await {
            Ok(found) if found.folders.is_empty() => {
                let without = folder.prefix.trim_end_matches("AWSLogs/").to_owned();
                self.listing.skipped.push((without, "it has no AWSLogs/ folder".to_owned()));
                Ok(())
            }
            Ok(found) => {
                self.take(&folder, found);
                Ok(())
            }
            Err(failure) => self.missed(&folder, &failure),
        }
    }

    async fn run(&mut self, parallel: usize) -> anyhow::Result<()> {
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < parallel
                && let Some(folder) = self.pending.pop()
            {
                let bucket = self.bucket;
                running.push(async move {
                    let found = visit(bucket, &folder).await;
                    (folder, found)
                });
            }
            match running.next().await {
                None => return Ok(()),
                Some((folder, Ok(found))) => self.take(&folder, found),
                Some((folder, Err(failure))) => self.missed(&folder, &failure)?,
            }
        }
    }

    /// A part that could not be listed; an error where no other part could be either.
    fn missed(&mut self, folder: &Folder, failure: &Failure) -> anyhow::Result<()> {
        let Some(why) = unreached(failure) else { return Err(ended(failure)) };
        self.listing.unreached.push(Unlisted {
            prefix: folder.prefix.clone(),
            scope: plan::scope(folder, self.days),
            why,
        });
        Ok(())
    }

    fn take(&mut self, folder: &Folder, found: Found) {
        if let Level::Account(_) = folder.level {
            self.listing.looked_at.extend(plan::scope(folder, self.days));
        }
        let wanted = Wanted { days: self.days, settled: self.settled };
        let below = plan::below(folder, &found.folders, wanted);
        self.pending.extend(below.folders);
        self.listing.malformed.extend(below.malformed);
        let skipped = below.skipped.into_iter().map(|prefix| (prefix, "it is no account's folder".to_owned()));
        self.listing.skipped.extend(skipped);
        for object in found.objects {
            // Consoles make an empty object to show a folder.
            if object.key != folder.prefix {
                self.object(object);
            }
        }
    }

    fn object(&mut self, object: Listed) {
        match keys::parse(&object.key) {
            Parsed::Config(key) => self.listing.objects.push(Object {
                name: object.key,
                key,
                size_bytes: object.size_bytes,
                modified_ns: None,
                etag: object.etag,
                version_id: None,
            }),
            Parsed::Ignored(reason) => *self.listing.ignored.entry(reason).or_default() += 1,
            Parsed::Malformed(why) => self.listing.malformed.push((object.key, why)),
        }
    }
}

/// Where one failure leaves nothing to be listed.
fn ended(failure: &Failure) -> anyhow::Error {
    anyhow::anyhow!(failure.explained())
}

async fn visit(bucket: &Bucket, folder: &Folder) -> Result<Found, Failure> {
    bucket.list(&folder.prefix, !matches!(folder.level, Level::Objects(..))).await
}
