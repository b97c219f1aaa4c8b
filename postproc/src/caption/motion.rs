//! From poses to words: how objects move, how the camera moves.

use diorama_synth::shot::{Camera, Object, Shot};
use glam::{DVec3, Vec3};

use crate::camera::{Projection, rotation};
use crate::sample_json::ObjectBounds;

/// Something an object does. The order of a list of these is the order in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// Stays where it is, on something.
    Rest,
    /// Stays where it is, in the air.
    Hover,
    /// Moves through the air, upward or far to a side.
    Fly,
    /// Drops.
    Fall,
    /// Rebounds from a surface.
    Bounce,
    /// Turns over the ground as it goes: round things.
    Roll,
    /// Turns over the ground as it goes: angular things.
    Tumble,
    /// Moves over the ground without turning over.
    Slide,
    /// Turns without going anywhere.
    Spin,
    /// Has stopped by the end of the clip.
    Settle,
    /// Goes on foot.
    Walk,
    /// Goes on foot, fast.
    Run,
    /// Moves its limbs where it stands.
    Stir,
    /// Goes where the hand goes that holds it.
    Ride,
}

/// The three forms a sentence may need.
#[derive(Debug, Clone, Copy)]
pub struct Forms {
    /// `it falls`.
    pub singular: &'static str,
    /// `they fall`, also the infinitive.
    pub plural: &'static str,
    /// `falling`.
    pub participle: &'static str,
}

impl Act {
    /// Verb forms.
    pub fn forms(self) -> Forms {
        let (singular, plural, participle) = match self {
            Self::Rest => ("rests in place", "rest in place", "resting in place"),
            Self::Hover => ("hangs in the air", "hang in the air", "hanging in the air"),
            Self::Fly => (
                "flies through the air",
                "fly through the air",
                "flying through the air",
            ),
            Self::Fall => ("falls", "fall", "falling"),
            Self::Bounce => ("bounces", "bounce", "bouncing"),
            Self::Roll => ("rolls", "roll", "rolling"),
            Self::Tumble => ("tumbles", "tumble", "tumbling"),
            Self::Slide => ("slides", "slide", "sliding"),
            Self::Spin => ("spins", "spin", "spinning"),
            Self::Settle => ("comes to rest", "come to rest", "coming to rest"),
            Self::Walk => ("walks", "walk", "walking"),
            Self::Run => ("runs", "run", "running"),
            Self::Stir => ("moves in place", "move in place", "moving in place"),
            Self::Ride => (
                "moves along in a hand",
                "move along in a hand",
                "moving along in a hand",
            ),
        };
        Forms {
            singular,
            plural,
            participle,
        }
    }

    /// Neither moves.
    pub fn is_still(self) -> bool {
        matches!(self, Self::Rest | Self::Hover)
    }
}

/// Below this speed, m/s, an object counts as standing.
const STILL_SPEED: f64 = 0.05;
/// Below this turn rate, rad/s, an object counts as not turning.
const STILL_TURN: f64 = 0.2;
/// A vertical acceleration below this, m/s², means free fall (gravity is about −10).
const FREE_FALL: f64 = -6.0;
/// Vertical speed, m/s, beyond which falling and rebounding are worth a word.
const VERTICAL_SPEED: f64 = 0.5;
/// Horizontal speed, m/s, beyond which going over the ground is worth a word.
const GROUND_SPEED: f64 = 0.15;
/// Frames that a manner of motion must last to be told.
const LEAST_FRAMES: usize = 2;

/// Nouns that roll; other things tumble.
const ROUND: [&str; 26] = [
    "ball", "sphere", "cylinder", "can", "torus", "ring", "wheel", "apple", "orange", "bottle",
    "cup", "mug", "marble", "globe", "egg", "lemon", "peach", "plum", "pear", "tomato", "disc",
    "barrel", "tube", "capsule", "coin", "melon",
];

/// Steps between neighbouring frames of the clip.
struct Steps {
    velocity: Vec<DVec3>,
    turn_rate: Vec<f64>,
}

fn steps(shot: &Shot, object: &Object) -> Steps {
    let last = i64::from(shot.frame_count) - 1;
    let dt = shot.frame_time_secs;
    let mut steps = Steps {
        velocity: Vec::new(),
        turn_rate: Vec::new(),
    };
    for frame in 0..last {
        let (now, next) = (object.pose.at(frame), object.pose.at(frame + 1));
        steps
            .velocity
            .push((next.position.as_dvec3() - now.position.as_dvec3()) / dt);
        // |dot| of unit quaternions is the cosine of half the angle between them.
        let cosine = rotation(now).dot(rotation(next)).abs().min(1.0);
        steps.turn_rate.push(2.0 * libm::acos(cosine) / dt);
    }
    steps
}

