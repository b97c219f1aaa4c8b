//! The camera: a straight path inside a half shell, a point looked at that moves too.

use glam::Vec3;

use super::sample::{direction, half_shell, look_at, uniform};
use crate::recipe::{Focus, FocusPoint, LEAST_FOCUS, RemovalRecipe};
use crate::shot::{Camera, Lens, Pose, Track};
use crate::stream::Stream;

/// Lowest camera position, metres.
pub(super) const LOWEST: f64 = 0.1;

/// What is drawn of a camera, before there are frames.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CameraPath {
    from: Vec3,
    to: Vec3,
    look_from: Vec3,
    look_to: Vec3,
    focal_length_mm: f32,
}

impl CameraPath {
    /// Draws a path whose length is exactly a uniform draw from 0 to the longest movement; `None`
    /// when no end inside the shell was found.
    pub(super) fn draw(stream: &mut Stream, recipe: &RemovalRecipe) -> Option<Self> {
        let length = stream.range(0.0, recipe.camera_max_movement) as f32;
        let [inner, outer] = recipe.camera_range_position.map(|r| r as f32);
        // The original goes from the second point to the first.
        let (to, from) = (0..1000).find_map(|_| {
            let first = half_shell(stream, recipe.camera_range_position, LOWEST);
            let second = first + direction(stream) * length;
            let inside = (inner..=outer).contains(&second.length()) && second.z > LOWEST as f32;
            inside.then_some((first, second))
        })?;
        // One offset for both ends keeps the length.
        let offset = half_shell(stream, [0.0, recipe.camera_max_offset], 0.0);
        let look_to = half_shell(stream, recipe.camera_range_lookat, 0.0);
        let look_from = half_shell(stream, recipe.camera_range_lookat, 0.0);
        Some(Self {
            from: from + offset,
            to: to + offset,
            look_from,
            look_to,
            focal_length_mm: uniform(stream, recipe.camera_range_focal),
        })
    }

    /// Middle of the path.
    pub(super) fn middle(&self) -> Vec3 {
        (self.from + self.to) * 0.5
    }

    /// Middle of the points looked at.
    pub(super) fn look_middle(&self) -> Vec3 {
        (self.look_from + self.look_to) * 0.5
    }

    /// The camera over the frames −1 ..= `frames`: frame 0 is at the start, the last frame at the
    /// end, the two outside go on in a straight line.
    pub(super) fn camera(&self, recipe: &RemovalRecipe) -> Camera {
        let frames = i64::from(recipe.video_length);
        let last = (frames - 1).max(1) as f32;
        let mut poses = Vec::new();
        let mut lenses = Vec::new();
        for frame in -1..=frames {
            let share = frame as f32 / last;
            let position = self.from + (self.to - self.from) * share;
            let target = self.look_from + (self.look_to - self.look_from) * share;
            poses.push(Pose {
                position,
                rotation: look_at(position, target),
            });
            lenses.push(self.lens(recipe, (target - position).length()));
        }
        Camera {
            name: "camera".into(),
            pose: Track::PerFrame(poses),
            lens: if recipe.f_stop > 0.0 {
                Track::PerFrame(lenses)
            } else {
                Track::Constant(self.lens(recipe, (self.look_middle() - self.middle()).length()))
            },
            shutter: recipe.shutter as f32,
        }
    }

    /// The lens while the point looked at is `target_distance` metres away.
    fn lens(&self, recipe: &RemovalRecipe, target_distance: f32) -> Lens {
        let focus_distance = match recipe.focus {
            Focus::Point(FocusPoint::Lookat) => target_distance,
            Focus::Distance(metres) => metres as f32,
        };
        let aperture_radius = if recipe.f_stop > 0.0 {
            self.focal_length_mm * 1.0e-3 / (2.0 * recipe.f_stop as f32)
        } else {
            0.0
        };
        Lens {
            focal_length_mm: self.focal_length_mm,
            sensor_width_mm: recipe.camera_sensor_width as f32,
            aperture_radius,
            focus_distance: focus_distance.max(LEAST_FOCUS as f32),
            shift: [0.0; 2],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_as_long_as_drawn_and_every_frame_moves() {
        let recipe = RemovalRecipe {
            video_length: 12,
            ..RemovalRecipe::default()
        };
        let mut longest: f32 = 0.0;
        for seed in 0..60 {
            let mut stream = Stream::new(seed, "camera", "path");
            let path = CameraPath::draw(&mut stream, &recipe).unwrap();
            let length = (path.to - path.from).length();
            assert!(length <= 4.0 + 1e-4);
            longest = longest.max(length);
            let camera = path.camera(&recipe);
            let poses = camera.pose.values();
            assert_eq!(poses.len(), 14);
            assert!((poses[1].position - path.from).length() < 1e-5);
            assert!((poses[12].position - path.to).length() < 1e-4);
            let steps: Vec<f32> = poses
                .windows(2)
                .map(|w| (w[1].position - w[0].position).length())
                .collect();
            for step in &steps {
                assert!(
                    (step - length / 11.0).abs() < 1e-4,
                    "the last frame moves too"
                );
            }
            assert!(poses.iter().all(|p| p.rotation.is_normalized()));
        }
        assert!(longest > 3.0);
    }

    #[test]
    fn the_lens_follows_the_point_looked_at_or_stays_at_its_distance() {
        let mut recipe = RemovalRecipe {
            video_length: 9,
            f_stop: 2.0,
            ..RemovalRecipe::default()
        };
        let mut stream = Stream::new(5, "camera", "focus");
        let path = CameraPath::draw(&mut stream, &recipe).unwrap();
        let camera = path.camera(&recipe);
        for (pose, lens) in camera.pose.values().iter().zip(camera.lens.values()) {
            // The point looked at lies on the axis, at the distance of the plane in focus.
            let focus = pose.position + pose.rotation * Vec3::NEG_Z * lens.focus_distance;
            let along = (path.look_to - path.look_from).normalize_or_zero();
            let off = (focus - path.look_from).reject_from_normalized(along);
            assert!(off.length() < 1e-3, "{off}");
        }
        recipe.focus = Focus::Distance(3.25);
        for lens in path.camera(&recipe).lens.values() {
            assert_eq!(lens.focus_distance, 3.25);
        }
    }

    #[test]
    fn a_clip_of_one_frame_has_a_camera() {
        let recipe = RemovalRecipe {
            video_length: 1,
            f_stop: 2.8,
            ..RemovalRecipe::default()
        };
        let mut stream = Stream::new(4, "camera", "one");
        let camera = CameraPath::draw(&mut stream, &recipe)
            .unwrap()
            .camera(&recipe);
        assert_eq!(camera.pose.values().len(), 3);
        assert!(camera.lens.at(0).aperture_radius > 0.0);
    }
}
