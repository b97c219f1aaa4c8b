//! The shape of a dressed person as implicit solids, one per material layer, and which layer is
//! outermost where.

use glam::Vec3;

use super::head::Head;
use super::skeleton::{ARM, Landmarks, finger, mirrored};
use super::solid::{Loft, Section, capsule, section, smooth_max, smooth_min, smoothstep};
use super::{Bottom, CharacterParameters, Top};

/// Material slots of a built-in person, in the model's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slot {
    Skin,
    Lips,
    EyeWhite,
    Iris,
    Pupil,
    Hair,
    Top,
    Bottom,
    Shoes,
    Soles,
    Socks,
    Brows,
}

impl Slot {
    /// Layers that end in a crease where they meet another, not in a hem with an edge.
    pub(super) fn is_solid_of_its_own(self) -> bool {
        matches!(self, Self::Hair)
    }
}

/// Distances to the parts of the naked body at one point.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts {
    pub(super) torso: f32,
    /// The nearer arm.
    pub(super) arm: f32,
    /// Metres from its shoulder along it.
    pub(super) arm_along: f32,
    /// The leg on this side, and the other.
    pub(super) leg: f32,
    pub(super) other_leg: f32,
    head: f32,
    foot: f32,
    other_foot: f32,
    hair: f32,
}

/// Where a garment ends, metres; positive inside.
struct Extent {
    top: f32,
    bottom: f32,
    shoe: f32,
    sock: f32,
}

/// A dressed person as functions of a point at rest, model space.
pub(super) struct Body {
    pub(super) landmarks: Landmarks,
    pub(super) head: Head,
    torso: Loft,
    arm: Loft,
    leg: Loft,
    foot: Loft,
    build: f32,
    top: Top,
    bottom: Bottom,
    /// Factor of cloth measures.
    unit: f32,
    sleeve_end: f32,
    top_hem: f32,
    bottom_hem: f32,
    waist: f32,
}

