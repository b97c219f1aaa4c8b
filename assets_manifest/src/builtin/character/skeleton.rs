//! Where the joints of a built-in person are.
//!
//! Rest is an A-pose (arms 45° below horizontal, which bends shoulders least over the range that
//! motions use), facing −Y, feet on z = 0. At rest all joints are aligned with the model: a joint's
//! rotation in a pose is what it adds to its parent's.

use core::f32::consts::FRAC_1_SQRT_2;

use glam::{Affine3A, Vec3};

use super::CharacterParameters;
use crate::rig::{Joint, JointTransform};

/// Landmarks of a body at rest, model space, metres. Sided ones are on the left, which is +X; the
/// right is their mirror image.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Landmarks {
    /// Height over that of the standard body: factor of lengths that follow it.
    pub(in super::super) scale: f32,
    /// Factor of the head's size against the standard head's.
    pub(in super::super) head_scale: f32,
    /// Lower end of the chin.
    pub(in super::super) chin: f32,
    pub(in super::super) hips: Vec3,
    /// `Spine`, `Spine1`, `Spine2`.
    pub(in super::super) spine: [Vec3; 3],
    pub(in super::super) neck: Vec3,
    pub(in super::super) head: Vec3,
    pub(in super::super) crown: Vec3,
    pub(in super::super) clavicle: Vec3,
    pub(in super::super) shoulder: Vec3,
    pub(in super::super) elbow: Vec3,
    pub(in super::super) wrist: Vec3,
    pub(in super::super) hip: Vec3,
    pub(in super::super) knee: Vec3,
    pub(in super::super) ankle: Vec3,
    pub(in super::super) toe: Vec3,
    pub(in super::super) toe_end: Vec3,
}

/// From shoulder to wrist at rest, left side.
pub(in super::super) const ARM: Vec3 = Vec3::new(FRAC_1_SQRT_2, 0.0, -FRAC_1_SQRT_2);
/// The way the left palm faces at rest.
pub(super) const PALM: Vec3 = Vec3::new(-FRAC_1_SQRT_2, 0.0, -FRAC_1_SQRT_2);

/// Mirror image in the plane between left and right.
pub(in super::super) fn mirrored(p: Vec3) -> Vec3 {
    Vec3::new(-p.x, p.y, p.z)
}

impl Landmarks {
    pub(in super::super) fn of(parameters: &CharacterParameters) -> Self {
        let CharacterParameters {
            height_m: height,
            frame,
            youth,
            build,
            ..
        } = *parameters;
        let mix = |adult: f32, child: f32| height * (adult + (child - adult) * youth);
        let head_height = mix(0.135, 0.178);
        let scale = height / 1.75;
        let chin = height - head_height;
        // Fractions of stature (after Drillis and Contini 1966; children after Snyder et al. 1977).
        let shoulder_height = chin - mix(0.053, 0.042);
        let hip = Vec3::new(
            mix(0.052, 0.050) * (1.0 - 0.07 * frame),
            0.0,
            mix(0.515, 0.475),
        );
        let ankle = Vec3::new(hip.x * 1.05, 0.012 * scale, 0.045 * height);
        let knee_share = 0.505;
        // A hair in front of the line from hip to ankle: it tells which way the knee bends.
        let knee = hip.lerp(ankle, knee_share) + Vec3::new(0.0, -0.008 * scale, 0.0);
        let half_shoulders = mix(0.093, 0.088) * (1.0 + 0.08 * frame + 0.03 * build);
        let shoulder = Vec3::new(half_shoulders, 0.008 * scale, shoulder_height);
        let elbow = shoulder + ARM * mix(0.166, 0.158);
        let wrist = elbow + ARM * mix(0.146, 0.138);
        let hips = Vec3::new(0.0, 0.0, hip.z + 0.022 * height);
        let neck = Vec3::new(0.0, 0.022 * scale, shoulder_height + 0.022 * height);
        let along = |t: f32| hips.lerp(neck, t) + Vec3::new(0.0, 0.006 * scale, 0.0);
        Self {
            scale,
            head_scale: head_height / 0.236,
            chin,
            hips,
            spine: [along(0.18), along(0.42), along(0.68)],
            neck,
            head: Vec3::new(0.0, 0.004 * scale, chin + 0.01 * height),
            crown: Vec3::new(0.0, 0.004 * scale, height),
            clavicle: Vec3::new(0.022 * scale, 0.0, shoulder_height + 0.008 * height),
            shoulder,
            elbow,
            wrist,
            hip,
            knee,
            ankle,
            toe: Vec3::new(ankle.x * 1.04, -0.108 * scale, 0.018 * height),
            toe_end: Vec3::new(ankle.x * 1.05, -0.185 * scale, 0.018 * height),
        }
    }

    /// Length of the hand, wrist to fingertip.
    pub(super) fn hand(&self) -> f32 {
        (self.wrist - self.elbow).length() * 0.72
    }
}

