//! Laws of whole shots, on a small library made here.

use std::collections::BTreeSet;
use std::sync::Arc;

use diorama_assets::environment::SunRecord;
use diorama_assets::model::AssetRecord;
use diorama_assets::{
    AssetError, AssetSource, EnvironmentMap, Image, Library, Material, Mesh, Model, Pixels,
};
use glam::Vec3;

use super::*;
use crate::recipe::{Layers, PairKind};
use crate::shot::{LightKind, Role, Track};

/// Boxes of three shapes, a floor and slabs, one sky with a sun and one picture without.
struct Shelf {
    objects: Vec<AssetRecord>,
    environments: Vec<AssetRecord>,
}

fn record(id: &str, noun: &str) -> AssetRecord {
    AssetRecord {
        id: id.to_owned(),
        blake3: String::new(),
        license: "CC0-1.0".into(),
        attribution: "made for a test".into(),
        noun: noun.to_owned(),
        mass_kg: None,
        friction: None,
        restitution: None,
    }
}

fn block(half: Vec3) -> Model {
    let corners: Vec<Vec3> = (0..8)
        .map(|i| {
            Vec3::select(
                glam::BVec3::new(i & 1 == 1, i & 2 == 2, i & 4 == 4),
                half,
                -half,
            )
        })
        .collect();
    let triangles = vec![[0, 2, 1], [1, 2, 3], [4, 5, 6], [5, 7, 6]];
    Model {
        meshes: vec![Arc::new(Mesh {
            positions: corners.clone(),
            material_of_triangle: vec![0; triangles.len()],
            triangles,
            ..Mesh::default()
        })],
        materials: vec![Material::default()],
        images: Vec::new(),
        convex_pieces: vec![corners],
        rig: None,
        motions: Vec::new(),
    }
}

impl Shelf {
    fn new() -> Self {
        Self {
            objects: vec![
                record("box/cube", "cube"),
                record("box/plank", "plank"),
                record("box/tile", "floor tile"),
            ],
            environments: vec![record("sky", "sky"), record("street", "street")],
        }
    }
}

impl AssetLibrary for Shelf {
    fn objects(&self) -> &[AssetRecord] {
        &self.objects
    }

    fn environments(&self) -> &[AssetRecord] {
        &self.environments
    }

    fn record(&self, id: &str) -> Result<AssetRecord, AssetError> {
        Ok(record(id, id.rsplit('/').next().unwrap_or(id)))
    }

    fn floor_of(&self, environment: &str) -> Option<String> {
        (environment == "street").then(|| "builtin/floor?environment=street".into())
    }

    fn with_sun(&self, id: &str, elevation_deg: f64) -> String {
        if id == "sky" {
            format!("sky?elevation={elevation_deg}")
        } else {
            id.to_owned()
        }
    }
}

impl AssetSource for Shelf {
    fn model(&self, id: &str) -> Result<Arc<Model>, AssetError> {
        Ok(Arc::new(block(match id.split('?').next().unwrap() {
            "box/cube" => Vec3::splat(0.5),
            "box/plank" => Vec3::new(1.0, 0.4, 0.3),
            "box/tile" => Vec3::new(1.0, 0.8, 0.3),
            "builtin/floor" | "builtin/wall" | "builtin/mirror_slab" => Vec3::ONE,
            _ => return Err(AssetError::Unknown { id: id.to_owned() }),
        })))
    }

    fn environment(&self, id: &str) -> Result<Arc<EnvironmentMap>, AssetError> {
        let elevation: Option<f64> = id
            .split_once("elevation=")
            .map(|(_, text)| text.parse().unwrap());
        Ok(Arc::new(EnvironmentMap {
            image: Image {
                name: id.to_owned(),
                width: 2,
                height: 1,
                pixels: Pixels::RgbF32(vec![[1.0; 3]; 2]),
            },
            sun: elevation.map(|elevation| SunRecord {
                direction_to_sun: sample::direction_at(0.4, elevation.to_radians()).to_array(),
                irradiance: [3.0, 2.0, 1.0],
                angular_diameter_rad: 0.01,
            }),
            description: "a clear sky".into(),
            night: false,
        }))
    }
}

/// Everything is seen.
#[expect(clippy::unnecessary_wraps, reason = "the signature of a check")]
fn content(shot: &Shot) -> Result<Measurements, CheckError> {
    Ok(Measurements {
        removed: shot
            .worlds
            .iter()
            .filter(|world| world.name.starts_with("removed"))
            .map(|world| RemovedSet {
                area: vec![0.1],
                objects: vec![vec![0.1]; world.removed.len()],
            })
            .collect(),
        brightness: None,
    })
}

