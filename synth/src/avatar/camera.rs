//! Where the camera is, and how it moves.

use glam::{Quat, Vec3};

use crate::draw::sample::{look_at, uniform};
use crate::recipe::AvatarRecipe;
use crate::shot::{Camera, Lens, Pose, Track};
use crate::stream::Stream;

/// Sensor width of `avatar.blend`, millimetres.
const SENSOR_MM: f32 = 36.0;
/// Distance of the camera in `avatar.blend`, metres; the point looked at rises by a tenth of how much
/// nearer the drawn one is.
const ORIGINAL_DISTANCE: f64 = 5.0;
/// A camera that moves comes no nearer than this share of its middle distance, and no lower than this.
const NEAREST: f32 = 1.0 / 3.0;
const LOWEST: f32 = 0.05;
/// Frequencies of a hand's sway, hertz.
const SWAY_HZ: [f64; 3] = [0.5, 0.9, 1.7];

/// What moves the camera away from where it stands.
struct Moves {
    /// Radians a second around the point looked at.
    orbit: f32,
    /// Metres a second towards it.
    dolly: f32,
    /// Metres sideways over the clip.
    slide: f32,
    eye_sway: Sway,
    target_sway: Sway,
}

/// Sines of three frequencies along each axis.
struct Sway {
    /// Root mean square of its speed, m/s.
    speed: f32,
    /// Hertz and phase, radians, of each.
    waves: [[(f64, f64); 3]; 3],
}

impl Sway {
    fn draw(stream: &mut Stream, speed: f32) -> Self {
        let waves = [0; 3].map(|_| {
            SWAY_HZ.map(|hz| {
                let hz = hz * stream.range(0.8, 1.2);
                (hz, stream.range(0.0, core::f64::consts::TAU))
            })
        });
        Self { speed, waves }
    }

    /// Offset at a time, metres.
    fn at(&self, secs: f64) -> Vec3 {
        // Nine sines of amplitude a/ω have the mean square speed 9 a²/2.
        let amplitude = f64::from(self.speed) * (2.0f64 / 9.0).sqrt();
        let along = |waves: &[(f64, f64); 3]| {
            let sum: f64 = waves
                .iter()
                .map(|(hz, phase)| {
                    let omega = core::f64::consts::TAU * hz;
                    libm::sin(omega * secs + phase) / omega
                })
                .sum();
            (sum * amplitude) as f32
        };
        let [x, y, z] = &self.waves;
        Vec3::new(along(x), along(y), along(z))
    }
}

/// The camera of a clip.
pub(super) fn draw(recipe: &AvatarRecipe, stream: &dyn Fn(&str) -> Stream) -> Camera {
    let mut still = stream("camera");
    let distance = still.range(
        recipe.range_camera_distance[0],
        recipe.range_camera_distance[1],
    );
    let height = uniform(&mut still, recipe.range_camera_height);
    let azimuth =
        Quat::from_rotation_z(uniform(&mut still, recipe.range_camera_azimuth_deg).to_radians());
    let slide = uniform(&mut still, recipe.range_camera_slide);
    let rise = (ORIGINAL_DISTANCE - distance) * 0.1;
    let target = Vec3::Z * (uniform(&mut still, recipe.range_look_height) + rise as f32);
    let focal_length_mm = uniform(&mut still, recipe.range_focal_mm);
    let eye = azimuth * Vec3::new(0.0, -distance as f32, height);
    let mut moving = stream("camera/moves");
    let orbit = uniform(&mut moving, recipe.range_camera_orbit).to_radians();
    let dolly = uniform(&mut moving, recipe.range_camera_dolly);
    let sway = uniform(&mut moving, recipe.range_camera_handheld);
    let moves = Moves {
        orbit,
        dolly,
        slide,
        eye_sway: Sway::draw(&mut moving, sway),
        target_sway: Sway::draw(&mut moving, sway),
    };
    let lens = Lens {
        focal_length_mm,
        sensor_width_mm: SENSOR_MM,
        aperture_radius: 0.0,
        focus_distance: distance as f32,
        shift: [0.0; 2],
    };
    let pose = |position: Vec3, target: Vec3| Pose {
        position,
        rotation: look_at(position, target),
    };
    let is_still = [orbit, dolly, sway, slide].iter().all(|v| *v == 0.0);
    Camera {
        name: "camera".into(),
        pose: if is_still {
            Track::Constant(pose(eye, target))
        } else {
            let along = azimuth * Vec3::X * moves.slide;
            let last = (recipe.video_length.max(2) - 1) as f32;
            let frames = -1..=i64::from(recipe.video_length);
            Track::PerFrame(
                frames
                    .map(|frame| {
                        let share = frame as f32 / last - 0.5;
                        let from_middle = (frame as f64 - f64::from(last) * 0.5) / recipe.video_fps;
                        let eye = moves.of(eye, target, from_middle) + along * share;
                        pose(eye, target + moves.target_sway.at(from_middle))
                    })
                    .collect(),
            )
        },
        lens: Track::Constant(lens),
        shutter: recipe.shutter as f32,
    }
}

