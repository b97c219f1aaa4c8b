//! The `avatar` recipe: a character in motion before a skybox or in a blank room.
//!
//! The defaults are the numbers of the public tool's `avatar.blend` and `render_with_random_bg.py`.

use serde::{Deserialize, Serialize};

use super::parameters::{Held, Parameter, RecipeError, RootMotion, parameters, replace, set};
use crate::shot::{MAX_FRAMES, View};

parameters! {
/// What may be drawn for one clip. Ranges are uniform, both ends included. See the module text.
pub struct AvatarRecipe {
    /// Frames of the clip, 1 to 1,000,000 (default 49). Trainers take 4k or 4k+1.
    video_length: u32 = 49;
    /// Width of the picture, pixels, even (default 720: the trainer's).
    width: u32 = 720;
    /// Height of the picture, pixels, even (default 480).
    height: u32 = 480;
    /// Frames per second of the files, and of the motion, 1 to 240 (default 24).
    video_fps: f64 = 24.0;
    /// Share of the frame interval for which the shutter is open, 0 to 1 (default 0: no motion blur).
    /// Labels and tracks are those of its middle.
    shutter: f64 = 0.0;
    /// Exposure in stops (default 0, as in the original).
    exposure: f64 = 0.0;
    /// Display transform: filmic, agx, standard or none (default agx).
    view: View = View::Agx;

    /// What becomes of the way a character goes: `centred` (its middle is above the origin), `keep` (as
    /// in the file) or `in_place` (default centred).
    root_motion: RootMotion = RootMotion::Centred;
    /// First second of a longer motion that is shown, drawn from 0 to what its length leaves, if true;
    /// else its beginning (default false).
    random_start: bool = false;
    /// Turn of the character about the vertical, degrees; at 0 it faces the camera (default 0).
    range_turn_deg: [f64; 2] = [0.0, 0.0];
    /// Height, metres, to which characters are scaled that at rest are lower than 0.4 m or higher than
    /// 2.6 m: files in other units than they say; 0: none is (default 1.7).
    fit_height: f64 = 1.7;
    /// Probability that a character's clothes (materials that are named as garments) get other colours,
    /// 0 to 1 (default 0).
    prob_recolour: f64 = 0.0;
    /// Characters at once, 1 to 8 (default 1). The first is the clip's own, the others are drawn from
    /// all there are; none comes into what another sweeps.
    range_characters: [u32; 2] = [1, 1];
    /// Where further characters are, the middle of their way: metres to the right (default -2 to 2).
    range_companion_x: [f64; 2] = [-2.0, 2.0];
    /// The same, metres away from the camera at azimuth 0 (default -0.5 to 3).
    range_companion_y: [f64; 2] = [-0.5, 3.0];

    /// Things in the hands of each character, 0 to 2 (default 0): built-in objects. Where nothing fits, clear
    /// of body and floor, the hands are empty.
    range_held: [u32; 2] = [0, 0];
    /// Longest side of what is held, metres, above 0 (default 0.1 to 0.3); it is made smaller where it would
    /// be in the floor or in the body.
    range_held_size: [f64; 2] = [0.1, 0.3];
    /// Props: built-in objects that stand about or fall, 0 to 32 (default 0).
    range_props: [u32; 2] = [0, 0];
    /// Longest side of a prop, metres, above 0 (default 0.15 to 0.4).
    range_prop_size: [f64; 2] = [0.15, 0.4];
    /// Distance of props from the origin, metres (default 0.5 to 2.5).
    range_prop_distance: [f64; 2] = [0.5, 2.5];
    /// Probability that a prop falls at the beginning of the clip, 0 to 1; else it rests (default 0.5).
    prob_prop_falls: f64 = 0.5;
    /// Height from which props fall, metres (default 0.3 to 1.5).
    range_prop_height: [f64; 2] = [0.3, 1.5];

    /// Probability of a skybox instead of a blank room, 0 to 1 (default 0.5).
    prob_skybox: f64 = 0.5;
    /// Skyboxes of eight bits a channel (PNG, JPG) get back the light that such a file cannot hold:
    /// what is brighter than 0.8 of white is lifted, up to 4 times, and a sun shines from the brightest
    /// spot above the horizon, as strong as the spot stands out (default true).
    ldr_expand: bool = true;
    /// Strength of a skybox, as a factor (default 1).
    range_sky_strength: [f64; 2] = [1.0, 1.0];
    /// Brightness of each channel of a blank room's background, 0 to 1 (default 0 to 1).
    range_room_color: [f64; 2] = [0.0, 1.0];

    /// Distance of the camera before the origin, metres, above 0 (default 2.5 to 4.5).
    range_camera_distance: [f64; 2] = [2.5, 4.5];
    /// Height of the camera, metres (default 0.5).
    range_camera_height: [f64; 2] = [0.5, 0.5];
    /// Azimuth of the camera about the vertical, degrees, 0 is in front (default 0).
    range_camera_azimuth_deg: [f64; 2] = [0.0, 0.0];
    /// Way that the camera goes sideways over the clip, metres (default 0).
    range_camera_slide: [f64; 2] = [0.0, 0.0];
    /// Speed of the camera around the point looked at, degrees a second, counter-clockwise from above
    /// (default 0). With all speeds 0 it stands still, as in the original.
    range_camera_orbit: [f64; 2] = [0.0, 0.0];
    /// Speed of the camera towards the point looked at, metres a second (default 0); it stops at a third
    /// of its distance.
    range_camera_dolly: [f64; 2] = [0.0, 0.0];
    /// Speed of the sway of a camera held by hand, metres a second, root mean square (default 0).
    range_camera_handheld: [f64; 2] = [0.0, 0.0];
    /// Height of the point looked at, metres, with the camera nearest (default 0.7). It rises by a
    /// tenth of how much nearer than 5 m the camera is, as in the original.
    range_look_height: [f64; 2] = [0.7, 0.7];
    /// Focal length, millimetres on a sensor 36 mm wide (default 50).
    range_focal_mm: [f64; 2] = [50.0, 50.0];

    /// Power of the area light, watts; 0: none (default 500).
    range_light_watts: [f64; 2] = [500.0, 500.0];
    /// Side of the area light, metres, above 0 (default 5).
    range_light_size: [f64; 2] = [5.0, 5.0];
}
}