fn short() -> RemovalRecipe {
    RemovalRecipe {
        video_length: 6,
        ..RemovalRecipe::default()
    }
}

fn draw(recipe: &RemovalRecipe, seed: u64) -> Shot {
    draw_shot(
        recipe,
        seed,
        "000001",
        &Shelf::new(),
        &PieceStore::default(),
        &mut content,
    )
    .unwrap()
}

#[test]
fn every_shot_keeps_the_bounds_of_the_recipe() {
    let recipe = short();
    let mut seen = BTreeSet::new();
    for seed in 0..24 {
        let shot = draw(&recipe, seed);
        let foreground: Vec<_> = shot
            .objects
            .iter()
            .filter(|o| o.role != Role::Background)
            .collect();
        assert!((1..6).contains(&foreground.len()));
        let removed = &shot.worlds[1].removed;
        assert!(!removed.is_empty() && removed.len() <= foreground.len());
        assert!(removed.is_sorted_by(|a, b| a < b), "without replacement");
        for backdrop in ["floor", "wall", "mirror"] {
            assert!(foreground.iter().all(|object| object.name != backdrop));
        }
        for object in &foreground {
            assert_eq!(object.role == Role::Remove, removed.contains(&object.id));
            assert_eq!(object.worlds.contains(1), !removed.contains(&object.id));
            assert!(object.worlds.contains(0));
            let physics = object.physics.as_ref().unwrap();
            assert!(physics.largest_penetration <= 0.03);
            if physics.stationary {
                assert!(object.pose.is_constant());
                assert!(physics.resting_gap.unwrap() <= 2e-3);
                seen.insert("stationary");
            } else {
                // Frame −1 is the start: its lowest point is within the spawn heights.
                let model = Shelf::new().model(&object.asset).unwrap();
                let pose = object.pose.at(-1);
                let corners: Vec<Vec3> = model.meshes[0]
                    .positions
                    .iter()
                    .map(|p| pose.position + pose.rotation * (*p * object.scale))
                    .collect();
                let low = corners.iter().fold(Vec3::INFINITY, |a, b| a.min(*b));
                let high = corners.iter().fold(Vec3::NEG_INFINITY, |a, b| a.max(*b));
                assert!((1.999..=4.001).contains(&low.z), "{}", low.z);
                let middle = (low + high) * 0.5;
                assert!(middle.x.abs() <= 4.001 && middle.y.abs() <= 4.001);
                seen.insert("thrown");
            }
            let size = Shelf::new().model(&object.asset).unwrap().meshes[0]
                .bounds()
                .unwrap();
            let longest = ((size.1 - size.0) * object.scale).max_element();
            assert!((0.999..=3.001).contains(&longest));
        }
        let LightKind::Sun(sun) = &shot.lights[0].kind else {
            panic!("the light is a sun")
        };
        let elevation = libm::asinf(sun.direction_to_sun[2]).to_degrees();
        assert!((1.99..=75.01).contains(&elevation), "{elevation}");
        let mean = sun.irradiance.iter().sum::<f32>() / 3.0;
        // The sky of the shelf has radiance 1, its sun 2 W/m² on the mean of the channels.
        let has_sky = shot.environment.asset.as_ref().unwrap().starts_with("sky");
        let sky = if has_sky {
            assert!((mean / shot.environment.strength - 2.0).abs() < 1e-4);
            std::f32::consts::PI * shot.environment.strength
        } else {
            assert_eq!(shot.environment.strength, 1.0);
            0.0
        };
        assert!((3.99..=6.01).contains(&(mean + sky)));
        assert!((0.49..=5.01).contains(&sun.angular_diameter_rad.to_degrees()));
        let steps = shot.frame_time_secs * 240.0;
        assert!((8..=11).any(|k| (steps - f64::from(k)).abs() < 1e-9));
        seen.extend(shot.objects.iter().filter_map(|o| match o.name.as_str() {
            "wall" => Some("wall"),
            "mirror" => Some("mirror"),
            _ => None,
        }));
        assert!(shot.validate().is_ok());
        let again = Shot::from_json(&shot.to_json()).unwrap();
        assert_eq!(again, shot, "a shot survives its JSON");
    }
    assert_eq!(
        seen.into_iter().collect::<Vec<_>>(),
        ["mirror", "stationary", "thrown", "wall"]
    );
}

