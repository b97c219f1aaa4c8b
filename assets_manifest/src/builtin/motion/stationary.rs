//! Motions on the spot: sums of harmonics and eased keys over feet that stay where they are put.

use core::f32::consts::{PI, TAU};

use glam::Vec3;

use super::super::character::solid::smoothstep;
use super::figure::{Arm, Figure, Stance, pitch, roll, yaw};

/// Wave of `harmonic` periods over `t` = 0 … 1, which therefore joins.
fn wave(t: f32, harmonic: f32, at: f32) -> f32 {
    libm::sinf(TAU * harmonic * (t - at))
}

/// Up at `up` and down at `down`, each over `ease`.
fn plateau(t: f32, up: f32, down: f32, ease: f32) -> f32 {
    smoothstep(up, up + ease, t) * (1.0 - smoothstep(down - ease, down, t))
}

pub(super) fn idle(t: f32, figure: &Figure) -> Stance {
    let mut s = figure.standing();
    let breath = wave(t, 2.0, 0.0);
    let sway = wave(t, 1.0, 0.1);
    s.hips += Vec3::new(
        0.018 * sway,
        0.004 * wave(t, 2.0, 0.3),
        -0.003 + 0.002 * breath,
    );
    s.hips_turn = roll(0.025 * sway) * yaw(0.02 * sway);
    s.back = roll(-0.035 * sway) * pitch(-0.012 * breath) * yaw(-0.03 * sway);
    s.gaze =
        yaw(0.16 * wave(t, 1.0, 0.35) + 0.05 * wave(t, 3.0, 0.0)) * pitch(0.03 * wave(t, 2.0, 0.2));
    for (i, arm) in s.arms.iter_mut().enumerate() {
        let own = i as f32 * 0.23;
        arm.raise += 0.012 * breath;
        arm.swing += 0.03 * wave(t, 1.0, own);
        arm.flex += 0.04 * wave(t, 2.0, own);
        arm.shrug += 0.012 * breath;
    }
    s
}

pub(super) fn wave_hand(t: f32, figure: &Figure) -> Stance {
    let mut s = idle(t, figure);
    let up = plateau(t, 0.08, 0.92, 0.16);
    let to_and_fro = wave(t, 7.0, 0.0) * plateau(t, 0.18, 0.82, 0.08);
    s.hips.x += 0.015 * up;
    s.back = s.back * roll(0.06 * up) * pitch(0.02 * up);
    s.gaze *= roll(-0.08 * up);
    let rest = s.arms[1];
    let mix = |a: f32, b: f32| a + (b - a) * up;
    s.arms[1] = Arm {
        raise: mix(rest.raise, 1.45),
        swing: mix(rest.swing, 0.25),
        twist: mix(rest.twist, 1.45),
        flex: mix(rest.flex, 1.45) + 0.34 * to_and_fro,
        wrist: -0.12 * to_and_fro,
        curl: mix(rest.curl, 0.0),
        shrug: rest.shrug,
    };
    s
}

/// Seconds of the jump's parts: bend, stretch, fly.
const TAKE_OFF: f32 = 0.80;
const FLIGHT: f32 = 0.44;
/// Whole seconds of the jump.
pub(super) const JUMP_SECS: f32 = 2.0;

pub(super) fn jump(t: f32, figure: &Figure) -> Stance {
    let secs = t * JUMP_SECS;
    let mut s = figure.standing();
    let landing = TAKE_OFF + FLIGHT;
    let bend = smoothstep(0.10, 0.50, secs) * (1.0 - smoothstep(0.55, TAKE_OFF, secs));
    let absorb = smoothstep(landing - 0.02, landing + 0.17, secs)
        * (1.0 - smoothstep(landing + 0.2, 1.9, secs));
    let down = bend + 0.75 * absorb;
    let aloft = (secs - TAKE_OFF).clamp(0.0, FLIGHT);
    // Free fall: it is as high as its time in the air allows.
    let height = 0.5 * 9.81 * aloft * (FLIGHT - aloft);
    let tiptoe = smoothstep(TAKE_OFF - 0.16, TAKE_OFF, secs)
        * (1.0 - smoothstep(landing - 0.10, landing, secs));
    s.hips += Vec3::new(0.0, 0.10 * down, -0.27 * down + height + 0.085 * tiptoe);
    s.hips_turn = pitch(0.42 * down);
    s.back = pitch(0.38 * down - 0.05 * tiptoe);
    s.gaze = pitch(-0.42 * down);
    for foot in &mut s.feet {
        foot.place.z = height * 0.97;
        foot.pitch = -0.75 * tiptoe;
        foot.toes_level = 1.0
            - smoothstep(0.0, 0.1, aloft) * (1.0 - smoothstep(FLIGHT - 0.1, FLIGHT, aloft)) * 0.6;
    }
    let reach = smoothstep(0.56, TAKE_OFF + 0.06, secs)
        * (1.0 - smoothstep(landing - 0.15, landing + 0.3, secs));
    for arm in &mut s.arms {
        arm.swing += -0.85 * bend + 2.3 * reach + 0.4 * absorb;
        arm.raise += 0.12 * down + 0.2 * reach;
        arm.flex += 0.25 * down + 0.2 * reach;
    }
    s.knees_out = 0.10 * down;
    s
}