/// Speed, m/s, beyond which going is running.
const RUNNING_SPEED: f64 = 2.4;

/// What somebody does who moves by a motion of its own.
fn on_foot(shot: &Shot, object: &Object) -> Act {
    let steps = steps(shot, object);
    let speeds = steps.velocity.iter().map(|v| v.truncate().length());
    let mean = speeds.sum::<f64>() / steps.velocity.len().max(1) as f64;
    if mean < GROUND_SPEED {
        Act::Stir
    } else if mean < RUNNING_SPEED {
        Act::Walk
    } else {
        Act::Run
    }
}

/// What an object does during the clip, in order of time; never empty.
pub fn acts(shot: &Shot, object: &Object, bounds: &ObjectBounds) -> Vec<Act> {
    let standing = if object
        .physics
        .as_ref()
        .is_some_and(|p| p.stationary && p.resting_gap.is_none())
    {
        Act::Hover
    } else {
        Act::Rest
    };
    if object.motion.is_some() {
        return vec![on_foot(shot, object)];
    }
    if shot.holder(object.id).is_some() {
        return vec![Act::Ride];
    }
    if object.pose.is_constant() || shot.frame_count < 2 {
        return vec![standing];
    }
    let steps = steps(shot, object);
    let count = steps.velocity.len();
    let speed = |i: usize| steps.velocity[i].length();
    let is_still = |i: usize| speed(i) < STILL_SPEED && steps.turn_rate[i] < STILL_TURN;
    if (0..count).all(is_still) {
        return vec![standing];
    }
    let in_air = |i: usize| {
        let before = if i > 0 { i - 1 } else { i };
        let after = if i + 1 < count { i + 1 } else { i };
        let change = steps.velocity[after].z - steps.velocity[before].z;
        let time = shot.frame_time_secs * (after - before).max(1) as f64;
        change / time < FREE_FALL
    };
    let radius = bounds.get(&object.id).map_or(0.5, |[low, high]| {
        f64::from(((*high - *low) * object.scale).abs().element_sum()) / 6.0
    });
    let rolls = {
        let noun = super::words::plain_noun(&object.noun);
        noun.split(' ').any(|word| ROUND.contains(&word))
    };

    // Each frame's manner; a manner is told once, where it first lasts long enough.
    let mut told: Vec<Act> = Vec::new();
    let mut lasted = (Act::Rest, 0usize);
    let mut has_fallen = false;
    for i in 0..count {
        let v = steps.velocity[i];
        let ground_speed = libm::sqrt(v.x * v.x + v.y * v.y);
        let manner = if in_air(i) {
            if has_fallen && v.z > VERTICAL_SPEED {
                Act::Bounce
            } else if v.z < -VERTICAL_SPEED {
                has_fallen = true;
                Act::Fall
            } else if !has_fallen && (v.z > VERTICAL_SPEED || ground_speed > 2.0) {
                Act::Fly
            } else {
                continue; // The top of an arc: neither up nor down.
            }
        } else if is_still(i) {
            Act::Rest
        } else if ground_speed > GROUND_SPEED && v.z.abs() < ground_speed {
            match (steps.turn_rate[i] * radius > 0.5 * ground_speed, rolls) {
                (true, true) => Act::Roll,
                (true, false) => Act::Tumble,
                (false, _) => Act::Slide,
            }
        } else if steps.turn_rate[i] > 4.0 * STILL_TURN {
            Act::Spin
        } else {
            continue; // Between manners, or too slow for a word.
        };
        lasted = if lasted.0 == manner {
            (manner, lasted.1 + 1)
        } else {
            (manner, 1)
        };
        // A rebound may be over within a frame or two.
        let least = if manner == Act::Bounce {
            1
        } else {
            LEAST_FRAMES
        };
        if lasted.1 >= least && manner != Act::Rest && !told.contains(&manner) {
            told.push(manner);
        }
    }
    let tail = count - (count / 10).max(2).min(count);
    if !told.is_empty() && (tail..count).all(is_still) {
        told.push(Act::Settle);
    }
    if told.is_empty() {
        // It moved, but never long or fast enough for a word.
        told.push(standing);
    }
    told
}

/// How the camera moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CameraMove {
    /// Not at all.
    Static,
    /// Toward what it looks at.
    PushIn,
    /// Away from it.
    PullBack,
    /// Sideways, turning to keep the subject.
    OrbitLeft,
    /// The other way.
    OrbitRight,
    /// Sideways.
    Left,
    /// Sideways.
    Right,
    /// Upward.
    Rise,
    /// Downward.
    Sink,
    /// Turns in place.
    PanLeft,
    /// Turns in place.
    PanRight,
    /// Turns in place.
    TiltUp,
    /// Turns in place.
    TiltDown,
    /// Longer focal length.
    ZoomIn,
    /// Shorter focal length.
    ZoomOut,
}

