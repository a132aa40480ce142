//! Row ids of what was read of a place.

use std::collections::HashMap;

use anyhow::Context as _;
use sqlx::PgConnection;

use super::names::Names;
use super::registry::{self, Registry};

/// Row ids of the names in [`Names`], by number.
pub(super) struct Ids {
    pub(super) rules: Vec<i32>,
    pub(super) statuses: Vec<i16>,
    pub(super) resources: Vec<i32>,
    /// By row id.
    pub(super) resource_types: HashMap<i32, i16>,
    pub(super) packs: Vec<i32>,
}

impl Ids {
    /// Finds or makes the rows.
    pub(super) async fn resolve(
        registry: &Registry,
        tx: &mut PgConnection,
        place_id: i32,
        names: &Names,
    ) -> anyhow::Result<Self> {
        let packs = packs(registry, tx, place_id, names).await?;
        let types = registry.resource_types(names.resource_types.texts()).await?;
        let type_of = |number: &u32| usize::try_from(*number).map(|at| types[at]).expect("u32 fits usize");
        let resource_types: Vec<i16> = names.resource_list.iter().map(|(number, _)| type_of(number)).collect();
        let ids: Vec<&str> = names.resource_list.iter().map(|(_, id)| &**id).collect();
        let resources = registry::resources(tx, place_id, &resource_types, &ids).await?;
        anyhow::ensure!(resources.len() == ids.len(), "the store did not take {} resources", ids.len());
        Ok(Self {
            rules: registry.rules(names.rules.texts()).await?,
            statuses: registry.statuses(names.statuses.texts()).await?,
            resource_types: resources.iter().copied().zip(resource_types).collect(),
            resources,
            packs,
        })
    }
}

/// Row ids of the packs in [`Names`]; rules of those that have a name go to its timelines.
async fn packs(registry: &Registry, tx: &mut PgConnection, place_id: i32, names: &Names) -> anyhow::Result<Vec<i32>> {
    let before = registry::packs(tx, place_id).await?;
    for (at, id) in names.packs.texts().iter().enumerate() {
        let named = names.pack_names.get(at).and_then(Option::as_ref).map(|(day, name)| (*day, &**name));
        if named.is_some() || !before.contains_key(&**id) {
            registry::keep_pack(tx, place_id, id, named).await?;
        }
    }
    let packs = registry::packs(tx, place_id).await?;
    let mut ids = Vec::with_capacity(names.packs.texts().len());
    for id in names.packs.texts() {
        let pack = packs.get(&**id).context("the store did not take a conformance pack")?;
        if !pack.core_name.is_empty() {
            registry.name_pack(id.strip_prefix("conformance-pack-").unwrap_or(id), &pack.core_name).await?;
        }
        ids.push(pack.pack_id);
    }
    Ok(ids)
}

/// The id behind a number of [`Names`].
pub(super) fn at<T: Copy>(ids: &[T], number: u32) -> T {
    ids[usize::try_from(number).expect("u32 fits usize")]
}
