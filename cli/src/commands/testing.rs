//! Small things for the tests of commands.

use diorama_synth::shot::{Attempts, Environment, Exposure, SCHEMA_VERSION, Shot, View, World};

/// A Shot with one world, no camera and no object.
pub(super) fn empty_shot() -> Shot {
    Shot {
        schema_version: SCHEMA_VERSION,
        recipe: "test".into(),
        seed: 0,
        sample_id: "000000".into(),
        video_fps: 16.0,
        frame_time_secs: 0.04,
        physics_step_secs: 1.0 / 240.0,
        frame_count: 1,
        resolution: [1, 1],
        exposure: Exposure::Ev(0.0),
        view: View::Standard,
        worlds: vec![World {
            name: "full".into(),
            removed: Vec::new(),
        }],
        cameras: Vec::new(),
        environment: Environment {
            asset: None,
            color: [0.5; 3],
            rotation_rad: 0.0,
            strength: 1.0,
        },
        lights: Vec::new(),
        objects: Vec::new(),
        contacts: Vec::new(),
        assets: Vec::new(),
        attempts: Attempts::default(),
        night: false,
        light_description: String::new(),
    }
}
