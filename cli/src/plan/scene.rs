//! The distributions of the `removal` recipe as the plan keeps them.

use serde::{Deserialize, Serialize};

use super::checks::{Checks, Range};
use crate::args::{LayersArg, PairArg, StationaryArg};

/// Distributions that a Shot is drawn from. Names are the flags' names; each flag's help says the
/// unit. [`ScenePlan::default`] is the public tool's set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "the help of the flag of the same name is the documentation"
)]
pub struct ScenePlan {
    pub range_material_metallic: Range,
    pub range_material_specular: Range,
    pub range_material_specular_tint: Range,
    pub range_material_roughness: Range,
    pub range_material_ior: Range,
    pub range_material_transmission: Range,
    pub range_material_transmission_roughness: Range,
    pub range_material_alpha: Range,
    pub range_object_scale: Range,
    pub range_num_objs: Range,
    pub range_spawn_x: Range,
    pub range_spawn_y: Range,
    pub range_spawn_z: Range,
    pub range_spawn_z_stationary: Range,
    pub range_velocity: Range,
    pub range_frame_time: Range,
    pub camera_range_position: Range,
    pub camera_range_lookat: Range,
    pub camera_range_focal: Range,
    pub light_range_position: Range,
    pub light_range_lookat: Range,
    pub light_range_intensity: Range,
    pub range_sun_elevation: Range,
    pub range_sun_elevation_extreme: Range,
    pub range_sun_diameter: Range,
    pub camera_max_offset: f64,
    pub camera_max_movement: f64,
    pub prob_wall: f64,
    pub prob_ground_mirror: f64,
    pub prob_same_object: f64,
    pub prob_stationary_object: f64,
    pub prob_extreme_lighting: f64,
    pub stationary: StationaryArg,
    pub pair: PairArg,
    pub tuples_per_shot: u32,
    pub layers: LayersArg,
}

impl Default for ScenePlan {
    /// The `casper` preset.
    fn default() -> Self {
        Self {
            range_material_metallic: [0.8, 1.0],
            range_material_specular: [0.0, 1.0],
            range_material_specular_tint: [0.0, 1.0],
            range_material_roughness: [0.0, 0.6],
            range_material_ior: [1.0, 2.5],
            range_material_transmission: [0.0, 1.0],
            range_material_transmission_roughness: [0.0, 0.5],
            range_material_alpha: [0.7, 1.0],
            range_object_scale: [1.0, 3.0],
            range_num_objs: [1.0, 6.0],
            range_spawn_x: [-4.0, 4.0],
            range_spawn_y: [-4.0, 4.0],
            range_spawn_z: [2.0, 4.0],
            range_spawn_z_stationary: [1.0, 2.0],
            range_velocity: [-3.0, 3.0],
            range_frame_time: [8.0, 11.0],
            camera_range_position: [5.0, 15.0],
            camera_range_lookat: [0.0, 2.5],
            camera_range_focal: [35.0, 45.0],
            light_range_position: [0.0, 4.0],
            light_range_lookat: [0.0, 1.0],
            light_range_intensity: [4.0, 6.0],
            range_sun_elevation: [12.0, 75.0],
            range_sun_elevation_extreme: [2.0, 12.0],
            range_sun_diameter: [0.5, 5.0],
            camera_max_offset: 1.0,
            camera_max_movement: 4.0,
            prob_wall: 0.25,
            prob_ground_mirror: 0.5,
            prob_same_object: 0.5,
            prob_stationary_object: 0.5,
            prob_extreme_lighting: 0.5,
            stationary: StationaryArg::Settle,
            pair: PairArg::Effect,
            tuples_per_shot: 1,
            layers: LayersArg::None,
        }
    }
}

impl ScenePlan {
    /// Every limit of every value. Materials may be drawn out of range: shading clamps them.
    pub(super) fn check(&self, checks: &mut Checks) {
        const POSITIVE: Range = [0.0, 1.0e6];
        for (name, range, limits) in [
            (
                "range_material_metallic",
                self.range_material_metallic,
                POSITIVE,
            ),
            (
                "range_material_specular",
                self.range_material_specular,
                POSITIVE,
            ),
            (
                "range_material_specular_tint",
                self.range_material_specular_tint,
                POSITIVE,
            ),
            (
                "range_material_roughness",
                self.range_material_roughness,
                POSITIVE,
            ),
            ("range_material_ior", self.range_material_ior, [1.0, 100.0]),
            (
                "range_material_transmission",
                self.range_material_transmission,
                POSITIVE,
            ),
            (
                "range_material_transmission_roughness",
                self.range_material_transmission_roughness,
                POSITIVE,
            ),
            (
                "range_material_alpha",
                self.range_material_alpha,
                [0.0, 1.0],
            ),
            (
                "range_object_scale",
                self.range_object_scale,
                [1.0e-3, 1.0e3],
            ),
            ("range_spawn_x", self.range_spawn_x, [-1.0e3, 1.0e3]),
            ("range_spawn_y", self.range_spawn_y, [-1.0e3, 1.0e3]),
            ("range_spawn_z", self.range_spawn_z, [0.0, 1.0e3]),
            (
                "range_spawn_z_stationary",
                self.range_spawn_z_stationary,
                [0.0, 1.0e3],
            ),
            ("range_velocity", self.range_velocity, [-100.0, 100.0]),
            (
                "camera_range_position",
                self.camera_range_position,
                [0.1, 1.0e4],
            ),
            (
                "camera_range_lookat",
                self.camera_range_lookat,
                [0.0, 1.0e4],
            ),
            ("camera_range_focal", self.camera_range_focal, [1.0, 2000.0]),
            ("light_range_position", self.light_range_position, POSITIVE),
            ("light_range_lookat", self.light_range_lookat, POSITIVE),
            (
                "light_range_intensity",
                self.light_range_intensity,
                POSITIVE,
            ),
            (
                "range_sun_elevation",
                self.range_sun_elevation,
                [-90.0, 90.0],
            ),
            (
                "range_sun_elevation_extreme",
                self.range_sun_elevation_extreme,
                [-90.0, 90.0],
            ),
            ("range_sun_diameter", self.range_sun_diameter, [0.0, 90.0]),
        ] {
            checks.range("scene", name, range, limits);
        }
        checks.whole_range(
            "scene",
            "range_frame_time",
            self.range_frame_time,
            [1.0, 240.0],
        );
        checks.whole_range(
            "scene",
            "range_num_objs",
            self.range_num_objs,
            [1.0, 1001.0],
        );
        let [low, high] = self.range_num_objs;
        checks.that(low < high, || {
            format!(
                "`--range-num-objs {low},{high}` holds no number (the upper end is not included)"
            )
        });
        checks.range(
            "scene",
            "camera_max_offset",
            [self.camera_max_offset; 2],
            [0.0, 1.0e3],
        );
        checks.range(
            "scene",
            "camera_max_movement",
            [self.camera_max_movement; 2],
            [0.0, 1.0e3],
        );
        for (name, probability) in [
            ("prob_wall", self.prob_wall),
            ("prob_ground_mirror", self.prob_ground_mirror),
            ("prob_same_object", self.prob_same_object),
            ("prob_stationary_object", self.prob_stationary_object),
            ("prob_extreme_lighting", self.prob_extreme_lighting),
        ] {
            checks.range("scene", name, [probability; 2], [0.0, 1.0]);
        }
        checks.that((1..=16).contains(&self.tuples_per_shot), || {
            format!(
                "`--tuples-per-shot {}` is out of range (1 to 16)",
                self.tuples_per_shot
            )
        });
    }
}
