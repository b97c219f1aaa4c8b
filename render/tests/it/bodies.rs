//! Bodies while the shutter is open: bent from one pose to the other, truth at the frame's middle.

use std::sync::Arc;

use diorama_assets::rig::{BodyPose, Influence, Joint, JointTransform, Rig, Skin};
use diorama_synth::frame::Frame;
use diorama_synth::shot::{Role, Track};
use glam::{Affine3A, Vec3};

use crate::scenes::{Scene, at, look, matte, sphere, square};

/// How far the ball goes from frame to frame, metres.
const STEP: Vec3 = Vec3::new(0.8, 0.0, 0.3);

/// A ball over a floor; the ball is object 2.
fn scene(shutter: f32) -> Scene {
    let mut scene = Scene::new(
        [48, 32],
        look(Vec3::new(0.0, -7.0, 2.0), Vec3::new(0.0, 0.0, 0.7)),
        [0.3; 3],
    );
    scene.sun(Vec3::new(0.4, 0.5, -0.8), 3.0, 0.05);
    let floor = (matte([0.6; 3]), Vec3::splat(9.0), at(0.0, 0.0, 0.0));
    scene.add(
        "floor",
        square(),
        floor.0,
        floor.1,
        floor.2,
        Role::Background,
    );
    let ball = matte([0.8, 0.2, 0.1]);
    scene.add(
        "ball",
        sphere(),
        ball,
        Vec3::splat(0.7),
        at(0.0, 0.0, 1.2),
        Role::Keep,
    );
    scene.shot.cameras[0].shutter = shutter;
    scene
}

/// The ball goes its way as an object.
fn carried(shutter: f32) -> Frame {
    let mut scene = scene(shutter);
    let ways = [-1.0, 0.0, 1.0].map(|frame| {
        let place = Vec3::new(0.0, 0.0, 1.2) + STEP * frame;
        at(place.x, place.y, place.z)
    });
    scene.shot.objects[1].pose = Track::PerFrame(ways.to_vec());
    scene.render(48)
}

/// The ball stays, and its one joint goes the same way: every vertex follows it.
pub(crate) fn bent_scene(shutter: f32) -> Scene {
    let mut scene = scene(shutter);
    let ball = Arc::make_mut(scene.assets.models.get_mut("ball").unwrap());
    let count = ball.meshes[0].positions.len() as u32;
    let follow = Influence {
        joint: 0,
        weight: 1.0,
    };
    ball.rig = Some(Rig {
        joints: vec![Joint {
            name: "root".into(),
            parent: None,
            rest: JointTransform::IDENTITY,
        }],
        skins: vec![Some(Skin {
            influences: vec![follow; count as usize],
            first_influence: (0..=count).collect(),
            joint_from_model: vec![Affine3A::IDENTITY],
            ..Skin::default()
        })],
        morphs: vec![vec![]],
        ..Rig::default()
    });
    let poses = [-1.0, 0.0, 1.0].map(|frame| BodyPose {
        joints: vec![Affine3A::from_translation(STEP * frame / 0.7)],
        morph_weights: vec![],
    });
    scene.shot.objects[1].body = Some(Track::PerFrame(poses.to_vec()));
    scene
}

fn bent(shutter: f32) -> Frame {
    bent_scene(shutter).render(48)
}

/// Mean and largest difference of two pictures, over their channels.
fn difference(a: &Frame, b: &Frame) -> (f32, f32) {
    let [a, b] = [a, b].map(|frame| &frame.worlds[0].radiance.data);
    let all = a.iter().zip(b).map(|(a, b)| (*a - *b).abs());
    let (sum, largest) = all.fold((0.0, 0.0_f32), |(sum, largest), d| {
        (sum + d.element_sum() / 3.0, largest.max(d.max_element()))
    });
    (sum / a.len() as f32, largest)
}

#[test]
fn a_body_blurs_as_an_object_that_goes_the_same_way() {
    let (carried, blurred) = (carried(1.0), bent(1.0));
    let (mean, largest) = difference(&carried, &blurred);
    // Rounding of two ways to the same place turns single samples at edges.
    assert!(mean < 2e-4 && largest < 0.1, "{mean} {largest}");
    let (mean, _) = difference(&blurred, &bent(0.0));
    assert!(mean > 0.005, "nothing is blurred: {mean}");
}

#[test]
fn the_truth_about_a_blurred_body_is_that_of_the_middle() {
    let (sharp, blurred) = (bent(0.0), bent(1.0));
    assert_eq!(sharp.labels, blurred.labels);
    assert!(sharp.labels.instance.data.contains(&2));
}
