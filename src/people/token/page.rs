//! Tokens as people see them: one's own to make and end, everybody's for administrators.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::web::{self, Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use time::OffsetDateTime;

use super::core::{SLEEPS_AFTER, public_part, write};
use super::db::{self, ListedToken, Whose};
use super::form::{Asked, TokenForm};
use super::reads::Scope;
use crate::State;
use crate::audit_log;
use crate::engagement::{self, Moment};
use crate::error::Error;
use crate::people::session::{Administrator, hash, new_token};
use crate::people::{Role, User, acted};
use crate::web::download::Format;
use crate::web::form::{Choice, Problems};
use crate::web::list::{Field, List};
use crate::web::table::Table;
use crate::web::{Access, Address, Endpoint, Frame, Page, Section, Visit, filters, format};

/// So many tokens of one person may live at once.
const LIVE: i64 = 50;
/// So many are listed, the newest.
const LISTED: i64 = 10_000;
/// Rows of a page.
const ROWS: usize = 50;

pub(in crate::people) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/account/tokens", Access::SignedIn, || web::get().to(list_own)),
        Endpoint::post("/account/tokens", Access::SignedIn, || web::post().to(make)),
        Endpoint::post("/account/tokens/{token_id}/end", Access::SignedIn, || web::post().to(end_own)),
        Endpoint::get("/people/tokens", Access::Administrators, || web::get().to(list_all)),
        Endpoint::post("/people/tokens/{token_id}/end", Access::Administrators, || web::post().to(end_any)),
    ]
}

/// A token with how it stands at a moment.
struct Line {
    token: ListedToken,
    now: OffsetDateTime,
}

impl Line {
    fn is_live(&self) -> bool {
        self.token.ended_at.is_none() && self.token.expires_at > self.now
    }

    fn state(&self) -> &'static str {
        match self.token.ended_at {
            Some(_) => "ended",
            None if self.is_live() => "live",
            None => "expired",
        }
    }
}

fn tokens() -> List<Line> {
    let fields = vec![
        Field::text("Name", "name", |line: &Line| line.token.name.as_str().into()),
        Field::text("Begins with", "public_id", |line| line.token.public_id.as_str().into()),
        Field::text("Of", "made_by", |line| line.token.made_by.as_str().into()),
        Field::text("Reads", "scopes", |line| line.token.scopes.join(" ").into()),
        Field::unseen("room", |line| line.token.room.as_deref().into()),
        Field::text("Made", "made_at", |line: &Line| line.token.made_at.into()).most_first(),
        Field::text("Ends", "expires_at", |line| line.token.expires_at.into()),
        Field::text("Last used", "used_on", |line: &Line| line.token.used_on.into()).most_first(),
        Field::text("State", "state", |line| line.state().into()),
        Field::unseen("ended_by", |line| line.token.ended_by.as_deref().into()),
        Field::unseen("ended_at", |line| line.token.ended_at.into()),
    ];
    List::new("tokens", "sort", ROWS, fields)
}

#[derive(Template)]
#[template(path = "people/tokens.html")]
struct TokensPage {
    frame: Frame,
    /// Where forms of this page are sent.
    base: &'static str,
    /// Whether it is about everybody's.
    all: bool,
    /// The token that was made just now, and the one place where it is ever shown.
    made: Option<String>,
    /// Why none can be made here.
    barred: Option<&'static str>,
    problems: Problems,
    form: TokenForm,
    scopes: [Scope; 3],
    /// Open rooms, where one is to be chosen.
    rooms: Option<Vec<Choice>>,
    lines: Vec<Line>,
    table: Table,
    sleeps: String,
}

/// Whose tokens somebody makes and sees as their own; `None` of a one-time link, which is nobody's.
fn own(user: &User) -> Option<Whose<'static>> {
    match user.person_id {
        Some(person_id) => Some(Whose::Persons(person_id)),
        None => user.demo.then_some(Whose::Demos(user.role.word())),
    }
}

const NOBODYS: &str = "This sign-in is of no person whom a provider knows, so no token can be made in its name.";

/// The rooms open to an auditor; `None` of everybody else.
async fn rooms(state: &State, user: &User, now: OffsetDateTime) -> Result<Option<Vec<Choice>>, Error> {
    if user.role != Role::Auditor {
        return Ok(None);
    }
    let rooms = engagement::rooms_of(&state.db, user).await?;
    let open = rooms.into_iter().filter(|(_, terms)| terms.moment(now) == Moment::Open);
    Ok(Some(open.map(|(id, terms)| Choice::new(id.to_string(), terms.title)).collect()))
}

/// What a page of tokens says beside its rows.
#[derive(Default)]
struct Said {
    made: Option<String>,
    form: TokenForm,
    problems: Problems,
}