impl Moves {
    /// Where the camera is that stands at `eye` in the middle of the clip, `secs` from there.
    fn of(&self, eye: Vec3, target: Vec3, secs: f64) -> Vec3 {
        let turn = Quat::from_rotation_z(self.orbit * secs as f32);
        let away = turn * (eye - target);
        let distance = away.length().max(1.0e-3);
        let left = (distance - self.dolly * secs as f32).max(NEAREST * distance);
        let mut place = target + away * (left / distance) + self.eye_sway.at(secs);
        place.z = place.z.max(LOWEST);
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(flags: &[(&str, &str)]) -> Vec<Pose> {
        let mut recipe = AvatarRecipe::default();
        for (name, text) in flags {
            recipe.set(name, text).unwrap();
        }
        recipe.validate().unwrap();
        let camera = draw(&recipe, &|label| Stream::new(3, "000000", label));
        (0..49).map(|frame| *camera.pose.at(frame)).collect()
    }

    fn distance(pose: &Pose) -> f32 {
        pose.position.truncate().length()
    }

    #[test]
    fn moves_do_what_they_say_around_where_the_still_camera_stands() {
        let still = camera(&[])[0];
        let orbit = camera(&[("range_camera_orbit", "30,30")]);
        let angle = |pose: &Pose| libm::atan2f(pose.position.x, -pose.position.y).to_degrees();
        // 48 intervals of 1/24 s: two seconds.
        assert!((angle(&orbit[48]) - angle(&orbit[0]) - 60.0).abs() < 0.01);
        assert!((distance(&orbit[0]) - distance(&still)).abs() < 1e-4);
        let dolly = camera(&[("range_camera_dolly", "0.4,0.4")]);
        assert!((distance(&dolly[0]) - distance(&dolly[48]) - 0.8).abs() < 0.05);
        assert!((dolly[24].position - still.position).length() < 1e-5);
        let fast = camera(&[("range_camera_dolly", "9,9")]);
        assert!(
            fast.iter()
                .all(|pose| distance(pose) > 0.3 * distance(&still))
        );
    }

    #[test]
    fn a_hand_sways_at_the_speed_that_is_asked_for() {
        let held = camera(&[("range_camera_handheld", "0.05,0.05")]);
        let squares: f32 = held
            .windows(2)
            .map(|pair| ((pair[1].position - pair[0].position) * 24.0).length_squared())
            .sum();
        let speed = (squares / 48.0).sqrt();
        assert!((0.03..0.07).contains(&speed), "{speed} m/s");
        let off = held[48].position - camera(&[])[0].position;
        assert!(off.length() < 0.1, "a hand does not walk away: {off}");
    }
}