impl AvatarRecipe {
    /// Sets one parameter from the text of its flag. Ranges are not checked until
    /// [`Self::validate`].
    ///
    /// # Errors
    /// An unknown name, or a text that is no such value.
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), RecipeError> {
        set(self, Self::PARAMETERS, name, text)
    }

    /// Sets one parameter to a value of a TOML file.
    ///
    /// # Errors
    /// As [`Self::set`].
    pub fn replace(&mut self, name: &str, value: toml::Value) -> Result<(), RecipeError> {
        replace(self, Self::PARAMETERS, name, value)
    }

    /// Checks every range. The first fault is named.
    ///
    /// # Errors
    /// A value that is out of its documented range.
    pub fn validate(&self) -> Result<(), RecipeError> {
        let wrong = |name, reason: String, hint: &str| {
            Err(RecipeError::Value {
                name,
                reason,
                hint: hint.to_owned(),
            })
        };
        if self.video_length == 0 || self.video_length > MAX_FRAMES {
            let reason = format!("is {}", self.video_length);
            return wrong("video_length", reason, "1 to 1,000,000 frames");
        }
        for (name, side) in [("width", self.width), ("height", self.height)] {
            if !(2..=16_384).contains(&side) || side % 2 != 0 {
                return wrong(name, format!("is {side}"), "an even number, 2 to 16,384");
            }
        }
        let scalars = [
            ("video_fps", self.video_fps, 1.0, 240.0),
            ("shutter", self.shutter, 0.0, 1.0),
            ("exposure", self.exposure, -30.0, 30.0),
            ("fit_height", self.fit_height, 0.0, 1.0e3),
            ("prob_recolour", self.prob_recolour, 0.0, 1.0),
            ("prob_skybox", self.prob_skybox, 0.0, 1.0),
            ("prob_prop_falls", self.prob_prop_falls, 0.0, 1.0),
        ];
        for (name, value, low, high) in scalars {
            if !(low..=high).contains(&value) {
                return wrong(name, format!("is {value}"), &format!("{low} to {high}"));
            }
        }
        for (name, [fewest, most], low, high) in [
            ("range_characters", self.range_characters, 1, 8),
            ("range_held", self.range_held, 0, 2),
            ("range_props", self.range_props, 0, 32),
        ] {
            if fewest > most || fewest < low || most > high {
                let reason = format!("is {fewest} to {most}");
                return wrong(name, reason, &format!("inside {low} to {high}"));
            }
        }
        let ranges = [
            ("range_turn_deg", self.range_turn_deg, -360.0, 360.0),
            ("range_sky_strength", self.range_sky_strength, 0.0, 1.0e6),
            ("range_room_color", self.range_room_color, 0.0, 1.0),
            (
                "range_camera_distance",
                self.range_camera_distance,
                0.1,
                1.0e3,
            ),
            ("range_camera_height", self.range_camera_height, 0.01, 1.0e3),
            (
                "range_camera_azimuth_deg",
                self.range_camera_azimuth_deg,
                -360.0,
                360.0,
            ),
            ("range_camera_slide", self.range_camera_slide, -1.0e3, 1.0e3),
            ("range_camera_orbit", self.range_camera_orbit, -720.0, 720.0),
            ("range_camera_dolly", self.range_camera_dolly, -100.0, 100.0),
            (
                "range_camera_handheld",
                self.range_camera_handheld,
                0.0,
                10.0,
            ),
            ("range_companion_x", self.range_companion_x, -100.0, 100.0),
            ("range_companion_y", self.range_companion_y, -100.0, 100.0),
            ("range_held_size", self.range_held_size, 1.0e-3, 10.0),
            ("range_prop_size", self.range_prop_size, 1.0e-3, 10.0),
            ("range_prop_distance", self.range_prop_distance, 0.0, 100.0),
            ("range_prop_height", self.range_prop_height, 0.0, 100.0),
            ("range_look_height", self.range_look_height, -1.0e3, 1.0e3),
            ("range_focal_mm", self.range_focal_mm, 1.0, 5.0e3),
            ("range_light_watts", self.range_light_watts, 0.0, 1.0e9),
            ("range_light_size", self.range_light_size, 1.0e-3, 1.0e3),
        ];
        for (name, [from, to], low, high) in ranges {
            if from > to {
                let reason = format!("runs from {from} down to {to}");
                return wrong(name, reason, "the lower end comes first");
            }
            if !(low..=high).contains(&from) || !(low..=high).contains(&to) {
                let reason = format!("is {from} to {to}");
                return wrong(name, reason, &format!("inside {low} to {high}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_survive_their_file() {
        let mut recipe = AvatarRecipe::default();
        recipe.validate().unwrap();
        let table = toml::Table::try_from(&recipe).unwrap();
        assert_eq!(table.len(), AvatarRecipe::PARAMETERS.len());
        for (name, value) in table {
            recipe.replace(&name, value).unwrap();
        }
        assert_eq!(recipe, AvatarRecipe::default());
    }

    #[test]
    fn ranges_upside_down_and_out_of_bounds_are_named() {
        for (name, text) in [
            ("range-camera-distance", "4,2"),
            ("range_focal_mm", "0,50"),
            ("width", "721"),
            ("video-length", "0"),
            ("prob_skybox", "1.5"),
            ("range-characters", "0,2"),
            ("range_props", "3,1"),
        ] {
            let mut recipe = AvatarRecipe::default();
            recipe.set(name, text).unwrap();
            let error = recipe.validate().unwrap_err().to_string();
            assert!(error.contains(&name.replace('-', "_")), "{error}");
        }
    }
}
