//! What AWS Artifact would say to the made-up organisation, in the answers that the AWS CLI writes: SOC reports twice a
//! year with a gap and a letter, a PCI AOC near its review, ISO certificates, and agreements of some accounts.

use std::fmt::Write as _;

use serde_json::{Value, json};
use time::{Date, Duration, Month};

use super::organization::Organization;

/// Answers of a day: file names and what they hold.
pub(super) struct Answers {
    pub(super) day: Date,
    pub(super) files: Vec<(String, String)>,
}

/// Artifact as read on the first and on the last day.
pub(super) fn answers(organization: &Organization) -> [Answers; 2] {
    let last = organization.choice.until;
    [organization.first_day, last].map(|day| {
        let mut files = reports(last, day);
        files.extend(agreements(organization, day));
        Answers { day, files }
    })
}

/// AWS publishes a report so long after the end of its period.
const PUBLISHING: Duration = Duration::days(45);

/// A version: number, first and last day where it has any, and when it was published.
struct Version(i64, Option<(Date, Date)>, Date);

struct Report {
    id: &'static str,
    name: &'static str,
    series: &'static str,
    versions: Vec<Version>,
}

fn reports(last: Date, day: Date) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut newest = Vec::new();
    for report in portfolio(last) {
        let seen: Vec<&Version> = report.versions.iter().filter(|version| version.2 <= day).collect();
        let Some(latest) = seen.last() else { continue };
        newest.push(line(&report, latest, true));
        let all: Vec<Value> = seen.iter().rev().map(|one| line(&report, one, one.0 == latest.0)).collect();
        files.push((format!("list-report-versions-{}.json", report.id), text(&json!({"reports": all}))));
        // Somebody has fetched these, and laid them beside what the AWS CLI wrote.
        if FETCHED.contains(&report.id) && day == last {
            let line = format!("{}, version {}: made up for the sample, no document of AWS", report.name, latest.0);
            files.push((format!("get-report-{}-{}.pdf", report.id, latest.0), one_line_pdf(&line)));
        }
        if report.id == REVIEWED && day == last {
            files.extend(records(&report, latest, day));
        }
    }
    files.push(("list-reports.json".to_owned(), text(&json!({"reports": newest}))));
    files
}

fn line(report: &Report, version: &Version, latest: bool) -> Value {
    let mut line = json!({
        "id": report.id, "name": report.name, "version": version.0,
        "state": if latest { "PUBLISHED" } else { "UNPUBLISHED" },
        "arn": format!("arn:aws:artifact:us-east-1::report/{}:{}", report.id, version.0),
        "uploadState": "COMPLETE", "description": format!("{} of a made-up organisation", report.name),
        "series": report.series, "category": "Certifications And Attestations",
        "companyName": "AWS", "productName": "Amazon Web Services", "acceptanceType": "EXPLICIT",
    });
    if let (Some((first, last)), Some(fields)) = (version.1, line.as_object_mut()) {
        fields.insert("periodStart".to_owned(), moment(first));
        fields.insert("periodEnd".to_owned(), moment(last));
    }
    line
}

/// Reports that are there themselves.
const FETCHED: [&str; 2] = ["report-Sample0SOC2Type2", "report-Sample0ISO270010"];

/// The report that somebody has read, accepted the terms of, and lets auditors have.
const REVIEWED: &str = "report-Sample0SOC2Type2";

/// What people did with a version elsewhere, as records that are laid beside it.
fn records(report: &Report, version: &Version, day: Date) -> Vec<(String, String)> {
    let of = format!("{}-{}", report.id, version.0);
    let terms = format!("Terms of {}, version {}: made up for the sample, no document of AWS", report.name, version.0);
    let acceptance = json!({"accepted_by": "Alex Example", "accepted_at": format!("{day}T08:00:00Z")});
    let review = json!({
        "reviewer": "Robin Example", "reviewed_on": day.to_string(), "opinion": "unqualified",
        "exceptions": "Made up: one access review was late, and AWS says what it changed.",
        "user_entity_controls": [
            {"control": "Access to AWS accounts is reviewed every quarter", "owner": "Platform team"},
            {"control": "Root users have MFA", "owner": "Platform team"},
            {"control": "Incidents at AWS are followed up", "owner": ""},
        ],
        "carve_outs": "Made up: data centres of other providers are carved out.",
        "conclusion": "Made up: the services in use are in scope, and the report can be relied on.",
        "next_due": (day + Duration::days(365)).to_string(),
    });
    let release =
        json!({"released_by": "Alex Example", "reason": "Made up: the audit of this year", "terms_read": true});
    vec![
        (format!("terms-{of}.pdf"), one_line_pdf(&terms)),
        (format!("acceptance-{of}.json"), text(&acceptance)),
        (format!("review-{of}.json"), text(&review)),
        (format!("release-{of}.json"), text(&release)),
    ]
}

/// A PDF of one page with a line of ASCII: ISO 32000-1, 7.5.
pub fn one_line_pdf(line: &str) -> String {
    let content = format!("BT /F1 14 Tf 60 720 Td ({line}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
         /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
    ];
    let mut pdf = "%PDF-1.4\n".to_owned();
    let mut table = "0000000000 65535 f \n".to_owned();
    for (index, object) in objects.iter().enumerate() {
        _ = writeln!(table, "{:010} 00000 n ", pdf.len());
        _ = writeln!(pdf, "{} 0 obj\n{object}\nendobj", index + 1);
    }
    let (entries, start) = (objects.len() + 1, pdf.len());
    format!("{pdf}xref\n0 {entries}\n{table}trailer\n<< /Size {entries} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n")
}