#[test]
fn nothing_overlaps_at_the_start_and_settled_things_rest() {
    let recipe = RemovalRecipe {
        range_num_objs: [5, 6],
        ..short()
    };
    for seed in 0..8 {
        let shot = draw(&recipe, seed);
        let bodies: Vec<Body> = shot
            .objects
            .iter()
            .map(|object| {
                let model = Shelf::new().model(&object.asset).unwrap();
                let shape = if object.name == "floor" {
                    crate::physics::BodyShape::floor()
                } else {
                    crate::physics::BodyShape::of_pieces("", &model.convex_pieces, object.scale)
                        .unwrap()
                };
                Body {
                    id: object.id,
                    shape: Arc::new(shape),
                    motion: if object.role == Role::Background {
                        crate::physics::Motion::Fixed
                    } else {
                        crate::physics::Motion::Dynamic {
                            mass_kg: 1.0,
                            linear_velocity: Vec3::ZERO,
                        }
                    },
                    friction: 0.5,
                    restitution: 0.5,
                    pose: *object.pose.at(-1),
                }
            })
            .collect();
        let poses: Vec<_> = bodies.iter().map(|b| b.pose).collect();
        for depth in crate::physics::penetrations(&bodies, &poses, 0) {
            assert!(depth <= 2e-3, "{depth} m at the start of seed {seed}");
        }
    }
}

#[test]
fn the_sky_turns_to_the_sun_and_has_its_elevation() {
    let recipe = RemovalRecipe {
        environments: vec!["sky".into()],
        prob_extreme_lighting: 1.0,
        ..short()
    };
    let shot = draw(&recipe, 3);
    let id = shot.environment.asset.as_ref().unwrap();
    let map = Shelf::new().environment(id).unwrap();
    let turned = glam::Quat::from_rotation_z(shot.environment.rotation_rad)
        * Vec3::from_array(map.sun.unwrap().direction_to_sun);
    let LightKind::Sun(sun) = &shot.lights[0].kind else {
        panic!("the light is a sun")
    };
    assert!((turned - Vec3::from_array(sun.direction_to_sun)).length() < 1e-5);
    let elevation = libm::asinf(sun.direction_to_sun[2]).to_degrees();
    assert!((1.99..=12.01).contains(&elevation));
}

#[test]
fn the_floor_shows_the_ground_of_pictures_of_places() {
    let generated = RemovalRecipe {
        floor: crate::recipe::Floor::Texture,
        ..short()
    };
    let mut projected = 0;
    for seed in 0..8 {
        let shot = draw(&short(), seed);
        let is_street = shot.environment.asset.as_deref() == Some("street");
        let of_street = shot.objects[0].asset == "builtin/floor?environment=street";
        assert_eq!(of_street, is_street);
        projected += u32::from(of_street);
        let plain = draw(&generated, seed);
        assert_eq!(plain.objects[0].asset, "builtin/floor");
        assert_eq!(plain.objects[1..], shot.objects[1..], "nothing else moves");
    }
    assert!((1..8).contains(&projected));
}

#[test]
fn same_seed_same_shot_other_seed_other_shot_and_seed_zero_is_a_seed() {
    let recipe = short();
    assert_eq!(draw(&recipe, 0), draw(&recipe, 0));
    assert_ne!(draw(&recipe, 0).objects, draw(&recipe, 1).objects);
}

#[test]
fn output_options_move_no_stream() {
    let base = RemovalRecipe {
        prob_stationary_object: 0.0,
        ..short()
    };
    let plain = draw(&base, 5);
    let mut changed = base.clone();
    changed.width = 832;
    changed.height = 480;
    changed.video_fps = VideoFps::Drawn(crate::recipe::SceneRate::Scene);
    changed.view = crate::shot::View::Agx;
    changed.keep_step_poses = true;
    let mut other = draw(&changed, 5);
    for (a, b) in other.objects.iter_mut().zip(&plain.objects) {
        if let (Some(a), Some(b)) = (&mut a.physics, &b.physics) {
            assert!(!a.step_poses.is_empty());
            a.step_poses.clone_from(&b.step_poses);
        }
    }
    assert_eq!(other.objects, plain.objects);
    assert_eq!(other.cameras, plain.cameras);
    assert_eq!(other.lights, plain.lights);

    // A longer clip begins with the same motion.
    changed.video_length = 12;
    let longer = draw(&changed, 5);
    for (a, b) in longer.objects.iter().zip(&plain.objects) {
        for frame in -1..=6 {
            assert_eq!(a.pose.at(frame), b.pose.at(frame));
        }
    }
}