impl Body {
    pub(super) fn new(parameters: &CharacterParameters) -> Self {
        let l = Landmarks::of(parameters);
        let CharacterParameters {
            build,
            frame,
            youth,
            top,
            bottom,
            ..
        } = *parameters;
        let unit = l.scale;
        let child = 1.0 + 0.10 * youth;
        // Fat shows at the belly first, then hips and thighs, least at the ends of limbs.
        let girth = unit * child * (1.0 + 0.16 * build);
        let belly =
            unit * child * (1.0 + 0.34 * build.max(0.0) + 0.14 * build.min(0.0) + 0.06 * youth);
        let limb = unit * child * (1.0 + 0.17 * build);
        let end = unit * child * (1.0 + 0.09 * build);
        let broad = 1.0 + 0.08 * frame;
        let (low, high) = (l.hip.z, l.shoulder.z);
        let at = |share: f32| low + (high - low) * share;
        let hip_width = l.hip.x / 0.091;
        let ring = |share: f32, half: f32, front: f32, back: f32, shift: f32| Section {
            along: at(share),
            shape: [half, front, back, shift * unit],
        };
        let shoulder_width = l.shoulder.x / 0.163;
        let chest = -0.012 * (-frame).max(0.0);
        let torso = Loft::new(
            Vec3::ZERO,
            Vec3::Z,
            Vec3::X,
            0.35,
            vec![
                ring(-0.10, 0.130 * hip_width, 0.080 * girth, 0.100 * girth, 0.01),
                ring(
                    0.02,
                    0.166 * hip_width * (1.0 + 0.16 * build),
                    0.094 * girth,
                    0.116 * girth,
                    0.01,
                ),
                ring(
                    0.16,
                    0.164 * hip_width * (1.0 + 0.16 * build),
                    0.096 * belly,
                    0.100 * girth,
                    0.005,
                ),
                ring(
                    0.38,
                    (0.131 + 0.008 * frame) * belly,
                    0.096 * belly,
                    0.080 * girth,
                    0.0,
                ),
                ring(
                    0.58,
                    0.138 * girth * broad,
                    0.102 * girth,
                    0.088 * girth,
                    0.0,
                ),
                ring(
                    0.76,
                    0.150 * girth * broad,
                    (0.112 - chest) * girth,
                    0.104 * girth,
                    0.005,
                ),
                ring(
                    0.90,
                    0.146 * shoulder_width * unit,
                    0.094 * girth,
                    0.100 * girth,
                    0.012,
                ),
                ring(
                    1.00,
                    0.118 * shoulder_width * unit,
                    0.066 * girth,
                    0.080 * girth,
                    0.018,
                ),
                ring(
                    1.07,
                    0.072 * unit * child,
                    0.054 * unit,
                    0.064 * unit,
                    0.022,
                ),
            ],
        );
        let upper = (l.elbow - l.shoulder).length();
        let fore = (l.wrist - l.elbow).length();
        let hand = l.hand() / 0.184;
        // Round at the arm, flat at the hand: width is along Y, front is the palm's side.
        let tube = |along: f32, radius: f32| {
            section(along, radius * limb, radius * limb, radius * limb, 0.0)
        };
        let wrist = upper + fore;
        let palm = |along: f32, half: f32, front: f32, back: f32| {
            section(
                wrist + along * hand,
                half * hand,
                front * hand,
                back * hand,
                0.0,
            )
        };
        let arm = Loft::new(
            l.shoulder,
            ARM,
            Vec3::Y,
            0.0,
            vec![
                tube(-0.005, 0.0490),
                tube(upper * 0.22, 0.0515),
                tube(upper * 0.52, 0.0465),
                tube(upper * 0.82, 0.0405),
                tube(upper, 0.0385),
                tube(upper + fore * 0.25, 0.0405),
                tube(upper + fore * 0.55, 0.0355),
                section(
                    upper + fore * 0.85,
                    0.0285 * end,
                    0.025 * end,
                    0.025 * end,
                    0.0,
                ),
                palm(0.0, 0.0275, 0.0205, 0.0205),
                palm(0.030, 0.0340, 0.0190, 0.0165),
                palm(0.062, 0.0415, 0.0165, 0.0140),
                palm(0.092, 0.0420, 0.0125, 0.0120),
            ],
        );
        let axis = (l.ankle - l.hip).normalize_or(-Vec3::Z);
        let length = (l.ankle - l.hip).length();
        let knee = (l.knee - l.hip).length() / length;
        let thigh = unit * child * (1.0 + 0.22 * build);
        let stage = |share: f32, half: f32, front: f32, back: f32, size: f32, shift: f32| {
            section(
                share * length,
                half * size,
                front * size,
                back * size,
                shift * unit,
            )
        };
        let leg = Loft::new(
            l.hip,
            axis,
            Vec3::Y.cross(axis).normalize_or(-Vec3::X),
            0.1,
            vec![
                stage(-0.02, 0.082, 0.080, 0.092, thigh, 0.008),
                stage(0.12, 0.081, 0.084, 0.086, thigh, 0.0),
                stage(0.27, 0.071, 0.078, 0.074, thigh, -0.002),
                stage(knee - 0.09, 0.058, 0.064, 0.058, limb, -0.002),
                stage(knee, 0.051, 0.054, 0.050, limb, -0.002),
                stage(knee + 0.08, 0.050, 0.048, 0.056, limb, 0.004),
                stage(knee + 0.19, 0.050, 0.044, 0.060, limb, 0.006),
                stage(knee + 0.34, 0.040, 0.038, 0.042, limb, 0.004),
                stage(0.96, 0.033, 0.034, 0.036, end, 0.002),
                stage(1.02, 0.033, 0.034, 0.038, end, 0.002),
            ],
        );
        // From the heel forward; v is down, so "front" is the upper side.
        let heel = l.ankle.y + 0.060 * unit;
        let shoe = |along: f32, half: f32, high: f32| {
            let middle = high * 0.42 * unit;
            section(
                along * unit,
                half * unit * child,
                high * unit - middle,
                middle * 1.5,
                -middle,
            )
        };
        let foot = Loft::new(
            Vec3::new(l.ankle.x * 1.02, heel, 0.0),
            -Vec3::Y,
            -Vec3::X,
            0.55,
            vec![
                shoe(0.022, 0.033, 0.078),
                shoe(0.060, 0.037, 0.092),
                shoe(0.100, 0.037, 0.092),
                shoe(0.150, 0.042, 0.068),
                shoe(0.195, 0.048, 0.054),
                shoe(0.232, 0.044, 0.046),
                shoe(0.252, 0.032, 0.040),
            ],
        );
        Self {
            head: Head::new(parameters, &l),
            torso,
            arm,
            leg,
            foot,
            build,
            top,
            bottom,
            unit,
            sleeve_end: match top {
                Top::ShortSleeves => upper * 0.62,
                Top::LongSleeves => wrist - 0.012 * unit,
                Top::Sweater => wrist + 0.004 * unit,
            },
            top_hem: match top {
                Top::ShortSleeves | Top::LongSleeves => at(0.10),
                Top::Sweater => at(0.03),
            },
            bottom_hem: match bottom {
                Bottom::Trousers => l.ankle.z + 0.012 * unit,
                Bottom::Shorts => l.knee.z + 0.045 * unit,
                Bottom::Skirt => l.knee.z + 0.055 * unit,
            },
            waist: at(0.30),
            landmarks: l,
        }
    }

