//! BAA listed by Artifact, account by account.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use time::Date;

use super::agreement_rows::{Health, ListedRow, Mark, OtherRow, Row, listed, of_members, others, rows};
use super::agreements::Baa;
use super::db::{self, ReadingRow, Until};
use super::offline::db::offline;
use super::page::about;
use super::standing::Standing;
use crate::State;
use crate::compliance::is_account;
use crate::error::Error;
use crate::organization::scope;
use crate::web::address::account_path;
use crate::web::download::Format;
use crate::web::form::{Choice, Filters};
use crate::web::list::{Field, List};
use crate::web::parts::{Empty, Provenance};
use crate::web::table::Table;
use crate::web::{Frame, Page, Section, Visit, filters, format};

const ROWS: usize = 100;
const KEYS: [&str; 11] = [
    "account",
    "baa",
    "health",
    "accounts",
    "accounts-sort",
    "agreements",
    "agreements-sort",
    "listed",
    "listed-sort",
    "rows",
    "format",
];

/// The scope that marks health data where the address names none.
pub(super) const HEALTH: &str = "health-data";

#[derive(Template)]
#[template(path = "artifact/agreements.html")]
struct AgreementsPage {
    frame: Frame,
    lead: String,
    standing: Standing,
    filters: Filters,
    health: Option<String>,
    /// What narrows the page.
    only: Option<String>,
    accounts: Vec<Row>,
    accounts_table: Table,
    others: Vec<OtherRow>,
    others_table: Table,
    listed: Vec<ListedRow>,
    listed_table: Table,
    empty: Option<Empty>,
    provenance: Provenance,
}

pub(super) async fn show(state: web::Data<State>, mut visit: Visit) -> Result<HttpResponse, Error> {
    visit.address.only(&[&KEYS])?;
    let (organization_id, day) = about(&state, &visit)?;
    let accounts = db::accounts_on(&mut visit.read, organization_id, day).await?;
    let agreements = db::agreements(&mut visit.read, organization_id, Until::end_of(day)).await?;
    let readings = db::readings(&mut visit.read, organization_id, "agreements", Until::end_of(day)).await?;
    let recorded = offline(&mut visit.read, organization_id, None).await?;
    let health = health(&mut visit, organization_id, day).await?;
    let agreements = of_members(agreements, &accounts);
    let rows = rows(accounts, &agreements, &readings, health.as_ref(), (&recorded, None), day);
    let others = others(&agreements, &readings, day);
    let asked = visit.address.get("account");
    let mut listed = listed(&agreements);
    listed.retain(|row| asked.is_none_or(|asked| is_account(asked, &row.account_id, "")));
    if let Some(word) = visit.address.get("baa").filter(|word| !Baa::SLUGS.contains(word)) {
        return Err(Error::Invalid(format!("“{word}” is nothing that is said of a BAA.")));
    }
    let chosen: Vec<Row> = rows.iter().filter(|row| is_chosen(row, &visit)).cloned().collect();
    if let Some(format) = Format::of(&visit.address)? {
        let address = &visit.address;
        return match address.get("rows") {
            None | Some("accounts") => Ok(account_list().download(format, &format!("baa-{day}"), address, chosen)),
            Some("agreements") => Ok(other_list().download(format, &format!("agreements-{day}"), address, others)),
            Some("listed") => Ok(listed_list().download(format, &format!("agreements-listed-{day}"), address, listed)),
            Some(_) => Err(Error::Invalid("The rows are those of accounts, agreements or listed.".to_owned())),
        };
    }
    let standing = Standing::load(&state, &mut visit, None).await?;
    let frame = visit.frame(Section::Artifact, "AWS’s agreements").crumb("AWS’s reports", "/artifact");
    let filters = choices(&visit, &rows);
    let empty = readings.is_empty().then(|| {
        Empty::new(
            "No agreements read",
            "Let auditfolio artifact sync read them, or set --artifact-every. Without AWS: import what the AWS CLI writes \
             for each account by aws artifact list-customer-agreements, with auditfolio artifact import FOLDER. Until \
             then, what AWS lists is not known.",
        )
    });
    let (lead, only) = (lead(&chosen, health.as_ref(), day), only(&visit));
    let (accounts, accounts_table) = account_list().table(&visit.address, "BAA listed by Artifact", chosen)?;
    let (others, others_table) = other_list().table(&visit.address, "Other agreements in force, by name", others)?;
    let (listed, listed_table) =
        listed_list().table(&visit.address, "Every agreement as Artifact last listed it", listed)?;
    let page = AgreementsPage {
        provenance: provenance(&readings),
        frame,
        lead,
        standing,
        filters,
        health: health.map(|health| health.name),
        only,
        accounts,
        accounts_table: accounts_table.as_of(day),
        others,
        others_table: others_table.as_of(day),
        listed,
        listed_table: listed_table.as_of(day),
        empty,
    };
    Ok(Page(page).answer(StatusCode::OK))
}