#[test]
fn rejected_attempts_are_counted_and_a_hopeless_recipe_says_why() {
    let recipe = short();
    let mut looks = 0;
    let mut picky = |shot: &Shot| {
        looks += 1;
        let mut measured = content(shot)?;
        if looks <= 3 {
            measured.removed[0].objects[0] = vec![0.0];
        }
        Ok(measured)
    };
    let shot = draw_shot(
        &recipe,
        9,
        "x",
        &Shelf::new(),
        &PieceStore::default(),
        &mut picky,
    )
    .unwrap();
    assert!(shot.attempts.accepted >= 3);
    assert_eq!(shot.attempts.rejected[Rejection::Hidden.words()], 3);
    assert_eq!(
        shot.attempts.rejected.values().sum::<u32>(),
        shot.attempts.accepted
    );

    let crowded = RemovalRecipe {
        range_num_objs: [30, 31],
        range_object_scale: [3.0, 3.0],
        range_spawn_xy: [-1.0, 1.0],
        placement_tries: 5,
        max_attempts: 4,
        ..short()
    };
    let store = PieceStore::default();
    let error = draw_shot(&crowded, 9, "x", &Shelf::new(), &store, &mut content).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no usable shot in 4 attempts: an object found no free place (4)"
    );
}

#[test]
fn several_removed_sets_differ_and_layers_lack_one_object_each() {
    let recipe = RemovalRecipe {
        range_num_objs: [4, 5],
        tuples_per_shot: 3,
        layers: Layers::Object,
        ..short()
    };
    let shot = draw(&recipe, 2);
    let names: Vec<&str> = shot.worlds.iter().map(|w| w.name.as_str()).collect();
    assert_eq!(names[..4], ["full", "removed", "removed_2", "removed_3"]);
    let sets: BTreeSet<_> = shot.worlds[1..4].iter().map(|w| &w.removed).collect();
    assert_eq!(sets.len(), 3);
    assert_eq!(shot.worlds.len(), 8);
    for world in &shot.worlds[4..] {
        let object = shot.object(world.removed[0]).unwrap();
        assert_eq!(world.name, format!("layer/{}", object.name));
        assert_eq!(world.removed.len(), 1);
    }
    for object in &shot.objects {
        for (index, world) in shot.worlds.iter().enumerate() {
            assert_eq!(
                object.worlds.contains(index),
                !world.removed.contains(&object.id)
            );
        }
    }
    // One object has only one set, whatever is asked.
    let single = RemovalRecipe {
        range_num_objs: [1, 2],
        tuples_per_shot: 3,
        ..short()
    };
    assert_eq!(draw(&single, 2).worlds.len(), 2);
}

#[test]
fn a_counterfactual_drops_what_rested_on_a_removed_object() {
    // Many settled boxes on a small spot: some lie on others.
    let recipe = RemovalRecipe {
        range_num_objs: [5, 6],
        prob_stationary_object: 1.0,
        prob_wall: 0.0,
        range_spawn_xy: [-0.8, 0.8],
        range_spawn_z_stationary: [0.5, 8.0],
        range_object_scale: [1.0, 1.5],
        pair: PairKind::Counterfactual,
        video_length: 20,
        ..RemovalRecipe::default()
    };
    let mut with_twins = 0;
    for seed in 0..6 {
        let shot = draw(&recipe, seed);
        let removed = shot.worlds[1].removed.clone();
        for twin in shot.objects.iter().filter(|o| !o.worlds.contains(0)) {
            with_twins += 1;
            assert_eq!(twin.role, Role::Keep);
            assert!(twin.worlds.contains(1));
            let original = shot
                .objects
                .iter()
                .find(|o| o.name == twin.name && o.id != twin.id)
                .unwrap();
            assert!(original.worlds.contains(0) && !original.worlds.contains(1));
            assert!(!removed.contains(&original.id) && twin.id > original.id);
            // Both start in the same place; only the twin falls.
            assert_eq!(original.pose.at(-1), twin.pose.at(-1));
            assert!(matches!(twin.pose, Track::PerFrame(_)));
            assert!(twin.pose.at(20).position.z < original.pose.at(20).position.z + 1e-2);
        }
    }
    assert!(with_twins > 0);
}