    /// Corners of a box around the person, hair and cloth included.
    pub(super) fn bounds(&self) -> (Vec3, Vec3) {
        let l = &self.landmarks;
        let tip = finger(l, 2)[0];
        let reach = tip.x + 0.05 * self.unit;
        let depth = 0.30 * self.unit;
        (
            Vec3::new(-reach, -depth, -0.02),
            Vec3::new(reach, depth, l.crown.z + self.head.hair_height() + 0.03),
        )
    }

    pub(super) fn wears_skirt(&self) -> bool {
        self.bottom == Bottom::Skirt
    }

    /// −1 thin … 1 heavy.
    pub(super) fn plumpness(&self) -> f32 {
        self.build
    }

    pub(super) fn parts(&self, p: Vec3) -> Parts {
        let near = Vec3::new(p.x.abs(), p.y, p.z);
        let far = mirrored(near);
        let l = &self.landmarks;
        let high = p.z > l.spine[1].z;
        let torso = self.torso.distance(p);
        let palm = self.thenar(near);
        let girdle = capsule(
            near,
            l.neck + Vec3::new(0.03, 0.004, 0.000) * self.unit,
            l.shoulder + Vec3::new(-0.012, 0.0, 0.008) * self.unit,
            0.044 * self.unit,
            0.046 * self.unit,
        );
        let leg = self.leg.distance(near);
        let leg_at = |q: Vec3| if high { 1.0 } else { self.leg.distance(q) };
        let foot_at = |q: Vec3| {
            let loft = self.foot.distance(q);
            smooth_max(loft, -q.z, 0.008 * self.unit)
        };
        let low = p.z < l.ankle.z + 0.12 * self.unit;
        Parts {
            torso: smooth_min(torso, girdle, 0.05 * self.unit),
            arm: smooth_min(self.arm.distance(near), palm, 0.014 * self.unit),
            arm_along: self.arm.along(near),
            leg: if high { 1.0 } else { leg },
            other_leg: if near.x < 0.1 * self.unit {
                leg_at(far)
            } else {
                1.0
            },
            head: if p.z > l.shoulder.z - 0.02 {
                self.head.distance(p)
            } else {
                1.0
            },
            foot: if low { foot_at(near) } else { 1.0 },
            other_foot: if low { foot_at(far) } else { 1.0 },
            hair: self.head.hair(p),
        }
    }

