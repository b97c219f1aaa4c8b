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

#[cfg(test)]
mod tests {
    use diorama_render::{RenderSettings, Renderer};
    use diorama_synth::draw::{Measurements, draw_shot};
    use diorama_synth::frame::{Frame, Sight};
    use diorama_synth::geometry::ShotGeometry;
    use diorama_synth::physics::PieceStore;
    use diorama_synth::recipe::RemovalRecipe;
    use diorama_synth::shot::{Exposure, Pose, Shot, Track, World, WorldSet};
    use glam::camera::rh::view::look_at_mat4;
    use glam::{DVec2, Quat, Vec3};

    use super::*;

    const SIZE: u32 = 64;
    /// The frame that the camera looks at.
    const FRAME: u32 = 2;

    fn shelf() -> Shelf {
        Shelf {
            library: Library::open(&[]).unwrap().0,
            workspace: None,
            people: Workspace::builtin(0..3).unwrap(),
        }
    }

    /// Somebody walks with something in a hand, filmed from nearby; ids of the two.
    fn walking(shelf: &Shelf) -> (Shot, u32, u32) {
        let recipe = RemovalRecipe {
            video_length: 5,
            width: SIZE,
            height: SIZE,
            range_num_objs: [1, 2],
            prob_wall: 0.0,
            prob_ground_mirror: 0.0,
            prob_character: 1.0,
            range_held: [1, 1],
            range_held_size: [0.3, 0.35],
            range_pushed: [0, 0],
            ..RemovalRecipe::default()
        };
        let store = PieceStore::default();
        let mut content = |_: &Shot| Ok(Measurements::default());
        let mut shot = draw_shot(&recipe, 5, "000005", shelf, &store, &mut content).unwrap();
        let motion = |shot: &Shot, id: u32| shot.object(id).unwrap().motion.clone();
        let holder = shot.objects.iter().find(|o| o.motion.is_some()).unwrap().id;
        let held = motion(&shot, holder).unwrap().held[0].object;
        let middle = shot.object(held).unwrap().pose.at(FRAME.into()).position;
        let body = shot.object(holder).unwrap().pose.at(FRAME.into()).position;
        // From the side of the hand.
        let aside = (middle - body).with_z(0.0).normalize_or(Vec3::X);
        let position = middle + aside * 1.3 + Vec3::Z * 0.1;
        let view = look_at_mat4(position, middle, Vec3::Z).inverse();
        shot.cameras[0].pose = Track::Constant(Pose {
            position,
            rotation: Quat::from_mat4(&view).normalize(),
        });
        shot.exposure = Exposure::Ev(0.0);
        (shot, holder, held)
    }

    /// The Shot with a world that lacks `removed`.
    fn without(shot: &Shot, removed: &[u32]) -> Shot {
        let mut shot = shot.clone();
        shot.worlds.truncate(1);
        shot.worlds.push(World {
            name: "removed".into(),
            removed: removed.to_vec(),
        });
        for object in &mut shot.objects {
            object.worlds = WorldSet::first(2);
            if removed.contains(&object.id) {
                object.worlds = object.worlds.without(1);
            }
        }
        shot.validate().unwrap();
        shot
    }

    fn rendered(shot: &Shot, shelf: &Shelf) -> Frame {
        let settings = RenderSettings {
            samples: 4,
            ..RenderSettings::default()
        };
        let renderer = Renderer::new(shot, shelf, settings).unwrap();
        renderer.render_frame(FRAME).unwrap()
    }

    #[test]
    fn pictures_of_a_pair_with_something_held_are_those_of_plain_renders_bit_for_bit() {
        let shelf = shelf();
        let (shot, holder, held) = walking(&shelf);
        for removed in [vec![holder, held], vec![held]] {
            let shot = without(&shot, &removed);
            let pair = rendered(&shot, &shelf);
            for world in 0..2 {
                let plain = rendered(&shot.only_world(world), &shelf);
                let bits = |image: &[Vec3]| -> Vec<[u32; 3]> {
                    image
                        .iter()
                        .map(|c| c.to_array().map(f32::to_bits))
                        .collect()
                };
                let own = bits(&pair.worlds[world].radiance.data);
                assert!(own == bits(&plain.worlds[0].radiance.data), "{removed:?}");
            }
            let seen = pair.showing(held, false).filter(|shows| *shows).count();
            assert!(seen > 40, "{seen} pixels");
        }
        // Held by nobody is no Shot.
        let mut alone = without(&shot, &[held]);
        alone.worlds[1].removed = vec![holder];
        for object in &mut alone.objects {
            object.worlds = WorldSet::first(2);
            if object.id == holder {
                object.worlds = object.worlds.without(1);
            }
        }
        let refused = alone.validate().unwrap_err().to_string();
        assert!(refused.contains("without its holder"), "{refused}");
    }

    #[test]
    fn rays_through_tracks_on_what_is_held_meet_the_same_place() {
        let shelf = shelf();
        let (shot, _, held) = walking(&shelf);
        let renderer = Renderer::new(&shot, &shelf, RenderSettings::default()).unwrap();
        let net = (0..40_000).map(|i| DVec2::new(f64::from(i % 200), f64::from(i / 200)));
        let net: Vec<DVec2> = net.map(|p| (p + 0.37) * f64::from(SIZE) / 200.0).collect();
        let first = renderer.visibility(FRAME.into());
        let mut points = first.surfaces_at(&net);
        points.retain(|point| point.instance == held);
        assert!(points.len() > 200, "{}", points.len());
        let geometry = ShotGeometry::new(Arc::new(shot.clone()), &shelf).unwrap();
        let camera = shot.cameras[0].pose.at(0);
        let lens = shot.cameras[0].lens.at(0);
        let focal = f64::from(lens.focal_length_mm / lens.sensor_width_mm) * f64::from(SIZE);
        let half = f64::from(SIZE) / 2.0;
        let mut tested = 0;
        for frame in 0..=4 {
            let posed = geometry.at(frame);
            let tracer = renderer.visibility(frame);
            let sights: Vec<Sight> = points
                .iter()
                .map(|point| {
                    let away = posed.world_position(point).unwrap() - camera.position.as_dvec3();
                    let v = camera.rotation.as_dquat().inverse() * away;
                    let position = DVec2::new(half - v.x / v.z * focal, half + v.y / v.z * focal);
                    Sight {
                        position,
                        point: *point,
                    }
                })
                .collect();
            let positions: Vec<DVec2> = sights.iter().map(|sight| sight.position).collect();
            let found = tracer.surfaces_at(&positions);
            let visible = tracer.are_visible(&sights);
            for ((sight, found), visible) in sights.iter().zip(&found).zip(visible) {
                if !visible {
                    continue;
                }
                let place = posed.world_position(&sight.point).unwrap();
                let met = posed.world_position(found).unwrap();
                let distance = place.distance(camera.position.as_dvec3());
                assert_eq!(found.instance, held);
                assert!(place.distance(met) <= 1e-4 * distance, "frame {frame}");
                tested += 1;
            }
        }
        assert!(tested > 400, "{tested}");
    }
}