#[test]
fn an_empty_choice_and_an_unknown_asset_are_errors_not_redraws() {
    let recipe = RemovalRecipe {
        objects: vec!["box/none".into()],
        ..short()
    };
    let store = PieceStore::default();
    let error = draw_shot(&recipe, 1, "x", &Shelf::new(), &store, &mut content).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("`box/none` is not in the library")
    );
    let failing = draw_shot(&short(), 1, "x", &Shelf::new(), &store, &mut |_| {
        Err("no memory".into())
    });
    assert!(matches!(failing, Err(DrawError::Check(_))));
}

#[test]
fn the_built_in_library_gives_shots() {
    let (library, _) = Library::open(&[]).unwrap();
    let store = PieceStore::default();
    let recipe = RemovalRecipe {
        video_length: 24,
        ..RemovalRecipe::default()
    };
    for seed in 0..4 {
        let shot = draw_shot(&recipe, seed, "000000", &library, &store, &mut content).unwrap();
        assert!(shot.validate().is_ok());
        let environment = shot.environment.asset.as_ref().unwrap();
        assert!(shot.assets.iter().any(|record| record.id == *environment));
        for object in &shot.objects {
            assert!(!object.noun.is_empty());
            assert!(!object.adjectives.is_empty(), "{}", object.asset);
        }
    }
}

#[test]
fn real_objects_fall_and_settle() {
    let shared = std::env::var_os("DIORAMA_SHARED").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        std::path::PathBuf::from,
    );
    let folder = shared.join("assets/objects");
    if !folder.is_dir() {
        #[expect(clippy::print_stderr, reason = "a skipped test says so")]
        {
            eprintln!("skipped: the shared assets are not there (DIORAMA_SHARED)");
        }
        return;
    }
    let (library, _) = Library::open(&[folder]).unwrap();
    let store = PieceStore::default();
    let ids: Vec<String> = library.objects().iter().map(|r| r.id.clone()).collect();
    assert!(!ids.is_empty());
    for (seed, id) in ids.iter().enumerate() {
        let recipe = RemovalRecipe {
            objects: vec![id.clone()],
            environments: vec!["builtin/overcast?seed=0".into()],
            range_num_objs: [2, 3],
            prob_stationary_object: (seed % 2) as f64,
            video_length: 12,
            ..RemovalRecipe::default()
        };
        let shot = draw_shot(&recipe, seed as u64, id, &library, &store, &mut content).unwrap();
        let record = shot.assets.iter().find(|record| record.id == *id).unwrap();
        assert!(!record.blake3.is_empty());
        for object in shot.objects.iter().filter(|o| o.role != Role::Background) {
            let physics = object.physics.as_ref().unwrap();
            assert!(physics.largest_penetration < 0.03);
            assert!(!physics.stationary || physics.resting_gap.unwrap() <= 2e-3);
        }
    }
}

/// The boxes and people.
struct Peopled(Shelf, diorama_assets::Workspace);

impl AssetSource for Peopled {
    fn model(&self, id: &str) -> Result<Arc<Model>, AssetError> {
        self.0.model(id).or_else(|_| self.1.model(id))
    }

    fn environment(&self, id: &str) -> Result<Arc<EnvironmentMap>, AssetError> {
        self.0.environment(id)
    }
}

impl AssetLibrary for Peopled {
    fn objects(&self) -> &[AssetRecord] {
        self.0.objects()
    }

    fn environments(&self) -> &[AssetRecord] {
        self.0.environments()
    }

    fn record(&self, id: &str) -> Result<AssetRecord, AssetError> {
        if id.starts_with("builtin/person") {
            self.1.record(id)
        } else {
            AssetLibrary::record(&self.0, id)
        }
    }

    fn walker(&self, pick: &mut dyn FnMut(u64) -> u64) -> Option<crate::avatar::Performance> {
        let characters = self.1.characters();
        let character = &characters[pick(characters.len() as u64) as usize];
        Some(crate::avatar::Performance {
            character: character.id.clone(),
            name: character.name.clone(),
            motion: "builtin/motion/walk".into(),
        })
    }

    fn motion(&self, id: &str) -> Result<Arc<diorama_assets::Motion>, AssetError> {
        self.1.motion(id)
    }
}

