//! Walking and running: feet that stand still on the floor while the body passes over them.

use core::f32::consts::TAU;

use glam::Vec3;

use super::super::character::solid::smoothstep;
use super::figure::{Arm, Figure, Foot, Stance, pitch, roll, yaw};

/// A gait of the standard body (1.75 m). Lengths in metres, angles in radians.
///
/// Shares of a cycle count from the moment when a foot comes down.
pub(super) struct Gait {
    /// Frames of one cycle (two steps).
    pub(super) frames: usize,
    /// Metres per second, towards −Y.
    pub(super) speed: f32,
    /// Share of the cycle that a foot stands (duty factor): > 0.5 walks, < 0.5 runs.
    pub(super) duty: f32,
    /// How far in front of the hips a foot comes down.
    pub(super) ahead: f32,
    /// Half the distance between the two tracks.
    pub(super) half_width: f32,
    /// Toes up when the foot comes down.
    pub(super) strike: f32,
    /// Heel up when it leaves.
    pub(super) push: f32,
    /// Share of the stance at which the heel begins to rise.
    pub(super) rise_from: f32,
    /// How high the ankle is lifted between, above the straight way.
    pub(super) lift: f32,
    /// Share of the swing at which it is highest.
    pub(super) lift_at: f32,
    /// Middle height of the hips below standing, its amplitude, and where in a step it is highest.
    pub(super) sink: f32,
    pub(super) bob: f32,
    pub(super) bob_at: f32,
    /// Trunk forward.
    pub(super) lean: f32,
    /// Arms: amplitude forward and back, elbow, its amplitude.
    pub(super) arm_swing: f32,
    pub(super) elbow: f32,
    pub(super) elbow_swing: f32,
    /// Turn of the hips about the vertical.
    pub(super) hip_yaw: f32,
}

/// 1.25 m/s, 113 steps a minute (Perry 1992: stance is 62 % of the cycle).
pub(super) const WALK: Gait = Gait {
    frames: 32,
    speed: 1.25,
    duty: 0.62,
    ahead: 0.345,
    half_width: 0.062,
    strike: 0.33,
    push: 0.85,
    rise_from: 0.50,
    lift: 0.055,
    lift_at: 0.42,
    sink: 0.028,
    bob: 0.016,
    bob_at: 0.62,
    lean: 0.045,
    arm_swing: 0.42,
    elbow: 0.32,
    elbow_swing: 0.16,
    hip_yaw: 0.10,
};

/// 3 m/s, 164 steps a minute (Novacheck 1998: stance is about 39 % of the cycle when jogging).
pub(super) const RUN: Gait = Gait {
    frames: 22,
    speed: 3.0,
    duty: 0.34,
    ahead: 0.28,
    half_width: 0.045,
    strike: 0.12,
    push: 1.0,
    rise_from: 0.45,
    lift: 0.17,
    lift_at: 0.40,
    sink: 0.055,
    bob: 0.034,
    bob_at: 0.84,
    lean: 0.16,
    arm_swing: 0.75,
    elbow: 1.55,
    elbow_swing: 0.25,
    hip_yaw: 0.15,
};

impl Gait {
    fn foot(&self, cycles: f32, side: f32, figure: &Figure) -> Foot {
        let stride = self.speed * self.frames as f32 / super::RATE_HZ;
        let count = libm::floorf(cycles);
        let phase = cycles - count;
        // Steps are laid out from where the hips are when the foot comes down.
        let planted = |count: f32, offset: f32| {
            let hips = -stride * (count + offset);
            Vec3::new(
                side * self.half_width,
                hips - self.ahead + figure.landmarks.ankle.y,
                0.0,
            )
        };
        // `cycles` of the right foot is half a cycle ahead of time.
        let offset = if side > 0.0 { 0.0 } else { -0.5 };
        let here = planted(count, offset);
        let foot = Foot {
            place: here,
            yaw: side * 0.09,
            pitch: 0.0,
            toes_level: 1.0,
        };
        if phase < self.duty {
            let t = phase / self.duty;
            let rise = ((t - self.rise_from) / (1.0 - self.rise_from)).max(0.0);
            let settle = 1.0 - smoothstep(0.0, 0.16, t);
            return Foot {
                pitch: self.strike * settle - self.push * rise * rise,
                ..foot
            };
        }
        let t = (phase - self.duty) / (1.0 - self.duty);
        let next = planted(count + 1.0, offset);
        // Leaves upward, overtakes, and comes straight down.
        let way = smoothstep(0.04, 0.92, t);
        // Rises to its highest at `lift_at`.
        let bump = if t < self.lift_at {
            smoothstep(0.0, self.lift_at, t)
        } else {
            1.0 - smoothstep(self.lift_at, 1.0, t)
        };
        let toes_down = 1.0 - smoothstep(0.0, 0.75, t);
        let toes_up = smoothstep(0.45, 0.95, t);
        Foot {
            place: here.lerp(next, way) + Vec3::new(0.0, 0.0, self.lift * bump),
            pitch: self.strike * toes_up - self.push * toes_down,
            toes_level: 1.0 - 0.8 * smoothstep(0.10, 0.45, t),
            ..foot
        }
    }

    /// The stance `time_secs` after the left foot came down; hips start at y = 0.
    pub(super) fn stance(&self, time_secs: f32, figure: &Figure) -> Stance {
        let cycle_secs = self.frames as f32 / super::RATE_HZ;
        let cycles = time_secs / cycle_secs;
        let wave = |harmonic: f32, at: f32| libm::cosf(TAU * harmonic * (cycles - at));
        let l = &figure.landmarks;
        let height = l.hips.z - self.sink + self.bob * wave(2.0, self.bob_at / 2.0);
        // Over the standing foot: left in the first half.
        let side = 0.020 * wave(1.0, self.duty * 0.5);
        let forward = -self.speed * time_secs;
        // The left leg is in front at 0: the left half of the hips too, the right shoulder against it.
        let turn = -self.hip_yaw * wave(1.0, 0.02);
        let drop = 0.055 * wave(1.0, self.duty * 0.4);
        let arm = |sign: f32| Arm {
            raise: 0.16 + 0.05 * self.elbow,
            swing: 0.06 - sign * self.arm_swing * wave(1.0, 0.0) + 0.1 * self.elbow,
            flex: self.elbow - sign * self.elbow_swing * wave(1.0, 0.05),
            twist: 0.12 + 0.25 * (self.elbow - 0.3),
            curl: 0.25 + 0.35 * self.elbow,
            ..Arm::default()
        };
        Stance {
            hips: Vec3::new(side, forward, height),
            hips_turn: yaw(turn) * roll(-drop) * pitch(self.lean * 0.5),
            back: yaw(-turn * 1.9)
                * roll(drop * 1.1)
                * pitch(self.lean * 0.6 + 0.012 * wave(2.0, 0.1)),
            gaze: yaw(turn * 0.8) * pitch(-self.lean * 0.9),
            arms: [arm(1.0), arm(-1.0)],
            feet: [
                self.foot(cycles, 1.0, figure),
                self.foot(cycles + 0.5, -1.0, figure),
            ],
            knees_out: 0.03,
        }
    }
}