    /// Ball of the thumb.
    fn thenar(&self, near: Vec3) -> f32 {
        let [base, knuckle, ..] = finger(&self.landmarks, 0);
        let unit = self.landmarks.hand() / 0.184;
        capsule(near, base, knuckle, 0.0165 * unit, 0.0120 * unit)
    }

    /// Trunk and limbs, each thicker by that much.
    fn figure(&self, parts: &Parts, trunk: f32, arm: f32, leg: f32) -> f32 {
        let u = self.unit;
        let legs = smooth_min(parts.leg - leg, parts.other_leg - leg, 0.012 * u);
        let lower = smooth_min(parts.torso - trunk, legs, 0.05 * u);
        smooth_min(lower, parts.arm - arm, 0.045 * u)
    }

    fn skin(&self, parts: &Parts) -> f32 {
        smooth_min(
            self.figure(parts, 0.0, 0.0, 0.0),
            parts.head,
            0.03 * self.unit,
        )
    }

    fn top(&self, parts: &Parts, p: Vec3) -> f32 {
        let u = self.unit;
        let l = &self.landmarks;
        let (thick, loose, sleeve) = match self.top {
            Top::ShortSleeves => (0.006, 0.006, 0.012),
            Top::LongSleeves => (0.007, 0.008, 0.004),
            Top::Sweater => (0.013, 0.016, 0.006),
        };
        // Falls straight from the chest; wider towards the end of the sleeve.
        let fall = smoothstep(l.spine[2].z, self.top_hem, p.z);
        let trunk = thick + loose * fall;
        let end = smoothstep(0.05 * u, self.sleeve_end, parts.arm_along);
        let arm = thick * 0.8 + sleeve * end;
        let leg = trunk;
        self.figure(parts, trunk * u, arm * u, leg * u)
    }

    fn bottom(&self, parts: &Parts, p: Vec3) -> f32 {
        let u = self.unit;
        let l = &self.landmarks;
        let loose = match self.bottom {
            Bottom::Trousers => 0.012 * smoothstep(l.knee.z, l.ankle.z, p.z) + 0.004,
            Bottom::Shorts => 0.004 + 0.016 * smoothstep(l.hip.z, self.bottom_hem, p.z),
            Bottom::Skirt => return self.skirt(parts, p),
        };
        self.figure(parts, 0.006 * u, 0.0, (0.004 + loose) * u)
    }

    /// A cone around both legs, with folds.
    fn skirt(&self, parts: &Parts, p: Vec3) -> f32 {
        let u = self.unit;
        let l = &self.landmarks;
        let flare = smoothstep(l.hips.z + 0.06 * u, self.bottom_hem - 0.05 * u, p.z);
        let angle = libm::atan2f(p.y, p.x);
        let folds = 0.007 * u * flare * libm::sinf(angle * 14.0);
        let width = l.hip.x + (0.058 + 0.085 * flare) * u;
        let depth = (0.098 + 0.075 * flare) * u;
        let (x, y) = (p.x / width, (p.y - 0.008 * u) / depth);
        let norm = libm::sqrtf(x * x + y * y).max(1e-3);
        let radius = libm::sqrtf(p.x * p.x + p.y * p.y);
        let cone = radius * (1.0 - 1.0 / norm) - folds;
        let cone = smooth_max(cone, p.z - (l.hips.z + 0.02 * u), 0.04 * u);
        let body = self.figure(parts, 0.006 * u, 0.0, 0.004 * u);
        smooth_min(cone, body, 0.05 * u)
    }

    fn shoe(&self, parts: &Parts) -> f32 {
        let u = self.unit;
        let left = smooth_min(parts.foot, parts.leg - 0.007 * u, 0.03 * u);
        let right = smooth_min(parts.other_foot, parts.other_leg - 0.007 * u, 0.03 * u);
        left.min(right)
    }

