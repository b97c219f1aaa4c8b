//! Where the assets of Shots come from: libraries, and the characters of a workspace.

use std::sync::Arc;

use anyhow::Result;
use diorama_assets::model::AssetRecord;
use diorama_assets::workspace::is_character;
use diorama_assets::{AssetError, AssetSource, EnvironmentMap, Library, Model, Motion, Workspace};
use diorama_synth::avatar::Performance;
use diorama_synth::draw::AssetLibrary;

use crate::args::AssetArgs;
use crate::output::Output;

/// Built-in people to choose from.
pub const PEOPLE: u32 = 200;
/// Parts of names of motions that go somewhere.
const GOING: [&str; 3] = ["walk", "run", "stroll"];

/// See the module text.
pub struct Shelf {
    /// Of `--assets`, or the built-in one.
    pub library: Library,
    /// Of `--base-path`.
    pub workspace: Option<Workspace>,
    /// The built-in people, for recipes that want somebody.
    people: Workspace,
}

impl Shelf {
    /// Opens what the flags name.
    pub fn open(args: &AssetArgs, output: &Output) -> Result<Self> {
        let (library, mut warnings) = Library::open(&args.assets)?;
        let mut workspace = None;
        if let Some(base) = &args.base_path {
            let (opened, found) = Workspace::open(base)?;
            warnings.0.extend(found.0);
            workspace = Some(opened);
        }
        for warning in warnings.0 {
            output.warning(warning);
        }
        Ok(Self {
            library,
            workspace,
            people: Workspace::builtin(0..PEOPLE)?,
        })
    }

    /// Recoverable trouble of everything loaded so far.
    pub fn warnings(&self) -> Vec<String> {
        let mut all = self.library.warnings().0;
        all.extend(self.workspace.iter().flat_map(|w| w.warnings().0));
        all
    }

    fn cast(&self) -> &Workspace {
        self.workspace.as_ref().unwrap_or(&self.people)
    }
}

/// Skyboxes of a workspace, and the grounds that they show, are unknown to other libraries.
fn or_else<T>(
    found: Result<T, AssetError>,
    workspace: Option<&Workspace>,
    look: impl FnOnce(&Workspace) -> Result<T, AssetError>,
) -> Result<T, AssetError> {
    match (found, workspace) {
        (Err(AssetError::Unknown { .. }), Some(workspace)) => look(workspace),
        (found, _) => found,
    }
}

impl AssetSource for Shelf {
    fn model(&self, id: &str) -> Result<Arc<Model>, AssetError> {
        if is_character(id) && self.workspace.is_none() {
            return Err(AssetError::NoWorkspace { id: id.to_owned() });
        }
        or_else(
            self.library.model(id),
            self.workspace.as_ref(),
            |workspace| workspace.model(id),
        )
    }

    fn environment(&self, id: &str) -> Result<Arc<EnvironmentMap>, AssetError> {
        or_else(
            self.library.environment(id),
            self.workspace.as_ref(),
            |workspace| workspace.environment(id),
        )
    }
}

impl AssetLibrary for Shelf {
    fn objects(&self) -> &[AssetRecord] {
        self.library.objects()
    }

    fn environments(&self) -> &[AssetRecord] {
        self.library.environments()
    }

    fn record(&self, id: &str) -> Result<AssetRecord, AssetError> {
        or_else(
            self.library.record(id),
            self.workspace.as_ref(),
            |workspace| workspace.record(id),
        )
    }

    fn textured(&self, id: &str, pick: &mut dyn FnMut(u64) -> u64) -> String {
        self.library.textured(id, pick)
    }

    fn floor_of(&self, environment: &str) -> Option<String> {
        self.library.floor_of(environment)
    }

    fn with_sun(&self, id: &str, elevation_deg: f64) -> String {
        self.library.with_sun(id, elevation_deg)
    }

    fn words(&self, id: &str) -> Vec<String> {
        self.library.words(id)
    }

    fn walker(&self, pick: &mut dyn FnMut(u64) -> u64) -> Option<Performance> {
        let characters = self.cast().characters();
        let character = &characters[pick(characters.len() as u64) as usize];
        let goes = |motion: &&String| {
            let name = motion.rsplit('/').next().unwrap_or(motion).to_lowercase();
            GOING.iter().any(|part| name.contains(part)) && !name.contains("place")
        };
        // Who has no such motion does what it has where it stands.
        let mut motions: Vec<&String> = character.motions.iter().filter(goes).collect();
        if motions.is_empty() {
            motions = character.motions.iter().collect();
        }
        Some(Performance {
            character: character.id.clone(),
            name: character.name.clone(),
            motion: motions[pick(motions.len() as u64) as usize].clone(),
        })
    }

    fn motion(&self, id: &str) -> Result<Arc<Motion>, AssetError> {
        self.cast().motion(id)
    }
}
