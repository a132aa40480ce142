//! Makes the folder: places in parallel, then the account lists and the true counts.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::SystemTime;

use anyhow::{Context as _, bail};
use time::macros::time;
use time::{Date, Duration};

use super::expected::{
    AccountList, Case, Counts, Delivery, EXPECTED_FILE, Expected, ExpectedAccount, ExpectedDay, LateObject, MARKER_FILE,
};
use super::objects::Folder;
use super::options::{Choice, Options};
use super::organization::Organization;
use super::place::{self, Outcome};
use crate::clock::Clock;
use crate::compliance::DeliveryState;

/// How far the making is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Accounts x Regions that are done, of all.
    pub places: usize,
    pub places_total: usize,
    /// Written so far.
    pub files: u64,
    pub bytes: u64,
}

/// What lies in the folder.
#[derive(Debug, Clone)]
pub struct Summary {
    /// The folder held this sample already and nothing was written.
    pub already_there: bool,
    /// Zero where the sample was already there.
    pub files: u64,
    pub bytes: u64,
    /// Files with the account list, in the order of their dates.
    pub account_lists: Vec<PathBuf>,
    /// Folders with what the AWS CLI would write of AWS Artifact, in the order of their dates.
    pub artifact: Vec<PathBuf>,
    pub regions: Vec<String>,
    pub accounts: usize,
    pub first_day: Date,
    pub last_day: Date,
    /// The file with the true counts.
    pub expected: PathBuf,
}

/// Makes a sample in a folder, unless it is there already. Blocks; uses all cores.
///
/// # Errors
/// Where the folder holds anything else, or cannot be written to.
pub fn generate(options: &Options, progress: impl Fn(Progress)) -> anyhow::Result<Summary> {
    let yesterday = Clock::default().now().date() - Duration::days(1);
    let mut choice = options.choice(yesterday);
    let out = &options.out;
    if let Some(earlier) = earlier(out)? {
        if options.until.is_none() {
            choice.until = earlier.until;
        }
        if earlier != choice {
            bail!(
                "{} holds a sample of other options ({}): give another folder, or empty it",
                out.display(),
                out.join(MARKER_FILE).display()
            );
        }
        if out.join(EXPECTED_FILE).exists() {
            let organization = Organization::new(choice);
            return Ok(summary(&organization, out, true, 0, 0));
        }
        // An earlier making was stopped in the middle: the same files are written over it.
    }
    fs::create_dir_all(out).with_context(|| format!("making {}", out.display()))?;
    write_whole(&out.join(MARKER_FILE), &serde_json::to_vec_pretty(&choice)?)?;

    let organization = Organization::new(choice);
    let made = places(&organization, out, &progress)?;
    let lists = account_lists(&organization, out)?;
    artifact(&organization, out)?;
    let regions = organization.choice.regions.join("\n") + "\n";
    write_whole(&out.join("regions.txt"), regions.as_bytes())?;
    let expected = expected(&organization, made.outcomes, lists);
    write_whole(&out.join(EXPECTED_FILE), &as_lines(&expected)?)?;
    Ok(summary(&organization, out, false, made.files, made.bytes))
}

fn summary(organization: &Organization, out: &Path, already_there: bool, files: u64, bytes: u64) -> Summary {
    Summary {
        already_there,
        files,
        bytes,
        account_lists: organization.list_days.iter().map(|&day| out.join(list_name(organization.date(day)))).collect(),
        artifact: [organization.first_day, organization.choice.until].map(|day| artifact_folder(out, day)).into(),
        regions: organization.choice.regions.clone(),
        accounts: organization.accounts.len(),
        first_day: organization.first_day,
        last_day: organization.choice.until,
        expected: out.join(EXPECTED_FILE),
    }
}