/// The scope in the address, else [`HEALTH`]; `None` where there is none.
async fn health(visit: &mut Visit, organization_id: i16, day: Date) -> Result<Option<Health>, Error> {
    let asked = visit.address.get("health").map(str::to_owned);
    let name = asked.clone().unwrap_or_else(|| HEALTH.to_owned());
    match scope::resolve(&mut visit.read, organization_id, &name, day, scope::Known::ALL).await {
        Ok(resolved) => Ok(Some(Health {
            name,
            accounts: resolved.account_ids().into_iter().collect(),
            undecided: (!resolved.membership.undecided.is_empty()).then(|| resolved.membership.undecided.join("; ")),
        })),
        Err(scope::Unresolved::Database(error)) => Err(error.into()),
        Err(_) if asked.is_none() => Ok(None),
        Err(error) => Err(Error::Invalid(format!("{error}."))),
    }
}

fn is_chosen(row: &Row, visit: &Visit) -> bool {
    let account = visit.address.get("account").is_none_or(|asked| is_account(asked, &row.account_id, &row.name));
    let baa = visit.address.get("baa").is_none_or(|asked| row.held.baa.slug() == asked);
    let in_scope = visit.scope.as_ref().is_none_or(|scope| scope.holds(&row.account_id));
    account && baa && in_scope
}

fn choices(visit: &Visit, rows: &[Row]) -> Filters {
    let kinds: BTreeMap<&str, &str> = rows.iter().map(|row| (row.held.baa.slug(), row.held.baa.words())).collect();
    Filters::new(&visit.address)
        .accounts(rows.iter().map(|row| (row.account_id.as_str(), row.name.as_str())))
        .select("baa", "BAA", "All", kinds.into_iter().map(|(slug, words)| Choice::new(slug, words)).collect())
        .text("health", "Scope with health data", "name of a scope")
}

/// What narrows the page, in words.
fn only(visit: &Visit) -> Option<String> {
    let said = [
        visit.address.get("account").map(|account| format!("account {account}")),
        visit.address.get("baa").map(|word| format!("BAA {}", word.replace('-', " "))),
        visit.scope.as_ref().map(|scope| format!("scope {}", scope.name)),
    ];
    let said: Vec<String> = said.into_iter().flatten().collect();
    (!said.is_empty()).then(|| format!("Only {}. Other agreements are those of all accounts.", said.join(", ")))
}

fn lead(rows: &[Row], health: Option<&Health>, day: Date) -> String {
    let count = |of: fn(&Row) -> bool| i64::try_from(rows.iter().filter(|row| of(row)).count()).unwrap_or(i64::MAX);
    let all = count(|_| true);
    let listed = count(|row| !row.held.baa.is_open());
    let recorded = count(|row| row.held.baa.is_open() && row.recorded.is_some());
    let recorded = match recorded {
        0 => String::new(),
        number => format!(", and recorded by hand for {} more", format::count(number)),
    };
    let not_read = count(|row| row.read.as_ref().is_none_or(|read| read.failure.is_some()));
    let health = health.map_or_else(
        || "no scope marks accounts with health data".to_owned(),
        |health| {
            let marked = format!(
                "of {} with health data {} without one",
                format::plural(count(|row| row.health == Mark::Health), "account"),
                format::count(count(|row| row.health == Mark::Health && row.is_open()))
            );
            match &health.undecided {
                Some(why) => format!("{marked}, and of others it is not known whether they have any ({why})"),
                None => marked,
            }
        },
    );
    format!(
        "A BAA is listed by Artifact for {} of {} as of {}{recorded}; agreements of {} not read; {health}.",
        format::count(listed),
        format::plural(all, "account"),
        format::day(day),
        format::plural(not_read, "account"),
    )
}

