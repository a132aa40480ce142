//! What else lies in such a bucket, and the filling of a huge snapshot.

use time::Duration;
use time::macros::{format_description, time};

use super::bodies::{self, Setting};
use super::items::{self, Origin};
use super::objects::{Folder, Root, stamp};
use super::organization::{Account, Organization};
use super::random::Random;
use super::resource::Surroundings;

/// Bytes of a huge snapshot, unpacked.
const HUGE_BYTES: usize = 300_000_000;
/// Different items among its filling.
const POOL: usize = 3_000;

/// Writes an account's files that are no snapshots and no history.
pub(super) fn write(
    organization: &Organization,
    account: &Account,
    root: &Root<'_>,
    folder: &mut Folder,
) -> anyhow::Result<()> {
    let mut random = Random::new(organization.choice.seed, &["litter", &account.id]);
    let first = organization.date(account.joins.min(organization.story.days - 1)).with_time(time!(00:10)).assume_utc();
    folder.put(&format!("{}/Config/ConfigWritabilityCheckFile", root.logs()), b"", first)?;

    let (id, region) = (&account.id, root.region);
    for at in [first, organization.choice.until.with_time(time!(06:25)).assume_utc()] {
        // CloudTrail's days have two digits, unlike Config's.
        let day =
            at.format(format_description!("[year]/[month]/[day]")).expect("a time of this century can be written");
        let minute = at
            .format(format_description!("[year][month][day]T[hour][minute]Z"))
            .expect("a time of this century can be written");
        let event = format!(
            "{{\"Records\":[{{\"eventVersion\":\"1.09\",\"eventTime\":\"{}\",\"eventSource\":\"s3.amazonaws.com\",\"eventName\":\"GetBucketAcl\",\"awsRegion\":\"{region}\",\"recipientAccountId\":\"{id}\",\"eventID\":\"{}\"}}]}}",
            bodies::moment(at),
            random.uuid()
        );
        let packed = folder.pack(event.as_bytes());
        let name = format!("{id}_CloudTrail_{region}_{minute}_{}.json.gz", random.upper(16));
        folder.put(&format!("{}/CloudTrail/{region}/{day}/{name}", root.logs()), &packed, at)?;
        let digest = folder.pack(format!("{{\"awsAccountId\":\"{id}\",\"digestS3Bucket\":\"logs\"}}").as_bytes());
        let name = format!("{id}_CloudTrail-Digest_{region}_management_{region}_{}.json.gz", stamp(at));
        folder.put(&format!("{}/CloudTrail-Digest/{region}/{day}/{name}", root.logs()), &digest, at)?;
    }

    if account.ordinal == 0 {
        let at = first + Duration::hours(3);
        let group = format!("sg-0{}", random.hex(16));
        let notice = format!(
            "{{\"configurationItemSummary\":{{\"changeType\":\"UPDATE\",\"configurationItemVersion\":\"1.3\",\"configurationItemCaptureTime\":\"{}\",\"awsAccountId\":\"{id}\",\"configurationItemStatus\":\"OK\",\"resourceType\":\"AWS::EC2::SecurityGroup\",\"resourceId\":\"{group}\",\"awsRegion\":\"{region}\",\"configurationStateMd5Hash\":\"\"}},\"s3DeliverySummary\":{{\"s3BucketLocation\":\"config-bucket\",\"errorCode\":null,\"errorMessage\":null}},\"messageType\":\"OversizedConfigurationItemChangeNotification\"}}",
            bodies::moment(at)
        );
        let name =
            format!("{id}_Config_{region}_ChangeNotification_AWS::EC2::SecurityGroup_{group}_{}_1.json.gz", stamp(at));
        let key = format!("{}/OversizedChangeNotification/AWS::EC2::SecurityGroup/{group}/{name}", root.day(at.date()));
        let packed = folder.pack(notice.as_bytes());
        folder.put(&key, &packed, at)?;
    }
    Ok(())
}

/// A snapshot of 300 MB in pieces: ordinary items first, the place's own at the end.
pub(super) fn huge<'a>(
    around: &Surroundings<'a>,
    head: String,
    items: &'a str,
) -> impl Iterator<Item = String> + use<'a> {
    const TYPES: [&str; 5] =
        ["AWS::EC2::Instance", "AWS::EC2::SecurityGroup", "AWS::IAM::Role", "AWS::RDS::DBInstance", "AWS::S3::Bucket"];
    let (account, region, seed) = (around.account, around.region, around.organization.choice.seed);
    let slug = account.slug();
    let created = around.organization.first_day.midnight().assume_utc();
    let item = |number: usize| {
        let resource_type = TYPES[number % TYPES.len()];
        let setting = Setting { account_id: &account.id, slug: &slug, region, created, revision: 0, number };
        let mut random = Random::new(seed, &["huge", &number.to_string()]);
        let body = bodies::describe(resource_type, &setting, &mut random);
        let origin = Origin { account_id: &account.id, region };
        let captured = created.unix_timestamp() * 1_000;
        items::ordinary(origin, resource_type, &body, captured, "OK", created) + ","
    };
    // The same few thousand over and over: far enough apart that gzip does not notice.
    let pool: Vec<String> = (1_000_000..1_000_000 + POOL).map(item).collect();
    let mut left = HUGE_BYTES.saturating_sub(head.len() + items.len() + 2);
    let filling = (0..POOL).cycle().map_while(move |index| {
        let piece = (left > 0).then(|| pool[index].clone());
        left = left.saturating_sub(pool[index].len());
        piece
    });
    std::iter::once(head).chain(filling).chain([items.to_owned(), "]}".to_owned()])
}
