//! The measured path, without a store: a table of any length, set, drawn and put together.

use super::layout::table::{ACCOUNT, DAY, SEVERITY, Table, text};
use super::layout::{Block, Document};
use super::pdf::{Information, PdfError, render};

/// What came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    pub pages: usize,
    pub bytes: usize,
}

/// Makes a PDF with `rows` rows of seven cells.
pub fn bench(rows: usize) -> Result<Measured, PdfError> {
    let rendered = pdf(rows)?;
    Ok(Measured { pages: rendered.pages, bytes: rendered.bytes.len() })
}

/// Measures once and says so in one line; peak memory where the system tells it. With `AUDITFOLIO_BENCH_OUT` set the
/// PDF is kept there.
pub fn line(rows: usize) -> anyhow::Result<String> {
    let start = std::time::Instant::now();
    let rendered = pdf(rows)?;
    let took = start.elapsed();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown").trim();
    if let Some(to) = std::env::var_os("AUDITFOLIO_BENCH_OUT") {
        std::fs::write(to, &rendered.bytes)?;
    }
    Ok(format!(
        "{{\"rows\":{rows},\"pages\":{},\"bytes\":{},\"milliseconds\":{},\"peak\":\"{peak}\"}}",
        rendered.pages,
        rendered.bytes.len(),
        took.as_millis()
    ))
}

/// The same, with the bytes.
pub fn pdf(rows: usize) -> Result<super::pdf::Rendered, PdfError> {
    const REGIONS: [&str; 3] = ["eu-west-1", "eu-central-1", "ap-southeast-2"];
    const RULES: [&str; 4] = [
        "securityhub-s3-bucket-public-read-prohibited-1a2b3c4d",
        "AWSControlTower_AWS-GR_EBS_OPTIMIZED_INSTANCE",
        "iam-user-mfa-enabled-conformance-pack-k3yq7n1xz",
        "encrypted-volumes",
    ];
    const TYPES: [&str; 4] = ["AWS::S3::Bucket", "AWS::EC2::Instance", "AWS::IAM::User", "AWS::EC2::Volume"];
    let mut table = Table::new(vec![
        text("Severity", 0.0).wide(SEVERITY),
        text("Account", 0.0).wide(ACCOUNT),
        text("Region", 0.0).wide(62.0),
        text("Rule", 1.2),
        text("Resource type", 0.75),
        text("Resource id", 1.0),
        text("Since", 0.0).wide(DAY),
    ]);
    for row in 0..rows {
        let pick = |of: &'static [&'static str]| of.get(row % of.len()).copied().unwrap_or_default();
        table.push([
            pick(&["CRITICAL", "HIGH", "MEDIUM", "LOW", "not rated"]),
            &format!("{:012}", 100_000_000_000 + row % 60),
            pick(&REGIONS),
            pick(&RULES),
            pick(&TYPES),
            &format!("resource-{row:07}-of-team-{}", row % 97),
            "2026-11-22",
        ]);
    }
    let document = Document {
        blocks: vec![
            Block::Title("Measured".to_owned()),
            Block::Heading { text: "Contents".to_owned(), new_page: true },
            Block::Contents,
            Block::Heading { text: "Register".to_owned(), new_page: true },
            Block::Table { caption: format!("{rows} rows."), table: &table },
        ],
        foot: "Pack of a measurement".to_owned(),
        below: String::new(),
        mark: None,
    };
    let information = Information {
        title: "Measured".to_owned(),
        subject: String::new(),
        author: String::new(),
        producer: "Auditfolio".to_owned(),
        at: time::OffsetDateTime::UNIX_EPOCH,
        id: "measured".to_owned(),
    };
    render(&document, &information, Vec::new(), |_, _| {})
}