/// Somebody walks, with something in both hands and two things in the way.
fn walked(seed: u64, change: impl Fn(&mut RemovalRecipe)) -> Shot {
    static LIBRARY: std::sync::LazyLock<Peopled> = std::sync::LazyLock::new(|| {
        let people = diorama_assets::Workspace::builtin(0..3).unwrap();
        Peopled(Shelf::new(), people)
    });
    let mut recipe = RemovalRecipe {
        video_length: 40,
        range_num_objs: [1, 2],
        range_object_scale: [1.0, 1.2],
        prob_wall: 0.0,
        prob_stationary_object: 1.0,
        prob_character: 1.0,
        range_held: [2, 2],
        range_pushed: [2, 2],
        ..RemovalRecipe::default()
    };
    change(&mut recipe);
    let store = PieceStore::default();
    draw_shot(&recipe, seed, "000001", &*LIBRARY, &store, &mut content).unwrap()
}

fn walker(shot: &Shot) -> &Object {
    let mut objects = shot.objects.iter();
    objects.find(|object| object.body.is_some()).unwrap()
}

#[test]
fn what_is_held_goes_with_its_holder_in_every_frame_and_world() {
    let (mut removed, mut kept, mut alone) = (0, 0, 0);
    let mut in_hands = 0;
    for seed in 0..6 {
        let shot = walked(seed, |recipe| {
            recipe.tuples_per_shot = 3;
            recipe.layers = Layers::Object;
        });
        let walker = walker(&shot);
        let held = &walker.motion.as_ref().unwrap().held;
        // Wide things fit nowhere beside stout legs: then hands are empty.
        in_hands += held.len();
        for held in held {
            let object = shot.object(held.object).unwrap();
            for (index, world) in shot.worlds.iter().enumerate() {
                // Nothing hangs in the air where its holder is gone.
                let holder_is_there = walker.worlds.contains(index);
                assert!(
                    holder_is_there || !object.worlds.contains(index),
                    "{}",
                    world.name
                );
                if world.name.starts_with("removed") {
                    removed += u32::from(!holder_is_there);
                    kept += u32::from(object.worlds.contains(index));
                    alone += u32::from(holder_is_there && !object.worlds.contains(index));
                }
            }
            let in_hand = |frame: i64| {
                let body = &walker.body.as_ref().unwrap().at(frame).joints;
                let hand = walker.pose.at(frame).world_from_object(walker.scale)
                    * body[usize::from(held.joint)];
                let place = object.pose.at(frame).world_from_object(object.scale);
                [Vec3::ZERO, Vec3::X, Vec3::Y]
                    .map(|p| (hand.inverse() * place).transform_point3(p * 0.2))
            };
            let first = in_hand(-1);
            for frame in 0..=40 {
                for (a, b) in first.iter().zip(in_hand(frame)) {
                    assert!(a.distance(b) < 1e-4, "seed {seed}, frame {frame}");
                }
            }
        }
    }
    assert!(in_hands > 6, "{in_hands} of 12 hands");
    assert!(
        removed > 0 && kept > 0 && alone > 0,
        "{removed} {kept} {alone}"
    );
}

/// What has settled may still rock by this much, metres.
const CREEP: f32 = 5e-3;

#[test]
fn what_is_pushed_moves_only_after_it_was_touched() {
    let (mut pushed, mut stayed) = (0, 0);
    for seed in 0..14 {
        let shot = walked(seed, |recipe| recipe.pair = PairKind::Counterfactual);
        let walker = walker(&shot);
        let held = walker.motion.as_ref().unwrap().held.len() as u32;
        let in_the_way = shot
            .objects
            .iter()
            .filter(|o| o.id > walker.id + held && o.worlds.contains(0));
        for object in in_the_way {
            let start = object.pose.at(-1);
            let moved = |frame: i64| start.position.distance(object.pose.at(frame).position);
            // Floors do not move things.
            let touched = shot.contacts.iter().find(|contact| {
                contact.objects.contains(&object.id) && !contact.objects.contains(&1)
            });
            let until = touched.map_or(40, |contact| i64::from(contact.frame));
            // Frame f ends interval f: a touch in it moves what the frame after shows.
            for frame in 0..until {
                assert!(
                    moved(frame) < CREEP,
                    "seed {seed}: {} in {frame}",
                    moved(frame)
                );
            }
            if moved(40) > 0.05 {
                pushed += 1;
                // Without the walker it stays where it is.
                if !walker.worlds.contains(1) && !object.worlds.contains(1) {
                    let twin = shot
                        .objects
                        .iter()
                        .find(|other| other.name == object.name && other.id != object.id);
                    if let Some(twin) = twin {
                        stayed += 1;
                        let end = twin.pose.at(40).position;
                        assert!(start.position.distance(end) < CREEP, "seed {seed}");
                    }
                }
            }
        }
    }
    assert!(pushed > 3 && stayed > 0, "{pushed} pushed, {stayed} stayed");
}