/// Fingers, by Mixamo's names.
pub(super) const FINGERS: [&str; 5] = ["Thumb", "Index", "Middle", "Ring", "Pinky"];

/// The three joints and the tip of a finger of the left hand.
pub(super) fn finger(landmarks: &Landmarks, finger: usize) -> [Vec3; 4] {
    let unit = landmarks.hand() / 0.184;
    let at = |along: f32, side: f32, palm: f32| {
        landmarks.wrist + (ARM * along + Vec3::new(0.0, side, 0.0) + PALM * palm) * unit
    };
    if finger == 0 {
        return [
            at(0.026, -0.026, 0.012),
            at(0.054, -0.052, 0.018),
            at(0.078, -0.066, 0.020),
            at(0.100, -0.074, 0.020),
        ];
    }
    let index = finger - 1;
    let side = [-0.0295, -0.0095, 0.0100, 0.0285][index];
    let base = [0.094, 0.098, 0.094, 0.086][index];
    let length = [0.076, 0.084, 0.078, 0.060][index];
    // Relaxed: a little apart, a little curled towards the palm.
    let spread = side * 0.28;
    let joint = |share: f32, curl: f32| at(base + length * share, side + spread * share, curl);
    [
        joint(0.0, 0.000),
        joint(0.46, 0.005),
        joint(0.75, 0.012),
        joint(0.99, 0.021),
    ]
}

/// The skeleton by Mixamo's names and order.
pub(in super::super) fn joints(landmarks: &Landmarks) -> Vec<Joint> {
    let mut builder = Builder::default();
    let l = landmarks;
    let hips = builder.add("Hips", None, l.hips);
    let spine = builder.add("Spine", Some(hips), l.spine[0]);
    let spine1 = builder.add("Spine1", Some(spine), l.spine[1]);
    let spine2 = builder.add("Spine2", Some(spine1), l.spine[2]);
    let neck = builder.add("Neck", Some(spine2), l.neck);
    let head = builder.add("Head", Some(neck), l.head);
    builder.add("HeadTop_End", Some(head), l.crown);
    for (side, place) in [
        ("Left", (|p| p) as fn(Vec3) -> Vec3),
        ("Right", mirrored as fn(Vec3) -> Vec3),
    ] {
        let clavicle = builder.add(&format!("{side}Shoulder"), Some(spine2), place(l.clavicle));
        let arm = builder.add(&format!("{side}Arm"), Some(clavicle), place(l.shoulder));
        let fore_arm = builder.add(&format!("{side}ForeArm"), Some(arm), place(l.elbow));
        let hand = builder.add(&format!("{side}Hand"), Some(fore_arm), place(l.wrist));
        for (index, name) in FINGERS.iter().enumerate() {
            let mut parent = hand;
            for (segment, point) in finger(l, index).into_iter().enumerate() {
                let name = format!("{side}Hand{name}{}", segment + 1);
                parent = builder.add(&name, Some(parent), place(point));
            }
        }
    }
    for (side, place) in [
        ("Left", (|p| p) as fn(Vec3) -> Vec3),
        ("Right", mirrored as fn(Vec3) -> Vec3),
    ] {
        let thigh = builder.add(&format!("{side}UpLeg"), Some(hips), place(l.hip));
        let shin = builder.add(&format!("{side}Leg"), Some(thigh), place(l.knee));
        let foot = builder.add(&format!("{side}Foot"), Some(shin), place(l.ankle));
        let toe = builder.add(&format!("{side}ToeBase"), Some(foot), place(l.toe));
        builder.add(&format!("{side}Toe_End"), Some(toe), place(l.toe_end));
    }
    builder.joints
}

/// Inverse bind matrices of joints that are aligned with the model.
pub(super) fn joint_from_model(joints: &[Joint]) -> Vec<Affine3A> {
    let mut places: Vec<Vec3> = Vec::with_capacity(joints.len());
    for joint in joints {
        let parent = joint.parent.map_or(Vec3::ZERO, |p| places[usize::from(p)]);
        places.push(parent + joint.rest.translation);
    }
    places
        .into_iter()
        .map(|p| Affine3A::from_translation(-p))
        .collect()
}

#[derive(Default)]
struct Builder {
    joints: Vec<Joint>,
    places: Vec<Vec3>,
}

impl Builder {
    fn add(&mut self, name: &str, parent: Option<u16>, place: Vec3) -> u16 {
        let origin = parent.map_or(Vec3::ZERO, |p| self.places[usize::from(p)]);
        self.places.push(place);
        self.joints.push(Joint {
            name: format!("mixamorig:{name}"),
            parent,
            rest: JointTransform {
                translation: place - origin,
                ..JointTransform::IDENTITY
            },
        });
        (self.joints.len() - 1) as u16
    }
}
