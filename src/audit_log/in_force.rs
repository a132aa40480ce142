//! The settings that a server starts with, on record: which are in force, and what is different from the start before. A
//! secret is never among them, only that it is set.

use std::collections::BTreeMap;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Map, Value, json};
use sqlx::{Connection as _, PgConnection, PgPool};

use super::{Entry, db};
use crate::secret::Secret;

/// Each setting of a command by its long name, with its value in words. One that is not set is left out.
pub type InForce = BTreeMap<String, String>;

/// The settings of the innermost command that was asked for.
pub fn in_force(command: &Command, matches: &ArgMatches) -> InForce {
    if let Some((name, matches)) = matches.subcommand() {
        return command.find_subcommand(name).map(|command| in_force(command, matches)).unwrap_or_default();
    }
    let named = command.get_arguments().filter_map(|arg| Some((arg, arg.get_long()?)));
    named.filter_map(|(arg, name)| Some((name.to_owned(), words(arg, matches)?))).collect()
}

fn words(arg: &Arg, matches: &ArgMatches) -> Option<String> {
    if matches!(arg.get_action(), ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version) {
        return None;
    }
    let values = matches.try_get_raw(arg.get_id().as_str()).ok().flatten()?;
    let is_secret =
        arg.is_hide_env_values_set() || arg.get_value_parser().type_id() == std::any::TypeId::of::<Secret>();
    if is_secret {
        return Some("set".to_owned());
    }
    let values: Vec<String> = values.map(|value| value.to_string_lossy().into_owned()).collect();
    Some(values.join(", ")).filter(|words| words != "false")
}

/// What is different: before and after, each with the names that differ; null where it was not set.
fn differences(before: &InForce, after: &InForce) -> (Map<String, Value>, Map<String, Value>) {
    let names = before.keys().chain(after.keys()).filter(|name| before.get(*name) != after.get(*name));
    let of = |settings: &InForce, name: &String| (name.clone(), json!(settings.get(name)));
    names.map(|name| (of(before, name), of(after, name))).unzip()
}

/// Records that a server starts.
pub async fn started(db: &PgPool, in_force: &InForce) -> anyhow::Result<()> {
    let mut tx = db.begin().await?;
    let before: Option<InForce> = db::newest_detail(&mut tx, START)
        .await?
        .and_then(|mut detail| serde_json::from_value(detail["settings"].take()).ok());
    let mut detail = json!({
        "version": env!("CARGO_PKG_VERSION"), "commit": env!("AUDITFOLIO_COMMIT"), "settings": in_force,
    });
    if let Some(before) = before {
        let (before, after) = differences(&before, in_force);
        detail["before"] = before.into();
        detail["after"] = after.into();
    }
    db::record(&mut tx, &Entry::by_operator(START, "").detail(detail)).await?;
    Ok(tx.commit().await?)
}

const START: &str = "start server";

/// Records that a server has ended as it was asked to.
pub async fn stopped(db: &PgPool) -> sqlx::Result<()> {
    // Not by the pool: its connections live in the runtimes of the server's threads, which have ended.
    let mut connection = PgConnection::connect_with(&db.connect_options()).await?;
    let mut tx = connection.begin().await?;
    db::record(&mut tx, &Entry::by_operator("stop server", "")).await?;
    tx.commit().await?;
    connection.close().await
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use clap::CommandFactory as _;

    use super::*;
    use crate::settings::Settings;

    fn of(arguments: &[&str]) -> InForce {
        let mut command = Settings::command();
        command.build();
        let matches = command.try_get_matches_from_mut([&["auditfolio"], arguments].concat()).unwrap();
        in_force(&command, &matches)
    }

    #[test]
    fn settings_are_told_with_their_defaults_and_secrets_only_as_set() {
        let told = of(&[
            "serve",
            "--grace-hours",
            "7",
            "--smtp-url",
            "smtp://me:geheim@host",
            "--database-url",
            "postgres://u:geheim@h/d",
        ]);
        assert_eq!(told["grace-hours"], "7");
        assert_eq!(told["bind"], "127.0.0.1:8080", "a default is in force too");
        assert_eq!((told["smtp-url"].as_str(), told["database-url"].as_str()), ("set", "set"));
        assert!(!format!("{told:?}").contains("geheim"), "{told:?}");
        assert!(!told.contains_key("demo-sign-in"), "what is off is left out: {told:?}");
        assert_eq!(of(&["serve", "--demo-sign-in"])["demo-sign-in"], "true");
    }

    #[test]
    fn only_what_differs_is_told_with_what_it_was() {
        let settings = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let (before, after) = differences(
            &settings(&[("a", "1"), ("b", "2"), ("c", "3")]),
            &settings(&[("a", "1"), ("b", "4"), ("d", "5")]),
        );
        assert_eq!(Value::from(before), json!({ "b": "2", "c": "3", "d": null }));
        assert_eq!(Value::from(after), json!({ "b": "4", "c": null, "d": "5" }));
    }
}
