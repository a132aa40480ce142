//! `auditfolio sample`: makes the folder and says what it did.

use std::io::{IsTerminal as _, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::{EXPECTED_FILE, Options, Progress, Summary, generate};

/// Makes the sample with progress on standard error and prints where everything is.
///
/// # Errors
/// As [`generate`].
pub fn command(options: &Options) -> anyhow::Result<()> {
    let started = Instant::now();
    let summary = if stderr().is_terminal() { with_bar(options)? } else { with_lines(options)? };
    print(options, &summary, started.elapsed());
    Ok(())
}

fn with_bar(options: &Options) -> anyhow::Result<Summary> {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} accounts x Regions  {msg}  {eta} left")?;
    let bar = ProgressBar::new(0).with_style(style);
    let summary = generate(options, |progress| {
        bar.set_length(u64::try_from(progress.places_total).unwrap_or(u64::MAX));
        bar.set_position(u64::try_from(progress.places).unwrap_or(u64::MAX));
        bar.set_message(written(&progress));
    });
    bar.finish_and_clear();
    summary
}

fn with_lines(options: &Options) -> anyhow::Result<Summary> {
    let said = std::cell::Cell::new(Instant::now());
    generate(options, |progress| {
        if said.get().elapsed() >= Duration::from_secs(5) {
            said.set(Instant::now());
            eprintln!("{} of {} accounts x Regions, {}", progress.places, progress.places_total, written(&progress));
        }
    })
}

fn written(progress: &Progress) -> String {
    format!("{} files, {} MB", progress.files, progress.bytes / 1_000_000)
}

fn print(options: &Options, summary: &Summary, took: Duration) {
    let folder = options.out.display();
    if summary.already_there {
        println!("{folder} holds this sample already.");
    } else {
        let megabytes = summary.bytes / 1_000_000;
        println!("{} files, {megabytes} MB, in {:.1} s to {folder}", summary.files, took.as_secs_f64());
    }
    println!("{} accounts, days {} to {}", summary.accounts, summary.first_day, summary.last_day);
    println!("Regions: {}", summary.regions.join(","));
    for list in &summary.account_lists {
        println!("Account list: {}", list.display());
    }
    for folder in &summary.artifact {
        println!("AWS Artifact: {}", folder.display());
    }
    println!("True counts: {}", options.out.join(EXPECTED_FILE).display());
}