/// AWS's reports as they would be on the last day.
fn portfolio(last: Date) -> Vec<Report> {
    let end = half_year_end(last - PUBLISHING);
    let before = half_year_end(end - Duration::days(1));
    let earlier = half_year_end(before - Duration::days(1));
    let after = |day: Date| day + Duration::days(1);
    let published = |day: Date| day + PUBLISHING;
    let certificate = |ahead: i64| {
        let days = (last - Duration::days(700), last + Duration::days(ahead));
        vec![Version(1, Some(days), days.0)]
    };
    let assessed = last - Duration::days(340);
    let report = |id, name, series, versions| Report { id, name, series, versions };
    vec![
        report(
            "report-Sample0SOC1Type2",
            "SOC 1 Type 2 Report",
            "SOC",
            vec![
                Version(1, Some((after(earlier), before)), published(before)),
                // It begins late: days between are a gap that no letter addresses.
                Version(2, Some((before + Duration::days(55), end)), published(end)),
            ],
        ),
        report(
            "report-Sample0SOC2Type2",
            "SOC 2 Type 2 Report",
            "SOC",
            vec![
                Version(1, Some((after(earlier), before)), published(before)),
                Version(2, Some((after(before), end)), published(end)),
                // The same period once more, corrected.
                Version(3, Some((after(before), end)), published(end) + Duration::days(5)),
            ],
        ),
        report(
            "report-Sample00000SOC30",
            "SOC 3 Report",
            "SOC",
            vec![Version(1, Some((after(earlier), end)), published(end))],
        ),
        report(
            "report-Sample000SOCLett",
            "SOC Continued Operations Letter",
            "SOC",
            vec![Version(1, Some((after(end), end + Duration::days(92))), after(end))],
        ),
        report(
            "report-Sample00PCIDSSAO",
            "PCI DSS Attestation of Compliance AOC",
            "PCI",
            vec![Version(1, Some((assessed, assessed)), assessed)],
        ),
        report("report-Sample00PCIDSSRS", "PCI DSS Responsibility Summary", "PCI", vec![Version(1, None, assessed)]),
        report("report-Sample0ISO270010", "ISO 27001 Certificate", "ISO", certificate(395)),
        report("report-Sample0ISO270170", "ISO 27017 Certificate", "ISO", certificate(395)),
        report("report-Sample0ISO270180", "ISO 27018 Certificate", "ISO", certificate(40)),
        report("report-Sample00CSASTAR0", "CSA STAR Attestation", "CSA", certificate(200)),
    ]
}

/// The last 31 March or 30 September up to a day.
fn half_year_end(day: Date) -> Date {
    let of = |year: i32, month: Month, last: u8| Date::from_calendar_date(year, month, last).ok();
    [of(day.year(), Month::September, 30), of(day.year(), Month::March, 31), of(day.year() - 1, Month::September, 30)]
        .into_iter()
        .flatten()
        .find(|end| *end <= day)
        .unwrap_or(day)
}

fn agreements(organization: &Organization, day: Date) -> Vec<(String, String)> {
    let last = organization.choice.until;
    // The organisation made its agreement a third of the way before the last day.
    let begun = last - Duration::days((last - organization.first_day).whole_days() / 3);
    let number = u32::try_from((day - organization.first_day).whole_days()).unwrap_or_default();
    let here = organization
        .accounts
        .iter()
        .filter(|account| account.joins <= number && account.leaves.is_none_or(|leaves| leaves > number));
    let mut files = Vec::new();
    for (index, account) in here.enumerate() {
        let name = format!("list-customer-agreements-{}", account.id);
        if index == 4 {
            let said = format!(
                "An error occurred (AccessDeniedException) when calling the ListCustomerAgreements operation: User: \
                 arn:aws:sts::{0}:assumed-role/auditfolio-member/auditfolio is not authorized to perform: \
                 artifact:ListCustomerAgreements\n",
                account.id
            );
            files.push((format!("{name}.error"), said));
            continue;
        }
        let mut all = Vec::new();
        if begun <= day {
            let mut one = agreement(&account.id, 'O', "AWS Business Associate Addendum", begun, None);
            one["organizationArn"] = json!("arn:aws:organizations::000000000000:organization/o-sample0001");
            all.push(one);
        }
        let year = Duration::days(365);
        match index {
            0 => all.push(agreement(&account.id, 'N', "AWS Artifact Nondisclosure Agreement", last - year, None)),
            1 | 2 => all.push(agreement(&account.id, 'B', "AWS Business Associate Addendum", last - year, None)),
            3 => {
                let ended = Some(organization.first_day - Duration::days(20));
                all.push(agreement(&account.id, 'T', "AWS Business Associate Addendum", last - year * 2, ended));
            }
            _ => {}
        }
        files.push((format!("{name}.json"), text(&json!({"customerAgreements": all}))));
    }
    files
}

fn agreement(account_id: &str, letter: char, name: &str, from: Date, ended: Option<Date>) -> Value {
    let id = format!("customer-agreement-{letter}000{account_id}");
    let mut agreement = json!({
        "name": name, "id": id, "arn": format!("arn:aws:artifact::{account_id}:customer-agreement/{id}"),
        "agreementArn": format!("arn:aws:artifact:::agreement/agreement-{letter}000000000000000"),
        "awsAccountId": account_id, "effectiveStart": moment(from), "type": "DEFAULT",
        "state": if ended.is_some() { "CUSTOMER_TERMINATED" } else { "ACTIVE" },
        "acceptanceTerms": ["Made up for the sample"], "terminateTerms": ["Made up for the sample"],
    });
    if let Some(ended) = ended {
        agreement["effectiveEnd"] = moment(ended);
    }
    agreement
}

fn moment(day: Date) -> Value {
    json!(format!("{day}T00:00:00+00:00"))
}

fn text(value: &Value) -> String {
    format!("{value:#}\n")
}