/// Side to side over both feet, stepping out in turn, arms bent.
pub(super) fn dance_groove(t: f32, figure: &Figure) -> Stance {
    let mut s = figure.standing();
    // Four beats to each side's step; two dips per step.
    let side = wave(t, 2.0, 0.0);
    let beat = 0.5 - 0.5 * libm::cosf(TAU * 8.0 * t);
    s.hips += Vec3::new(0.09 * side, 0.02, -0.035 - 0.05 * beat);
    s.hips_turn = yaw(0.16 * wave(t, 2.0, 0.1)) * roll(0.10 * side);
    s.back = yaw(-0.34 * wave(t, 2.0, 0.1)) * roll(-0.17 * side) * pitch(0.06 + 0.07 * beat);
    s.gaze = yaw(0.12 * side) * pitch(-0.08 * beat) * roll(0.10 * wave(t, 4.0, 0.0));
    for (i, sign) in [(0, 1.0), (1, -1.0)] {
        s.feet[i].place.x += sign * 0.09;
        s.feet[i].yaw = sign * 0.28;
        // The heel of the leg without weight lifts on the ball.
        s.feet[i].pitch = -0.55 * smoothstep(0.15, 0.95, -sign * side);
        let pump = wave(t, 4.0, 0.12 * sign);
        s.arms[i] = Arm {
            raise: 0.45 + 0.22 * sign * side,
            swing: 0.35 + 0.42 * pump,
            twist: 0.5,
            flex: 1.50 + 0.30 * wave(t, 4.0, 0.1 + 0.12 * sign),
            curl: 0.9,
            ..Arm::default()
        };
    }
    s.knees_out = 0.16;
    s
}

/// Width of the side step, metres.
const STEP: f32 = 0.34;

/// Steps to the left and back to the right, feet together between, arms swinging overhead.
pub(super) fn dance_step(t: f32, figure: &Figure) -> Stance {
    let mut s = figure.standing();
    // Quarters: left foot out, right foot follows, right foot out, left foot follows.
    let step = |from: f32| smoothstep(from + 0.03, from + 0.20, t);
    let lifted = |from: f32| {
        let u = ((t - from - 0.03) / 0.17).clamp(0.0, 1.0);
        libm::sinf(PI * u) * libm::sinf(PI * u)
    };
    let left = STEP * (step(0.0) - step(0.75));
    let right = STEP * (step(0.25) - step(0.50));
    s.feet[0].place += Vec3::new(left, 0.0, 0.085 * (lifted(0.0) + lifted(0.75)));
    s.feet[1].place += Vec3::new(right, 0.0, 0.085 * (lifted(0.25) + lifted(0.50)));
    let middle = (smoothstep(0.0, 0.40, t) - smoothstep(0.50, 0.90, t)) * STEP;
    let beat = 0.5 - 0.5 * libm::cosf(TAU * 4.0 * t);
    s.hips += Vec3::new(middle, 0.0, -0.045 - 0.025 * beat);
    let sway = wave(t, 1.0, 0.0);
    s.hips_turn = yaw(0.14 * sway) * roll(-0.05 * wave(t, 2.0, 0.0));
    s.back = roll(0.12 * sway) * yaw(0.18 * sway) * pitch(-0.03);
    s.gaze = yaw(0.25 * sway);
    for (i, sign) in [(0, 1.0), (1, -1.0)] {
        let up = 0.5 + 0.5 * sign * sway;
        s.arms[i] = Arm {
            raise: 0.70 + 1.55 * up,
            swing: 0.28 + 0.10 * wave(t, 2.0, 0.0),
            twist: -0.3,
            flex: 0.45 + 0.35 * (0.5 - 0.5 * libm::cosf(TAU * 4.0 * t)),
            wrist: -0.25 * wave(t, 2.0, 0.1),
            curl: 0.08,
            ..Arm::default()
        };
    }
    s.knees_out = 0.10;
    s
}

/// The twist: on the balls of both feet, hips and shoulders against each other, sinking and rising.
pub(super) fn dance_twist(t: f32, figure: &Figure) -> Stance {
    let mut s = figure.standing();
    let turn = wave(t, 4.0, 0.0);
    let low = 0.5 - 0.5 * libm::cosf(TAU * t);
    s.hips += Vec3::new(0.0, 0.05 * low, -0.05 - 0.13 * low);
    s.hips_turn = yaw(0.42 * turn) * pitch(0.10 * low);
    s.back = yaw(-0.75 * turn) * pitch(0.14 + 0.14 * low);
    s.gaze = yaw(0.26 * turn) * pitch(-0.18 * low - 0.08);
    for (i, sign) in [(0, 1.0), (1, -1.0)] {
        s.feet[i].place.x += sign * 0.03;
        s.feet[i].yaw = sign * 0.12;
        s.feet[i].pitch = -0.22 - 0.18 * low;
        s.arms[i] = Arm {
            raise: 0.50 + 0.12 * turn * sign,
            swing: 0.42 - 0.40 * sign * turn,
            twist: 0.35,
            flex: 1.35 + 0.20 * sign * turn,
            curl: 0.7,
            ..Arm::default()
        };
    }
    s.knees_out = 0.12;
    s
}

/// Down to a seat of 0.45 m that is behind, and still.
pub(super) fn sit_down(t: f32, figure: &Figure) -> Stance {
    let mut s = figure.standing();
    let down = smoothstep(0.08, 0.72, t);
    let bow = libm::sinf(PI * smoothstep(0.02, 0.85, t));
    s.hips += Vec3::new(0.0, 0.40 * down, -0.43 * down);
    s.hips_turn = pitch(0.45 * bow - 0.06 * down);
    s.back = pitch(0.42 * bow + 0.02 * down);
    s.gaze = pitch(-0.35 * bow);
    for (i, sign) in [(0, 1.0), (1, -1.0)] {
        s.feet[i].place.x += sign * 0.02;
        s.arms[i].swing += 0.30 * down + 0.30 * bow;
        s.arms[i].flex += 0.72 * down;
        s.arms[i].twist += 0.45 * down;
        s.arms[i].raise -= 0.02 * down;
    }
    s.knees_out = 0.05 * down;
    s
}