/// The options of the sample that the folder holds; none where there is no folder, or nothing in it.
fn earlier(out: &Path) -> anyhow::Result<Option<Choice>> {
    let marker = out.join(MARKER_FILE);
    match fs::read(&marker) {
        Ok(bytes) => {
            let choice = serde_json::from_slice(&bytes);
            choice.map(Some).with_context(|| format!("{} is not from this version of the program", marker.display()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let entries = match fs::read_dir(out) {
                Ok(entries) => entries,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                Err(error) => {
                    return Err(error).with_context(|| format!("reading {}", out.display()));
                }
            };
            // A making that was stopped before anything else leaves the marker's draft.
            let draft = marker.with_extension("draft");
            if entries.flatten().any(|entry| entry.path() != draft) {
                bail!("{} is not empty and holds no sample: give another folder", out.display());
            }
            Ok(None)
        }
        Err(error) => Err(error).with_context(|| format!("reading {}", marker.display())),
    }
}

struct Made {
    /// Account by account, Region by Region.
    outcomes: Vec<Outcome>,
    files: u64,
    bytes: u64,
}

fn places(organization: &Organization, out: &Path, progress: &impl Fn(Progress)) -> anyhow::Result<Made> {
    let regions = organization.choice.regions.len();
    let total = organization.accounts.len() * regions;
    let next = AtomicUsize::new(0);
    let stopped = AtomicBool::new(false);
    let (sender, receiver) = mpsc::channel();
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(total);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let sender = sender.clone();
            let (next, stopped) = (&next, &stopped);
            scope.spawn(move || {
                let mut folder = Folder::new(out);
                while !stopped.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(account) = organization.accounts.get(index / regions) else {
                        break;
                    };
                    let before = (folder.files, folder.bytes);
                    let made = place::run(organization, account, index % regions, &mut folder);
                    let written = (folder.files - before.0, folder.bytes - before.1);
                    if sender.send((index, made, written)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut outcomes = BTreeMap::new();
        let (mut files, mut bytes) = (0, 0);
        for (index, made, written) in receiver {
            // Dropping the receiver on the way out ends the other threads.
            let made = made.inspect_err(|_| stopped.store(true, Ordering::Relaxed))?;
            outcomes.insert(index, made);
            files += written.0;
            bytes += written.1;
            progress(Progress { places: outcomes.len(), places_total: total, files, bytes });
        }
        Ok(Made { outcomes: outcomes.into_values().collect(), files, bytes })
    })
}

fn list_name(day: Date) -> String {
    format!("accounts-{day}.json")
}

/// Writes the dated account lists, and the newest once more as `accounts.json`.
fn account_lists(organization: &Organization, out: &Path) -> anyhow::Result<Vec<AccountList>> {
    let mut lists = Vec::new();
    let mut newest = None;
    for &day in &organization.list_days {
        let date = organization.date(day);
        let text = organization.account_list(day);
        let file = list_name(date);
        write_dated(&out.join(&file), text.as_bytes(), date)?;
        lists.push(AccountList { file, day: date });
        newest = Some((text, date));
    }
    if let Some((text, date)) = newest {
        write_dated(&out.join("accounts.json"), text.as_bytes(), date)?;
    }
    Ok(lists)
}

fn artifact_folder(out: &Path, day: Date) -> PathBuf {
    out.join("artifact").join(day.to_string())
}

/// Writes what the AWS CLI would of AWS Artifact, each answer dated.
fn artifact(organization: &Organization, out: &Path) -> anyhow::Result<()> {
    for answers in super::artifact::answers(organization) {
        let folder = artifact_folder(out, answers.day);
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        for (name, text) in &answers.files {
            write_dated(&folder.join(name), text.as_bytes(), answers.day)?;
        }
    }
    Ok(())
}

fn write_dated(path: &Path, bytes: &[u8], day: Date) -> anyhow::Result<()> {
    write_whole(path, bytes)?;
    let at = day.with_time(time!(09:00)).assume_utc();
    fs::OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|file| file.set_modified(SystemTime::from(at)))
        .with_context(|| format!("setting the time of {}", path.display()))
}

/// Writes a file so that it is there whole or not at all.
fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let draft = path.with_extension("draft");
    let written = fs::File::create(&draft).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.and_then(|()| fs::rename(&draft, path)).with_context(|| format!("writing {}", path.display()))
}

/// The counts as JSON with a line for each place's day, for readers with an editor.
fn as_lines(expected: &Expected) -> anyhow::Result<Vec<u8>> {
    let head = Expected { days: Vec::new(), ..expected.clone() };
    let mut text = serde_json::to_string_pretty(&head)?;
    let end = text.rfind("[]").context("the list of days is the last field")?;
    text.truncate(end);
    text.push('[');
    for (index, day) in expected.days.iter().enumerate() {
        let head = ExpectedDay { places: Vec::new(), ..day.clone() };
        let head = serde_json::to_string(&head)?;
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        text.push_str(head.strip_suffix("]}").context("the list of places is the last field")?);
        for (index, place) in day.places.iter().enumerate() {
            text.push_str(if index == 0 { "\n  " } else { ",\n  " });
            text.push_str(&serde_json::to_string(place)?);
        }
        text.push_str("\n]}");
    }
    text.push_str("\n]}\n");
    Ok(text.into_bytes())
}

fn expected(organization: &Organization, outcomes: Vec<Outcome>, account_lists: Vec<AccountList>) -> Expected {
    let regions = &organization.choice.regions;
    let at = |index: usize| (&organization.accounts[index / regions.len()], &regions[index % regions.len()]);
    let (mut late_objects, mut unreadable_objects, mut cases) = (Vec::new(), Vec::new(), Vec::new());
    let (mut snapshots, mut histories) = (0, 0);
    let mut places = Vec::new();
    for (index, outcome) in outcomes.into_iter().enumerate() {
        let (account, region) = at(index);
        for (object, day, arrived) in outcome.late {
            late_objects.push(LateObject {
                object,
                account_id: account.id.clone(),
                region: region.clone(),
                day: organization.date(day),
                arrived: organization.date(arrived),
            });
        }
        for (case, day) in outcome.cases {
            let day = organization.date(day);
            cases.push(Case { case: case.to_owned(), account_id: account.id.clone(), region: region.clone(), day });
        }
        unreadable_objects.extend(outcome.unreadable);
        snapshots += outcome.snapshots;
        histories += outcome.histories;
        places.push(outcome.days);
    }
    cases.sort();

    let mut days: Vec<ExpectedDay> = Vec::new();
    let mut last_known: Vec<Option<Counts>> = vec![None; places.len()];
    for day in 0..organization.choice.days {
        let mut sum = ExpectedDay {
            day: organization.date(day),
            expected_places: 0,
            known_places: 0,
            never_seen_accounts: 0,
            never_seen_places: 0,
            counts: Counts::default(),
            unknown_carried: 0,
            places: Vec::new(),
        };
        for (index, days) in places.iter_mut().enumerate() {
            let (account, region) = at(index);
            let truth = std::mem::take(&mut days[usize::try_from(day).expect("a few thousand days")]);
            let expects = organization.expects(account, day);
            sum.expected_places += u32::from(expects);
            let Some(state) = truth.state.or(expects.then_some(DeliveryState::Missing)) else {
                continue;
            };
            if state.known() {
                sum.known_places += 1;
                sum.counts.add(&truth.counts);
                last_known[index] = Some(truth.counts);
            } else if expects {
                sum.unknown_carried += last_known[index].as_ref().map_or(0, Counts::carried);
            }
            sum.places.push(Delivery {
                account_id: account.id.clone(),
                region: region.clone(),
                expected: expects,
                state: state.word().to_owned(),
                object: truth.object,
                counts: truth.counts,
            });
        }
        for (index, account) in organization.accounts.iter().enumerate() {
            let own = &last_known[index * regions.len()..][..regions.len()];
            if !organization.expects(account, day) {
                continue;
            }
            let unseen = own.iter().filter(|last| last.is_none()).count();
            if unseen == own.len() {
                sum.never_seen_accounts += 1;
            } else {
                sum.never_seen_places += u32::try_from(unseen).expect("a few Regions");
            }
        }
        days.push(sum);
    }
    let accounts = organization.accounts.iter().map(|account| ExpectedAccount {
        id: account.id.clone(),
        name: account.name.clone(),
        from: account.joined.date(),
        until: organization.expected_until(account).map(|day| organization.date(day)),
    });
    Expected {
        options: organization.choice.clone(),
        first_day: organization.first_day,
        last_day: organization.choice.until,
        regions: regions.clone(),
        accounts: accounts.collect(),
        account_lists,
        late_objects,
        unreadable_objects,
        cases,
        snapshots,
        histories,
        days,
    }
}