async fn page(
    (request, state): (&HttpRequest, &State),
    user: User,
    whose: Option<Whose<'_>>,
    said: Said,
    frame: Option<Frame>,
) -> Result<HttpResponse, Error> {
    let now = state.clock.now();
    let all = matches!(whose, Some(Whose::Everybodys));
    let found = match whose {
        Some(whose) => db::list(&state.db, whose, LISTED).await?,
        None => Vec::new(),
    };
    let lines: Vec<Line> = found.into_iter().map(|token| Line { token, now }).collect();
    let base = if all { "/people/tokens" } else { "/account/tokens" };
    let is_plain = said.made.is_none() && said.problems.is_empty();
    let address = if is_plain { Address::parse(base, request.query_string()) } else { Address::new(base) };
    address.only(&[&["tokens", "sort", "rows", "format"]])?;
    if let Some(format) = Format::of(&address)? {
        return Ok(tokens().download(format, &format!("tokens-{}", now.date()), &address, lines));
    }
    let (lines, mut table) =
        tokens().table(&address, if all { "Tokens of everybody" } else { "Your tokens" }, lines)?;
    table.provenance = false;
    let rooms = if all { None } else { rooms(state, &user, now).await? };
    let barred = match (&rooms, whose) {
        (_, None) => Some(NOBODYS),
        (Some(rooms), _) if rooms.is_empty() => Some("An auditor’s token is of one room, and none is open to you now."),
        _ => None,
    };
    let status = if said.problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let is_team = user.role != Role::Auditor;
    let bare = || Frame { user: Some(user), sections: is_team, ..Frame::bare("Your tokens", state.demo) };
    let frame = frame.unwrap_or_else(bare);
    let page = TokensPage {
        frame,
        base,
        all,
        made: said.made,
        barred,
        problems: said.problems,
        form: said.form,
        scopes: Scope::ALL,
        rooms,
        lines,
        table,
        sleeps: format::plural(SLEEPS_AFTER.whole_days(), "day"),
    };
    Ok(Page(page).answer(status))
}

async fn list_own(request: HttpRequest, state: Data<State>, user: User) -> Result<HttpResponse, Error> {
    let whose = own(&user);
    page((&request, &state), user, whose, Said { form: TokenForm::blank(), ..Said::default() }, None).await
}

async fn list_all(
    request: HttpRequest,
    state: Data<State>,
    Administrator(user): Administrator,
    visit: Visit,
) -> Result<HttpResponse, Error> {
    let frame = visit.frame(Section::Overview, "Everybody’s tokens").crumb("People", "/people");
    drop(visit);
    let frame = Frame { section: None, ..frame };
    page((&request, &state), user, Some(Whose::Everybodys), Said::default(), Some(frame)).await
}

async fn make(
    request: HttpRequest,
    state: Data<State>,
    user: User,
    fields: Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Error> {
    let now = state.clock.now();
    let whose = own(&user).ok_or(Error::Forbidden(NOBODYS))?;
    let form = TokenForm::of(&fields);
    let rooms = rooms(&state, &user, now).await?;
    let open: Option<Vec<i64>> = rooms.map(|rooms| rooms.iter().filter_map(|room| room.value.parse().ok()).collect());
    let asked = match form.check(open.as_deref()) {
        Ok(asked) => asked,
        Err(problems) => {
            return page((&request, &state), user, Some(whose), Said { made: None, form, problems }, None).await;
        }
    };
    let token = issue(&request, &state, &user, whose, &asked, now).await?;
    let said = Said { made: Some(token), form: TokenForm::blank(), ..Said::default() };
    page((&request, &state), user, Some(whose), said, None).await
}

/// Stores a new token by its hash, on record, and gives the token itself.
async fn issue(
    request: &HttpRequest,
    state: &State,
    user: &User,
    whose: Whose<'_>,
    asked: &Asked,
    now: OffsetDateTime,
) -> Result<String, Error> {
    let public_id = public_part(&new_token()?);
    let token = write(&public_id, &new_token()?);
    let scopes: Vec<&'static str> = asked.scopes.iter().map(|scope| scope.word()).collect();
    let new = db::NewToken {
        public_id: &public_id,
        token_hash: &hash(&token),
        person_id: user.person_id,
        demo_role: user.demo.then(|| user.role.word()),
        name: &asked.name,
        scopes: &scopes,
        engagement_id: asked.engagement_id,
        made_by: &user.identity,
        now,
        expires_at: now + asked.lasts,
    };
    let mut tx = state.db.begin().await?;
    if db::live(&mut *tx, whose, now).await? >= LIVE {
        return Err(Error::Conflict(format!("At most {LIVE} of your tokens live at once: end one first.")));
    }
    let id = db::insert(&mut tx, &new).await?;
    let detail = serde_json::json!({
        "name": asked.name, "public_id": public_id, "scopes": scopes, "expires_at": format::at(new.expires_at),
        "room": asked.engagement_id,
    });
    audit_log::record(&mut tx, &acted(user, request, "make token", format!("token {id}")).detail(detail)).await?;
    tx.commit().await?;
    Ok(token)
}

async fn end_own(
    request: HttpRequest,
    state: Data<State>,
    user: User,
    token_id: Path<String>,
) -> Result<HttpResponse, Error> {
    let whose = own(&user).ok_or(Error::NotFound)?;
    end((&request, &state), &user, whose, &token_id).await
}

async fn end_any(
    request: HttpRequest,
    state: Data<State>,
    Administrator(user): Administrator,
    token_id: Path<String>,
) -> Result<HttpResponse, Error> {
    end((&request, &state), &user, Whose::Everybodys, &token_id).await
}

async fn end(
    (request, state): (&HttpRequest, &State),
    user: &User,
    whose: Whose<'_>,
    token_id: &str,
) -> Result<HttpResponse, Error> {
    let token_id: i64 = token_id.parse().map_err(|_invalid| Error::NotFound)?;
    let mut tx = state.db.begin().await?;
    let (name, is_new) =
        db::end(&mut tx, whose, token_id, (&user.identity, state.clock.now())).await?.ok_or(Error::NotFound)?;
    if is_new {
        let detail = serde_json::json!({ "name": name });
        let entry = acted(user, request, "end token", format!("token {token_id}")).detail(detail);
        audit_log::record(&mut tx, &entry).await?;
    }
    tx.commit().await?;
    let back = if matches!(whose, Whose::Everybodys) { "/people/tokens" } else { "/account/tokens" };
    Ok(HttpResponse::SeeOther().insert_header((LOCATION, back)).finish())
}