fn provenance(readings: &[ReadingRow]) -> Provenance {
    let first = readings.iter().filter_map(|row| row.first_read_at).min();
    let last = readings.iter().map(|row| row.read_at).max();
    let mut provenance = Provenance::default().line(
        "What is asked",
        "artifact:ListCustomerAgreements, in each account: it lists agreements that are active.",
    );
    if let (Some(first), Some(last)) = (first, last) {
        provenance = provenance
            .line("Read last", format::at(last))
            .line("Known since", format!("{}: what was in force on earlier days is not known.", format::at(first)));
    }
    provenance
        .line("The organisation’s", "What any account of it lists as the organisation’s is taken to hold for all of its accounts.")
        .line("An offline BAA", "One that was signed outside Artifact is not visible to it.")
        .line("From when", "An account’s own agreement: its effective start. The organisation’s: the later of that and the day on which the account joined.")
}

fn account_list() -> List<Row> {
    let fields = vec![
        Field::text("Account", "account_id", |row: &Row| row.account_id.as_str().into()),
        Field::text("Name", "account_name", |row| row.name.as_str().into()),
        Field::text("Health data", "health_data", |row| row.health.words().into()),
        Field::text("BAA listed by Artifact", "baa", |row| row.words().into()),
        Field::text("Since", "since", |row| row.held.since.into()),
        Field::text("Until", "until", |row| row.held.until.into()),
        Field::text("Read on", "read_at", |row| row.read.as_ref().map(|read| read.read_at).into()),
        Field::unseen("own_not_read_because", |row| row.why_not_read().into()),
        Field::unseen("would_end_if_it_left_the_organization", |row| row.held.would_end().into()),
    ];
    List::new("accounts", "accounts-sort", ROWS, fields)
}

fn other_list() -> List<OtherRow> {
    let fields = vec![
        Field::text("Agreement", "name", |row: &OtherRow| row.name.as_str().into()),
        Field::number("Accounts that list it", "accounts", |row| row.accounts.into()),
        Field::text("Of the organisation", "of_organization", |row| row.of_organization.into()),
    ];
    List::new("agreements", "agreements-sort", ROWS, fields)
}

fn listed_list() -> List<ListedRow> {
    let fields = vec![
        Field::text("Account", "account_id", |row: &ListedRow| row.account_id.as_str().into()),
        Field::text("Agreement", "name", |row: &ListedRow| row.name.as_str().into()),
        Field::text("Type", "type", |row: &ListedRow| row.kind.as_str().into()),
        Field::text("State", "state", |row: &ListedRow| row.state.as_str().into()),
        Field::text("Effective start", "effective_start", |row: &ListedRow| row.from.into()).most_first(),
        Field::text("Effective end", "effective_end", |row: &ListedRow| row.until.into()).most_first(),
        Field::text("Of the organisation", "of_organization", |row: &ListedRow| row.of_organization.into()),
        Field::unseen("still_listed", |row: &ListedRow| row.listed.into()),
        Field::unseen("acceptance_terms", |row: &ListedRow| row.acceptance_terms.as_str().into()),
        Field::unseen("terminate_terms", |row: &ListedRow| row.terminate_terms.as_str().into()),
    ];
    List::new("listed", "listed-sort", ROWS, fields)
}

fn scope_path(name: &str) -> String {
    format!("/scopes/{name}")
}