impl CameraMove {
    /// `pushes in`, and `pushing in`.
    pub fn forms(self) -> (&'static str, &'static str) {
        match self {
            Self::Static => ("stays still", "staying still"),
            Self::PushIn => ("pushes in", "pushing in"),
            Self::PullBack => ("pulls back", "pulling back"),
            Self::OrbitLeft => ("orbits to the left", "orbiting to the left"),
            Self::OrbitRight => ("orbits to the right", "orbiting to the right"),
            Self::Left => ("moves to the left", "moving to the left"),
            Self::Right => ("moves to the right", "moving to the right"),
            Self::Rise => ("rises", "rising"),
            Self::Sink => ("sinks lower", "sinking lower"),
            Self::PanLeft => ("pans left", "panning left"),
            Self::PanRight => ("pans right", "panning right"),
            Self::TiltUp => ("tilts up", "tilting up"),
            Self::TiltDown => ("tilts down", "tilting down"),
            Self::ZoomIn => ("zooms in", "zooming in"),
            Self::ZoomOut => ("zooms out", "zooming out"),
        }
    }
}

/// How the camera moves over the clip, and whether slowly (under 0.6 m/s). `subject`: a world point
/// that stands for what it looks at; distances are judged against the distance to it.
pub fn camera_move(shot: &Shot, camera: &Camera, subject: Vec3) -> (CameraMove, bool) {
    let last = i64::from(shot.frame_count) - 1;
    let (start, end) = (
        Projection::of(camera, 0, shot.resolution),
        Projection::of(camera, last, shot.resolution),
    );
    let origin = |p: &Projection| p.world_from_camera.w_axis.truncate();
    let travel = start
        .camera_from_world
        .transform_vector3(origin(&end) - origin(&start));
    let distance = origin(&start).distance(subject.as_dvec3()).max(1e-3);
    let length = travel.length();
    let duration = (shot.frame_time_secs * last.max(1) as f64).max(1e-9);
    let slow = length / duration < 0.6;

    // Where the new viewing direction points, in the first camera: +x right, +y up.
    let looks = start
        .camera_from_world
        .transform_vector3(end.world_from_camera.transform_vector3(DVec3::NEG_Z));
    let (yaw, pitch) = (
        libm::atan2(looks.x, -looks.z),
        libm::asin(looks.y.clamp(-1.0, 1.0)),
    );
    let zoom = end.focal_px / start.focal_px;

    let moves = if length > 0.03 * distance {
        let (x, y, forward) = (travel.x.abs(), travel.y.abs(), travel.z.abs());
        if forward >= x && forward >= y {
            if travel.z < 0.0 {
                CameraMove::PushIn
            } else {
                CameraMove::PullBack
            }
        } else if x >= y {
            // Turning against the travel by a good part of the angle that keeps the subject centred.
            let keeps_subject = -yaw * travel.x.signum() > 0.4 * libm::atan(x / distance);
            match (travel.x > 0.0, keeps_subject) {
                (true, true) => CameraMove::OrbitRight,
                (false, true) => CameraMove::OrbitLeft,
                (true, false) => CameraMove::Right,
                (false, false) => CameraMove::Left,
            }
        } else if travel.y > 0.0 {
            CameraMove::Rise
        } else {
            CameraMove::Sink
        }
    } else if yaw.abs().max(pitch.abs()) > 0.03 {
        match (yaw.abs() >= pitch.abs(), yaw > 0.0, pitch > 0.0) {
            (true, true, _) => CameraMove::PanRight,
            (true, false, _) => CameraMove::PanLeft,
            (false, _, true) => CameraMove::TiltUp,
            (false, _, false) => CameraMove::TiltDown,
        }
    } else if zoom > 1.05 {
        CameraMove::ZoomIn
    } else if zoom < 0.95 {
        CameraMove::ZoomOut
    } else {
        CameraMove::Static
    };
    (moves, slow)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use diorama_synth::shot::{Pose, Track};
    use glam::Quat;

    /// A shot of 40 frames whose gear moves by `pose(seconds)`.
    fn shot_with(pose: impl Fn(f32) -> Pose) -> Shot {
        let mut shot = testing::one_tuple_shot();
        shot.frame_count = 40;
        let dt = shot.frame_time_secs as f32;
        shot.objects[3].pose = Track::PerFrame((-1..=40).map(|f| pose(f as f32 * dt)).collect());
        shot
    }

    fn acts_of(shot: &Shot) -> Vec<Act> {
        acts(shot, &shot.objects[3], &ObjectBounds::new())
    }

    fn pose(position: Vec3, angle_rad: f32) -> Pose {
        Pose {
            position,
            rotation: Quat::from_rotation_y(angle_rad),
        }
    }

    #[test]
    fn a_dropped_thing_falls_bounces_and_comes_to_rest() {
        // Two arcs of a bouncing ball, then rest.
        let shot = shot_with(|t| {
            let z = if t < 0.6 {
                0.5 + (0.6 * 0.6 - t * t) * 5.0
            } else if t < 1.2 {
                0.5 + 5.0 * (t - 0.6) * (1.2 - t)
            } else {
                0.5
            };
            pose(Vec3::new(0.0, 0.0, z), 0.0)
        });
        assert_eq!(acts_of(&shot), [Act::Fall, Act::Bounce, Act::Settle]);
    }

    #[test]
    fn rolling_sliding_and_spinning_differ_by_their_turn() {
        let roll = shot_with(|t| pose(Vec3::new(t, 0.0, 0.5), t / 0.5));
        assert_eq!(acts_of(&roll), [Act::Tumble], "a gear is not round");
        let mut ball = roll;
        ball.objects[3].noun = "rubber ball".into();
        assert_eq!(acts_of(&ball), [Act::Roll]);
        let slide = shot_with(|t| pose(Vec3::new(t, 0.0, 0.5), 0.0));
        assert_eq!(acts_of(&slide), [Act::Slide]);
        let spin = shot_with(|t| pose(Vec3::new(0.0, 0.0, 0.5), 3.0 * t));
        assert_eq!(acts_of(&spin), [Act::Spin]);
        let thrown = shot_with(|t| pose(Vec3::new(t, 0.0, 0.5 + 8.0 * t - 5.0 * t * t), 0.0));
        assert_eq!(acts_of(&thrown)[..2], [Act::Fly, Act::Fall]);
    }

    #[test]
    fn standing_things_rest_and_floating_ones_hover() {
        let mut shot = shot_with(|_| pose(Vec3::Z, 0.0));
        assert_eq!(acts_of(&shot), [Act::Rest]);
        shot.objects[3].physics.as_mut().unwrap().resting_gap = None;
        assert_eq!(acts_of(&shot), [Act::Hover]);
    }

    #[test]
    fn camera_moves_are_told_from_the_picture() {
        let of = |from: Vec3, to: Vec3, look: Option<(Vec3, Vec3)>| {
            let mut shot = testing::one_tuple_shot();
            let (a, b) = look.unwrap_or((Vec3::ZERO, Vec3::ZERO + to - from));
            let frames = shot.frame_count;
            let poses = (-1..=frames as i64)
                .map(|f| {
                    let t = (f as f32 / (frames - 1) as f32).clamp(0.0, 1.0);
                    let eye = from.lerp(to, t);
                    let target = a.lerp(b, t);
                    let view = glam::camera::rh::view::look_at_mat4(eye, target, Vec3::Z).inverse();
                    Pose {
                        position: eye,
                        rotation: Quat::from_mat4(&view).normalize(),
                    }
                })
                .collect();
            shot.cameras[0].pose = Track::PerFrame(poses);
            camera_move(&shot, &shot.cameras[0], Vec3::ZERO).0
        };
        let eye = Vec3::new(0.0, -8.0, 0.0);
        // Looking along +Y: +X is right.
        assert_eq!(of(eye, eye, None), CameraMove::Static);
        assert_eq!(of(eye, eye + Vec3::Y, None), CameraMove::PushIn);
        assert_eq!(of(eye, eye - Vec3::Y, None), CameraMove::PullBack);
        assert_eq!(of(eye, eye + Vec3::X, None), CameraMove::Right);
        assert_eq!(of(eye, eye - Vec3::X, None), CameraMove::Left);
        assert_eq!(of(eye, eye + Vec3::Z, None), CameraMove::Rise);
        assert_eq!(of(eye, eye - Vec3::Z, None), CameraMove::Sink);
        let centre = Some((Vec3::ZERO, Vec3::ZERO));
        assert_eq!(of(eye, eye + Vec3::X, centre), CameraMove::OrbitRight);
        assert_eq!(of(eye, eye - Vec3::X, centre), CameraMove::OrbitLeft);
        let look_right = Some((Vec3::ZERO, Vec3::X));
        assert_eq!(of(eye, eye, look_right), CameraMove::PanRight);
        let look_up = Some((Vec3::ZERO, Vec3::Z));
        assert_eq!(of(eye, eye, look_up), CameraMove::TiltUp);
    }
}