    fn extent(&self, parts: &Parts, p: Vec3) -> Extent {
        let u = self.unit;
        let l = &self.landmarks;
        // The collar: a cone about the neck, lower in front.
        let from_neck = p - (l.neck + Vec3::new(0.0, -0.012 * u, 0.014 * u));
        let collar = 0.40 * from_neck.y + 0.30 * libm::sqrtf(p.x * p.x + from_neck.y * from_neck.y)
            - from_neck.z
            - 0.006 * u;
        let hem = p.z - self.top_hem;
        let sleeve = if parts.arm < parts.torso.min(parts.leg) {
            self.sleeve_end - parts.arm_along
        } else {
            1.0
        };
        let on_arm = parts.arm < parts.torso.min(parts.leg);
        let hem = if on_arm { 1.0 } else { hem };
        Extent {
            top: collar.min(hem).min(sleeve),
            bottom: if on_arm {
                -1.0
            } else {
                (p.z - self.bottom_hem).min(self.waist - p.z)
            },
            shoe: l.ankle.z + 0.018 * u - p.z,
            sock: l.ankle.z + 0.055 * u - p.z,
        }
    }

    /// Whether a point of the surface is near the border of the hair.
    pub(super) fn is_at_hairline(&self, p: Vec3) -> bool {
        let parts = self.parts(p);
        (parts.hair - self.skin(&parts)).abs() < 0.010 * self.unit
    }

    /// The outermost layer at a point near the surface.
    pub(super) fn slot(&self, p: Vec3) -> Slot {
        let parts = self.parts(p);
        let skin = self.skin(&parts);
        if parts.hair < skin {
            return Slot::Hair;
        }
        let extent = self.extent(&parts, p);
        if extent.top > 0.0 {
            Slot::Top
        } else if extent.bottom > 0.0 {
            Slot::Bottom
        } else if extent.shoe > 0.0 {
            let sole = 0.017 * self.unit;
            if p.z < sole { Slot::Soles } else { Slot::Shoes }
        } else if extent.sock > 0.0 {
            Slot::Socks
        } else if self.head.is_lip(p) {
            Slot::Lips
        } else {
            Slot::Skin
        }
    }

    /// About the distance to the surface of one layer, as if it went on without end.
    pub(super) fn layer(&self, slot: Slot, p: Vec3) -> f32 {
        let parts = self.parts(p);
        match slot {
            Slot::Hair => parts.hair,
            Slot::Top => self.top(&parts, p),
            Slot::Bottom => self.bottom(&parts, p),
            Slot::Shoes | Slot::Soles => self.shoe(&parts),
            Slot::Socks => self.skin(&parts) - 0.003 * self.unit,
            _ => self.skin(&parts),
        }
    }

    /// About the distance to all layers together. Garments fade out beyond their hems instead of
    /// ending there: the grid does not see edges that thin.
    pub(super) fn envelope(&self, p: Vec3) -> f32 {
        const FADE: f32 = 0.7;
        let parts = self.parts(p);
        let extent = self.extent(&parts, p);
        let beyond = |inside: f32| FADE * (-inside).max(0.0);
        let skin = self.skin(&parts);
        if skin > 0.35 {
            return skin.min(parts.hair) - 0.2;
        }
        let bottom_hem = match self.bottom {
            // Its lower side is far from the legs: a real face.
            Bottom::Skirt => smooth_max(self.bottom(&parts, p), -extent.bottom, 0.006),
            _ => self.bottom(&parts, p) + beyond(extent.bottom),
        };
        skin.min(parts.hair)
            .min(self.top(&parts, p) + beyond(extent.top))
            .min(bottom_hem)
            .min(self.shoe(&parts) + beyond(extent.shoe))
    }
}
